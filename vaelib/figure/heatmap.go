package figure

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Heatmap draws a correlation matrix on a scale from -1 to 1, with its numbers
// where there is room for them. Of many assets it draws those that rank highest, in
// the order given.
type Heatmap struct {
	Frame
	Symbols []string   // n
	Values  mat.Matrix // n x n
	// Rank says which assets matter most, the larger the more; nil: the first ones.
	Rank   []float64 // n
	RankBy string    // what it is, for the footnote: "mean weight"
}

// Assets that fit a picture, and a narrow one, with names that can be read.
const (
	mostCells       = 40
	mostNarrowCells = 14
)

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
	if h.Rank != nil && len(h.Rank) != n {
		return nil, fmt.Errorf("%d ranks for %d symbols", len(h.Rank), n)
	}
	f := h.of(title, mostCells, 480, 420*cssPixel)
	f.narrow = h.of(title, mostNarrowCells, 210, 0)
	return f, nil
}

// of draws at most so many assets, in so many CSS pixels.
func (h Heatmap) of(title string, most int, room, least vg.Length) *Figure {
	summary, left := h.summary(), 0
	if all := len(h.Symbols); all > most {
		left = all - most
		h = h.highest(most)
	}
	n := len(h.Symbols)
	cell := min(40, max(11, room/vg.Length(n))) * cssPixel
	style := nameStyle(cell)
	names := make([]string, n)
	var longest vg.Length
	for i, s := range h.Symbols {
		names[i] = shortened(s, 16)
		longest = max(longest, style.Width(names[i]))
	}
	side := cell * vg.Length(n)
	body := func(c draw.Canvas) { h.draw(c, names, longest, cell) }
	f := newFigure(h.Frame, title, 0, summary, body)
	f.width = narrowWidth
	if least > 0 {
		f.width = max(least, side+longest+110*cssPixel)
	}
	why := "the first ones are drawn"
	if h.Rank != nil {
		why = "their " + h.RankBy + " is smaller"
	}
	f.notes = leftOut(left, "asset", why)
	f.height = f.around() + longest + side + 10*cssPixel
	return f
}

// highest keeps the assets that rank highest, in their order.
func (h Heatmap) highest(most int) Heatmap {
	order := make([]int, len(h.Symbols))
	for i := range order {
		order[i] = i
	}
	if h.Rank != nil {
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(h.Rank[b], h.Rank[a]) })
	}
	order = order[:most]
	slices.Sort(order)
	kept := h
	kept.Symbols = make([]string, most)
	values := mat.NewDense(most, most, nil)
	for i, a := range order {
		kept.Symbols[i] = h.Symbols[a]
		for j, b := range order {
			values.Set(i, j, h.Values.At(a, b))
		}
	}
	kept.Values = values
	return kept
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
