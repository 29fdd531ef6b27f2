package figure

import (
	"cmp"
	"fmt"
	"image/color"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ActiveThreshold is the variance over x of E[z|x] above which a latent
// dimension counts as active (Burda et al. 2016, section 5).
const ActiveThreshold = 0.01

// KLPerDimension draws what each latent dimension carries: its
// Kullback-Leibler term, and the variance of its posterior mean against the
// threshold of an active unit. Dimensions are sorted by KL.
type KLPerDimension struct {
	Frame
	KL       []float64 // d, nats per sample
	Variance []float64 // d, of E[z_j|x] over held-out x
}

// Draw returns the figure, or an error where the slices differ in length.
func (k KLPerDimension) Draw() (*Figure, error) {
	const title = "Latent dimensions"
	if len(k.KL) != len(k.Variance) {
		return nil, fmt.Errorf("KL is given for %d dimensions and the variance for %d", len(k.KL), len(k.Variance))
	}
	var order []int
	for j := range k.KL {
		if (Axis{}).include(k.KL[j]) && (Axis{}).include(k.Variance[j]) {
			order = append(order, j)
		}
	}
	if len(order) == 0 {
		return noData(k.Frame, title, "no dimension with finite figures"), nil
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(k.KL[b], k.KL[a]) })
	var kl, variance []float64
	var names []string
	var fills []color.NRGBA
	active, total := 0, 0.0
	for _, j := range order {
		kl = append(kl, k.KL[j])
		variance = append(variance, max(k.Variance[j], 1e-6))
		names = append(names, strconv.Itoa(j+1))
		total += k.KL[j]
		if k.Variance[j] > ActiveThreshold {
			active++
			fills = append(fills, generatedColor)
		} else {
			fills = append(fills, trainingColor)
		}
	}
	x := scale{Axis: Axis{Label: "latent dimension"}, min: -0.6, max: float64(len(order)) - 0.4}
	klAxis, _ := Axis{Label: "KL (nats)"}.fit(kl, []float64{0})
	klAxis = klAxis.fromZero()
	klAxis.min = min(0, slices.Min(kl))
	varianceAxis, _ := Axis{Label: "variance of E[z|x]", Log: true}.fit(variance, []float64{ActiveThreshold / 4, 1})
	left, right := newPlot(x, klAxis), newPlot(x, varianceAxis)
	for _, p := range []*plot.Plot{left, right} {
		nameTicks(p, names)
	}
	drawBars(left, kl, fills)
	drawBars(right, variance, fills)
	drawLevel(right, ActiveThreshold, markLine)
	alt := fmt.Sprintf("%d of %d latent dimensions are active; KL in all %.3g nats, from %.3g down to %.3g",
		active, len(order), total, kl[0], kl[len(kl)-1])
	f := newFigure(k.Frame, title, 340*cssPixel, alt+".", beside(left, right))
	f.legend = []entry{patchEntry(fmt.Sprintf("active (%d)", active), generatedColor),
		patchEntry(fmt.Sprintf("inactive (%d)", len(order)-active), trainingColor),
		lineEntry(fmt.Sprint("active above ", ActiveThreshold), markLine)}
	f.panels = 2
	f.notes = leftOut(len(k.KL)-len(order), "dimension", "no finite figures")
	return f, nil
}

// Spectrum draws the normalised eigenvalues n lambda_i / tr Sigma of the
// training weights' covariance, largest first, with the line at beta: a linear
// model keeps the directions above it and loses the others.
type Spectrum struct {
	Frame
	Eigenvalues []float64 // normalised, so that their mean is 1
	Beta        float64   // 0: no line
	Latent      int       // latent dimensions d; 0: unknown
}

// Draw returns the figure.
func (s Spectrum) Draw() (*Figure, error) {
	const title = "Spectrum of the training weights"
	var values []float64
	for _, v := range s.Eigenvalues {
		if (Axis{Log: true}).include(v) && v > 1e-9 {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return noData(s.Frame, title, "no positive eigenvalue"), nil
	}
	slices.Sort(values)
	slices.Reverse(values)
	limits := [][]float64{values}
	if s.Beta > 0 {
		limits = append(limits, []float64{s.Beta})
	}
	y, _ := Axis{Label: "n λ / tr Σ", Log: true}.fit(limits...)
	y = y.padded(0.04, 0.06)
	x := scale{Axis: Axis{Label: "direction"}, min: -0.6, max: float64(len(values)) - 0.4}
	var fills []color.NRGBA
	var names []string
	kept, past := 0, 0
	for i, v := range values {
		switch {
		case v <= s.Beta:
			fills = append(fills, trainingColor)
		case s.Latent > 0 && i >= s.Latent:
			fills = append(fills, pastColor)
			past++
		default:
			fills = append(fills, generatedColor)
			kept++
		}
		names = append(names, strconv.Itoa(i+1))
	}
	p := newPlot(x, y)
	nameTicks(p, names)
	drawBars(p, values, fills)
	alt := fmt.Sprintf("%d eigenvalues from %.3g down to %.3g", len(values), values[0], values[len(values)-1])
	f := newFigure(s.Frame, title, 340*cssPixel, "", beside(p))
	if s.Beta > 0 {
		drawLevel(p, s.Beta, markLine)
		alt += fmt.Sprintf("; at beta %.3g linear theory keeps %d", s.Beta, kept)
		f.legend = []entry{patchEntry(fmt.Sprintf("kept in linear theory (%d)", kept), generatedColor),
			patchEntry(fmt.Sprintf("below β: lost (%d)", len(values)-kept-past), trainingColor),
			lineEntry(fmt.Sprintf("β = %.3g", s.Beta), markLine)}
		if past > 0 {
			alt += fmt.Sprintf(", and %d more lie past the %d latent dimensions", past, s.Latent)
			f.legend = slices.Insert(f.legend, 1,
				patchEntry(fmt.Sprintf("above β, past the %d latent dimensions (%d)", s.Latent, past), pastColor))
		}
	}
	f.alt, f.panels = f.alt+alt+".", 1
	f.notes = leftOut(len(s.Eigenvalues)-len(values), "eigenvalue", "zero or not finite")
	return f, nil
}

// nameTicks puts names at 0, 1, 2, ... on the x axis, thinned where there are
// many, without grid lines at them.
func nameTicks(p *plot.Plot, names []string) {
	stride := (len(names) + 19) / 20
	var ticks []plot.Tick
	for i, name := range names {
		if i%stride == 0 {
			ticks = append(ticks, plot.Tick{Value: float64(i), Label: name})
		}
	}
	p.X.Tick.Marker = plot.ConstantTicks(ticks)
	p.X.Tick.LineStyle.Width = 0
}

// drawBars draws upright bars at 0, 1, 2, ... from the axis' zero, or from its
// lower end where it is logarithmic.
func drawBars(p *plot.Plot, values []float64, fills []color.NRGBA) {
	p.Add(painter(func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		bottom := c.Min.Y
		if _, log := p.Y.Scale.(plot.LogScale); !log {
			bottom = ty(0)
		}
		for i, v := range values {
			fillRectangle(c, fills[i], vg.Rectangle{
				Min: vg.Point{X: tx(float64(i) - 0.36), Y: min(bottom, ty(v))},
				Max: vg.Point{X: tx(float64(i) + 0.36), Y: max(bottom, ty(v))},
			})
		}
	}))
}
