package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Architecture draws a variational autoencoder from the portfolio that goes in
// to the one that comes out: each layer by its number of units, and the number
// of parameters between two.
type Architecture struct {
	Frame
	Assets, Latent int
	Hidden         []int  // of the encoder; the decoder mirrors them
	Head           string // what makes a portfolio of the last layer, such as "softmax"
	Conditions     int    // numbers that both networks are told; 0: none
}

// block is one layer.
type block struct {
	name   string
	units  int
	part   int // 0 data, 1 encoder, 2 code, 3 decoder
	inputs int // of the product of matrices before it, in units; 0: there is none
}

// Draw returns the figure, or an error where a layer has no unit.
func (a Architecture) Draw() (*Figure, error) {
	const title = "Architecture"
	blocks := []block{{"x", a.Assets, 0, 0}}
	inputs := a.Assets + a.Conditions
	for _, h := range a.Hidden {
		blocks = append(blocks, block{"", h, 1, inputs})
		inputs = h
	}
	blocks = append(blocks, block{"μ, log σ²", 2 * a.Latent, 1, inputs}, block{"z = μ + σε", a.Latent, 2, 0})
	inputs = a.Latent + a.Conditions
	for i := len(a.Hidden) - 1; i >= 0; i-- {
		blocks = append(blocks, block{"", a.Hidden[i], 3, inputs})
		inputs = a.Hidden[i]
	}
	blocks = append(blocks, block{a.Head, a.Assets, 3, inputs}, block{"g(z)", a.Assets, 0, 0})
	total := 0
	for _, b := range blocks {
		if b.units < 1 {
			return nil, fmt.Errorf("a layer of the architecture has %d units", b.units)
		}
		total += b.parameters()
	}
	alt := fmt.Sprintf("encoder of %d inputs and hidden layers %v to a code of %d numbers; the decoder mirrors it; "+
		"%s parameters.", a.Assets, a.Hidden, a.Latent, grouped(total))
	f := newFigure(a.Frame, title, 300*cssPixel, alt, func(c draw.Canvas) { a.draw(c, blocks) })
	f.notes = []string{fmt.Sprintf("In each block: its units; under the arrows: parameters of the layer; %s in all.",
		grouped(total))}
	if a.Conditions > 0 {
		f.notes[0] += fmt.Sprintf(" Both networks are told the conditions c, %d numbers.", a.Conditions)
	}
	return f, nil
}

// parameters are those of the layer that ends in the block.
func (b block) parameters() int {
	if b.inputs == 0 {
		return 0
	}
	return (b.inputs + 1) * b.units
}

func (a Architecture) draw(c draw.Canvas, blocks []block) {
	step := c.Size().X / vg.Length(len(blocks))
	width, middle := step*0.42, c.Center().Y
	largest := 0.0
	for _, b := range blocks {
		largest = max(largest, math.Log2(float64(b.units)+1))
	}
	tall := func(b block) vg.Length {
		return (c.Size().Y - 92) * vg.Length(0.2+0.8*math.Log2(float64(b.units)+1)/largest)
	}
	centre := func(i int) vg.Length { return c.Min.X + step*(vg.Length(i)+0.5) }
	small := tickStyle
	small.XAlign, small.YAlign = draw.XCenter, draw.YCenter
	line := draw.LineStyle{Color: softInk, Width: 1}
	for i, b := range blocks {
		if i > 0 {
			from := vg.Point{X: centre(i-1) + width/2 + 2, Y: middle}
			arrow(c, line, from, vg.Point{X: centre(i) - width/2 - 2, Y: middle})
		}
		if b.inputs > 0 {
			c.FillText(small, vg.Point{X: (centre(i-1) + centre(i)) / 2, Y: middle - 9}, grouped(b.parameters()))
		}
		a.block(c, b, centre(i), middle, width, tall(b))
	}
	code := len(a.Hidden) + 2
	foot := middle - tall(blocks[code])/2
	arrow(c, line, vg.Point{X: centre(code), Y: foot - 30}, vg.Point{X: centre(code), Y: foot - 2})
	name := labelStyle
	name.XAlign, name.YAlign = draw.XCenter, draw.YTop
	c.FillText(name, vg.Point{X: centre(code), Y: foot - 31}, "ε ~ N(0, I)")
	for i, part := range []string{1: "encoder q(z|x)", 3: "decoder p(x|z)"} {
		if part != "" {
			heading := textStyle(9.5, true, partColor(i))
			heading.XAlign, heading.YAlign = draw.XCenter, draw.YTop
			at := centre(0) + vg.Length(float64(code)/2)*step
			if i == 3 {
				at = centre(code) + vg.Length(float64(len(blocks)-1-code)/2)*step
			}
			c.FillText(heading, vg.Point{X: at, Y: c.Max.Y}, part)
		}
	}
	if a.Conditions > 0 {
		for _, i := range []int{1, code + 1} {
			low := middle - tall(blocks[i])/2
			arrow(c, line, vg.Point{X: centre(i), Y: low - 24}, vg.Point{X: centre(i), Y: low - 2})
			c.FillText(name, vg.Point{X: centre(i), Y: low - 25}, fmt.Sprintf("c (%d)", a.Conditions))
		}
	}
}

// block draws one, with its units inside and its name above.
func (a Architecture) block(c draw.Canvas, b block, x, middle, width, height vg.Length) {
	fill := partColor(b.part)
	fillRectangle(c, fill, vg.Rectangle{
		Min: vg.Point{X: x - width/2, Y: middle - height/2}, Max: vg.Point{X: x + width/2, Y: middle + height/2}})
	style := textStyle(9, true, textOn(fill))
	style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
	c.FillText(style, vg.Point{X: x, Y: middle + 0.5}, fmt.Sprint(b.units))
	name := labelStyle
	name.XAlign, name.YAlign = draw.XCenter, draw.YBottom
	c.FillText(name, vg.Point{X: x, Y: middle + height/2 + 3}, b.name)
}

// arrow draws a line with a head at its end.
func arrow(c draw.Canvas, style draw.LineStyle, from, to vg.Point) {
	const head = 4
	length := vg.Length(math.Hypot(float64(to.X-from.X), float64(to.Y-from.Y)))
	if length < head {
		return
	}
	u := vg.Point{X: (to.X - from.X) / length, Y: (to.Y - from.Y) / length}
	back := vg.Point{X: to.X - head*u.X, Y: to.Y - head*u.Y}
	c.StrokeLine2(style, from.X, from.Y, back.X, back.Y)
	side := vg.Point{X: -u.Y * head * 0.6, Y: u.X * head * 0.6}
	c.FillPolygon(style.Color, []vg.Point{
		to, {X: back.X + side.X, Y: back.Y + side.Y}, {X: back.X - side.X, Y: back.Y - side.Y}})
}
