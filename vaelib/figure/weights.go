package figure

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"

	"vaefolio/vaelib/internal/inorder"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Concentration compares how concentrated generated and training portfolios
// are: histograms of the effective number of assets 1/sum w^2 and of the
// largest weight, each as a share of its set.
type Concentration struct {
	Frame
	Generated *mat.Dense // N x n
	Training  *mat.Dense // M x n
	Against   string     // what the second set is; default "training"
}

// Draw returns the figure, or an error where the two sets have different
// numbers of assets.
func (k Concentration) Draw() (*Figure, error) {
	const title = "Concentration"
	generatedAssets, generatedLargest := concentrations(k.Generated)
	trainingAssets, trainingLargest := concentrations(k.Training)
	if k.Generated != nil && k.Training != nil {
		_, n := k.Generated.Dims()
		if _, m := k.Training.Dims(); n != m {
			return nil, fmt.Errorf("generated portfolios have %d assets and training portfolios %d", n, m)
		}
	}
	if len(generatedAssets)+len(trainingAssets) == 0 {
		return noData(k.Frame, title, "no portfolio with finite weights"), nil
	}
	left := histograms("effective number of assets 1/Σw²", Number, trainingAssets, generatedAssets)
	right := histograms("largest weight", Percent, trainingLargest, generatedLargest)
	alt := "histograms of the effective number of assets and of the largest weight"
	against := cmp.Or(oneLine(k.Against), "training")
	var legend []entry
	omitted := 0
	for _, set := range []struct {
		name            string
		weights         *mat.Dense
		assets, largest []float64
		fill            color.NRGBA
	}{{against, k.Training, trainingAssets, trainingLargest, trainingColor},
		{"generated", k.Generated, generatedAssets, generatedLargest, generatedColor}} {
		omitted += rows(set.weights) - len(set.assets)
		if len(set.assets) == 0 {
			continue
		}
		legend = append(legend, patchEntry(fmt.Sprintf("%s (%s)", set.name, grouped(len(set.assets))), set.fill))
		alt += fmt.Sprintf("; %s portfolios: mean %.2f assets, mean largest weight %.0f%%", set.name,
			inorder.Mean(set.assets), 100*inorder.Mean(set.largest))
	}
	f := newFigure(k.Frame, title, 340*cssPixel, alt+".", beside(left, right))
	f.legend, f.panels = legend, 2
	f.notes = leftOut(omitted, "portfolio", "weights not finite")
	return f, nil
}

func rows(weights *mat.Dense) int {
	if weights == nil || weights.IsEmpty() {
		return 0
	}
	n, _ := weights.Dims()
	return n
}

// finiteRows returns the rows that hold neither NaN nor Inf.
func finiteRows(weights *mat.Dense) [][]float64 {
	var kept [][]float64
	for i := range rows(weights) {
		w := weights.RawRowView(i)
		if !slices.ContainsFunc(w, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }) {
			kept = append(kept, w)
		}
	}
	return kept
}

// concentrations returns 1/sum w^2 and the largest weight of each finite row.
func concentrations(weights *mat.Dense) (assets, largest []float64) {
	for _, w := range finiteRows(weights) {
		if squares := floats.Dot(w, w); squares > 0 {
			assets, largest = append(assets, 1/squares), append(largest, slices.Max(w))
		}
	}
	return assets, largest
}

// histograms draws the two sets over common bins: training filled, generated
// as an outline over a light filling.
func histograms(label string, unit Unit, training, generated []float64) *plot.Plot {
	const bins = 40
	x, _ := Axis{Label: label, Unit: unit}.fit(training, generated)
	low, high := x.min, x.max
	shares := func(values []float64) []float64 {
		s := make([]float64, bins)
		for _, v := range values {
			s[min(bins-1, int(bins*(v-low)/(high-low)))] += 1 / float64(len(values))
		}
		return s
	}
	a, b := shares(training), shares(generated)
	y, _ := Axis{Label: "share of portfolios", Unit: Percent}.fit(a, b, []float64{0})
	y.min = 0
	p := newPlot(x, y)
	p.Add(painter(func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		edge := func(k int) vg.Length { return tx(low + (high-low)*float64(k)/bins) }
		bars := func(s []float64, fill color.NRGBA) {
			for k, v := range s {
				if v > 0 {
					foot, top := vg.Point{X: edge(k), Y: ty(0)}, vg.Point{X: edge(k + 1), Y: ty(v)}
					fillRectangle(c, fill, vg.Rectangle{Min: foot, Max: top})
				}
			}
		}
		bars(a, faded(trainingColor, 0.55))
		bars(b, faded(generatedColor, 0.25))
		if len(generated) > 0 {
			outline := []vg.Point{{X: edge(0), Y: ty(0)}}
			for k, v := range b {
				outline = append(outline, vg.Point{X: edge(k), Y: ty(v)}, vg.Point{X: edge(k + 1), Y: ty(v)})
			}
			outline = append(outline, vg.Point{X: edge(bins), Y: ty(0)})
			c.StrokeLines(draw.LineStyle{Color: generatedColor, Width: 1.3}, outline)
		}
	}))
	return p
}

// WeightBars draws each asset's mean weight and its spread, from the 5th to
// the 95th percentile, over generated portfolios, and over training portfolios
// beside it where they are given. Of many assets it draws those with the largest
// means, the largest first.
type WeightBars struct {
	Frame
	Symbols   []string   // n
	Name      string     // of the first set of portfolios; default "generated"
	Generated *mat.Dense // N x n
	Training  *mat.Dense // M x n; nil: not compared
}

// Draw returns the figure, or an error where the number of columns is not
// that of the symbols.
func (b WeightBars) Draw() (*Figure, error) {
	const title = "Weights"
	n := len(b.Symbols)
	sets := []struct {
		name  string
		bands []band
		fill  color.NRGBA
	}{{name: cmp.Or(b.Name, "generated"), fill: generatedColor}, {name: "training", fill: trainingColor}}
	limits := []float64{0}
	omitted := 0
	for k, weights := range []*mat.Dense{b.Generated, b.Training} {
		if rows(weights) == 0 {
			continue
		}
		if _, columns := weights.Dims(); columns != n {
			return nil, fmt.Errorf("%s portfolios have %d assets for %d symbols", sets[k].name, columns, n)
		}
		kept := finiteRows(weights)
		omitted += rows(weights) - len(kept)
		if len(kept) == 0 {
			continue
		}
		for j := range n {
			sets[k].bands = append(sets[k].bands, weightBand(kept, j))
			limits = append(limits, sets[k].bands[j].low, sets[k].bands[j].high)
		}
	}
	if len(limits) == 1 {
		return noData(b.Frame, title, "no portfolio with finite weights"), nil
	}
	x, _ := Axis{Label: "weight", Unit: Percent}.fit(limits)
	if slices.Min(limits) == 0 {
		x.min = 0
	}
	order := largestMeans(sets[0].bands, sets[1].bands, n)
	names := make([]string, len(order))
	for row, j := range order {
		names[row] = shortened(b.Symbols[j], 20)
	}
	for k := range sets {
		sets[k].bands = picked(sets[k].bands, order)
	}
	left := n - len(order)
	n = len(order)
	p := bare(x, scale{min: -0.6, max: float64(n) - 0.4})
	p.X.Tick.Marker = plot.ConstantTicks(x.ticks(8))
	rowNames(p, names)
	p.Add(painter(drawGrid))
	var legend []entry
	alt := fmt.Sprintf("mean weight and 5th to 95th percentile of %d assets", n)
	for k, set := range sets {
		if set.bands == nil {
			continue
		}
		offset, half := 0.0, 0.3
		if sets[1].bands != nil && sets[0].bands != nil {
			offset, half = 0.2-0.4*float64(k), 0.18
		}
		drawBands(p, set.bands, set.fill, offset, half)
		legend = append(legend, patchEntry(fmt.Sprintf("%s: mean, 5–95%%", set.name), set.fill))
		largest := largest(set.bands)
		alt += fmt.Sprintf("; largest %s mean: %s, %.1f%%", set.name, names[largest], 100*set.bands[largest].mean)
	}
	f := newFigure(b.Frame, title, (110+vg.Length(max(n, 3))*22)*cssPixel, alt+".", beside(p))
	f.legend = legend
	f.notes = append(leftOut(omitted, "portfolio", "weights not finite"),
		leftOut(left, "asset", "their mean weights are smaller")...)
	return f, nil
}

// mostBars is the largest number of assets that fit one picture.
const mostBars = 30

// largestMeans are the assets in their order or, where there are too many, those
// with the largest means, the largest first.
func largestMeans(first, second []band, n int) []int {
	order := make([]int, n)
	for j := range order {
		order[j] = j
	}
	if n <= mostBars {
		return order
	}
	of := first
	if of == nil {
		of = second
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(of[b].mean, of[a].mean) })
	return order[:mostBars]
}

// largest is the row with the largest mean, the first of equal ones.
func largest(bands []band) int {
	largest := 0
	for j, b := range bands {
		if b.mean > bands[largest].mean {
			largest = j
		}
	}
	return largest
}

// picked are the bands of some assets; nil of none.
func picked(bands []band, order []int) []band {
	if bands == nil {
		return nil
	}
	some := make([]band, len(order))
	for row, j := range order {
		some[row] = bands[j]
	}
	return some
}

// band is a weight's mean and spread.
type band struct{ mean, low, high float64 }

// weightBand is the band of asset j over portfolios.
func weightBand(portfolios [][]float64, j int) band {
	w := make([]float64, len(portfolios))
	for i, row := range portfolios {
		w[i] = row[j]
	}
	slices.Sort(w)
	return band{
		mean: inorder.Mean(w),
		low:  stat.Quantile(0.05, stat.Empirical, w, nil),
		high: stat.Quantile(0.95, stat.Empirical, w, nil),
	}
}

// rowNames names the rows of a horizontal chart from the top.
func rowNames(p *plot.Plot, names []string) {
	ticks := make([]plot.Tick, len(names))
	for j, name := range names {
		ticks[j] = plot.Tick{Value: float64(len(names) - 1 - j), Label: name}
	}
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Tick.LineStyle.Width = 0
	p.Y.Tick.Label.Color = ink
}

// drawBands draws a bar to the mean and a whisker over the spread, a row each.
func drawBands(p *plot.Plot, bands []band, fill color.NRGBA, offset, half float64) {
	p.Add(painter(func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		whisker := draw.LineStyle{Color: blend(fill, ink, 0.45), Width: 0.9}
		for j, b := range bands {
			y := float64(len(bands)-1-j) + offset
			fillRectangle(c, faded(fill, 0.8), vg.Rectangle{
				Min: vg.Point{X: min(tx(0), tx(b.mean)), Y: ty(y - half)},
				Max: vg.Point{X: max(tx(0), tx(b.mean)), Y: ty(y + half)},
			})
			c.StrokeLine2(whisker, tx(b.low), ty(y), tx(b.high), ty(y))
			for _, end := range []float64{b.low, b.high} {
				c.StrokeLine2(whisker, tx(end), ty(y-half/2), tx(end), ty(y+half/2))
			}
		}
	}))
}
