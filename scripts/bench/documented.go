package main

import (
	"math"
	"math/rand"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/dataset"
	"github.com/gomlx/gomlx/ml/layers"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train"
	"github.com/gomlx/gomlx/ml/train/optimizer"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/vae"
)

// documented trains a network as GoMLX's documentation shows it: by
// its layers, its Adam, its data set and its loop. Unlike this library's
// training it has neither a warm-up of beta nor a decay of the learning rate. It
// is for one goroutine.
type documented struct {
	loop *train.Loop
	rows *dataset.InMemoryDataset
}

// newDocumented prepares a training of a configuration on rows (N x n).
func newDocumented(
	engine compute.Backend, c vae.Config, rate float64, rows *mat.Dense, batch int, seed uint64,
) (*documented, error) {
	count, assets := rows.Dims()
	// The data set draws no batch larger than itself: it has the rows so often that
	// it is not smaller.
	count *= (batch + count - 1) / count
	flat := make([]float32, 0, count*assets)
	for len(flat) < cap(flat) {
		for _, w := range rows.RawMatrix().Data {
			flat = append(flat, float32(w))
		}
	}
	data, err := dataset.InMemoryFromData(engine, "portfolios",
		[]any{tensors.FromFlatDataAndDimensions(flat, count, assets)}, nil)
	if err != nil {
		return nil, err
	}
	data.RandomWithReplacement().BatchSize(batch, true).Infinite(true).WithRand(rand.New(rand.NewSource(int64(seed))))
	mean, variance := make([]float32, assets), 0.0
	for i := range assets {
		m, v := stat.MeanVariance(mat.Col(nil, i, rows), nil)
		mean[i], variance = float32(m), variance+v/float64(assets)
	}
	store := model.NewStore()
	store.SetParam(model.ParamInitialSeed, int64(seed))
	adam := optimizer.Adam().LearningRate(rate).Done()
	// Without a loss function, as the network adds its loss itself.
	trainer := train.NewTrainer(engine, store, autoencoder(c, mean, variance), nil, adam, nil, nil)
	return &documented{train.NewLoop(trainer), data}, nil
}

// train does so many steps more and returns their loss, in nats a row, as an
// exponential moving average.
func (d *documented) train(steps int) (float64, error) {
	metrics, err := d.loop.RunSteps(d.rows, steps)
	if err != nil {
		return 0, err
	}
	return shapes.ConvertTo[float64](metrics[1].Value()), nil // metrics[0] is the last batch's alone
}

// autoencoder is the network of a configuration, and its loss on x (batch x n):
// silu, the softmax head and the Gaussian likelihood, as the defaults are.
func autoencoder(c vae.Config, mean []float32, variance float64) func(scope *model.Scope, x *graph.Node) {
	return func(scope *model.Scope, x *graph.Node) {
		standardised := graph.DivScalar(graph.Sub(x, graph.Const(x.Graph(), [][]float32{mean})), math.Sqrt(variance))
		code := layers.Dense(scope.In("code"), hidden(scope.In("encoder"), standardised, c.Hidden), true, 2*c.Latent)
		mu := graph.Slice(code, graph.AxisRange(), graph.AxisRangeFromStart(c.Latent))
		logvar := graph.Slice(code, graph.AxisRange(), graph.AxisRangeToEnd(c.Latent))
		noise := scope.RandomNormal(x.Graph(), mu.Shape())
		z := graph.Add(mu, graph.Mul(graph.Exp(graph.DivScalar(logvar, 2)), noise))

		mirrored := make([]int, 0, len(c.Hidden))
		for i := range c.Hidden {
			mirrored = append(mirrored, c.Hidden[len(c.Hidden)-1-i])
		}
		logits := layers.Dense(scope.In("head"), hidden(scope.In("decoder"), z, mirrored), true, c.Assets)
		squared := graph.ReduceSum(graph.Square(graph.Sub(x, graph.Softmax(logits))), -1)
		kl := graph.ReduceSum(graph.Sub(graph.Add(graph.Square(mu), graph.Exp(logvar)), graph.OnePlus(logvar)), -1)
		loss := graph.Add(graph.DivScalar(squared, 2*variance), graph.MulScalar(kl, c.Beta/2))
		train.AddMainLoss(graph.ReduceAllMean(loss))
	}
}

func hidden(scope *model.Scope, x *graph.Node, widths []int) *graph.Node {
	for i, width := range widths {
		x = activation.Apply(activation.TypeSilu, layers.Dense(scope.In("hidden_%d", i), x, true, width))
	}
	return x
}
