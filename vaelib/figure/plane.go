package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Plane draws quantities over a square grid of a plane, such as the loss of the
// portfolio that each code stands for: one map a quantity, side by side, on one
// scale of colours from light (the least) to dark.
type Plane struct {
	Frame
	X, Y   Axis
	Ticks  []float64 // k coordinates of the columns and of the rows, rising in even steps
	Maps   []PlaneMap
	Scale  Axis         // of the values
	Points []PlanePoint // drawn over every map; those off the grid are left out
}

// PlaneMap is a quantity, k*k values row by row from the bottom, each from left
// to right. A NaN is a hole.
type PlaneMap struct {
	Name   string
	Values []float64
}

// PlanePoint is a place of the plane.
type PlanePoint struct{ X, Y float64 }

// Draw returns the figure, or an error where a map has not k*k values or the
// coordinates don't rise.
func (p Plane) Draw() (*Figure, error) {
	const title = "Plane"
	k := len(p.Ticks)
	low, high := math.Inf(1), math.Inf(-1)
	alt := ""
	for i := 1; i < k; i++ {
		if !(p.Ticks[i] > p.Ticks[i-1]) {
			return nil, fmt.Errorf("coordinates of the plane %v and %v: they rise", p.Ticks[i-1], p.Ticks[i])
		}
	}
	for _, m := range p.Maps {
		if len(m.Values) != k*k {
			return nil, fmt.Errorf("map %q has %d values on a grid of %d x %d", m.Name, len(m.Values), k, k)
		}
		least, most := math.Inf(1), math.Inf(-1)
		for _, v := range m.Values {
			if p.Scale.include(v) {
				least, most = min(least, v), max(most, v)
			}
		}
		if least <= most {
			alt += fmt.Sprintf("; %s from %.4g to %.4g", oneLine(m.Name), least, most)
		}
		low, high = min(low, least), max(high, most)
	}
	if k < 2 || low > high {
		return noData(p.Frame, title, "no finite value on a grid"), nil
	}
	values := scale{Axis: p.Scale, min: low, max: high}
	if low == high {
		values = values.padded(0, 0) // opened, or there would be no scale
	}
	half := (p.Ticks[1] - p.Ticks[0]) / 2
	reach := func(a Axis) scale { return scale{Axis: a, min: p.Ticks[0] - half, max: p.Ticks[k-1] + half} }
	var plots []*plot.Plot
	for i, m := range p.Maps {
		y := reach(p.Y)
		if i > 0 {
			y.Label = ""
		}
		plots = append(plots, p.plot(m, reach(p.X), y, values, half))
	}
	side := (usualWidth - 150*cssPixel) / max(2, vg.Length(len(plots)))
	alt = fmt.Sprintf("%d maps of %d x %d places%s.", len(p.Maps), k, k, alt)
	f := newFigure(p.Frame, title, 0, alt, func(c draw.Canvas) {
		beside(plots...)(draw.Crop(c, 0, -56, 0, 0))
		drawValues(c, values)
	})
	f.width = 150*cssPixel + side*vg.Length(len(plots))
	f.height = 2*margin + f.headerHeight() + side + 50*cssPixel
	shown := 0
	for _, point := range p.Points {
		if onPlane(point, reach(Axis{})) {
			shown++
		}
	}
	f.notes = leftOut(len(p.Points)-shown, "point", "off the grid")
	return f, nil
}

// onPlane says whether a point lies on a square grid.
func onPlane(p PlanePoint, s scale) bool {
	return p.X >= s.min && p.X <= s.max && p.Y >= s.min && p.Y <= s.max
}

// plot is one map on its axes.
func (p Plane) plot(m PlaneMap, x, y, values scale, half float64) *plot.Plot {
	area := newPlot(x, y)
	area.Title.Text = shortened(m.Name, 34)
	area.Title.TextStyle.Font, area.Title.TextStyle.Color = labelStyle.Font, ink
	area.Title.Padding = 3
	area.Add(painter(func(c draw.Canvas, area *plot.Plot) {
		tx, ty := area.Transforms(&c)
		for i, v := range m.Values {
			if !p.Scale.include(v) {
				continue
			}
			column, row := p.Ticks[i%len(p.Ticks)], p.Ticks[i/len(p.Ticks)]
			fillRectangle(c, sequential((v-values.min)/(values.max-values.min)), vg.Rectangle{
				Min: vg.Point{X: tx(column - half), Y: ty(row - half)},
				Max: vg.Point{X: tx(column+half) + 0.2, Y: ty(row+half) + 0.2}, // no seams
			})
		}
		style := draw.GlyphStyle{Color: faded(warning, pointOpacity(len(p.Points))), Radius: 1.6, Shape: disc}
		for _, point := range p.Points {
			if onPlane(point, x) {
				c.DrawGlyph(style, vg.Point{X: tx(point.X), Y: ty(point.Y)})
			}
		}
	}))
	return area
}

// drawValues draws the scale of colours at the canvas' right edge.
func drawValues(c draw.Canvas, values scale) {
	const steps = 100
	r := vg.Rectangle{Min: vg.Point{X: c.Max.X - 44, Y: c.Min.Y + 40}, Max: vg.Point{X: c.Max.X - 34, Y: c.Max.Y - 18}}
	height := r.Size().Y / steps
	for k := range steps {
		y := r.Min.Y + vg.Length(k)*height
		fillRectangle(c, sequential((float64(k)+0.5)/steps), vg.Rectangle{
			Min: vg.Point{X: r.Min.X, Y: y}, Max: vg.Point{X: r.Max.X, Y: y + height + 0.3}})
	}
	style := tickStyle
	style.YAlign = draw.YCenter
	for _, t := range values.ticks(5) {
		share := (t.Value - values.min) / (values.max - values.min)
		if t.Label != "" && share >= 0 && share <= 1 {
			c.FillText(style, vg.Point{X: r.Max.X + 4, Y: r.Min.Y + vg.Length(share)*r.Size().Y}, t.Label)
		}
	}
	if values.Label != "" {
		name := labelStyle
		name.XAlign, name.YAlign = draw.XRight, draw.YBottom
		c.FillText(name, vg.Point{X: c.Max.X, Y: r.Max.Y + 5}, shortened(values.Label, 24))
	}
}
