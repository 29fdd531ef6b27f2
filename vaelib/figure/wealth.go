package figure

import (
	"fmt"
	"math"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Path is a strategy's simple returns per period; NaN ends its line.
type Path struct {
	Name    string
	Returns []float64 // T
}

// Wealth draws the compounded wealth of strategies on a logarithmic axis: it
// starts at 1 before the first return. Each line ends with its name and final
// wealth.
type Wealth struct {
	Frame
	Start time.Time   // the time before the first return
	Times []time.Time // T, the end of each period
	Paths []Path
}

// Draw returns the figure, or an error where a path's length is not that of
// Times.
func (w Wealth) Draw() (*Figure, error) {
	const title = "Wealth out of sample"
	for _, p := range w.Paths {
		if len(p.Returns) != len(w.Times) {
			return nil, fmt.Errorf("strategy %q has %d returns for %d times", p.Name, len(p.Returns), len(w.Times))
		}
	}
	if len(w.Times) == 0 || len(w.Paths) == 0 {
		return noData(w.Frame, title, "no period out of sample"), nil
	}
	xs := make([]float64, len(w.Times)+1)
	xs[0] = float64(w.Start.Unix())
	if w.Start.IsZero() {
		xs[0] = float64(w.Times[0].Unix())
	}
	for i, t := range w.Times {
		xs[i+1] = float64(t.Unix())
	}
	wealth := make([][]float64, len(w.Paths))
	for i, p := range w.Paths {
		wealth[i] = compounded(p.Returns)
	}
	y, ok := Axis{Label: "wealth (log)", Log: true}.fit(wealth...)
	if !ok {
		return noData(w.Frame, title, "no finite return"), nil
	}
	x, _ := Axis{Unit: Date}.fit(xs)
	x = x.tight([][]float64{xs})
	p := newPlot(x, y)
	drawLevel(p, 1, zeroLine)
	alt := fmt.Sprintf("from %s to %s one unit becomes", time.Unix(int64(xs[0]), 0).UTC().Format(time.DateOnly),
		w.Times[len(w.Times)-1].UTC().Format(time.DateOnly))
	var ends []lineEnd
	var widest vg.Length
	for i, path := range w.Paths {
		style := draw.LineStyle{Color: seriesColor(i), Width: 1.3}
		if i >= len(palette) {
			style.Dashes = seriesDash(i)
		}
		strokeLine(p, x, y, xs, wealth[i], style)
		end := lineEnd{style: style}
		for t, v := range wealth[i] {
			if y.include(v) {
				end.x, end.y = xs[t], v
			}
		}
		end.name = fmt.Sprintf("%s %.2f", shortened(path.Name, 24), end.y)
		if last := wealth[i][len(wealth[i])-1]; last == 0 {
			end.name = shortened(path.Name, 24) + " 0 (ruin)"
		}
		ends = append(ends, end)
		widest = max(widest, labelStyle.Width(end.name))
	}
	for i, end := range ends {
		if i > 0 {
			alt += ","
		}
		alt += " " + end.name
	}
	f := newFigure(w.Frame, title, usualHeight, alt+".", namedAtTheEnds(p, ends, widest))
	f.panels = 1
	for _, end := range ends {
		f.narrowLegend = append(f.narrowLegend, lineEntry(end.name, end.style))
	}
	return f, nil
}

// namedAtTheEnds draws p with the names of its lines at their right, where there is
// room for the widest.
func namedAtTheEnds(p *plot.Plot, ends []lineEnd, widest vg.Length) func(draw.Canvas) {
	return func(c draw.Canvas) {
		if c.Size().X <= narrowWidth {
			beside(p)(c)
			return
		}
		area := draw.Crop(c, 0, -(widest + 26), 0, -4)
		data := draw.Canvas{Canvas: c.Canvas, Rectangle: dataArea(p, area)}
		drawInto(p, area, data.Rectangle)
		drawLineEnds(c, data, p, ends)
	}
}

// compounded is the wealth after each period, 1 before the first; after ruin
// (a return of -100 % or less) it is zero, after a NaN it is unknown.
func compounded(returns []float64) []float64 {
	wealth := make([]float64, len(returns)+1)
	wealth[0] = 1
	for t, r := range returns {
		wealth[t+1] = wealth[t] * max(0, 1+r)
		if wealth[t] == 0 {
			wealth[t+1] = 0
		}
		if math.IsNaN(r) {
			wealth[t+1] = math.NaN()
		}
	}
	return wealth
}

// lineEnd is the last point of a line, with the name to write beside it.
type lineEnd struct {
	name  string
	x, y  float64
	style draw.LineStyle
}

// drawLineEnds writes the names at the right of the data area, moved apart,
// each joined to its line's end.
func drawLineEnds(c, data draw.Canvas, p *plot.Plot, ends []lineEnd) {
	tx, ty := p.Transforms(&data)
	wanted := make([]vg.Length, len(ends))
	for i, end := range ends {
		wanted[i] = ty(end.y)
	}
	gap := labelStyle.Font.Size * 1.2
	placed := spread(wanted, gap, data.Min.Y+gap/2, data.Max.Y)
	for i, end := range ends {
		leader := draw.LineStyle{Color: faded(seriesColor(i), 0.6), Width: 0.7}
		c.StrokeLine2(leader, tx(end.x)+1, wanted[i], data.Max.X+8, placed[i])
		sample := end.style
		c.StrokeLine2(sample, data.Max.X+8, placed[i], data.Max.X+20, placed[i])
		style := labelStyle
		style.YAlign = draw.YCenter
		c.FillText(style, vg.Point{X: data.Max.X + 23, Y: placed[i] + 0.5}, end.name)
	}
}
