package inference

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/stream"
)

// StationaryIndices fills dst with the periods of one resample of n periods by
// the stationary bootstrap (Politis & Romano 1994): runs of consecutive
// periods, wrapping round at the end, whose lengths are geometric with mean
// meanBlock. A mean of 1 draws every period for itself.
func StationaryIndices(dst []int, n int, meanBlock float64, rng *rand.Rand) {
	if n < 1 || !(meanBlock >= 1) {
		panic("inference: the stationary bootstrap needs periods and blocks of at least 1")
	}
	period := 0
	for i := range dst {
		if i == 0 || rng.Float64()*meanBlock < 1 {
			period = rng.IntN(n)
		} else if period++; period == n {
			period = 0
		}
		dst[i] = period
	}
}

// CircularIndices fills dst with the periods of one resample of n periods by
// the circular block bootstrap (Politis & Romano 1992): runs of block consecutive
// periods, wrapping round at the end.
func CircularIndices(dst []int, n, block int, rng *rand.Rand) {
	if n < 1 || block < 1 {
		panic("inference: the circular bootstrap needs periods and blocks of at least 1")
	}
	period := 0
	for i := range dst {
		if i%block == 0 {
			period = rng.IntN(n)
		} else if period++; period == n {
			period = 0
		}
		dst[i] = period
	}
}

// Resample returns rows periods of returns (T x n) drawn by the stationary
// bootstrap: whole rows, so that the dependence between assets stays.
func Resample(returns *mat.Dense, rows int, meanBlock float64, rng *rand.Rand) *mat.Dense {
	periods, n := returns.Dims()
	indices := make([]int, rows)
	StationaryIndices(indices, periods, meanBlock, rng)
	out := mat.NewDense(rows, n, nil)
	for i, t := range indices {
		copy(out.RawRowView(i), returns.RawRowView(t))
	}
	return out
}

// BlockLength estimates the mean block length at which the stationary
// bootstrap of a mean has the least squared error (Politis & White 2004, with
// the correction of Patton, Politis & White 2009): 1 where periods don't
// depend on each other, at most min(3 sqrt(T), T/3). Which lags count is decided
// as in Patton's code and in arch 8.0.0.
func BlockLength(returns []float64) float64 {
	n := len(returns)
	if n < 8 {
		return 1
	}
	size := float64(n)
	run := max(5, int(math.Log10(size))) // this many insignificant lags in a row end the search
	most := min(int(math.Ceil(math.Sqrt(size)))+run, n-1)
	longest := math.Ceil(min(3*math.Sqrt(size), size/3))
	covariances := autocovariances(returns, most)
	if covariances[0] <= 0 {
		return 1
	}
	bound := 2 * math.Sqrt(math.Log10(size)/size)
	correlations := localCorrelations(returns, most)
	lags := most
	for last, quiet := 1, 0; last < most; last++ {
		if quiet++; math.Abs(correlations[last]) >= bound {
			quiet = 0
		}
		if quiet == run {
			lags = min(2*(last-run+1), most) // twice the first of them
			break
		}
	}
	var slope float64
	spectrum := covariances[0] // at frequency 0
	for k := 1; k <= lags; k++ {
		taper := min(1, 2*(1-float64(k)/float64(lags)))
		slope += 2 * taper * float64(k) * covariances[k]
		spectrum += 2 * taper * covariances[k]
	}
	if spectrum == 0 {
		return longest
	}
	return max(1, min(longest, math.Cbrt(slope*slope/(spectrum*spectrum)*size)))
}

// autocovariances returns those at lags 0 to most, divisor T.
func autocovariances(x []float64, most int) []float64 {
	var mean float64
	for _, v := range x {
		mean += v / float64(len(x))
	}
	out := make([]float64, most+1)
	for k := range out {
		for t := k; t < len(x); t++ {
			out[k] += (x[t] - mean) * (x[t-k] - mean)
		}
		out[k] /= float64(len(x))
	}
	return out
}

// localCorrelations returns the autocorrelations at lags 0 to most, each by the
// variance of the periods that it is about, less one.
func localCorrelations(x []float64, most int) []float64 {
	centred, squares := make([]float64, len(x)), make([]float64, len(x)+1) // running sums
	mean := stat.Mean(x, nil)
	for t, v := range x {
		centred[t] = v - mean
		squares[t+1] = squares[t] + centred[t]*centred[t]
	}
	out := make([]float64, most+1)
	for k := range out {
		early, late := squares[max(len(x)-k-1, 0)], squares[len(x)]-squares[min(k+1, len(x))]
		for t := k; t < len(x); t++ {
			out[k] += centred[t] * centred[t-k]
		}
		if out[k] /= math.Sqrt(early * late); math.IsNaN(out[k]) {
			out[k] = 1 // nothing is left: not known to be small
		}
	}
	return out
}

// Resamples is the default number of them.
const Resamples = 2000

// MeanBlock is the default mean length of the bootstrap's blocks, in periods: the longest
// BlockLength of the tracks' returns and of their squares, as risk depends on the past
// longer than returns do.
func MeanBlock(tracks ...[]float64) float64 {
	longest := 0.0
	for _, returns := range tracks {
		squares := make([]float64, len(returns))
		for t, r := range returns {
			squares[t] = r * r
		}
		longest = max(longest, BlockLength(returns), BlockLength(squares))
	}
	return longest
}

// BootstrapSettings of [Bootstrap]. The zero value of each field means its
// default.
type BootstrapSettings struct {
	Resamples  int     // default [Resamples]
	MeanBlock  float64 // in periods, default [MeanBlock]
	Confidence float64 // that the interval should hold the true value; default 0.95
	// Circular takes blocks of MeanBlock periods, rounded, in place of geometric
	// lengths; the default is longer by the cube root of 3/2, which is best then.
	Circular bool
	Seed     uint64
}

// resolve fills in defaults for tracks of the given returns, and returns an error
// for what makes no sense.
func (s BootstrapSettings) resolve(tracks ...[]float64) (BootstrapSettings, error) {
	if s.Resamples == 0 {
		s.Resamples = Resamples
	}
	if s.Confidence == 0 {
		s.Confidence = 0.95
	}
	if s.MeanBlock == 0 {
		if s.MeanBlock = MeanBlock(tracks...); s.Circular {
			s.MeanBlock = math.Round(s.MeanBlock * math.Cbrt(1.5))
		}
	}
	switch {
	case s.Resamples < 2:
		return s, wrong("resamples", fmt.Sprint(s.Resamples), "at least 2, better 1000")
	case !(s.Confidence > 0 && s.Confidence < 1):
		return s, wrong("confidence", fmt.Sprint(s.Confidence), "a number between 0 and 1, such as 0.95")
	case !(s.MeanBlock >= 1) || math.IsInf(s.MeanBlock, 0):
		return s, wrong("mean block", fmt.Sprint(s.MeanBlock), "at least 1 period")
	}
	return s, nil
}

// indices fills dst with the periods of resample i of n.
func (s BootstrapSettings) indices(dst []int, n, i int) {
	rng := stream.New(s.Seed, "metrics.bootstrap", uint64(i))
	if s.Circular {
		CircularIndices(dst, n, int(math.Round(s.MeanBlock)), rng)
		return
	}
	StationaryIndices(dst, n, s.MeanBlock, rng)
}

// Interval is a statistic with its uncertainty.
type Interval struct {
	Estimate  float64 // of the returns themselves
	Low, High float64 // the percentile interval
	StdErr    float64 // standard deviation over the resamples
	MeanBlock float64 // used, in periods
}

// Bootstrap returns an interval for a statistic of returns (T), whose serial
// dependence the stationary bootstrap keeps. The statistic gets T resampled
// returns, may reorder them, and is called from several goroutines at once.
// Resample i draws from stream (Seed, "metrics.bootstrap", i), so the result
// doesn't depend on the number of cores.
//
// It returns [metrics.ErrTooShort], a [*metrics.SettingsError], the context's error, and an
// error when the statistic is NaN for the returns or a resample.
func Bootstrap(ctx context.Context, returns []float64, statistic func(returns []float64) float64,
	settings BootstrapSettings) (Interval, error) {
	if len(returns) < 2 {
		return Interval{}, metrics.ErrTooShort
	}
	s, err := settings.resolve(returns)
	if err != nil {
		return Interval{}, err
	}
	values, err := resampled(ctx, returns, statistic, s)
	if err != nil {
		return Interval{}, err
	}
	out := Interval{Estimate: statistic(slices.Clone(returns)), MeanBlock: s.MeanBlock}
	out.Low, out.High, out.StdErr = Percentiles(values, s.Confidence)
	if math.IsNaN(out.Estimate) || math.IsNaN(out.StdErr) {
		return Interval{}, errors.New("statistic is undefined or infinite for the returns or a resample of them: " +
			"it has no interval")
	}
	return out, nil
}

// resampled returns the statistic of each resample.
func resampled(ctx context.Context, returns []float64, statistic func([]float64) float64,
	s BootstrapSettings) ([]float64, error) {
	values := make([]float64, s.Resamples)
	type memory struct {
		indices []int
		sample  []float64
	}
	workers := make([]memory, parallel.Workers(s.Resamples))
	for i := range workers {
		workers[i] = memory{make([]int, len(returns)), make([]float64, len(returns))}
	}
	err := parallel.For(ctx, s.Resamples, func(worker, i int) error {
		m := &workers[worker]
		s.indices(m.indices, len(returns), i)
		for k, t := range m.indices {
			m.sample[k] = returns[t]
		}
		values[i] = statistic(m.sample)
		return nil
	})
	return values, err
}

// Draws are statistics of several tracks over resamples that all tracks share, so
// that what periods have in common stays, and differences can be judged.
type Draws struct {
	MeanBlock float64 // used, in periods
	// Values are resamples x (tracks * statistics), those of the first track
	// first; NaN where one is undefined.
	Values *mat.Dense
}

// BootstrapTracks computes statistics of N tracks (T x N, a column each) over
// resamples of their periods, by the settings of [Bootstrap]; the default mean
// block is the longest of the tracks'. statistics writes count numbers for one
// resampled track, which it may reorder, and is called from several goroutines at
// once. Resamples are those of [Bootstrap] with the same seed and block.
//
// It returns [metrics.ErrTooShort], a [*metrics.SettingsError] and the context's error.
func BootstrapTracks(ctx context.Context, returns *mat.Dense, count int, statistics func(dst, returns []float64),
	settings BootstrapSettings) (*Draws, error) {
	periods, tracks := returns.Dims()
	if periods < 2 {
		return nil, metrics.ErrTooShort
	}
	columns := make([][]float64, tracks)
	for k := range columns {
		columns[k] = mat.Col(nil, k, returns)
	}
	s, err := settings.resolve(columns...)
	if err != nil {
		return nil, err
	}
	type memory struct {
		indices []int
		sample  []float64
	}
	workers := make([]memory, parallel.Workers(s.Resamples))
	for i := range workers {
		workers[i] = memory{make([]int, periods), make([]float64, periods)}
	}
	draws := &Draws{MeanBlock: s.MeanBlock, Values: mat.NewDense(s.Resamples, tracks*count, nil)}
	err = parallel.For(ctx, s.Resamples, func(worker, i int) error {
		m, row := &workers[worker], draws.Values.RawRowView(i)
		s.indices(m.indices, periods, i)
		for k, column := range columns {
			for t, from := range m.indices {
				m.sample[t] = column[from]
			}
			statistics(row[k*count:(k+1)*count], m.sample)
		}
		return nil
	})
	return draws, err
}

// Percentiles returns the percentile interval that holds a share of the values,
// and their standard deviation; values are reordered. All are NaN where a value
// is.
func Percentiles(values []float64, confidence float64) (low, high, deviation float64) {
	mean := 0.0
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		deviation += (v - mean) * (v - mean)
	}
	deviation = math.Sqrt(deviation / float64(len(values)-1))
	if math.IsNaN(deviation) {
		return deviation, deviation, deviation
	}
	slices.Sort(values)
	return quantile(values, (1-confidence)/2), quantile(values, (1+confidence)/2), deviation
}

// quantile interpolates linearly between sorted values.
func quantile(sorted []float64, p float64) float64 {
	position := p * float64(len(sorted)-1)
	below := int(position)
	if below+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[below] + (position-float64(below))*(sorted[below+1]-sorted[below])
}
