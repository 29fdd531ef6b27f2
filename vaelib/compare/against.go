package compare

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/inference"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/relative"
)

// besides are the figures of a track beside the one that it is against: those of package
// relative but for the active share, as tracks have no weights.
var besides = []relative.Figure{relative.ActiveReturn, relative.TrackingError, relative.InformationRatio,
	relative.Beta, relative.Alpha, relative.Correlation, relative.UpCapture, relative.DownCapture}

// Columns that are resampled for each track: its returns, those less the benchmark's, and
// those where the benchmark gains and where it loses, 0 elsewhere.
const (
	ownColumn = iota
	activeColumn
	upColumn
	downColumn
	columnsOfTrack
)

// against sets the tracks beside the one of the settings, where one is named.
func (c *comparison) against(ctx context.Context) error {
	if c.settings.Against == "" || len(c.tracks.Names) < 2 {
		return nil
	}
	at, err := c.tracks.Index(c.settings.Against)
	if err != nil {
		return fmt.Errorf("-against: %w", err)
	}
	others := mat.NewDense(c.tracks.Periods(), len(c.tracks.Names)-1, nil)
	var rows []*Row
	for k := range c.result.Rows {
		if k != at {
			others.SetCol(len(rows), c.tracks.Column(k))
			rows = append(rows, &c.result.Rows[k])
		}
	}
	settings := c.settings
	settings.Block = c.draws.MeanBlock
	figures, err := Beside(ctx, others, c.tracks.Column(at), c.annual, settings)
	if err != nil {
		return fmt.Errorf("track %s: %w", c.settings.Against, err)
	}
	for i, row := range rows {
		row.Against = figures[i]
	}
	return nil
}

// Beside returns the figures of tracks (T x N, a column each) beside a benchmark (T) with
// their intervals: those that [Run] gives for [Settings].Against, of the block that is the
// longest of these tracks and the benchmark where the settings have none.
func Beside(ctx context.Context, tracks *mat.Dense, benchmark []float64, annual metrics.Settings,
	settings Settings) ([]Figures, error) {
	settings.EnsureDefaults()
	evaluator, err := relative.NewEvaluator(relative.Benchmark{Returns: benchmark}, annual)
	if err != nil {
		return nil, err
	}
	_, n := tracks.Dims()
	all := [][]float64{benchmark}
	for k := range n {
		all = append(all, mat.Col(nil, k, tracks))
	}
	bootstrap := inference.BootstrapSettings{Resamples: settings.Resamples, MeanBlock: settings.Block,
		Circular: settings.Circular, Seed: settings.Seed}
	if settings.Block == 0 {
		bootstrap.MeanBlock = inference.MeanBlock(all...)
	}
	draws, err := drawAgainst(ctx, all, bootstrap)
	if err != nil {
		return nil, err
	}
	out := make([]Figures, n)
	for k, returns := range all[1:] {
		f := evaluator.Evaluate(returns, nil)
		values := make([][]float64, len(besides))
		for b := range settings.Resamples {
			for i, x := range resampledAgainst(draws, b, k+1, annual) {
				values[i] = append(values[i], x)
			}
		}
		for i, figure := range besides {
			v := f.Value(figure)
			shown := Figure{Name: figure.Name(), Value: v, From: v, To: v}
			if _, ok := v.Float(); ok {
				shown.From, shown.To = beside(figure, slices.Clone(returns), benchmark, v, values[i])
			}
			if annual.Convention == metrics.Empyrical && figure >= relative.UpCapture {
				none := number.Unknown("captures of this convention have no intervals")
				shown.From, shown.To = none, none
			}
			out[k] = append(out[k], shown)
		}
	}
	return out, nil
}

// beside is the interval of a figure of returns, which it overwrites, beside the benchmark,
// of which these are the draws.
func beside(figure relative.Figure, returns, benchmark []float64, value number.Value, draws []float64) (from,
	to number.Value) {
	switch figure {
	case relative.TrackingError:
		for t := range returns {
			returns[t] -= benchmark[t]
		}
		return volatility(returns, value)
	case relative.Correlation:
		low, high := inference.CorrelationInterval(returns, benchmark)
		return ends(low, high, 8)
	}
	return interval(draws)
}

// columnsAgainst are the columns of all tracks, the benchmark the first.
func columnsAgainst(tracks [][]float64) *mat.Dense {
	benchmark := tracks[0]
	columns := mat.NewDense(len(benchmark), columnsOfTrack*len(tracks), nil)
	for k, returns := range tracks {
		for t, r := range returns {
			first := columnsOfTrack * k
			columns.Set(t, first+ownColumn, r)
			columns.Set(t, first+activeColumn, r-benchmark[t])
			switch {
			case benchmark[t] > 0:
				columns.Set(t, first+upColumn, r)
			case benchmark[t] < 0:
				columns.Set(t, first+downColumn, r)
			}
		}
	}
	return columns
}

// drawAgainst resamples these columns by the periods of all other intervals: the mean and
// the variance of each are what the figures of a resample follow from.
func drawAgainst(ctx context.Context, tracks [][]float64, settings inference.BootstrapSettings) (*mat.Dense, error) {
	draws, err := inference.BootstrapTracks(ctx, columnsAgainst(tracks), 2, func(dst, returns []float64) {
		dst[0], dst[1] = stat.MeanVariance(returns, nil)
	}, settings)
	if err != nil {
		return nil, err
	}
	return draws.Values, nil
}

// resampledAgainst are the figures of track k beside the first in a resample, NaN where one
// is undefined. The covariance of two tracks is half of what their variances exceed that
// of their difference by.
func resampledAgainst(draws *mat.Dense, resample, k int, annual metrics.Settings) [8]float64 {
	moments := func(track, column int) (mean, variance float64) {
		first := 2 * (columnsOfTrack*track + column)
		return draws.At(resample, first), draws.At(resample, first+1)
	}
	mean, variance := moments(k, ownColumn)
	its, itsVariance := moments(0, ownColumn)
	active, activeVariance := moments(k, activeColumn)
	up, _ := moments(k, upColumn)
	down, _ := moments(k, downColumn)
	itsUp, _ := moments(0, upColumn)
	itsDown, _ := moments(0, downColumn)
	years, covariance := annual.PeriodsPerYear, (variance+itsVariance-activeVariance)/2
	riskless, beta := annual.RiskFree/years, covariance/itsVariance
	alpha := mean - riskless - beta*(its-riskless)
	if annual.Convention == metrics.Empyrical {
		alpha = math.Expm1(years*math.Log1p(alpha)) / years
	}
	return [8]float64{active * years, math.Sqrt(activeVariance * years), active / math.Sqrt(activeVariance/years),
		beta, alpha * years, covariance / math.Sqrt(variance*itsVariance), up / itsUp, down / itsDown}
}
