package figure

import (
	"bytes"
	"image/png"
	"io"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"vaefolio/vaelib/run"
)

// Frame is what every picture has around its data. The zero value means the
// picture's own title, no subtitle and real data.
type Frame struct {
	Title     string // default: what the picture shows
	Subtitle  string // window, number of rows, units; wrapped where long
	Synthetic bool   // marks the picture as drawn from made-up data
}

// Figure is a finished picture. It is immutable and safe for concurrent use.
type Figure struct {
	frame         Frame
	alt           string
	width, height vg.Length
	legend        []entry
	notes         []string // footnotes
	body          func(draw.Canvas)

	panels       int     // axes with data, which a narrow figure draws one above the other; 0: the height stays
	narrowLegend []entry // instead of the legend, where names beside the data have no room
	narrow       *Figure // instead of all of it
}

// narrowWidth is that of a telephone held upright, less the page's margins.
const narrowWidth = 350 * cssPixel

// Narrow returns the figure for a narrow screen: the same type in the same sizes,
// panels that stood side by side one above the other.
func (f *Figure) Narrow() *Figure {
	if f.narrow != nil {
		return f.narrow
	}
	if f.width <= narrowWidth {
		return f
	}
	n := *f
	n.width, n.panels = narrowWidth, 0
	if f.narrowLegend != nil {
		n.legend = f.narrowLegend
	}
	body := f.height - f.around()
	if f.panels > 0 {
		body = 240 * cssPixel * vg.Length(f.panels)
	}
	n.height = n.around() + body
	return &n
}

// around is the height of everything but the body.
func (f *Figure) around() vg.Length {
	width := f.width - 2*margin
	height := 2*margin + f.headerHeight()
	if len(f.legend) > 0 {
		height += legendHeight(f.legend, width) + 7
	}
	for _, note := range f.notes {
		height += paragraphHeight(noteStyle, note, width) + 2
	}
	return height
}

// density is the number of pixels for one CSS pixel.
const density = 2

// cssPixel is a 96th of an inch.
const cssPixel = vg.Inch / 96

// Alt describes the picture in a sentence or two, with its main numbers.
func (f *Figure) Alt() string {
	if f.frame.Synthetic {
		return f.alt + " The data are synthetic."
	}
	return f.alt
}

// Title returns the picture's title.
func (f *Figure) Title() string { return f.frame.Title }

// Size returns the width and height in CSS pixels at which to show the
// picture; the image has twice as many pixels each way.
func (f *Figure) Size() (width, height int) {
	return int(math.Round(float64(f.width / cssPixel))), int(math.Round(float64(f.height / cssPixel)))
}

// Bytes returns the picture as a PNG file.
func (f *Figure) Bytes() ([]byte, error) {
	var buffer bytes.Buffer
	if err := f.Write(&buffer); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}

// Write writes the picture as a PNG file.
func (f *Figure) Write(w io.Writer) error {
	canvas := vgimg.NewWith(vgimg.UseWH(f.width, f.height), vgimg.UseDPI(96*density), vgimg.UseBackgroundColor(paper))
	f.draw(draw.New(canvas))
	return png.Encode(w, canvas.Image())
}

// WritePNG writes the picture to a file, whole or not at all.
func (f *Figure) WritePNG(path string) error {
	return run.WriteFile(path, f.Write)
}

// draw lays the picture out from the top: title, subtitle, legend, body; and
// the footnotes from the bottom.
func (f *Figure) draw(c draw.Canvas) {
	c = draw.Crop(c, margin, -margin, margin, -margin)
	if f.frame.Synthetic {
		drawBadge(c, "SYNTHETIC DATA")
	}
	top := c.Max.Y
	c.Max.Y = drawParagraph(c, titleStyle, f.frame.Title, f.titleWidth())
	if f.frame.Subtitle != "" {
		c.Max.Y = drawParagraph(c, subtitleStyle, f.frame.Subtitle, c.Size().X)
	}
	c.Max.Y = top - f.headerHeight()
	if len(f.legend) > 0 {
		c.Max.Y = drawLegend(c, f.legend) - 7
	}
	for i := len(f.notes) - 1; i >= 0; i-- {
		c.Min.Y = drawFootnote(c, f.notes[i])
	}
	if len(f.notes) > 0 {
		c.Min.Y += 4
	}
	if f.frame.Synthetic {
		drawWatermark(c, "SYNTHETIC")
	}
	f.body(c)
}

// headerHeight is what the title and subtitle take.
func (f *Figure) headerHeight() vg.Length {
	height := paragraphHeight(titleStyle, f.frame.Title, f.titleWidth())
	if f.frame.Subtitle != "" {
		height += paragraphHeight(subtitleStyle, f.frame.Subtitle, f.width-2*margin)
	}
	return height + 8
}

// titleWidth leaves room for the badge.
func (f *Figure) titleWidth() vg.Length {
	if f.frame.Synthetic {
		return f.width - 2*margin - badgeWidth
	}
	return f.width - 2*margin
}

// newFigure starts a picture of the usual width.
func newFigure(frame Frame, title string, height vg.Length, alt string, body func(draw.Canvas)) *Figure {
	if frame.Title == "" {
		frame.Title = title
	}
	frame.Title, frame.Subtitle = oneLine(frame.Title), oneLine(frame.Subtitle)
	return &Figure{frame: frame, alt: frame.Title + ": " + alt, width: usualWidth, height: height, body: body}
}

// noData is the picture that says why there is nothing to see.
func noData(frame Frame, title, why string) *Figure {
	return newFigure(frame, title, 160*cssPixel, "no data: "+why+".", func(c draw.Canvas) {
		style := labelStyle
		style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
		c.FillText(style, c.Center(), "no data: "+why)
	})
}
