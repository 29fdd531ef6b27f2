package mixture_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"vaefolio/vaelib/mixture"
	"vaefolio/vaelib/stream"
)

// ring are points of the unit circle with noise, so that each coordinate given
// leaves two values of the other.
func ring(n int) *mat.Dense {
	rng := stream.New(3, "ring", 0)
	x := mat.NewDense(n, 3, nil)
	for i := range n {
		angle := 2 * math.Pi * rng.Float64()
		x.SetRow(i, []float64{math.Cos(angle) + 0.1*rng.NormFloat64(), rng.NormFloat64(), math.Sin(angle) + 0.1*rng.NormFloat64()})
	}
	return x
}

// The density of all coordinates over that of the first, given the others, is
// that of the others: it doesn't depend on the first.
func TestGivenIsTheConditionalDensity(t *testing.T) {
	m, err := mixture.Fit(t.Context(), ring(3000), mixture.Settings{Components: 12}, stream.New(1, "fit", 0))
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []int{1, 2} {
		c, err := m.Given(k)
		if err != nil {
			t.Fatal(err)
		}
		rng := stream.New(1, "points", uint64(k))
		for range 20 {
			given := make([]float64, k)
			for j := range given {
				given[j] = rng.NormFloat64()
			}
			under := c.Under(given)
			of := func() float64 {
				z := make([]float64, 3-k)
				for j := range z {
					z[j] = rng.NormFloat64()
				}
				return m.LogProb(append(append([]float64{}, z...), given...)) - under.LogProb(z)
			}
			if a, b := of(), of(); math.Abs(a-b) > 1e-9*max(1, math.Abs(a)) {
				t.Fatalf("%d given: log p(z, c) - log p(z | c) is %v at one z and %v at another", k, a, b)
			}
		}
	}
	// Over all that can be given, the density of the first coordinate is the leading
	// mixture's: their mean over draws of what is given.
	leading, c := m.Leading(1), must(m.Given(2))
	rng, z := stream.New(1, "draws", 0), make([]float64, 3)
	var mean float64
	for range 4000 {
		m.Rand(z, rng)
		mean += math.Exp(c.Under(z[1:]).LogProb([]float64{0.8})) / 4000
	}
	if want := math.Exp(leading.LogProb([]float64{0.8})); math.Abs(mean-want) > 0.05*want {
		t.Errorf("density of the first coordinate %v, over what is given %v", want, mean)
	}
	if _, err := m.Given(3); err == nil {
		t.Error("all coordinates are given")
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// Given 0 the ring has two sides, of which the mixture knows.
func TestGivenHasBothSides(t *testing.T) {
	m, err := mixture.Fit(t.Context(), ring(3000), mixture.Settings{Components: 12}, stream.New(1, "fit", 0))
	if err != nil {
		t.Fatal(err)
	}
	c, err := m.Given(2)
	if err != nil {
		t.Fatal(err)
	}
	under, rng := c.Under([]float64{0, 0}), stream.New(2, "draw", 0)
	right, z := 0, make([]float64, 1)
	for range 2000 {
		under.Rand(z, rng)
		if math.Abs(math.Abs(z[0])-1) > 0.6 {
			t.Fatalf("drawn %v, far from both sides of the ring", z[0])
		}
		if z[0] > 0 {
			right++
		}
	}
	if right < 800 || right > 1200 {
		t.Errorf("%d of 2,000 draws on the right, want about half", right)
	}
	// Beyond all that was learned there is a density still.
	if far := c.Under([]float64{1e6, -1e6}); math.IsNaN(far.LogProb([]float64{0})) || far.Components() < 1 {
		t.Errorf("far away: %d components, log density %v", far.Components(), far.LogProb([]float64{0}))
	}
}

// The likeliest of some starts is likelier on average than the first.
func TestStartsHelp(t *testing.T) {
	const clusters = 12
	rng := stream.New(1, "clusters", 0)
	x := mat.NewDense(1200, 2, nil)
	side := distuv.Uniform{Min: -10, Max: 10, Src: rng}
	for c := range clusters {
		a, b := side.Rand(), side.Rand()
		for i := c; i < 1200; i += clusters {
			x.SetRow(i, []float64{a + 0.2*rng.NormFloat64(), b + 0.2*rng.NormFloat64()})
		}
	}
	likelihood := func(starts int) (sum float64) {
		for seed := range uint64(10) {
			m, err := mixture.Fit(t.Context(), x, mixture.Settings{Components: clusters, Starts: starts}, stream.New(seed, "fit", 0))
			if err != nil {
				t.Fatal(err)
			}
			for i := range 1200 {
				sum += m.LogProb(x.RawRowView(i)) / 12000
			}
		}
		return sum
	}
	one, four := likelihood(1), likelihood(4)
	t.Logf("mean log likelihood of one start %.3f, of the best of four %.3f", one, four)
	if !(four > one+0.02) {
		t.Errorf("mean log likelihood of one start %.3f, of the best of four %.3f", one, four)
	}
}
