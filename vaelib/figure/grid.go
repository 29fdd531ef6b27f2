package figure

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Grid draws a quantity that has a sign, such as the lead of one of two rivals,
// over two settings: a field for each pair, coloured from -Reach to Reach, with
// words in it.
type Grid struct {
	Frame
	X, Y          string // what the columns and the rows are
	Columns, Rows []string
	Values        [][]float64  // rows x columns; NaN is a gap
	Words         [][][]string // lines in each field; nil: the values alone
	Reach         float64      // the size with the full colour; 0: the largest of the values
	Negative      string       // what a value below 0 means
	Positive      string
}

// Draw returns the figure, or an error where values and words aren't rows x columns.
func (g Grid) Draw() (*Figure, error) {
	const title = "Map"
	low, high, reach := math.Inf(1), math.Inf(-1), g.Reach
	if len(g.Values) != len(g.Rows) || g.Words != nil && len(g.Words) != len(g.Rows) {
		return nil, fmt.Errorf("a grid of %d rows has %d rows of values and %d of words", len(g.Rows), len(g.Values),
			len(g.Words))
	}
	for i, row := range g.Values {
		if len(row) != len(g.Columns) || g.Words != nil && len(g.Words[i]) != len(g.Columns) {
			return nil, fmt.Errorf("row %d of a grid of %d columns has %d values", i+1, len(g.Columns), len(row))
		}
		for _, v := range row {
			if (Axis{}).include(v) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	if low > high {
		return noData(g.Frame, title, "no field with a value"), nil
	}
	if reach == 0 {
		reach = max(-low, high, 1e-300)
	}
	alt := fmt.Sprintf("%d x %d fields by %s and %s; values from %.3g to %.3g. Below 0: %s. Above: %s.", len(g.Rows),
		len(g.Columns), g.Y, g.X, low, high, g.Negative, g.Positive)
	f := newFigure(g.Frame, title, 0, alt, func(c draw.Canvas) { g.draw(c, reach) })
	f.width = gridLeft + gridWidth*vg.Length(len(g.Columns)) + 30*cssPixel
	f.height = 2*margin + f.headerHeight() + gridHeight*vg.Length(len(g.Rows)) + 80*cssPixel
	return f, nil
}

// The size of a field, and of what is left of them.
const (
	gridWidth  = 160 * cssPixel
	gridHeight = 74 * cssPixel
	gridLeft   = 110 * cssPixel
)

func (g Grid) draw(c draw.Canvas, reach float64) {
	left, top := c.Min.X+gridLeft-2*margin, c.Max.Y-34*cssPixel
	name := labelStyle
	name.XAlign, name.YAlign = draw.XCenter, draw.YCenter
	for j, column := range g.Columns {
		c.FillText(name, vg.Point{X: left + gridWidth*(vg.Length(j)+0.5), Y: top + 8*cssPixel}, shortened(column, 24))
	}
	c.FillText(name, vg.Point{X: left + gridWidth*vg.Length(len(g.Columns))/2, Y: top + 24*cssPixel}, g.X)
	name.XAlign = draw.XRight
	for i, row := range g.Rows {
		bottom := top - gridHeight*vg.Length(i+1)
		c.FillText(name, vg.Point{X: left - 6*cssPixel, Y: bottom + gridHeight/2}, shortened(row, 18))
		for j, v := range g.Values[i] {
			corner := vg.Point{X: left + gridWidth*vg.Length(j), Y: bottom}
			g.field(c, vg.Rectangle{Min: corner, Max: vg.Point{X: corner.X + gridWidth - 2,
				Y: corner.Y + gridHeight - 2}},
				v, reach, i, j)
		}
	}
	name.XAlign = draw.XLeft
	bottom := top - gridHeight*vg.Length(len(g.Rows))
	c.FillText(name, vg.Point{X: left, Y: bottom - 12*cssPixel}, fmt.Sprintf("rows: %s", g.Y))
	for k, side := range []struct {
		sign float64
		text string
	}{{1, g.Positive}, {-1, g.Negative}} {
		x := left + vg.Length(k)*200*cssPixel
		fillRectangle(c, diverging(side.sign*0.6), vg.Rectangle{Min: vg.Point{X: x, Y: bottom - 36*cssPixel},
			Max: vg.Point{X: x + 12*cssPixel, Y: bottom - 24*cssPixel}})
		c.FillText(name, vg.Point{X: x + 18*cssPixel, Y: bottom - 30*cssPixel}, side.text)
	}
}

// field draws one.
func (g Grid) field(c draw.Canvas, place vg.Rectangle, v, reach float64, i, j int) {
	if !(Axis{}).include(v) {
		fillRectangle(c, gridInk, place)
		return
	}
	fill := diverging(max(-1, min(1, v/reach)))
	fillRectangle(c, fill, place)
	lines := []string{minus(strconv.FormatFloat(v, 'f', 3, 64))}
	if g.Words != nil {
		lines = g.Words[i][j]
	}
	style := textStyle(8, false, textOn(fill))
	style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
	step := 13 * cssPixel
	y := (place.Min.Y+place.Max.Y)/2 + step*vg.Length(len(lines)-1)/2
	for _, line := range lines {
		c.FillText(style, vg.Point{X: (place.Min.X + place.Max.X) / 2, Y: y}, shortened(line, 30))
		y -= step
	}
}
