package cpu

import (
	"fmt"
	"slices"
)

// tileSize is about how many elements the functions of a group are applied to in
// turn: few enough that what passes between them stays in the first cache.
const tileSize = 512

// group is elementwise functions of one shape, that are applied tile by tile.
type group struct {
	size int // elements
	// Rows of width elements, over the outer axes. A tile is whole rows, or a
	// piece of one.
	outer       []int
	width, rows int
	loads       []load
	program     []instruction
	// Registers are tiles: of an operand or a result in its place, or slots of
	// scratch memory.
	registers32, registers64 int
	slots32, slots64         []slot
	scratch                  [2]int // slots, by class
	direct                   []direct
}

// slot gives a register scratch memory.
type slot struct{ register, slot int }

// direct gives a register the elements of a store, in order.
type direct struct {
	from     origin
	class    class
	register int
}

// load brings the elements of an operand, that do not lie as the group's do, into
// a register.
type load struct {
	from     origin
	class    class
	register int
	strides  []int // over the outer axes
	step     int   // within a row
	once     bool  // all tiles are alike
}

// instruction applies a function to registers.
type instruction struct {
	code         opcode
	class        class
	dst, x, y, z int
}

func newGroup(members []*value) *group {
	b := &groupBuilder{group: &group{}, registers: map[string]int{}, values: map[*value]int{}}
	b.shape(members)
	b.build(members)
	return b.group
}

// groupBuilder makes a group.
type groupBuilder struct {
	*group
	operands  []view         // from outside, each once
	strides   [][]int        // of the operands, collapsed
	registers map[string]int // of the operands
	values    map[*value]int // registers of members
	last      map[*value]int // instruction that needs a member last
	free      [2][]int       // slots, by class
	slotOf    map[*value]int
}

func key(v view) string { return fmt.Sprint(v.of.store.id, v.offset, v.dims, v.strides) }

// shape finds the operands from outside, and the rows that all can be read by.
func (b *groupBuilder) shape(members []*value) {
	inside := map[*value]bool{}
	for _, m := range members {
		inside[m] = true
	}
	dims := longAxes(members[0].dims)
	lists := [][]int{rowMajor(dims)}
	seen := map[string]bool{}
	for _, m := range members {
		for _, o := range m.operands {
			if inside[o.of] || seen[key(o)] {
				continue
			}
			seen[key(o)] = true
			var strides []int
			for i, d := range o.dims {
				if d != 1 {
					strides = append(strides, o.strides[i])
				}
			}
			b.operands, lists = append(b.operands, o), append(lists, strides)
		}
	}
	b.size = product(dims)
	dims, lists = collapse(dims, lists...)
	if len(dims) == 0 {
		dims = []int{1}
		for i := range lists {
			lists[i] = []int{0}
		}
		lists[0] = []int{1}
	}
	n := len(dims) - 1
	b.outer, b.width, b.rows, b.strides = dims[:n], dims[n], product(dims[:n]), lists
}

func (b *groupBuilder) register(c class) int {
	if c == double {
		b.registers64++
		return b.registers64 - 1
	}
	b.registers32++
	return b.registers32 - 1
}

// slotFor gives a register scratch memory, of a slot that is free.
func (b *groupBuilder) slotFor(c class, register int) int {
	var s int
	if n := len(b.free[c]); n > 0 {
		s = b.free[c][n-1]
		b.free[c] = b.free[c][:n-1]
	} else {
		s = b.scratch[c]
		b.scratch[c]++
	}
	if c == double {
		b.slots64 = append(b.slots64, slot{register, s})
	} else {
		b.slots32 = append(b.slots32, slot{register, s})
	}
	return s
}

func (b *groupBuilder) build(members []*value) {
	n := len(b.outer)
	for i, o := range b.operands {
		c, strides := o.of.class, b.strides[i+1]
		r := b.register(c)
		b.registers[key(o)] = r
		if slices.Equal(strides, b.strides[0]) {
			b.direct = append(b.direct, direct{source(o), c, r})
			continue
		}
		l := load{from: source(o), class: c, register: r, strides: strides[:n], step: strides[n]}
		l.once = !slices.ContainsFunc(l.strides, func(s int) bool { return s != 0 }) &&
			(l.step == 0 || b.width < tileSize)
		b.loads = append(b.loads, l)
		b.slotFor(c, r) // for as long as the group runs
	}
	b.last, b.slotOf = map[*value]int{}, map[*value]int{}
	for i, m := range members {
		for _, o := range m.operands {
			b.last[o.of] = i
		}
	}
	for i, m := range members {
		b.instruction(i, m)
	}
}

func (b *groupBuilder) instruction(i int, m *value) {
	in := instruction{code: m.code, class: m.class}
	for k, o := range m.operands {
		r, ok := b.values[o.of]
		if !ok {
			r = b.registers[key(o)]
		}
		switch k {
		case 0:
			in.x = r
		case 1:
			in.y = r
		case 2:
			in.z = r
		}
	}
	// An operand's slot is free for the result: functions go element by element.
	for _, o := range m.operands {
		if s, ok := b.slotOf[o.of]; ok && b.last[o.of] == i {
			b.free[o.of.class] = append(b.free[o.of.class], s)
			delete(b.slotOf, o.of)
		}
	}
	in.dst = b.register(m.class)
	b.values[m] = in.dst
	if m.store != nil {
		b.direct = append(b.direct, direct{origin{store: m.store}, m.class, in.dst})
	} else {
		b.slotOf[m] = b.slotFor(m.class, in.dst)
	}
	b.program = append(b.program, in)
}

// run applies the program tile by tile.
func (g *group) run(f *frame) {
	if g.size == 0 {
		return
	}
	tileRows, length := 1, g.width
	if g.width < tileSize {
		tileRows = min(tileSize/g.width, g.rows)
	} else {
		pieces := (g.width + tileSize - 1) / tileSize
		length = roundUp((g.width+pieces-1)/pieces, 8)
	}
	tile := tileRows * length
	f.reserve(g, tile)
	for _, s := range g.slots32 {
		f.tiles32[s.register] = f.scratch32[s.slot*tile:][:tile]
	}
	for _, s := range g.slots64 {
		f.tiles64[s.register] = f.scratch64[s.slot*tile:][:tile]
	}
	for i := range g.loads {
		if l := &g.loads[i]; l.once {
			g.load(f, l, 0, tileRows, 0, length)
		}
	}
	for row := 0; row < g.rows; row += tileRows {
		rows := min(tileRows, g.rows-row)
		for from := 0; from < g.width; from += length {
			g.tile(f, row, rows, from, min(length, g.width-from))
		}
	}
}

// tile applies the program to a piece of some rows.
func (g *group) tile(f *frame, row, rows, from, length int) {
	start, size := row*g.width+from, rows*length
	for i := range g.direct {
		d := &g.direct[i]
		if d.class == double {
			f.tiles64[d.register] = f.double[d.from.store.id][d.from.offset+start:]
		} else {
			f.tiles32[d.register] = f.single[d.from.store.id][d.from.offset+start:]
		}
	}
	for i := range g.loads {
		if l := &g.loads[i]; !l.once {
			g.load(f, l, row, rows, from, length)
		}
	}
	for i := range g.program {
		in := &g.program[i]
		switch {
		case in.code == opNarrow:
			narrow64(f.tiles32[in.dst][:size], f.tiles64[in.x])
		case in.code == opWiden:
			widen32(f.tiles64[in.dst][:size], f.tiles32[in.x])
		case in.class == double:
			apply64(in.code, f.tiles64[in.dst][:size], f.tiles64[in.x], f.tiles64[in.y], f.tiles64[in.z])
		default:
			apply32(in.code, f.tiles32[in.dst][:size], f.tiles32[in.x], f.tiles32[in.y], f.tiles32[in.z])
		}
	}
}

func (g *group) load(f *frame, l *load, row, rows, from, length int) {
	if l.class == double {
		loadRows(f.tiles64[l.register], f.double[l.from.store.id], g, l, row, rows, from, length)
	} else {
		loadRows(f.tiles32[l.register], f.single[l.from.store.id], g, l, row, rows, from, length)
	}
}

func loadRows[T float32 | float64](dst, src []T, g *group, l *load, row, rows, from, length int) {
	for r := range rows {
		at, rest := l.from.offset+from*l.step, row+r
		for axis := len(g.outer) - 1; axis >= 0; axis-- {
			at += rest % g.outer[axis] * l.strides[axis]
			rest /= g.outer[axis]
		}
		to := dst[r*length:][:length]
		switch l.step {
		case 0:
			v := src[at]
			for i := range to {
				to[i] = v
			}
		case 1:
			copy(to, src[at:])
		default:
			for i := range to {
				to[i] = src[at+i*l.step]
			}
		}
	}
}

func narrow64(dst []float32, x []float64) {
	for i := range dst {
		dst[i] = float32(x[i])
	}
}

func widen32(dst []float64, x []float32) {
	for i := range dst {
		dst[i] = float64(x[i])
	}
}
