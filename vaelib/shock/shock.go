package shock

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"vaefolio/vaelib/inference"
	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/stream"
)

// Move is what is taken for granted of one asset.
type Move struct {
	Asset  int     // its column
	Return float64 // simple, over the horizon; -1 loses everything
}

// Settings of [New]. The zero value of each field means its default.
type Settings struct {
	Covariance string  // the estimator's name in package moments; default sample
	Horizon    int     // periods; default 1
	Resamples  int     // of the bootstrap; default 500
	Confidence float64 // of the intervals; default 0.95
	Seed       uint64
	Progress   func(done, total int, note string) // over the resamples; nil: no reports
}

// EnsureDefaults gives the fields that are zero their defaults.
func (s *Settings) EnsureDefaults() {
	s.Covariance = cmp.Or(s.Covariance, moments.Sample)
	s.Horizon = cmp.Or(s.Horizon, 1)
	s.Resamples = cmp.Or(s.Resamples, 500)
	s.Confidence = cmp.Or(s.Confidence, 0.95)
}

// Validate returns an error for what makes no sense.
func (s *Settings) Validate() error {
	if s.Horizon < 1 || s.Resamples < 20 || !(s.Confidence > 0 && s.Confidence < 1) {
		return fmt.Errorf("a horizon of %d periods, %d resamples and a confidence of %v: give at least 1 and 20, and "+
			"a share between 0 and 1", s.Horizon, s.Resamples, s.Confidence)
	}
	return moments.CheckName(s.Covariance)
}

// Study is what a move of some assets means for all of them.
type Study struct {
	Gaussian *Rule
	History  *Rule // nil: too few periods went the move's way, as NoHistory says
	// NoHistory is why there is no History; empty where there is.
	NoHistory string

	Settings  Settings
	Periods   int     // T, of the returns over the horizon
	MeanBlock float64 // of the bootstrap, in periods
	// Distance is how far out the move is: sqrt(z'M_ss^-1 z), for one asset in its
	// root mean squares. Farther is the number of periods that were as far, or farther.
	Distance float64
	Farther  int
	// Nearest is the period whose moved assets came nearest to the move, a row of the
	// returns over the horizon: that which ends with row Nearest + Horizon - 1 of the
	// returns.
	Nearest int
	// NearestReturns are what all assets returned there (n).
	NearestReturns []float64

	returns *mat.Dense // T x n, over the horizon
	moves   []Move
}

// New studies moves of some of the assets in returns (T x n, simple, per period). It
// returns an error for moves that make no sense, for too few periods, for moved assets
// that have no covariance to be told apart by, those of [moments.Estimate], and the
// context's.
func New(ctx context.Context, returns *mat.Dense, moves []Move, settings Settings) (*Study, error) {
	settings.EnsureDefaults()
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	periods, n := returns.Dims()
	if err := checkMoves(moves, n); err != nil {
		return nil, err
	}
	if least := settings.Horizon + fewest + len(moves); periods < least {
		return nil, fmt.Errorf("%d returns are too few for a horizon of %d periods and %d moved assets: give %d at "+
			"least, or a shorter horizon", periods, settings.Horizon, len(moves), least)
	}
	s := &Study{Settings: settings, returns: overlapping(returns, settings.Horizon), moves: moves}
	s.Periods, _ = s.returns.Dims()
	if err := s.place(); err != nil {
		return nil, err
	}
	m, err := moments.Estimate(settings.Covariance, s.returns)
	if err != nil {
		return nil, err
	}
	if s.Gaussian, err = gaussian(m, moves); err != nil {
		return nil, err
	}
	if s.History, err = history(s.returns, moves); err != nil {
		s.NoHistory = err.Error()
	}
	return s, s.resample(ctx)
}

// fewest are the periods that any estimate rests on, at least.
const fewest = 20

func checkMoves(moves []Move, n int) error {
	if len(moves) == 0 {
		return errors.New("no asset moves: give one at least")
	}
	for i, m := range moves {
		switch {
		case m.Asset < 0 || m.Asset >= n:
			return fmt.Errorf("a move of asset %d (from 0) of %d", m.Asset, n)
		case !(m.Return >= -1) || math.IsInf(m.Return, 0):
			return fmt.Errorf("a return of %v: no asset loses more than everything, -1, and none has an infinite one",
				m.Return)
		case slices.ContainsFunc(moves[:i], func(o Move) bool { return o.Asset == m.Asset }):
			return fmt.Errorf("asset %d (from 0) is moved twice", m.Asset)
		}
	}
	if !slices.ContainsFunc(moves, func(m Move) bool { return m.Return != 0 }) {
		return errors.New("all moves are of 0: give one that has a direction")
	}
	return nil
}

// overlapping returns the compounded returns over every stretch of a horizon:
// (T-horizon+1) x n.
func overlapping(returns *mat.Dense, horizon int) *mat.Dense {
	periods, n := returns.Dims()
	out := mat.NewDense(periods-horizon+1, n, nil)
	for t := range periods - horizon + 1 {
		row := out.RawRowView(t)
		copy(row, returns.RawRowView(t))
		for k := 1; k < horizon; k++ {
			for j, r := range returns.RawRowView(t + k) {
				row[j] = (1+row[j])*(1+r) - 1
			}
		}
	}
	return out
}

// place finds where the move stands among the periods.
func (s *Study) place() error {
	inverse, err := inverseSecond(s.returns, s.moves)
	if err != nil {
		return err
	}
	z := targets(s.moves)
	s.Distance = math.Sqrt(form(inverse, z, z))
	nearest := math.Inf(1)
	apart := make([]float64, len(z))
	for t := range s.Periods {
		x := chosen(s.returns.RawRowView(t), s.moves)
		if form(inverse, x, z) > 0 && math.Sqrt(form(inverse, x, x)) >= s.Distance*(1-1e-12) {
			s.Farther++
		}
		for i := range z {
			apart[i] = x[i] - z[i]
		}
		if d := form(inverse, apart, apart); d < nearest {
			nearest, s.Nearest = d, t
		}
	}
	s.NearestReturns = slices.Clone(s.returns.RawRowView(s.Nearest))
	return nil
}

// resample fills in the sampling error of both rules: the same rules on resamples of
// the periods in blocks, none shorter on average than the horizon.
func (s *Study) resample(ctx context.Context) error {
	basket := market.Basket(s.returns)
	squares := make([]float64, len(basket))
	for t, r := range basket {
		squares[t] = r * r
	}
	s.MeanBlock = max(inference.BlockLength(basket), inference.BlockLength(squares), float64(s.Settings.Horizon))
	_, n := s.returns.Dims()
	draws := s.Settings.Resamples
	ofGaussian, ofHistory := make([][]float64, draws), make([][]float64, draws)
	type memory struct {
		indices []int
		sample  *mat.Dense
	}
	workers := make([]memory, parallel.Workers(draws))
	for i := range workers {
		workers[i] = memory{make([]int, s.Periods), mat.NewDense(s.Periods, n, nil)}
	}
	one := func(worker, i int) error {
		w := &workers[worker]
		inference.StationaryIndices(w.indices, s.Periods, s.MeanBlock,
			stream.New(s.Settings.Seed, "shock.bootstrap", uint64(i)))
		for k, t := range w.indices {
			copy(w.sample.RawRowView(k), s.returns.RawRowView(t))
		}
		if m, err := moments.Estimate(s.Settings.Covariance, w.sample); err == nil {
			ofGaussian[i], _, _ = expect(m, s.moves) // nil where the resample can't tell
		}
		if s.History != nil {
			ofHistory[i], _ = regressed(w.sample, s.moves)
		}
		return nil
	}
	for from := 0; from < draws; from += resamplesPerReport {
		to := min(from+resamplesPerReport, draws)
		if err := parallel.For(ctx, to-from, func(worker, i int) error { return one(worker, from+i) }); err != nil {
			return err
		}
		if s.Settings.Progress != nil {
			s.Settings.Progress(to, draws, "")
		}
	}
	z := distuv.UnitNormal.Quantile((1 + s.Settings.Confidence) / 2)
	s.Gaussian.settle(ofGaussian, s.Settings.Confidence, z)
	if s.History != nil {
		s.History.settle(ofHistory, s.Settings.Confidence, z)
	}
	return nil
}

// resamplesPerReport is how many are drawn between reports.
const resamplesPerReport = 50

// Rule is what one of the rules expects.
type Rule struct {
	Mean    []float64     // n, over the horizon; of the moved assets what they were moved by
	Cov     *mat.SymDense // n x n, about the mean; nothing about the moved assets
	Periods int           // that it rests on

	draws             [][]float64 // means of resamples
	confidence, scale float64
}

// settle keeps the resamples that had a mean, unless a tenth had none.
func (r *Rule) settle(draws [][]float64, confidence, scale float64) {
	kept := slices.DeleteFunc(slices.Clone(draws), func(d []float64) bool { return d == nil })
	if 10*len(kept) >= 9*len(draws) {
		r.draws = kept
	}
	r.confidence, r.scale = confidence, scale
}

// Forecast is what a rule expects of a portfolio over the horizon.
type Forecast struct {
	Return    float64 // the expected one
	Deviation float64 // standard deviation of what happens from it
	// SampleLow and SampleHigh are the percentile interval of the expected return by the
	// bootstrap, NaN where more than a tenth of the resamples could not tell.
	SampleLow, SampleHigh float64
	// Low and High hold what happens with the confidence asked for, were it normal: the
	// deviation and the standard error of the expected return both count.
	Low, High float64
}

// Of returns what the rule expects of a portfolio of weights w (n).
func (r *Rule) Of(w []float64) Forecast {
	var f Forecast
	var variance float64
	for j, v := range w {
		f.Return += v * r.Mean[j]
		if v == 0 {
			continue
		}
		for k, u := range w {
			variance += v * u * r.Cov.At(j, k)
		}
	}
	f.Deviation = math.Sqrt(max(0, variance))
	f.SampleLow, f.SampleHigh, f.Low, f.High = math.NaN(), math.NaN(), math.NaN(), math.NaN()
	if len(r.draws) == 0 {
		return f
	}
	values := make([]float64, len(r.draws))
	for i, mean := range r.draws {
		for j, v := range w {
			values[i] += v * mean[j]
		}
	}
	var deviation float64
	f.SampleLow, f.SampleHigh, deviation = inference.Percentiles(values, r.confidence)
	if f.SampleLow == f.SampleHigh {
		deviation = 0 // of nothing but moved assets, and not what rounding makes it
	}
	around := r.scale * math.Hypot(f.Deviation, deviation)
	f.Low, f.High = f.Return-around, f.Return+around
	return f
}
