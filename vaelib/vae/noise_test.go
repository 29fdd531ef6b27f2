package vae

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// The noise is standard normal: its distribution function by the Kolmogorov-Smirnov
// statistic, its moments, its tail beyond the ziggurat, and no correlation between
// neighbours.
func TestNormals(t *testing.T) {
	if testing.Short() {
		t.Skip("draws millions one after the other: run without -short")
	}
	const count = 4_000_000
	x := make([]float32, count+1)
	fillNormals(x, rand.NewPCG(1, 2))
	x = x[:count]
	var moments [5]float64
	var neighbours float64
	tail := 0
	for i, v := range x {
		power := 1.0
		for k := range moments {
			moments[k] += power / count
			power *= float64(v)
		}
		if i > 0 {
			neighbours += float64(v) * float64(x[i-1]) / count
		}
		if math.Abs(float64(v)) > zigguratTail {
			tail++
		}
	}
	// Within five standard errors of 0, 1, 0, 3 and of 0.
	for k, want := range []struct{ mean, sd float64 }{{1, 0}, {0, 1}, {1, math.Sqrt(2)}, {0, math.Sqrt(15)},
		{3, math.Sqrt(96)}} {
		if math.Abs(moments[k]-want.mean) > 5*want.sd/math.Sqrt(count)+1e-9 {
			t.Errorf("moment %d is %v, want %v", k, moments[k], want.mean)
		}
	}
	if math.Abs(neighbours) > 5/math.Sqrt(count) {
		t.Errorf("neighbours have the covariance %v", neighbours)
	}
	normal := distuv.UnitNormal
	expected := 2 * normal.CDF(-zigguratTail) * count
	if math.Abs(float64(tail)-expected) > 5*math.Sqrt(expected) {
		t.Errorf("%d beyond %v, want %.0f", tail, zigguratTail, expected)
	}
	slices.Sort(x)
	var distance float64
	for i, v := range x {
		p := normal.CDF(float64(v))
		distance = max(distance, math.Abs(p-float64(i)/count), math.Abs(p-float64(i+1)/count))
	}
	if critical := 1.95 / math.Sqrt(count); distance > critical { // at 0.1 %
		t.Errorf("distance from the normal distribution is %v, want at most %v", distance, critical)
	}
}

func BenchmarkNormals(b *testing.B) {
	x := make([]float32, 1024)
	source := rand.NewPCG(1, 2)
	b.Run("ziggurat", func(b *testing.B) {
		for b.Loop() {
			fillNormals(x, source)
		}
	})
	b.Run("NormFloat64", func(b *testing.B) {
		rng := rand.New(source)
		for b.Loop() {
			for i := range x {
				x[i] = float32(rng.NormFloat64())
			}
		}
	})
}
