package universe

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/moments"
)

// Universe is a set of assets over one stretch of time: what a model over sets is
// told of them.
type Universe struct {
	Symbols []string // n; nil where they have none
	Mean    []float64
	Cov     *mat.SymDense // n x n, as Mean of simple returns per period
	Periods int           // that mean and covariance are of
	Cap     float64       // the largest weight of its portfolios, above 1/n
}

// New returns the universe of a window of returns (T x n) under a largest weight.
// It returns an error where [Universe.Check] does.
func New(symbols []string, returns *mat.Dense, largest float64) (*Universe, error) {
	m, err := moments.Estimate(moments.Sample, returns)
	if err != nil {
		return nil, err
	}
	periods, _ := returns.Dims()
	u := &Universe{Symbols: symbols, Mean: m.Mean, Cov: m.Cov, Periods: periods, Cap: largest}
	return u, u.Check()
}

// Assets returns n.
func (u *Universe) Assets() int { return len(u.Mean) }

// Order returns the numbers of symbols in alphabetical order, which is that in which
// their assets are given to a model: what comes out then doesn't depend on the order
// of a file's columns, not even by roundings.
func Order(symbols []string) []int {
	order := make([]int, len(symbols))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(symbols[a], symbols[b]) })
	return order
}

// MaxAssets is the largest universe.
const MaxAssets = 1024

// Check returns an error for what is no universe: fewer than 2 assets or periods, a
// number that is not finite, an asset that does not move (a [*StillError]), or a largest weight with
// which no portfolio, or but one, sums to 1.
func (u *Universe) Check() error {
	n := len(u.Mean)
	switch {
	case n < 2 || n > MaxAssets:
		return fmt.Errorf("a universe of %d assets: it must have 2 to %d", n, MaxAssets)
	case u.Cov == nil || u.Cov.SymmetricDim() != n:
		return errors.New("a universe needs a covariance of as many assets as it has means")
	case u.Symbols != nil && len(u.Symbols) != n:
		return fmt.Errorf("%d symbols for %d assets", len(u.Symbols), n)
	case u.Periods < 2:
		return fmt.Errorf("a universe over %d periods: it needs at least 2", u.Periods)
	case !(float64(n)*u.Cap > 1 && u.Cap <= 1):
		return fmt.Errorf("a largest weight of %v for %d assets: it must be above 1/%d, with which nothing is left to "+
			"choose, and at most 1", u.Cap, n, n)
	}
	for i := range n {
		if v := u.Cov.At(i, i); !(v > 0) {
			return &StillError{Asset: u.name(i), Periods: u.Periods}
		}
		for j := range i + 1 {
			if v := u.Cov.At(i, j) + u.Mean[i]; math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("mean or covariance of %s is not a finite number", u.name(i))
			}
		}
	}
	return nil
}

// StillError says that an asset does not move, so that there is nothing to know of it.
type StillError struct {
	Asset   string
	Periods int
}

func (e *StillError) Error() string {
	return fmt.Sprintf("%s does not move in %d periods: leave it out, or take a longer window", e.Asset, e.Periods)
}

func (u *Universe) name(i int) string {
	if u.Symbols != nil {
		return u.Symbols[i]
	}
	return fmt.Sprintf("asset %d", i+1)
}
