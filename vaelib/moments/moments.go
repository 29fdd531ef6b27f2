package moments

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/gonum/mat"
)

// Names of the estimators.
const (
	Sample              = "sample"
	EWMA                = "ewma"
	LedoitWolf          = "ledoit-wolf"
	ConstantCorrelation = "constant-correlation"
)

// Names returns the estimators' names, the default first.
func Names() []string { return []string{Sample, EWMA, LedoitWolf, ConstantCorrelation} }

// DefaultDecay is the weight of a period relative to the next one in the
// exponentially weighted covariance: RiskMetrics' value for daily data (J.P.
// Morgan 1996, "RiskMetrics technical document", section 5.3).
const DefaultDecay = 0.94

// Moments are a mean and a covariance per period, and how they were made.
type Moments struct {
	Name      string        // the estimator, with its parameter where one was given
	Periods   int           // T, the number of returns they rest on
	Mean      []float64     // n, per period
	Cov       *mat.SymDense // n x n, per period
	Shrinkage float64       // in [0, 1]; 0 for estimators that don't shrink
}

// ErrTooShort is the error for fewer than 2 periods of returns.
var ErrTooShort = errors.New("fewer than 2 returns: means and covariances need at least 2 periods")

// NameError is an estimator that there is none of, or a parameter that it
// doesn't take.
type NameError struct{ Name, Problem string }

func (e *NameError) Error() string {
	return fmt.Sprintf("covariance %q %s", e.Name, e.Problem)
}

// limit is the size up to which returns are believed: far above any real one,
// and low enough that no fourth power overflows.
const limit = 1e15

// ReturnError is a return that is NaN or beyond 1e15 in size.
type ReturnError struct {
	Period, Asset int // row and column, from 0
	Value         float64
}

func (e *ReturnError) Error() string {
	return fmt.Sprintf(
		"return of asset %d in period %d (both from 0) is %v: choose a window in which every asset has a price",
		e.Asset, e.Period, e.Value)
}

// FlatError is an asset whose return never changes, given to an estimator that
// needs its correlations.
type FlatError struct{ Asset int }

func (e *FlatError) Error() string {
	return fmt.Sprintf(
		"asset %d (from 0) has the same return in every period and so no correlation: leave it out or use ledoit-wolf",
		e.Asset)
}

// Estimate returns the mean (always the sample's) and the covariance by the
// named estimator of returns (T x n, simple, per period). It returns
// [ErrTooShort], a [*NameError], a [*ReturnError] or a [*FlatError].
func Estimate(name string, returns *mat.Dense) (*Moments, error) {
	estimate, err := parse(name)
	if err != nil {
		return nil, err
	}
	if err := check(returns); err != nil {
		return nil, err
	}
	mean := Mean(returns)
	cov, shrinkage, err := estimate(returns, mean)
	if err != nil {
		return nil, err
	}
	periods, _ := returns.Dims()
	return &Moments{Name: name, Periods: periods, Mean: mean, Cov: cov, Shrinkage: shrinkage}, nil
}

// flat is the shrinkage from which next to nothing of the sample is left.
const flat = 0.95

// outstanding is the share of all squared returns from which one of them is to blame.
const outstanding = 0.2

// Warning says in one line where Ledoit-Wolf's shrinkage has left next to
// nothing of the sample's covariance, 5 % or less: what remains is one variance
// for all and no correlation, whose minimum variance and risk parity are equal
// weights. One return far above the others does that, since the noise is
// measured by fourth powers; it is named, if there is one. Other estimates have no warning. The
// returns (T x n) are those that the estimate rests on, of the symbols (n) in
// the periods that end at times (T).
func (m *Moments) Warning(returns *mat.Dense, symbols []string, times []time.Time) string {
	if kind, _, given := strings.Cut(m.Name, ":"); kind != LedoitWolf || given || m.Shrinkage < flat {
		return ""
	}
	var largest, sum, value float64
	period, asset := 0, 0
	for t := range m.Periods {
		for j, r := range returns.RawRowView(t) {
			square := (r - m.Mean[j]) * (r - m.Mean[j])
			if sum += square; square > largest {
				largest, period, asset, value = square, t, j, r
			}
		}
	}
	text := fmt.Sprintf("the Ledoit-Wolf shrinkage is %.2g, so that minimum variance, risk parity and their like are "+
		"next to equal weights: ", m.Shrinkage)
	if largest < outstanding*sum {
		return text + "the returns tell no asset from another: take more periods, or another -covariance"
	}
	return text + fmt.Sprintf("%s on %s, %+.0f %%, is %.0f %% of all squared returns: take another -covariance, or "+
		"leave it out", symbols[asset], times[period].Format(time.DateOnly), 100*value,
		100*largest/max(sum, math.SmallestNonzeroFloat64))
}

// Covariance is [Estimate] for callers that want the covariance alone, with
// its shrinkage.
func Covariance(name string, returns *mat.Dense) (cov *mat.SymDense, shrinkage float64, err error) {
	m, err := Estimate(name, returns)
	if err != nil {
		return nil, 0, err
	}
	return m.Cov, m.Shrinkage, nil
}

// CheckName says whether [Estimate] knows the name and its parameter: nil or a
// [*NameError]. Flags are checked by it before any work.
func CheckName(name string) error {
	_, err := parse(name)
	return err
}

// Mean returns the mean of each column of returns (T x n).
func Mean(returns *mat.Dense) []float64 {
	periods, n := returns.Dims()
	mean := make([]float64, n)
	for t := range periods {
		for j, r := range returns.RawRowView(t) {
			mean[j] += r
		}
	}
	for j := range mean {
		mean[j] /= float64(periods)
	}
	return mean
}

// Decay is the decay of the exponentially weighted covariance at which a
// return counts half after halfLife periods.
func Decay(halfLife float64) float64 { return math.Exp2(-1 / halfLife) }

// estimator makes a covariance of checked returns with a known mean.
type estimator func(returns *mat.Dense, mean []float64) (cov *mat.SymDense, shrinkage float64, err error)

// parse turns a name with an optional parameter into its estimator.
func parse(name string) (estimator, error) {
	kind, parameter, given := strings.Cut(name, ":")
	if !slices.Contains(Names(), kind) {
		return nil, &NameError{name, "is unknown: choose one of " + strings.Join(Names(), ", ")}
	}
	if kind == Sample {
		if given {
			return nil, &NameError{name, "takes no parameter: write sample"}
		}
		return sample, nil
	}
	value := math.NaN() // shrinkage to be estimated
	if kind == EWMA {
		value = DefaultDecay
	}
	if given {
		text, halfLife := strings.CutPrefix(parameter, "half-life=")
		var err error
		if value, err = strconv.ParseFloat(text, 64); err != nil {
			return nil, &NameError{name, "has a parameter that is not a number"}
		}
		if halfLife {
			if kind != EWMA {
				return nil, &NameError{name, "has a half-life, which only ewma has"}
			}
			value = Decay(value)
		}
	}
	if kind == EWMA {
		if !(value >= 0.5 && value < 1) {
			return nil, &NameError{name, "has a decay outside [0.5, 1), a half-life below 1 period or beyond float64"}
		}
		return func(returns *mat.Dense, _ []float64) (*mat.SymDense, float64, error) {
			return weighted(returns, value), 0, nil
		}, nil
	}
	if given && !(value >= 0 && value <= 1) {
		return nil, &NameError{name, "has a shrinkage outside [0, 1]"}
	}
	target := identityTarget
	if kind == ConstantCorrelation {
		target = correlationTarget
	}
	return func(returns *mat.Dense, mean []float64) (*mat.SymDense, float64, error) {
		return shrunk(returns, mean, target, value)
	}, nil
}

// check refuses returns that have no moments.
func check(returns *mat.Dense) error {
	periods, _ := returns.Dims()
	if periods < 2 {
		return ErrTooShort
	}
	for t := range periods {
		for j, r := range returns.RawRowView(t) {
			if !(math.Abs(r) <= limit) {
				return &ReturnError{Period: t, Asset: j, Value: r}
			}
		}
	}
	return nil
}
