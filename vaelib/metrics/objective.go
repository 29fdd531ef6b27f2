package metrics

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Objective is a figure to be made large, with its gradient. Neither method
// allocates. An Objective has working memory of its own: each goroutine needs
// a Clone.
//
// Where the figure is undefined, such as the Sharpe ratio of a constant, the
// value is -Inf and the gradient 0, so that no search ends there.
type Objective interface {
	// Value returns the objective at weights w (n).
	Value(w []float64) float64
	// Gradient writes the gradient with respect to w to dst (n) and returns the
	// value. It is the plain gradient in R^n, not projected onto sum w = 1. At
	// a kink (tied returns, two equal drawdowns) it is one of the subgradients.
	Gradient(dst, w []float64) float64
	// Clone returns an Objective with the same data and other memory.
	Clone() Objective
}

// Names of the objectives. Annual as in [Figures]; losses enter with a minus.
const (
	MaximizeSharpe          = "sharpe"          // annual
	MaximizeReturn          = "return"          // annual, arithmetic
	MinimizeVolatility      = "volatility"      // minus the annual volatility
	MaximizeDiversification = "diversification" // the diversification ratio
	MaximizeSortino         = "sortino"         // annual
	MinimizeCVaR            = "cvar"            // minus the CVaR per period
	MinimizeDrawdown        = "drawdown"        // minus the maximum drawdown
	MaximizeWorst           = "worst"           // the return of the worst period
)

// Objectives returns the names.
func Objectives() []string {
	return append(momentNames(), MaximizeSortino, MinimizeCVaR, MinimizeDrawdown, MaximizeWorst)
}

func momentNames() []string {
	return []string{MaximizeSharpe, MaximizeReturn, MinimizeVolatility, MaximizeDiversification}
}

// NewObjective returns the named objective over returns (T x n, simple, per
// period), which are not copied. Of the settings it reads all but Convention
// and Figures: formulas are the default ones. The objectives that need only
// mean and covariance (sharpe, return, volatility, diversification) take the
// sample's, divisor T-1, and cost O(n^2) a value; the others cost O(T n).
//
// It returns the errors of [NewEvaluator], and one for an unknown name.
func NewObjective(name string, returns *mat.Dense, settings Settings) (Objective, error) {
	settings.EnsureDefaults()
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	if err := checkReturns(returns); err != nil {
		return nil, err
	}
	periods, n := returns.Dims()
	path := func(evaluate pathFunc) (Objective, error) {
		return newPathObjective(returns, evaluate), nil
	}
	switch name {
	case MaximizeSortino:
		return path(sortino(periods, settings))
	case MinimizeCVaR:
		return path(conditional(newTail(periods, settings.Level, Default)))
	case MinimizeDrawdown:
		return path(drawdown)
	case MaximizeWorst:
		return path(worst)
	}
	if !slices.Contains(momentNames(), name) {
		return nil, fmt.Errorf("objective %q is unknown: choose one of %s", name, strings.Join(Objectives(), ", "))
	}
	mean, _, _ := assetMoments(returns)
	centred := mat.NewDense(periods, n, nil)
	for t := range periods {
		floats.SubTo(centred.RawRowView(t), returns.RawRowView(t), mean)
	}
	cov := mat.NewSymDense(n, nil)
	cov.SymOuterK(1/float64(periods-1), centred.T())
	return NewMomentObjective(name, mean, cov, settings)
}

// NewMomentObjective returns one of the objectives sharpe, return, volatility
// and diversification of a given mean (n) and covariance (n x n), both per
// period.
func NewMomentObjective(name string, mean []float64, cov *mat.SymDense, settings Settings) (Objective, error) {
	settings.EnsureDefaults()
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	n := cov.SymmetricDim()
	if len(mean) != n {
		return nil, &AssetsError{Got: len(mean), Want: n}
	}
	o := &momentObjective{
		mean:     mean,
		cov:      make([]float64, n*n),
		sigma:    make([]float64, n),
		years:    settings.PeriodsPerYear,
		riskFree: settings.RiskFree,
		product:  make([]float64, n),
	}
	for i := range n {
		o.sigma[i] = math.Sqrt(cov.At(i, i))
		for j := range n {
			o.cov[i*n+j] = cov.At(i, j)
		}
	}
	var known bool
	if o.kind, known = map[string]momentFunc{
		MaximizeSharpe:          (*momentObjective).sharpe,
		MaximizeReturn:          (*momentObjective).annualReturn,
		MinimizeVolatility:      (*momentObjective).volatility,
		MaximizeDiversification: (*momentObjective).diversification,
	}[name]; !known {
		return nil, fmt.Errorf("objective %q does not follow from mean and covariance: choose one of %s",
			name, strings.Join(momentNames(), ", "))
	}
	return o, nil
}

// momentObjective is a function of mean and covariance.
type momentObjective struct {
	kind            momentFunc
	mean, sigma     []float64 // n
	cov             []float64 // n x n
	years, riskFree float64
	product         []float64 // n: cov w of the last call
}

// momentFunc returns the value, and writes the gradient to dst unless it is
// nil.
type momentFunc func(o *momentObjective, dst, w []float64) float64

func (o *momentObjective) Value(w []float64) float64         { return o.kind(o, nil, w) }
func (o *momentObjective) Gradient(dst, w []float64) float64 { return o.kind(o, dst, w) }

func (o *momentObjective) Clone() Objective {
	c := *o
	c.product = make([]float64, len(o.product))
	return &c
}

// deviation returns the standard deviation per period at w, 0 where it is
// rounding and no more, and leaves cov w in o.product.
func (o *momentObjective) deviation(w []float64) float64 {
	var variance, size float64
	for i, v := range w {
		o.product[i] = floats.Dot(o.cov[i*len(w):(i+1)*len(w)], w)
		variance += v * o.product[i]
		size += math.Abs(v) * o.sigma[i]
	}
	if !(variance > flatness*flatness*size*size) {
		return 0
	}
	return math.Sqrt(variance)
}

func (o *momentObjective) sharpe(dst, w []float64) float64 {
	std := o.deviation(w)
	if std == 0 {
		return undefined(dst)
	}
	root := math.Sqrt(o.years)
	value := (floats.Dot(o.mean, w)*o.years - o.riskFree) / (std * root)
	for i := range dst {
		dst[i] = root*o.mean[i]/std - value*o.product[i]/(std*std)
	}
	return value
}

func (o *momentObjective) annualReturn(dst, w []float64) float64 {
	for i := range dst {
		dst[i] = o.mean[i] * o.years
	}
	return floats.Dot(o.mean, w) * o.years
}

func (o *momentObjective) volatility(dst, w []float64) float64 {
	std, root := o.deviation(w), math.Sqrt(o.years)
	for i := range dst {
		dst[i] = 0 // the smallest volatility there is: a kink
		if std > 0 {
			dst[i] = -root * o.product[i] / std
		}
	}
	return -std * root
}

func (o *momentObjective) diversification(dst, w []float64) float64 {
	std := o.deviation(w)
	if std == 0 {
		return undefined(dst)
	}
	value := floats.Dot(o.sigma, w) / std
	for i := range dst {
		dst[i] = o.sigma[i]/std - value*o.product[i]/(std*std)
	}
	return value
}

func undefined(dst []float64) float64 {
	clear(dst)
	return math.Inf(-1)
}

// pathObjective is a function of the portfolio's returns y = R w. Its gradient
// is R' dv/dy.
type pathObjective struct {
	returns  *mat.Dense
	evaluate pathFunc
	y        []float64 // T
	slope    []float64 // T: dv/dy
	work     []float64 // T
}

// pathFunc returns the value at returns y, and writes its derivatives to slope
// unless that is nil. The work slice is as long as y.
type pathFunc func(slope, y, work []float64) float64

func newPathObjective(returns *mat.Dense, evaluate pathFunc) *pathObjective {
	periods, _ := returns.Dims()
	return &pathObjective{
		returns:  returns,
		evaluate: evaluate,
		y:        make([]float64, periods),
		slope:    make([]float64, periods),
		work:     make([]float64, periods),
	}
}

func (o *pathObjective) Clone() Objective { return newPathObjective(o.returns, o.evaluate) }

func (o *pathObjective) Value(w []float64) float64 {
	for t := range o.y {
		o.y[t] = floats.Dot(o.returns.RawRowView(t), w)
	}
	return o.evaluate(nil, o.y, o.work)
}

func (o *pathObjective) Gradient(dst, w []float64) float64 {
	for t := range o.y {
		o.y[t] = floats.Dot(o.returns.RawRowView(t), w)
	}
	clear(o.slope)
	value := o.evaluate(o.slope, o.y, o.work)
	clear(dst)
	for t, s := range o.slope {
		if s != 0 {
			floats.AddScaled(dst, s, o.returns.RawRowView(t))
		}
	}
	return value
}

// sortino is the Sortino ratio: with m the mean, k the target per period and d
// the downside deviation, v = (m-k)/d sqrt(A).
func sortino(periods int, s Settings) pathFunc {
	target, root, count := s.MAR/s.PeriodsPerYear, math.Sqrt(s.PeriodsPerYear), float64(periods)
	return func(slope, y, _ []float64) float64 {
		var gain, downside float64
		for _, r := range y {
			gain += r - target
			short := min(r-target, 0)
			downside += short * short
		}
		if downside == 0 {
			return math.Inf(-1)
		}
		deviation := math.Sqrt(downside / count)
		value := gain / count / deviation * root
		for t := range slope {
			slope[t] = root/(count*deviation) - value*min(y[t]-target, 0)/downside
		}
		return value
	}
}

// conditional is minus the CVaR. Returns that tie at the edge of the tail
// share what is left of it equally, so that their order doesn't matter.
func conditional(q tail) pathFunc {
	return func(slope, y, work []float64) float64 {
		copy(work, y)
		selectSmallest(work, q.k)
		edge := work[q.k-1]
		var sum float64
		below, ties := 0, 0
		for _, r := range y {
			switch {
			case r < edge:
				sum += r
				below++
			case r == edge:
				ties++
			}
		}
		left := q.mass - float64(below)
		for t := range slope {
			switch {
			case y[t] < edge:
				slope[t] = 1 / q.mass
			case y[t] == edge:
				slope[t] = left / float64(ties) / q.mass
			}
		}
		return (sum + left*edge) / q.mass
	}
}

// drawdown is minus the largest drawdown: trough/peak - 1, whose derivative by
// a return between the two is trough/peak / (1 + that return).
func drawdown(slope, y, _ []float64) float64 {
	wealth, highest, ratio := 1.0, 1.0, 1.0
	peak, from, to := 0, 0, 0
	for t, r := range y {
		wealth *= 1 + r
		switch {
		case wealth < 0:
			return math.Inf(-1)
		case wealth > highest:
			highest, peak = wealth, t+1
		case wealth < ratio*highest:
			ratio, from, to = wealth/highest, peak, t+1
		}
	}
	if slope != nil && ratio > 0 {
		for t := from; t < to; t++ {
			slope[t] = ratio / (1 + y[t])
		}
	}
	return ratio - 1
}

// worst is the smallest return, the first of several.
func worst(slope, y, _ []float64) float64 {
	lowest := 0
	for t, r := range y {
		if r < y[lowest] {
			lowest = t
		}
	}
	if slope != nil {
		slope[lowest] = 1
	}
	return y[lowest]
}
