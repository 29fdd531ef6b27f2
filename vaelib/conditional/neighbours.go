package conditional

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/vae"
)

// Neighbours is a density of codes given conditions: a kernel estimate by the
// posteriors of those portfolios whose conditions are nearest (Hyndman, Bashtannyk &
// Grunwald 1996, "Estimating and visualizing conditional densities"). One of them is
// chosen, the nearer the likelier, and a code drawn of its q(z|x, c), and moved by
// as much of the spread among all of them as makes one portfolio's own code
// unlikely to come again. It is immutable and safe for concurrent use.
type Neighbours struct {
	kernel     kernel
	scales     Scales
	conditions *mat.Dense // R x K, as they stand beside codes
	means      *mat.Dense // R x d
	spreads    *mat.Dense // R x d, standard deviations
}

// kernel says how much each of the posteriors near has to say.
type kernel struct {
	// Nearest is how many posteriors a code is drawn of, and more where more are as
	// near as the last of them.
	Nearest int `json:"nearest"`
	// Bandwidth is a share of the distance of the last of them.
	Bandwidth float64 `json:"bandwidth"`
	// Smoothing is the share of the spread among them by which a code is moved.
	Smoothing float64 `json:"smoothing"`
}

// usual is the kernel of new densities, and of older files, which don't name theirs.
var usual = kernel{Nearest: 40, Bandwidth: 0.5, Smoothing: 0.4}

// NewNeighbours takes the posteriors of portfolios (R x n) of a conditional model
// under their conditions (R x k), caps loosened as they are in training.
func NewNeighbours(
	ctx context.Context, model *vae.Model, portfolios, conditions *mat.Dense, seed uint64,
) (*Neighbours, error) {
	told := model.Loosen(conditions, seed)
	means, spreads, err := model.EncodeGiven(ctx, portfolios, told)
	if err != nil {
		return nil, err
	}
	b := &Neighbours{kernel: usual, scales: NewScales(model), means: means, spreads: spreads}
	rows, _ := told.Dims()
	b.conditions = mat.NewDense(rows, b.scales.width(), nil)
	for i := range rows {
		b.conditions.SetRow(i, b.scales.Append(nil, told.RawRowView(i)))
	}
	// In single precision, as the file has them, so that what is read draws the same.
	single := func(_, _ int, x float64) float64 { return float64(float32(x)) }
	spreads.Apply(func(i, j int, logvar float64) float64 { return single(i, j, math.Exp(logvar/2)) }, spreads)
	means.Apply(single, means)
	b.conditions.Apply(single, b.conditions)
	return b, nil
}

// Draw draws codes whatever the conditions: of all the posteriors.
func (b *Neighbours) Draw(ctx context.Context, codes *mat.Dense, rng *rand.Rand) error {
	rows, d := codes.Dims()
	for i := range rows {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		of := rng.IntN(b.means.RawMatrix().Rows)
		for j := range d {
			codes.Set(i, j, b.means.At(of, j)+b.spreads.At(of, j)*rng.NormFloat64())
		}
	}
	return nil
}

// DrawGiven draws a code into each row of codes (N x d) under the conditions (N x
// k) in the same row.
func (b *Neighbours) DrawGiven(ctx context.Context, codes, conditions *mat.Dense, rng *rand.Rand) error {
	rows, d := codes.Dims()
	if _, own := b.means.Dims(); d != own {
		return fmt.Errorf("a density of codes of %d dimensions can't draw any of %d", own, d)
	}
	same := func(i int) bool { return i > 0 && slices.Equal(conditions.RawRowView(i), conditions.RawRowView(i-1)) }
	var last *around
	near := make([]*around, 64) // nil where it is that of the row before
	for from := 0; from < rows; from += len(near) {
		near = near[:min(len(near), rows-from)]
		if err := parallel.For(ctx, len(near), func(_, i int) error {
			if near[i] = nil; !same(from + i) {
				near[i] = b.around(conditions.RawRowView(from + i))
			}
			return nil
		}); err != nil {
			return err
		}
		for i, a := range near {
			if a != nil {
				last = a
			}
			last.rand(codes.RawRowView(from+i), b, rng)
		}
	}
	return nil
}

// Under returns the density of codes under conditions (k) as a mixture of normals
// without correlations: their weights (m), which sum to 1, means and variances (m x
// d), those of the nearest portfolio first.
func (b *Neighbours) Under(conditions []float64) (weights []float64, means, variances *mat.Dense) {
	a := b.around(conditions)
	_, d := b.means.Dims()
	means, variances = mat.NewDense(len(a.rows), d, nil), mat.NewDense(len(a.rows), d, nil)
	var before float64
	for k, row := range a.rows {
		weights, before = append(weights, a.weights[k]-before), a.weights[k]
		means.SetRow(k, b.means.RawRowView(row))
		for j, own := range b.spreads.RawRowView(row) {
			moved := b.kernel.Smoothing * a.spread[j]
			variances.Set(k, j, own*own+moved*moved)
		}
	}
	return weights, means, variances
}

// around are the posteriors near to conditions.
type around struct {
	rows    []int     // by distance, the nearest first
	weights []float64 // running sums of what the kernel gives them, up to 1
	spread  []float64 // d, their standard deviation
}

// around returns the posteriors near to conditions (k). Where all conditions are
// levels many are equally near, and the first of them are no better than the others.
func (b *Neighbours) around(conditions []float64) *around {
	conditions = b.scales.Append(nil, conditions)
	var squares []float64
	a, last := &around{}, b.kernel.Nearest-1
	known, _ := b.conditions.Dims()
	for row := range known {
		square := 0.0
		for j, v := range b.conditions.RawRowView(row) {
			square += (v - conditions[j]) * (v - conditions[j])
		}
		if len(squares) > last && square > squares[last] {
			continue
		}
		at := sort.Search(len(squares), func(i int) bool { return squares[i] > square })
		squares, a.rows = slices.Insert(squares, at, square), slices.Insert(a.rows, at, row)
		for len(squares)-1 > last && squares[len(squares)-1] > squares[last] {
			squares, a.rows = squares[:len(squares)-1], a.rows[:len(squares)-1]
		}
	}
	var total float64
	width := 2 * b.kernel.Bandwidth * b.kernel.Bandwidth * squares[len(squares)-1]
	for _, square := range squares {
		weight := 1.0
		if width > 0 { // else all are what was asked for
			weight = math.Exp((squares[0] - square) / width)
		}
		total += weight
		a.weights = append(a.weights, total)
	}
	_, d := b.means.Dims()
	a.spread = make([]float64, d)
	for k := range a.weights {
		a.weights[k] /= total
	}
	for j := range d {
		var mean, square, before float64
		for k, row := range a.rows {
			weight, x := a.weights[k]-before, b.means.At(row, j)
			mean += weight * x
			square += weight * x * x
			before = a.weights[k]
		}
		a.spread[j] = math.Sqrt(max(0, square-mean*mean))
	}
	return a
}

// rand draws a code (d).
func (a *around) rand(code []float64, b *Neighbours, rng *rand.Rand) {
	at, _ := slices.BinarySearch(a.weights, rng.Float64())
	row := a.rows[min(at, len(a.rows)-1)]
	for j := range code {
		code[j] = b.means.At(row, j) + b.spreads.At(row, j)*rng.NormFloat64() +
			b.kernel.Smoothing*a.spread[j]*rng.NormFloat64()
	}
}

// neighboursDocument is the JSON form of Neighbours: matrices row by row, as float32
// with the low byte first.
type neighboursDocument struct {
	kernel
	Scales     Scales `json:"conditions"`
	Rows       int    `json:"rows"`      // R
	Dimension  int    `json:"dimension"` // d
	Given      []byte `json:"given"`     // R x K
	Means      []byte `json:"means"`     // R x d
	Deviations []byte `json:"deviations"`
}

// MarshalJSON writes the posteriors and their conditions.
func (b *Neighbours) MarshalJSON() ([]byte, error) {
	rows, d := b.means.Dims()
	return json.Marshal(neighboursDocument{
		b.kernel, b.scales, rows, d, pack(b.conditions), pack(b.means), pack(b.spreads),
	})
}

// UnmarshalJSON reads what [Neighbours.MarshalJSON] wrote, and returns an error for
// what is no such density.
func (b *Neighbours) UnmarshalJSON(data []byte) error {
	doc := neighboursDocument{kernel: usual}
	if err := json.Unmarshal(data, &doc); err != nil {
		return err
	}
	if doc.Rows < 1 || doc.Dimension < 1 || len(doc.Scales) == 0 {
		return fmt.Errorf("%d posteriors of %d dimensions under %d conditions are no density", doc.Rows, doc.Dimension,
			len(doc.Scales))
	}
	if err := doc.Scales.check(); err != nil {
		return err
	}
	k := doc.kernel
	if k.Nearest < 1 || !(k.Bandwidth > 0 && k.Bandwidth < 1e3) || !(k.Smoothing >= 0 && k.Smoothing < 1e3) {
		return fmt.Errorf("%d nearest, a bandwidth of %v and a smoothing of %v are no kernel", k.Nearest, k.Bandwidth,
			k.Smoothing)
	}
	read := Neighbours{kernel: k, scales: doc.Scales}
	for _, part := range []struct {
		to      **mat.Dense
		name    string
		from    []byte
		columns int
	}{
		{&read.conditions, "given", doc.Given, doc.Scales.width()}, {&read.means, "means", doc.Means, doc.Dimension},
		{&read.spreads, "deviations", doc.Deviations, doc.Dimension},
	} {
		var err error
		if *part.to, err = unpack(part.from, doc.Rows, part.columns); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	if mat.Min(read.spreads) < 0 {
		return errors.New("deviations: one is negative")
	}
	*b = read
	return nil
}

// pack writes a matrix as float32.
func pack(m *mat.Dense) []byte {
	rows, columns := m.Dims()
	out := make([]byte, 0, 4*rows*columns)
	for i := range rows {
		for _, x := range m.RawRowView(i) {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(x)))
		}
	}
	return out
}

// unpack reads what pack wrote.
func unpack(data []byte, rows, columns int) (*mat.Dense, error) {
	if len(data)%4 != 0 || len(data)/4/columns != rows || len(data)/4%columns != 0 {
		return nil, fmt.Errorf("%d bytes are not %d rows of %d numbers", len(data), rows, columns)
	}
	values := make([]float64, len(data)/4)
	for i := range values {
		values[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
		if math.IsNaN(values[i]) || math.IsInf(values[i], 0) {
			return nil, fmt.Errorf("number %d is %v", i+1, values[i])
		}
	}
	return mat.NewDense(rows, columns, values), nil
}

// Check returns an error unless the density is one of the model's codes under its
// conditions.
func (b *Neighbours) Check(model *vae.Model) error {
	_, d := b.means.Dims()
	return b.scales.belong(d, model)
}
