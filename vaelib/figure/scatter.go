package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Scatter draws points of a plane, such as codes or compositions: in one colour
// and shape a group, or coloured by a quantity, such as a risk.
//
// The last group is drawn on top.
type Scatter struct {
	Frame
	X, Y   Axis
	Groups []Points
	Scale  Axis // of the quantity, where a group has one
	// Circles are the radii of dashed circles around the origin, such as those
	// that hold shares of N(0, I).
	Circles []float64
}

// Points is a named group of points.
type Points struct {
	Name   string
	X, Y   []float64 // same length
	Values []float64 // what colours them, from light (the least of all groups) to dark; nil: the group's own colour
}

// Draw returns the figure, or an error where a group's slices differ in length.
func (s Scatter) Draw() (*Figure, error) {
	const title = "Points"
	var xs, ys, values [][]float64
	var names []string
	omitted, shown := 0, 0
	for _, g := range s.Groups {
		if len(g.X) != len(g.Y) || g.Values != nil && len(g.Values) != len(g.X) {
			return nil, fmt.Errorf("group %q has %d x, %d y and %d values", g.Name, len(g.X), len(g.Y), len(g.Values))
		}
		x, y, v := s.sound(g)
		xs, ys, values, names = append(xs, x), append(ys, y), append(values, v), append(names, g.Name)
		shown += len(x)
		omitted += len(g.X) - len(x)
	}
	rings := append(negatives(s.Circles), s.Circles...)
	x, ok := s.X.fit(append(xs, rings)...)
	y, _ := s.Y.fit(append(ys, rings)...)
	if !ok || shown == 0 {
		return noData(s.Frame, title, "no point with finite coordinates"), nil
	}
	scaleOf, coloured := s.Scale.fit(values...)
	if coloured {
		scaleOf = scaleOf.tight(values)
	}
	p := newPlot(x, y)
	var legend []entry
	styles := cloudStyles(names)
	for i, g := range s.Groups {
		if g.Values != nil {
			drawColoured(p, x, y, scaleOf, xs[i], ys[i], values[i])
			continue
		}
		px, py := thinned(xs[i], ys[i], cloudLimit)
		drawPoints(p, x, y, px, py, styles[i].of(len(px)))
		legend = append(legend, styles[i].entry(g.Name, len(xs[i])))
	}
	drawCircles(p, s.Circles)
	alt := fmt.Sprintf("%d points, x from %.4g to %.4g, y from %.4g to %.4g", shown, x.min, x.max, y.min, y.max)
	paint := beside(p)
	if coloured {
		alt += fmt.Sprintf(", coloured from %.4g to %.4g", scaleOf.min, scaleOf.max)
		paint = func(c draw.Canvas) {
			beside(p)(draw.Crop(c, 0, -64, 0, 0))
			drawValues(c, scaleOf)
		}
	}
	f := newFigure(s.Frame, title, usualHeight, alt+".", paint)
	f.legend, f.panels = legend, 1
	f.notes = leftOut(omitted, "point", "a coordinate or value not finite")
	return f, nil
}

// sound keeps the points of a group that the axes and the scale can show.
func (s Scatter) sound(g Points) (x, y, values []float64) {
	for i := range g.X {
		if !s.X.include(g.X[i]) || !s.Y.include(g.Y[i]) || g.Values != nil && !s.Scale.include(g.Values[i]) {
			continue
		}
		x, y = append(x, g.X[i]), append(y, g.Y[i])
		if g.Values != nil {
			values = append(values, g.Values[i])
		}
	}
	return x, y, values
}

// drawColoured draws points coloured by their values, at most cloudLimit of them.
func drawColoured(p *plot.Plot, x, y, colours scale, xs, ys, values []float64) {
	p.Add(painter(func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		drawn := min(len(xs), cloudLimit)
		for k := range drawn {
			i := k * len(xs) / drawn
			t := 0.5 // all values are equal
			if colours.max > colours.min {
				t = (values[i] - colours.min) / (colours.max - colours.min)
			}
			c.DrawGlyph(draw.GlyphStyle{Color: faded(sequential(t), 0.85), Radius: 1.9, Shape: disc},
				vg.Point{X: tx(xs[i]), Y: ty(ys[i])})
		}
	}))
}

// negatives are the numbers with their signs turned.
func negatives(x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = -v
	}
	return y
}

// drawCircles draws dashed circles around the origin.
func drawCircles(p *plot.Plot, radii []float64) {
	p.Add(painter(func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		style := draw.LineStyle{Color: ink, Width: 0.9, Dashes: []vg.Length{4, 3}}
		for _, r := range radii {
			const corners = 120
			var ring []vg.Point
			for k := range corners + 1 {
				sin, cos := math.Sincos(2 * math.Pi * float64(k) / corners)
				ring = append(ring, vg.Point{X: tx(r * cos), Y: ty(r * sin)})
			}
			c.StrokeLines(style, c.ClipLinesXY(ring)...)
		}
	}))
}
