package metrics

import (
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/stream"
)

// market makes returns that look like daily crypto returns: one common factor,
// fat tails, and ties, since prices move in ticks.
func market(seed uint64, periods, n int) *mat.Dense {
	rng := stream.New(seed, "metrics.test.returns", 0)
	returns := mat.NewDense(periods, n, nil)
	for t := range periods {
		scale := 0.02
		if rng.Float64() < 0.1 {
			scale = 0.05
		}
		common := scale * rng.NormFloat64()
		for j := range n {
			r := 0.0005 + common + 0.6*scale*rng.NormFloat64()
			if j%3 == 0 {
				r = float64(int(r*500)) / 500
			}
			returns.Set(t, j, max(r, -0.9))
		}
	}
	return returns
}

// simplexRows draws portfolios, a third of them with zeros.
func simplexRows(seed uint64, rows, n int) *mat.Dense {
	rng := stream.New(seed, "metrics.test.weights", 0)
	weights := mat.NewDense(rows, n, nil)
	for i := range rows {
		row := weights.RawRowView(i)
		var sum float64
		for j := range row {
			row[j] = rng.ExpFloat64()
			if i%3 == 0 && rng.Float64() < 0.5 && j > 0 {
				row[j] = 0
			}
			sum += row[j]
		}
		for j := range row {
			row[j] /= sum
		}
	}
	return weights
}

// six are the figures that speed is usually compared by.
var six = Of(AnnualReturn, Volatility, Sharpe, Sortino, MaxDrawdown, CVaR)

func benchmarkEvaluate(b *testing.B, figures Mask) {
	const rows = 4096
	e, err := NewEvaluator(market(1, 1438, 40), Settings{PeriodsPerYear: 365, Figures: figures})
	if err != nil {
		b.Fatal(err)
	}
	weights := simplexRows(1, rows, 40)
	dst := make([]Figures, rows)
	b.ReportAllocs()
	for b.Loop() {
		if err := e.EvaluateAll(b.Context(), weights, dst); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "portfolios/s")
}

// Return, volatility, Sharpe, Sortino, drawdown and CVaR. Run with -cpu 1 for
// the figure of one core.
func BenchmarkEvaluateSix1438x40(b *testing.B) { benchmarkEvaluate(b, six) }

func BenchmarkEvaluateAll1438x40(b *testing.B) { benchmarkEvaluate(b, all) }

// The matrix product that BenchmarkEvaluateSix1438x40 contains, alone, on one
// core; and the same by gonum.
func BenchmarkProduct1438x40(b *testing.B) {
	e, err := NewEvaluator(market(1, 1438, 40), Settings{PeriodsPerYear: 365})
	if err != nil {
		b.Fatal(err)
	}
	s := e.newScratch()
	for b.Loop() {
		e.returns.product(s.series, s.weights)
	}
	b.ReportMetric(float64(lanes*b.N)/b.Elapsed().Seconds(), "portfolios/s")
}

func BenchmarkProductGonum1438x40(b *testing.B) {
	const rows = 256
	returns, weights := market(1, 1438, 40), simplexRows(1, rows, 40)
	product := mat.NewDense(rows, 1438, nil)
	for b.Loop() {
		product.Mul(weights, returns.T())
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "portfolios/s")
}

func BenchmarkPass1438(b *testing.B) {
	e, err := NewEvaluator(market(1, 1438, 40), Settings{PeriodsPerYear: 365})
	if err != nil {
		b.Fatal(err)
	}
	y, kept, work := make([]float64, 1438), make([]float64, 1438), make([]float64, 1438)
	if err := e.Returns(y, simplexRows(1, 1, 40).RawRowView(0)); err != nil {
		b.Fatal(err)
	}
	b.Run("sums", func(b *testing.B) {
		for b.Loop() {
			pass(y, 0.0005, 0)
		}
	})
	b.Run("tail", func(b *testing.B) {
		for b.Loop() {
			e.tail.risk(y, e.tail.threshold(0.0005, 0.025), kept, work)
		}
	})
}
