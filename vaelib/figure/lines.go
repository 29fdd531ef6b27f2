package figure

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Series is a named line. X and Y have the same length; a NaN is a gap.
type Series struct {
	Name      string
	X, Y      []float64
	Low, High []float64 // as long as X: a band behind the line, in its colour; nil: none
	Steps     bool      // each value holds until the next X, as a state or a count does
}

// Subplot is one pair of axes with its lines.
type Subplot struct {
	Y      Axis
	Series []Series
}

// Guide is a dashed vertical line at X, with its name at the top.
type Guide struct {
	X    float64
	Name string
}

// Shade is a range of X in which the ground is tinted, such as the days of a
// regime. Shades of one name have one colour and one entry in the legend.
type Shade struct {
	From, To float64
	Name     string
}

// Lines draws series over a common x axis, in one subplot or in several under
// each other.
type Lines struct {
	Frame
	X        Axis
	Subplots []Subplot
	Guides   []Guide // through all subplots, named in the first
	Shades   []Shade // behind the lines of all subplots
}

// Draw returns the figure, or an error where a series' X and Y, or the bounds
// of its band, differ in length.
func (l Lines) Draw() (*Figure, error) {
	const title = "Series"
	var xs [][]float64
	var plots []*plot.Plot
	tints, legend := l.tints()
	alt := "line chart"
	for _, subplot := range l.Subplots {
		for _, s := range subplot.Series {
			if err := s.check(); err != nil {
				return nil, err
			}
			for i, y := range s.Y {
				if subplot.Y.include(y) && l.X.include(s.X[i]) {
					xs = append(xs, s.X[i:i+1])
				}
			}
		}
	}
	x, ok := l.X.fit(xs...)
	if !ok {
		return noData(l.Frame, title, "no finite value in any series"), nil
	}
	x = x.tight(xs)
	index := 0
	for k, subplot := range l.Subplots {
		var ys [][]float64
		for _, s := range subplot.Series {
			ys = append(ys, s.Y, s.Low, s.High)
		}
		y, ok := subplot.Y.fit(ys...)
		if !ok {
			continue
		}
		if len(l.Guides) > 0 && len(plots) == 0 {
			y = y.padded(0, 0.06*float64(len(l.Subplots))) // room for the guides' names, however low the plot
		}
		xAxis := x
		if k < len(l.Subplots)-1 {
			xAxis.Label = ""
		}
		p := newPlot(xAxis, y)
		drawShades(p, l.Shades, tints)
		guides := make([]Guide, len(l.Guides))
		for i, g := range l.Guides {
			guides[i].X = g.X
			if len(plots) == 0 {
				guides[i].Name = oneLine(g.Name)
			}
		}
		verticalMarks(p, guides, draw.LineStyle{Color: softInk, Width: 0.9, Dashes: []vg.Length{3, 3}})
		for k, s := range subplot.Series {
			style := draw.LineStyle{Color: seriesColor(index), Width: 1.6, Dashes: seriesDash(k)}
			s = s.drawn()
			fillBand(p, x, y, s, faded(seriesColor(index), 0.18))
			strokeLine(p, x, y, s.X, s.Y, style)
			legend = append(legend, s.entry(style))
			alt += "; " + trend(s, subplot.Y)
			index++
		}
		plots = append(plots, p)
	}
	height := usualHeight
	if len(plots) > 1 {
		height = 250 * cssPixel * vg.Length(len(plots))
	}
	f := newFigure(l.Frame, title, height, alt+".", stacked(plots...))
	f.legend, f.panels = legend, len(plots)
	return f, nil
}

// check refuses slices that don't belong together.
func (s Series) check() error {
	if len(s.X) != len(s.Y) {
		return fmt.Errorf("series %q has %d x values and %d y values", s.Name, len(s.X), len(s.Y))
	}
	if len(s.Low) != len(s.High) || s.Low != nil && len(s.Low) != len(s.X) {
		return fmt.Errorf("series %q has %d x values, and a band of %d lower and %d upper bounds",
			s.Name, len(s.X), len(s.Low), len(s.High))
	}
	return nil
}

// drawn is the series as it is drawn: of one in steps each X but the first comes
// twice, with the value before it and with its own.
func (s Series) drawn() Series {
	if !s.Steps {
		return s
	}
	stepped := Series{Name: s.Name}
	for i, x := range s.X {
		for _, k := range []int{max(0, i-1), i} {
			stepped.X, stepped.Y = append(stepped.X, x), append(stepped.Y, s.Y[k])
			if s.Low != nil {
				stepped.Low, stepped.High = append(stepped.Low, s.Low[k]), append(stepped.High, s.High[k])
			}
		}
	}
	return stepped
}

// entry is the series' sample in a legend: a dot where gaps leave nothing but dots.
func (s Series) entry(style draw.LineStyle) entry {
	finite := func(i int) bool { return !math.IsNaN(s.X[i]) && !math.IsNaN(s.Y[i]) }
	dots := false
	for i := range s.X {
		if i > 0 && finite(i) && finite(i-1) {
			return lineEntry(s.Name, style)
		}
		dots = dots || finite(i)
	}
	if !dots {
		return lineEntry(s.Name, style)
	}
	return pointEntry(s.Name, draw.GlyphStyle{Color: style.Color, Radius: 3, Shape: disc})
}

// tints are the colours of the shades by name, and their entries in a legend.
func (l Lines) tints() (map[string]color.NRGBA, []entry) {
	tints := map[string]color.NRGBA{}
	var legend []entry
	for _, s := range l.Shades {
		if _, ok := tints[s.Name]; ok {
			continue
		}
		tint := shadeColors[len(tints)%len(shadeColors)]
		tints[s.Name] = tint
		if name := oneLine(s.Name); name != "" {
			legend = append(legend, patchEntry(name, tint))
		}
	}
	return tints, legend
}

// tight takes the room off again: a line may touch the sides.
func (s scale) tight(values [][]float64) scale {
	low, high := math.Inf(1), math.Inf(-1)
	for _, vs := range values {
		for _, v := range vs {
			low, high = min(low, v), max(high, v)
		}
	}
	if low < high {
		s.min, s.max = low, high
	}
	return s
}

// trend says where a series starts and ends.
func trend(s Series, y Axis) string {
	var shown []float64
	for _, v := range s.Y {
		if y.include(v) {
			shown = append(shown, v)
		}
	}
	if len(shown) == 0 {
		return oneLine(s.Name) + " has no finite value"
	}
	return fmt.Sprintf("%s goes from %.4g to %.4g", oneLine(s.Name), shown[0], shown[len(shown)-1])
}

// Training draws a training history: losses above, the Kullback-Leibler term
// below. Slices are as long as Step, or nil where a quantity wasn't recorded;
// validation is often recorded at some steps only, NaN between.
type Training struct {
	Frame
	Step           []float64
	TrainLoss      []float64 // per sample, nats where the likelihood has units
	ValidationLoss []float64
	KL             []float64 // nats per sample
	ValidationKL   []float64
	WarmupEnd      float64 // the step at which beta reaches its value; 0: none
	Best           float64 // the step whose model was kept; 0: the last
}

// Draw returns the figure, or an error where a slice's length is not that of
// Step.
func (t Training) Draw() (*Figure, error) {
	l := Lines{Frame: t.Frame, X: Axis{Label: "step"}}
	if l.Title == "" {
		l.Title = "Training"
	}
	add := func(subplot *Subplot, name string, y []float64) error {
		if y == nil {
			return nil
		}
		if len(y) != len(t.Step) {
			return fmt.Errorf("history of %s has %d values at %d steps", name, len(y), len(t.Step))
		}
		x, y := finite(t.Step, y)
		subplot.Series = append(subplot.Series, Series{Name: name, X: x, Y: y})
		return nil
	}
	loss, kl := Subplot{Y: Axis{Label: "loss"}}, Subplot{Y: Axis{Label: "KL (nats)"}}
	for _, s := range []struct {
		subplot *Subplot
		name    string
		y       []float64
	}{
		{&loss, "training loss", t.TrainLoss}, {&loss, "validation loss", t.ValidationLoss},
		{&kl, "KL, training", t.KL}, {&kl, "KL, validation", t.ValidationKL},
	} {
		if err := add(s.subplot, s.name, s.y); err != nil {
			return nil, err
		}
	}
	for _, subplot := range []Subplot{loss, kl} {
		if len(subplot.Series) > 0 {
			l.Subplots = append(l.Subplots, subplot)
		}
	}
	if t.WarmupEnd > 0 {
		l.Guides = append(l.Guides, Guide{t.WarmupEnd, "end of warm-up"})
	}
	if t.Best > 0 {
		l.Guides = append(l.Guides, Guide{t.Best, "best on validation"})
	}
	return l.Draw()
}

// finite keeps the points with two finite coordinates: a quantity recorded at
// every tenth step is still a line.
func finite(xs, ys []float64) (x, y []float64) {
	for i := range xs {
		if (Axis{}).include(xs[i]) && (Axis{}).include(ys[i]) {
			x, y = append(x, xs[i]), append(y, ys[i])
		}
	}
	return x, y
}
