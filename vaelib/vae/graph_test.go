package vae

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/stream"
)

func normals(rng *rand.Rand, count int, scale float64) []float64 {
	v := make([]float64, count)
	for i := range v {
		v[i] = scale * rng.NormFloat64()
	}
	return v
}

// networks are small networks with every likelihood, head and activation.
func networks() map[string]Config {
	base := Config{Assets: 4, Latent: 2, Hidden: []int{5, 3}, Beta: 0.3, Likelihood: "gaussian", Head: "softmax",
		Activation: "silu"}
	all := map[string]Config{"default": base}
	for name := range likelihoods {
		c := base
		c.Likelihood = name
		all["likelihood "+name] = c
	}
	conditional := base
	conditional.Conditions, conditional.Control = testConditions, 0.7
	all["conditional"] = conditional
	conditional.Likelihood = "logistic-normal"
	all["conditional logistic-normal"] = conditional
	for name := range heads {
		c := base
		c.Head = name
		if name == "capped" {
			c.MaxWeight = 0.4
		}
		all["head "+name] = c
	}
	for name := range activations {
		c := base
		c.Activation = name
		all["activation "+name] = c
	}
	linear := base
	linear.Hidden, linear.Head = nil, "linear"
	all["linear"] = linear
	return all
}

// testConditions are of every kind, on 4 assets: a category, a number without a
// measure, one of each form of measure, and a cap.
var testConditions = []Condition{
	{Name: "regime", Levels: []string{"calm", "wild", "falling"}},
	{Name: "drawdown"},
	{Name: "exposure"}, {Name: "volatility"}, {Name: "effective"},
	{Name: "largest", Cap: true},
}

var testMeasures = []portfolio.Measure{
	{Name: "exposure", Form: portfolio.Linear, Vector: []float64{1, 0, 0.5, 0}},
	{Name: "volatility", Form: portfolio.Norm, Matrix: [][]float64{{0.5, 0}, {0.2, 0.3}, {0.1, 0.4}, {0.2, 0.1}}},
	{Name: "effective", Form: portfolio.Effective},
	{Name: "largest", Form: portfolio.Largest},
}

// testControls are the controls of a configuration with test conditions, and
// the vector of their measures.
func testControls(t *testing.T, c Config) ([]control, []float64) {
	t.Helper()
	s := scaling{conditions: []scale{{0, 1}, {0.2, 0.1}, {0.4, 0.2}, {0.3, 0.05}, {3, 0.5}, {0.5, 0.1}}}
	controls, vector, err := newControls(c, s, testMeasures)
	if err != nil {
		t.Fatal(err)
	}
	wide := make([]float64, len(vector))
	for i, v := range vector {
		wide[i] = float64(v)
	}
	return controls, wide
}

// call64 runs a graph once on float64 vectors and matrices.
func call64(t *testing.T, e *graph.Exec, args ...any) [][]float64 {
	t.Helper()
	out, err := e.Call(args...)
	if err != nil {
		t.Fatal(err)
	}
	results := make([][]float64, len(out))
	for i, o := range out {
		if results[i], err = values[float64](o); err != nil {
			t.Fatal(err)
		}
	}
	return results
}

// The gradient of the loss by every parameter, in float64, against central
// differences.
func TestLossGradient(t *testing.T) {
	if testing.Short() {
		t.Skip("takes finite differences one after the other: run without -short")
	}
	b := openTest(t, "go")
	for name, l := range map[string]layout{"/vector": {}, "/apart": {apart: true}} {
		for network, c := range networks() {
			t.Run(network+name, func(t *testing.T) { testLossGradient(t, b, c, l) })
		}
	}
}

// The parameters of a large network are the same in a vector and apart.
func TestLayoutParts(t *testing.T) {
	for name, c := range networks() {
		n := newNetwork(c)
		v := make([]float32, n.size)
		for i := range v {
			v[i] = float32(i)
		}
		for _, l := range []layout{{}, {apart: true}} {
			parts := n.split(l, v)
			if len(parts) != n.parts(l) {
				t.Errorf("%s, %+v: %d parts, want %d", name, l, len(parts), n.parts(l))
			}
			if !slices.Equal(n.joined(l, parts), v) {
				t.Errorf("%s, %+v: joined parts differ from the vector", name, l)
			}
		}
	}
	big := DefaultConfig(100)
	big.Hidden = []int{512, 256}
	for _, test := range []struct {
		c        Config
		batch    int
		compiled bool
		want     layout
	}{
		{DefaultConfig(10), 128, true, layout{}},
		{DefaultConfig(10), 8192, true, layout{apart: true}},
		{DefaultConfig(10), 8192, false, layout{}},
		{big, 128, true, layout{apart: true}},
		{big, 8192, false, layout{}},
	} {
		if got := newNetwork(test.c).layout(test.batch, test.compiled); got != test.want {
			t.Errorf("%d assets, batch %d, compiled %v: %+v, want %+v", test.c.Assets, test.batch, test.compiled, got, test.want)
		}
	}
}

// lay cuts a vector of parameters on a graph as the layout has them, and takes
// gradients back to the vector.
func (n *network) lay(l layout, theta *graph.Node) (parts []*graph.Node, back func(gradients []*graph.Node) *graph.Node) {
	if !l.apart {
		return []*graph.Node{theta}, func(g []*graph.Node) *graph.Node { return g[0] }
	}
	turn := func(x *graph.Node, rows, columns int) *graph.Node {
		return graph.Reshape(graph.Transpose(graph.Reshape(x, rows, columns), 0, 1), rows*columns)
	}
	for _, layer := range n.layers() {
		matrix := graph.Slice(theta, graph.AxisRange(layer.offset, layer.biasOffset()))
		parts = append(parts, turn(matrix, layer.in, layer.out),
			graph.Slice(theta, graph.AxisRange(layer.biasOffset(), layer.end())))
	}
	if n.own < n.size {
		parts = append(parts, graph.Slice(theta, graph.AxisRange(n.own, n.size)))
	}
	return parts, func(g []*graph.Node) *graph.Node {
		for i, layer := range n.layers() {
			g[2*i] = turn(g[2*i], layer.out, layer.in)
		}
		return graph.Concatenate(g, 0)
	}
}

func testLossGradient(t *testing.T, b *Backend, c Config, l layout) {
	const size, h = 7, 1e-5
	n := newNetwork(c)
	controls, measures := testControls(t, c)
	e, err := graph.NewExec(b.engine, func(theta, rows, mean, measures, noise *graph.Node) []*graph.Node {
		parts, back := n.lay(l, theta)
		tape := n.tapeWith(l, parts, n.matrices(l, parts, n.cut(l, parts)))
		tape.cut, tape.controls = true, controls
		b := batch{rows: rows, mean: mean, measures: measures, variance: graph.Scalar(theta.Graph(), dtypes.Float64, 0.02)}
		tape.noises(&b, noise)
		l := tape.losses(b)
		loss := graph.Add(graph.ReduceAllSum(l.reconstruction), graph.MulScalar(graph.ReduceAllSum(l.kl), c.Beta))
		if l.control != nil {
			loss = graph.Add(loss, graph.MulScalar(graph.ReduceAllSum(l.control), c.Control))
		}
		return []*graph.Node{back(tape.gradient(loss)), loss}
	})
	if err != nil {
		t.Fatal(err)
	}
	rng := stream.New(1, "vae.test.gradient", 0)
	theta := normals(rng, n.size, 0.5)
	width := c.Assets + c.conditionWidth()
	rows := tensors.FromFlatDataAndDimensions(normals(rng, size*width, 1), width, size)
	mean := tensors.FromFlatDataAndDimensions([]float64{0.1, 0.2, 0.3, 0.4}, 4, 1)
	width = n.noiseWidth(controls)
	noise := tensors.FromFlatDataAndDimensions(normals(rng, size*width, 1), width, size)
	loss := func() float64 { return call64(t, e, theta, rows, mean, measures, noise)[1][0] }
	gradient := call64(t, e, theta, rows, mean, measures, noise)[0]
	if len(gradient) != n.size {
		t.Fatalf("gradient has %d entries, want %d", len(gradient), n.size)
	}
	for i, g := range gradient {
		old := theta[i]
		theta[i] = old + h
		above := loss()
		theta[i] = old - h
		below := loss()
		theta[i] = old
		if want := (above - below) / (2 * h); math.Abs(g-want) > 1e-6*(1+math.Abs(want)) {
			t.Fatalf("parameter %d: gradient %v, difference quotient %v", i, g, want)
		}
	}
}

// The decoder's vector-Jacobian product, in float64, against central
// differences.
func TestDecoderVJP(t *testing.T) {
	const size, h = 3, 1e-5
	b := openTest(t, "go")
	for name, c := range networks() {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(c)
			vjp, err := graph.NewExec(b.engine, n.vjpGraph)
			if err != nil {
				t.Fatal(err)
			}
			decode, err := graph.NewExec(b.engine, func(theta, codes *graph.Node) *graph.Node {
				weights, _ := n.tape(theta).decode(codes)
				return weights
			})
			if err != nil {
				t.Fatal(err)
			}
			rng := stream.New(1, "vae.test.vjp", 0)
			width := c.Latent + c.conditionWidth()
			theta, z, g := normals(rng, n.size, 0.5), normals(rng, size*width, 1), normals(rng, size*c.Assets, 1)
			along := func() (sum float64) {
				weights := call64(t, decode, theta, tensors.FromFlatDataAndDimensions(z, width, size))[0]
				for i, w := range weights {
					sum += w * g[i]
				}
				return sum
			}
			dz := call64(t, vjp, theta, tensors.FromFlatDataAndDimensions(z, width, size),
				tensors.FromFlatDataAndDimensions(g, c.Assets, size))[0]
			for i := range z {
				old := z[i]
				z[i] = old + h
				above := along()
				z[i] = old - h
				below := along()
				z[i] = old
				if want := (above - below) / (2 * h); math.Abs(dz[i]-want) > 1e-7*(1+math.Abs(want)) {
					t.Errorf("coordinate %d: %v, difference quotient %v", i, dz[i], want)
				}
			}
		})
	}
}

// One step of Adam against its formulas (Kingma & Ba 2015, algorithm 1) in
// plain Go, with the schedule's cosine, at the first step and in the middle.
func TestStepIsAdam(t *testing.T) {
	b := openTest(t, "go")
	n := newNetwork(networks()["default"])
	e, err := graph.NewExec(b.engine, func(in []*graph.Node) []*graph.Node {
		s, inputs := takeState(in, 1)
		return n.stepGraph(program{batch: 5}, s, inputs, n.cut(layout{}, s.theta)).list()
	})
	if err != nil {
		t.Fatal(err)
	}
	rng := stream.New(1, "vae.test.adam", 0)
	const steps, rate = 200, 0.01
	schedule := Schedule{Steps: steps, Batch: 5, LearningRate: rate, Warmup: 0.5}
	for _, step := range []int{0, 1, 120} {
		theta, first, second := normals(rng, n.size, 0.5), normals(rng, n.size, 0.01), normals(rng, n.size, 0.01)
		for i := range second {
			second[i] *= second[i]
		}
		settings := make([]float64, settingSize)
		settings[settingVariance] = 0.02
		plan := make([]float32, planSize)
		schedule.plan(plan, 0.3, step)
		out, err := e.Call(theta, first, second, make([]float64, sumSize), make([]float64, 2),
			tensors.FromFlatDataAndDimensions(normals(rng, 32, 1), 8, 4), [][]float64{{0.1}, {0.2}, {0.3},
				{0.4}}, []float64{0}, settings,
			widen(plan), [][]int32{{0}, {1}, {2}, {3}, {4}}, tensors.FromFlatDataAndDimensions(normals(rng, 5*n.config.Latent,
				1), n.config.Latent, 5))
		if err != nil {
			t.Fatal(err)
		}
		get := func(i int) []float64 {
			v, err := values[float64](out[i])
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		sums := get(3)
		warm := min(1, float64(step+1)/100)
		if want := sums[1] + 0.3*warm*sums[2]; math.Abs(sums[0]-want) > 1e-7 {
			t.Errorf("step %d: loss %v, want %v", step+1, sums[0], want)
		}
		newTheta, newFirst, newSecond := get(0), get(1), get(2)
		count := float64(step + 1)
		for i := range theta {
			g := (newFirst[i] - adamBeta1*first[i]) / (1 - adamBeta1)
			if want := adamBeta2*second[i] + (1-adamBeta2)*g*g; math.Abs(newSecond[i]-want) > 1e-10 {
				t.Fatalf("step %d, parameter %d: second moment %v, want %v", step+1, i, newSecond[i], want)
			}
			lr := rate * (1 + math.Cos(math.Pi*float64(step)/steps)) / 2
			mhat, vhat := newFirst[i]/(1-math.Pow(adamBeta1, count)), newSecond[i]/(1-math.Pow(adamBeta2, count))
			if want := theta[i] - lr*mhat/(math.Sqrt(vhat)+adamEpsilon); math.Abs(newTheta[i]-want) > 1e-8 {
				t.Fatalf("step %d, parameter %d: %v, want %v", step+1, i, newTheta[i], want)
			}
		}
	}
}

func widen(v []float32) []float64 {
	w := make([]float64, len(v))
	for i, x := range v {
		w[i] = float64(x)
	}
	return w
}
