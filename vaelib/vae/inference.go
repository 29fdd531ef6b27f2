package vae

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/mat"
)

// Encode returns mean and log variance of q(z|x), N x d each, for the rows of
// x (N x n). A conditional model needs [Model.Given] first, or takes the
// conditions row by row with [Model.EncodeGiven]; so it is with Decode.
func (m *Model) Encode(x *mat.Dense) (mean, logvar *mat.Dense, err error) {
	return m.EncodeContext(context.Background(), x)
}

// EncodeContext is [Model.Encode] with a context, which is looked at between
// blocks of 1,024 rows.
func (m *Model) EncodeContext(ctx context.Context, x *mat.Dense) (mean, logvar *mat.Dense, err error) {
	return m.EncodeGiven(ctx, x, nil)
}

// EncodeGiven is Encode under one row of conditions (N x k) for each row.
func (m *Model) EncodeGiven(ctx context.Context, x, conditions *mat.Dense) (mean, logvar *mat.Dense, err error) {
	c := m.config
	if err := m.checkInput("rows to encode", x, c.Assets); err != nil {
		return nil, nil, err
	}
	if conditions, err = m.conditions("encode", x, conditions); err != nil {
		return nil, nil, err
	}
	if m.placed != nil {
		return m.placed.encode(ctx, x)
	}
	rows, _ := x.Dims()
	out, err := m.run(ctx, m.programs.encode, rows, []int{c.Latent, c.Latent},
		input{c.Assets + c.conditionWidth(), func(dst []float32, from int) {
			m.scaling.standardise(dst, c, x, conditions, from)
		}})
	if err != nil {
		return nil, nil, err
	}
	return out[0], out[1], nil
}

// SampleCodes draws a code of q(z|x, c) for each row of x (N x n), N x d.
// Conditions are N x k, nil for a model without.
func (m *Model) SampleCodes(ctx context.Context, x, conditions *mat.Dense, rng *rand.Rand) (*mat.Dense, error) {
	codes, logVar, err := m.EncodeGiven(ctx, x, conditions)
	if err != nil {
		return nil, err
	}
	rows, _ := codes.Dims()
	for i := range rows {
		z, v := codes.RawRowView(i), logVar.RawRowView(i)
		for j := range z {
			z[j] += math.Exp(v[j]/2) * rng.NormFloat64()
		}
	}
	return codes, nil
}

// conditions returns those of the rows of x: the ones given row by row, or else
// the ones that the model is under.
func (m *Model) conditions(do string, x, conditions *mat.Dense) (*mat.Dense, error) {
	rows, _ := x.Dims()
	k := len(m.config.Conditions)
	switch {
	case conditions != nil || k == 0:
		return conditions, checkValues("rows to "+do, m.config.Conditions, conditions, rows)
	case m.given == nil:
		return nil, fmt.Errorf("the model has %d conditions and none are given to %s under: name them", k, do)
	}
	repeated := mat.NewDense(rows, k, nil)
	for i := range rows {
		repeated.SetRow(i, m.given)
	}
	return repeated, nil
}

// Decode returns the mean portfolio of p(x|z), N x n, for the rows of z
// (N x d). Rows sum to 1 within float64's rounding, unless the head is linear:
// positive with softmax (with the logistic-normal likelihood, of at least 0), of
// at least 0 with sparsemax, from 0 to the maximum with capped.
func (m *Model) Decode(z *mat.Dense) (*mat.Dense, error) {
	return m.DecodeContext(context.Background(), z)
}

// DecodeContext is [Model.Decode] with a context, which is looked at between
// blocks of 1,024 rows.
func (m *Model) DecodeContext(ctx context.Context, z *mat.Dense) (*mat.Dense, error) {
	return m.DecodeGiven(ctx, z, nil)
}

// DecodeGiven is Decode under one row of conditions (N x k) for each row.
func (m *Model) DecodeGiven(ctx context.Context, z, conditions *mat.Dense) (*mat.Dense, error) {
	if err := m.checkInput("rows to decode", z, m.config.Latent); err != nil {
		return nil, err
	}
	codes, err := m.codes(z, conditions)
	if err != nil {
		return nil, err
	}
	if m.placed != nil {
		return m.placed.decode(ctx, z)
	}
	rows, _ := z.Dims()
	out, err := m.run(ctx, m.programs.decode, rows, []int{m.config.Assets}, codes)
	if err != nil {
		return nil, err
	}
	if finish := heads[m.config.Head].finish; finish != nil {
		for i := range rows {
			finish(m.config, out[0].RawRowView(i))
		}
	}
	return out[0], nil
}

// codes are the rows of z (N x d) and their conditions as the decoder takes them.
func (m *Model) codes(z, conditions *mat.Dense) (input, error) {
	conditions, err := m.conditions("decode", z, conditions)
	if err != nil {
		return input{}, err
	}
	rows, d := z.Dims()
	width := d + m.config.conditionWidth()
	return input{width, func(dst []float32, from int) {
		for i := from; i < rows && (i-from)*width < len(dst); i++ {
			row := dst[(i-from)*width:][:width]
			for j, v := range z.RawRowView(i) {
				row[j] = float32(v)
			}
			if conditions != nil {
				m.scaling.expand(row[d:], m.config.Conditions, conditions.RawRowView(i))
			}
		}
	}}, nil
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
	rows, d := z.Dims()
	if b, _ := g.Dims(); rows != b {
		return nil, fmt.Errorf("%d rows of z and %d of gradients, want as many", rows, b)
	}
	if m.placed != nil {
		return m.placed.vjp(z, g)
	}
	codes, err := m.codes(z, nil)
	if err != nil {
		return nil, err
	}
	gradients := input{m.config.Assets, func(dst []float32, from int) {
		n := m.config.Assets
		for i := from; i < rows && (i-from)*n < len(dst); i++ {
			for j, v := range g.RawRowView(i) {
				dst[(i-from)*n+j] = float32(v)
			}
		}
	}}
	out, err := m.run(context.Background(), m.programs.vjp, rows, []int{codes.columns}, codes, gradients)
	if err != nil {
		return nil, err
	}
	if codes.columns > d {
		return mat.DenseCopyOf(out[0].Slice(0, rows, 0, d)), nil
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

// input is a program's input of many rows: its columns, and what writes the rows
// from.. into dst.
type input struct {
	columns int
	fill    func(dst []float32, from int)
}

// run calls a program on blocks of the inputs' rows, padded to a power of two,
// and returns its outputs, each with the given number of columns.
func (m *Model) run(
	ctx context.Context, program *graph.Exec, rows int, columns []int, inputs ...input,
) ([]*mat.Dense, error) {
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
		for _, in := range inputs {
			flat := make([]float32, size*in.columns)
			in.fill(flat, from)
			args = append(args, featureTensor(flat, size, in.columns))
		}
		results, err := call(program, args...)
		if err != nil {
			return nil, err
		}
		for k := range columns {
			for i := range min(size, rows-from) {
				row := out[k].RawRowView(from + i)
				for j := range row {
					row[j] = float64(results[k][j*size+i])
				}
			}
		}
	}
	return out, nil
}
