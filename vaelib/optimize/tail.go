package optimize

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/qp"
)

// tail is the number of periods beyond the level, not always whole. It snaps
// to the nearest integer, so that 5 % of 100 periods are 5.
func (in *Inputs) tail() float64 {
	level := in.Level
	if level == 0 {
		level = 0.95
	}
	periods, _ := in.Returns.Dims()
	k := (1 - level) * float64(periods)
	if round := math.Round(k); math.Abs(k-round) < 1e-9 {
		k = round
	}
	return k
}

// cvar is the mean loss of the worst periods, the last of them counted as far
// as the tail reaches into it.
func (s *Solver) cvar(in *Inputs, w []float64) float64 {
	s.losses(in.Returns, w)
	return meanTail(s.work, in.tail())
}

// losses sets work to the loss of w in each period.
func (s *Solver) losses(returns *mat.Dense, w []float64) {
	periods, _ := returns.Dims()
	s.work = resize(s.work, periods)
	for t := range periods {
		s.work[t] = -dot(w, returns.RawRowView(t))
	}
}

// meanTail is the mean of the k largest values, which it sorts.
func meanTail(losses []float64, k float64) float64 {
	slices.Sort(losses)
	if k <= 1 {
		return losses[len(losses)-1]
	}
	var sum float64
	left := k
	for i := len(losses) - 1; i >= 0 && left > 0; i-- {
		sum += losses[i] * min(left, 1)
		left--
	}
	return sum / k
}

// worst is the least return of w.
func worst(returns *mat.Dense, w []float64) float64 {
	periods, _ := returns.Dims()
	least := inf
	for t := range periods {
		least = min(least, dot(w, returns.RawRowView(t)))
	}
	return least
}

// linear checks what the two linear programmes have in common, and returns the
// scale of the returns.
func (in *Inputs) linear(objective Objective) (float64, error) {
	if in.Set.MinWeight > 0 {
		return 0, &UnsupportedError{objective, "takes no minimum weight: drop it, or use min-variance"}
	}
	periods, _ := in.Returns.Dims()
	largest := 0.0
	for t := range periods {
		for _, v := range in.Returns.RawRowView(t) {
			largest = max(largest, math.Abs(v))
		}
	}
	if largest == 0 {
		largest = 1
	}
	return largest, nil
}

// longTail is the number of periods from which the tail's mean makes the
// faster cut.
const longTail = 100

// minCVaR minimises the CVaR (Rockafellar & Uryasev 2000, "Optimization of
// conditional value-at-risk"):
//
//	minimise a + sum u_t / k  subject to  u_t >= loss_t(w) - a,  u_t >= 0
//
// Most periods never reach the tail: their rows and their u are left out until
// a solution breaks them.
func (s *Solver) minCVaR(ctx context.Context, in *Inputs) error {
	scale, err := in.linear(MinCVaR)
	if err != nil {
		return err
	}
	n, k := in.Set.N, max(in.tail(), 1)
	if k > longTail {
		return s.minCVaRByMeans(ctx, in, scale, k)
	}
	periods, _ := in.Returns.Dims()
	known := make([]int, 0, periods) // periods in the programme
	held := make([]bool, periods)
	s.losses(in.Returns, equal(n))
	order := make([]int, periods)
	for t := range order {
		order[t] = t
	}
	slices.SortStableFunc(order, func(a, b int) int { return compare(s.work[b], s.work[a]) })
	for _, t := range order[:min(periods, int(math.Ceil(1.5*k))+1)] {
		known, held[t] = append(known, t), true
	}
	settings := qp.Settings{}
	for {
		at := s.begin(&in.Set, 1+len(known))
		s.c[at] = 1
		for i, t := range known {
			u := at + 1 + i
			s.c[u], s.lower[u] = 1/k, 0
			row := s.rows.add(0, inf)
			for j, v := range in.Returns.RawRowView(t) {
				row[j] = v / scale
			}
			row[at], row[u] = 1, 1
		}
		s.pose(nil)
		r, err := s.qp.Solve(ctx, &s.problem, settings)
		if err == nil {
			err = unsolved(r, &in.Set)
		}
		if err != nil {
			return err
		}
		s.result.Iterations += r.Iterations
		s.result.KKT = r.KKT
		copy(s.result.Weights, r.X)
		s.losses(in.Returns, s.result.Weights)
		before := len(known)
		for t, loss := range s.work {
			if !held[t] && loss/scale > r.X[at]+1e-12 {
				known, held[t] = append(known, t), true
			}
		}
		if len(known) == before {
			s.result.Gap = max(0, meanTail(s.work, k)-r.Objective*scale)
			return nil
		}
		settings.Warm = true
	}
}

// minCVaRByMeans minimises the CVaR with one cut for each tail that is met:
//
//	minimise v  subject to  v >= mean loss of w over the tail
//
// With long tails that is less work than a row for each of their periods.
func (s *Solver) minCVaRByMeans(ctx context.Context, in *Inputs, scale, k float64) error {
	n := in.Set.N
	periods, _ := in.Returns.Dims()
	order := make([]int, periods)
	at := s.begin(&in.Set, 1)
	s.c[at] = 1
	cut := func(row []float64, w []float64) {
		s.losses(in.Returns, w)
		for t := range order {
			order[t] = t
		}
		slices.SortFunc(order, func(a, b int) int { return compare(s.work[b], s.work[a]) })
		left := k
		for _, t := range order {
			if left <= 0 {
				break
			}
			share := min(left, 1) / (k * scale)
			for j, v := range in.Returns.RawRowView(t) {
				row[j] += share * v
			}
			left--
		}
		row[at] = 1
	}
	cut(s.rows.add(0, inf), equal(n))
	s.pose(nil)
	r, err := s.qp.SolveByCuts(ctx, &s.problem, func(x []float64, cuts *qp.Cuts) float64 {
		s.losses(in.Returns, x[:n])
		value := meanTail(s.work, k) / scale
		if value > x[at]+1e-12 {
			cut(cuts.Row(0, inf), x[:n])
		}
		return value
	}, 1e-11, qp.Settings{})
	if err == nil {
		err = unsolved(r, &in.Set)
	}
	if err != nil {
		return err
	}
	copy(s.result.Weights, r.X)
	s.result.KKT, s.result.Iterations = r.KKT, r.Iterations
	s.losses(in.Returns, s.result.Weights)
	s.result.Gap = max(0, meanTail(s.work, k)-r.Objective*scale)
	return nil
}

// equal is the equal-weight portfolio: whose worst periods make a start.
func equal(n int) []float64 {
	w := make([]float64, n)
	for j := range w {
		w[j] = 1 / float64(n)
	}
	return w
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// maxMin maximises the least return over the periods:
//
//	maximise v  subject to  r_t'w >= v
//
// The rows of the periods are cuts.
func (s *Solver) maxMin(ctx context.Context, in *Inputs) error {
	scale, err := in.linear(MaxMin)
	if err != nil {
		return err
	}
	n := in.Set.N
	at := s.begin(&in.Set, 1)
	s.c[at] = -1
	cut := func(row []float64, t int) {
		for j, v := range in.Returns.RawRowView(t) {
			row[j] = v / scale
		}
		row[at] = -1
	}
	s.losses(in.Returns, equal(n))
	first := 0
	for t, loss := range s.work {
		if loss > s.work[first] {
			first = t
		}
	}
	cut(s.rows.add(0, inf), first)
	s.pose(nil)
	r, err := s.qp.SolveByCuts(ctx, &s.problem, func(x []float64, cuts *qp.Cuts) float64 {
		s.losses(in.Returns, x[:n])
		largest := math.Inf(-1)
		for _, loss := range s.work {
			largest = max(largest, loss)
		}
		// The few worst periods at once: fewer rounds for little more work.
		for range 4 {
			period := 0
			for t, loss := range s.work {
				if loss > s.work[period] {
					period = t
				}
			}
			if s.work[period]/scale <= -x[at]+1e-12 {
				break
			}
			cut(cuts.Row(0, inf), period)
			s.work[period] = math.Inf(-1)
		}
		return largest / scale
	}, 0, qp.Settings{})
	if err == nil {
		err = unsolved(r, &in.Set)
	}
	if err != nil {
		return err
	}
	copy(s.result.Weights, r.X)
	s.result.KKT, s.result.Iterations = r.KKT, r.Iterations
	s.result.Gap = max(0, -worst(in.Returns, s.result.Weights)-r.Objective*scale)
	return nil
}
