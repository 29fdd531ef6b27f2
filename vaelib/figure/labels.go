package figure

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// labelPoints writes the names beside the points, clear of each other and of
// other points, given as their x and y.
func labelPoints(p *plot.Plot, xs, ys []float64, names []string, others [2][]float64, radius vg.Length) {
	p.Add(painter(func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		l := labels{style: tickStyle, names: names, radius: radius, area: c.Rectangle}
		l.style.Color, l.style.XAlign, l.style.YAlign = ink, draw.XLeft, draw.YCenter
		for i := range xs {
			l.points = append(l.points, vg.Point{X: tx(xs[i]), Y: ty(ys[i])})
		}
		for i := range others[0] {
			l.others = append(l.others, vg.Point{X: tx(others[0][i]), Y: ty(others[1][i])})
		}
		l.place()
		l.draw(c)
	}))
}

// labels are names to write beside points.
type labels struct {
	style  text.Style
	names  []string
	points []vg.Point
	others []vg.Point // to keep clear of as well
	radius vg.Length  // of the points
	area   vg.Rectangle
	places []vg.Rectangle // of the names, once placed
}

// directions around a point, the preferred ones first.
var directions = [][2]float64{
	{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {1, -1}, {-1, 1}, {-1, -1},
	{0.5, 1}, {0.5, -1}, {-0.5, 1}, {-0.5, -1},
}

// place finds each name the free-est place near its point, given the places
// of the others, and goes round a few times as they move.
func (l *labels) place() {
	l.places = make([]vg.Rectangle, len(l.points))
	const rounds = 4
	for range rounds {
		for i := range l.points {
			least := math.Inf(1)
			var best vg.Rectangle
			for k, gap := range []vg.Length{2, 9, 18} {
				for _, d := range directions {
					candidate := l.candidate(i, gap, d)
					if cost := l.cost(i, candidate) + 4*float64(k); cost < least {
						least, best = cost, candidate
					}
				}
			}
			l.places[i] = best
		}
	}
}

// candidate is the place of name i in a direction from its point.
func (l *labels) candidate(i int, gap vg.Length, direction [2]float64) vg.Rectangle {
	width, height := l.style.Width(l.names[i]), l.style.Font.Size*1.1
	distance := l.radius + gap
	centre := vg.Point{
		X: l.points[i].X + vg.Length(direction[0])*(distance+width/2),
		Y: l.points[i].Y + vg.Length(direction[1])*(distance+height/2),
	}
	return vg.Rectangle{
		Min: vg.Point{X: centre.X - width/2, Y: centre.Y - height/2},
		Max: vg.Point{X: centre.X + width/2, Y: centre.Y + height/2},
	}
}

// cost is the area that a place shares with what it should keep clear of,
// and a price for a leader line that crosses another point or name.
func (l *labels) cost(i int, place vg.Rectangle) float64 {
	cost := 10 * outside(place, l.area)
	for j, p := range l.points {
		if j != i {
			cost += sharedArea(place, around(p, l.radius)) + sharedArea(place, l.places[j])
		}
	}
	for _, p := range l.others {
		cost += sharedArea(place, around(p, l.radius))
	}
	from, to, apart := l.leader(i, place)
	if !apart {
		return cost
	}
	const steps = 10
	for k := range steps + 1 {
		t := vg.Length(k) / steps
		at := around(vg.Point{X: from.X*(1-t) + to.X*t, Y: from.Y*(1-t) + to.Y*t}, 0.5)
		for j, p := range l.points {
			if j != i && sharedArea(at, around(p, l.radius))+sharedArea(at, l.places[j]) > 0 {
				cost += 40
			}
		}
	}
	return cost
}

// leader is the line from point i to its name, where they are apart.
func (l *labels) leader(i int, place vg.Rectangle) (from, to vg.Point, apart bool) {
	from = l.points[i]
	to = vg.Point{X: min(max(from.X, place.Min.X), place.Max.X), Y: min(max(from.Y, place.Min.Y), place.Max.Y)}
	length := vg.Length(math.Hypot(float64(to.X-from.X), float64(to.Y-from.Y)))
	if length <= l.radius+4 {
		return from, to, false
	}
	start := l.radius / length // from the point's edge
	from = vg.Point{X: from.X*(1-start) + to.X*start, Y: from.Y*(1-start) + to.Y*start}
	return from, to, true
}

func (l *labels) draw(c draw.Canvas) {
	for i, place := range l.places {
		if from, to, apart := l.leader(i, place); apart {
			c.StrokeLine2(draw.LineStyle{Color: softInk, Width: 0.6}, from.X, from.Y, to.X, to.Y)
		}
	}
	for i, place := range l.places {
		haloText(c, l.style, vg.Point{X: place.Min.X, Y: (place.Min.Y+place.Max.Y)/2 + 0.5}, l.names[i])
	}
}

func around(p vg.Point, radius vg.Length) vg.Rectangle {
	return vg.Rectangle{
		Min: vg.Point{X: p.X - radius, Y: p.Y - radius},
		Max: vg.Point{X: p.X + radius, Y: p.Y + radius},
	}
}

func sharedArea(a, b vg.Rectangle) float64 {
	w := min(a.Max.X, b.Max.X) - max(a.Min.X, b.Min.X)
	h := min(a.Max.Y, b.Max.Y) - max(a.Min.Y, b.Min.Y)
	return float64(max(w, 0)) * float64(max(h, 0))
}

// outside is the area of a that lies outside b.
func outside(a, b vg.Rectangle) float64 {
	size := a.Size()
	return float64(size.X)*float64(size.Y) - sharedArea(a, b)
}

// filledIn adds points along the straight lines between neighbours, so that
// labels can keep clear of a curve.
func filledIn(xs, ys []float64) (points [2][]float64) {
	const steps = 12
	for i := 1; i < len(xs); i++ {
		for k := range steps {
			t := float64(k) / steps
			points[0] = append(points[0], xs[i-1]*(1-t)+xs[i]*t)
			points[1] = append(points[1], ys[i-1]*(1-t)+ys[i]*t)
		}
	}
	return points
}
