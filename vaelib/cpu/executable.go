package cpu

import (
	"errors"
	"fmt"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// executable runs a planned graph.
type executable struct {
	backend *Backend
	plan    *plan
	names   []string
	inputs  []shapes.Shape
	outputs []shapes.Shape
	frames  sync.Pool
}

func newExecutable(b *Backend, f *function) (compute.Executable, error) {
	made, err := newPlan(len(f.parameters), f.outputs)
	if errors.Is(err, errForeign) {
		return f.builder.lend()
	}
	if err != nil {
		return nil, err
	}
	e := &executable{backend: b, plan: made, names: f.names}
	for _, n := range f.parameters {
		e.inputs = append(e.inputs, n.shape)
	}
	for _, n := range f.outputs {
		e.outputs = append(e.outputs, n.shape)
	}
	e.frames.New = func() any { return newFrame(made) }
	return e, nil
}

func (e *executable) Finalize() { e.plan = nil }

func (e *executable) Inputs() ([]string, []shapes.Shape) { return e.names, e.inputs }

func (e *executable) Outputs() []shapes.Shape { return e.outputs }

// Execute runs the graph. Any number of executions may run at once.
func (e *executable) Execute(
	inputs []compute.Buffer, donate []bool, device compute.DeviceNum,
) ([]compute.Buffer, error) {
	switch {
	case e.plan == nil:
		return nil, errors.New("cpu: the graph has been finalized")
	case device != 0:
		return nil, errDevice(device)
	case len(inputs) != len(e.inputs):
		return nil, fmt.Errorf("cpu: the graph takes %d inputs, got %d", len(e.inputs), len(inputs))
	case len(donate) > 0 && len(donate) != len(inputs):
		return nil, fmt.Errorf("cpu: %d inputs with %d marks of what is donated", len(inputs), len(donate))
	}
	buffers := make([]*buffer, len(inputs))
	for i, x := range inputs {
		b, err := e.backend.own(x)
		if err != nil {
			return nil, fmt.Errorf("input %d (%q): %w", i, e.names[i], err)
		}
		if !b.shape.Equal(e.inputs[i]) {
			return nil, fmt.Errorf("cpu: input %d (%q) has shape %s, want %s", i, e.names[i], b.shape, e.inputs[i])
		}
		buffers[i] = b
	}
	f := e.frames.Get().(*frame)
	defer e.frames.Put(f)
	defer f.release(e.plan)
	f.bind(e.plan, buffers)
	outputs := make([]compute.Buffer, len(e.outputs))
	for i, shape := range e.outputs {
		outputs[i] = f.output(e.backend, e.plan.outputs[i], shape)
	}
	f.place(e.plan)
	for _, s := range e.plan.steps {
		s.run(f)
	}
	for i, b := range buffers {
		if i < len(donate) && donate[i] && b.flat != nil {
			if v, ok := b.flat.([]float32); ok {
				e.backend.pool.put(v)
			}
			b.flat = nil
		}
	}
	return outputs, nil
}

// frame is the memory of one execution.
type frame struct {
	space32   []float32
	space64   []float64
	single    [][]float32 // by store
	double    [][]float64
	index     [][]int32
	tiles32   [][]float32 // registers of the group that runs
	tiles64   [][]float64
	scratch32 []float32
	scratch64 []float64
	panels    panels
}

func newFrame(p *plan) *frame {
	n := len(p.stores)
	f := &frame{
		space32: make([]float32, p.singles), space64: make([]float64, p.doubles),
		single: make([][]float32, n), double: make([][]float64, n), index: make([][]int32, n),
	}
	for _, s := range p.stores {
		switch {
		case s.kind == fixed && s.class == double:
			f.double[s.id] = s.constant64
		case s.kind == fixed:
			f.single[s.id] = s.constant32
		case s.kind == planned && s.parent == nil && s.class == double:
			f.double[s.id] = f.space64[s.offset:][:s.size]
		case s.kind == planned && s.parent == nil:
			f.single[s.id] = f.space32[s.offset:][:s.size]
		}
	}
	return f
}

// bind puts the inputs in their places.
func (f *frame) bind(p *plan, inputs []*buffer) {
	for i, s := range p.inputs {
		if s == nil {
			continue
		}
		switch v := inputs[i].flat.(type) {
		case []float32:
			f.single[s.id] = v
		case []float64:
			f.double[s.id] = v
		case []int32:
			f.index[s.id] = v
		}
	}
}

// output makes the buffer of an output.
func (f *frame) output(b *Backend, s *store, shape shapes.Shape) *buffer {
	if shape.DType == dtypes.Float64 {
		f.double[s.id] = make([]float64, s.size)
		return &buffer{backend: b, shape: shape, flat: f.double[s.id]}
	}
	f.single[s.id] = b.pool.get(s.size)
	return &buffer{backend: b, shape: shape, flat: f.single[s.id]}
}

// place finds the pieces of stores that are pieces of others.
func (f *frame) place(p *plan) {
	for _, s := range p.stores {
		if s.parent == nil {
			continue
		}
		at, whole := s.at, s.parent
		for ; whole.parent != nil; whole = whole.parent {
			at += whole.at
		}
		if s.class == double {
			f.double[s.id] = f.double[whole.id][at:][:s.size]
		} else {
			f.single[s.id] = f.single[whole.id][at:][:s.size]
		}
	}
}

// release lets go of what belongs to others.
func (f *frame) release(p *plan) {
	for _, s := range p.stores {
		if s.kind == input || s.kind == output || s.parent != nil {
			f.single[s.id], f.double[s.id], f.index[s.id] = nil, nil, nil
		}
	}
	clear(f.tiles32)
	clear(f.tiles64)
}

// reserve makes room for a group with tiles of a size.
func (f *frame) reserve(g *group, tile int) {
	grow(&f.tiles32, max(1, g.registers32))
	grow(&f.tiles64, max(1, g.registers64))
	grow(&f.scratch32, g.scratch[single]*tile)
	grow(&f.scratch64, g.scratch[double]*tile)
}
