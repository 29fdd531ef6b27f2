package features

import "math"

// tail keeps the worst returns of a sliding window at hand: the k lowest in
// one heap, the highest of them on top, the rest in another, the lowest of
// them on top. A return enters or leaves in O(log w).
type tail struct {
	w, k        int
	share, mass float64   // see [newTail]
	ring        []float64 // w, the window's returns by t mod w
	worst, rest *heap
	sum         total // of the worst
}

// newTail follows the definitions of package metrics: with mass = (1-level)*w
// and k the mass rounded up, VaR is the k-th worst loss, and CVaR the mean loss
// of the worst mass of returns, in which the k-th enters with the share that
// fills it (Rockafellar & Uryasev 2002, proposition 8).
func newTail(w int, level float64) *tail {
	mass := (1 - level) * float64(w)
	if whole := math.Round(mass); math.Abs(mass-whole) <= 1e-9 {
		mass = whole // (1-0.95)*100 is 5.000000000000004
	}
	k := min(max(int(math.Ceil(mass)), 1), w)
	return &tail{
		w: w, k: k, mass: mass, share: mass - float64(k-1),
		ring: make([]float64, w), worst: newHeap(w), rest: newHeap(w),
	}
}

// slide calls emit with VaR and CVaR of every window of x.
func (q *tail) slide(x []float64, emit func(t int, valueAtRisk, conditional float64)) {
	q.worst.clear()
	q.rest.clear()
	q.sum = total{}
	for t, r := range x {
		slot := t % q.w
		if t >= q.w {
			q.leave(slot)
		}
		q.ring[slot] = r
		q.enter(slot)
		if t >= q.w-1 {
			last := q.ring[q.worst.top()]
			emit(t, -last, -(q.sum.value()-(1-q.share)*last)/q.mass)
		}
	}
}

// enter puts the return of a slot into its heap.
func (q *tail) enter(slot int) {
	if len(q.worst.slots) == q.k {
		top := q.worst.top()
		if q.ring[slot] >= q.ring[top] {
			q.rest.push(slot, -q.ring[slot])
			return
		}
		q.worst.remove(top)
		q.sum.add(-q.ring[top])
		q.rest.push(top, -q.ring[top])
	}
	q.worst.push(slot, q.ring[slot])
	q.sum.add(q.ring[slot])
}

// leave takes the return of a slot out of its heap.
func (q *tail) leave(slot int) {
	if q.rest.holds(slot) {
		q.rest.remove(slot)
		return
	}
	q.worst.remove(slot)
	q.sum.add(-q.ring[slot])
	if len(q.rest.slots) > 0 {
		top := q.rest.top()
		q.rest.remove(top)
		q.worst.push(top, q.ring[top])
		q.sum.add(q.ring[top])
	}
}

// heap holds slots by key, the highest on top, and knows where each is.
type heap struct {
	slots []int
	key   []float64 // of each slot
	place []int     // of each slot in slots, -1: not there
}

func newHeap(size int) *heap {
	h := &heap{slots: make([]int, 0, size), key: make([]float64, size), place: make([]int, size)}
	h.clear()
	return h
}

func (h *heap) clear() {
	h.slots = h.slots[:0]
	for i := range h.place {
		h.place[i] = -1
	}
}

func (h *heap) top() int { return h.slots[0] }

func (h *heap) holds(slot int) bool { return h.place[slot] >= 0 }

func (h *heap) push(slot int, key float64) {
	h.key[slot] = key
	h.slots = append(h.slots, slot)
	h.raise(len(h.slots) - 1)
}

func (h *heap) remove(slot int) {
	i, last := h.place[slot], len(h.slots)-1
	moved := h.slots[last]
	h.slots = h.slots[:last]
	h.place[slot] = -1
	if i < last {
		h.slots[i] = moved
		h.sink(h.raise(i))
	}
}

// raise moves the slot at i up to where it belongs, and returns where.
func (h *heap) raise(i int) int {
	slot := h.slots[i]
	for i > 0 {
		parent := (i - 1) / 2
		if h.key[h.slots[parent]] >= h.key[slot] {
			break
		}
		h.put(i, h.slots[parent])
		i = parent
	}
	h.put(i, slot)
	return i
}

// sink moves the slot at i down to where it belongs.
func (h *heap) sink(i int) {
	slot := h.slots[i]
	for {
		child := 2*i + 1
		if child >= len(h.slots) {
			break
		}
		if child+1 < len(h.slots) && h.key[h.slots[child+1]] > h.key[h.slots[child]] {
			child++
		}
		if h.key[h.slots[child]] <= h.key[slot] {
			break
		}
		h.put(i, h.slots[child])
		i = child
	}
	h.put(i, slot)
}

func (h *heap) put(i, slot int) {
	h.slots[i] = slot
	h.place[slot] = i
}

// total is a running sum in twice the precision (Dekker 1971): what is added
// and taken away again leaves nothing behind.
type total struct{ high, low float64 }

func (s *total) add(x float64) {
	sum := s.high + x
	back := sum - s.high
	s.low += (s.high - (sum - back)) + (x - back)
	s.high = sum + s.low
	s.low -= s.high - sum
}

func (s *total) value() float64 { return s.high + s.low }
