package cpu

import (
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
)

// Backend is a [compute.Backend] on the processor. It is safe for concurrent
// use, as what it compiles is.
type Backend struct {
	lender    compute.Backend // GoMLX's, which builds graphs and runs those with other operations
	finalized atomic.Bool
	pool      pool
}

// New returns a backend.
func New() (*Backend, error) {
	// Sequential: GoMLX 0.28's parallel mode can deadlock.
	lender, err := gobackend.New("ops_sequential")
	if err != nil {
		return nil, err
	}
	return &Backend{lender: lender}, nil
}

// Name returns "cpu".
func (b *Backend) Name() string { return "cpu" }

// String returns the name.
func (b *Backend) String() string { return b.Name() }

// Description says what runs the graphs.
func (b *Backend) Description() string { return "planned graphs on the processor, " + level.String() }

// NumDevices returns 1.
func (b *Backend) NumDevices() int { return 1 }

// DeviceDescription describes the one device.
func (b *Backend) DeviceDescription(compute.DeviceNum) string { return "processor" }

// Capabilities are those of GoMLX's Go backend, which takes what this one does
// not run itself.
func (b *Backend) Capabilities() compute.Capabilities { return b.lender.Capabilities() }

// Builder returns a builder of graphs.
func (b *Backend) Builder(name string) compute.Builder {
	return &builder{Builder: b.lender.Builder(name), backend: b}
}

// HasSharedBuffers returns true: a buffer's values are a Go slice.
func (b *Backend) HasSharedBuffers() bool { return true }

// NewSharedBuffer returns a buffer of zeros and its values.
func (b *Backend) NewSharedBuffer(device compute.DeviceNum, shape shapes.Shape) (compute.Buffer, any, error) {
	if device != 0 {
		return nil, nil, errDevice(device)
	}
	flat := reflect.MakeSlice(reflect.SliceOf(shape.DType.GoType()), shape.Size(), shape.Size()).Interface()
	return &buffer{backend: b, shape: shape, flat: flat}, flat, nil
}

// BufferFromFlatData returns a buffer with a copy of the values.
func (b *Backend) BufferFromFlatData(device compute.DeviceNum, flat any, shape shapes.Shape) (compute.Buffer, error) {
	v := reflect.ValueOf(flat)
	if v.Kind() != reflect.Slice || v.Type().Elem() != shape.DType.GoType() || v.Len() != shape.Size() {
		return nil, fmt.Errorf("cpu: %d values of %T don't make a buffer of shape %s", length(v), flat, shape)
	}
	made, to, err := b.NewSharedBuffer(device, shape)
	if err == nil {
		reflect.Copy(reflect.ValueOf(to), v)
	}
	return made, err
}

func length(v reflect.Value) int {
	if v.Kind() != reflect.Slice {
		return 0
	}
	return v.Len()
}

func errDevice(device compute.DeviceNum) error {
	return fmt.Errorf("cpu: no device %d, there is only 0", device)
}

// Finalize ends the backend.
func (b *Backend) Finalize() {
	if b.finalized.CompareAndSwap(false, true) {
		b.pool.drop()
		b.lender.Finalize()
	}
}

// IsFinalized says whether Finalize has been called.
func (b *Backend) IsFinalized() bool { return b.finalized.Load() }

// buffer holds the values of an array.
type buffer struct {
	backend *Backend
	shape   shapes.Shape
	flat    any // nil: finalized
}

func (b *buffer) check() error {
	if b == nil || b.flat == nil {
		return fmt.Errorf("cpu: the buffer has been finalized, or given away")
	}
	return nil
}

func (b *buffer) Backend() compute.Backend { return b.backend }

func (b *buffer) Finalize() error {
	if err := b.check(); err != nil {
		return err
	}
	b.flat = nil // not to the pool: Data may be in somebody's hands
	return nil
}

func (b *buffer) Shape() (shapes.Shape, error) { return b.shape, b.check() }

func (b *buffer) DeviceNum() (compute.DeviceNum, error) { return 0, b.check() }

func (b *buffer) ToFlatData(flat any) error {
	if err := b.check(); err != nil {
		return err
	}
	to, from := reflect.ValueOf(flat), reflect.ValueOf(b.flat)
	if to.Type() != from.Type() || to.Len() != from.Len() {
		return fmt.Errorf("cpu: a buffer of shape %s doesn't go into %d values of %T", b.shape, length(to), flat)
	}
	reflect.Copy(to, from)
	return nil
}

func (b *buffer) Data() (any, error) { return b.flat, b.check() }

func (b *buffer) CopyToDevice(device compute.DeviceNum) (compute.Buffer, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	return b.backend.BufferFromFlatData(device, b.flat, b.shape)
}

// pool keeps float32 arrays that executions were given to keep, for the outputs
// of later ones, so that a loop of training steps allocates nothing.
type pool struct {
	mu   sync.Mutex
	free map[int][][]float32 // by their length
}

// pooled is how many arrays of a length the pool keeps.
const pooled = 8

func (p *pool) get(size int) []float32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if list := p.free[size]; len(list) > 0 {
		p.free[size] = list[:len(list)-1]
		return list[len(list)-1]
	}
	return make([]float32, size)
}

func (p *pool) put(v []float32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.free == nil {
		p.free = map[int][][]float32{}
	}
	if list := p.free[len(v)]; len(list) < pooled {
		p.free[len(v)] = append(list, v)
	}
}

func (p *pool) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = nil
}

// borrowed is a graph that GoMLX's backend runs.
type borrowed struct {
	compute.Executable
	backend *Backend
}

func (e *borrowed) Execute(inputs []compute.Buffer, donate []bool, device compute.DeviceNum) ([]compute.Buffer, error) {
	lender := e.backend.lender
	copies := make([]compute.Buffer, len(inputs))
	given := make([]bool, len(inputs)) // the copies are nobody else's
	for i, input := range inputs {
		b, err := e.backend.own(input)
		if err != nil {
			return nil, err
		}
		if copies[i], err = lender.BufferFromFlatData(0, b.flat, b.shape); err != nil {
			return nil, err
		}
		given[i] = true
	}
	for i, input := range inputs {
		if i < len(donate) && donate[i] {
			input.(*buffer).flat = nil
		}
	}
	results, err := e.Executable.Execute(copies, given, device)
	if err != nil {
		return nil, err
	}
	for i, r := range results {
		shape, err := r.Shape()
		if err != nil {
			return nil, err
		}
		flat, err := r.Data()
		if err != nil {
			return nil, err
		}
		if results[i], err = e.backend.BufferFromFlatData(0, flat, shape); err != nil {
			return nil, err
		}
		if err := r.Finalize(); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// own returns b as one of the backend's buffers.
func (b *Backend) own(x compute.Buffer) (*buffer, error) {
	own, ok := x.(*buffer)
	if !ok || own.backend != b {
		return nil, fmt.Errorf("cpu: an input is a buffer of another backend")
	}
	return own, own.check()
}
