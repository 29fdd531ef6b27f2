package mixture

import (
	"fmt"
	"math"

	"vaefolio/vaelib/internal/cholesky"
)

// Conditional is a mixture of points whose last coordinates are given: the first
// d, under the others, are a mixture too, whose weights and means move with what
// is given and whose covariances stay (Bishop 2006, "Pattern recognition and
// machine learning", section 2.3.1). It is immutable and safe for concurrent use.
type Conditional struct {
	d, k     int
	weights  []float64   // K, log weight - log det of the given part's factor
	means    [][]float64 // K x (d + k)
	given    [][]float64 // K lower Cholesky factors of the given part's covariance, k x k
	gains    [][]float64 // K x (d x k): how the mean moves with what is given, whitened
	factors  [][]float64 // K lower Cholesky factors of the covariance that remains, d x d
	logScale []float64   // K: -log det of the factors - d/2 log 2 pi
}

// Leading returns the mixture of the first d coordinates, whatever the others are.
func (m *Mixture) Leading(d int) *Mixture {
	means, factors := make([][]float64, len(m.means)), make([][]float64, len(m.means))
	for i := range m.means {
		means[i], factors[i] = m.means[i][:d:d], make([]float64, d*d)
		for a := range d {
			copy(factors[i][a*d:][:d], m.factors[i][a*m.d:][:d])
		}
	}
	return assemble(d, m.weights, means, factors)
}

// Given separates the last k coordinates of a mixture of D, which has to have
// more. It returns an error where rounding leaves a component without a
// covariance.
func (m *Mixture) Given(k int) (*Conditional, error) {
	if k < 1 || k >= m.d {
		return nil, fmt.Errorf("%d coordinates of %d can't be given", k, m.d)
	}
	d := m.d - k
	c := &Conditional{d: d, k: k, means: m.means}
	for i, w := range m.weights {
		full := m.factors[i]
		// The covariance with the given coordinates first: its Cholesky factor has
		// the given part's factor, the gains and what remains as its blocks.
		covariance := func(a, b int) (sum float64) {
			for l := range min(a, b) + 1 {
				sum += full[a*m.d+l] * full[b*m.d+l]
			}
			return sum
		}
		at := func(i int) int { return (i + d) % m.d }
		turned := make([]float64, m.d*m.d)
		for a := range m.d {
			for b := range a + 1 {
				turned[a*m.d+b] = covariance(at(a), at(b))
			}
		}
		if !cholesky.Factor(turned, m.d) {
			return nil, fmt.Errorf("component %d of the mixture has no positive definite covariance", i)
		}
		given, gain, factor := make([]float64, k*k), make([]float64, d*k), make([]float64, d*d)
		logWeight, logScale := math.Log(w), -0.5*float64(d)*math.Log(2*math.Pi)
		for a := range k {
			copy(given[a*k:], turned[a*m.d:][:a+1])
			logWeight -= math.Log(given[a*k+a])
		}
		for a := range d {
			row := turned[(k+a)*m.d:]
			copy(gain[a*k:], row[:k])
			copy(factor[a*d:], row[k:][:a+1])
			logScale -= math.Log(factor[a*d+a])
		}
		c.weights, c.logScale = append(c.weights, logWeight), append(c.logScale, logScale)
		c.given, c.gains, c.factors = append(c.given, given), append(c.gains, gain), append(c.factors, factor)
	}
	return c, nil
}

// Under returns the mixture of the first d coordinates where the others are given
// (k).
func (c *Conditional) Under(given []float64) *Mixture {
	if len(given) != c.k {
		panic("mixture: what is given has the wrong length")
	}
	logs, means := make([]float64, len(c.weights)), make([][]float64, len(c.weights))
	white := make([]float64, c.k)
	largest := math.Inf(-1)
	for i := range c.weights {
		factor, mean := c.given[i], c.means[i]
		logs[i] = c.weights[i]
		for a := range white {
			sum := given[a] - mean[c.d+a]
			for b, v := range factor[a*c.k:][:a] {
				sum -= v * white[b]
			}
			white[a] = sum / factor[a*c.k+a]
			logs[i] -= 0.5 * white[a] * white[a]
		}
		largest = max(largest, logs[i])
		means[i] = make([]float64, c.d)
		for a := range c.d {
			sum := mean[a]
			for b, v := range c.gains[i][a*c.k:][:c.k] {
				sum += v * white[b]
			}
			means[i][a] = sum
		}
	}
	var total float64
	weights := make([]float64, len(logs))
	for i, l := range logs {
		weights[i] = math.Exp(l - largest)
		total += weights[i]
	}
	return c.assemble(weights, total, means)
}

// assemble keeps the components that have a weight; far from all that was
// learned that is the nearest alone.
func (c *Conditional) assemble(weights []float64, total float64, means [][]float64) *Mixture {
	m := &Mixture{d: c.d}
	var running float64
	for i, w := range weights {
		if w /= total; w > 0 {
			running += w
			m.weights, m.cumulative = append(m.weights, w), append(m.cumulative, running)
			m.means, m.factors = append(m.means, means[i]), append(m.factors, c.factors[i])
			m.logNorms = append(m.logNorms, math.Log(w)+c.logScale[i])
		}
	}
	return m
}
