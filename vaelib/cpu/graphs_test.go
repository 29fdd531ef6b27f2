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

// operands are what a random operation is given: two values that go together.
type operands struct {
	x, y         [2]compute.Value
	shape, other shapes.Shape
	steady, both bool // the first, and both, are steady
}

// grow adds a random operation. It may not fit, which both backends then say.
func (d *draft) grow() {
	i := d.pick(dtypes.Float32, dtypes.Float64)
	j := d.like(i)
	operations[d.choices.below(len(operations))](d, operands{
		d.values[i], d.values[j], d.shapes[i], d.shapes[j], d.steady[i], d.steady[i] && d.steady[j],
	})
}

var operations = []func(d *draft, o operands){
	(*draft).unary, (*draft).unary, (*draft).binary, (*draft).binary, (*draft).choice, (*draft).convert, (*draft).reshape,
	(*draft).transpose, (*draft).slice, (*draft).broadcast, (*draft).concatenate, (*draft).reduce, (*draft).multiply,
	(*draft).pad, (*draft).clamp, (*draft).gather,
}

func (d *draft) unary(o operands) {
	op := unaryOps[d.choices.below(len(unaryOps))]
	d.keep(false, func(f compute.Function, k int) (compute.Value, error) { return op(f)(o.x[k]) })
}

func (d *draft) binary(o operands) {
	op := binaryOps[d.choices.below(len(binaryOps))]
	d.keep(false, func(f compute.Function, k int) (compute.Value, error) { return op(f)(o.x[k], o.y[k]) })
}

// choice is one by a comparison of numbers that both backends know exactly.
func (d *draft) choice(o operands) {
	if !o.both || !o.shape.Equal(o.other) {
		return
	}
	op := comparisons[d.choices.below(len(comparisons))]
	d.keep(true, func(f compute.Function, k int) (compute.Value, error) { return op(f)(o.x[k], o.y[k]) })
	is := d.values[len(d.values)-1]
	switch d.choices.below(4) {
	case 0:
		d.keep(true, func(f compute.Function, k int) (compute.Value, error) { return f.ConvertDType(is[k], o.shape.DType) })
		return
	case 1:
		d.keep(true, func(f compute.Function, k int) (compute.Value, error) { return f.LogicalNot(is[k]) })
		is = d.values[len(d.values)-1]
	}
	d.keep(true, func(f compute.Function, k int) (compute.Value, error) { return f.Where(is[k], o.x[k], o.y[k]) })
}

func (d *draft) convert(o operands) {
	to := dtypes.Float32
	if o.shape.DType == to {
		to = dtypes.Float64
	}
	d.keep(false, func(f compute.Function, k int) (compute.Value, error) { return f.ConvertDType(o.x[k], to) })
}

func (d *draft) reshape(o operands) {
	dims := factorise(d.choices, o.shape.Size())
	d.keep(o.steady, func(f compute.Function, k int) (compute.Value, error) { return f.Reshape(o.x[k], dims...) })
}

func (d *draft) transpose(o operands) {
	order := permutation(d.choices, o.shape.Rank())
	d.keep(o.steady, func(f compute.Function, k int) (compute.Value, error) { return f.Transpose(o.x[k], order...) })
}

func (d *draft) slice(o operands) {
	var starts, limits, strides []int
	for _, n := range o.shape.Dimensions {
		start := d.choices.below(n)
		starts = append(starts, start)
		limits = append(limits, start+1+d.choices.below(n-start))
		strides = append(strides, 1+d.choices.below(3)/2)
	}
	d.keep(o.steady, func(f compute.Function, k int) (compute.Value, error) {
		return f.Slice(o.x[k], starts, limits, strides)
	})
}

func (d *draft) broadcast(o operands) {
	dims, at := []int{}, []int{}
	for _, n := range o.shape.Dimensions {
		if d.choices.below(3) == 0 {
			dims = append(dims, 1+d.choices.below(4))
		}
		if n == 1 && d.choices.below(2) == 0 {
			n = 1 + d.choices.below(5)
		}
		at, dims = append(at, len(dims)), append(dims, n)
	}
	if d.choices.below(2) == 0 {
		dims = append(dims, 1+d.choices.below(4))
	}
	to := shapes.Make(o.shape.DType, dims...)
	d.keep(o.steady, func(f compute.Function, k int) (compute.Value, error) { return f.BroadcastInDim(o.x[k], to, at) })
}

func (d *draft) concatenate(o operands) {
	axis := d.choices.below(o.shape.Rank())
	d.keep(o.both, func(f compute.Function, k int) (compute.Value, error) {
		return f.Concatenate(axis, o.x[k], o.y[k], o.x[k])
	})
}

func (d *draft) reduce(o operands) {
	op := reductions[d.choices.below(len(reductions))]
	var axes []int
	for axis := range o.shape.Rank() {
		if d.choices.below(2) == 0 {
			axes = append(axes, axis)
		}
	}
	d.keep(false, func(f compute.Function, k int) (compute.Value, error) { return op(f)(o.x[k], axes...) })
}

// multiply looks for a second factor that fits.
func (d *draft) multiply(o operands) {
	if o.shape.Rank() == 0 || o.shape.Rank() > 2 {
		return
	}
	contract := d.choices.below(o.shape.Rank())
	for i, right := range d.shapes {
		if right.DType != o.shape.DType || right.Rank() == 0 || right.Rank() > 2 {
			continue
		}
		for axis, n := range right.Dimensions {
			if n == o.shape.Dimensions[contract] && d.choices.below(2) == 0 {
				y, none := d.values[i], compute.DotGeneralConfig{}
				left, right := batches(o.shape.Dimensions, right.Dimensions, contract, axis)
				d.keep(false, func(f compute.Function, k int) (compute.Value, error) {
					return f.DotGeneral(o.x[k], []int{contract}, left, y[k], []int{axis}, right, none)
				})
				return
			}
		}
	}
}

// batches are the first axes of equal length besides the contracting ones.
func batches(left, right []int, contractLeft, contractRight int) (l, r []int) {
	for i, n := range left {
		for j, m := range right {
			if n == m && i != contractLeft && j != contractRight {
				return []int{i}, []int{j}
			}
		}
	}
	return nil, nil
}

// constant is a scalar of x's type.
func constant(f compute.Function, dtype dtypes.DType, x float64) (compute.Value, error) {
	if dtype == dtypes.Float64 {
		return f.Constant([]float64{x})
	}
	return f.Constant([]float32{float32(x)})
}

func (d *draft) pad(o operands) {
	var pads []compute.PadAxis
	for range o.shape.Rank() {
		pads = append(pads, compute.PadAxis{Start: d.choices.below(3), End: d.choices.below(3)})
	}
	d.keep(o.steady, func(f compute.Function, k int) (compute.Value, error) {
		fill, err := constant(f, o.shape.DType, 1.5)
		if err != nil {
			return nil, err
		}
		return f.Pad(o.x[k], fill, pads...)
	})
}

func (d *draft) clamp(o operands) {
	d.keep(false, func(f compute.Function, k int) (compute.Value, error) {
		least, err := constant(f, o.shape.DType, -0.5)
		if err != nil {
			return nil, err
		}
		most, err := constant(f, o.shape.DType, 0.75)
		if err != nil {
			return nil, err
		}
		return f.Clamp(least, o.x[k], most)
	})
}

// gather takes rows of the first input, by the numbers that the last one gives.
func (d *draft) gather(operands) {
	from, rows := d.values[0], d.values[len(d.inputs)-1]
	sizes := []int{1, d.shapes[0].Dimensions[1]}
	d.keep(true, func(f compute.Function, k int) (compute.Value, error) {
		return f.Gather(from[k], rows[k], 1, []int{1}, []int{0}, []int{0}, sizes, false)
	})
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
	d := &draft{t: t, choices: &choices{data}, functions: [2]compute.Function{builders[0].Main(), builders[1].Main()}}
	d.plant(rand.New(rand.NewPCG(uint64(len(data)), 1)))
	var chosen []int // the values that are outputs
	for len(d.choices.data) > len(data)/4 {
		d.grow()
	}
	for i := range d.values {
		if dtype := d.shapes[i].DType; dtype != dtypes.Float32 && dtype != dtypes.Float64 {
			continue
		}
		if i == len(d.values)-1 || d.choices.below(3) == 0 {
			chosen = append(chosen, i)
		}
	}
	if len(chosen) == 0 {
		chosen = []int{0}
	}
	var executables [2]compute.Executable
	for k := range 2 {
		var outputs []compute.Value
		for _, i := range chosen {
			outputs = append(outputs, d.values[i][k])
		}
		if err := d.functions[k].Return(outputs, nil); err != nil {
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
	checkLevels(t, d, here, executables[0], chosen, want)
	return want != nil
}

// plant makes the inputs.
func (d *draft) plant(rng *rand.Rand) {
	c := d.choices
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
}

// checkLevels compares the outputs with those that are wanted (nil: unknown), and
// at every level with those of plain Go.
func checkLevels(t testing.TB, d *draft, b *Backend, e compute.Executable, outputs []int, want [][]float64) {
	t.Helper()
	defer func(highest processorLevel) { level = highest }(level)
	var first [][]float64
	for _, level = range levels() {
		got := execute(t, b, e, d.inShapes, d.inputs)
		if first == nil {
			first = got
		}
		for i, of := range outputs {
			what := fmt.Sprintf("%s, output %d %s", level, i, d.shapes[of])
			if want != nil {
				compareValues(t, what, got[i], want[i], !d.steady[of])
			}
			compareValues(t, what+" beside plain Go", got[i], first[i], false)
		}
	}
}

// attempt is execute, or nil where that panics, as GoMLX 0.28's backend does on
// choices and products of empty arrays.
func attempt(
	t testing.TB, b compute.Backend, e compute.Executable, in []shapes.Shape, flat []any,
) (results [][]float64) {
	t.Helper()
	defer func() {
		if recover() != nil {
			results = nil
		}
	}()
	return execute(t, b, e, in, flat)
}

func execute(
	t testing.TB, b compute.Backend, e compute.Executable, in []shapes.Shape, flat []any,
) (results [][]float64) {
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
