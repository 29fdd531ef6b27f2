package generate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/stream"
)

// islands are three well separated clouds of codes; truth says which is whose.
func islands() (codes *mat.Dense, truth []int) {
	rng := stream.New(1, "test.islands", 0)
	centres := [][]float64{{0, 0}, {6, 0}, {0, 6}}
	codes = mat.NewDense(300, 2, nil)
	for i := range 300 {
		c := 0
		switch {
		case i%6 == 5:
			c = 2
		case i%3 == 1:
			c = 1
		}
		truth = append(truth, c)
		for j := range 2 {
			codes.Set(i, j, centres[c][j]+rng.NormFloat64())
		}
	}
	return codes, truth
}

func TestStylesFindIslands(t *testing.T) {
	codes, truth := islands()
	for _, method := range []Method{ByMixture, ByKMeans} {
		reports := 0
		s, err := FindStyles(t.Context(), codes, StyleSettings{
			Method: method, Clusters: 3, Resamples: 4, NullSets: 9, Seed: 1,
			Progress: func(done, total int, _ string) {
				if reports++; done != reports || total != 50 {
					t.Errorf("report %d says %d of %d", reports, done, total)
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if ari := adjustedRand(s.Labels, truth); ari < 0.95 {
			t.Errorf("%s: adjusted Rand index %v against the truth", method, ari)
		}
		if s.Stability < 0.95 || s.PValue != 0.1 || len(s.NullStability) != 9 {
			t.Errorf("%s: stability %v, null %v, p-value %v", method, s.Stability, s.NullStability, s.PValue)
		}
		if !slices.IsSortedFunc(s.Counts, func(a, b int) int { return b - a }) || s.Counts[0]+s.Counts[1]+s.Counts[2] != 300 {
			t.Errorf("%s: counts %v", method, s.Counts)
		}
		if reports != 50 {
			t.Errorf("%s: %d reports", method, reports)
		}
		boundaries := s.Boundaries()
		if len(boundaries) != 3 {
			t.Fatalf("%s: %d boundaries", method, len(boundaries))
		}
		for _, b := range boundaries {
			one := s.clusters.scores[b.Between[0]](b.Code)
			two := s.clusters.scores[b.Between[1]](b.Code)
			if math.Abs(one-two) > 1e-9 {
				t.Errorf("%s: on the boundary %v the scores are %v and %v", method, b, one, two)
			}
		}
	}
}

// One normal cloud has no styles: whatever is found in it is as stable as in
// other clouds, though BIC-free methods and mixtures alike return clusters.
func TestStylesOfNothing(t *testing.T) {
	rng := stream.New(2, "test.nothing", 0)
	codes := mat.NewDense(200, 3, nil)
	for i := range 200 {
		for j := range 3 {
			codes.Set(i, j, rng.NormFloat64())
		}
	}
	s, err := FindStyles(t.Context(), codes, StyleSettings{Method: ByKMeans, Clusters: 4, Resamples: 4, NullSets: 9, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if s.PValue <= 0.1 || len(s.Counts) != 4 {
		t.Errorf("p-value %v, stability %v, null %v", s.PValue, s.Stability, s.NullStability)
	}
	// Null data that are given are used: islands are stabler than a cloud.
	clear, _ := islands()
	cloud := codes.Slice(0, 200, 0, 2).(*mat.Dense)
	s, err = FindStyles(t.Context(), cloud, StyleSettings{Method: ByKMeans, Clusters: 3, Resamples: 3, NullSets: 4, Null: clear, Seed: 1})
	if err != nil || s.PValue != 1 {
		t.Errorf("against islands a cloud has p-value %v, error %v", s.PValue, err)
	}
}

// One skewed cloud has no clusters, and BIC finds them: several normal densities
// fit it better than few.
func TestBICIsNoEvidence(t *testing.T) {
	rng := stream.New(5, "test.skewed", 0)
	codes := mat.NewDense(600, 2, nil)
	for i := range 600 {
		for j := range 2 {
			codes.Set(i, j, rng.ExpFloat64())
		}
	}
	var bic []float64
	for _, k := range []int{2, 4} {
		s, err := FindStyles(t.Context(), codes, StyleSettings{Clusters: k, Rows: 100, Resamples: 1, NullSets: 1, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		bic = append(bic, s.BIC)
	}
	if bic[1] >= bic[0] {
		t.Errorf("BIC %v with 2 clusters and %v with 4 of a cloud that has one", bic[0], bic[1])
	}
}

func TestStylesAreReproducible(t *testing.T) {
	codes, _ := islands()
	settings := StyleSettings{Clusters: 3, Rows: 150, Resamples: 2, NullSets: 2, Seed: 3}
	first, err := FindStyles(t.Context(), codes, settings)
	if err != nil {
		t.Fatal(err)
	}
	was := runtime.GOMAXPROCS(1)
	again, err := FindStyles(t.Context(), codes, settings)
	runtime.GOMAXPROCS(was)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(first.Labels, again.Labels) || first.Stability != again.Stability || !slices.Equal(first.NullStability, again.NullStability) || first.BIC != again.BIC {
		t.Error("one worker finds other styles than all cores")
	}
}

func TestStylesRefuse(t *testing.T) {
	codes, _ := islands()
	for name, s := range map[string]StyleSettings{
		"one cluster": {Clusters: 1}, "too many": {Clusters: 200}, "method": {Method: "tea leaves"},
		"resamples": {Resamples: -1}, "rows": {Rows: 3}, "null": {Null: mat.NewDense(300, 5, nil)},
	} {
		if _, err := FindStyles(t.Context(), codes, s); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, m := range []Method{ByMixture, ByKMeans} {
		if _, err := FindStyles(ctx, codes, StyleSettings{Method: m, Clusters: 3}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, cancelled: error %v", m, err)
		}
	}
}

// Codes that are all alike make one cluster, not NaN.
func TestKMeansOfOnePoint(t *testing.T) {
	centres, inertia, err := kMeans(t.Context(), mat.NewDense(20, 2, slices.Repeat([]float64{3}, 40)), 4, stream.New(1, "test", 0))
	if err != nil || len(centres) != 1 || inertia != 0 || !slices.Equal(centres[0], []float64{3, 3}) {
		t.Errorf("%v, %v, %v", centres, inertia, err)
	}
}

func TestDescribe(t *testing.T) {
	codes, _ := islands()
	s, err := FindStyles(t.Context(), codes, StyleSettings{Clusters: 3, Resamples: 1, NullSets: 1})
	if err != nil {
		t.Fatal(err)
	}
	style, noise := make([]float64, 300), make([]float64, 300)
	rng := stream.New(4, "test", 0)
	for i, label := range s.Labels {
		style[i], noise[i] = float64(label), rng.NormFloat64()
	}
	traits, err := s.Describe(map[string][]float64{"noise": noise, "style": style, "flat": make([]float64, 300)})
	if err != nil {
		t.Fatal(err)
	}
	if traits[0].Name != "style" || math.Abs(traits[0].Explained-1) > 1e-12 || traits[0].MostlyHigh != 2 || !floats.EqualApprox(traits[0].Mean, []float64{0, 1, 2}, 1e-12) {
		t.Errorf("%+v", traits[0])
	}
	if traits[1].Name != "noise" || traits[1].Explained > 0.05 || traits[2].Explained != 0 {
		t.Errorf("%+v", traits[1:])
	}
	if _, err := s.Describe(map[string][]float64{"short": {1}}); err == nil {
		t.Error("no error for a trait of one value")
	}
}

// The examples of scikit-learn's documentation.
func TestAdjustedRand(t *testing.T) {
	if v := adjustedRand([]int{0, 0, 1, 1}, []int{5, 5, 3, 3}); v != 1 {
		t.Errorf("%v for equal partitions, want 1", v)
	}
	if v := fmt.Sprintf("%.4f", adjustedRand([]int{0, 0, 1, 2}, []int{0, 0, 1, 1})); v != "0.5714" {
		t.Errorf("%s, want 0.5714", v)
	}
}
