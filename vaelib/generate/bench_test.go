package generate

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

// wide is a model of 40 assets and 16 latent dimensions, which has learned
// nothing: speed does not depend on that.
var wide = sync.OnceValues(func() (*Generator, error) {
	backend, err := vae.Open("go")
	if err != nil {
		return nil, err
	}
	const n = 40
	config, schedule := vae.DefaultConfig(n), vae.DefaultSchedule()
	config.Latent, config.Head = 16, "softmax"
	schedule.Steps = 1
	d, err := simplex.Symmetric(n, 0.8)
	if err != nil {
		return nil, err
	}
	rng := stream.New(1, "bench", 0)
	x := mat.NewDense(500, n, nil)
	for i := range 500 {
		d.Rand(x.RawRowView(i), rng)
	}
	model, _, err := vae.Train(context.Background(), backend, config, schedule, x, nil, vae.TrainOptions{})
	if err != nil {
		return nil, err
	}
	return New(model, simplex.Set{N: n, Upper: slices.Repeat([]float64{0.25}, n)})
})

// wideReturns are T x 40 normal returns.
func wideReturns(periods int) *mat.Dense {
	rng := stream.New(2, "bench", 0)
	r := mat.NewDense(periods, 40, nil)
	for t := range periods {
		market := rng.NormFloat64()
		for j := range 40 {
			r.Set(t, j, 0.0002*float64(j%7)+0.02*market+0.02*rng.NormFloat64())
		}
	}
	return r
}

func wideGenerator(b *testing.B) *Generator {
	b.Helper()
	g, err := wide()
	if err != nil {
		b.Fatal(err)
	}
	return g
}

// BenchmarkOptimize1024x200 climbs from 1,024 starts for 200 iterations, 40
// assets, over 365 periods.
func BenchmarkOptimize1024x200(b *testing.B) {
	g := wideGenerator(b)
	returns := wideReturns(365)
	for _, name := range []string{metrics.MaximizeSharpe, metrics.MaximizeSortino} {
		b.Run(name, func(b *testing.B) {
			objective, err := metrics.NewObjective(name, returns, metrics.Settings{PeriodsPerYear: 365})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := g.Optimize(b.Context(), objective, Prior{}, OptimizeSettings{Starts: 1024, Iterations: 200}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStream draws, projects and scores 100,000 portfolios (six figures)
// over 1,438 periods of 40 assets. The peak of the heap is what it reports.
func BenchmarkStream(b *testing.B) {
	g := wideGenerator(b)
	e, err := metrics.NewEvaluator(wideReturns(1438), metrics.Settings{PeriodsPerYear: 365, Figures: metrics.Of(
		metrics.AnnualReturn, metrics.Volatility, metrics.Sharpe, metrics.Sortino, metrics.MaxDrawdown, metrics.CVaR)})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var peak uint64
	for b.Loop() {
		if err := g.Stream(b.Context(), 100_000, Prior{}, StreamSettings{Evaluator: e}, func(*Block) error {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapSys)
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(peak)/(1<<20), "MiB-heap")
}
