package fidelity

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// TooFewRowsError says that a sample is too small for what was asked of it.
type TooFewRowsError struct {
	Sample     string // which of the samples, in words
	Rows, Need int
}

func (e *TooFewRowsError) Error() string {
	return fmt.Sprintf("%d rows of %s are too few: at least %d are needed", e.Rows, e.Sample, e.Need)
}

// sample is a checked copy of a matrix with its rows next to one another.
type sample struct {
	n, d int
	data []float64 // n x d
}

// newSample copies x, which must be finite and have at least need rows.
func newSample(name string, x *mat.Dense, need int) (sample, error) {
	if x == nil || x.IsEmpty() {
		return sample{}, &TooFewRowsError{Sample: name, Rows: 0, Need: need}
	}
	n, d := x.Dims()
	if n < need {
		return sample{}, &TooFewRowsError{Sample: name, Rows: n, Need: need}
	}
	s := sample{n: n, d: d, data: make([]float64, 0, n*d)}
	for i := range n {
		row := x.RawRowView(i)
		for j, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return sample{}, fmt.Errorf("row %d of %s has %v in column %d", i, name, v, j)
			}
		}
		s.data = append(s.data, row...)
	}
	return s, nil
}

// newSamples checks two samples that must have columns in common.
func newSamples(nameA string, a *mat.Dense, nameB string, b *mat.Dense, need int) (x, y sample, err error) {
	if x, err = newSample(nameA, a, need); err != nil {
		return x, y, err
	}
	if y, err = newSample(nameB, b, need); err != nil {
		return x, y, err
	}
	return x, y, sameColumns(nameA, x, nameB, y)
}

func sameColumns(nameA string, a sample, nameB string, b sample) error {
	if a.d != b.d {
		return fmt.Errorf("%s has %d columns and %s %d: they must agree", nameA, a.d, nameB, b.d)
	}
	return nil
}

// view is the sample as a matrix, without a copy.
func (s sample) view() *mat.Dense { return mat.NewDense(s.n, s.d, s.data) }

func (s sample) row(i int) []float64 { return s.data[i*s.d : (i+1)*s.d] }

// take copies the rows of the given indices.
func (s sample) take(indices []int) sample {
	t := sample{n: len(indices), d: s.d, data: make([]float64, 0, len(indices)*s.d)}
	for _, i := range indices {
		t.data = append(t.data, s.row(i)...)
	}
	return t
}

// squaredDistance is the innermost loop of the package: four sums at a time.
func squaredDistance(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+4 <= len(a); i += 4 {
		d0, d1, d2, d3 := a[i]-b[i], a[i+1]-b[i+1], a[i+2]-b[i+2], a[i+3]-b[i+3]
		s0 += d0 * d0
		s1 += d1 * d1
		s2 += d2 * d2
		s3 += d3 * d3
	}
	for ; i < len(a); i++ {
		d := a[i] - b[i]
		s0 += d * d
	}
	return (s0 + s1) + (s2 + s3)
}

// Quantiles describe a distribution of distances.
type Quantiles struct{ P5, P25, P50, P75, P95 float64 }

// quantiles of values, which it sorts. The smallest value is the quantile 0 and
// the largest 1, with straight lines between (type 7 of Hyndman & Fan 1996).
func quantiles(values []float64) Quantiles {
	slices.Sort(values)
	at := func(p float64) float64 {
		whole, part := math.Modf(p * float64(len(values)-1))
		i := int(whole)
		return values[i] + part*(values[min(i+1, len(values)-1)]-values[i])
	}
	return Quantiles{P5: at(0.05), P25: at(0.25), P50: at(0.5), P75: at(0.75), P95: at(0.95)}
}
