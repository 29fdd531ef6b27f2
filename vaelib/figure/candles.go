package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Candles draws prices as candles: a body from the open to the close, hollow
// where the price rose, and a wick from the low to the high.
type Candles struct {
	Frame
	X                      Axis
	Times                  []float64 // the openings, rising in even steps but for gaps
	Open, High, Low, Close []float64
	Unfinished             int // candles at the end that have not closed: drawn in another colour
}

// Draw returns the figure, or an error where the slices differ in length.
func (k Candles) Draw() (*Figure, error) {
	const title = "Candles"
	n := len(k.Times)
	if len(k.Open) != n || len(k.High) != n || len(k.Low) != n || len(k.Close) != n {
		return nil, fmt.Errorf("%d openings have %d, %d, %d and %d prices", n, len(k.Open), len(k.High), len(k.Low),
			len(k.Close))
	}
	y, ok := Axis{Label: "price"}.fit(k.Low, k.High)
	if !ok {
		return noData(k.Frame, title, "no finite price"), nil
	}
	step := math.Inf(1)
	for t := 1; t < n; t++ {
		step = min(step, k.Times[t]-k.Times[t-1])
	}
	if math.IsInf(step, 0) {
		step = 1
	}
	x := scale{Axis: k.X, min: k.Times[0] - step, max: k.Times[n-1] + step}
	p := newPlot(x, y)
	p.Add(painter(func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		for t := range k.Times {
			if !y.include(k.Open[t]) || !y.include(k.High[t]) || !y.include(k.Low[t]) || !y.include(k.Close[t]) {
				continue
			}
			body := generatedColor
			if t >= n-k.Unfinished {
				body = warning
			}
			line := draw.LineStyle{Color: body, Width: 1}
			middle := tx(k.Times[t])
			c.StrokeLine2(line, middle, ty(k.Low[t]), middle, ty(k.High[t]))
			bottom, top := ty(min(k.Open[t], k.Close[t])), ty(max(k.Open[t], k.Close[t]))
			box := vg.Rectangle{Min: vg.Point{X: tx(k.Times[t] - 0.32*step), Y: bottom},
				Max: vg.Point{X: tx(k.Times[t] + 0.32*step), Y: max(top, bottom+0.8)}}
			fillRectangle(c, body, box)
			if inner := (vg.Rectangle{Min: vg.Point{X: box.Min.X + 0.8, Y: box.Min.Y + 0.8},
				Max: vg.Point{X: box.Max.X - 0.8, Y: box.Max.Y - 0.8}}); k.Close[t] > k.Open[t] &&
				inner.Min.Y < inner.Max.Y && inner.Min.X < inner.Max.X {
				fillRectangle(c, paper, inner)
			}
		}
	}))
	alt := fmt.Sprintf("%d candles from %.4g to %.4g, %d of them unfinished", n, k.Open[0], k.Close[n-1], k.Unfinished)
	f := newFigure(k.Frame, title, 360*cssPixel, alt+".", beside(p))
	f.legend = []entry{patchEntry("closed (hollow: the price rose)", generatedColor)}
	if k.Unfinished > 0 {
		f.legend = append(f.legend, patchEntry("still open", warning))
	}
	f.panels = 1
	return f, nil
}
