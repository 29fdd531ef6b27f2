package cpu

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

func open(t testing.TB) *Backend {
	t.Helper()
	b, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Finalize)
	return b
}

// layer is one dense layer with its gradient: the mean of silu(x w + b), and
// what it changes by with w and b.
func layer(x, w, b *graph.Node) (loss, byW, byB *graph.Node) {
	y := graph.Add(graph.MatMul(x, w), graph.ExpandAxes(b, 0))
	loss = graph.ReduceAllMean(graph.Div(y, graph.OnePlus(graph.Exp(graph.Neg(y)))))
	g := graph.Gradient(loss, w, b)
	return loss, g[0], g[1]
}

func randomTensor(rng *rand.Rand, dims ...int) *tensors.Tensor {
	flat := make([]float32, shapes.Make(dtypes.Float32, dims...).Size())
	for i := range flat {
		flat[i] = float32(rng.NormFloat64())
	}
	return tensors.FromFlatDataAndDimensions(flat, dims...)
}

func flatten(t testing.TB, results []*tensors.Tensor) (all []float32) {
	t.Helper()
	for _, r := range results {
		if err := r.ConstFlatData(func(flat any) { all = append(all, flat.([]float32)...) }); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// Any number of executions at once, of one graph and of several, have the bits
// of one alone.
func TestConcurrent(t *testing.T) {
	b := open(t)
	exec, err := graph.NewExec(b, layer)
	if err != nil {
		t.Fatal(err)
	}
	exec.SetMaxCache(-1)
	run := func(seed int) []float32 {
		rng := rand.New(rand.NewPCG(uint64(seed), 1))
		rows := 30 + 10*(seed%3)
		results, err := exec.Call(randomTensor(rng, rows, 20), randomTensor(rng, 20, 40), randomTensor(rng, 40))
		if err != nil {
			t.Error(err)
			return nil
		}
		return flatten(t, results)
	}
	want := make([][]float32, 12)
	for i := range want {
		want[i] = run(i)
	}
	var wait sync.WaitGroup
	for i := range want {
		wait.Go(func() {
			for range 20 {
				if !slices.Equal(run(i), want[i]) {
					t.Errorf("inputs %d: other bits beside other executions", i)
				}
			}
		})
	}
	wait.Wait()
}

// addition is a graph x + y in the terms of compute.
func addition(t testing.TB, b compute.Backend, dims ...int) compute.Executable {
	t.Helper()
	builder := b.Builder("addition")
	f := builder.Main()
	var in [2]compute.Value
	for i, name := range []string{"x", "y"} {
		var err error
		if in[i], err = f.Parameter(name, shapes.Make(dtypes.Float32, dims...), nil); err != nil {
			t.Fatal(err)
		}
	}
	sum, err := f.Add(in[0], in[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Return([]compute.Value{sum, in[0], sum}, nil); err != nil {
		t.Fatal(err)
	}
	e, err := builder.Compile()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func vector(t testing.TB, b compute.Backend, x ...float32) compute.Buffer {
	t.Helper()
	made, err := b.BufferFromFlatData(0, x, shapes.Make(dtypes.Float32, len(x)))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func values(t testing.TB, b compute.Buffer) []float32 {
	t.Helper()
	shape, err := b.Shape()
	if err != nil {
		t.Fatal(err)
	}
	flat := make([]float32, shape.Size())
	if err := b.ToFlatData(flat); err != nil {
		t.Fatal(err)
	}
	return flat
}

// Donated inputs are gone; the others, and outputs of earlier executions, stay
// as they are however often memory is used again. Outputs that are one value, or
// an input, are arrays of their own.
func TestDonation(t *testing.T) {
	b := open(t)
	e := addition(t, b, 3)
	y := vector(t, b, 10, 20, 30)
	x := vector(t, b, 1, 2, 3)
	var kept []compute.Buffer
	for i := range 20 {
		out, err := e.Execute([]compute.Buffer{x, y}, []bool{true, false}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := x.Data(); err == nil {
			t.Fatal("a donated buffer still has data")
		}
		n := float32(i + 1)
		if got, want := values(t, out[0]), []float32{1 + 10*n, 2 + 20*n, 3 + 30*n}; !slices.Equal(got, want) {
			t.Fatalf("sum %d is %v, want %v", i, got, want)
		}
		kept = append(kept, out[2])
		if err := out[1].Finalize(); err != nil {
			t.Fatal(err)
		}
		x = out[0]
	}
	for i, k := range kept {
		n := float32(i + 1)
		if got, want := values(t, k), []float32{1 + 10*n, 2 + 20*n, 3 + 30*n}; !slices.Equal(got, want) {
			t.Fatalf("output %d became %v, was %v", i, got, want)
		}
	}
	if !slices.Equal(values(t, y), []float32{10, 20, 30}) {
		t.Errorf("an input that was not donated became %v", values(t, y))
	}
	// The same buffer twice, once to keep.
	out, err := e.Execute([]compute.Buffer{y, y}, []bool{true, true}, 0)
	if err != nil || !slices.Equal(values(t, out[0]), []float32{20, 40, 60}) {
		t.Errorf("y + y: %v", err)
	}
}

// What doesn't fit is an error that says what, and nothing is donated.
func TestExecuteErrors(t *testing.T) {
	b, other := open(t), open(t)
	e := addition(t, b, 3)
	x, y := vector(t, b, 1, 2, 3), vector(t, b, 1, 2)
	gone := vector(t, b, 1, 2, 3)
	if err := gone.Finalize(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		inputs []compute.Buffer
		donate []bool
		device compute.DeviceNum
		says   string
	}{
		{[]compute.Buffer{x}, nil, 0, "takes 2 inputs, got 1"},
		{[]compute.Buffer{x, y}, []bool{true, true}, 0, `input 1 ("y") has shape (Float32)[2], want (Float32)[3]`},
		{[]compute.Buffer{x, gone}, []bool{true, false}, 0, "finalized"},
		{[]compute.Buffer{x, vector(t, other, 1, 2, 3)}, nil, 0, "another backend"},
		{[]compute.Buffer{x, nil}, nil, 0, "another backend"},
		{[]compute.Buffer{x, x}, []bool{true}, 0, "marks of what is donated"},
		{[]compute.Buffer{x, x}, nil, 1, "no device 1"},
	} {
		if _, err := e.Execute(c.inputs, c.donate, c.device); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("error is %v, want one that says %q", err, c.says)
		}
	}
	if !slices.Equal(values(t, x), []float32{1, 2, 3}) {
		t.Error("a failed execution took an input")
	}
	if _, err := b.BufferFromFlatData(0, []float64{1}, shapes.Make(dtypes.Float32, 1)); err == nil {
		t.Error("float64 values made a float32 buffer")
	}
	if err := x.ToFlatData(make([]float32, 2)); err == nil {
		t.Error("3 values went into 2")
	}
	e.Finalize()
	if _, err := e.Execute([]compute.Buffer{x, x}, nil, 0); err == nil {
		t.Error("a finalized graph ran")
	}
}

// Graphs with operations, types or forms that are not done here run on GoMLX's
// backend, and give what that gives.
func TestForeignGraphs(t *testing.T) {
	here := open(t)
	reference, err := gobackend.New("ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	defer reference.Finalize()
	rng := rand.New(rand.NewPCG(1, 1))
	flat := make([]float64, 12)
	for i := range flat {
		flat[i] = rng.NormFloat64()
	}
	for name, f := range map[string]func(x *graph.Node) *graph.Node{
		"sum of whole numbers": func(x *graph.Node) *graph.Node {
			i := graph.Iota(x.Graph(), shapes.Make(dtypes.Int32, 3, 4), 1)
			return graph.Mul(x, graph.ConvertDType(graph.Add(i, i), x.DType()))
		},
		"sine":          graph.Sin,
		"sort":          func(x *graph.Node) *graph.Node { return graph.Sort(x, 1, true) },
		"largest index": func(x *graph.Node) *graph.Node { return graph.ArgMax(x, 1) },
		"loop": func(x *graph.Node) *graph.Node {
			g := x.Graph()
			start := graph.Scalar(g, dtypes.Int32, 0)
			condition := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
				i := graph.Parameter(g, "i", start.Shape())
				graph.Parameter(g, "x", x.Shape())
				return []*graph.Node{graph.LessThan(i, graph.Scalar(g, dtypes.Int32, 5))}
			})
			body := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
				i := graph.Parameter(g, "i", start.Shape())
				y := graph.Parameter(g, "x", x.Shape())
				return []*graph.Node{graph.AddScalar(i, 1), graph.MulScalar(y, 0.5)}
			})
			return graph.While(condition, body, start, x)[1]
		},
	} {
		var results [2]*tensors.Tensor
		for k, b := range []compute.Backend{here, reference} {
			if results[k], err = graph.CallOnce(b, f, tensors.FromFlatDataAndDimensions(slices.Clone(flat), 3, 4)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if !results[0].Equal(results[1]) {
			t.Errorf("%s: %v, want %v", name, results[0], results[1])
		}
	}
}

// A graph's errors are GoMLX's.
func TestGraphErrors(t *testing.T) {
	reference, err := gobackend.New("ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	defer reference.Finalize()
	for name, f := range map[string]func(x *graph.Node) *graph.Node{
		"product of shapes that don't fit": func(x *graph.Node) *graph.Node { return graph.MatMul(x, x) },
		"sum of shapes that don't fit":     func(x *graph.Node) *graph.Node { return graph.Add(x, graph.Reshape(x, 4, 3)) },
		"reshape to another size":          func(x *graph.Node) *graph.Node { return graph.Reshape(x, 5, 3) },
	} {
		var says [2]string
		for k, b := range []compute.Backend{open(t), reference} {
			_, err := graph.CallOnce(b, f, tensors.FromFlatDataAndDimensions(make([]float32, 12), 3, 4))
			if err == nil {
				t.Fatalf("%s: no error", name)
			}
			says[k], _, _ = strings.Cut(err.Error(), "\n")
		}
		if says[0] != says[1] {
			t.Errorf("%s: error is %q, want %q", name, says[0], says[1])
		}
	}
}

// Sums over many numbers keep float32's digits.
func TestLongSum(t *testing.T) {
	x := make([]float32, 1<<20)
	for i := range x {
		x[i] = 0.1
	}
	if got, want := float64(sum(x)), 0.1*float64(len(x)); math.Abs(got-want) > 2e-3*want {
		t.Errorf("sum is %v, want %v", got, want)
	}
}

// A loop that donates its state allocates no arrays.
func TestAllocations(t *testing.T) {
	b := open(t)
	const size = 1 << 16
	builder := b.Builder("loop")
	f := builder.Main()
	v, err := f.Parameter("x", shapes.Make(dtypes.Float32, size), nil)
	if err != nil {
		t.Fatal(err)
	}
	if v, err = f.Exp(v); err != nil {
		t.Fatal(err)
	}
	if err := f.Return([]compute.Value{v}, nil); err != nil {
		t.Fatal(err)
	}
	e, err := builder.Compile()
	if err != nil {
		t.Fatal(err)
	}
	state := []compute.Buffer{vector(t, b, make([]float32, size)...)}
	step := func() {
		if state, err = e.Execute(state, []bool{true}, 0); err != nil {
			t.Fatal(err)
		}
	}
	step()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const steps = 100
	for range steps {
		step()
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / steps; each > size {
		t.Errorf("%d bytes an execution, of arrays of %d", each, 4*size)
	}
}
