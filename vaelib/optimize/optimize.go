package optimize

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/qp"
	"vaefolio/vaelib/simplex"
)

// Objective names what is optimised.
type Objective string

// The objectives: the package comment defines them.
const (
	MinVariance        Objective = "min-variance"
	MeanVariance       Objective = "mean-variance"
	MinTrackingError   Objective = "min-tracking-error"
	MaxSharpe          Objective = "max-sharpe"
	MaxDiversification Objective = "max-diversification"
	RiskParity         Objective = "risk-parity"
	RiskBudget         Objective = "risk-budget"
	InverseVolatility  Objective = "inverse-volatility"
	HRP                Objective = "hrp"
	MinCVaR            Objective = "min-cvar"
	MaxMin             Objective = "max-min"
	EqualWeight        Objective = "equal-weight"
)

// Objectives lists all names.
func Objectives() []Objective {
	return []Objective{MinVariance, MeanVariance, MinTrackingError, MaxSharpe, MaxDiversification,
		RiskParity, RiskBudget, InverseVolatility, HRP, MinCVaR, MaxMin, EqualWeight}
}

// Inputs are the data and the options of a solve. Means, covariances, returns
// and rates are per period. Which data an objective needs is in brackets; what
// it doesn't need may be nil, and is ignored.
type Inputs struct {
	Set     simplex.Set
	Mean    []float64     // n [mean-variance, max-sharpe]
	Cov     *mat.SymDense // n x n, positive semidefinite [all but min-cvar and max-min; those use it if given]
	Returns *mat.Dense    // T x n, simple [min-cvar, max-min]

	RiskAversion float64   // lambda of mean-variance; 0 maximises the mean alone
	TargetReturn *float64  // least mean: mean-variance then minimises the variance
	RiskFree     float64   // rf of max-sharpe
	Level        float64   // of min-cvar; 0 means 0.95
	Budgets      []float64 // n, of risk-budget; positive or 0, any sum above 0
	Benchmark    []float64 // n, b of min-tracking-error
	Index        *Index    // what min-tracking-error stays close to instead, where it has no weights
	Linkage      Linkage   // of hrp; "" means single
	LeafOrder    LeafOrder // of hrp; "" means scipy

	// TurnoverCharge is what a unit of turnover, sum |w - Previous|, costs in the
	// objective's units, for min-variance, mean-variance and min-tracking-error. It makes
	// trading dear; [simplex.Set].Turnover limits it.
	TurnoverCharge float64
	Previous       []float64 // n

	// MinVarianceFallback makes max-sharpe return the minimum-variance
	// portfolio, and say so, where no feasible mean exceeds RiskFree.
	MinVarianceFallback bool
	// Project makes the closed procedures project what breaks the set onto
	// it, and say so, instead of failing; sets with short positions pass too.
	Project bool
	// MaxAssets is how many assets may be held at most; 0 means any number.
	MaxAssets int
	// MaxNodes bounds the branch and bound for a minimum weight or MaxAssets; 0
	// means 20,000.
	MaxNodes int
}

// Index is a benchmark that is known by its returns alone.
type Index struct {
	Cov      []float64 // n: its covariance with each asset, by the estimate that Inputs.Cov is of
	Variance float64
}

// Result of a solve. A result of a [Solver] belongs to it and is overwritten
// by its next solve.
type Result struct {
	Weights    []float64 // n; constraint violation at most 1e-12
	Value      float64   // see the package comment; the charge for turnover is not in it
	Charge     float64   // for turnover, in the unit of Value; 0 without
	Status     string    // "optimal", or "node limit" where branch and bound stopped early
	Iterations int
	Nodes      int // of the branch and bound; 0 where nothing is to be decided
	// KKT is the residual of the optimality conditions relative to the
	// gradient's size, see [qp.Result]; 0 for closed procedures. Where it was to
	// be decided which assets are held, it is that on the chosen support.
	KKT float64
	// Gap bounds how much better the optimum can be, in units of Value: of
	// the cutting planes, or of the branch and bound.
	Gap   float64
	Notes []string // what the caller should be told
}

// UnsupportedError says that an objective makes no sense under a constraint.
type UnsupportedError struct {
	Objective Objective
	Reason    string
}

func (e *UnsupportedError) Error() string { return fmt.Sprintf("%s %s", e.Objective, e.Reason) }

// NoExcessError says that no feasible portfolio's mean exceeds the risk-free
// rate, so that there is no largest Sharpe ratio.
type NoExcessError struct {
	Best     float64 // largest feasible mean per period
	RiskFree float64 // per period
}

func (e *NoExcessError) Error() string {
	return fmt.Sprintf(
		"max-sharpe is not defined: the largest feasible mean, %.6g a period, doesn't exceed the risk-free rate of "+
			"%.6g; use min-variance, or loosen the constraints", e.Best, e.RiskFree)
}

// Solve solves one problem with memory of its own. Its errors are those of
// missing or impossible data, [*simplex.InfeasibleError] or another error of
// Set.Check for an empty set, [*InfeasibleTargetError], [*NoExcessError],
// [*UnsupportedError], [ErrNoVariance], and the context's.
func Solve(ctx context.Context, objective Objective, in *Inputs) (*Result, error) {
	return new(Solver).Solve(ctx, objective, in)
}

// Solver solves one problem after another in the same memory. The zero value
// is ready for use; use one per goroutine.
type Solver struct {
	qp       qp.Solver
	problem  qp.Problem
	settings qp.Settings
	rows     rows
	c        []float64
	lower    []float64
	upper    []float64
	h        []float64 // of problems with more variables than assets
	hessian  mat.SymDense
	work     []float64
	start    []bool // n, a support for branch and bound to begin with; nil: none
	risk     riskSpace
	cluster  clusterSpace
	result   Result
}

// Solve solves as the function [Solve] does, in the solver's memory. The
// result belongs to the solver until its next solve.
func (s *Solver) Solve(ctx context.Context, objective Objective, in *Inputs) (*Result, error) {
	if err := in.check(objective); err != nil {
		return nil, err
	}
	n := in.Set.N
	s.result = Result{Weights: resize(s.result.Weights, n), Status: optimal, Notes: s.result.Notes[:0]}
	if err := s.prepare(ctx, objective, in); err != nil {
		return nil, err
	}
	var err error
	switch objective {
	case MinVariance, MeanVariance, MinTrackingError:
		err = s.quadratic(ctx, objective, in)
	case MaxSharpe:
		err = s.maxSharpe(ctx, in)
	case MaxDiversification:
		err = s.maxDiversification(ctx, in)
	case MinCVaR:
		err = s.minCVaR(ctx, in)
	case MaxMin:
		err = s.maxMin(ctx, in)
	default:
		err = s.closed(objective, in)
	}
	if err != nil {
		return nil, err
	}
	if err := s.settle(objective, in); err != nil {
		return nil, err
	}
	s.result.Value, s.result.Charge = s.value(objective, in), s.charge(in)
	if math.IsNaN(s.result.Value) || math.IsInf(s.result.Value, 0) {
		return nil, ErrNoVariance // a ratio to nothing
	}
	return &s.result, nil
}

// optimal is the status of a result that is one.
const optimal = "optimal"

// resize returns v with length n; its contents are not kept.
func resize[T any](v []T, n int) []T {
	if cap(v) < n {
		return make([]T, n)
	}
	return v[:n]
}

// check says what is missing or impossible. Shapes that don't match are the
// caller's mistake and panic.
func (in *Inputs) check(objective Objective) error {
	n := in.Set.N
	if !slices.Contains(Objectives(), objective) {
		names := make([]string, 0, len(Objectives()))
		for _, o := range Objectives() {
			names = append(names, string(o))
		}
		return fmt.Errorf("unknown objective %q: choose one of %s", objective, strings.Join(names, ", "))
	}
	if n < 1 {
		return errors.New("the constraint set has no assets")
	}
	for _, v := range [][]float64{in.Set.Lower, in.Set.Upper, in.Mean, in.Budgets, in.Benchmark, in.Previous} {
		if v != nil && len(v) != n {
			panic("optimize: a vector's length isn't the number of assets")
		}
	}
	for _, g := range in.Set.Groups {
		if len(g.Share) != n {
			panic("optimize: a group's length isn't the number of assets")
		}
	}
	if in.Index != nil && len(in.Index.Cov) != n {
		panic("optimize: the index has covariances with another number of assets")
	}
	if in.Cov != nil && in.Cov.SymmetricDim() != n {
		panic("optimize: the covariance's size isn't the number of assets")
	}
	if in.Returns != nil {
		if _, columns := in.Returns.Dims(); columns != n {
			panic("optimize: the returns' columns aren't the number of assets")
		}
	}
	if what, given := in.needed(objective); !given {
		return fmt.Errorf("%s needs %s", objective, what)
	}
	if err := in.checkNumbers(objective); err != nil {
		return err
	}
	return in.finite(objective)
}

// needed names the data that an objective is computed from, and says whether
// they are there.
func (in *Inputs) needed(objective Objective) (what string, given bool) {
	switch objective {
	case MinCVaR, MaxMin:
		return "returns", in.Returns != nil
	case MeanVariance, MaxSharpe:
		return "means and a covariance matrix", in.Mean != nil && in.Cov != nil
	case MinTrackingError:
		return "a benchmark's weights, or its covariances, and a covariance matrix",
			(in.Benchmark != nil) != (in.Index != nil) && in.Cov != nil
	case RiskBudget:
		return "budgets and a covariance matrix", in.Budgets != nil && in.Cov != nil
	case EqualWeight:
		return "", true
	}
	return "a covariance matrix", in.Cov != nil
}

// checkNumbers looks at the numbers that the objective is asked with.
func (in *Inputs) checkNumbers(objective Objective) error {
	if in.TurnoverCharge != 0 {
		switch {
		case objective != MinVariance && objective != MeanVariance && objective != MinTrackingError:
			return &UnsupportedError{objective, "takes no charge for turnover: use min-variance or mean-variance"}
		case !(in.TurnoverCharge > 0) || math.IsInf(in.TurnoverCharge, 0):
			return fmt.Errorf("a charge for turnover of %v: it must be positive and finite", in.TurnoverCharge)
		case in.Previous == nil:
			return errors.New("a charge for turnover needs the previous weights")
		}
	}
	if !(in.RiskAversion >= 0) || math.IsInf(in.RiskAversion, 0) {
		return fmt.Errorf("a risk aversion of %v: it must be finite and not negative", in.RiskAversion)
	}
	if extreme := 1e100; in.RiskAversion > 0 && (in.RiskAversion < 1/extreme || in.RiskAversion > extreme) {
		return fmt.Errorf("a risk aversion of %v: give 0 for the largest mean, or minimise the variance alone",
			in.RiskAversion)
	}
	if in.Level != 0 && !(in.Level > 0 && in.Level < 1) {
		return fmt.Errorf("a level of %v: it must lie between 0 and 1", in.Level)
	}
	if math.IsNaN(in.RiskFree) || math.IsInf(in.RiskFree, 0) {
		return fmt.Errorf("a risk-free rate of %v", in.RiskFree)
	}
	if in.TargetReturn != nil && (math.IsNaN(*in.TargetReturn) || math.IsInf(*in.TargetReturn, 0)) {
		return fmt.Errorf("a target return of %v", *in.TargetReturn)
	}
	return nil
}

// finite finds data that aren't numbers.
func (in *Inputs) finite(objective Objective) error {
	bad := func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }
	for j, v := range in.Mean {
		if bad(v) {
			return fmt.Errorf("the mean of %s is %v", in.symbol(j), v)
		}
	}
	if in.Cov != nil {
		raw := in.Cov.RawSymmetric()
		for i := range raw.N {
			for j, v := range raw.Data[i*raw.Stride+i : i*raw.Stride+raw.N] {
				if bad(v) {
					return fmt.Errorf("the covariance of %s and %s is %v", in.symbol(i), in.symbol(i+j), v)
				}
			}
			if v := raw.Data[i*raw.Stride+i]; v < 0 {
				return fmt.Errorf("the variance of %s is %v", in.symbol(i), v)
			}
		}
	}
	if objective == MinCVaR || objective == MaxMin {
		periods, n := in.Returns.Dims()
		for t := range periods {
			for j, v := range in.Returns.RawRowView(t)[:n] {
				if bad(v) {
					return fmt.Errorf("the return of %s in period %d is %v", in.symbol(j), t, v)
				}
			}
		}
	}
	if x := in.Index; x != nil && (slices.ContainsFunc(x.Cov, bad) || bad(x.Variance)) {
		return errors.New("a covariance of the index is no number")
	}
	for _, w := range [][]float64{in.Benchmark, in.Previous} {
		for j, v := range w {
			if bad(v) {
				return fmt.Errorf("the given weight of %s is %v", in.symbol(j), v)
			}
		}
	}
	return nil
}

// symbol names asset j.
func (in *Inputs) symbol(j int) string { return symbol(in.Set.Symbols, j) }

func symbol(symbols []string, j int) string {
	if j < len(symbols) {
		return symbols[j]
	}
	return fmt.Sprintf("asset %d", j)
}

// value computes what Result.Value means for the final weights.
func (s *Solver) value(objective Objective, in *Inputs) float64 {
	w := s.result.Weights
	switch objective {
	case MeanVariance:
		if in.TargetReturn == nil {
			return dot(in.Mean, w) - in.RiskAversion/2*variance(in.Cov, w)
		}
	case MinTrackingError:
		if in.Index != nil {
			return max(0, variance(in.Cov, w)-2*dot(in.Index.Cov, w)+in.Index.Variance)
		}
		s.work = resize(s.work, len(w))
		for j := range w {
			s.work[j] = w[j] - in.Benchmark[j]
		}
		return variance(in.Cov, s.work)
	case MaxSharpe:
		return (dot(in.Mean, w) - in.RiskFree) / math.Sqrt(variance(in.Cov, w))
	case MaxDiversification:
		var sum float64
		for j, v := range w {
			sum += v * math.Sqrt(in.Cov.At(j, j))
		}
		return sum / math.Sqrt(variance(in.Cov, w))
	case RiskParity, RiskBudget:
		return s.budgetError(objective, in)
	case MinCVaR:
		return s.cvar(in, w)
	case MaxMin:
		return worst(in.Returns, w)
	}
	if in.Cov == nil {
		return 0
	}
	return variance(in.Cov, w)
}

// charge is what the turnover to the final weights costs.
func (s *Solver) charge(in *Inputs) float64 {
	if in.TurnoverCharge == 0 {
		return 0
	}
	var sum float64
	for j, v := range s.result.Weights {
		sum += math.Abs(v - in.Previous[j])
	}
	return in.TurnoverCharge * sum
}

func dot(a, b []float64) float64 {
	var sum float64
	for j, v := range a {
		sum += v * b[j]
	}
	return sum
}

// variance is w'Sw.
func variance(cov *mat.SymDense, w []float64) float64 {
	raw := cov.RawSymmetric()
	var sum float64
	for i, v := range w {
		if v == 0 {
			continue
		}
		row := raw.Data[i*raw.Stride : i*raw.Stride+len(w)]
		part := v * row[i] / 2
		for j := i + 1; j < len(w); j++ {
			part += row[j] * w[j]
		}
		sum += v * part
	}
	return 2 * sum
}
