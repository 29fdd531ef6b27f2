package figure

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// RatePoint is one trained model of a sweep over beta.
type RatePoint struct {
	Beta       float64 // dimensionless: 1 is the ELBO
	Seed       int
	Rate       float64 // KL, nats per sample
	Distortion float64 // share of the variance not explained by the mean code: 1 - R^2
}

// RateDistortion draws a sweep over beta: distortion against rate at the
// left, rate against beta at the right. Points of one beta share a colour,
// and a line joins the means over seeds.
//
// Spectrum, where given, holds the normalised eigenvalues n lambda_i / tr Sigma
// of the training weights' covariance. Direction i of a linear model collapses
// at beta = Spectrum[i] (Lucas et al. 2019, arXiv 1911.02469; with the decoder
// variance fixed to tr Sigma / n), so the largest is marked as the predicted
// threshold. The linear model's own rate is drawn dashed, and its distortion measured
// as the points are: with the mean code a living direction misses beta^2 / Spectrum[i].
type RateDistortion struct {
	Frame
	Points   []RatePoint
	Spectrum []float64
	Latent   int // latent dimensions d; 0: as many as eigenvalues
}

// Draw returns the figure.
func (r RateDistortion) Draw() (*Figure, error) {
	const title = "Rate and distortion"
	var kept []RatePoint
	for _, p := range r.Points {
		if p.Beta > 0 && (Axis{}).include(p.Beta) && (Axis{}).include(p.Rate) && (Axis{}).include(p.Distortion) {
			kept = append(kept, p)
		}
	}
	if len(kept) == 0 {
		return noData(r.Frame, title, "no finished run with finite figures"), nil
	}
	slices.SortStableFunc(kept, func(a, b RatePoint) int {
		return cmp.Or(cmp.Compare(a.Beta, b.Beta), cmp.Compare(a.Seed, b.Seed))
	})
	means := betaMeans(kept)
	betas, rates, distortions := columns(kept)
	meanBetas, meanRates, meanDistortions := columns(means)

	theory := r.theory(means)
	theoryBetas, theoryRates, theoryDistortions := columns(theory)
	rateAxis, _ := Axis{Label: "rate: KL (nats)"}.fit(rates, []float64{0})
	distortionAxis, _ := Axis{Label: "distortion: 1 − R²", Unit: Percent}.fit(distortions, []float64{0, 1})
	betaValues := [][]float64{betas}
	if threshold := r.threshold(); threshold > 0 {
		betaValues = append(betaValues, []float64{threshold})
	}
	betaAxis, _ := Axis{Label: "beta", Log: true}.fit(betaValues...)
	betaRateAxis := rateAxis.padded(0, 0.1)

	meanLine := draw.LineStyle{Color: softInk, Width: 1.2}
	theoryLine := draw.LineStyle{Color: faintInk, Width: 1.2, Dashes: []vg.Length{5, 3}}
	left, right := newPlot(rateAxis, distortionAxis), newPlot(betaAxis, betaRateAxis)
	strokeLine(left, rateAxis, distortionAxis, theoryRates, theoryDistortions, theoryLine)
	strokeLine(right, betaAxis, betaRateAxis, theoryBetas, theoryRates, theoryLine)
	strokeLine(left, rateAxis, distortionAxis, meanRates, meanDistortions, meanLine)
	strokeLine(right, betaAxis, betaRateAxis, meanBetas, meanRates, meanLine)
	var names []string
	for i, m := range means {
		color := sequential(0.25 + 0.75*share(i, len(means)))
		style := draw.GlyphStyle{Color: color, Radius: 3, Shape: draw.CircleGlyph{}}
		for _, p := range kept {
			if p.Beta == m.Beta {
				drawPoints(left, rateAxis, distortionAxis, []float64{p.Rate}, []float64{p.Distortion}, style)
				drawPoints(right, betaAxis, betaRateAxis, []float64{p.Beta}, []float64{p.Rate}, style)
			}
		}
		names = append(names, "β "+strconv.FormatFloat(m.Beta, 'g', 3, 64))
	}
	obstacles := filledIn(meanRates, meanDistortions)
	obstacles[0], obstacles[1] = append(obstacles[0], rates...), append(obstacles[1], distortions...)
	labelPoints(left, meanRates, meanDistortions, names, obstacles, 4)
	sample, legend := "one model", []entry(nil)
	if len(means) > 1 {
		sample, legend = "one model; darker: larger beta", []entry{lineEntry("mean over seeds", meanLine)}
	}
	alt := fmt.Sprintf("%d models at %d values of beta from %.3g to %.3g; mean rate from %.3g to %.3g nats",
		len(kept), len(means), means[0].Beta, means[len(means)-1].Beta, means[0].Rate, means[len(means)-1].Rate)
	if threshold := r.threshold(); threshold > 0 {
		legend = append(legend, lineEntry("linear theory", theoryLine))
		verticalMarks(right, []Guide{{threshold, fmt.Sprintf("predicted collapse β* = %.3g", threshold)}}, markLine)
		alt += fmt.Sprintf("; collapse is predicted at beta %.3g", threshold)
	}
	f := newFigure(r.Frame, title, usualHeight, alt+".", beside(left, right))
	dot := draw.GlyphStyle{Color: sequential(0.8), Radius: 3, Shape: draw.CircleGlyph{}}
	f.legend = append(legend, pointEntry(sample, dot))
	f.panels = 2
	f.notes = leftOut(len(r.Points)-len(kept), "model", "no finite figures")
	return f, nil
}

// threshold is the beta at which the first direction dies, 0 where unknown.
func (r RateDistortion) threshold() float64 {
	if len(r.Spectrum) == 0 {
		return 0
	}
	return slices.Max(r.Spectrum)
}

// theory is the linear model's rate and distortion over the range of betas, by
// reverse water-filling over the first Latent eigenvalues.
func (r RateDistortion) theory(means []RatePoint) []RatePoint {
	if len(r.Spectrum) == 0 {
		return nil
	}
	spectrum := slices.Sorted(slices.Values(r.Spectrum))
	slices.Reverse(spectrum)
	var total float64
	for _, v := range spectrum {
		total += max(v, 0)
	}
	if !(total > 0) {
		return nil
	}
	latent := r.Latent
	if latent <= 0 {
		latent = len(spectrum)
	}
	low, high := means[0].Beta, max(means[len(means)-1].Beta, spectrum[0])
	const steps = 200
	curve := make([]RatePoint, 0, steps+1)
	for k := range steps + 1 {
		p := RatePoint{Beta: low * math.Pow(high/low, float64(k)/steps)}
		for i, v := range spectrum {
			if i < latent && v > p.Beta {
				p.Rate += 0.5 * math.Log(v/p.Beta)
				p.Distortion += p.Beta * p.Beta / v / total // with the mean code; with a draw of it, beta
			} else {
				p.Distortion += max(v, 0) / total
			}
		}
		curve = append(curve, p)
	}
	return curve
}

// betaMeans averages the seeds of each beta; points are sorted by beta.
func betaMeans(points []RatePoint) []RatePoint {
	var means []RatePoint
	for i := 0; i < len(points); {
		mean := RatePoint{Beta: points[i].Beta}
		j := i
		for ; j < len(points) && points[j].Beta == mean.Beta; j++ {
			mean.Rate += points[j].Rate
			mean.Distortion += points[j].Distortion
		}
		mean.Rate /= float64(j - i)
		mean.Distortion /= float64(j - i)
		means = append(means, mean)
		i = j
	}
	return means
}

func columns(points []RatePoint) (betas, rates, distortions []float64) {
	for _, p := range points {
		betas = append(betas, p.Beta)
		rates = append(rates, p.Rate)
		distortions = append(distortions, p.Distortion)
	}
	return betas, rates, distortions
}

// share is i's place among n, in [0, 1].
func share(i, n int) float64 {
	if n < 2 {
		return 1
	}
	return float64(i) / float64(n-1)
}

// leftOut is the footnote that counts what could not be drawn.
func leftOut(count int, what, why string) []string {
	if count == 0 {
		return nil
	}
	plural := "s"
	if count == 1 {
		plural = ""
	}
	return []string{fmt.Sprintf("%d %s%s left out: %s.", count, what, plural, why)}
}
