package vae

import (
	"math"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// projectionRows are head inputs from nearly constant to far out, with ties.
func projectionRows(rows, n int) []float64 {
	rng := stream.New(1, "vae.test.projection", 0)
	var y []float64
	for i := range rows {
		y = append(y, normals(rng, n, math.Pow(10, float64(i%7)-4))...)
		if i%5 == 0 {
			y[i*n+1] = y[i*n]
		}
	}
	return y
}

// The head's projection, in both ways to search for tau, against package
// simplex's, in float64, and within 1e-6 of the constraints in float32.
func TestProjection(t *testing.T) {
	const rows = 280
	forBackends(t, func(t *testing.T, b *Backend) {
		for _, c := range []struct {
			n int
			u float64
		}{{9, 1}, {9, 0.5}, {9, 0.2}, {9, 1.0 / 9}, {16, 0.1}, {20, 0.1}} {
			n, u := c.n, c.u
			e, err := graph.NewExec(b.engine,
				func(y *graph.Node) *graph.Node { return graph.Transpose(projection(graph.Transpose(y, 0, 1), u), 0, 1) })
			if err != nil {
				t.Fatal(err)
			}
			upper := make([]float64, n)
			for i := range upper {
				upper[i] = u
			}
			projector, err := simplex.NewProjector(simplex.Set{N: n, Upper: upper})
			if err != nil {
				t.Fatal(err)
			}
			y := projectionRows(rows, n)
			got := call64(t, e, tensors.FromFlatDataAndDimensions(y, rows, n))[0]
			small := make([]float32, len(y))
			for i, v := range y {
				small[i] = float32(v)
			}
			out, err := call(e, tensors.FromFlatDataAndDimensions(small, rows, n))
			if err != nil {
				t.Fatal(err)
			}
			want := make([]float64, n)
			for i := range rows {
				row := y[i*n : (i+1)*n]
				if _, err := projector.Project(want, row); err != nil {
					t.Fatal(err)
				}
				var sum float64
				for j, w := range want {
					if math.Abs(got[i*n+j]-w) > 1e-9 {
						t.Fatalf("%d weights, cap %v, row %d: weight %d is %v, want %v", n, u, i, j, got[i*n+j], w)
					}
					single := float64(out[0][i*n+j])
					if single < 0 || single > u+1e-7 {
						t.Fatalf("%d weights, cap %v, row %d: weight %d is %v in float32", n, u, i, j, single)
					}
					sum += single
				}
				if math.Abs(sum-1) > 1e-6 {
					t.Fatalf("%d weights, cap %v, row %d sums to %v in float32", n, u, i, sum)
				}
			}
		}
	})
}

// The projection's gradient against central differences, in float64, on rows
// of which some weights are at a bound.
func TestProjectionGradient(t *testing.T) {
	t.Run("few", func(t *testing.T) { testProjectionGradient(t, 6, 0.35, 0.3) })
	t.Run("many", func(t *testing.T) { testProjectionGradient(t, 18, 0.15, 0.05) })
}

func testProjectionGradient(t *testing.T, n int, u, spread float64) {
	const rows, h = 20, 1e-6
	b := openTest(t, "go")
	e, err := graph.NewExec(b.engine, func(y, g *graph.Node) []*graph.Node {
		along := graph.ReduceAllSum(graph.Mul(graph.Transpose(projection(graph.Transpose(y, 0, 1), u), 0, 1), g))
		return []*graph.Node{along, graph.Gradient(along, y)[0]}
	})
	if err != nil {
		t.Fatal(err)
	}
	rng := stream.New(1, "vae.test.projection", 1)
	y, g := normals(rng, rows*n, spread), normals(rng, rows*n, 1)
	direction := tensors.FromFlatDataAndDimensions(g, rows, n)
	along := func() float64 {
		return call64(t, e, tensors.FromFlatDataAndDimensions(y, rows, n), direction)[0][0]
	}
	gradient := call64(t, e, tensors.FromFlatDataAndDimensions(y, rows, n), direction)[1]
	var zeros int
	for i := range y {
		old := y[i]
		y[i] = old + h
		above := along()
		y[i] = old - h
		below := along()
		y[i] = old
		if want := (above - below) / (2 * h); math.Abs(gradient[i]-want) > 1e-7 {
			t.Errorf("entry %d: gradient %v, difference quotient %v", i, gradient[i], want)
		}
		if gradient[i] == 0 {
			zeros++
		}
	}
	if zeros == 0 || zeros > len(y)/2 {
		t.Errorf("%d of %d entries are at a bound: the test should see both kinds", zeros, len(y))
	}
}

// cappedRows are rows of 8 weights up to 0.4 on a few faces of that set: the
// projections of two factors.
func cappedRows(t *testing.T) *mat.Dense {
	t.Helper()
	const rows, n = 600, 8
	x, factors, loadings := mat.NewDense(rows, n, nil), mat.NewDense(rows, 2, nil), mat.NewDense(2, n, nil)
	rng := stream.New(1, "vae.test.zeros", 0)
	copy(factors.RawMatrix().Data, normals(rng, rows*2, 0.15))
	copy(loadings.RawMatrix().Data, normals(rng, 2*n, 1))
	x.Mul(factors, loadings)
	set := simplex.Set{N: n, Upper: slices.Repeat([]float64{0.4}, n)}
	if err := simplex.ProjectAll(t.Context(), set, x, x, nil); err != nil {
		t.Fatal(err)
	}
	return x
}

// exactZeros trains on the rows of x, and returns the share of their zeros that
// decoding their codes gives back, and the share of the zeros made that are
// right.
func exactZeros(t *testing.T, c Config, x *mat.Dense) (recall, precision float64, decoded *mat.Dense) {
	t.Helper()
	_, s := small()
	s.Steps, s.LearningRate = 600, 1e-2
	m, _ := mustTrain(t, openTest(t, "go"), c, s, x, nil, TrainOptions{})
	z, _, err := m.Encode(x)
	if err != nil {
		t.Fatal(err)
	}
	w, err := m.Decode(z)
	if err != nil {
		t.Fatal(err)
	}
	var both, true0, made0 float64
	for i, v := range x.RawMatrix().Data {
		made := w.RawMatrix().Data[i] == 0
		if v == 0 {
			true0++
		}
		if made {
			made0++
		}
		if v == 0 && made {
			both++
		}
	}
	return both / true0, both / max(made0, 1), w
}

// Rows on a few faces of the capped simplex: the heads that project give back
// the exact zeros, softmax none, and the capped head keeps the cap.
func TestExactZeros(t *testing.T) {
	x := cappedRows(t)
	for _, test := range []struct {
		head string
		cap  float64
	}{{"sparsemax", 0}, {"capped", 0.4}, {"softmax", 0}} {
		c, _ := small()
		c.Assets, c.Head, c.MaxWeight, c.Beta, c.Hidden = 8, test.head, test.cap, 0.02, []int{32}
		recall, precision, w := exactZeros(t, c, x)
		t.Logf("%s: recall %.3f, precision %.3f", test.head, recall, precision)
		if test.cap > 0 && mat.Max(w) > test.cap+1e-6 {
			t.Errorf("%s head: weight %v above the cap", test.head, mat.Max(w))
		}
		switch {
		case test.head == "softmax" && recall > 0:
			t.Errorf("softmax made exact zeros, recall %v", recall)
		case test.head != "softmax" && (recall < 0.9 || precision < 0.9):
			t.Errorf("%s head: recall %.3f and precision %.3f of the exact zeros, want 0.9", test.head, recall, precision)
		}
	}
}

// Decoded portfolios are members of their set in float64, so that a projection
// returns them as they are and their exact zeros with them.
func TestDecodedIsFeasible(t *testing.T) {
	const n = 8
	x := dirichletRows(400, n, 0)
	z := mat.NewDense(300, 2, normals(stream.New(1, "vae.test.feasible", 0), 600, 3))
	forBackends(t, func(t *testing.T, b *Backend) {
		for head, u := range map[string]float64{"softmax": 1, "sparsemax": 1, "capped": 0.4} {
			c, s := small()
			c.Assets, c.Head, c.Latent, c.Beta = n, head, 2, 0.01
			if head == "capped" {
				c.MaxWeight = u
				projectRows(t, x, u)
			}
			s.Steps, s.LearningRate = 200, 1e-2
			m, _ := mustTrain(t, b, c, s, x, nil, TrainOptions{})
			w, err := m.Decode(z)
			if err != nil {
				t.Fatal(err)
			}
			decoded := mat.DenseCopyOf(w)
			projectRows(t, w, u)
			if !mat.Equal(w, decoded) {
				t.Errorf("%s: the projection moves a decoded portfolio", head)
			}
			zeros := 0
			for _, v := range w.RawMatrix().Data {
				if v == 0 {
					zeros++
				}
			}
			if (zeros > 0) != (head != "softmax") {
				t.Errorf("%s: %d exact zeros", head, zeros)
			}
		}
	})
}

// projectRows projects rows on the simplex with the cap u.
func projectRows(t *testing.T, x *mat.Dense, u float64) {
	t.Helper()
	_, n := x.Dims()
	upper := make([]float64, n)
	for i := range upper {
		upper[i] = u
	}
	if err := simplex.ProjectAll(t.Context(), simplex.Set{N: n, Upper: upper}, x, x, nil); err != nil {
		t.Fatal(err)
	}
}
