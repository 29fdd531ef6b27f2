package simplex

import "math"

// sectors projects onto a convex set whose groups have no asset in common and
// each of their members whole, as sectors are. Let w_i = clamp(v_i - t - u_g, lower_i,
// upper_i) with multipliers t of the budget and u_g of sector g. A sector whose
// sum at u_g = 0 is within its limits has no multiplier; another one has the sum
// of its limit, whatever t is. So the sum of all weights is a function of t
// alone, falling along pieces of straight lines as that of a box does, and
// Newton's method finds which sectors are at a limit. Each of those is then a
// box with a given sum, and all other assets together are one more.
type sectors struct {
	parts []part
	order []int // N: the assets, part after part, in each by index
	box   *box

	lower, upper []float64 // N bounds, in that order
	given, x     []float64 // N: the input in that order, then brought near the threshold
	rest         [4][]float64
	free         []bool // N: the weights strictly between their bounds
	others       int    // how many of them are in parts at no limit
	missing      float64
}

// part is a sector, or, as the last one, what is in none.
type part struct {
	from, to int     // its places in the order
	lo, hi   float64 // limits of its sum
	limit    float64 // that which it is at, NaN for none
	missing  float64 // what its sum is short of the limit
	free     int     // weights strictly between their bounds
}

func (p *part) atLimit() bool { return p.limit == p.limit }

// newSectors returns nil where the groups are not of that kind.
func newSectors(s Set) *sectors {
	t := &sectors{order: make([]int, 0, s.N), free: make([]bool, s.N)}
	taken := make([]bool, s.N)
	add := func(lo, hi float64, member func(i int) bool) {
		p := part{from: len(t.order), lo: lo, hi: hi}
		for i := range s.N {
			if member(i) {
				t.order, taken[i] = append(t.order, i), true
			}
		}
		p.to = len(t.order)
		t.parts = append(t.parts, p)
	}
	for _, g := range s.Groups {
		for i, share := range g.Share {
			if share != 0 && (share != 1 || taken[i]) {
				return nil
			}
		}
		add(g.Lo, g.Hi, func(i int) bool { return g.Share[i] == 1 })
	}
	add(math.Inf(-1), math.Inf(1), func(i int) bool { return !taken[i] })
	lower, upper := s.bounds()
	reach := 0.0
	for _, i := range t.order {
		t.lower, t.upper = append(t.lower, lower[i]), append(t.upper, upper[i])
		reach = max(reach, -lower[i], upper[i])
	}
	t.box = newBox(s.N, reach)
	for _, v := range []*[]float64{&t.given, &t.x, &t.rest[0], &t.rest[1], &t.rest[2], &t.rest[3]} {
		*v = make([]float64, s.N)
	}
	return t
}

// project writes the nearest point to v, finite but of any size, into dst, which
// may be v.
func (s *sectors) project(dst, v []float64) {
	for k, i := range s.order {
		s.given[k] = v[i]
	}
	s.decide()
	x, lower, upper, w := s.rest[0], s.rest[1], s.rest[2], s.rest[3]
	total, count := 1.0, 0
	for k := range s.parts {
		p := &s.parts[k]
		given, least, most := s.given[p.from:p.to], s.lower[p.from:p.to], s.upper[p.from:p.to]
		if !p.atLimit() {
			copy(x[count:], given)
			copy(lower[count:], least)
			count += copy(upper[count:], most)
			continue
		}
		total -= p.limit
		if p.from < p.to {
			s.box.projectTo(p.limit, s.x[p.from:p.to], given, least, most)
		}
	}
	if count > 0 {
		s.box.projectTo(total, w[:count], x[:count], lower[:count], upper[:count])
	}
	for k := range s.parts {
		p := &s.parts[k]
		if !p.atLimit() {
			w = w[copy(s.x[p.from:p.to], w):]
		}
	}
	for k, i := range s.order {
		dst[i] = s.x[k]
	}
}

// decide finds which sectors are at a limit in the projection, as threshold finds
// the piece of a box.
func (s *sectors) decide() {
	s.x = append(s.x[:0], s.given...)
	if limit := 8 * (s.box.reach + 1); !within(s.x, limit) {
		centre := s.box.centre(1, s.given, func(t float64) float64 {
			free, fixed, _ := s.sumAt(t)
			return free + fixed
		})
		for k, v := range s.given {
			s.x[k] = clamp(v-centre, -limit, limit)
		}
	}
	from, to, t := bracket(1, s.x, s.lower, s.upper)
	piece, pieceFree := math.NaN(), 0
	for {
		free, fixed, count := s.sumAt(t)
		excess := free + fixed - 1
		if excess >= 0 {
			from = t
		} else {
			to = t
		}
		if count == 0 && math.Abs(excess) < 1e-14 {
			return // all are at a limit, as where those of the sectors sum to 1
		}
		next := from + (to-from)/2
		if count > 0 {
			if fixed == piece && count == pieceFree && math.Abs(excess) < 1e-13 {
				return
			}
			if step := t + excess/float64(count); step > from && step < to {
				next = step
			}
		}
		if excess == 0 || next <= from || next >= to {
			return // no number lies between
		}
		t, piece, pieceFree = next, fixed, count
	}
}

// sumAt adds up the weights at the threshold t, those that move with it and the
// others, and notes which sectors are at a limit there.
func (s *sectors) sumAt(t float64) (free, fixed float64, count int) {
	for k := range s.parts {
		p := &s.parts[k]
		var moving, still float64
		moved := 0
		for i := p.from; i < p.to; i++ {
			switch y := s.x[i] - t; {
			case y <= s.lower[i]:
				still += s.lower[i]
			case y >= s.upper[i]:
				still += s.upper[i]
			default:
				moving += y
				moved++
			}
		}
		switch sum := moving + still; {
		case sum > p.hi:
			p.limit, fixed = p.hi, fixed+p.hi
		case sum < p.lo:
			p.limit, fixed = p.lo, fixed+p.lo
		default:
			p.limit, free, fixed, count = math.NaN(), free+moving, fixed+still, count+moved
		}
	}
	return free, fixed, count
}

// find determines the active set at w: the weights strictly between their bounds,
// and the sectors at a limit.
func (s *sectors) find(w, lower, upper []float64) {
	s.others, s.missing = 0, 1
	for _, x := range w {
		s.missing -= x
	}
	for k := range s.parts {
		p := &s.parts[k]
		sum := 0.0
		p.free = 0
		for _, i := range s.order[p.from:p.to] {
			s.free[i] = lower[i] < w[i] && w[i] < upper[i]
			if s.free[i] {
				p.free++
			}
			sum += w[i]
		}
		switch {
		case sum >= p.hi-nearby:
			p.limit = p.hi
		case sum <= p.lo+nearby:
			p.limit = p.lo
		default:
			p.limit = math.NaN()
			s.others += p.free
			continue
		}
		p.missing = p.limit - sum
	}
}

// restore puts w between its bounds, finds its active set, and takes out of w the
// rounding errors of its sums by the smallest change of the free weights.
func (s *sectors) restore(w, lower, upper []float64) {
	for range 4 {
		for i := range w {
			w[i] = clamp(w[i], lower[i], upper[i])
		}
		s.find(w, lower, upper)
		left, worst := s.missing, 0.0
		for k := range s.parts {
			if p := &s.parts[k]; p.atLimit() && p.free > 0 {
				left -= p.missing
				worst = max(worst, math.Abs(p.missing))
			}
		}
		if s.others > 0 {
			worst = max(worst, math.Abs(s.missing))
		}
		if worst <= Tolerance/10 {
			return
		}
		for k := range s.parts {
			p := &s.parts[k]
			if p.atLimit() {
				s.shift(w, p, p.missing/float64(p.free))
			} else {
				s.shift(w, p, left/float64(s.others))
			}
		}
	}
	for i := range w {
		w[i] = clamp(w[i], lower[i], upper[i])
	}
	s.find(w, lower, upper)
}

// shift adds to the free weights of a part.
func (s *sectors) shift(w []float64, p *part, by float64) {
	for _, i := range s.order[p.from:p.to] {
		if s.free[i] {
			w[i] += by
		}
	}
}

// tangent takes the part of g out that would move the sum of a sector at its limit,
// or that of the assets in no such sector, and everything at weights that are not free.
func (s *sectors) tangent(g []float64) {
	sum := func(p *part) (total float64) {
		for _, i := range s.order[p.from:p.to] {
			if s.free[i] {
				total += g[i]
			} else {
				g[i] = 0
			}
		}
		return total
	}
	others := 0.0
	for k := range s.parts {
		if p := &s.parts[k]; p.atLimit() {
			s.shift(g, p, -sum(p)/float64(p.free))
		} else {
			others += sum(p)
		}
	}
	for k := range s.parts {
		if p := &s.parts[k]; !p.atLimit() {
			s.shift(g, p, -others/float64(s.others))
		}
	}
}

// violation is by how much w misses the limits of sectors.
func (s *sectors) violation(w []float64) (worst float64) {
	for k := range s.parts {
		p := &s.parts[k]
		sum := 0.0
		for _, i := range s.order[p.from:p.to] {
			sum += w[i]
		}
		worst = max(worst, p.lo-sum, sum-p.hi)
	}
	return worst
}
