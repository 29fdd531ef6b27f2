package figure

import (
	"fmt"
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Cloud is a named set of portfolios in the plane of risk and return.
type Cloud struct {
	Name         string
	Risk, Return []float64 // annual, same length
}

// Mark is a single portfolio with its name beside it.
type Mark struct {
	Name         string
	Risk, Return float64 // annual
}

// RiskReturn draws portfolios by annual volatility and return: clouds of many
// points, single portfolios by name, and the efficient frontier as a line
// where it is given, in its order.
//
// The last cloud is drawn on top. Clouds differ by colour and by shape; those named
// "training" and "generated" have the ones they have in every picture.
type RiskReturn struct {
	Frame
	Clouds   []Cloud
	Marks    []Mark
	Frontier Cloud // Name default "efficient frontier"; nil slices: none
}

// cloudLimit is the most points of a cloud that are drawn: more look the same.
const cloudLimit = 5000

// Draw returns the figure, or an error where risks and returns differ in
// length.
func (r RiskReturn) Draw() (*Figure, error) {
	const title = "Risk and return"
	var risks, returns [][]float64
	var marks []Mark
	var names []string
	omitted, shown := 0, 0
	for _, c := range append(append([]Cloud(nil), r.Clouds...), r.Frontier) {
		if len(c.Risk) != len(c.Return) {
			return nil, fmt.Errorf("cloud %q has %d risks and %d returns", c.Name, len(c.Risk), len(c.Return))
		}
		x, y := finite(c.Risk, c.Return)
		omitted += len(c.Risk) - len(x)
		shown += len(x)
		risks, returns, names = append(risks, x), append(returns, y), append(names, c.Name)
	}
	for _, m := range r.Marks {
		if !(Axis{}).include(m.Risk) || !(Axis{}).include(m.Return) {
			omitted++
			continue
		}
		marks = append(marks, m)
		risks, returns = append(risks, []float64{m.Risk}), append(returns, []float64{m.Return})
	}
	x, ok := Axis{Label: "annual volatility", Unit: Percent}.fit(risks...)
	if !ok {
		return noData(r.Frame, title, "no portfolio with finite risk and return"), nil
	}
	y, _ := Axis{Label: "annual return", Unit: Percent}.fit(returns...)
	if len(marks) > 0 {
		x, y = x.padded(0.03, 0.08), y.padded(0.03, 0.03) // room for names
	}
	p := newPlot(x, y)
	if y.min < 0 && y.max > 0 {
		drawLevel(p, 0, zeroLine)
	}
	var legend []entry
	var notes []string
	alt := fmt.Sprintf("%d portfolios with volatility from %.0f%% to %.0f%% and return from %.0f%% to %.0f%%",
		shown+len(marks), 100*x.min, 100*x.max, 100*y.min, 100*y.max)
	styles := cloudStyles(names)
	for i, cloud := range r.Clouds {
		xs, ys := thinned(risks[i], returns[i], cloudLimit)
		if len(xs) < len(risks[i]) {
			notes = append(notes, fmt.Sprintf("%s: %s of %s portfolios are drawn.",
				oneLine(cloud.Name), grouped(len(xs)), grouped(len(risks[i]))))
		}
		drawPoints(p, x, y, xs, ys, styles[i].of(len(xs)))
		legend = append(legend, styles[i].entry(cloud.Name, len(risks[i])))
	}
	if len(r.Frontier.Risk) > 0 {
		name := r.Frontier.Name
		if name == "" {
			name = "efficient frontier"
		}
		style := draw.LineStyle{Color: ink, Width: 1.4}
		k := len(r.Clouds)
		strokeLine(p, x, y, risks[k], returns[k], style)
		legend = append(legend, lineEntry(name, style))
	}
	frontier := len(r.Clouds)
	alt += drawMarks(p, x, y, marks, filledIn(risks[frontier], returns[frontier]))
	f := newFigure(r.Frame, title, usualHeight, alt+".", beside(p))
	f.legend, f.panels = legend, 1
	f.notes = append(notes, leftOut(omitted, "portfolio", "risk or return not finite")...)
	return f, nil
}

// drawMarks draws portfolios with their names, which keep clear of the points
// of a line, and returns what it adds to the alternative text.
func drawMarks(p *plot.Plot, x, y scale, marks []Mark, line [2][]float64) (alt string) {
	var xs, ys []float64
	var names []string
	for i, m := range marks {
		style := draw.GlyphStyle{Color: paper, Radius: 5, Shape: diamond}
		drawPoints(p, x, y, []float64{m.Risk}, []float64{m.Return}, style)
		style.Color, style.Radius = markColor(i), 4
		drawPoints(p, x, y, []float64{m.Risk}, []float64{m.Return}, style)
		xs, ys = append(xs, m.Risk), append(ys, m.Return)
		names = append(names, shortened(m.Name, 28))
		alt += fmt.Sprintf("; %s at volatility %.1f%%, return %.1f%%", oneLine(m.Name), 100*m.Risk, 100*m.Return)
	}
	labelPoints(p, xs, ys, names, line, 5)
	return alt
}

// cloudStyle is how the points of a cloud look.
type cloudStyle struct {
	colour color.NRGBA
	shape  glyph
}

// of is the style of points of which so many are drawn.
func (s cloudStyle) of(drawn int) draw.GlyphStyle {
	return draw.GlyphStyle{Color: faded(s.colour, pointOpacity(drawn)), Radius: pointRadius(drawn), Shape: s.shape}
}

// entry is a cloud's sample in a legend, with the number of its points.
func (s cloudStyle) entry(name string, points int) entry {
	sample := draw.GlyphStyle{Color: s.colour, Radius: 3.4, Shape: s.shape}
	return pointEntry(fmt.Sprintf("%s (%s)", oneLine(name), grouped(points)), sample)
}

// cloudStyles are the styles of clouds by their names. Where one is the generated
// portfolios', no other is blue or has their shape.
func cloudStyles(names []string) []cloudStyle {
	other := func(i int) cloudStyle { return cloudStyle{seriesColor(i), shapes[i%len(shapes)]} }
	if slices.Contains(names, "generated") || slices.Contains(names, "training") {
		other = func(i int) cloudStyle { return cloudStyle{markColor(i), shapes[2+i%(len(shapes)-2)]} }
	}
	styles := make([]cloudStyle, len(names))
	for i, name := range names {
		switch name {
		case "training":
			styles[i] = cloudStyle{trainingColor, shapes[0]}
		case "generated":
			styles[i] = cloudStyle{generatedColor, shapes[1]}
		default:
			styles[i] = other(i)
		}
	}
	return styles
}

// markColor leaves out the generated portfolios' blue.
func markColor(i int) color.NRGBA { return seriesColor(1 + i%(len(palette)-1)) }

// pointOpacity fades points where they are many, so that density shows.
func pointOpacity(n int) float64 {
	return min(0.85, max(0.25, 60/(60+float64(n)/10)))
}

// pointRadius makes points larger where they are few, so that their shape shows.
func pointRadius(n int) vg.Length { return vg.Length(1.8 + 0.9*min(1, 200/float64(n))) }

// thinned keeps at most limit points, evenly spread over their order.
func thinned(xs, ys []float64, limit int) (x, y []float64) {
	if len(xs) <= limit {
		return xs, ys
	}
	for k := range limit {
		i := k * len(xs) / limit
		x, y = append(x, xs[i]), append(y, ys[i])
	}
	return x, y
}
