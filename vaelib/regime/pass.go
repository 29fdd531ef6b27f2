package regime

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// predict writes the probabilities of the states a row after those in probs.
func (m *HMM) predict(dst, probs []float64) {
	for j := range dst {
		dst[j] = 0
		for i, p := range probs {
			dst[j] += p * m.transition[i][j]
		}
	}
}

// update writes into dst the probabilities of the states once a row is seen,
// given those before it and the row's log densities, and returns the log
// density of the row. It cannot come to 0/0, however far out the row lies: the
// likeliest state has the term 1.
func update(dst, predicted, logs []float64) float64 {
	largest := math.Inf(-1)
	for k, p := range predicted {
		if p > 0 {
			largest = max(largest, math.Log(p)+logs[k])
		}
	}
	var sum float64
	for k, p := range predicted {
		dst[k] = 0
		if p > 0 {
			dst[k] = math.Exp(math.Log(p) + logs[k] - largest)
			sum += dst[k]
		}
	}
	for k := range dst {
		dst[k] /= sum
	}
	return math.Log(sum) + largest
}

// pass is the memory of a forward and a backward recursion over T rows.
type pass struct {
	gamma     *mat.Dense // T x K, probability of the states given all rows
	xi        *mat.Dense // K x K, expected number of transitions
	predicted *mat.Dense // T x K, given the rows before
	logs      []float64  // K
	work      []float64  // d
}

func newPass(x *mat.Dense, k int) *pass {
	rows, d := x.Dims()
	return &pass{
		gamma: mat.NewDense(rows, k, nil), xi: mat.NewDense(k, k, nil), predicted: mat.NewDense(rows, k, nil),
		logs: make([]float64, k), work: make([]float64, d),
	}
}

// run fills gamma and xi under a model and returns the log-likelihood. The way
// back is that of Kim 1994, "Dynamic linear models with Markov-switching",
// equation 2.20: it divides each state's probability given all rows by the one
// given the rows before, and so needs no scaling.
func (p *pass) run(m *HMM, x *mat.Dense) float64 {
	rows, _ := x.Dims()
	var logLikelihood float64
	for t := range rows { // forward: gamma holds the filtered probabilities
		predicted := p.predicted.RawRowView(t)
		if t == 0 {
			copy(predicted, m.initial)
		} else {
			m.predict(predicted, p.gamma.RawRowView(t-1))
		}
		m.density(x.RawRowView(t), p.logs, p.work)
		logLikelihood += update(p.gamma.RawRowView(t), predicted, p.logs)
	}
	p.xi.Zero()
	for t := rows - 1; t > 0; t-- { // backward: gamma becomes the smoothed ones
		later, predicted := p.gamma.RawRowView(t), p.predicted.RawRowView(t)
		now := p.gamma.RawRowView(t - 1)
		for i, a := range now {
			now[i] = 0
			xi := p.xi.RawRowView(i)
			for j, g := range later {
				if predicted[j] > 0 {
					v := a * m.transition[i][j] / predicted[j] * g
					xi[j] += v
					now[i] += v
				}
			}
		}
	}
	return logLikelihood
}
