package optimize

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
)

// closed runs the procedures that know no constraints.
func (s *Solver) closed(objective Objective, in *Inputs) error {
	for j := range in.Set.N {
		if lower, _ := bounds(&in.Set, j); lower < 0 && !in.Project {
			return &UnsupportedError{objective,
				"gives no short positions: use a lower bound of at least 0, or ask for the projection"}
		}
	}
	n := in.Set.N
	w := s.result.Weights
	switch objective {
	case RiskParity, RiskBudget:
		return s.riskBudget(objective, in)
	case HRP:
		return s.hrp(in)
	case InverseVolatility:
		var sum float64
		for j := range w {
			v := in.Cov.At(j, j)
			if v == 0 {
				return fmt.Errorf("inverse-volatility isn't defined: %s has no variance: leave it out", in.symbol(j))
			}
			w[j] = 1 / math.Sqrt(v)
			sum += w[j]
		}
		floats.Scale(1/sum, w)
	case EqualWeight:
		for j := range w {
			w[j] = 1 / float64(n)
		}
	}
	return nil
}

// riskSpace is the memory of the risk budgets' Newton method.
type riskSpace struct {
	cov, budgets, x, g, step, trial, hessian []float64
}

// riskBudget finds the weights whose shares of the variance are the budgets:
// the minimiser of 1/2 x'Cx - sum b log x, with C the correlations, is such a
// portfolio in units of volatility, and unique (Spinu 2013, "An algorithm for
// computing risk parity weights"). The objective is self-concordant up to the
// smallest budget, so Newton's method with its damped steps converges from
// anywhere; C may be singular, as the barrier's curvature is positive.
func (s *Solver) riskBudget(objective Objective, in *Inputs) error {
	n := in.Set.N
	r := &s.risk
	for _, v := range []*[]float64{&r.budgets, &r.x, &r.g, &r.step, &r.trial} {
		*v = resize(*v, n)
	}
	r.cov, r.hessian = resize(r.cov, n*n), resize(r.hessian, n*n)
	if err := s.budgets(objective, in); err != nil {
		return err
	}
	raw := in.Cov.RawSymmetric()
	volatility := r.trial
	for i := range n {
		volatility[i] = math.Sqrt(raw.Data[i*raw.Stride+i])
		if volatility[i] == 0 {
			return fmt.Errorf("%s isn't defined: %s has no variance: leave it out", objective, in.symbol(i))
		}
	}
	for i := range n {
		for j := i; j < n; j++ {
			v := raw.Data[i*raw.Stride+j] / (volatility[i] * volatility[j])
			r.cov[i*n+j], r.cov[j*n+i] = v, v
		}
	}
	// Start where every asset alone would meet its budget, scaled so that the
	// whole does.
	for i, b := range r.budgets {
		r.x[i] = math.Sqrt(b)
	}
	for i := range n {
		r.g[i] = floats.Dot(r.cov[i*n:(i+1)*n], r.x)
	}
	if total := floats.Dot(r.x, r.g); total > 0 {
		floats.Scale(1/math.Sqrt(total), r.x)
	}
	last := inf
	for range 200 {
		s.result.Iterations++
		for i := range n {
			r.g[i] = floats.Dot(r.cov[i*n:(i+1)*n], r.x)
		}
		fault := 0.0
		for i, b := range r.budgets {
			if b > 0 {
				fault = max(fault, abs(r.x[i]*r.g[i]/b-1))
			}
		}
		stalled := fault < 1e-10 && fault >= last/2
		last = fault
		if fault <= 1e-15 || stalled {
			break
		}
		if !r.newton() {
			return degenerate(objective)
		}
	}
	if last > 1e-8 {
		return degenerate(objective)
	}
	var sum float64
	for i := range n {
		s.result.Weights[i] = r.x[i] / math.Sqrt(in.Cov.At(i, i))
		sum += s.result.Weights[i]
	}
	floats.Scale(1/sum, s.result.Weights)
	return nil
}

// degenerate is the error for a variance that vanishes along some portfolio:
// the barrier then has no minimum.
func degenerate(objective Objective) error {
	return fmt.Errorf(
		"%s isn't defined: a portfolio of long positions has (almost) no variance; use a shrunk covariance", objective)
}

// budgets sets the shares, which sum to 1.
func (s *Solver) budgets(objective Objective, in *Inputs) error {
	b := s.risk.budgets
	if objective == RiskParity {
		for j := range b {
			b[j] = 1 / float64(len(b))
		}
		return nil
	}
	var sum float64
	for j, v := range in.Budgets {
		if !(v >= 0) || math.IsInf(v, 0) {
			return fmt.Errorf("the risk budget of %s is %v: budgets must be finite and not negative", in.symbol(j), v)
		}
		sum += v
	}
	if !(sum > 0) {
		return fmt.Errorf("the risk budgets sum to %v: at least one must be positive", sum)
	}
	for j, v := range in.Budgets {
		b[j] = v / sum
	}
	return nil
}

// newton takes one damped Newton step from x, where g = Cx. An asset without a
// budget stays at zero.
func (r *riskSpace) newton() bool {
	n := len(r.x)
	for i, b := range r.budgets {
		row := r.hessian[i*n : i*n+i+1]
		copy(row, r.cov[i*n:i*n+i+1])
		if b > 0 {
			row[i] += b / (r.x[i] * r.x[i])
			r.g[i] -= b / r.x[i]
			continue
		}
		clear(row)
		row[i] = 1
		r.g[i] = 0
		for k := i + 1; k < n; k++ {
			r.hessian[k*n+i] = 0
		}
	}
	for i, b := range r.budgets {
		if b == 0 {
			for k := i + 1; k < n; k++ {
				r.hessian[k*n+i] = 0
			}
		}
	}
	if !factorise(r.hessian, n) {
		return false
	}
	copy(r.step, r.g)
	solveFactorised(r.hessian, n, r.step)
	// The Newton decrement, in the metric that makes the barrier standard,
	// chooses between the damped step and the full one.
	decrement, least := floats.Dot(r.step, r.g), inf
	for _, b := range r.budgets {
		if b > 0 {
			least = min(least, b)
		}
	}
	decrement = math.Sqrt(max(decrement, 0) / least)
	length := 1.0
	if decrement > 0.25 {
		length = 1 / (1 + decrement)
		// The bound is cautious where budgets are small: go as far as three
		// quarters of the way to the nearest zero while the slope stays
		// downhill.
		length = max(length, r.reach())
	}
	floats.AddScaled(r.x, -length, r.step)
	return true
}

// reach is the longest of a few steps at which the objective still falls.
func (r *riskSpace) reach() float64 {
	n := len(r.x)
	most := 1.0
	for i, v := range r.step {
		if v > 0 && r.budgets[i] > 0 {
			most = min(most, 0.75*r.x[i]/v)
		}
	}
	for range 8 {
		for i := range r.trial {
			r.trial[i] = r.x[i] - most*r.step[i]
		}
		slope := 0.0
		for i, b := range r.budgets {
			if b > 0 {
				slope -= r.step[i] * (floats.Dot(r.cov[i*n:(i+1)*n], r.trial) - b/r.trial[i])
			}
		}
		if slope <= 0 {
			return most
		}
		most /= 2
	}
	return 0
}

// factorise replaces the lower triangle of a (n x n) by its Cholesky factor
// and says whether a is positive definite.
func factorise(a []float64, n int) bool {
	for i := range n {
		row := a[i*n : (i+1)*n]
		for j := range i {
			other := a[j*n : (j+1)*n]
			row[j] = (row[j] - floats.Dot(row[:j], other[:j])) / other[j]
		}
		pivot := row[i] - floats.Dot(row[:i], row[:i])
		if !(pivot > 0) {
			return false
		}
		row[i] = math.Sqrt(pivot)
	}
	return true
}

// solveFactorised solves LL'x = v in place.
func solveFactorised(l []float64, n int, v []float64) {
	for i := range n {
		row := l[i*n : (i+1)*n]
		v[i] = (v[i] - floats.Dot(row[:i], v[:i])) / row[i]
	}
	for i := n - 1; i >= 0; i-- {
		row := l[i*n : (i+1)*n]
		v[i] /= row[i]
		floats.AddScaled(v[:i], -v[i], row[:i])
	}
}

// budgetError is the largest relative error of a share of the variance.
func (s *Solver) budgetError(objective Objective, in *Inputs) float64 {
	w := s.result.Weights
	if s.budgets(objective, in) != nil {
		return inf
	}
	total := variance(in.Cov, w)
	fault := 0.0
	for i, b := range s.risk.budgets {
		var marginal float64
		for j, v := range w {
			marginal += in.Cov.At(i, j) * v
		}
		share := w[i] * marginal / total
		if b > 0 {
			fault = max(fault, abs(share/b-1))
		} else {
			fault = max(fault, abs(share))
		}
	}
	return fault
}
