package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
)

// choices are what a random graph is made of: numbers that end at some point.
type choices struct{ data []byte }

func (c *choices) below(n int) int {
	if len(c.data) == 0 || n < 2 {
		return 0
	}
	v := int(c.data[0]) % n
	c.data = c.data[1:]
	return v
}

// draft is a graph under construction on two backends at once: what is done to
// one is done to the other.
type draft struct {
	t         testing.TB
	choices   *choices
	functions [2]compute.Function
	values    [][2]compute.Value
	shapes    []shapes.Shape
	inputs    []any // flat values
	inShapes  []shapes.Shape
	steady    []bool // values that are not rounded differently: safe to compare
}

func (d *draft) keep(steady bool, f func(f compute.Function, k int) (compute.Value, error)) bool {
	var pair [2]compute.Value
	var errs [2]error
	for k := range 2 {
		pair[k], errs[k] = f(d.functions[k], k)
	}
	if (errs[0] == nil) != (errs[1] == nil) || errs[0] != nil && errs[0].Error() != errs[1].Error() {
		d.t.Fatalf("one backend says %v, the other %v", errs[0], errs[1])
	}
	if errs[0] != nil {
		return false
	}
	shape, err := d.functions[0].Shape(pair[0])
	if err != nil {
		d.t.Fatal(err)
	}
	if shape.Size() > 1<<14 {
		return false
	}
	d.values, d.shapes, d.steady = append(d.values, pair), append(d.shapes, shape), append(d.steady, steady)
	return true
}

func (d *draft) input(shape shapes.Shape, flat any) {
	d.inputs, d.inShapes = append(d.inputs, flat), append(d.inShapes, shape)
	d.keep(true, func(f compute.Function, _ int) (compute.Value, error) {
		return f.Parameter(fmt.Sprint("input", len(d.inputs)), shape, nil)
	})
}

// pick returns a value of one of the types.
func (d *draft) pick(types ...dtypes.DType) int {
	from := d.choices.below(len(d.values))
	for k := range d.values {
		i := (from + k) % len(d.values)
		for _, dtype := range types {
			if d.shapes[i].DType == dtype {
				return i
			}
		}
	}
	return 0
}

// like returns a value of i's type and shape, or one that broadcasts with it.
func (d *draft) like(i int) int {
	from := d.choices.below(len(d.values))
	for k := range d.values {
		j := (from + k) % len(d.values)
		a, b := d.shapes[i], d.shapes[j]
		if a.DType != b.DType || !b.IsScalar() && a.Rank() != b.Rank() {
			continue
		}
		fits := true
		for axis, n := range b.Dimensions {
			m := a.Dimensions[axis]
			fits = fits && (n == m || n == 1 && m > 0 || m == 1 && n > 0)
		}
		if fits {
			return j
		}
	}
	return i
}

type (
	unaryOp  = func(f compute.Function) func(x compute.Value) (compute.Value, error)
	binaryOp = func(f compute.Function) func(x, y compute.Value) (compute.Value, error)
	reduceOp = func(f compute.Function) func(x compute.Value, axes ...int) (compute.Value, error)
)

var unaryOps = []unaryOp{
	func(f compute.Function) func(compute.Value) (compute.Value, error) { return f.Neg },
	func(f compute.Function) func(compute.Value) (compute.Value, error) { return f.Abs },
	func(f compute.Function) func(compute.Value) (compute.Value, error) { return f.Exp },
	func(f compute.Function) func(compute.Value) (compute.Value, error) { return f.Log },
	func(f compute.Function) func(compute.Value) (compute.Value, error) { return f.Log1p },
	func(f compute.Function) func(compute.Value) (compute.Value, error) { return f.Sqrt },
	func(f compute.Function) func(compute.Value) (compute.Value, error) { return f.Rsqrt },
	func(f compute.Function) func(compute.Value) (compute.Value, error) { return f.Tanh },
	func(f compute.Function) func(compute.Value) (compute.Value, error) { return f.Logistic },
	func(f compute.Function) func(compute.Value) (compute.Value, error) { return f.Identity },
}

var binaryOps = []binaryOp{
	func(f compute.Function) func(x, y compute.Value) (compute.Value, error) { return f.Add },
	func(f compute.Function) func(x, y compute.Value) (compute.Value, error) { return f.Sub },
	func(f compute.Function) func(x, y compute.Value) (compute.Value, error) { return f.Mul },
	func(f compute.Function) func(x, y compute.Value) (compute.Value, error) { return f.Div },
	func(f compute.Function) func(x, y compute.Value) (compute.Value, error) { return f.Max },
	func(f compute.Function) func(x, y compute.Value) (compute.Value, error) { return f.Min },
}

var comparisons = []binaryOp{
	func(f compute.Function) func(x, y compute.Value) (compute.Value, error) { return f.LessThan },
	func(f compute.Function) func(x, y compute.Value) (compute.Value, error) { return f.LessOrEqual },
	func(f compute.Function) func(x, y compute.Value) (compute.Value, error) { return f.GreaterThan },
	func(f compute.Function) func(x, y compute.Value) (compute.Value, error) { return f.GreaterOrEqual },
	func(f compute.Function) func(x, y compute.Value) (compute.Value, error) { return f.Equal },
	func(f compute.Function) func(x, y compute.Value) (compute.Value, error) { return f.NotEqual },
}

var reductions = []reduceOp{
	func(f compute.Function) func(x compute.Value, axes ...int) (compute.Value, error) { return f.ReduceSum },
	func(f compute.Function) func(x compute.Value, axes ...int) (compute.Value, error) { return f.ReduceMax },
	func(f compute.Function) func(x compute.Value, axes ...int) (compute.Value, error) { return f.ReduceMin },
}

// grow adds a random operation. It may not fit, which both backends then say.
func (d *draft) grow() {
	c := d.choices
	i := d.pick(dtypes.Float32, dtypes.Float64)
	j := d.like(i)
	x, y, shape := d.values[i], d.values[j], d.shapes[i]
	steady := d.steady[i]
	pair := steady && d.steady[j]
	unary := func(op unaryOp, steady bool) {
		d.keep(steady, func(f compute.Function, k int) (compute.Value, error) { return op(f)(x[k]) })
	}
	switch c.below(16) {
	case 0, 1:
		unary(unaryOps[c.below(len(unaryOps))], false)
	case 2, 3:
		op := binaryOps[c.below(len(binaryOps))]
		d.keep(false, func(f compute.Function, k int) (compute.Value, error) { return op(f)(x[k], y[k]) })
	case 4: // a choice, by a comparison of numbers that both know exactly
		if !pair || !shape.Equal(d.shapes[j]) {
			return
		}
		op := comparisons[c.below(len(comparisons))]
		if !d.keep(true, func(f compute.Function, k int) (compute.Value, error) { return op(f)(x[k], y[k]) }) {
			return
		}
		is := d.values[len(d.values)-1]
		switch c.below(3) {
		case 0:
			d.keep(true, func(f compute.Function, k int) (compute.Value, error) { return f.ConvertDType(is[k], shape.DType) })
		case 1:
			d.keep(true, func(f compute.Function, k int) (compute.Value, error) { return f.LogicalNot(is[k]) })
		}
		is = d.values[len(d.values)-1]
		if d.shapes[len(d.values)-1].DType == dtypes.Bool {
			d.keep(pair, func(f compute.Function, k int) (compute.Value, error) { return f.Where(is[k], x[k], y[k]) })
		}
	case 5:
		other := map[dtypes.DType]dtypes.DType{dtypes.Float32: dtypes.Float64, dtypes.Float64: dtypes.Float32}[shape.DType]
		d.keep(false, func(f compute.Function, k int) (compute.Value, error) { return f.ConvertDType(x[k], other) })
	case 6:
		dims := factorise(c, shape.Size())
		d.keep(steady, func(f compute.Function, k int) (compute.Value, error) { return f.Reshape(x[k], dims...) })
	case 7:
		order := permutation(c, shape.Rank())
		d.keep(steady, func(f compute.Function, k int) (compute.Value, error) { return f.Transpose(x[k], order...) })
	case 8:
		var starts, limits, strides []int
		for _, n := range shape.Dimensions {
			start := c.below(n)
			starts, limits, strides = append(starts, start), append(limits, start+1+c.below(n-start)), append(strides, 1+c.below(3)/2)
		}
		d.keep(steady, func(f compute.Function, k int) (compute.Value, error) { return f.Slice(x[k], starts, limits, strides) })
	case 9:
		dims, at := []int{}, []int{}
		for axis, n := range shape.Dimensions {
			if c.below(3) == 0 {
				dims = append(dims, 1+c.below(4))
			}
			if n == 1 && c.below(2) == 0 {
				n = 1 + c.below(5)
			}
			at, dims = append(at, len(dims)), append(dims, n)
			_ = axis
		}
		if c.below(2) == 0 {
			dims = append(dims, 1+c.below(4))
		}
		to := shapes.Make(shape.DType, dims...)
		d.keep(steady, func(f compute.Function, k int) (compute.Value, error) { return f.BroadcastInDim(x[k], to, at) })
	case 10:
		axis := c.below(shape.Rank())
		d.keep(pair, func(f compute.Function, k int) (compute.Value, error) { return f.Concatenate(axis, x[k], y[k], x[k]) })
	case 11:
		op := reductions[c.below(len(reductions))]
		var axes []int
		for axis := range shape.Rank() {
			if c.below(2) == 0 {
				axes = append(axes, axis)
			}
		}
		d.keep(false, func(f compute.Function, k int) (compute.Value, error) { return op(f)(x[k], axes...) })
	case 12:
		l := i
		left := d.shapes[l]
		if left.Rank() == 0 || left.Rank() > 2 {
			return
		}
		contract := c.below(left.Rank())
		for r, right := range d.shapes {
			if right.DType != left.DType || right.Rank() == 0 || right.Rank() > 2 {
				continue
			}
			for axis, n := range right.Dimensions {
				if n == left.Dimensions[contract] && c.below(2) == 0 {
					d.keep(false, func(f compute.Function, k int) (compute.Value, error) {
						return f.DotGeneral(d.values[l][k], []int{contract}, nil, d.values[r][k], []int{axis}, nil, compute.DotGeneralConfig{})
					})
					return
				}
			}
		}
	case 13:
		var pads []compute.PadAxis
		for range shape.Rank() {
			pads = append(pads, compute.PadAxis{Start: c.below(3), End: c.below(3)})
		}
		zero := any([]float32{1.5})
		if shape.DType == dtypes.Float64 {
			zero = []float64{1.5}
		}
		d.keep(steady, func(f compute.Function, k int) (compute.Value, error) {
			fill, err := f.Constant(zero)
			if err != nil {
				return nil, err
			}
			return f.Pad(x[k], fill, pads...)
		})
	case 14:
		d.keep(false, func(f compute.Function, k int) (compute.Value, error) {
			bounds := [2]compute.Value{}
			for e, v := range []float64{-0.5, 0.75} {
				flat := any([]float32{float32(v)})
				if shape.DType == dtypes.Float64 {
					flat = []float64{v}
				}
				var err error
				if bounds[e], err = f.Constant(flat); err != nil {
					return nil, err
				}
			}
			return f.Clamp(bounds[0], x[k], bounds[1])
		})
	case 15: // the first input by rows that the last one gives
		d.keep(true, func(f compute.Function, k int) (compute.Value, error) {
			return f.Gather(d.values[0][k], d.values[len(d.inputs)-1][k], 1, []int{1}, []int{0}, []int{0}, []int{1, d.shapes[0].Dimensions[1]}, false)
		})
	}
}

func factorise(c *choices, size int) (dims []int) {
	for size > 1 {
		n := 1 + c.below(size)
		for size%n != 0 {
			n--
		}
		if n == 1 && c.below(2) == 0 {
			break
		}
		dims = append(dims, n)
		size /= n
	}
	return append(dims, size)
}

func permutation(c *choices, n int) []int {
	order := axes(n)
	for i := n - 1; i > 0; i-- {
		j := c.below(i + 1)
		order[i], order[j] = order[j], order[i]
	}
	return order
}

// checkGraph makes a graph of the choices on this backend and on GoMLX's, and
// compares their results, at every level. It returns false where GoMLX's fails.
func checkGraph(t testing.TB, data []byte) (compared bool) {
	c := &choices{data}
	here, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer here.Finalize()
	reference, err := gobackend.New("ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	defer reference.Finalize()
	builders := [2]compute.Builder{here.Builder("graph"), reference.Builder("graph")}
	d := &draft{t: t, choices: c, functions: [2]compute.Function{builders[0].Main(), builders[1].Main()}}
	rng := rand.New(rand.NewPCG(uint64(len(data)), 1))
	rows, columns := 1+c.below(7), 1+c.below(40)
	if c.below(10) == 9 {
		columns = 500 + c.below(60) // more than a tile
	}
	if c.below(20) == 19 {
		columns = 0
	}
	for _, dims := range [][]int{{rows, columns}, {columns}, {rows, 1}, {}, {rows, 3, columns}} {
		shape := shapes.Make(dtypes.Float32, dims...)
		flat := make([]float32, shape.Size())
		for i := range flat {
			flat[i] = float32(rng.NormFloat64())
		}
		d.input(shape, flat)
	}
	picks := make([]int32, rows+2)
	for i := range picks {
		picks[i] = int32(rng.IntN(rows))
	}
	d.input(shapes.Make(dtypes.Int32, len(picks), 1), picks)
	for len(c.data) > 0 {
		d.grow()
	}
	var outputs [2][]compute.Value
	var tolerance []bool
	for i, pair := range d.values {
		if dtype := d.shapes[i].DType; dtype == dtypes.Float32 || dtype == dtypes.Float64 {
			outputs[0], outputs[1] = append(outputs[0], pair[0]), append(outputs[1], pair[1])
			tolerance = append(tolerance, !d.steady[i])
		}
	}
	var executables [2]compute.Executable
	for k := range 2 {
		if err := d.functions[k].Return(outputs[k], nil); err != nil {
			t.Fatal(err)
		}
		if executables[k], err = builders[k].Compile(); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := executables[0].(*executable); !ok {
		t.Fatal("the graph was left to GoMLX")
	}
	var want [][]float64
	if !raceDetector { // under which GoMLX 0.28's backend fails on pointers
		want = attempt(t, reference, executables[1], d.inShapes, d.inputs)
	}
	defer func(highest processorLevel) { level = highest }(level)
	var first [][]float64
	for _, level = range levels() {
		got := execute(t, here, executables[0], d.inShapes, d.inputs)
		if first == nil {
			first = got
		}
		for i := range got {
			if want != nil {
				compareValues(t, fmt.Sprintf("%s, output %d %s", level, i, executables[0].Outputs()[i]), got[i], want[i], tolerance[i])
			}
			compareValues(t, fmt.Sprintf("%s beside plain Go, output %d", level, i), got[i], first[i], false)
		}
	}
	return want != nil
}

// attempt is execute, or nil where that panics, as GoMLX 0.28's backend does on
// choices and products of empty arrays.
func attempt(t testing.TB, b compute.Backend, e compute.Executable, in []shapes.Shape, flat []any) (results [][]float64) {
	t.Helper()
	defer func() {
		if recover() != nil {
			results = nil
		}
	}()
	return execute(t, b, e, in, flat)
}

func execute(t testing.TB, b compute.Backend, e compute.Executable, in []shapes.Shape, flat []any) (results [][]float64) {
	t.Helper()
	buffers := make([]compute.Buffer, len(in))
	for i, shape := range in {
		var err error
		if buffers[i], err = b.BufferFromFlatData(0, flat[i], shape); err != nil {
			t.Fatal(err)
		}
	}
	out, err := e.Execute(buffers, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range out {
		data, err := o.Data()
		if err != nil {
			t.Fatal(err)
		}
		var v []float64
		switch data := data.(type) {
		case []float64:
			v = append(v, data...)
		case []float32:
			for _, x := range data {
				v = append(v, float64(x))
			}
		}
		results = append(results, v)
	}
	return results
}

// compareValues allows a relative error of 1e-3 where there may be one: errors of
// a random graph's functions can grow in the next.
func compareValues(t testing.TB, what string, got, want []float64, loose bool) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	var scale float64
	for _, w := range want {
		if !math.IsInf(w, 0) && !math.IsNaN(w) {
			scale = max(scale, math.Abs(w))
		}
	}
	for i, w := range want {
		g := got[i]
		if g == w || math.IsNaN(g) && math.IsNaN(w) {
			continue
		}
		if loose && (w-w != 0 || scale > 1e15) {
			continue // sums that overflow do so in another order
		}
		if !loose || !(math.Abs(g-w) <= 1e-3*(1+scale)) {
			t.Fatalf("%s: value %d is %v, want %v", what, i, g, w)
		}
	}
}

// Random graphs of all operations that are done here give what they give on
// GoMLX's backend, exactly where nothing is rounded, and the same bits at every
// level.
func TestGraphs(t *testing.T) {
	count := 3000
	if testing.Short() {
		count = 300
	}
	compared := 0
	for seed := range count {
		rng := rand.New(rand.NewPCG(uint64(seed), 2))
		data := make([]byte, 20+rng.IntN(150))
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		if checkGraph(t, data) {
			compared++
		}
	}
	if !raceDetector && compared < count*9/10 {
		t.Errorf("GoMLX's backend runs %d of %d graphs", compared, count)
	}
}

func FuzzGraphs(f *testing.F) {
	f.Add([]byte("a graph of some operations"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 300 {
			return
		}
		checkGraph(t, data)
	})
}
