package metrics

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

func newObjective(t testing.TB, name string, returns *mat.Dense, settings Settings) Objective {
	t.Helper()
	o, err := NewObjective(name, returns, settings)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Gradients agree with central differences. The data have no ties, so that
// almost every point is away from a kink.
func TestGradients(t *testing.T) {
	const n = 7
	settings := Settings{PeriodsPerYear: 365, RiskFree: 0.02, MAR: 0.05, Level: 0.93}
	returns := market(5, 150, n)
	returns.Apply(func(i, j int, v float64) float64 { return v + 1e-4*math.Sin(float64(i*n+j)) }, returns)
	for _, name := range Objectives() {
		o := newObjective(t, name, returns, settings)
		weights := simplexRows(5, 20, n)
		for i := range 20 {
			w := weights.RawRowView(i)
			gradient := make([]float64, n)
			if value := o.Gradient(gradient, w); value != o.Value(w) {
				t.Errorf("%s: Gradient returns %v, Value %v", name, value, o.Value(w))
			}
			for j := range n {
				const step = 1e-6
				saved := w[j]
				w[j] = saved + step
				above := o.Value(w)
				w[j] = saved - step
				below := o.Value(w)
				w[j] = saved
				difference := (above - below) / (2 * step)
				if math.Abs(difference-gradient[j]) > 2e-7*(1+floats.Norm(gradient, 2)) {
					t.Errorf("%s at portfolio %d: derivative %d is %.10g, the difference quotient %.10g", name, i, j, gradient[j], difference)
				}
			}
		}
	}
}

// Objectives are the evaluator's figures, losses with a minus.
func TestObjectivesAreFigures(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "assets")
		seed := rapid.Uint64().Draw(t, "seed")
		settings := Settings{PeriodsPerYear: 252, RiskFree: 0.01, MAR: 0.02, Level: rapid.SampledFrom([]float64{0.9, 0.95, 0.99}).Draw(t, "level")}
		returns, w := market(seed, rapid.IntRange(20, 200).Draw(t, "periods"), n), simplexRows(seed, 1, n).RawRowView(0)
		e, err := NewEvaluator(returns, settings)
		if err != nil {
			t.Fatal(err)
		}
		f, err := e.Evaluate(w)
		if err != nil {
			t.Fatal(err)
		}
		y := make([]float64, e.Periods())
		if err := e.Returns(y, w); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]float64{
			MaximizeSharpe: f.Sharpe, MaximizeReturn: f.AnnualReturn, MinimizeVolatility: -f.Volatility,
			MaximizeDiversification: f.DiversificationRatio, MaximizeSortino: f.Sortino,
			MinimizeCVaR: -f.CVaR, MinimizeDrawdown: -f.MaxDrawdown, MaximizeWorst: floats.Min(y),
		} {
			o, err := NewObjective(name, returns, settings)
			if err != nil {
				t.Fatal(err)
			}
			if got := o.Value(w); math.Abs(got-want) > 1e-10*math.Max(1, math.Abs(want)) {
				t.Fatalf("%s is %v, the figure %v", name, got, want)
			}
		}
	})
}

// CVaR, the drawdown's logarithm aside, and the worst period are concave in w
// when made large: no point lies above the tangent at another. That holds for
// the subgradients at kinks too, so the data are all ties.
func TestSubgradientsAtKinks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n, periods = 4, 40
		returns := mat.NewDense(periods, n, nil)
		for i := range periods {
			for j := range n {
				returns.Set(i, j, float64(rapid.IntRange(-3, 3).Draw(t, "ticks"))/100)
			}
		}
		seed := rapid.Uint64().Draw(t, "seed")
		points := simplexRows(seed, 2, n)
		points.SetRow(0, []float64{0.25, 0.25, 0.25, 0.25})
		for _, name := range []string{MinimizeCVaR, MaximizeWorst, MinimizeVolatility} {
			o, err := NewObjective(name, returns, Settings{PeriodsPerYear: 365, Level: 0.9})
			if err != nil {
				t.Fatal(err)
			}
			gradient, step := make([]float64, n), make([]float64, n)
			at := o.Gradient(gradient, points.RawRowView(0))
			floats.SubTo(step, points.RawRowView(1), points.RawRowView(0))
			if bound := at + floats.Dot(gradient, step); o.Value(points.RawRowView(1)) > bound+1e-12 {
				t.Fatalf("%s: %v lies above the tangent %v", name, o.Value(points.RawRowView(1)), bound)
			}
		}
	})
}

func TestUndefinedObjectives(t *testing.T) {
	steady := mat.NewDense(3, 2, []float64{0.01, 0.02, 0.01, 0.02, 0.01, 0.02})
	for _, name := range []string{MaximizeSharpe, MaximizeDiversification, MaximizeSortino} {
		o := newObjective(t, name, steady, Settings{PeriodsPerYear: 365})
		gradient := []float64{1, 1}
		if value := o.Gradient(gradient, []float64{0.5, 0.5}); !math.IsInf(value, -1) || gradient[0] != 0 || gradient[1] != 0 {
			t.Errorf("%s of a constant is %v with gradient %v, want -Inf and 0", name, value, gradient)
		}
	}
	volatility := newObjective(t, MinimizeVolatility, steady, Settings{PeriodsPerYear: 365})
	gradient := []float64{1, 1}
	if value := volatility.Gradient(gradient, []float64{0.5, 0.5}); value != 0 || gradient[0] != 0 {
		t.Errorf("volatility of a constant is %v with gradient %v, want 0", value, gradient)
	}
	ruin := newObjective(t, MinimizeDrawdown, column(0.1, -0.6, 0.1), Settings{PeriodsPerYear: 365})
	if value := ruin.Gradient(gradient[:1], []float64{2}); !math.IsInf(value, -1) || gradient[0] != 0 {
		t.Errorf("drawdown beyond ruin is %v with gradient %v, want -Inf and 0", value, gradient[0])
	}
	nothingLeft := newObjective(t, MinimizeDrawdown, column(0.1, -1, 0.1), Settings{PeriodsPerYear: 365})
	if value := nothingLeft.Gradient(gradient[:1], []float64{1}); value != -1 || gradient[0] != 0 {
		t.Errorf("loss of everything is %v with gradient %v, want -1 and 0", value, gradient[0])
	}
}

func TestObjectiveErrors(t *testing.T) {
	if _, err := NewObjective("alpha", market(1, 10, 2), Settings{PeriodsPerYear: 365}); err == nil {
		t.Error("an unknown objective is no error")
	}
	cov := mat.NewSymDense(2, []float64{1, 0, 0, 1})
	if _, err := NewMomentObjective(MinimizeCVaR, []float64{0, 0}, cov, Settings{PeriodsPerYear: 365}); err == nil {
		t.Error("a CVaR out of two moments is no error")
	}
	var assets *AssetsError
	if _, err := NewMomentObjective(MaximizeSharpe, []float64{0}, cov, Settings{PeriodsPerYear: 365}); !errors.As(err, &assets) {
		t.Errorf("one mean for two assets gives %v", err)
	}
	var settings *SettingsError
	if _, err := NewObjective(MaximizeSharpe, market(1, 10, 2), Settings{}); !errors.As(err, &settings) {
		t.Errorf("no periods per year give %v", err)
	}
	if _, err := NewObjective(MaximizeSharpe, column(0.1), Settings{PeriodsPerYear: 365}); !errors.Is(err, ErrTooShort) {
		t.Errorf("one return gives %v", err)
	}
}

// Clones work at the same time; the race detector watches.
func TestClones(t *testing.T) {
	returns, weights := market(6, 100, 5), simplexRows(6, 64, 5)
	for _, name := range Objectives() {
		o := newObjective(t, name, returns, Settings{PeriodsPerYear: 365})
		results := make([]float64, 64)
		done := make(chan struct{})
		for half := range 2 {
			go func() {
				c := o.Clone()
				for i := half * 32; i < half*32+32; i++ {
					results[i] = c.Value(weights.RawRowView(i))
				}
				done <- struct{}{}
			}()
		}
		<-done
		<-done
		for i, got := range results {
			if want := o.Value(weights.RawRowView(i)); got != want {
				t.Errorf("%s of portfolio %d is %v from a clone, %v from the original", name, i, got, want)
			}
		}
	}
}

func TestObjectivesDoNotAllocate(t *testing.T) {
	returns, w := market(7, 100, 5), simplexRows(7, 1, 5).RawRowView(0)
	for _, name := range Objectives() {
		o := newObjective(t, name, returns, Settings{PeriodsPerYear: 365})
		gradient := make([]float64, 5)
		if count := testing.AllocsPerRun(10, func() { o.Gradient(gradient, w); o.Value(w) }); count != 0 {
			t.Errorf("%s allocates %v times", name, count)
		}
	}
}

func TestRiskContributions(t *testing.T) {
	cov := mat.NewSymDense(2, []float64{0.04, 0.01, 0.01, 0.09})
	shares, err := RiskContributions([]float64{0.5, 0.5}, cov)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "first share", shares[0], 0.025/0.075, 1e-14)
	near(t, "sum of shares", shares[0]+shares[1], 1, 1e-15)
	var assets *AssetsError
	if _, err := RiskContributions([]float64{1}, cov); !errors.As(err, &assets) {
		t.Errorf("one weight for two assets gives %v", err)
	}
	for _, w := range [][]float64{{0, 0}, {math.NaN(), 1}} {
		if _, err := RiskContributions(w, cov); !errors.Is(err, ErrNoRisk) {
			t.Errorf("weights %v give %v", w, err)
		}
	}
	hedge := mat.NewSymDense(2, []float64{0.04, -0.04, -0.04, 0.04})
	if _, err := RiskContributions([]float64{0.3, 0.3}, hedge); !errors.Is(err, ErrNoRisk) {
		t.Errorf("a perfect hedge gives %v", err)
	}
}

func ExampleNewObjective() {
	returns := mat.NewDense(4, 2, []float64{
		0.02, 0.00,
		-0.04, 0.01,
		0.01, -0.01,
		0.03, 0.01,
	})
	o, err := NewObjective("cvar", returns, Settings{PeriodsPerYear: 365, Level: 0.5})
	if err != nil {
		fmt.Println(err)
		return
	}
	gradient := make([]float64, 2)
	value := o.Gradient(gradient, []float64{0.5, 0.5})
	fmt.Printf("%.4f %.4f\n", value, gradient)
	// Output: -0.0075 [-0.0150 0.0000]
}

func BenchmarkGradient365x40(b *testing.B) {
	returns, w := market(1, 365, 40), simplexRows(1, 1, 40).RawRowView(0)
	gradient := make([]float64, 40)
	for _, name := range Objectives() {
		o := newObjective(b, name, returns, Settings{PeriodsPerYear: 365})
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				o.Gradient(gradient, w)
			}
		})
	}
}
