package figure

import (
	"fmt"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Intervals draws estimates with their intervals, one a row, the first on top,
// beside the value that a claim has to exclude.
type Intervals struct {
	Frame
	X                   Axis
	Names               []string
	Estimate, Low, High []float64 // one a row; NaN in Low and High: no interval
	Against             float64   // the value that intervals are held against, such as 0
	AgainstName         string    // empty: no line is drawn
}

// Draw returns the figure, or an error where the slices differ in length. A row
// whose interval excludes the value it is held against is in full colour.
func (v Intervals) Draw() (*Figure, error) {
	const title = "Estimates and their intervals"
	n := len(v.Names)
	if len(v.Estimate) != n || len(v.Low) != n || len(v.High) != n {
		return nil, fmt.Errorf("%d names have %d estimates, %d lower and %d upper ends", n, len(v.Estimate), len(v.Low),
			len(v.High))
	}
	limits := [][]float64{v.Estimate, v.Low, v.High}
	if v.AgainstName != "" {
		limits = append(limits, []float64{v.Against})
	}
	x, ok := v.X.fit(limits...)
	if !ok {
		return noData(v.Frame, title, "no finite estimate"), nil
	}
	y := scale{min: -float64(n) + 0.4, max: 0.6}
	p := newPlot(x, y)
	p.Y.Tick.LineStyle.Width, p.Y.LineStyle.Width = 0, 0
	var ticks []plot.Tick
	for i, name := range v.Names {
		ticks = append(ticks, plot.Tick{Value: -float64(i), Label: shortened(name, 34)})
	}
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Tick.Label.Color = ink
	alt, excluding := fmt.Sprintf("%d rows", n), 0
	p.Add(painter(func(c draw.Canvas, p *plot.Plot) { v.paint(c, p, x) }))
	for i, name := range v.Names {
		alt += fmt.Sprintf("; %s %.3g", oneLine(name), v.Estimate[i])
		if v.excludes(i) {
			excluding++
		}
	}
	if v.AgainstName != "" {
		alt += fmt.Sprintf("; %d intervals exclude %s", excluding, oneLine(v.AgainstName))
	}
	f := newFigure(v.Frame, title, vg.Length(90+24*n)*cssPixel, alt+".", beside(p))
	f.height += f.headerHeight()
	if v.AgainstName != "" {
		f.legend = []entry{lineEntry(v.AgainstName, markLine), patchEntry("excludes it", generatedColor),
			patchEntry("doesn't", trainingColor)}
	}
	f.panels = 1
	return f, nil
}

// excludes says whether row i's interval lies on one side of the value.
func (v Intervals) excludes(i int) bool { return v.Low[i] > v.Against || v.High[i] < v.Against }

func (v Intervals) paint(c draw.Canvas, p *plot.Plot, x scale) {
	tx, ty := p.Transforms(&c)
	if at := tx(v.Against); v.AgainstName != "" {
		c.StrokeLine2(markLine, at, c.Min.Y, at, c.Max.Y)
	}
	for i, estimate := range v.Estimate {
		if !x.include(estimate) {
			continue
		}
		ground := color.Color(trainingColor)
		if v.excludes(i) || v.AgainstName == "" {
			ground = generatedColor
		}
		height := ty(-float64(i))
		if x.include(v.Low[i]) && x.include(v.High[i]) {
			c.StrokeLine2(draw.LineStyle{Color: ground, Width: 3.4}, tx(v.Low[i]), height, tx(v.High[i]), height)
		}
		dot := draw.GlyphStyle{Color: paper, Radius: 4, Shape: disc}
		c.DrawGlyph(dot, vg.Point{X: tx(estimate), Y: height})
		dot.Color, dot.Radius = ground, 2.9
		c.DrawGlyph(dot, vg.Point{X: tx(estimate), Y: height})
	}
}
