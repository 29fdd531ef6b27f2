package optimize

import (
	"cmp"
	"context"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/qp"
)

// quadratic solves min-variance, mean-variance and min-tracking-error:
//
//	minimise k/2 w'Sw + c'w + charge sum |w - previous|
//
// with k = 2 where the variance is the value, as 2 times half of it.
func (s *Solver) quadratic(ctx context.Context, objective Objective, in *Inputs) error {
	n := in.Set.N
	more := 0
	if in.TurnoverCharge > 0 {
		more = 2 * n // what is bought and sold
	}
	first := s.begin(&in.Set, more)
	h, charge, scale := s.terms(objective, in)
	targeted := objective == MeanVariance && in.TargetReturn != nil
	if targeted {
		// Far beyond what any weights reach, a target only spoils the scaling.
		switch reach := unreachable * largest(in.Mean); {
		case *in.TargetReturn > reach:
			best, err := s.bestMean(ctx, in)
			return cmp.Or(err, error(&InfeasibleTargetError{*in.TargetReturn, best}))
		case *in.TargetReturn >= -reach:
			copy(s.rows.add(*in.TargetReturn, inf), in.Mean)
		}
	}
	if in.TurnoverCharge > 0 {
		s.trade(in.Previous, first)
		for k := range more {
			s.c[first+k] = charge
		}
	}
	s.pose(h)
	r, err := s.solvePosed(ctx, in)
	if err != nil {
		return err
	}
	if targeted && r.Status == qp.Infeasible {
		if best, err := s.bestMean(ctx, in); err != nil {
			return err
		} else if best < *in.TargetReturn {
			return &InfeasibleTargetError{*in.TargetReturn, best}
		}
	}
	if err := unsolved(r, &in.Set); err != nil {
		return err
	}
	if in.combinatorial() {
		s.result.Gap /= scale
	}
	copy(s.result.Weights, r.X)
	s.result.KKT = r.KKT
	s.result.Iterations += r.Iterations
	if targeted && dot(in.Mean, r.X[:n])-*in.TargetReturn > 1e-9*(1e-9+abs(*in.TargetReturn)) {
		s.result.Notes = append(s.result.Notes,
			"the target return doesn't bind: the minimum-variance portfolio has a higher mean")
	}
	return nil
}

// terms fills the linear term and returns the quadratic one, what a unit of
// turnover costs, and the scale: the programme's objective is scale times the
// value.
func (s *Solver) terms(objective Objective, in *Inputs) (h *mat.SymDense, charge, scale float64) {
	n := in.Set.N
	h, charge, scale = in.Cov, in.TurnoverCharge/2, 1
	switch {
	case objective == MinTrackingError:
		scale = 0.5
		for i := range n {
			if in.Index != nil {
				s.c[i] -= in.Index.Cov[i]
				continue
			}
			for j := range n {
				s.c[i] -= in.Cov.At(i, j) * in.Benchmark[j]
			}
		}
	case objective == MinVariance || in.TargetReturn != nil:
		scale = 0.5
	case in.RiskAversion > 0:
		// Divided by the risk aversion, so that H is the covariance itself.
		scale = 1 / in.RiskAversion
		charge = in.TurnoverCharge / in.RiskAversion
		for j, v := range in.Mean {
			s.c[j] = -v / in.RiskAversion
		}
	default:
		h, charge = nil, in.TurnoverCharge
		for j, v := range in.Mean {
			s.c[j] = -v
		}
	}
	return h, charge, scale
}

// unreachable times the largest mean is more than any portfolio's mean: short
// positions pay for ten times the capital at most.
const unreachable = 1e6

// largest is the largest absolute value.
func largest(x []float64) float64 {
	var most float64
	for _, v := range x {
		most = max(most, abs(v))
	}
	return most
}

// pad is h with zeros for the variables beyond its own.
func (s *Solver) pad(h *mat.SymDense, variables int) *mat.SymDense {
	if h == nil || h.SymmetricDim() == variables {
		return h
	}
	n := h.SymmetricDim()
	s.h = resize(s.h, variables*variables)
	clear(s.h)
	raw := h.RawSymmetric()
	for i := range n {
		copy(s.h[i*variables+i:i*variables+n], raw.Data[i*raw.Stride+i:i*raw.Stride+n])
	}
	raw.N, raw.Stride, raw.Data = variables, variables, s.h
	s.hessian.SetRawSymmetric(raw)
	return &s.hessian
}

// bestMean is the largest mean of the set.
func (s *Solver) bestMean(ctx context.Context, in *Inputs) (float64, error) {
	s.begin(&in.Set, 0)
	for j, v := range in.Mean {
		s.c[j] = -v
	}
	s.pose(nil)
	r, err := s.solvePosed(ctx, in)
	if err == nil {
		err = unsolved(r, &in.Set)
	}
	if err != nil {
		return 0, err
	}
	return -r.Objective, nil
}

// solvePosed solves the programme that was posed, by branches where it is to be decided
// which assets are held.
func (s *Solver) solvePosed(ctx context.Context, in *Inputs) (*qp.Result, error) {
	if in.combinatorial() {
		return s.branch(ctx, in, false, nil)
	}
	return s.qp.Solve(ctx, &s.problem, s.settings)
}
