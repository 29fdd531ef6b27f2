package regime

import (
	"time"

	"gonum.org/v1/gonum/mat"
)

// Picture is the data of a line chart: one line a state over common x.
type Picture struct {
	X     []float64   // T, seconds since 1970, UTC
	Names []string    // K
	Y     [][]float64 // K x T, cumulative: line k is the probability of states 0 to k
}

// Probabilities returns the lines of states' probabilities probs (T x K) over
// their times (T): the room between line k-1 and line k is state k's
// probability. The last line, which is 1 throughout, is left out.
func Probabilities(times []time.Time, probs *mat.Dense) Picture {
	rows, k := probs.Dims()
	if len(times) != rows {
		panic("regime: times and probabilities differ in length")
	}
	p := Picture{X: make([]float64, rows), Names: make([]string, k-1), Y: make([][]float64, k-1)}
	for i := range k - 1 {
		p.Y[i] = make([]float64, rows)
		p.Names[i] = names(k)[i]
		if i > 0 {
			p.Names[i] += " or calmer"
		}
	}
	for t, at := range times {
		p.X[t] = float64(at.Unix())
		var sum float64
		for i := range k - 1 {
			sum += probs.At(t, i)
			p.Y[i][t] = min(sum, 1)
		}
	}
	return p
}
