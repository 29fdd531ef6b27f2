package display

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"vaefolio/vaelib/figure"
)

// InNotebook says whether the program runs in a cell of a notebook, and so
// whether this package shows anything.
func InNotebook() bool { return gonbui.IsNotebook }

// Figure shows a figure at its own size, in a palette of 128 colours, with its
// description as the alternative text.
func Figure(f *figure.Figure) error {
	if !InNotebook() {
		return nil
	}
	picture, err := f.Bytes()
	if err != nil {
		return err
	}
	width, height := f.Size()
	if picture, err = compact(picture); err != nil {
		return err
	}
	PNG(picture, width, height, f.Alt())
	return nil
}

// Plot shows a gonum plot, width x height in CSS pixels, with its title as the
// alternative text.
func Plot(p *plot.Plot, width, height int) error {
	if !InNotebook() {
		return nil
	}
	const cssPixel, density = vg.Inch / 96, 2
	size := vgimg.UseWH(vg.Length(width)*cssPixel, vg.Length(height)*cssPixel)
	canvas := vgimg.NewWith(size, vgimg.UseDPI(96*density))
	p.Draw(draw.New(canvas))
	var picture bytes.Buffer
	if _, err := (vgimg.PngCanvas{Canvas: canvas}).WriteTo(&picture); err != nil {
		return err
	}
	small, err := compact(picture.Bytes())
	if err != nil {
		return err
	}
	PNG(small, width, height, p.Title.Text)
	return nil
}

// PNG shows a picture, the bytes of a PNG file, at width x height CSS pixels;
// alt describes it for those who can't see it.
func PNG(picture []byte, width, height int, alt string) {
	if !InNotebook() {
		return
	}
	inOrder()
	gonbui.SendData(&protocol.DisplayData{
		Data: map[protocol.MIMEType]any{
			protocol.MIMEImagePNG:  picture,
			protocol.MIMETextPlain: alt,
		},
		Metadata: map[string]any{
			string(protocol.MIMEImagePNG): map[string]int{"width": width, "height": height},
		},
	})
	gonbui.Sync()
}

// Table shows rows of text under a header, the first column aligned left and
// the others, which hold numbers, right. A row may be shorter than the header.
func Table(header []string, rows [][]string) {
	if !InNotebook() {
		return
	}
	inOrder()
	gonbui.DisplayHTML(tableHTML(header, rows))
	gonbui.Sync()
}

func tableHTML(header []string, rows [][]string) string {
	var b strings.Builder
	row := func(tag string, cells []string) {
		b.WriteString("<tr>")
		for i, cell := range cells {
			align := "right"
			if i == 0 {
				align = "left"
			}
			fmt.Fprintf(&b, `<%s style="text-align:%s">%s</%s>`, tag, align, html.EscapeString(cell), tag)
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("<table>\n<thead>\n")
	row("th", header)
	b.WriteString("</thead>\n<tbody>\n")
	for _, cells := range rows {
		row("td", cells)
	}
	b.WriteString("</tbody>\n</table>")
	return b.String()
}
