package simplex_test

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// Inputs of mixed sizes, from 1e-300 to 1e300, tied or not, agree with the
// projection in rational numbers.
func TestExactArithmetic(t *testing.T) {
	count := 1500
	if testing.Short() {
		count = 200
	}
	for k := range count {
		rng := stream.New(9, "exact", uint64(k))
		n := 2 + rng.IntN(4)
		set := simplex.Set{N: n, Lower: make([]float64, n), Upper: make([]float64, n)}
		v := make([]float64, n)
		scale := math.Pow(10, 600*rng.Float64()-300)
		if k%2 == 0 {
			scale = math.Pow(10, 20*rng.Float64()-2)
		}
		offset := float64(rng.IntN(2)) * scale
		for i := range v {
			set.Lower[i] = -0.3 * rng.Float64() * float64(rng.IntN(2))
			set.Upper[i] = (0.6 + rng.Float64()) * 2 / float64(n)
			v[i] = offset + scale*(rng.Float64()-0.5)
			switch rng.IntN(5) {
			case 0:
				v[i] = v[rng.IntN(i+1)]
			case 1:
				v[i] = v[rng.IntN(i+1)] + rng.Float64()
			case 2:
				v[i] = rng.Float64()
			}
		}
		p, err := simplex.NewProjector(set)
		if err != nil {
			t.Fatal(err)
		}
		w := make([]float64, n)
		if _, err := p.Project(w, v); err != nil {
			t.Fatal(err)
		}
		for i, want := range rationalProjection(v, set.Lower, set.Upper) {
			if math.Abs(w[i]-want) > 1e-12 {
				t.Fatalf("case %d: %v goes to %v, want %v at %d", k, v, w, want, i)
			}
		}
	}
}

// rationalProjection finds the threshold among the sorted breakpoints.
func rationalProjection(v, lower, upper []float64) []float64 {
	rational := func(x float64) *big.Rat { return new(big.Rat).SetFloat64(x) }
	weights := func(threshold *big.Rat) ([]*big.Rat, *big.Rat) {
		w, sum := make([]*big.Rat, len(v)), new(big.Rat)
		for i := range v {
			w[i] = new(big.Rat).Sub(rational(v[i]), threshold)
			if l := rational(lower[i]); w[i].Cmp(l) < 0 {
				w[i] = l
			}
			if u := rational(upper[i]); w[i].Cmp(u) > 0 {
				w[i] = u
			}
			sum.Add(sum, w[i])
		}
		return w, sum
	}
	var breaks []*big.Rat
	for i := range v {
		breaks = append(breaks, new(big.Rat).Sub(rational(v[i]), rational(lower[i])), new(big.Rat).Sub(rational(v[i]), rational(upper[i])))
	}
	slices.SortFunc(breaks, (*big.Rat).Cmp)
	one := big.NewRat(1, 1)
	threshold := breaks[0]
	for k := 1; k < len(breaks); k++ {
		_, before := weights(breaks[k-1])
		_, after := weights(breaks[k])
		if after.Cmp(one) > 0 {
			continue
		}
		// The sum is linear between the two.
		threshold = breaks[k-1]
		if fall := new(big.Rat).Sub(before, after); fall.Sign() > 0 {
			part := new(big.Rat).Quo(new(big.Rat).Sub(before, one), fall)
			width := new(big.Rat).Sub(breaks[k], breaks[k-1])
			threshold = new(big.Rat).Add(threshold, part.Mul(part, width))
		}
		break
	}
	exact, _ := weights(threshold)
	out := make([]float64, len(v))
	for i, x := range exact {
		out[i], _ = x.Float64()
	}
	return out
}
