package cpu

import (
	"math"
	"slices"
)

func newStep(members []*value) step {
	switch v := members[0]; v.kind {
	case moved:
		return newMove(v)
	case summed:
		return newReduction(v)
	case multiplied:
		return newMultiplication(v)
	case gathered:
		x, rows := v.operands[0], v.operands[1]
		return &gathering{to: v.store, from: source(x), rows: source(rows), stride: x.strides[0], step: x.strides[1],
			indexStep: rows.strides[0], count: v.dims[0], width: v.dims[1], limit: x.dims[0]}
	}
	return newGroup(members)
}

// origin is where a view begins.
type origin struct {
	store  *store
	offset int
}

func source(v view) origin { return origin{v.of.store, v.offset} }

// move copies pieces to their places.
type move struct {
	to     *store
	pieces []piece
	clear  bool
	fill   float64
}

// piece is copied by rows: rows of width numbers, over the outer axes.
type piece struct {
	from                    origin
	at                      int   // in the store that it is copied to
	outer, outFrom, outTo   []int // axes before the last two, and their strides
	rows, rowFrom, rowTo    int
	width, stepFrom, stepTo int
}

func newMove(v *value) *move {
	m := &move{to: v.store, fill: v.fill}
	covered := 0
	for i, o := range v.operands {
		covered += product(o.dims)
		if o.of.store.parent == v.store && o.of.store.at == v.parts[i].offset && o.all() {
			continue // it was made there
		}
		if product(o.dims) > 0 {
			m.pieces = append(m.pieces, newPiece(o, v.parts[i]))
		}
	}
	m.clear = covered < product(v.dims)
	return m
}

func newPiece(o view, to part) piece {
	dims, strides := collapse(o.dims, o.strides, to.strides)
	for len(dims) < 2 {
		dims = append([]int{1}, dims...)
		strides[0], strides[1] = append([]int{0}, strides[0]...), append([]int{0}, strides[1]...)
	}
	n := len(dims) - 2
	return piece{
		from: source(o), at: to.offset, outer: dims[:n], outFrom: strides[0][:n], outTo: strides[1][:n],
		rows: dims[n], rowFrom: strides[0][n], rowTo: strides[1][n],
		width: dims[n+1], stepFrom: strides[0][n+1], stepTo: strides[1][n+1],
	}
}

func (m *move) run(f *frame) {
	if m.to.class == double {
		runMove(m, f.double, copyRows64)
	} else {
		runMove(m, f.single, copyRows32)
	}
}

func runMove[T float32 | float64](m *move, spaces [][]T, rows func(dst, src []T, p *piece)) {
	to := spaces[m.to.id]
	if m.clear {
		for i := range to {
			to[i] = T(m.fill)
		}
	}
	for i := range m.pieces {
		p := &m.pieces[i]
		from := spaces[p.from.store.id][p.from.offset:]
		if len(p.outer) == 0 {
			rows(to[p.at:], from, p)
			continue
		}
		odometer(p.outer, p.outFrom, p.outTo, func(a, b int) { rows(to[p.at+b:], from[a:], p) })
	}
}

func copyRows32(dst, src []float32, p *piece) {
	if p.stepTo == 1 && p.stepFrom == 1 && p.rows == 1 {
		copy(dst[:p.width], src)
		return
	}
	if p.stepTo == 1 {
		layPanel(dst, p.rowTo, factor{src, p.stepFrom, p.rowFrom}, p.width, p.rows)
		return
	}
	copyRows(dst, src, p)
}

func copyRows64(dst, src []float64, p *piece) { copyRows(dst, src, p) }

func copyRows[T float32 | float64](dst, src []T, p *piece) {
	for r := range p.rows {
		for i := range p.width {
			dst[r*p.rowTo+i*p.stepTo] = src[r*p.rowFrom+i*p.stepFrom]
		}
	}
}

// gathering picks rows by their numbers, which are held within the limit.
type gathering struct {
	to                      *store
	from, rows              origin
	stride, step, indexStep int
	count, width, limit     int
}

func (g *gathering) run(f *frame) {
	rows := f.index[g.rows.store.id][g.rows.offset:]
	if g.to.class == double {
		runGathering(g, f.double, rows)
	} else {
		runGathering(g, f.single, rows)
	}
}

func runGathering[T float32 | float64](g *gathering, spaces [][]T, rows []int32) {
	to, from := spaces[g.to.id], spaces[g.from.store.id]
	if g.limit == 0 {
		clear(to)
		return
	}
	for i := range g.count {
		row := min(max(int(rows[i*g.indexStep]), 0), g.limit-1)
		dst, src := to[i*g.width:][:g.width], from[g.from.offset+row*g.stride:]
		if g.step == 1 {
			copy(dst, src)
			continue
		}
		for j := range dst {
			dst[j] = src[j*g.step]
		}
	}
}

// multiplication is a product of matrices, or of each pair of a batch of them.
type multiplication struct {
	to                         *store
	a, b                       origin
	aStep, aTerm, bStep, bTerm int
	rows, columns, terms       int
	batch, aBatch, bBatch      []int // axes of the batch, and their strides
}

func newMultiplication(v *value) *multiplication {
	m := &multiplication{to: v.store}
	a, b, d := v.operands[0], v.operands[1], v.dot
	m.a, m.rows, m.aStep, m.aTerm, m.terms = side(a, d.lhs[0], d.lhsBatch)
	m.b, m.columns, m.bStep, m.bTerm, m.terms = side(b, d.rhs[0], d.rhsBatch)
	for k, axis := range d.lhsBatch {
		m.batch = append(m.batch, a.dims[axis])
		m.aBatch, m.bBatch = append(m.aBatch, a.strides[axis]), append(m.bBatch, b.strides[d.rhsBatch[k]])
	}
	return m
}

func side(x view, contracting int, batch []int) (from origin, count, step, term, terms int) {
	count, step = 1, 0
	for i, d := range x.dims {
		if i != contracting && !slices.Contains(batch, i) {
			count, step = d, x.strides[i]
		}
	}
	return source(x), count, step, x.strides[contracting], x.dims[contracting]
}

func (m *multiplication) run(f *frame) {
	if m.rows == 0 || m.columns == 0 {
		return
	}
	size := m.rows * m.columns
	to := 0
	odometer(m.batch, m.aBatch, m.bBatch, func(a, b int) {
		if m.to.class == double {
			left := factor64{f.double[m.a.store.id][m.a.offset+a:], m.aStep, m.aTerm}
			right := factor64{f.double[m.b.store.id][m.b.offset+b:], m.bStep, m.bTerm}
			product64(f.double[m.to.id][to:][:size], m.rows, m.columns, m.terms, left, right)
		} else {
			left := factor{f.single[m.a.store.id][m.a.offset+a:], m.aStep, m.aTerm}
			right := factor{f.single[m.b.store.id][m.b.offset+b:], m.bStep, m.bTerm}
			f.panels.product(f.single[m.to.id][to:][:size], m.columns, m.rows, m.columns, m.terms, left, right)
		}
		to += size
	})
}

// reduction adds up (or finds the largest or least) along axes.
type reduction struct {
	code opcode
	to   *store
	from origin
	// Of the axes that stay, the last, of width numbers side by side; 1 where the
	// axis that goes is the innermost.
	outer, outFrom, outTo []int
	width                 int
	gone, goneStrides     []int
	terms                 int // that go, with width 1 side by side
}

// axesOf are the axes of x that stay, and those that go, collapsed.
func axesOf(x view, gone []int) (stay, stayStrides, go_, goStrides []int) {
	var a, b, c, d []int
	for i, n := range x.dims {
		if slices.Contains(gone, i) {
			c, d = append(c, n), append(d, x.strides[i])
		} else {
			a, b = append(a, n), append(b, x.strides[i])
		}
	}
	stay, s := collapse(a, b)
	go_, g := collapse(c, d)
	return stay, s[0], go_, g[0]
}

// reducible says whether a reduction can read x where it is: either the axes
// that go lie side by side, or the last that stays does.
func reducible(x view, gone []int) bool {
	stay, strides, away, awayStrides := axesOf(x, gone)
	if len(away) == 0 || len(away) == 1 && awayStrides[0] == 1 {
		return true
	}
	return len(stay) > 0 && strides[len(strides)-1] == 1
}

func newReduction(v *value) *reduction {
	x := v.operands[0]
	stay, strides, away, awayStrides := axesOf(x, v.axes)
	r := &reduction{code: v.code, to: v.store, from: source(x), width: 1, terms: 1, outer: stay, outFrom: strides}
	to := rowMajor(stay)
	last := len(stay) - 1
	switch {
	case last >= 0 && strides[last] == 1 && !(len(away) == 1 && awayStrides[0] == 1):
		r.width, r.outer, r.outFrom = stay[last], stay[:last], strides[:last]
		to = to[:last]
		r.gone, r.goneStrides = away, awayStrides
	case len(away) == 1:
		r.terms = away[0]
	}
	r.outTo = to
	return r
}

func (r *reduction) run(f *frame) {
	if r.to.class == double {
		runReduction(r, f.double, apply64, chain64)
	} else {
		runReduction(r, f.single, apply32, chain32)
	}
}

func runReduction[T float32 | float64](
	r *reduction, spaces [][]T, apply func(opcode, []T, []T, []T, []T), chain func(opcode, []T) T,
) {
	to, from := spaces[r.to.id], spaces[r.from.store.id]
	if product(r.gone) == 0 || r.terms == 0 {
		for i := range to {
			to[i] = T(map[opcode]float64{opAdd: 0, opMax: math.Inf(-1), opMin: math.Inf(1)}[r.code])
		}
		return
	}
	odometer(r.outer, r.outFrom, r.outTo, func(a, b int) {
		x := from[r.from.offset+a:]
		if r.width == 1 {
			to[b] = chain(r.code, x[:r.terms])
			return
		}
		sum, first := to[b:][:r.width], true
		odometer(r.gone, r.goneStrides, r.goneStrides, func(at, _ int) {
			if first {
				copy(sum, x[at:])
				first = false
				return
			}
			apply(r.code, sum, sum, x[at:][:r.width], nil)
		})
	})
}

// lanes is the number of sums that the numbers of a row are added to in turn,
// before these are added up in order: so the processor can work on many at
// once, and roundings grow less.
const lanes = 16

func chain32(code opcode, x []float32) float32 {
	switch code {
	case opMax:
		return extreme(x, greatest)
	case opMin:
		return extreme(x, least)
	}
	return sum(x)
}

func chain64(code opcode, x []float64) float64 {
	switch code {
	case opMax:
		return slices.Max(x)
	case opMin:
		return slices.Min(x)
	}
	return sum(x)
}

func extreme(x []float32, f func(x, y float32) float32) float32 {
	m := x[0]
	for _, v := range x[1:] {
		m = f(m, v)
	}
	return m
}

func sum[T float32 | float64](x []T) T {
	var lane [lanes]T
	for len(x) >= lanes {
		for i, v := range x[:lanes] {
			lane[i] += v
		}
		x = x[lanes:]
	}
	for i, v := range x {
		lane[i] += v
	}
	total := lane[0]
	for _, v := range lane[1:] {
		total += v
	}
	return total
}
