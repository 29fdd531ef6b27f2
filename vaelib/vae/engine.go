package vae

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Adam's constants (Kingma & Ba 2015).
const (
	adamBeta1   = 0.9
	adamBeta2   = 0.999
	adamEpsilon = 1e-8
)

// The tensors that a training step reads and writes, in their order. The first
// stateSize are the whole training state; the rest are constant inputs, so
// that one compiled graph serves every seed, beta, schedule and set of rows of
// one shape.
const (
	stateStep     = iota     // int32: steps done
	stateRandom              // 3 x uint64: the generator's state
	stateTheta               // P: parameters
	stateFirst               // P: Adam's first moments
	stateSecond              // P: Adam's second moments
	stateSums                // sumSize: sums of losses since the last evaluation
	stateRate                // 2: logarithm of what multiplies beta, running mean of the KL
	stateSize                //
	inputRows     = iota - 1 // N x (n+K): standardised training rows and conditions, padded
	inputCount               // int32: how many of the rows are real
	inputMean                // 1 x n: mean training row
	inputMeasures            // numbers of the measures of conditions
	inputSetting             // settings vector, below
	inputSize                //
)

// The sums of losses.
const (
	sumTotal = iota
	sumReconstruction
	sumKL
	sumControl
	sumSize
)

// The settings vector's entries.
const (
	settingVariance = iota
	settingBeta
	settingLearningRate
	settingWarmup // steps of a cycle until the KL weight is beta
	settingPeriod // steps of a cycle
	settingCycles
	settingSteps // steps until the learning rate is 0
	settingFreeBits
	settingTargetRate
	settingControl
	settingSize
)

// How a target rate is approached: the running mean of the KL forgets rateDecay
// a step, and the logarithm of beta moves by rateStep times the relative error,
// which is cut at 1, within rateBound.
const (
	rateDecay = 0.01
	rateStep  = 0.01
	rateBound = 12
)

// program is what, besides the network, decides the graph of a training step.
type program struct {
	batch    int
	loop     bool // of many steps
	controls []control
	freeBits bool
	rate     bool // a target rate moves beta
}

func (p program) key() string { return fmt.Sprintf("%+v", p) }

// stepGraph is one step of Adam: state and inputs (inputSize nodes) to the next
// state (stateSize nodes).
func (n *network) stepGraph(p program, in []*graph.Node) []*graph.Node {
	theta := in[stateTheta]
	g, dtype := theta.Graph(), theta.DType()
	setting := func(i int) *graph.Node {
		return graph.Reshape(graph.Slice(in[inputSetting], graph.AxisElem(i)))
	}
	t := n.tape(theta)
	t.controls = p.controls
	random, indices := graph.RandomIntN(in[stateRandom], in[inputCount], shapes.Make(dtypes.Int32, p.batch, 1))
	b := batch{
		rows: graph.Gather(in[inputRows], indices), mean: in[inputMean], variance: setting(settingVariance),
		measures: in[inputMeasures],
	}
	random = t.noises(&b, random)
	rows := t.losses(b)
	reconstruction := graph.ReduceAllMean(rows.reconstruction)
	kl := graph.DivScalar(graph.ReduceAllSum(rows.kl), float64(p.batch))
	step := graph.ConvertDType(in[stateStep], dtype)
	one := graph.ScalarOne(g, dtype)
	decay := graph.AddScalar(graph.MulScalar(graph.Cos(graph.MulScalar(graph.Div(step, setting(settingSteps)), math.Pi)), 0.5), 0.5)

	cycles := graph.Min(graph.Floor(graph.Div(step, setting(settingPeriod))), graph.AddScalar(setting(settingCycles), -1)) // that are over
	within := graph.Sub(step, graph.Mul(cycles, setting(settingPeriod)))
	warm := graph.Min(one, graph.Div(graph.Add(within, one), graph.Max(setting(settingWarmup), one)))
	weight := graph.Mul(setting(settingBeta), warm)
	rate := in[stateRate]
	if p.rate {
		logarithm, mean := graph.Slice(rate, graph.AxisElem(0)), graph.Slice(rate, graph.AxisElem(1))
		weight = graph.Mul(weight, graph.Exp(graph.Reshape(logarithm)))
		mean = graph.Add(graph.MulScalar(mean, 1-rateDecay), graph.MulScalar(graph.StopGradient(graph.Reshape(kl, 1)), rateDecay))
		miss := graph.ClipScalar(graph.AddScalar(graph.Div(mean, setting(settingTargetRate)), -1), -1, 1)
		ready := graph.Mul(decay, graph.ConvertDType(graph.GreaterOrEqual(warm, one), dtype)) // not while the KL weight still rises
		logarithm = graph.ClipScalar(graph.Add(logarithm, graph.MulScalar(graph.Mul(miss, ready), rateStep)), -rateBound, rateBound)
		rate = graph.Concatenate([]*graph.Node{logarithm, mean}, 0)
	}
	penalised := kl
	if p.freeBits {
		byDimension := graph.DivScalar(graph.ReduceSum(rows.kl, 0), float64(p.batch))
		penalised = graph.ReduceAllSum(graph.Max(byDimension, setting(settingFreeBits)))
	}
	loss := graph.Add(reconstruction, graph.Mul(weight, penalised))
	control := graph.ScalarZero(g, dtype)
	if rows.control != nil {
		control = graph.ReduceAllMean(rows.control)
		loss = graph.Add(loss, graph.Mul(setting(settingControl), control))
	}

	gradient := t.gradient(loss)
	first := graph.Add(graph.MulScalar(in[stateFirst], adamBeta1), graph.MulScalar(gradient, 1-adamBeta1))
	second := graph.Add(graph.MulScalar(in[stateSecond], adamBeta2), graph.MulScalar(graph.Mul(gradient, gradient), 1-adamBeta2))
	// 1 - beta^t by expm1, as float32 would lose it in the first steps.
	count := graph.Add(step, one)
	correction := func(beta float64) *graph.Node {
		return graph.Neg(graph.Expm1(graph.MulScalar(count, math.Log(beta))))
	}
	learningRate := graph.Mul(setting(settingLearningRate), decay)
	numerator := graph.Mul(first, graph.Div(learningRate, correction(adamBeta1)))
	denominator := graph.AddScalar(graph.Mul(graph.Sqrt(second), graph.Rsqrt(correction(adamBeta2))), adamEpsilon)
	next := make([]*graph.Node, stateSize)
	next[stateStep] = graph.AddScalar(in[stateStep], 1)
	next[stateRandom] = random
	next[stateTheta] = graph.Sub(theta, graph.Div(numerator, denominator))
	next[stateFirst] = first
	next[stateSecond] = second
	next[stateRate] = rate
	sums := make([]*graph.Node, sumSize)
	for i, x := range map[int]*graph.Node{sumTotal: loss, sumReconstruction: reconstruction, sumKL: kl, sumControl: control} {
		sums[i] = graph.Reshape(x, 1)
	}
	next[stateSums] = graph.Add(in[stateSums], graph.Concatenate(sums, 0))
	return next
}

// loopGraph repeats stepGraph until the step counter reaches end (int32). A
// loop's body may not capture anything (GoMLX 0.28 fails on it), so the
// constant inputs travel as loop state.
func (n *network) loopGraph(program program, in []*graph.Node, end *graph.Node) []*graph.Node {
	state := append(append([]*graph.Node{}, in...), end)
	parameters := func(g *graph.Graph) []*graph.Node {
		p := make([]*graph.Node, len(state))
		for i, node := range state {
			p[i] = graph.Parameter(g, "", node.Shape())
		}
		return p
	}
	g := end.Graph()
	condition := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
		p := parameters(g)
		return []*graph.Node{graph.LessThan(p[stateStep], p[len(p)-1])}
	})
	body := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
		p := parameters(g)
		return append(n.stepGraph(program, p[:inputSize]), p[stateSize:]...)
	})
	return graph.While(condition, body, state...)[:stateSize]
}

// evaluationGraph sums, over the rows that present (B) marks with 1, the
// reconstruction loss, the control loss and each dimension's KL: a vector of
// 2 + d.
func (n *network) evaluationGraph(controls []control, theta, random, rows, present, mean, variance, measures *graph.Node) *graph.Node {
	t := n.tape(theta)
	t.controls = controls
	b := batch{rows: rows, mean: mean, variance: variance, measures: measures}
	t.noises(&b, random)
	l := t.losses(b)
	total := func(x *graph.Node) *graph.Node { return graph.Reshape(graph.ReduceAllSum(graph.Mul(x, present)), 1) }
	control := graph.Zeros(theta.Graph(), shapes.Make(theta.DType(), 1))
	if l.control != nil {
		control = total(l.control)
	}
	perDimension := graph.ReduceSum(graph.Mul(l.kl, graph.ExpandAxes(present, -1)), 0)
	return graph.Concatenate([]*graph.Node{total(l.reconstruction), control, perDimension}, 0)
}
