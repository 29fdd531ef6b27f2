package portfolio

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Form is how a condition follows from weights.
type Form string

// The forms of a [Measure].
const (
	Linear    Form = "linear"    // Vector·w: a return, the exposure to a sector
	Norm      Form = "norm"      // |Matrix' w|: a volatility, with Matrix a root of the covariance
	Effective Form = "effective" // 1/sum(w^2): the effective number of assets
	Largest   Form = "largest"   // max(w)
)

// Measure computes a condition of a portfolio from its weights alone: the form
// in which a model can be held, while it learns, to what it was asked for.
type Measure struct {
	Name   string      `json:"name"` // of the condition
	Form   Form        `json:"form"`
	Vector []float64   `json:"vector,omitempty"` // n, of [Linear]
	Matrix [][]float64 `json:"matrix,omitempty"` // n x r, of [Norm]
}

// Check returns an error unless the measure is one of portfolios of n assets.
func (m *Measure) Check(n int) error {
	var numbers []float64
	switch m.Form {
	case Linear:
		if len(m.Vector) != n || m.Matrix != nil {
			return fmt.Errorf("measure of %s has a vector of %d numbers for %d assets", m.Name, len(m.Vector), n)
		}
		numbers = m.Vector
	case Norm:
		if len(m.Matrix) != n || m.Vector != nil {
			return fmt.Errorf("measure of %s has a matrix of %d rows for %d assets", m.Name, len(m.Matrix), n)
		}
		for _, row := range m.Matrix {
			if len(row) == 0 || len(row) != len(m.Matrix[0]) {
				return fmt.Errorf("measure of %s has a matrix whose rows are empty or differ in length", m.Name)
			}
			numbers = append(numbers, row...)
		}
	case Effective, Largest:
		if m.Vector != nil || m.Matrix != nil {
			return fmt.Errorf("measure of %s has numbers that its form, %s, does not use", m.Name, m.Form)
		}
	default:
		return fmt.Errorf("measure of %s has the form %q: want %s, %s, %s or %s",
			m.Name, m.Form, Linear, Norm, Effective, Largest)
	}
	for _, x := range numbers {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("measure of %s holds %v", m.Name, x)
		}
	}
	if m.Name == "" {
		return errors.New("a measure has no name")
	}
	return nil
}

// Value returns the condition of weights w (n).
func (m *Measure) Value(w []float64) float64 {
	switch m.Form {
	case Linear:
		return dot(m.Vector, w)
	case Norm:
		var sum float64
		for k := range m.Matrix[0] {
			var along float64
			for i, row := range m.Matrix {
				along += row[k] * w[i]
			}
			sum += along * along
		}
		return math.Sqrt(sum)
	case Effective:
		return 1 / dot(w, w)
	default:
		return slices.Max(w)
	}
}

// Gradient writes the gradient of [Measure.Value] at w (n) into dst, and returns
// the value. Of the largest weight it is that of the first one that is as large,
// and of a norm of 0 it is 0.
func (m *Measure) Gradient(dst, w []float64) float64 {
	value := m.Value(w)
	clear(dst)
	switch m.Form {
	case Linear:
		copy(dst, m.Vector)
	case Norm:
		if value == 0 {
			return 0
		}
		for k := range m.Matrix[0] {
			var along float64
			for i, row := range m.Matrix {
				along += row[k] * w[i]
			}
			for i, row := range m.Matrix {
				dst[i] += row[k] * along / value
			}
		}
	case Effective:
		for i, x := range w {
			dst[i] = -2 * x * value * value
		}
	default:
		dst[slices.Index(w, value)] = 1
	}
	return value
}

func dot(a, b []float64) (sum float64) {
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}
