package simplex

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// active is the active set of a projection: the weights strictly between their
// bounds, and an orthonormal basis of the rows that hold with equality, as far
// as those weights enter them.
type active struct {
	set     Set
	free    []bool      // N
	basis   [][]float64 // rank x N, zero where not free
	factor  [][]float64 // rank x rank, lower: row = factor * basis
	targets []float64   // rank: what the row should sum to less what it does
	side    []float64   // N: 1 for what is bought, -1 for what is sold; nil without a limit on turnover
	rank    int
}

// nearby is how close to its limit a group's sum counts as at it.
const nearby = 1e-10

func newActive(s Set) *active {
	rows := 1 + len(s.Groups)
	a := &active{set: s, free: make([]bool, s.N)}
	if s.Turnover != nil {
		rows, a.side = rows+1, make([]float64, s.N)
	}
	a.targets = make([]float64, rows)
	for range rows {
		a.basis = append(a.basis, make([]float64, s.N))
		a.factor = append(a.factor, make([]float64, rows))
	}
	return a
}

// find determines the active set at w.
func (a *active) find(w, lower, upper []float64) {
	count, sum := 0, 0.0
	for i, x := range w {
		free := lower[i] < x && x < upper[i]
		a.free[i] = free
		if free {
			count++
		}
		sum += x
	}
	a.rank = 0
	a.addBudget(count, 1-sum)
	for _, g := range a.set.Groups {
		sum := dot(g.Share, w)
		switch {
		case sum >= g.Hi-nearby:
			a.add(g.Share, g.Hi-sum)
		case sum <= g.Lo+nearby:
			a.add(g.Share, g.Lo-sum)
		}
	}
	if a.side != nil {
		a.addTurnover(w)
	}
}

// addTurnover takes the limit on turnover into the basis where it is reached: along what
// is bought and what is sold it is a plane.
func (a *active) addTurnover(w []float64) {
	t := a.set.Turnover
	left := t.Most - t.Of(w)
	if left > nearby {
		return
	}
	for i, h := range t.Held {
		a.side[i] = 1
		if w[i] < h {
			a.side[i] = -1
		}
	}
	a.add(a.side, left)
}

// addBudget takes the row of ones into the empty basis; count weights are free.
func (a *active) addBudget(count int, target float64) {
	if count == 0 {
		return
	}
	norm := math.Sqrt(float64(count))
	q, entry := a.basis[0], 1/norm
	for i, free := range a.free {
		q[i] = 0
		if free {
			q[i] = entry
		}
	}
	clear(a.factor[0])
	a.factor[0][0], a.targets[0], a.rank = norm, target, 1
}

// add takes one more row into the basis, by Gram-Schmidt done twice, unless it
// depends on those before it.
func (a *active) add(row []float64, target float64) {
	q, factor := a.basis[a.rank], a.factor[a.rank]
	clear(factor)
	for i, x := range row {
		q[i] = 0
		if a.free[i] {
			q[i] = x
		}
	}
	before := floats.Norm(q, 2)
	for range 2 {
		for j, b := range a.basis[:a.rank] {
			c := dot(b, q)
			floats.AddScaled(q, -c, b)
			factor[j] += c
		}
	}
	norm := floats.Norm(q, 2)
	if norm <= 1e-9*before || norm == 0 {
		return
	}
	floats.Scale(1/norm, q)
	factor[a.rank] = norm
	a.targets[a.rank] = target
	a.rank++
}

// restore puts w between its bounds, finds its active set, and takes out of w the rounding errors of
// its sums by the smallest change of the free weights.
func (a *active) restore(w, lower, upper []float64) {
	for range 4 {
		for i := range w {
			w[i] = clamp(w[i], lower[i], upper[i])
		}
		a.find(w, lower, upper)
		var worst float64
		for _, t := range a.targets[:a.rank] {
			worst = max(worst, math.Abs(t))
		}
		if worst <= Tolerance/10 {
			return
		}
		for k := range a.rank {
			y := (a.targets[k] - dot(a.factor[k][:k], a.targets)) / a.factor[k][k]
			a.targets[k] = y
			floats.AddScaled(w, y, a.basis[k])
		}
	}
	for i := range w {
		w[i] = clamp(w[i], lower[i], upper[i])
	}
	a.find(w, lower, upper)
}

// tangent takes the part of g out that would move a free weight's active rows,
// and everything at weights that are not free.
func (a *active) tangent(g []float64) {
	for i := range g {
		if !a.free[i] {
			g[i] = 0
		}
	}
	for _, b := range a.basis[:a.rank] {
		floats.AddScaled(g, -dot(b, g), b)
	}
}
