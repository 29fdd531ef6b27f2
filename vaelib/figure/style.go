package figure

import (
	"image/color"
	"math"
	"strings"
	"unicode"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The one place for looks: colours, fonts and sizes.

var (
	paper    = color.NRGBA{255, 255, 255, 255}
	ink      = color.NRGBA{31, 35, 40, 255}
	softInk  = color.NRGBA{92, 100, 110, 255}
	faintInk = color.NRGBA{150, 157, 166, 255}
	gridInk  = color.NRGBA{228, 231, 235, 255}
	axisInk  = color.NRGBA{176, 182, 190, 255}
	warning  = color.NRGBA{176, 58, 10, 255}
)

// palette holds the colours of series in order. They differ in lightness as
// well as in hue, so that they stay apart under protanopia, deuteranopia and
// tritanopia; TestPalette checks the distances.
var palette = []color.NRGBA{
	{0, 76, 146, 255},    // blue
	{212, 62, 5, 255},    // orange
	{25, 178, 85, 255},   // green
	{153, 47, 88, 255},   // wine
	{118, 135, 245, 255}, // periwinkle
	{89, 39, 3, 255},     // brown
	{238, 175, 22, 255},  // gold
	{99, 20, 193, 255},   // violet
}

// shadeColors tint the ground behind lines: light enough for every series.
var shadeColors = []color.NRGBA{
	{252, 238, 200, 255}, // straw
	{219, 232, 246, 255}, // sky
	{248, 219, 208, 255}, // peach
	{217, 240, 224, 255}, // mint
	{234, 222, 244, 255}, // lilac
}

// Roles that keep their colour in every picture.
var (
	generatedColor = palette[0]
	trainingColor  = color.NRGBA{140, 148, 158, 255}
	thresholdColor = warning
	pastColor      = color.NRGBA{150, 190, 225, 255}
	densityColor   = color.NRGBA{240, 190, 60, 255}
)

var dashes = [][]vg.Length{nil, {6, 3}, {2, 2}, {8, 3, 2, 3}, {4, 2}, {1, 2}, {10, 4}, {6, 2, 1, 2, 1, 2}}

// seriesColor returns the colour of the i-th series; past the palette's end
// colours repeat, told apart by the dash.
func seriesColor(i int) color.NRGBA { return palette[i%len(palette)] }

func seriesDash(i int) []vg.Length { return dashes[(i+i/len(palette))%len(dashes)] }

const (
	usualWidth  = 760 * cssPixel
	usualHeight = 420 * cssPixel
	margin      = 12 * cssPixel
	badgeWidth  = 150 * cssPixel
)

var (
	titleStyle    = textStyle(12.5, true, ink)
	subtitleStyle = textStyle(9.5, false, softInk)
	labelStyle    = textStyle(9.5, false, ink)
	tickStyle     = textStyle(8.5, false, softInk)
	noteStyle     = textStyle(8, false, softInk)
)

// bold is the weight of bold type, counted from regular as package font does.
const bold = 3

func textStyle(size float64, strong bool, c color.Color) text.Style {
	face := font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)}
	if strong {
		face.Weight = bold
	}
	return text.Style{Color: c, Font: face, Handler: plot.DefaultTextHandler}
}

// faded returns c with the opacity alpha in [0, 1].
func faded(c color.NRGBA, alpha float64) color.NRGBA {
	c.A = uint8(math.Round(255 * alpha))
	return c
}

// blend mixes two colours: t = 0 is a, t = 1 is b.
func blend(a, b color.NRGBA, t float64) color.NRGBA {
	t = min(max(t, 0), 1)
	mix := func(x, y uint8) uint8 { return uint8(math.Round(float64(x)*(1-t) + float64(y)*t)) }
	return color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}

// sequential is a colour of the scale from light (t = 0) to dark (t = 1).
func sequential(t float64) color.NRGBA {
	middle := color.NRGBA{70, 140, 200, 255}
	if t < 0.5 {
		return blend(color.NRGBA{226, 238, 248, 255}, middle, 2*t)
	}
	return blend(middle, color.NRGBA{10, 38, 92, 255}, 2*t-1)
}

// diverging is a colour of the scale from orange (-1) over white to blue (1).
func diverging(t float64) color.NRGBA {
	if t < 0 {
		return blend(color.NRGBA{247, 247, 247, 255}, color.NRGBA{178, 76, 8, 255}, -t)
	}
	return blend(color.NRGBA{247, 247, 247, 255}, color.NRGBA{16, 70, 150, 255}, t)
}

// textOn is the ink that can be read on the background c.
func textOn(c color.NRGBA) color.NRGBA {
	if 0.299*float64(c.R)+0.587*float64(c.G)+0.114*float64(c.B) < 140 {
		return paper
	}
	return ink
}

// oneLine replaces line ends and other control characters, which names from
// outside can hold, by spaces.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s))
}

// shortened is s on one line, cut with an ellipsis where it is longer than
// limit characters.
func shortened(s string, limit int) string {
	runes := []rune(oneLine(s))
	if len(runes) <= limit {
		return string(runes)
	}
	return string(runes[:limit-1]) + "…"
}

// wrap breaks s into lines no wider than width.
func wrap(style text.Style, s string, width vg.Length) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		longer := word
		if line != "" {
			longer = line + " " + word
		}
		if line != "" && style.Width(longer) > width {
			lines = append(lines, line)
			longer = word
		}
		line = longer
	}
	return append(lines, line)
}

// drawParagraph writes s wrapped from the canvas' upper left corner and
// returns the y below it.
func drawParagraph(c draw.Canvas, style text.Style, s string, width vg.Length) vg.Length {
	style.YAlign = draw.YTop
	y := c.Max.Y
	for _, line := range wrap(style, s, width) {
		c.FillText(style, vg.Point{X: c.Min.X, Y: y}, line)
		y -= style.Font.Size * 1.3
	}
	return y
}

// paragraphHeight is the height of s wrapped to width.
func paragraphHeight(style text.Style, s string, width vg.Length) vg.Length {
	return vg.Length(len(wrap(style, s, width))) * style.Font.Size * 1.3
}

// drawFootnote writes s at the canvas' lower edge and returns the y above it.
func drawFootnote(c draw.Canvas, s string) vg.Length {
	lines := wrap(noteStyle, s, c.Size().X)
	y := c.Min.Y + 2
	for i := len(lines) - 1; i >= 0; i-- {
		c.FillText(noteStyle, vg.Point{X: c.Min.X, Y: y}, lines[i])
		y += noteStyle.Font.Size * 1.3
	}
	return y
}

func drawBadge(c draw.Canvas, s string) {
	style := textStyle(8.5, true, paper)
	style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
	w, h := style.Width(s)+12, style.Font.Size*1.6
	corner := vg.Point{X: c.Max.X - w, Y: c.Max.Y - h}
	fillRectangle(c, warning, vg.Rectangle{Min: corner, Max: c.Max})
	c.FillText(style, vg.Point{X: c.Max.X - w/2, Y: c.Max.Y - h/2 + 0.5}, s)
}

// drawWatermark writes s large and faint across the canvas. The data come over it,
// so that no number is harder to read for it; where they fill the canvas, the badge
// alone is left.
func drawWatermark(c draw.Canvas, s string) {
	size := min(46, 0.3*float64(c.Size().Y))
	style := textStyle(size, true, faded(warning, 0.07))
	style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
	style.Rotation = math.Pi / 9
	c.FillText(style, c.Center(), s)
}

func fillRectangle(c draw.Canvas, fill color.Color, r vg.Rectangle) {
	c.SetColor(fill)
	c.Fill(r.Path())
}

// entry is one name in a legend.
type entry struct {
	name  string
	width vg.Length                             // of the sample
	mark  func(c draw.Canvas, box vg.Rectangle) // draws the sample into box
}

// legendGap stands between the entries of a legend.
const legendGap = 14

// legendRow is the height of a row of a legend.
func legendRow() vg.Length { return labelStyle.Font.Size * 1.55 }

// legendPlaces are where the entries begin, from the upper left corner down, in rows
// no wider than width.
func legendPlaces(entries []entry, width vg.Length) []vg.Point {
	places := make([]vg.Point, len(entries))
	var at vg.Point
	for i, e := range entries {
		needs := e.width + 4 + labelStyle.Width(shortened(e.name, 60))
		if at.X > 0 && at.X+needs > width {
			at = vg.Point{Y: at.Y + legendRow()}
		}
		places[i] = at
		at.X += needs + legendGap
	}
	return places
}

// legendHeight is what the entries take.
func legendHeight(entries []entry, width vg.Length) vg.Length {
	return legendPlaces(entries, width)[len(entries)-1].Y + legendRow()
}

// drawLegend writes the entries in rows under the canvas' upper edge and
// returns the y below them.
func drawLegend(c draw.Canvas, entries []entry) vg.Length {
	style, height := labelStyle, legendRow()
	style.YAlign = draw.YCenter
	y := c.Max.Y
	for i, place := range legendPlaces(entries, c.Size().X) {
		e, x := entries[i], c.Min.X+place.X
		y = c.Max.Y - place.Y
		e.mark(c, vg.Rectangle{Min: vg.Point{X: x, Y: y - height}, Max: vg.Point{X: x + e.width, Y: y}})
		c.FillText(style, vg.Point{X: x + e.width + 4, Y: y - height/2 + 0.5}, shortened(e.name, 60))
	}
	return y - height
}

func lineEntry(name string, style draw.LineStyle) entry {
	return entry{name, 20, func(c draw.Canvas, box vg.Rectangle) {
		y := (box.Min.Y + box.Max.Y) / 2
		c.StrokeLine2(style, box.Min.X, y, box.Max.X, y)
	}}
}

func patchEntry(name string, fill color.NRGBA) entry {
	return entry{name, 12, func(c draw.Canvas, box vg.Rectangle) {
		middle := (box.Min.Y + box.Max.Y) / 2
		fillRectangle(c, fill, vg.Rectangle{
			Min: vg.Point{X: box.Min.X, Y: middle - 4.5},
			Max: vg.Point{X: box.Max.X, Y: middle + 4.5},
		})
	}}
}

func pointEntry(name string, style draw.GlyphStyle) entry {
	return entry{name, 8, func(c draw.Canvas, box vg.Rectangle) {
		c.DrawGlyph(style, vg.Point{X: (box.Min.X + box.Max.X) / 2, Y: (box.Min.Y + box.Max.Y) / 2})
	}}
}

// partColor is the colour of a part of an autoencoder: data, encoder, code,
// decoder.
func partColor(part int) color.NRGBA {
	return []color.NRGBA{trainingColor, palette[0], palette[1], palette[2]}[part]
}
