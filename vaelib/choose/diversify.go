package choose

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/metrics"
)

// Goal is a figure that a portfolio should have much or little of.
type Goal struct {
	Figure metrics.Figure
	Less   bool // less is better
}

// DefaultGoals are return, risk and concentration: more of the first, less of
// the others (the effective number of assets is the inverse of concentration).
func DefaultGoals() []Goal {
	return []Goal{{Figure: metrics.AnnualReturn}, {Figure: metrics.Volatility, Less: true},
		{Figure: metrics.EffectiveAssets}}
}

// Pareto returns the rows of figures (N) that no other row dominates: none is at
// least as good by every goal and better by one. They are in the order of the
// first goal, the best first, and of equal rows the first stands for all. Rows
// in which a goal's figure is undefined are left out.
func Pareto(figures []metrics.Figures, goals []Goal) ([]int, error) {
	if len(goals) == 0 {
		return nil, fmt.Errorf("a Pareto front needs goals: give at least one")
	}
	var order []int
	points := make([][]float64, len(figures)) // larger is better
rows:
	for i := range figures {
		point := make([]float64, len(goals))
		for k, goal := range goals {
			v, ok := figures[i].Value(goal.Figure).Float()
			if !ok {
				continue rows
			}
			if goal.Less {
				v = -v
			}
			point[k] = v
		}
		points[i] = point
		order = append(order, i)
	}
	// In falling order by all goals, a row can be dominated by one before it
	// only, and then by one of the front.
	slices.SortStableFunc(order, func(a, b int) int { return slices.Compare(points[b], points[a]) })
	var front []int
	for _, i := range order {
		if !slices.ContainsFunc(front, func(j int) bool { return atLeast(points[j], points[i]) }) {
			front = append(front, i)
		}
	}
	return front, nil
}

// atLeast says that a is as large as b everywhere.
func atLeast(a, b []float64) bool {
	for k, v := range a {
		if v < b[k] {
			return false
		}
	}
	return true
}

// Varied chooses count of the rows of weights (N x n), or of the candidates
// among them (nil: all), that lie far apart: the first candidate, then always
// the one whose distance to the nearest chosen is largest, the first of several.
// This greedy max-min choice is at least half as spread as the best (Gonzalez
// 1985, "Clustering to minimize the maximum intercluster distance"). There are
// fewer where the candidates run out of different portfolios. The second result
// is the least distance between two of the chosen, infinite for a single one.
func Varied(
	ctx context.Context, weights *mat.Dense, candidates []int, count int,
) (chosen []int, least float64, err error) {
	rows, _ := weights.Dims()
	if candidates == nil {
		for i := range rows {
			candidates = append(candidates, i)
		}
	}
	if count < 1 || len(candidates) == 0 {
		return nil, 0, fmt.Errorf("%d varied portfolios out of %d: both must be at least 1", count, len(candidates))
	}
	away := make([]float64, len(candidates)) // squared distance to the nearest chosen
	for k, i := range candidates {
		if i < 0 || i >= rows {
			return nil, 0, fmt.Errorf("candidate %d of %d portfolios", i, rows)
		}
		away[k] = math.Inf(1)
	}
	least = math.Inf(1)
	for next := 0; ; {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		chosen = append(chosen, candidates[next])
		if len(chosen) == count {
			return chosen, math.Sqrt(least), nil
		}
		w := weights.RawRowView(candidates[next])
		for k, i := range candidates {
			away[k] = min(away[k], squaredDistance(w, weights.RawRowView(i)))
		}
		next = 0
		for k, d := range away {
			if d > away[next] {
				next = k
			}
		}
		if away[next] == 0 {
			return chosen, math.Sqrt(least), nil
		}
		least = min(least, away[next])
	}
}

// Front is a varied part of a Pareto front. Its JSON form says what it was chosen
// from.
type Front struct {
	Candidates int     `json:"candidates"`
	Size       int     `json:"pareto_front"`
	Least      float64 `json:"least_distance"` // between two of the chosen; 0 for a single one
	Rows       []int   `json:"-"`              // chosen: see [Varied]
}

// VariedFront chooses count rows of weights (N x n) that lie far apart on the
// Pareto front of their figures (N). It returns an error where no row has all the
// figures that the goals are about.
func VariedFront(
	ctx context.Context, weights *mat.Dense, figures []metrics.Figures, goals []Goal, count int,
) (*Front, error) {
	front, err := Pareto(figures, goals)
	if err != nil {
		return nil, err
	}
	if len(front) == 0 {
		return nil, errors.New("no candidate has a defined return, risk and concentration: do the prices move at all?")
	}
	f := &Front{Candidates: len(figures), Size: len(front)}
	var least float64
	if f.Rows, least, err = Varied(ctx, weights, front, count); err == nil && len(f.Rows) > 1 {
		f.Least = least
	}
	return f, err
}

func squaredDistance(a, b []float64) float64 {
	var sum float64
	for i, v := range a {
		sum += (v - b[i]) * (v - b[i])
	}
	return sum
}
