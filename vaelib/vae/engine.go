package vae

import (
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
	stateStep    = iota     // int32: steps done
	stateRandom             // 3 x uint64: the generator's state
	stateTheta              // P: parameters
	stateFirst              // P: Adam's first moments
	stateSecond             // P: Adam's second moments
	stateSums               // 3: sums of loss, reconstruction and KL since the last evaluation
	stateSize               //
	inputRows    = iota - 1 // N x n: standardised training rows, padded
	inputCount              // int32: how many of the rows are real
	inputMean               // 1 x n: mean training row
	inputSetting            // settings vector, below
	inputSize               //
)

// The settings vector's entries.
const (
	settingVariance = iota
	settingBeta
	settingLearningRate
	settingWarmup // steps until the KL weight is beta
	settingSteps  // steps until the learning rate is 0
	settingSize
)

// stepGraph is one step of Adam: state and inputs (inputSize nodes) to the next
// state (stateSize nodes).
func (n *network) stepGraph(batchSize int, in []*graph.Node) []*graph.Node {
	theta := in[stateTheta]
	g, dtype := theta.Graph(), theta.DType()
	setting := func(i int) *graph.Node {
		return graph.Reshape(graph.Slice(in[inputSetting], graph.AxisElem(i)))
	}
	random, indices := graph.RandomIntN(in[stateRandom], in[inputCount], shapes.Make(dtypes.Int32, batchSize, 1))
	random, noise := graph.RandomNormal(random, shapes.Make(dtype, batchSize, n.config.Latent))
	b := batch{
		standardised: graph.Gather(in[inputRows], indices),
		noise:        noise,
		mean:         in[inputMean],
		variance:     setting(settingVariance),
	}
	t := n.tape(theta)
	rowReconstruction, rowKL := t.losses(b)
	reconstruction := graph.ReduceAllMean(rowReconstruction)
	kl := graph.DivScalar(graph.ReduceAllSum(rowKL), float64(batchSize))
	step := graph.ConvertDType(in[stateStep], dtype)
	one := graph.ScalarOne(g, dtype)
	warm := graph.Min(one, graph.Div(graph.Add(step, one), graph.Max(setting(settingWarmup), one)))
	loss := graph.Add(reconstruction, graph.Mul(graph.Mul(setting(settingBeta), warm), kl))

	gradient := t.gradient(loss)
	first := graph.Add(graph.MulScalar(in[stateFirst], adamBeta1), graph.MulScalar(gradient, 1-adamBeta1))
	second := graph.Add(graph.MulScalar(in[stateSecond], adamBeta2), graph.MulScalar(graph.Mul(gradient, gradient), 1-adamBeta2))
	// 1 - beta^t by expm1, as float32 would lose it in the first steps.
	count := graph.Add(step, one)
	correction := func(beta float64) *graph.Node {
		return graph.Neg(graph.Expm1(graph.MulScalar(count, math.Log(beta))))
	}
	cosine := graph.MulScalar(graph.Cos(graph.MulScalar(graph.Div(step, setting(settingSteps)), math.Pi)), 0.5)
	rate := graph.Mul(setting(settingLearningRate), graph.AddScalar(cosine, 0.5))
	numerator := graph.Mul(first, graph.Div(rate, correction(adamBeta1)))
	denominator := graph.AddScalar(graph.Mul(graph.Sqrt(second), graph.Rsqrt(correction(adamBeta2))), adamEpsilon)
	next := make([]*graph.Node, stateSize)
	next[stateStep] = graph.AddScalar(in[stateStep], 1)
	next[stateRandom] = random
	next[stateTheta] = graph.Sub(theta, graph.Div(numerator, denominator))
	next[stateFirst] = first
	next[stateSecond] = second
	next[stateSums] = graph.Add(in[stateSums], graph.Concatenate([]*graph.Node{
		graph.Reshape(loss, 1), graph.Reshape(reconstruction, 1), graph.Reshape(kl, 1)}, 0))
	return next
}

// loopGraph repeats stepGraph until the step counter reaches end (int32). A
// loop's body may not capture anything (GoMLX 0.28 fails on it), so the
// constant inputs travel as loop state.
func (n *network) loopGraph(batchSize int, in []*graph.Node, end *graph.Node) []*graph.Node {
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
		return append(n.stepGraph(batchSize, p[:inputSize]), p[stateSize:]...)
	})
	return graph.While(condition, body, state...)[:stateSize]
}

// evaluationGraph sums, over the rows that present (B) marks with 1, the
// reconstruction loss and each dimension's KL: a vector of 1 + d.
func (n *network) evaluationGraph(theta, random, rows, present, mean, variance *graph.Node) *graph.Node {
	size := rows.Shape().Dimensions[0]
	_, noise := graph.RandomNormal(random, shapes.Make(theta.DType(), size, n.config.Latent))
	reconstruction, kl := n.tape(theta).losses(batch{standardised: rows, noise: noise, mean: mean, variance: variance})
	total := graph.ReduceAllSum(graph.Mul(reconstruction, present))
	perDimension := graph.ReduceSum(graph.Mul(kl, graph.ExpandAxes(present, -1)), 0)
	return graph.Concatenate([]*graph.Node{graph.Reshape(total, 1), perDimension}, 0)
}
