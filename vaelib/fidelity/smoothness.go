package fidelity

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Speeds say how far weights move per unit of code.
type Speeds struct {
	Steps    int
	Distance Quantiles // Euclidean distance between the weights, per unit of code
	// Turnover is half the sum of absolute changes, per unit of code: the share of the
	// wealth that is exchanged. Elsewhere turnover counts purchases and sales alike.
	Turnover Quantiles
}

// Steps returns codes (N x d) moved by a step of the given length, each in a
// random direction: what to decode for [MeasureSpeeds]. A short step samples
// the decoder's Jacobian, a long one averages over it.
func Steps(codes *mat.Dense, length float64, rng *rand.Rand) *mat.Dense {
	n, d := codes.Dims()
	moved := mat.NewDense(n, d, nil)
	direction := make([]float64, d)
	for i := range n {
		var norm float64
		for norm == 0 {
			for j := range direction {
				direction[j] = rng.NormFloat64()
				norm += direction[j] * direction[j]
			}
		}
		scale := length / math.Sqrt(norm)
		row := moved.RawRowView(i)
		for j, v := range codes.RawRowView(i) {
			row[j] = v + scale*direction[j]
		}
	}
	return moved
}

// MeasureSpeeds takes finite steps: row i of the weights (N x n) decoded from
// row i of the codes (N x d), before and after the step.
//
// It returns a [*TooFewRowsError] for no rows, and an error that names the row
// for NaN or Inf and for a step of length 0.
func MeasureSpeeds(codes, weights, movedCodes, movedWeights *mat.Dense) (Speeds, error) {
	z, zMoved, err := newSamples("the codes", codes, "the moved codes", movedCodes, 1)
	if err != nil {
		return Speeds{}, err
	}
	w, wMoved, err := newSamples("the weights", weights, "the moved weights", movedWeights, 1)
	if err != nil {
		return Speeds{}, err
	}
	if z.n != zMoved.n || z.n != w.n || z.n != wMoved.n {
		return Speeds{}, fmt.Errorf("%d codes, %d moved codes, %d weights and %d moved weights don't pair up",
			z.n, zMoved.n,
			w.n, wMoved.n)
	}
	distances, turnovers := make([]float64, z.n), make([]float64, z.n)
	for i := range z.n {
		step := math.Sqrt(squaredDistance(z.row(i), zMoved.row(i)))
		if step == 0 {
			return Speeds{}, fmt.Errorf("row %d of the moved codes hasn't moved", i)
		}
		distances[i] = math.Sqrt(squaredDistance(w.row(i), wMoved.row(i))) / step
		turnovers[i] = turnover(w.row(i), wMoved.row(i)) / step
	}
	return Speeds{Steps: z.n, Distance: quantiles(distances), Turnover: quantiles(turnovers)}, nil
}

func turnover(a, b []float64) float64 {
	var sum float64
	for j, v := range a {
		sum += math.Abs(v - b[j])
	}
	return sum / 2
}

// Path describes a way through weight space from one portfolio to another.
type Path struct {
	Length      float64 // sum of the Euclidean lengths of its steps
	Chord       float64 // distance between its ends: the length of the straight line
	Detour      float64 // Length/Chord, at least 1 and 1 for the straight line in weight space
	LongestStep float64 // share of Length in the longest step: 1/steps for an even pace, 1 for a jump
}

// MeasurePath takes the portfolios along an interpolation, in order
// (steps+1 x n). The straight line in weight space is its control: a Detour
// above 1 is what a model's curvature adds.
//
// It returns a [*TooFewRowsError] for fewer than two rows, an error that names
// the row for NaN or Inf, and an error for a path that ends where it began.
func MeasurePath(weights *mat.Dense) (Path, error) {
	w, err := newSample("the path", weights, 2)
	if err != nil {
		return Path{}, err
	}
	var p Path
	var longest float64
	for i := range w.n - 1 {
		step := math.Sqrt(squaredDistance(w.row(i), w.row(i+1)))
		p.Length += step
		longest = max(longest, step)
	}
	p.Chord = math.Sqrt(squaredDistance(w.row(0), w.row(w.n-1)))
	if p.Chord == 0 {
		return Path{}, errors.New(
			"the path ends at the portfolio where it began: its length has nothing to compare with")
	}
	p.Detour = p.Length / p.Chord
	p.LongestStep = longest / p.Length
	return p, nil
}
