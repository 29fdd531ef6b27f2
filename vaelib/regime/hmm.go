package regime

import (
	"encoding/json"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// HMM is a hidden Markov model: a state that changes by a Markov chain of K
// states, and in each state normal rows of d values with a mean and a full
// covariance. States are in rising order of volatility. It is immutable and
// safe for concurrent use.
type HMM struct {
	d          int
	initial    []float64   // K
	transition [][]float64 // K x K, from row to column
	means      [][]float64 // K x d
	factors    [][]float64 // K lower Cholesky factors of the covariances, d x d row-major
	logNorms   []float64   // K: -log det L - d/2 log 2 pi
}

// newHMM derives the constants of the densities from the parameters.
func newHMM(d int, initial []float64, transition, means, factors [][]float64) *HMM {
	m := &HMM{d: d, initial: initial, transition: transition, means: means, factors: factors,
		logNorms: make([]float64, len(initial))}
	for k, factor := range factors {
		m.logNorms[k] = -0.5 * float64(d) * math.Log(2*math.Pi)
		for j := range d {
			m.logNorms[k] -= math.Log(factor[j*d+j])
		}
	}
	return m
}

// States returns the number of states K.
func (m *HMM) States() int { return len(m.initial) }

// Dim returns the number of values of a row d.
func (m *HMM) Dim() int { return m.d }

// Mean returns a copy of the mean of state k (d).
func (m *HMM) Mean(k int) []float64 { return append([]float64(nil), m.means[k]...) }

// Cov returns the covariance of state k (d x d).
func (m *HMM) Cov(k int) *mat.SymDense {
	cov := mat.NewSymDense(m.d, nil)
	for a := range m.d {
		for b := range a + 1 {
			var sum float64
			for j := range b + 1 {
				sum += m.factors[k][a*m.d+j] * m.factors[k][b*m.d+j]
			}
			cov.SetSym(a, b, sum)
		}
	}
	return cov
}

// Transition returns the probability of going from state i to state j.
func (m *HMM) Transition(i, j int) float64 { return m.transition[i][j] }

// Duration returns the expected number of periods that a stay in state k
// lasts; +Inf for a state that is never left.
func (m *HMM) Duration(k int) float64 { return 1 / (1 - m.transition[k][k]) }

// density writes the log densities of a row under each state into logs (K),
// with work (d) as scratch.
func (m *HMM) density(row, logs, work []float64) {
	d := m.d
	for k, mean := range m.means {
		factor := m.factors[k]
		var quadratic float64
		for a := range d {
			sum := row[a] - mean[a]
			for b, v := range factor[a*d : a*d+a] {
				sum -= v * work[b]
			}
			work[a] = sum / factor[a*d+a]
			quadratic += work[a] * work[a]
		}
		logs[k] = m.logNorms[k] - 0.5*quadratic
	}
}

// Filter is the state of a market that is followed row by row. It belongs to
// one goroutine.
type Filter struct {
	model         *HMM
	probs         []float64 // K, given the rows so far
	predicted     []float64 // K, of the next row
	logs, work    []float64
	logLikelihood float64
}

// Follow returns a filter before its first row.
func (m *HMM) Follow() *Filter {
	k := m.States()
	return &Filter{
		model: m, probs: make([]float64, k), predicted: append([]float64(nil), m.initial...),
		logs: make([]float64, k), work: make([]float64, m.d),
	}
}

// Step takes the next row (d, finite) in and writes the probability of each
// state, given all rows so far, into probs (K). It allocates nothing.
func (f *Filter) Step(probs, row []float64) {
	if len(row) != f.model.d || len(probs) != len(f.probs) {
		panic("regime: row or destination has the wrong length")
	}
	f.model.density(row, f.logs, f.work)
	f.logLikelihood += update(f.probs, f.predicted, f.logs)
	f.model.predict(f.predicted, f.probs)
	copy(probs, f.probs)
}

// LogLikelihood returns the log density of all rows so far, in nats.
func (f *Filter) LogLikelihood() float64 { return f.logLikelihood }

// Filter returns the probability of each state in each row, given the rows up
// to it and none after (T x K), and the log-likelihood of all rows in nats. It
// returns an error for rows of another length than the model's, and for a
// value that is not finite.
func (m *HMM) Filter(x *mat.Dense) (probs *mat.Dense, logLikelihood float64, err error) {
	if err := m.check(x); err != nil {
		return nil, 0, err
	}
	rows, _ := x.Dims()
	probs = mat.NewDense(rows, m.States(), nil)
	f := m.Follow()
	for t := range rows {
		f.Step(probs.RawRowView(t), x.RawRowView(t))
	}
	return probs, f.logLikelihood, nil
}

// Smooth returns the probability of each state in each row given ALL rows
// (T x K): to explain the past with, never to trade on or to condition what is
// tested on the same rows. Its errors are those of [HMM.Filter].
func (m *HMM) Smooth(x *mat.Dense) (*mat.Dense, error) {
	if err := m.check(x); err != nil {
		return nil, err
	}
	p := newPass(x, m.States())
	p.run(m, x)
	return p.gamma, nil
}

// check says whether the model can take the rows.
func (m *HMM) check(x *mat.Dense) error {
	if _, d := x.Dims(); d != m.d {
		return fmt.Errorf("rows of %d values for a model of %d: give the columns that it was fitted to", d, m.d)
	}
	return checkFinite(x)
}

func checkFinite(x *mat.Dense) error {
	rows, _ := x.Dims()
	for t := range rows {
		for j, v := range x.RawRowView(t) {
			if math.IsNaN(v) || math.Abs(v) > limit {
				return fmt.Errorf("row %d of the regime's data has %v in column %d: leave out undefined rows", t, v, j)
			}
		}
	}
	return nil
}

// limit is the size up to which values are believed: their squares and the
// squares' sums are finite.
const limit = 1e100

// MostLikely returns the likeliest state of each row of probs (T x K), the
// calmer one of two that are as likely.
func MostLikely(probs *mat.Dense) []int {
	rows, _ := probs.Dims()
	states := make([]int, rows)
	for t := range rows {
		for k, p := range probs.RawRowView(t) {
			if p > probs.At(t, states[t]) {
				states[t] = k
			}
		}
	}
	return states
}

// document is the JSON form of a model.
type document struct {
	Dimension  int         `json:"dimension"`  // d
	Initial    []float64   `json:"initial"`    // K
	Transition [][]float64 `json:"transition"` // K x K, from row to column
	Means      [][]float64 `json:"means"`      // K x d
	Cholesky   [][]float64 `json:"cholesky"`   // K lower factors, d x d row-major
}

// MarshalJSON writes the model's parameters.
func (m *HMM) MarshalJSON() ([]byte, error) {
	return json.Marshal(document{m.d, m.initial, m.transition, m.means, m.factors})
}

// UnmarshalJSON reads what [HMM.MarshalJSON] wrote, and returns an error for
// parameters that are no model.
func (m *HMM) UnmarshalJSON(data []byte) error {
	var doc document
	if err := json.Unmarshal(data, &doc); err != nil {
		return err
	}
	d, k := doc.Dimension, len(doc.Initial)
	if d < 1 || k < 1 || len(doc.Transition) != k || len(doc.Means) != k || len(doc.Cholesky) != k {
		return fmt.Errorf("model of %d states in %d dimensions is incomplete", k, d)
	}
	if !isDistribution(doc.Initial) {
		return fmt.Errorf("initial probabilities of the model don't sum to 1")
	}
	for i := range k {
		if len(doc.Transition[i]) != k || !isDistribution(doc.Transition[i]) {
			return fmt.Errorf("transitions from state %d of the model don't sum to 1", i)
		}
		if len(doc.Means[i]) != d || len(doc.Cholesky[i]) != d*d {
			return fmt.Errorf("state %d of the model is malformed", i)
		}
		for j := range d {
			if !(doc.Cholesky[i][j*d+j] > 0) {
				return fmt.Errorf("state %d of the model has no positive definite covariance", i)
			}
		}
	}
	*m = *newHMM(d, doc.Initial, doc.Transition, doc.Means, doc.Cholesky)
	return nil
}

func isDistribution(p []float64) bool {
	var sum float64
	for _, v := range p {
		if !(v >= 0) {
			return false
		}
		sum += v
	}
	return math.Abs(sum-1) <= 1e-9
}

// names of K states, the calmest first.
func names(k int) []string {
	switch k {
	case 2:
		return []string{"calm", "turbulent"}
	case 3:
		return []string{"calm", "middle", "turbulent"}
	}
	out := make([]string, k)
	for i := range out {
		out[i] = fmt.Sprintf("state %d", i)
	}
	return out
}

// Name returns the name of state k: calm, middle or turbulent, and numbers
// where there are more than three.
func (m *HMM) Name(k int) string { return names(m.States())[k] }
