package figure

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Mosaic draws portfolios in a grid, each by the bars of its weights: what a
// decoder makes of the codes over two axes of its latent space.
type Mosaic struct {
	Frame
	X, Y          Axis
	Columns, Rows []float64  // coordinates, rising in even steps; the first row lies at the bottom
	Weights       *mat.Dense // rows*columns x n, row by row from the bottom, each from left to right
	Group         []int      // n, the group of each asset, which gives its bar the colour
	Groups        []string   // their names
}

// Draw returns the figure, or an error where weights, groups and grid don't fit
// together.
func (m Mosaic) Draw() (*Figure, error) {
	const title = "Mosaic"
	if m.Weights == nil || len(m.Columns) < 2 || len(m.Rows) < 2 {
		return noData(m.Frame, title, "no grid of portfolios"), nil
	}
	r, n := m.Weights.Dims()
	if r != len(m.Rows)*len(m.Columns) || n != len(m.Group) {
		return nil, fmt.Errorf("a mosaic of %d rows and %d columns of %d assets has weights of %d x %d",
			len(m.Rows), len(m.Columns), len(m.Group), r, n)
	}
	for _, g := range m.Group {
		if g < 0 || g >= len(m.Groups) {
			return nil, fmt.Errorf("an asset of a mosaic is in group %d of %d", g, len(m.Groups))
		}
	}
	largest := mat.Max(m.Weights)
	if !(largest > 0) || !(Axis{}).include(largest) {
		return noData(m.Frame, title, "no finite weight"), nil
	}
	half := func(ticks []float64) float64 { return (ticks[1] - ticks[0]) / 2 }
	reach := func(a Axis, ticks []float64) scale {
		return scale{Axis: a, min: ticks[0] - half(ticks), max: ticks[len(ticks)-1] + half(ticks)}
	}
	area := bare(reach(m.X, m.Columns), reach(m.Y, m.Rows))
	area.X.Tick.Marker, area.Y.Tick.Marker = coordinateTicks(m.X, m.Columns), coordinateTicks(m.Y, m.Rows)
	area.Add(painter(func(c draw.Canvas, area *plot.Plot) {
		tx, ty := area.Transforms(&c)
		for i := range r {
			x, y := m.Columns[i%len(m.Columns)], m.Rows[i/len(m.Columns)]
			m.tile(c, m.Weights.RawRowView(i), largest, vg.Rectangle{
				Min: vg.Point{X: tx(x - half(m.Columns)), Y: ty(y - half(m.Rows))},
				Max: vg.Point{X: tx(x + half(m.Columns)), Y: ty(y + half(m.Rows))},
			})
		}
	}))
	alt := fmt.Sprintf("%d portfolios of %d assets over %d x %d places; the largest weight is %.1f%%.", r, n,
		len(m.Columns), len(m.Rows), 100*largest)
	f := newFigure(m.Frame, title, 0, alt, beside(area))
	for g, name := range m.Groups {
		f.legend = append(f.legend, patchEntry(oneLine(name), seriesColor(g)))
	}
	f.notes = []string{fmt.Sprintf(
		"Each tile is a portfolio, each bar an asset's weight; a bar as high as its tile is %.0f%%.", 100*largest)}
	f.panels = 1
	tile := (usualWidth - 80*cssPixel) / vg.Length(len(m.Columns))
	f.height = f.around() + 45*cssPixel + max(180*cssPixel, 0.72*tile*vg.Length(len(m.Rows)))
	return f, nil
}

// tile draws one portfolio.
func (m Mosaic) tile(c draw.Canvas, weights []float64, largest float64, place vg.Rectangle) {
	const gap = 2
	place.Min.X, place.Min.Y = place.Min.X+gap, place.Min.Y+gap
	place.Max.X, place.Max.Y = place.Max.X-gap, place.Max.Y-gap
	fillRectangle(c, blend(paper, gridInk, 0.45), place)
	width := place.Size().X / vg.Length(len(weights))
	for j, w := range weights {
		if !(w > 0) {
			continue
		}
		x := place.Min.X + vg.Length(j)*width
		fillRectangle(c, seriesColor(m.Group[j]), vg.Rectangle{
			Min: vg.Point{X: x + width*0.08, Y: place.Min.Y},
			Max: vg.Point{X: x + width*0.92, Y: place.Min.Y + place.Size().Y*vg.Length(w/largest)},
		})
	}
}

// coordinateTicks writes each coordinate, as Mosaic's columns and rows have one, or
// the axis' names.
func coordinateTicks(a Axis, at []float64) plot.Ticker {
	if a.Names != nil {
		return plot.ConstantTicks(namedTicks(a.Names))
	}
	ticks := make([]plot.Tick, len(at))
	for i, v := range at {
		ticks[i] = plot.Tick{Value: v, Label: minus(fmt.Sprintf("%.2g", v))}
	}
	return plot.ConstantTicks(ticks)
}
