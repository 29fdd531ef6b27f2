package compare

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/relative"
	"vaefolio/vaelib/stream"
)

// followers are a benchmark, itself again, and two tracks that follow it in part.
func followers(t *testing.T) *Tracks {
	t.Helper()
	rng := stream.New(1, "against", 0)
	text := "market,same,half,twice\n"
	for range 120 {
		b := 0.001 + 0.02*rng.NormFloat64()
		text += fmt.Sprintf("%v,%[1]v,%v,%v\n", b, b/2+0.01*rng.NormFloat64(), 2*b)
	}
	return read(t, text)
}

// Beside a benchmark each other track has the figures of package relative, within intervals
// that hold them; the benchmark itself has none.
func TestAgainst(t *testing.T) {
	tracks := followers(t)
	annual := metrics.Settings{PeriodsPerYear: 252, RiskFree: 0.02}
	result, err := Run(t.Context(), tracks, annual, Settings{Against: "market", Resamples: 300, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	evaluator, err := relative.NewEvaluator(relative.Benchmark{Returns: tracks.Column(0)}, annual)
	if err != nil {
		t.Fatal(err)
	}
	if result.Rows[0].Against != nil {
		t.Error("the benchmark is set beside itself")
	}
	for k, row := range result.Rows[1:] {
		f := evaluator.Evaluate(tracks.Column(k+1), nil)
		for _, figure := range besides {
			got := row.Against.Get(figure.Name())
			want, known := f.Value(figure).Float()
			x, ok := got.Value.Float()
			low, okLow := got.From.Float()
			high, okHigh := got.To.Float()
			if ok != known || x != want || ok != (okLow && okHigh) || ok && !(low <= x+1e-9 && x <= high+1e-9) {
				t.Errorf("%s of %s is %v in [%v, %v], want %v", figure.Name(), row.Name, got.Value.Any(), got.From.Any(), got.To.Any(), want)
			}
		}
	}
	if same := result.Rows[1].Against; same.Get("tracking_error").To.Any() != 0.0 || same.Get("beta").From.Any() != 1.0 ||
		!strings.Contains(same.Get("information_ratio").From.Reason(), "no tracking error") {
		t.Errorf("the benchmark again has %+v", same)
	}
	result, err = Run(t.Context(), tracks, annual, Settings{Resamples: 100, Seed: 1})
	if err != nil || result.Rows[1].Against != nil {
		t.Errorf("where no benchmark is named, tracks are set beside one (%v)", err)
	}
}

// What follows from the means and variances of a resample is what package relative says of
// its periods.
func TestResampledAgainst(t *testing.T) {
	tracks := followers(t)
	for _, convention := range []metrics.Convention{metrics.Default, metrics.Empyrical} {
		annual := metrics.Settings{PeriodsPerYear: 252, RiskFree: 0.02, Convention: convention}
		var all [][]float64
		for k := range tracks.Names {
			all = append(all, tracks.Column(k))
		}
		columns := columnsAgainst(all)
		_, n := columns.Dims()
		moments := mat.NewDense(1, 2*n, nil)
		for j := range n {
			mean, variance := stat.MeanVariance(mat.Col(nil, j, columns), nil)
			moments.Set(0, 2*j, mean)
			moments.Set(0, 2*j+1, variance)
		}
		evaluator, err := relative.NewEvaluator(relative.Benchmark{Returns: tracks.Column(0)}, annual)
		if err != nil {
			t.Fatal(err)
		}
		for k := 2; k < 4; k++ {
			f, got := evaluator.Evaluate(tracks.Column(k), nil), resampledAgainst(moments, 0, k, annual)
			for i, figure := range besides {
				if convention == metrics.Empyrical && figure >= relative.UpCapture {
					continue
				}
				if want, _ := f.Value(figure).Float(); !(math.Abs(got[i]-want) < 1e-10*max(1, math.Abs(want))) {
					t.Errorf("%s: %s of %s is %v by its moments, want %v", convention, figure.Name(), tracks.Names[k], got[i], want)
				}
			}
		}
	}
}
