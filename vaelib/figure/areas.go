package figure

import (
	"cmp"
	"fmt"
	"image/color"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Areas draws shares of a whole over time, one above the other, such as the
// weights of a portfolio from candle to candle. A share holds until the next
// time. Of many names the largest have colours of their own and the others one
// together.
type Areas struct {
	Frame
	X      Axis
	Times  []float64  // T, rising
	Names  []string   // n
	Shares *mat.Dense // T x n, none below 0
	Label  string     // of the shares; default "weight"
}

// mostAreas is how many names have a colour of their own.
const mostAreas = 8

// Draw returns the figure, or an error where shares are not T x n, rising
// in time and at or above 0.
func (a Areas) Draw() (*Figure, error) {
	const title = "Shares"
	if rows(a.Shares) == 0 {
		return noData(a.Frame, title, "no time"), nil
	}
	if t, n := a.Shares.Dims(); t != len(a.Times) || n != len(a.Names) {
		return nil, fmt.Errorf("%d times and %d names have shares of %d x %d", len(a.Times), len(a.Names), t, n)
	}
	for t, at := range a.Times {
		row := a.Shares.RowView(t)
		if !(mat.Min(row) >= 0) || !(Axis{}).include(mat.Sum(row)) || t > 0 && !(at > a.Times[t-1]) {
			return nil, fmt.Errorf("row %d of the shares has one below 0, or its time is not after the last", t+1)
		}
	}
	order, means := a.largest()
	shown := order[:min(mostAreas, len(order))]
	x := scale{Axis: a.X, min: a.Times[0], max: a.Times[len(a.Times)-1]}
	if x.min == x.max {
		x = x.padded(0.04, 0.04)
	}
	top := 0.0
	for t := range a.Times {
		top = max(top, mat.Sum(a.Shares.RowView(t)))
	}
	y := scale{Axis: Axis{Label: cmp.Or(a.Label, "weight"), Unit: Percent}, min: 0, max: cmp.Or(top, 1)}
	p := newPlot(x, y)
	p.Add(painter(func(c draw.Canvas, p *plot.Plot) {
		floor := make([]float64, len(a.Times))
		for k, j := range shown {
			a.stack(c, p, floor, areaColor(k), j)
		}
		a.stack(c, p, floor, trainingColor, order[len(shown):]...)
	}))
	var legend []entry
	var told []string
	for k, j := range shown {
		legend = append(legend, patchEntry(a.Names[j], areaColor(k)))
		told = append(told, fmt.Sprintf("%s %.0f%%", oneLine(a.Names[j]), 100*means[j]))
	}
	if others := len(order) - len(shown); others > 0 {
		legend = append(legend, patchEntry(fmt.Sprintf("%d others", others), trainingColor))
	}
	alt := fmt.Sprintf("%d times; mean shares %s.", len(a.Times), strings.Join(told, ", "))
	f := newFigure(a.Frame, title, 360*cssPixel, alt, beside(p))
	f.legend, f.panels = legend, 1
	return f, nil
}

// areaColor is lighter than that of a line, since it covers more.
func areaColor(k int) color.NRGBA { return blend(paper, seriesColor(k), 0.75) }

// largest orders the names by their mean shares.
func (a Areas) largest() (order []int, means []float64) {
	for j := range a.Names {
		order = append(order, j)
		means = append(means, mat.Sum(a.Shares.ColView(j))/float64(len(a.Times)))
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(means[j], means[i]) })
	return order, means
}

// stack fills the sum of some names' shares above the floor, and raises it.
func (a Areas) stack(c draw.Canvas, p *plot.Plot, floor []float64, fill color.NRGBA, columns ...int) {
	tx, ty := p.Transforms(&c)
	var low, high []vg.Point
	for t, at := range a.Times {
		below := floor[t]
		for _, j := range columns {
			floor[t] += a.Shares.At(t, j)
		}
		if t > 0 { // the last share holds until now
			low, high = append(low, vg.Point{X: tx(at), Y: low[len(low)-1].Y}),
				append(high, vg.Point{X: tx(at), Y: high[len(high)-1].Y})
		}
		low, high = append(low, vg.Point{X: tx(at), Y: ty(below)}), append(high, vg.Point{X: tx(at), Y: ty(floor[t])})
	}
	slices.Reverse(low)
	c.FillPolygon(fill, append(high, low...))
}
