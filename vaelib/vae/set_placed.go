package vae

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/universe"
)

// placed is a model over sets in one universe: the decoder that the network has
// written for it,
//
//	w = P(offset + slopes z),
//
// P the projection on {sum w = 1, 0 <= w <= cap}, and what the encoder needs.
type placed struct {
	of       *SetModel
	universe *universe.Universe
	row      setRow
	width    int       // assets that the universe is padded to
	offset   []float64 // n
	slopes   *mat.Dense
	scatter  []float64 // n, variances of weights about what is decoded; nil: those of the likelihood
	head     simplex.Set
}

// read takes the network's map over, in units of weight.
func (p *placed) read(offset, slopes, scatter []float32, deviation float64, d int) error {
	n := p.universe.Assets()
	p.offset, p.slopes = make([]float64, n), mat.NewDense(n, d, nil)
	for i := range n {
		p.offset[i] = 1/float64(n) + deviation*float64(offset[i])
		for k := range d {
			p.slopes.Set(i, k, deviation*float64(slopes[i*d+k]))
		}
	}
	for i, v := range append(slices.Clone(p.offset), p.slopes.RawMatrix().Data...) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("the model's decoder is not finite (entry %d): train it with a lower learning rate", i)
		}
	}
	for _, v := range scatter[:min(n, len(scatter))] {
		p.scatter = append(p.scatter, deviation*deviation*math.Exp(float64(v)))
	}
	p.head = simplex.Set{N: n, Upper: slices.Repeat([]float64{p.universe.Cap}, n)}
	return nil
}

// Ask returns a model over sets in the same universe, under a largest weight that may be
// lower, and a conditional one asked for portfolios that have something. It panics for a
// model of a fixed set of assets.
func (m *Model) Ask(largest float64, a *universe.Asked) (*Model, error) {
	u := *m.placed.universe
	u.Cap = min(u.Cap, largest)
	return m.placed.of.Asked(&u, a)
}

// Affine returns what a model over sets decodes with in its universe, w = P(offset + slopes
// z): the offset (n) and the slopes (n x d), in units of weight, and the variances (n) of
// the assets' returns per period. They are not to be changed, and nil of a model of a fixed
// set of assets.
func (m *Model) Affine() (offset []float64, slopes *mat.Dense, variances []float64) {
	if m.placed == nil {
		return nil, nil, nil
	}
	n := m.placed.universe.Assets()
	variances = make([]float64, n)
	for i := range variances {
		variances[i] = m.placed.universe.Cov.At(i, i)
	}
	return m.placed.offset, m.placed.slopes, variances
}

// logits are the decoder's output before the head at codes (N x d).
func (p *placed) logits(z *mat.Dense) *mat.Dense {
	rows, _ := z.Dims()
	y := mat.NewDense(rows, len(p.offset), nil)
	y.Mul(z, p.slopes.T())
	for i := range rows {
		row := y.RawRowView(i)
		for j := range row {
			row[j] += p.offset[j]
		}
	}
	return y
}

func (p *placed) decode(ctx context.Context, z *mat.Dense) (*mat.Dense, error) {
	y := p.logits(z)
	rows, _ := y.Dims()
	return y, simplex.ProjectAll(ctx, p.head, y, y, make([]float64, rows))
}

func (p *placed) vjp(z, g *mat.Dense) (*mat.Dense, error) {
	y := p.logits(z)
	rows, n := y.Dims()
	projector, err := simplex.NewProjector(p.head)
	if err != nil {
		return nil, err
	}
	projectors := make([]*simplex.Projector, parallel.Workers(rows))
	for i := range projectors {
		projectors[i] = projector.Clone()
	}
	back := mat.NewDense(rows, n, nil)
	if err := parallel.For(context.Background(), rows, func(worker, i int) error {
		own, row := projectors[worker], y.RawRowView(i)
		if _, err := own.Project(row, row); err != nil {
			return err
		}
		own.VJP(back.RawRowView(i), g.RawRowView(i))
		return nil
	}); err != nil {
		return nil, err
	}
	dz := new(mat.Dense)
	dz.Mul(back, p.slopes)
	return dz, nil
}

// encodeRows is how many portfolios go through the encoder at a time.
const encodeRows = 64

func (p *placed) encode(ctx context.Context, x *mat.Dense) (mean, logvar *mat.Dense, err error) {
	rows, _ := x.Dims()
	d := p.of.document.Config.Latent
	mean, logvar = mat.NewDense(rows, d, nil), mat.NewDense(rows, d, nil)
	size := min(encodeRows, powerOfTwo(rows))
	for from := 0; from < rows; from += size {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		b := newSetBatch(p.of.document.Config, 1, size, p.width)
		b.put(0, &p.row, nil)
		for i := range min(size, rows-from) {
			copy(b.x[i*p.width:], p.of.document.Scale.standardised(x.RawRowView(from+i), p.universe.Cap, p.width))
		}
		args := append([]any{p.of.device}, b.inputs()...)
		out, err := call(p.of.programs.encode, args...)
		if err != nil {
			return nil, nil, err
		}
		for i := range min(size, rows-from) {
			for k := range d {
				mean.Set(from+i, k, float64(out[0][i*d+k]))
				logvar.Set(from+i, k, float64(out[1][i*d+k]))
			}
		}
	}
	return mean, logvar, nil
}

// evidence is [Model.Evidence], in float64 but for the encoder.
func (p *placed) evidence(
	ctx context.Context, x *mat.Dense, variance float64, samples int, seed uint64,
) (*Evidence, error) {
	mean, logvar, err := p.encode(ctx, x)
	if err != nil {
		return nil, err
	}
	rows, d := mean.Dims()
	n := len(p.offset)
	logs := make([][]float64, rows)
	e := &Evidence{Rows: rows, Samples: samples, ByRow: make([]float64, rows)}
	z := mat.NewDense(rows, d, nil)
	for s := range samples {
		rng := stream.New(seed, "vae.set.evidence", uint64(s))
		ratio := make([]float64, rows) // log p(z) - log q(z|x), whose constants cancel
		for i := range rows {
			for k := range d {
				epsilon := rng.NormFloat64()
				v := mean.At(i, k) + math.Exp(logvar.At(i, k)/2)*epsilon
				z.Set(i, k, v)
				ratio[i] += (epsilon*epsilon - v*v + logvar.At(i, k)) / 2
			}
		}
		decoded, err := p.decode(ctx, z)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			l := ratio[i] - float64(n)/2*math.Log(2*math.Pi*variance)
			for k, v := range x.RawRowView(i) {
				l -= (v - decoded.At(i, k)) * (v - decoded.At(i, k)) / (2 * variance)
			}
			logs[i] = append(logs[i], l)
			e.ELBO += l / float64(rows*samples)
		}
	}
	for i, l := range logs {
		e.ByRow[i] = logMeanExp(l)
		e.LogLikelihood += e.ByRow[i] / float64(rows)
	}
	return e, nil
}
