package vae

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// scaling standardises rows: (x - mean)/sqrt(variance), and their conditions.
type scaling struct {
	mean       []float64 // n: mean training row
	variance   float64   // the training rows' mean per-coordinate variance, tr(Sigma)/n, divisor N
	conditions []scale   // k
}

func newScaling(x *mat.Dense) (scaling, error) {
	rows, n := x.Dims()
	s := scaling{mean: make([]float64, n)}
	for i := range rows {
		for j, v := range x.RawRowView(i) {
			s.mean[j] += v / float64(rows)
		}
	}
	for i := range rows {
		for j, v := range x.RawRowView(i) {
			s.variance += (v - s.mean[j]) * (v - s.mean[j]) / float64(rows*n)
		}
	}
	if !(s.variance > 1e-12) {
		return s, errors.New("training rows are all the same: there is nothing to learn")
	}
	return s, nil
}

// scale standardises a condition: (c - mean)/sd; 0 and 1 for a categorical one.
type scale struct {
	Mean float64 `json:"mean"`
	SD   float64 `json:"sd"`
}

// leastScale is a standard deviation below which a condition counts as constant:
// float32 holds what is divided by it.
const leastScale = 1e-30

// newScales measures the conditions of the training rows (N x k).
func newScales(conditions []Condition, values *mat.Dense) ([]scale, error) {
	var scales []scale
	for j, c := range conditions {
		s := scale{0, 1}
		if !c.categorical() {
			column := mat.Col(nil, j, values)
			s = scale{0, 0}
			for _, v := range column {
				s.Mean += v / float64(len(column))
			}
			s.SD = math.Sqrt(variance(column))
			if math.IsInf(s.SD, 0) {
				return nil, fmt.Errorf("condition %s has values too large to standardise", c.Name)
			}
			if !(s.SD > 1e-9*math.Abs(s.Mean)) || s.SD < leastScale {
				return nil, fmt.Errorf(
					"condition %s is the same in every training row: there is nothing to learn from it", c.Name)
			}
		}
		scales = append(scales, s)
	}
	return scales, nil
}

// standardise writes rows from.. of x and, of a conditional model, of their
// conditions into dst, float32 row-major of n+K columns. Rows of dst beyond the
// last row of x stay as they are.
func (s scaling) standardise(dst []float32, c Config, x, conditions *mat.Dense, from int) {
	rows, n := x.Dims()
	width := n + c.conditionWidth()
	inverse := 1 / math.Sqrt(s.variance)
	for i := from; i < rows && (i-from)*width < len(dst); i++ {
		row := dst[(i-from)*width:][:width]
		for j, v := range x.RawRowView(i) {
			row[j] = float32((v - s.mean[j]) * inverse)
		}
		if conditions != nil {
			s.expand(row[n:], c.Conditions, conditions.RawRowView(i))
		}
	}
}

// expand writes conditions (k) as the network sees them (K).
func (s scaling) expand(dst []float32, conditions []Condition, values []float64) {
	at := 0
	for j, c := range conditions {
		if !c.categorical() {
			dst[at] = float32((values[j] - s.conditions[j].Mean) / s.conditions[j].SD)
		} else {
			clear(dst[at : at+len(c.Levels)])
			dst[at+int(values[j])] = 1
		}
		at += c.width()
	}
}

// variance has divisor N.
func variance(v []float64) float64 {
	return stat.PopVariance(v, nil)
}
