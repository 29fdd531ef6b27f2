package moments_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/moments"
)

// One day of +300 % shrinks the covariance to that of assets which all look
// alike, and is named; without it, and for other estimators, nothing is said.
func TestWarning(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const periods, n = 250, 4
	returns := mat.NewDense(periods, n, nil)
	var times []time.Time
	for i := range periods {
		times = append(times, time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC))
		common := rng.NormFloat64()
		for j := range n {
			returns.Set(i, j, 0.01*(common+float64(1+j)*rng.NormFloat64()))
		}
	}
	symbols := []string{"ASH", "ELM", "FIR", "OAK"}
	warn := func(name string) string {
		m, err := moments.Estimate(name, returns)
		if err != nil {
			t.Fatal(err)
		}
		return m.Warning(returns, symbols, times)
	}
	if got := warn(moments.LedoitWolf); got != "" {
		t.Errorf("warned of usual returns: %s", got)
	}
	even := mat.NewDense(periods, n, nil)
	for i := range periods {
		for j := range n {
			even.Set(i, j, 0.01*rng.NormFloat64())
		}
	}
	m, err := moments.Estimate(moments.LedoitWolf, even)
	if err != nil || m.Shrinkage < 0.95 {
		t.Fatalf("shrinkage %v, %v", m.Shrinkage, err)
	}
	if got := m.Warning(even, symbols, times); !strings.HasSuffix(got, "tell no asset from another: take more periods, or another -covariance") {
		t.Errorf("of noise alone: %q", got)
	}
	returns.Set(99, 2, 3)
	if got := warn(moments.LedoitWolf); !strings.HasPrefix(got, "the Ledoit-Wolf shrinkage is 1, so that minimum variance, risk parity and their like are next to equal weights: FIR on 2024-04-09, +300 %, is 9") {
		t.Errorf("warning %q", got)
	}
	for _, name := range []string{moments.Sample, moments.ConstantCorrelation, moments.LedoitWolf + ":1"} {
		if got := warn(name); got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
}
