package vae

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
)

// Adam's constants (Kingma & Ba 2015).
const (
	adamBeta1   = 0.9
	adamBeta2   = 0.999
	adamEpsilon = 1e-8
)

// state is what a training step reads and writes: parameters and Adam's moments,
// each in the parts of the layout, and two vectors.
type state[T any] struct {
	theta, first, second []T
	sums                 T // sumSize: sums of losses since the last evaluation
	rate                 T // 2: logarithm of what multiplies beta, running mean of the KL
}

// list is the state in the order in which a graph takes it.
func (s state[T]) list() []T {
	return append(slices.Concat(s.theta, s.first, s.second), s.sums, s.rate)
}

// takeState reads a state of so many parts from a list, and returns what follows.
func takeState[T any](list []T, parts int) (s state[T], rest []T) {
	s.theta, s.first, s.second = list[:parts], list[parts:2*parts], list[2*parts:3*parts]
	s.sums, s.rate = list[3*parts], list[3*parts+1]
	return s, list[3*parts+2:]
}

// The inputs of a training step, which follow the state: so one compiled graph
// serves every seed, beta, schedule and set of rows of one shape.
const (
	inputRows     = iota // N x (n+K): standardised training rows and conditions, padded
	inputMean            // n x 1: mean training row
	inputMeasures        // numbers of the measures of conditions
	inputSetting         // settings vector, below
	inputPlan            // S x planSize: what the schedule says of each step
	inputTake            // S x B x 1 int32: the rows of each step's batch
	inputNoise           // S x W x B: standard normals
	inputSize            //
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
	settingFreeBits
	settingTargetRate
	settingControl
	settingSize
)

// What the schedule says of a step.
const (
	planWeight = iota // of the KL, but for what a target rate multiplies it with
	planRate          // learning rate over Adam's correction of the first moments, 1 - beta1^t
	planSecond        // 1/sqrt(1 - beta2^t), that of the second
	planSteer         // how far a target rate may move beta: 0 while the KL weight still rises
	planSize
)

// plan writes what the schedule says of a step (counted from 0).
func (s Schedule) plan(dst []float32, beta float64, step int) {
	count := float64(step + 1)
	warm := s.warm(step)
	dst[planWeight] = float32(beta * warm)
	dst[planRate] = float32(s.rate(step) / (1 - math.Pow(adamBeta1, count)))
	dst[planSecond] = float32(1 / math.Sqrt(1-math.Pow(adamBeta2, count)))
	dst[planSteer] = 0
	if warm == 1 {
		dst[planSteer] = float32(s.rate(step) / s.LearningRate)
	}
}

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
	layout   layout
}

func (p program) key() string { return fmt.Sprintf("%+v", p) }

// stepGraph is one step of Adam: a state and the inputs of one step (S = 1, which
// is left out) to the next state, with the layers' matrices as cut out of the state.
func (n *network) stepGraph(p program, s state[*graph.Node], in, cut []*graph.Node) state[*graph.Node] {
	t := n.tapeWith(p.layout, s.theta, n.matrices(p.layout, s.theta, cut))
	t.cut, t.controls = true, p.controls
	b := batch{
		rows: graph.Transpose(graph.Gather(in[inputRows], in[inputTake]), 0, 1), mean: in[inputMean],
		variance: entry(in[inputSetting], settingVariance), measures: in[inputMeasures],
	}
	t.noises(&b, in[inputNoise])
	rows := t.losses(b)
	reconstruction := graph.ReduceAllMean(rows.reconstruction)
	kl := graph.DivScalar(graph.ReduceAllSum(rows.kl), float64(p.batch))
	weight, rate := entry(in[inputPlan], planWeight), s.rate
	if p.rate {
		weight, rate = steer(s.rate, in, weight, kl)
	}
	penalised := kl
	if p.freeBits {
		byDimension := graph.DivScalar(graph.ReduceSum(rows.kl, 1), float64(p.batch))
		penalised = graph.ReduceAllSum(graph.Max(byDimension, entry(in[inputSetting], settingFreeBits)))
	}
	loss := graph.Add(reconstruction, graph.Mul(weight, penalised))
	control := graph.ScalarZero(loss.Graph(), loss.DType())
	if rows.control != nil {
		control = graph.ReduceAllMean(rows.control)
		loss = graph.Add(loss, graph.Mul(entry(in[inputSetting], settingControl), control))
	}
	next := adam(s, in[inputPlan], t.gradient(loss))
	next.rate = rate
	sums := []*graph.Node{sumTotal: loss, sumReconstruction: reconstruction, sumKL: kl, sumControl: control}
	for i, x := range sums {
		sums[i] = graph.Reshape(x, 1)
	}
	next.sums = graph.Add(s.sums, graph.Concatenate(sums, 0))
	return next
}

// entry is an entry of a vector, as a scalar.
func entry(vector *graph.Node, i int) *graph.Node {
	return graph.Reshape(graph.Slice(vector, graph.AxisElem(i)))
}

// steer returns the KL weight under a target rate, and the next state of that.
func steer(state *graph.Node, in []*graph.Node, weight, kl *graph.Node) (steered, rate *graph.Node) {
	logarithm := graph.Slice(state, graph.AxisElem(0))
	mean := graph.Slice(state, graph.AxisElem(1))
	steered = graph.Mul(weight, graph.Exp(graph.Reshape(logarithm)))
	now := graph.StopGradient(graph.Reshape(kl, 1))
	mean = graph.Add(graph.MulScalar(mean, 1-rateDecay), graph.MulScalar(now, rateDecay))
	miss := graph.AddScalar(graph.Div(mean, entry(in[inputSetting], settingTargetRate)), -1)
	move := graph.Mul(graph.ClipScalar(miss, -1, 1), entry(in[inputPlan], planSteer))
	logarithm = graph.ClipScalar(graph.Add(logarithm, graph.MulScalar(move, rateStep)), -rateBound, rateBound)
	return steered, graph.Concatenate([]*graph.Node{logarithm, mean}, 0)
}

// adam returns the next parameters and moments.
func adam(s state[*graph.Node], plan *graph.Node, gradients []*graph.Node) (next state[*graph.Node]) {
	rate, correction := entry(plan, planRate), entry(plan, planSecond)
	for i, gradient := range gradients {
		square := graph.Mul(gradient, gradient)
		first := graph.Add(graph.MulScalar(s.first[i], adamBeta1), graph.MulScalar(gradient, 1-adamBeta1))
		second := graph.Add(graph.MulScalar(s.second[i], adamBeta2), graph.MulScalar(square, 1-adamBeta2))
		denominator := graph.AddScalar(graph.Mul(graph.Sqrt(second), correction), adamEpsilon)
		next.theta = append(next.theta, graph.Sub(s.theta[i], graph.Div(graph.Mul(first, rate), denominator)))
		next.first, next.second = append(next.first, first), append(next.second, second)
	}
	return next
}

// loopGraph repeats stepGraph for the first count (int32) of the S steps that
// there are plans and draws for.
func (n *network) loopGraph(program program, in []*graph.Node) []*graph.Node {
	parts := n.parts(program.layout)
	_, rest := takeState(in, parts)
	return loop{
		state: in[:len(in)-len(rest)], constants: rest[:inputPlan], tables: rest[inputPlan:inputSize],
		zero: rest[inputSize], end: rest[inputSize+1],
		cut: func(state []*graph.Node) []*graph.Node {
			return n.cut(program.layout, state[:parts])
		},
		step: func(state, constants, rows, cut []*graph.Node) []*graph.Node {
			s, _ := takeState(state, parts)
			return n.stepGraph(program, s, slices.Concat(constants, rows), cut).list()
		},
	}.run()
}
