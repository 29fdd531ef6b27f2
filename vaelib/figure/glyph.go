package figure

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A glyph is a filled shape, by its corners at a radius of 1. Thousands of them are
// drawn faster than true circles and strokes, and look the same.
type glyph []vg.Point

// DrawGlyph implements [draw.GlyphDrawer].
func (g glyph) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	c.SetColor(style.Color)
	var path vg.Path
	for k, corner := range g {
		to := vg.Point{X: at.X + style.Radius*corner.X, Y: at.Y + style.Radius*corner.Y}
		if k == 0 {
			path.Move(to)
		} else {
			path.Line(to)
		}
	}
	path.Close()
	c.Fill(path)
}

var (
	disc = glyph{{X: 1, Y: 0.41}, {X: 0.41, Y: 1}, {X: -0.41, Y: 1}, {X: -1, Y: 0.41},
		{X: -1, Y: -0.41}, {X: -0.41, Y: -1}, {X: 0.41, Y: -1}, {X: 1, Y: -0.41}}
	triangle = glyph{{X: 0, Y: 1.45}, {X: 1.3, Y: -0.8}, {X: -1.3, Y: -0.8}}
	cross    = glyph{{X: 0.4, Y: 0}, {X: 1.3, Y: 0.9}, {X: 0.9, Y: 1.3}, {X: 0, Y: 0.4}, {X: -0.9, Y: 1.3},
		{X: -1.3, Y: 0.9}, {X: -0.4, Y: 0}, {X: -1.3, Y: -0.9}, {X: -0.9, Y: -1.3}, {X: 0, Y: -0.4},
		{X: 0.9, Y: -1.3}, {X: 1.3, Y: -0.9}}
	square = glyph{{X: 1, Y: 1}, {X: -1, Y: 1}, {X: -1, Y: -1}, {X: 1, Y: -1}}
	plus   = glyph{{X: 0.32, Y: 1.4}, {X: -0.32, Y: 1.4}, {X: -0.32, Y: 0.32}, {X: -1.4, Y: 0.32}, {X: -1.4, Y: -0.32},
		{X: -0.32, Y: -0.32}, {X: -0.32, Y: -1.4}, {X: 0.32, Y: -1.4}, {X: 0.32, Y: -0.32}, {X: 1.4, Y: -0.32},
		{X: 1.4, Y: 0.32}, {X: 0.32, Y: 0.32}}
	nabla   = glyph{{X: 0, Y: -1.45}, {X: 1.3, Y: 0.8}, {X: -1.3, Y: 0.8}}
	bar     = glyph{{X: 1.6, Y: 0.5}, {X: -1.6, Y: 0.5}, {X: -1.6, Y: -0.5}, {X: 1.6, Y: -0.5}}
	post    = glyph{{X: 0.5, Y: 1.6}, {X: -0.5, Y: 1.6}, {X: -0.5, Y: -1.6}, {X: 0.5, Y: -1.6}}
	diamond = glyph{{X: -1.2, Y: 0}, {X: 0, Y: 1.2}, {X: 1.2, Y: 0}, {X: 0, Y: -1.2}}
)

// shapes are the clouds' in order, so that they are told apart without their colours.
// The first two are those of training and of generated portfolios; the diamond is left
// to single portfolios.
var shapes = []glyph{disc, triangle, cross, square, plus, nabla, bar, post}
