package compare

import (
	"context"
	"fmt"
	"math"

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
	benchmark := c.tracks.Column(at)
	evaluator, err := relative.NewEvaluator(relative.Benchmark{Returns: benchmark}, c.annual)
	if err != nil {
		return fmt.Errorf("track %s: %w", c.settings.Against, err)
	}
	draws, err := c.drawAgainst(ctx, benchmark)
	if err != nil {
		return err
	}
	for k := range c.result.Rows {
		if k == at {
			continue
		}
		f := evaluator.Evaluate(c.tracks.Column(k), nil)
		values := make([][]float64, len(besides))
		for b := range c.settings.Resamples {
			for i, x := range c.resampledAgainst(draws, b, k, at) {
				values[i] = append(values[i], x)
			}
		}
		row := &c.result.Rows[k]
		for i, figure := range besides {
			v := f.Value(figure)
			shown := Figure{Name: figure.Name(), Value: v, From: v, To: v}
			if _, ok := v.Float(); ok {
				shown.From, shown.To = c.beside(figure, k, benchmark, v, values[i])
			}
			if c.annual.Convention == metrics.Empyrical && figure >= relative.UpCapture {
				none := number.Unknown("captures of this convention have no intervals")
				shown.From, shown.To = none, none
			}
			row.Against = append(row.Against, shown)
		}
	}
	return nil
}

// beside is the interval of a figure of track k beside the benchmark, of which these are
// the draws.
func (c *comparison) beside(figure relative.Figure, k int, benchmark []float64, value number.Value,
	draws []float64) (from, to number.Value) {
	returns := c.tracks.Column(k)
	switch figure {
	case relative.TrackingError:
		for t := range returns {
			returns[t] -= benchmark[t]
		}
		return c.spread(metrics.Volatility, returns, value)
	case relative.Correlation:
		low, high := inference.CorrelationInterval(returns, benchmark)
		return ends(low, high, 8)
	}
	return interval(draws)
}

// columnsAgainst are the columns of all tracks.
func (c *comparison) columnsAgainst(benchmark []float64) *mat.Dense {
	columns := mat.NewDense(len(benchmark), columnsOfTrack*len(c.tracks.Names), nil)
	for k := range c.tracks.Names {
		for t, r := range c.tracks.Column(k) {
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
func (c *comparison) drawAgainst(ctx context.Context, benchmark []float64) (*mat.Dense, error) {
	draws, err := inference.BootstrapTracks(ctx, c.columnsAgainst(benchmark), 2, func(dst, returns []float64) {
		dst[0], dst[1] = stat.MeanVariance(returns, nil)
	}, inference.BootstrapSettings{Resamples: c.settings.Resamples, MeanBlock: c.draws.MeanBlock,
		Circular: c.settings.Circular, Seed: c.settings.Seed})
	if err != nil {
		return nil, err
	}
	return draws.Values, nil
}

// resampledAgainst are the figures of track k beside track at in a resample, NaN where one
// is undefined. The covariance of two tracks is half of what their variances exceed that
// of their difference by.
func (c *comparison) resampledAgainst(draws *mat.Dense, resample, k, at int) [8]float64 {
	moments := func(track, column int) (mean, variance float64) {
		first := 2 * (columnsOfTrack*track + column)
		return draws.At(resample, first), draws.At(resample, first+1)
	}
	mean, variance := moments(k, ownColumn)
	its, itsVariance := moments(at, ownColumn)
	active, activeVariance := moments(k, activeColumn)
	up, _ := moments(k, upColumn)
	down, _ := moments(k, downColumn)
	itsUp, _ := moments(at, upColumn)
	itsDown, _ := moments(at, downColumn)
	years, covariance := c.annual.PeriodsPerYear, (variance+itsVariance-activeVariance)/2
	beta := covariance / itsVariance
	alpha := mean - c.riskless - beta*(its-c.riskless)
	if c.annual.Convention == metrics.Empyrical {
		alpha = math.Expm1(years*math.Log1p(alpha)) / years
	}
	return [8]float64{active * years, math.Sqrt(activeVariance * years), active / math.Sqrt(activeVariance/years),
		beta, alpha * years, covariance / math.Sqrt(variance*itsVariance), up / itsUp, down / itsDown}
}
