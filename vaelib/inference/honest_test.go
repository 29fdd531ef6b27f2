package inference

import (
	"flag"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/sharpe"
	"vaefolio/vaelib/stream"
)

// worlds is how many simulated markets the tests below look at; 0 takes few. All:
//
//	go test ./vaelib/inference -run 'TestIntervalsCover|TestNoSkill' -worlds 1000 -v
var worlds = flag.Int("worlds", 0, "the number of simulated markets; 0 takes few")

func count(few int) int {
	if *worlds > 0 {
		return *worlds
	}
	return few
}

// ar fills x with an autoregression of order 1 with mean mu.
func ar(x []float64, mu, phi float64, rng *rand.Rand) {
	last := 0.0
	for t := -50; t < len(x); t++ {
		last = phi*last + 0.01*rng.NormFloat64()
		if t >= 0 {
			x[t] = mu + last
		}
	}
}

// garch fills x with a GARCH(1,1) of normal shocks with mean mu and an
// unconditional deviation of 1 %.
func garch(x []float64, mu float64, rng *rand.Rand) {
	const a, b, level = 0.08, 0.88, 1e-4
	variance := level
	for t := -200; t < len(x); t++ {
		r := math.Sqrt(variance) * rng.NormFloat64()
		if t >= 0 {
			x[t] = mu + r
		}
		variance = level*(1-a-b) + a*r*r + b*variance
	}
}

// Intervals at 95 % cover the true Sharpe ratio, mean, volatility, VaR and correlation, and the
// difference of two Sharpe ratios, in 90 to 97 % of markets whose returns depend on each other,
// or whose risk does, and in 85 % at least of single years of persisting risk.
func TestIntervalsCover(t *testing.T) {
	if testing.Short() {
		t.Skip("draws 180 worlds, and 400 resamples of each")
	}
	const mu = 0.0005
	few := count(60)
	for _, process := range []string{"AR(1) of 0.3", "AR(1) of -0.2", "GARCH(1,1)", "GARCH(1,1) of 250 periods"} {
		garched, periods := strings.HasPrefix(process, "GARCH"), 750
		if strings.HasSuffix(process, "250 periods") {
			periods = 250
		}
		fill, deviation := func(x []float64, rng *rand.Rand) { garch(x, mu, rng) }, 0.01
		if !garched {
			phi := 0.3
			if process != "AR(1) of 0.3" {
				phi = -0.2
			}
			fill, deviation = func(x []float64, rng *rand.Rand) { ar(x, mu, phi, rng) }, 0.01/math.Sqrt(1-phi*phi)
		}
		names := []string{"Sharpe ratio", "mean", "volatility", "difference", "Ledoit-Wolf", "correlation", "VaR", "CVaR"}
		valueAtRisk, shortfall := 1.644854, 2.062713 // in deviations, of a normal
		if garched {
			valueAtRisk, shortfall = 1.6276, 2.1179 // of 3 million simulated periods, by numpy
		}
		truth := []float64{mu / deviation, mu, deviation, 0, 0, 0, valueAtRisk*deviation - mu, shortfall*deviation - mu}
		covered := make([]float64, len(names))
		x := mat.NewDense(periods, 2, nil)
		a, b := make([]float64, periods), make([]float64, periods)
		for w := range few {
			rng := stream.New(uint64(w), "inference.test.cover "+process, 0)
			fill(a, rng)
			fill(b, rng)
			x.SetCol(0, a)
			x.SetCol(1, b)
			draws, err := BootstrapTracks(t.Context(), x, 3, func(dst, r []float64) {
				dst[1], dst[2] = stat.MeanStdDev(r, nil)
				dst[0] = dst[1] / dst[2]
			}, BootstrapSettings{Seed: uint64(w), Resamples: 400})
			if err != nil {
				t.Fatal(err)
			}
			for k := range 4 {
				column := mat.Col(nil, k, draws.Values)
				if k == 3 {
					for i := range column {
						column[i] = draws.Values.At(i, 0) - draws.Values.At(i, 3)
					}
				}
				low, high, _ := Percentiles(column, 0.95)
				if names[k] == "volatility" {
					low, high = VolatilityInterval(a)
				}
				if low <= truth[k] && truth[k] <= high {
					covered[k] += 1 / float64(few)
				}
			}
			d, err := LedoitWolf(a, b, DifferenceSettings{})
			if err != nil {
				t.Fatal(err)
			}
			if d.PValue >= 0.05 {
				covered[4] += 1 / float64(few)
			}
			for k, of := range []func() (float64, float64){
				func() (float64, float64) { return CorrelationInterval(a, b) },
				func() (float64, float64) { return VaRInterval(a, 0.95) },
				func() (float64, float64) { return CVaRInterval(a, 0.95) },
			} {
				if low, high := of(); low <= truth[5+k] && truth[5+k] <= high {
					covered[5+k] += 1 / float64(few)
				}
			}
		}
		noise := 3 * math.Sqrt(0.95*0.05/float64(few)) // of so few markets
		if *worlds > 0 {
			noise = 0
		}
		for k, share := range covered {
			t.Logf("%s, %s: %.3f", process, names[k], share)
			least := 0.90
			if periods == 250 {
				least = 0.85
			}
			if share < least-noise || share > 0.97+noise {
				t.Errorf("%s: the interval of the %s covers %.3f of %d markets, want %.2f to .97", process, names[k], share,
					few, least)
			}
		}
	}
}

// With few periods intervals by resampling are too short, and the tests over all strategies
// reject too often; the test of Ledoit and Wolf keeps its level.
func TestFewPeriods(t *testing.T) {
	if testing.Short() {
		t.Skip("draws 240 worlds, and 200 resamples of each")
	}
	few := count(60)
	for _, periods := range []int{24, 60, 120, 250} {
		covered, superior, wolf, pairs := 0.0, 0.0, 0.0, 0.0
		for w := range few {
			rng := stream.New(uint64(w), "inference.test.few", uint64(periods))
			x := mat.NewDense(periods, 6, nil)
			for i := range periods {
				market := rng.NormFloat64()
				for k := range 6 {
					x.Set(i, k, 0.0005+0.01*(0.8*market+0.6*rng.NormFloat64()))
				}
			}
			draws, err := BootstrapTracks(t.Context(), x, 1, func(dst, r []float64) {
				mean, deviation := stat.PopMeanStdDev(r, nil)
				dst[0] = mean / deviation
			}, BootstrapSettings{Seed: uint64(w), Resamples: 200})
			if err != nil {
				t.Fatal(err)
			}
			differences, beside := make([]float64, 5), mat.NewDense(200, 5, nil)
			mean, deviation := stat.PopMeanStdDev(mat.Col(nil, 0, x), nil)
			for k := range differences {
				m, d := stat.PopMeanStdDev(mat.Col(nil, k+1, x), nil)
				differences[k] = m/d - mean/deviation
				for i := range 200 {
					beside.Set(i, k, draws.Values.At(i, k+1)-draws.Values.At(i, 0))
				}
			}
			if low, high, _ := Percentiles(mat.Col(nil, 0, draws.Values), 0.95); low <= 0.05 && 0.05 <= high {
				covered += 1 / float64(few)
			}
			if SPA(differences, beside, periods).PValue < 0.05 {
				superior += 1 / float64(few)
			}
			least := 1.0
			for i := range 6 {
				for j := range i {
					d, err := LedoitWolf(mat.Col(nil, i, x), mat.Col(nil, j, x), DifferenceSettings{})
					if err != nil {
						t.Fatal(err)
					}
					if least = min(least, d.PValue); i == 1 && d.PValue < 0.05 {
						wolf += 1 / float64(few)
					}
				}
			}
			if least < 0.05 {
				pairs += 1 / float64(few)
			}
		}
		t.Logf("%d periods: the Sharpe ratio is covered by %.3f; without a difference Hansen's test rejects in %.3f, "+
			"Ledoit and Wolf's in %.3f, and one of 15 in %.3f", periods, covered, superior, wolf, pairs)
		noise := 3 * math.Sqrt(0.95*0.05/float64(few))
		if least := map[int]float64{24: 0.80, 60: 0.86, 120: 0.90, 250: 0.92}[periods]; covered < least-noise {
			t.Errorf("%d periods: the Sharpe ratio is covered by %.3f, want %.2f", periods, covered, least)
		}
		if superior > 0.16+noise || periods >= 120 && superior > 0.08+noise || wolf > 0.09+noise {
			t.Errorf("%d periods: the tests reject in %.3f and %.3f", periods, superior, wolf)
		}
	}
}

// Of strategies without skill the probability of overfitting is .5 on average, and
// the deflated Sharpe ratio of the best exceeds .95 in at most 5 %; a planted
// strategy with skill is found by both.
func TestNoSkill(t *testing.T) {
	const periods, trials = 512, 20
	few := count(60)
	pbo, deflated, found := 0.0, 0.0, 0.0
	for w := range few {
		rng := stream.New(uint64(w), "inference.test.skill", 0)
		returns := mat.NewDense(periods, trials, nil)
		for i := range periods {
			common := rng.NormFloat64()
			for k := range trials {
				returns.Set(i, k, 0.01*(0.5*common+rng.NormFloat64()))
			}
		}
		o, err := CSCV(returns, 8)
		if err != nil {
			t.Fatal(err)
		}
		pbo += o.PBO / float64(few)
		if best, _ := deflate(returns); best > 0.95 {
			deflated += 1 / float64(few)
		}
		for i := range periods {
			returns.Set(i, 7, returns.At(i, 7)+0.0035)
		}
		if o, err = CSCV(returns, 8); err != nil {
			t.Fatal(err)
		}
		if best, at := deflate(returns); best > 0.95 && at == 7 && o.PBO < 0.1 {
			found += 1 / float64(few)
		}
	}
	t.Logf("%d markets: mean PBO %.3f; DSR above .95 in %.3f; skill found in %.3f", few, pbo, deflated, found)
	slack := 0.05
	if *worlds > 0 {
		slack = 0
	}
	if pbo < 0.45-slack || pbo > 0.55+slack {
		t.Errorf("the mean PBO is %.3f, want .45 to .55", pbo)
	}
	if deflated > 0.05+slack {
		t.Errorf("the DSR of the best exceeds .95 in %.3f of markets without skill", deflated)
	}
	if found < 0.9 {
		t.Errorf("a planted skill is found in %.3f of markets", found)
	}
}

// deflate returns the deflated Sharpe ratio of the best column, and its number.
func deflate(returns *mat.Dense) (probability float64, at int) {
	periods, trials := returns.Dims()
	ratios := make([]float64, trials)
	for k := range trials {
		mean, deviation := stat.MeanStdDev(mat.Col(nil, k, returns), nil)
		if ratios[k] = mean / deviation; ratios[k] > ratios[at] {
			at = k
		}
	}
	best := mat.Col(nil, at, returns)
	mean, deviation := stat.PopMeanStdDev(best, nil)
	var third, fourth float64
	for _, r := range best {
		z := (r - mean) / deviation
		third += z * z * z / float64(periods)
		fourth += z * z * z * z / float64(periods)
	}
	return sharpe.Deflated(ratios[at], periods, third, fourth, trials, stat.StdDev(ratios, nil)), at
}
