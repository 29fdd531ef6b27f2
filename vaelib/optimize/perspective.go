package optimize

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/qp"
)

// sparse is a convex programme of whose first n variables, those of the assets, each is to
// be 0 or at least its least, and at most most are to be held. Its relaxation for a choice
// that leaves some assets undecided replaces a part d x^2/2 of the objective, which belongs
// to one asset alone, by its perspective d x^2/(2z), where z in [0, 1] says how much of the
// asset is held (Frangioni & Gentile 2006, "Perspective cuts for a class of convex 0-1
// mixed integer programs"), and prices sum z <= most at a multiplier of at least 0 (Lagrange).
// For a price p the best z is x/t up to t = sqrt(2p/d), and 1 beyond; as x lies between
// least z and upper z, t lies between least and upper. So an undecided asset costs
//
//	(d t/2 + p/t) x up to t, and p + d x^2/2 beyond,
//
// which is convex: with x = a + b, a <= t, choices differ in bounds and costs alone.
type sparse struct {
	n, most      int
	least, upper []float64 // n, of an asset that is held; an infinite upper is unknown
	must         []choice  // n, what the bounds decide
	held         []int     // n: the row to be at least 0 where the asset is held; nil: its bound does it
	fee          float64   // what each held asset costs in the objective

	problem *qp.Problem   // in a (n), the programme's other variables, then b (n)
	columns int           // of the programme
	own     *mat.SymDense // its quadratic term; nil: none
	c, lo   []float64     // its own linear term, and its rows' lower limits
	d       []float64     // n
	turn    []float64     // n: t of the last relaxation
	x       []float64     // columns: its solution
	z       []float64     // n
	solver  qp.Solver
	warm    bool
}

// choice is what is decided on an asset.
type choice int8

const (
	undecided choice = iota
	held
	leftOut
)

// newSparse splits a programme that says in base what is minimised over the relaxed set.
func newSparse(base *qp.Problem, n, most int) *sparse {
	columns, m := base.Dims()
	p := &sparse{n: n, most: most, least: make([]float64, n), upper: make([]float64, n), must: make([]choice, n),
		columns: columns, c: make([]float64, columns), lo: append([]float64(nil), base.Lo...), d: make([]float64, n),
		turn: make([]float64, n), x: make([]float64, columns), z: make([]float64, n)}
	copy(p.c, base.C)
	wide := columns + n
	p.problem = &qp.Problem{C: make([]float64, wide), A: mat.NewDense(m, wide, nil),
		Lo: append([]float64(nil), base.Lo...), Hi: append([]float64(nil), base.Hi...),
		Lower: make([]float64, wide), Upper: make([]float64, wide)}
	copy(p.problem.Lower, base.Lower)
	copy(p.problem.Upper, base.Upper)
	for i := range m {
		row := p.problem.A.RawRowView(i)
		copy(row, base.A.RawRowView(i))
		copy(row[columns:], row[:n])
	}
	if base.H == nil {
		return p
	}
	p.problem.H = mat.NewSymDense(wide, nil)
	p.own = base.H
	even := make([]float64, n)
	for j := range even {
		even[j] = 1
	}
	p.split(separable(p.own, even))
	return p
}

// split takes d (n) from the quadratic term as what belongs to one asset alone.
func (p *sparse) split(d []float64) {
	p.d = d
	h, columns := p.problem.H, p.columns
	for i := range p.n {
		for j := i; j < p.n; j++ {
			v := p.own.At(i, j)
			h.SetSym(columns+i, columns+j, v)
			if i == j {
				v -= p.d[i]
			}
			h.SetSym(i, j, v)
			h.SetSym(i, columns+j, v)
			h.SetSym(j, columns+i, v)
		}
	}
}

// separable is the diagonal d, of as many entries as there are weights, that leaves h - d
// positive semidefinite and has the largest sum of weight_j d_j/h_jj: it maximises that and
// u log det(h - d) for a falling u, one entry after another. It is 0 where h is singular.
func separable(h *mat.SymDense, weights []float64) []float64 {
	n := len(weights)
	d, scale := make([]float64, n), make([]float64, n)
	r := mat.NewSymDense(n, nil)
	for j := range n {
		if !(h.At(j, j) > 0) {
			return d
		}
		scale[j] = math.Sqrt(h.At(j, j))
	}
	for i := range n {
		for j := i; j < n; j++ {
			r.SetSym(i, j, h.At(i, j)/scale[i]/scale[j])
		}
	}
	var factor mat.Cholesky
	const worst = 1e9
	if !factor.Factorize(r) || factor.Cond() > worst {
		return d
	}
	var inverse mat.SymDense
	if factor.InverseTo(&inverse) != nil {
		return d
	}
	column := mat.NewVecDense(n, nil)
	for u := 0.3; u > 1e-4; u /= 1.5 {
		for j := range n {
			g := inverse.At(j, j)
			more := max(1/g-u/weights[j], -d[j])
			d[j] += more
			for i := range n {
				column.SetVec(i, inverse.At(i, j))
			}
			inverse.SymRankOne(&inverse, more/(1-more*g), column)
		}
	}
	for range 60 { // until it is sure that what is left is convex
		for j := range n {
			r.SetSym(j, j, 1-d[j])
		}
		if factor.Factorize(r) && factor.Cond() < worst {
			for j := range n {
				d[j] *= scale[j] * scale[j]
			}
			return d
		}
		for j := range n {
			d[j] *= 0.95
		}
	}
	return make([]float64, n)
}

// pose states the relaxation for a choice (n) and a price, and returns what the choice itself
// costs.
func (p *sparse) pose(choices []choice, price float64) (constant float64) {
	q := p.problem
	copy(q.C, p.c)
	copy(q.Lo, p.lo)
	constant = -price * float64(p.most)
	price += p.fee
	for j, chosen := range choices {
		b := p.columns + j
		q.C[b], q.Lower[j], q.Lower[b], q.Upper[j], q.Upper[b], p.turn[j] = p.c[j], 0, 0, 0, 0, 0
		if p.held != nil {
			q.Lo[p.held[j]] = math.Inf(-1)
		}
		switch chosen {
		case held:
			constant += price
			q.Lower[b], q.Upper[b] = p.least[j], p.upper[j]
			if p.held != nil {
				q.Lo[p.held[j]] = 0
			}
		case undecided:
			p.undecide(j, price)
		}
	}
	return constant
}

// undecide states the cost of asset j, which is undecided.
func (p *sparse) undecide(j int, price float64) {
	q, b := p.problem, p.columns+j
	t := math.Inf(1)
	if price == 0 {
		t = 0
	} else if p.d[j] > 0 {
		t = math.Sqrt(2 * price / p.d[j])
	}
	t = min(max(t, p.least[j]), p.upper[j])
	p.turn[j] = t
	switch {
	case t == 0:
		q.Upper[b] = p.upper[j]
	case math.IsInf(t, 1):
		q.Upper[j] = t
	default:
		q.Upper[j], q.Upper[b] = t, p.upper[j]-t
		q.C[j] += p.d[j]*t/2 + price/t
		q.C[b] += p.d[j] * t
	}
}

// relaxed is what a relaxation says: no portfolio of the choice is below bound.
type relaxed struct {
	result *qp.Result
	bound  float64
	count  float64 // sum z
}

// nothing is a weight that is one by rounding alone.
const nothing = 1e-11

// unpack writes the programme's variables to x and what is held of each asset to z.
func (p *sparse) unpack(r *relaxed, choices []choice) {
	copy(p.x, r.result.X[:p.columns])
	r.count = 0
	for j, chosen := range choices {
		a, b := r.result.X[j], r.result.X[p.columns+j]
		p.x[j] = a + b
		switch t := p.turn[j]; {
		case chosen == held:
			p.z[j] = 1
		case chosen == leftOut || p.x[j] <= nothing || math.IsInf(t, 1):
			p.z[j] = 0
		case t == 0:
			p.z[j] = 1
		default:
			if p.z[j] = min(a/t, 1); p.z[j] > 1-1e-9 {
				p.z[j] = 1
			}
		}
		r.count += p.z[j]
	}
}

// pull is how much a larger share of each asset's variance in the split would raise the bound
// of the last relaxation, up to a factor, and a little of each; nil: nothing would.
func (p *sparse) pull() []float64 {
	const even = 0.3
	weights, sum := make([]float64, p.n), 0.0
	for j, z := range p.z {
		if 0 < z && z < 1 {
			weights[j] = p.x[j] * p.turn[j] * (1 - z) * p.own.At(j, j)
			sum += weights[j]
		}
	}
	if !(sum > 0) {
		return nil
	}
	for j := range weights {
		weights[j] = (1-even)*weights[j]/sum*float64(p.n) + even
	}
	return weights
}
