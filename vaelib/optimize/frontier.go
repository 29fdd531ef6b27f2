package optimize

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Corner is a portfolio of the efficient frontier at which the set of binding
// constraints changes. Between two neighbouring corners the efficient
// portfolios are their mixtures.
type Corner struct {
	Weights  []float64 // n
	Mean     float64   // per period
	Variance float64   // per period
	// Tolerance is the t for which the portfolio maximises t w'm - w'Sw/2: one
	// over the risk aversion; +Inf for the portfolio of the largest mean.
	Tolerance float64
}

// Efficient is the efficient frontier: its corners from the minimum variance
// to the largest mean.
type Efficient struct {
	Corners []Corner
	cov     *mat.SymDense
}

// Frontier computes the efficient frontier exactly, by its corner portfolios
// (Markowitz 1956, "The optimization of a quadratic function subject to linear
// constraints"). It needs the inputs of mean-variance and a convex set.
//
// The portfolio is a piecewise linear function of the risk tolerance. Solving
// at two tolerances gives two of its pieces, each with its direction; where the
// two lines meet is a corner, and where they don't there are pieces between.
func Frontier(ctx context.Context, in *Inputs) (*Efficient, error) {
	if in.combinatorial() {
		return nil, &UnsupportedError{"frontier",
			"isn't continuous with a minimum weight or a largest number of assets: drop them, or take Solver.Frontier"}
	}
	if in.TurnoverCharge > 0 {
		return nil, &UnsupportedError{"frontier",
			"takes no charge for turnover: solve mean-variance for each target return"}
	}
	if err := in.check(MeanVariance); err != nil {
		return nil, err
	}
	s := &sweep{in: in}
	s.direction = make([]float64, s.solver.begin(&in.Set, 0))
	largest, size := 0.0, 0.0
	for j, v := range in.Mean {
		s.direction[j] = -v
		largest = max(largest, math.Abs(v))
		size = max(size, in.Cov.At(j, j))
	}
	first, err := s.at(ctx, 0)
	if err != nil {
		return nil, err
	}
	best, err := s.solver.bestMean(ctx, in)
	if err != nil {
		return nil, err
	}
	// Corners are told apart by weights down to resolution.
	tolerance := 0.0
	last := first
	if best-first.mean > 1e-12*largest {
		tolerance = size / largest
		for range 80 {
			if last, err = s.at(ctx, tolerance); err != nil {
				return nil, err
			}
			if best-last.mean <= 1e-12*largest && last.still() {
				break
			}
			tolerance *= 4
		}
	}
	s.add(first.w, 0)
	if err := s.between(ctx, first, last, 60); err != nil {
		return nil, err
	}
	s.add(last.w, math.Inf(1))
	corners := s.corners
	if count := len(corners); count > 1 && apart(corners[count-1].Weights, corners[count-2].Weights) <= 1e-9 {
		corners = corners[:count-1]
		corners[count-2].Tolerance = math.Inf(1)
	}
	return &Efficient{Corners: corners, cov: in.Cov}, nil
}

// At returns the efficient weights with a mean per period: those of minimum
// variance below their mean, and those of the largest mean above it.
func (f *Efficient) At(mean float64) []float64 {
	i, exact := slices.BinarySearchFunc(f.Corners, mean, func(c Corner, m float64) int { return compare(c.Mean, m) })
	switch {
	case exact || i == 0:
		return slices.Clone(f.Corners[i].Weights)
	case i == len(f.Corners):
		return slices.Clone(f.Corners[i-1].Weights)
	}
	low, high := f.Corners[i-1], f.Corners[i]
	share := (mean - low.Mean) / (high.Mean - low.Mean)
	w := make([]float64, len(low.Weights))
	for j := range w {
		w[j] = (1-share)*low.Weights[j] + share*high.Weights[j]
	}
	return w
}

// Points returns count efficient portfolios (count x n) with equally spaced
// means, and their variances per period.
func (f *Efficient) Points(count int) (weights *mat.Dense, variances []float64) {
	low, high := f.Corners[0].Mean, f.Corners[len(f.Corners)-1].Mean
	weights = mat.NewDense(count, len(f.Corners[0].Weights), nil)
	variances = make([]float64, count)
	for i := range count {
		mean := low
		if count > 1 {
			mean += (high - low) * float64(i) / float64(count-1)
		}
		w := f.At(mean)
		weights.SetRow(i, w)
		variances[i] = variance(f.cov, w)
	}
	return weights, variances
}

// sweep is a frontier in the making.
type sweep struct {
	in        *Inputs
	solver    Solver
	direction []float64 // derivative of the linear term: -mean
	corners   []Corner
}

// piece is a solution and the line that it lies on.
type piece struct {
	tolerance float64
	w, slope  []float64 // n: weights, and their derivative by the tolerance
	mean      float64
}

// still says that the weights no longer move with the tolerance.
func (p *piece) still() bool {
	for _, v := range p.slope {
		if math.Abs(v)*p.tolerance > 1e-12 {
			return false
		}
	}
	return true
}

// at solves for one tolerance.
func (s *sweep) at(ctx context.Context, tolerance float64) (*piece, error) {
	v := &s.solver
	warm := v.settings.Warm
	v.begin(&s.in.Set, 0)
	v.settings.Warm = warm
	for j, m := range s.in.Mean {
		v.c[j] = -tolerance * m
	}
	v.pose(s.in.Cov)
	r, err := v.qp.Solve(ctx, &v.problem, v.settings)
	if err == nil {
		err = unsolved(r, &s.in.Set)
	}
	if err != nil {
		return nil, err
	}
	v.settings.Warm = true
	n, slope := s.in.Set.N, make([]float64, len(r.X))
	p := &piece{tolerance: tolerance, w: slices.Clone(r.X[:n]), slope: slope[:n], mean: dot(s.in.Mean, r.X)}
	v.qp.Sensitivity(slope, s.direction)
	return p, nil
}

// between adds the corners between two pieces.
func (s *sweep) between(ctx context.Context, a, b *piece, depth int) error {
	gap := b.tolerance - a.tolerance
	if depth == 0 || apart(a.w, b.w) <= 1e-12 || a.meets(b) {
		return nil
	}
	// Where the two lines are nearest to each other.
	var num, den float64
	for j := range a.w {
		d := a.w[j] - b.w[j] + gap*b.slope[j] // at a's tolerance
		e := b.slope[j] - a.slope[j]
		num += d * e
		den += e * e
	}
	if den > 0 {
		if step := num / den; step > 0 && step < gap {
			corner := make([]float64, len(a.w))
			off := 0.0
			for j := range corner {
				corner[j] = a.w[j] + step*a.slope[j]
				off = max(off, math.Abs(corner[j]-b.w[j]-(step-gap)*b.slope[j]))
			}
			if off <= 1e-11 {
				// Two lines can cross by chance beside the path: the path itself
				// must pass there.
				check, err := s.at(ctx, a.tolerance+step)
				if err != nil {
					return err
				}
				if apart(check.w, corner) <= 1e-10 {
					s.add(corner, a.tolerance+step)
					return nil
				}
			}
		}
	}
	middle, err := s.at(ctx, a.tolerance+gap/2)
	if a.tolerance > 0 && b.tolerance > 4*a.tolerance {
		middle, err = s.at(ctx, math.Sqrt(a.tolerance*b.tolerance))
	}
	if err != nil {
		return err
	}
	if err := s.between(ctx, a, middle, depth-1); err != nil {
		return err
	}
	return s.between(ctx, middle, b, depth-1)
}

// meets says that both pieces lie on one line.
func (p *piece) meets(q *piece) bool {
	for j := range p.w {
		if math.Abs(p.w[j]+(q.tolerance-p.tolerance)*p.slope[j]-q.w[j]) > 1e-12 {
			return false
		}
	}
	return true
}

// add appends a corner that isn't the last one again.
func (s *sweep) add(w []float64, tolerance float64) {
	if k := len(s.corners); k > 0 && apart(s.corners[k-1].Weights, w) <= 1e-12 {
		return
	}
	w = slices.Clone(w)
	s.corners = append(s.corners, Corner{
		Weights: w, Mean: dot(s.in.Mean, w), Variance: variance(s.in.Cov, w), Tolerance: tolerance,
	})
}

func apart(a, b []float64) float64 {
	var worst float64
	for j, v := range a {
		worst = max(worst, math.Abs(v-b[j]))
	}
	return worst
}
