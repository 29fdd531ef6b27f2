package figure

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Heatmap draws a correlation matrix on a scale from -1 to 1, with its numbers
// where there is room for them.
type Heatmap struct {
	Frame
	Symbols []string   // n
	Values  mat.Matrix // n x n
}

// Draw returns the figure, or an error where the matrix is not n x n.
func (h Heatmap) Draw() (*Figure, error) {
	const title = "Correlation"
	n := len(h.Symbols)
	if n == 0 || h.Values == nil {
		return noData(h.Frame, title, "no asset"), nil
	}
	if r, c := h.Values.Dims(); r != n || c != n {
		return nil, fmt.Errorf("a correlation matrix of %d symbols has %d x %d entries", n, r, c)
	}
	cell := min(40, max(11, 480/vg.Length(n))) * cssPixel
	style := nameStyle(cell)
	names := make([]string, n)
	var longest vg.Length
	for i, s := range h.Symbols {
		names[i] = shortened(s, 16)
		longest = max(longest, style.Width(names[i]))
	}
	side := cell * vg.Length(n)
	body := func(c draw.Canvas) { h.draw(c, names, longest, cell) }
	f := newFigure(h.Frame, title, 0, h.summary(), body)
	f.width = max(420*cssPixel, side+longest+110*cssPixel)
	f.height = 2*margin + f.headerHeight() + longest + side + 10*cssPixel
	return f, nil
}

// nameStyle is for a symbol beside a row or column of cells.
func nameStyle(cell vg.Length) text.Style {
	return textStyle(min(8.5, 0.72*float64(cell)), false, ink)
}

// summary tells the mean and range of the correlations off the diagonal.
func (h Heatmap) summary() string {
	low, high, sum, pairs := math.Inf(1), math.Inf(-1), 0.0, 0
	for i := range h.Symbols {
		for j := range i {
			if v := h.Values.At(i, j); (Axis{}).include(v) {
				low, high, sum, pairs = min(low, v), max(high, v), sum+v, pairs+1
			}
		}
	}
	if pairs == 0 {
		return fmt.Sprintf("%d asset and no pair.", len(h.Symbols))
	}
	return fmt.Sprintf("%d assets; correlations from %.2f to %.2f, mean %.2f.",
		len(h.Symbols), low, high, sum/float64(pairs))
}

func (h Heatmap) draw(c draw.Canvas, names []string, longest, cell vg.Length) {
	n := len(names)
	left, top := c.Min.X+longest+5, c.Max.Y-longest-5
	rowStyle, columnStyle := nameStyle(cell), nameStyle(cell)
	rowStyle.XAlign, rowStyle.YAlign = draw.XRight, draw.YCenter
	columnStyle.YAlign, columnStyle.Rotation = draw.YCenter, math.Pi/2
	for i, name := range names {
		middle := (vg.Length(i) + 0.5) * cell
		c.FillText(rowStyle, vg.Point{X: left - 4, Y: top - middle + 0.5}, name)
		c.FillText(columnStyle, vg.Point{X: left + middle - 0.5, Y: top + 4}, name)
	}
	for i := range n {
		for j := range n {
			v := h.Values.At(i, j)
			corner := vg.Point{X: left + vg.Length(j)*cell, Y: top - vg.Length(i+1)*cell}
			place := vg.Rectangle{Min: corner, Max: vg.Point{X: corner.X + cell - 0.5, Y: corner.Y + cell - 0.5}}
			if !(Axis{}).include(v) {
				fillRectangle(c, gridInk, place)
				continue
			}
			fill := diverging(v)
			fillRectangle(c, fill, place)
			if cell < 24*cssPixel {
				continue
			}
			style := textStyle(min(8, float64(cell)*0.33), false, textOn(fill))
			style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
			c.FillText(style, vg.Point{X: (place.Min.X + place.Max.X) / 2, Y: (place.Min.Y + place.Max.Y) / 2},
				minus(strconv.FormatFloat(v, 'f', 2, 64)))
		}
	}
	right := left + vg.Length(n)*cell
	drawColorBar(c, vg.Rectangle{
		Min: vg.Point{X: right + 14, Y: top - min(vg.Length(n)*cell, 180)},
		Max: vg.Point{X: right + 24, Y: top},
	})
}

// drawColorBar draws the scale from -1 to 1.
func drawColorBar(c draw.Canvas, r vg.Rectangle) {
	const steps = 100
	height := r.Size().Y / steps
	for k := range steps {
		y := r.Min.Y + vg.Length(k)*height
		fillRectangle(c, diverging(2*(float64(k)+0.5)/steps-1), vg.Rectangle{
			Min: vg.Point{X: r.Min.X, Y: y}, Max: vg.Point{X: r.Max.X, Y: y + height + 0.3}})
	}
	style := tickStyle
	style.YAlign = draw.YCenter
	for _, v := range []float64{-1, -0.5, 0, 0.5, 1} {
		c.FillText(style, vg.Point{X: r.Max.X + 4, Y: r.Min.Y + vg.Length((v+1)/2)*r.Size().Y},
			minus(strconv.FormatFloat(v, 'g', -1, 64)))
	}
}
