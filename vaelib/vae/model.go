package vae

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/mat"
)

// Model is a trained VAE. It is immutable and safe for concurrent use; it
// works as long as its [Backend] is open.
type Model struct {
	config    Config
	scaling   scaling
	symbols   []string
	dataHash  string
	trainedOn string // name of the backend
	theta     []float32

	backend  *Backend
	programs *programs
	device   *tensors.Tensor // theta where the backend runs
}

func newModel(b *Backend, c Config, s scaling, symbols []string, dataHash, trainedOn string, theta []float32) (*Model, error) {
	p, err := b.program(c)
	if err != nil {
		return nil, err
	}
	return &Model{
		config: c, scaling: s, symbols: symbols, dataHash: dataHash, trainedOn: trainedOn, theta: theta,
		backend: b, programs: p, device: tensors.FromFlatDataAndDimensions(slices.Clone(theta), len(theta)),
	}, nil
}

// Config returns the configuration that the model was trained with.
func (m *Model) Config() Config {
	c := m.config
	c.Hidden = slices.Clone(c.Hidden)
	return c
}

// Symbols returns the names of the assets, or nil where none were given.
func (m *Model) Symbols() []string { return slices.Clone(m.symbols) }

// Backend returns what runs the model.
func (m *Model) Backend() *Backend { return m.backend }

// Mean returns the mean training row (n).
func (m *Model) Mean() []float64 { return slices.Clone(m.scaling.mean) }

// Variance returns v, the training rows' mean per-coordinate variance.
func (m *Model) Variance() float64 { return m.scaling.variance }

// Beta returns the KL weight without unit, of which 1 is the evidence lower
// bound of a Gaussian decoder with variance v: beta itself for the Gaussian
// likelihood, beta/(2v) for mse-sum, and beta times the mean learned variance
// over v where variances are learned. Compare it with [Thresholds].
func (m *Model) Beta() float64 {
	beta := likelihoods[m.config.Likelihood].beta(m.config.Beta, m.scaling.variance)
	if n := m.programs.network; n.variances < n.size {
		var sum float64
		for _, s := range m.theta[n.variances:] {
			sum += varianceFloor + math.Exp(float64(s))
		}
		return beta * sum / float64(n.size-n.variances)
	}
	return beta
}

// RawBeta returns the KL weight beside the plain sum of squares
// |x - decode(z)|^2, 2v Beta(): what textbooks call beta.
func (m *Model) RawBeta() float64 { return 2 * m.scaling.variance * m.Beta() }

// DecoderVariance returns the variance of the decoder's noise, Beta()*v per
// asset: what a sample adds to Decode(z) if it is to have the spread of a
// portfolio rather than of a mean.
func (m *Model) DecoderVariance() float64 { return m.Beta() * m.scaling.variance }

// DecoderVariances returns the variance of the decoder's noise by asset (n),
// of mean DecoderVariance: different ones where they are learned.
func (m *Model) DecoderVariances() []float64 {
	v := make([]float64, m.config.Assets)
	n := m.programs.network
	for i := range v {
		if n.variances < n.size {
			v[i] = m.config.Beta * m.scaling.variance * (varianceFloor + math.Exp(float64(m.theta[n.variances+i])))
		} else {
			v[i] = m.DecoderVariance()
		}
	}
	return v
}

// DataHash identifies the training and validation rows.
func (m *Model) DataHash() string { return m.dataHash }

// Encode returns mean and log variance of q(z|x), N x d each, for the rows of
// x (N x n).
func (m *Model) Encode(x *mat.Dense) (mean, logvar *mat.Dense, err error) {
	return m.EncodeContext(context.Background(), x)
}

// EncodeContext is [Model.Encode] with a context, which is looked at between
// blocks of 1,024 rows.
func (m *Model) EncodeContext(ctx context.Context, x *mat.Dense) (mean, logvar *mat.Dense, err error) {
	c := m.config
	if err := m.checkInput("rows to encode", x, c.Assets); err != nil {
		return nil, nil, err
	}
	out, err := m.run(ctx, m.programs.encode, []int{c.Latent, c.Latent}, func(dst []float32, _, from int) {
		m.scaling.standardise(dst, x, from)
	}, x)
	if err != nil {
		return nil, nil, err
	}
	return out[0], out[1], nil
}

// Decode returns the mean portfolio of p(x|z), N x n, for the rows of z
// (N x d). Rows sum to 1 within 1e-6, unless the head is linear: positive with
// softmax, of at least 0 with sparsemax, from 0 to the maximum with capped.
func (m *Model) Decode(z *mat.Dense) (*mat.Dense, error) {
	return m.DecodeContext(context.Background(), z)
}

// DecodeContext is [Model.Decode] with a context, which is looked at between
// blocks of 1,024 rows.
func (m *Model) DecodeContext(ctx context.Context, z *mat.Dense) (*mat.Dense, error) {
	if err := m.checkInput("rows to decode", z, m.config.Latent); err != nil {
		return nil, err
	}
	out, err := m.run(ctx, m.programs.decode, []int{m.config.Assets}, copyRows(z), z)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// DecodeVJP returns the vector-Jacobian product of the decoder: for rows z
// (N x d) and g (N x n), the gradient by a weight, the gradient by z (N x d),
// dz_i = g_i^T d decode(z_i)/dz_i.
func (m *Model) DecodeVJP(z, g *mat.Dense) (*mat.Dense, error) {
	if err := m.checkInput("rows to differentiate at", z, m.config.Latent); err != nil {
		return nil, err
	}
	if err := m.checkInput("gradients", g, m.config.Assets); err != nil {
		return nil, err
	}
	if a, b := z.RawMatrix().Rows, g.RawMatrix().Rows; a != b {
		return nil, fmt.Errorf("%d rows of z and %d of gradients, want as many", a, b)
	}
	out, err := m.run(context.Background(), m.programs.vjp, []int{m.config.Latent}, copyRows(z, g), z, g)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

func (m *Model) checkInput(what string, x *mat.Dense, columns int) error {
	if x == nil || x.IsEmpty() {
		return fmt.Errorf("no %s", what)
	}
	if _, c := x.Dims(); c != columns {
		return fmt.Errorf("%s have %d columns, want %d", what, c, columns)
	}
	rows, _ := x.Dims()
	for i := range rows {
		for j, v := range x.RawRowView(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("%s: row %d has %v in column %d", what, i+1, v, j+1)
			}
		}
	}
	return nil
}

// copyRows fills the k-th input with rows of the k-th matrix.
func copyRows(x ...*mat.Dense) func(dst []float32, k, from int) {
	return func(dst []float32, k, from int) {
		rows, n := x[k].Dims()
		for i := from; i < rows && (i-from)*n < len(dst); i++ {
			for j, v := range x[k].RawRowView(i) {
				dst[(i-from)*n+j] = float32(v)
			}
		}
	}
}

// run calls a program on blocks of the inputs' rows, padded to a power of two,
// and returns its outputs, each with the given number of columns. fill writes
// the rows from.. of the k-th input.
func (m *Model) run(ctx context.Context, program *graph.Exec, columns []int, fill func(dst []float32, k, from int), inputs ...*mat.Dense) ([]*mat.Dense, error) {
	rows, _ := inputs[0].Dims()
	out := make([]*mat.Dense, len(columns))
	for k, c := range columns {
		out[k] = mat.NewDense(rows, c, nil)
	}
	size := blockSize(rows)
	for from := 0; from < rows; from += size {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		args := []any{m.device}
		for k, x := range inputs {
			_, n := x.Dims()
			flat := make([]float32, size*n)
			fill(flat, k, from)
			args = append(args, tensors.FromFlatDataAndDimensions(flat, size, n))
		}
		results, err := call(program, args...)
		if err != nil {
			return nil, err
		}
		for k, c := range columns {
			for i := range min(size, rows-from) {
				row := out[k].RawRowView(from + i)
				for j := range row {
					row[j] = float64(results[k][i*c+j])
				}
			}
		}
	}
	return out, nil
}
