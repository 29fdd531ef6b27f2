package generate

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/mixture"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

// Generator joins a model with a constraint set. It is safe for concurrent use
// as far as its model is.
type Generator struct {
	model     *vae.Model
	set       simplex.Set
	projector *simplex.Projector
}

// Batch is N portfolios that came out of latent codes.
type Batch struct {
	Codes   *mat.Dense // N x d
	Decoded *mat.Dense // N x n, the decoder's means before any repair
	Weights *mat.Dense // N x n, the nearest point of the constraint set to each
	Repair  []float64  // N, the Euclidean distance between the two
	Moved   []float64  // N, how far an order's portfolios were moved on, to what was asked; nil of others
}

// Density is a distribution of latent codes: the prior, or a model of the
// aggregate posterior (a [mixture.Mixture], a [TwoStage]).
type Density interface {
	// Draw draws a code into each row of codes (N x d). The first rows of more
	// are those of fewer.
	Draw(ctx context.Context, codes *mat.Dense, rng *rand.Rand) error
}

// Prior is N(0, I), the distribution that the KL term pulls the codes to.
type Prior struct{}

// Draw draws a code into each row of codes.
func (Prior) Draw(ctx context.Context, codes *mat.Dense, rng *rand.Rand) error {
	normals(codes, rng)
	return ctx.Err()
}

// normals fills x, row by row, with draws of N(0, 1).
func normals(x *mat.Dense, rng *rand.Rand) {
	rows, _ := x.Dims()
	for i := range rows {
		row := x.RawRowView(i)
		for j := range row {
			row[j] = rng.NormFloat64()
		}
	}
}

// LogProb returns the log density at a code, in nats.
func (Prior) LogProb(z []float64) float64 {
	var sum float64
	for _, v := range z {
		sum += v*v + math.Log(2*math.Pi)
	}
	return -sum / 2
}

// New joins a model with the constraint set of its portfolios. It fails where
// the set is empty (*simplex.InfeasibleError) or has another number of assets
// than the model.
func New(model *vae.Model, set simplex.Set) (*Generator, error) {
	if n := model.Config().Assets; n != set.N {
		return nil, fmt.Errorf("the model has %d assets and the constraint set %d: use the symbols that the model "+
			"was trained on", n, set.N)
	}
	projector, err := simplex.NewProjector(set)
	if err != nil {
		return nil, err
	}
	return &Generator{model: model, set: set, projector: projector}, nil
}

// Latent returns the dimension of the codes.
func (g *Generator) Latent() int { return g.model.Config().Latent }

// Sample draws n portfolios from a density of codes. Equal seeds give equal
// batches, and the first rows of a longer batch are those of a shorter one.
func (g *Generator) Sample(ctx context.Context, n int, density Density, seed uint64) (*Batch, error) {
	if n < 1 {
		return nil, fmt.Errorf("%d portfolios asked for: ask for at least 1", n)
	}
	codes, err := g.draw(ctx, n, density, stream.New(seed, "generate.sample", 0))
	if err != nil {
		return nil, err
	}
	return g.Decode(ctx, codes)
}

// draw makes n codes of d dimensions, n x d.
func draw(ctx context.Context, n, d int, density Density, rng *rand.Rand) (*mat.Dense, error) {
	codes := mat.NewDense(n, d, nil)
	return codes, density.Draw(ctx, codes, rng)
}

// decodeRows is how many codes go through the decoder at a time. A matrix
// product may round a row otherwise in a product of another height; with one
// height for all, a portfolio does not depend on how many others are made.
const decodeRows = 1024

// decode is the decoder's mean at codes (N x d), whatever the number of rows,
// under conditions by row (N x k); nil: under those that the model is under.
func decode(ctx context.Context, model *vae.Model, codes, conditions *mat.Dense) (*mat.Dense, error) {
	decoded, err := model.DecodeGiven(ctx, pad(codes), pad(conditions))
	if err != nil {
		return nil, err
	}
	n, _ := codes.Dims()
	return decoded.Slice(0, n, 0, model.Config().Assets).(*mat.Dense), nil
}

// pad adds rows of zeros, which conditions can have too, up to a multiple of
// decodeRows.
func pad(m *mat.Dense) *mat.Dense {
	if m == nil {
		return nil
	}
	n, columns := m.Dims()
	rows := roundUp(n, decodeRows)
	if rows == n {
		return m
	}
	padded := mat.NewDense(rows, columns, nil)
	padded.Copy(m)
	return padded
}

// Decode makes the portfolios of given codes (N x d).
func (g *Generator) Decode(ctx context.Context, codes *mat.Dense) (*Batch, error) {
	return g.decodeGiven(ctx, codes, nil)
}

// decodeGiven is Decode under conditions by row (N x k); nil: as Decode.
func (g *Generator) decodeGiven(ctx context.Context, codes, conditions *mat.Dense) (*Batch, error) {
	decoded, err := decode(ctx, g.model, codes, conditions)
	if err != nil {
		return nil, err
	}
	n, assets := decoded.Dims()
	batch := &Batch{Codes: codes, Decoded: decoded, Weights: mat.NewDense(n, assets, nil), Repair: make([]float64, n)}
	if err := simplex.ProjectAll(ctx, g.set, batch.Weights, decoded, batch.Repair); err != nil {
		return nil, err
	}
	return batch, nil
}

// Project returns the nearest member of the generator's set to each of the weights
// (N x n), as a batch without codes.
func (g *Generator) Project(ctx context.Context, weights *mat.Dense) (*Batch, error) {
	rows, _ := weights.Dims()
	batch := &Batch{Weights: mat.DenseCopyOf(weights), Repair: make([]float64, rows)}
	return batch, simplex.ProjectAll(ctx, g.set, batch.Weights, batch.Weights, batch.Repair)
}

// Pick returns a batch of the given rows, in their order. There has to be one.
func (b *Batch) Pick(rows []int) *Batch {
	out := &Batch{Codes: pickRows(b.Codes, rows), Decoded: pickRows(b.Decoded, rows),
		Weights: pickRows(b.Weights, rows)}
	for _, i := range rows {
		out.Repair = append(out.Repair, b.Repair[i])
		if b.Moved != nil {
			out.Moved = append(out.Moved, b.Moved[i])
		}
	}
	return out
}

// pickRows returns the given rows of m, nil for nil.
func pickRows(m *mat.Dense, rows []int) *mat.Dense {
	if m == nil {
		return nil
	}
	_, columns := m.Dims()
	out := mat.NewDense(len(rows), columns, nil)
	for k, i := range rows {
		out.SetRow(k, m.RawRowView(i))
	}
	return out
}

// roundUp returns the first multiple of unit that is not below n.
func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }

// MaxRepair returns the largest distance that the projection moved a row.
func (b *Batch) MaxRepair() float64 {
	var largest float64
	for _, r := range b.Repair {
		largest = max(largest, r)
	}
	return largest
}

// AggregateSettings says how [FitAggregate] fits. Zero values stand
// for the defaults named below.
type AggregateSettings struct {
	// Components of the Gaussian mixture, with full covariances. Default: 40 of
	// codes of up to 12 dimensions, and beyond these 400 without correlations.
	Components int
	Conditions *mat.Dense // N x k, of the training portfolios of a conditional model
	Seed       uint64
}

// What a mixture has that nobody has chosen. A full covariance of many dimensions
// is spread over so many codes that what lies between them is decoded too, and
// portfolios come out narrow: see docs/sizes.md.
const (
	fullDimensions     = 12
	fullComponents     = 40
	diagonalComponents = 400
	diagonalRows       = 20 // codes for each component, at least
	diagonalIterations = 30
)

// FitAggregate fits a Gaussian mixture to codes of training portfolios (N x n).
// They are one draw of q(z|x) for each row, which carries the posterior's width,
// where a mixture on the means alone would leave it out. Without correlations it is
// fitted to the means, which lie closer together, and widened by the posterior's
// mean variances afterwards.
func FitAggregate(
	ctx context.Context, model *vae.Model, training *mat.Dense, settings AggregateSettings,
) (*mixture.Mixture, error) {
	rng := stream.New(settings.Seed, "generate.aggregate", 0)
	rows, _ := training.Dims()
	if d := model.Config().Latent; settings.Components == 0 && d > fullDimensions {
		means, logVar, err := model.EncodeGiven(ctx, training, settings.Conditions)
		if err != nil {
			return nil, err
		}
		m, err := mixture.Fit(ctx, means, mixture.Settings{
			Components: min(diagonalComponents, max(1, rows/diagonalRows)), Diagonal: true, Starts: 1,
			Iterations: diagonalIterations,
		}, rng)
		if err != nil {
			return nil, err
		}
		width := make([]float64, d)
		for i := range rows {
			for j, l := range logVar.RawRowView(i) {
				width[j] += math.Exp(l) / float64(rows)
			}
		}
		return m.Widened(width), nil
	}
	codes, err := model.SampleCodes(ctx, training, settings.Conditions, rng)
	if err != nil {
		return nil, err
	}
	// A component needs points enough to have a covariance.
	components := min(cmp.Or(settings.Components, fullComponents), max(1, rows/(4*model.Config().Latent)))
	return mixture.Fit(ctx, codes, mixture.Settings{Components: components}, rng)
}
