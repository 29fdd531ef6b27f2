package mixture

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/stream"
)

// random is a mixture of overlapping, correlated components, of which every
// second is a thousand times tighter.
func random(k, d int, rng *rand.Rand) *Mixture {
	weights := make([]float64, k)
	means, factors := make([][]float64, k), make([][]float64, k)
	for c := range k {
		weights[c] = 1 / float64(k)
		means[c], factors[c] = make([]float64, d), make([]float64, d*d)
		scale := 1.0
		if c%2 == 1 {
			scale = 1e-3
		}
		for a := range d {
			means[c][a] = 0.3 * rng.NormFloat64()
			for b := range a {
				factors[c][a*d+b] = 0.5 * scale * rng.NormFloat64()
			}
			factors[c][a*d+a] = scale * (0.5 + rng.Float64())
		}
	}
	return assemble(d, weights, means, factors)
}

// Tiles and blocks have the densities of [Mixture.LogProb], which solves by
// substitution where they multiply by the inverse, and the moments of their
// definition. A tight component divides coordinates, rounded to 1e-16, by 1e-3:
// its white points are right to some 1e-13, times the condition number of its
// correlations, and the densities and responsibilities with them.
func TestExpectationIsThatOfLogProb(t *testing.T) {
	for _, test := range []struct{ n, d, k int }{
		{1, 1, 1}, {12, 2, 3}, {13, 3, 4}, {25, 4, 5}, {50, 5, 8}, {rowsPerBlock, 8, 9}, {2*rowsPerBlock + 7, 8, 20}, {100,
			13, 6},
	} {
		rng := stream.New(1, "mixture.test.expectation", uint64(test.d))
		m := random(test.k, test.d, rng)
		x := mat.NewDense(test.n, test.d, nil)
		for i := range test.n {
			m.Rand(x.RawRowView(i), rng)
		}
		e := newExpectation(x, test.k)
		got, err := e.run(context.Background(), m)
		if err != nil {
			t.Fatal(err)
		}
		want := newStatistics(test.k, test.d)
		size := make([]float64, len(want.moments)) // of the terms of the sums
		for i := range test.n {
			row := x.RawRowView(i)
			logProb := m.LogProb(row)
			want.logLikelihood += logProb
			logProbs := e.workers[0].share(e.workers[0].responsibilities, m, m.whitening(), e.points.tile(i))
			if got := logProbs[i%lanes]; math.Abs(got-logProb) > 1e-10*math.Max(1, math.Abs(logProb)) {
				t.Errorf("%+v: log density of point %d is %v, want %v", test, i, got, logProb)
			}
			coordinates := append([]float64{1}, row...)
			for c := range test.k {
				one := assemble(test.d, m.weights[c:c+1], m.means[c:c+1], m.factors[c:c+1])
				r := math.Exp(one.LogProb(row) - logProb)
				at := c * want.stride
				for a, u := range coordinates {
					for _, v := range coordinates[:a+1] {
						want.moments[at] += r * u * v
						size[at] += math.Abs(r * u * v)
						at++
					}
				}
			}
		}
		if math.Abs(got.logLikelihood-want.logLikelihood) > 1e-10*math.Max(1, math.Abs(want.logLikelihood)) {
			t.Errorf("%+v: log-likelihood is %v, want %v", test, got.logLikelihood, want.logLikelihood)
		}
		count := (test.d + 1) * (test.d + 2) / 2
		for c := range test.k {
			for at := c * want.stride; at < c*want.stride+count; at++ {
				if math.Abs(got.moments[at]-want.moments[at]) > 1e-9*size[at]+1e-14*float64(test.n) {
					t.Errorf("%+v: moment %d of component %d is %v, want %v", test, at-c*want.stride, c, got.moments[at],
						want.moments[at])
				}
			}
		}
	}
}
