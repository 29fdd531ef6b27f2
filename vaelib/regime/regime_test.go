package regime

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"vaefolio/vaelib/stream"
)

// two is a model of two states in one dimension, to be worked by hand.
func two() *HMM {
	return newHMM(1, []float64{0.5, 0.5}, [][]float64{{0.9, 0.1}, {0.2, 0.8}}, [][]float64{{0}, {0}}, [][]float64{{1}, {2}})
}

// simulate draws rows from a model, and the states behind them.
func simulate(m *HMM, rows int, seed uint64) (*mat.Dense, []int) {
	rng := stream.New(seed, "regime.test", 0)
	pick := func(p []float64) int {
		u := rng.Float64()
		for k, v := range p {
			if u -= v; u < 0 {
				return k
			}
		}
		return len(p) - 1
	}
	x, states := mat.NewDense(rows, m.d, nil), make([]int, rows)
	noise := make([]float64, m.d)
	for t := range rows {
		if t == 0 {
			states[t] = pick(m.initial)
		} else {
			states[t] = pick(m.transition[states[t-1]])
		}
		for j := range noise {
			noise[j] = rng.NormFloat64()
		}
		k := states[t]
		for a := range m.d {
			v := m.means[k][a]
			for b := range a + 1 {
				v += m.factors[k][a*m.d+b] * noise[b]
			}
			x.Set(t, a, v)
		}
	}
	return x, states
}

// Row 0: densities phi(0) and phi(0)/2, so 2/3 and 1/3. Row 1 is predicted at
// 0.9*2/3 + 0.2/3 = 2/3, and its densities are phi(2) and phi(1)/2.
func TestFilterByHand(t *testing.T) {
	phi := func(x float64) float64 { return math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) }
	probs, logLikelihood, err := two().Filter(mat.NewDense(2, 1, []float64{0, 2}))
	if err != nil {
		t.Fatal(err)
	}
	a, b := 2./3*phi(2), 1./3*phi(1)/2
	for i, want := range []float64{2. / 3, 1. / 3, a / (a + b), b / (a + b)} {
		if got := probs.At(i/2, i%2); math.Abs(got-want) > 1e-15 {
			t.Errorf("probability of state %d at row %d is %v, not %v", i%2, i/2, got, want)
		}
	}
	if want := math.Log(0.75*phi(0)) + math.Log(a+b); math.Abs(logLikelihood-want) > 1e-14 {
		t.Errorf("log-likelihood %v, not %v", logLikelihood, want)
	}
}

// Against all K^T paths: likelihood, filtered and smoothed probabilities.
func TestAgainstAllPaths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const k, rows = 3, 5
		unit := func(name string) float64 { return rapid.Float64Range(0.2, 1).Draw(t, name) }
		distribution := func() []float64 {
			p := []float64{unit("p"), unit("p"), unit("p")}
			sum := p[0] + p[1] + p[2]
			for i := range p {
				p[i] /= sum
			}
			return p
		}
		var transition, means, factors [][]float64
		for range k {
			transition = append(transition, distribution())
			means = append(means, []float64{unit("mean"), -unit("mean")})
			factors = append(factors, []float64{unit("f"), 0, unit("f") - 0.6, unit("f")})
		}
		m := newHMM(2, distribution(), transition, means, factors)
		x := mat.NewDense(rows, 2, rapid.SliceOfN(rapid.Float64Range(-1, 1), 2*rows, 2*rows).Draw(t, "x"))
		logs, work := make([]float64, k), make([]float64, 2)
		// mass[n][t][s]: of all paths through s at t, given the first n rows.
		mass := func(n int) (total float64, at [rows][k]float64) {
			paths := 1
			for range n {
				paths *= k
			}
			for code := range paths {
				p, rest := 1.0, code
				var states [rows]int
				for i := range n {
					states[i], rest = rest%k, rest/k
					if i == 0 {
						p = m.initial[states[0]]
					} else {
						p *= m.transition[states[i-1]][states[i]]
					}
					m.density(x.RawRowView(i), logs, work)
					p *= math.Exp(logs[states[i]])
				}
				total += p
				for i := range n {
					at[i][states[i]] += p
				}
			}
			return total, at
		}
		filtered, logLikelihood, err := m.Filter(x)
		if err != nil {
			t.Fatal(err)
		}
		smoothed, err := m.Smooth(x)
		if err != nil {
			t.Fatal(err)
		}
		total, all := mass(rows)
		if math.Abs(logLikelihood-math.Log(total)) > 1e-9*math.Max(1, math.Abs(logLikelihood)) {
			t.Fatalf("log-likelihood %v, over all paths %v", logLikelihood, math.Log(total))
		}
		for i := range rows {
			soFar, sofar := mass(i + 1)
			for s := range k {
				if want := sofar[i][s] / soFar; math.Abs(filtered.At(i, s)-want) > 1e-9 {
					t.Fatalf("filtered probability of %d at %d is %v, over all paths %v", s, i, filtered.At(i, s), want)
				}
				if want := all[i][s] / total; math.Abs(smoothed.At(i, s)-want) > 1e-9 {
					t.Fatalf("smoothed probability of %d at %d is %v, over all paths %v", s, i, smoothed.At(i, s), want)
				}
			}
		}
	})
}

// Rows after a row change nothing about it, and following them one by one is
// the same as filtering all.
func TestFilterLooksBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := two()
		x := mat.NewDense(20, 1, rapid.SliceOfN(rapid.Float64Range(-50, 50), 20, 20).Draw(t, "x"))
		before, _, err := m.Filter(x)
		if err != nil {
			t.Fatal(err)
		}
		now := rapid.IntRange(0, 18).Draw(t, "now")
		for i := now + 1; i < 20; i++ {
			x.Set(i, 0, rapid.Float64Range(-1e9, 1e9).Draw(t, "later"))
		}
		after, _, err := m.Filter(x)
		if err != nil {
			t.Fatal(err)
		}
		f, probs := m.Follow(), make([]float64, 2)
		for i := range 20 {
			if i <= now && !slices.Equal(before.RawRowView(i), after.RawRowView(i)) {
				t.Fatalf("row %d changed with the rows after %d", i, now)
			}
			f.Step(probs, x.RawRowView(i))
			if !slices.Equal(probs, after.RawRowView(i)) {
				t.Fatalf("row %d followed is %v, filtered %v", i, probs, after.RawRowView(i))
			}
			if sum := probs[0] + probs[1]; !(math.Abs(sum-1) < 1e-12) {
				t.Fatalf("probabilities at row %d sum to %v", i, sum)
			}
		}
	})
}

// A row a million deviations out, with a state that cannot be reached.
func TestFarOut(t *testing.T) {
	m := newHMM(1, []float64{1, 0}, [][]float64{{1, 0}, {0.5, 0.5}}, [][]float64{{0}, {1e6}}, [][]float64{{1}, {1}})
	x := mat.NewDense(4, 1, []float64{0, 1e6, -1e12, 0})
	probs, logLikelihood, err := m.Filter(x)
	if err != nil {
		t.Fatal(err)
	}
	smooth, err := m.Smooth(x)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		if probs.At(i, 0) != 1 || smooth.At(i, 0) != 1 {
			t.Errorf("row %d: filtered %v, smoothed %v", i, probs.RawRowView(i), smooth.RawRowView(i))
		}
	}
	if math.IsNaN(logLikelihood) || math.IsInf(logLikelihood, 0) {
		t.Errorf("log-likelihood %v", logLikelihood)
	}
}

// What was simulated is found again: means, deviations, transitions, order.
func TestFitFindsTheModel(t *testing.T) {
	truth := newHMM(2, []float64{0.5, 0.3, 0.2},
		[][]float64{{0.97, 0.02, 0.01}, {0.03, 0.95, 0.02}, {0.02, 0.06, 0.92}},
		[][]float64{{0.001, 0.001}, {-0.001, -0.002}, {0, 0.001}},
		[][]float64{{0.01, 0, 0.005, 0.01}, {0.03, 0, 0.02, 0.02}, {0.08, 0, 0.07, 0.03}})
	x, states := simulate(truth, 6000, 1)
	m, fit, err := Fit(t.Context(), x, Settings{Seed: 3, Starts: 4})
	if err != nil {
		t.Fatal(err)
	}
	if !fit.Converged || len(fit.Starts) != 4 || fit.LogLikelihood != slices.Max(fit.Starts) {
		t.Errorf("fit %+v", fit)
	}
	_, own, err := truth.Filter(x)
	if err != nil {
		t.Fatal(err)
	}
	if fit.LogLikelihood < own {
		t.Errorf("log-likelihood %v is below the truth's own %v", fit.LogLikelihood, own)
	}
	if _, again, _ := m.Filter(x); math.Abs(again-fit.LogLikelihood) > 1e-6*math.Abs(again) {
		t.Errorf("the fit says log-likelihood %v, its filter %v", fit.LogLikelihood, again)
	}
	for k := range 3 {
		for j := range 3 {
			if math.Abs(m.Transition(k, j)-truth.Transition(k, j)) > 0.02 {
				t.Errorf("transition %d to %d is %v, not %v", k, j, m.Transition(k, j), truth.Transition(k, j))
			}
		}
		for j := range 2 {
			got, want := math.Sqrt(m.Cov(k).At(j, j)), math.Sqrt(truth.Cov(k).At(j, j))
			if math.Abs(got/want-1) > 0.08 {
				t.Errorf("deviation %d of state %d is %v, not %v", j, k, got, want)
			}
		}
	}
	probs, _, err := m.Filter(x)
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for i, s := range MostLikely(probs) {
		if s == states[i] {
			right++
		}
	}
	if right < 5300 {
		t.Errorf("%d of 6000 states told", right)
	}
}

// The result does not depend on the units of a column, nor on the cores.
func TestFitUnits(t *testing.T) {
	x, _ := simulate(two(), 400, 2)
	one, _, err := Fit(t.Context(), x, Settings{States: 2, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.GOMAXPROCS(1)
	same, _, err := Fit(t.Context(), x, Settings{States: 2, Seed: 1})
	runtime.GOMAXPROCS(before)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(one)
	b, _ := json.Marshal(same)
	if string(a) != string(b) {
		t.Error("one core gives another model")
	}
	var small mat.Dense
	small.Scale(1e-6, x)
	scaled, _, err := Fit(t.Context(), &small, Settings{States: 2, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for k := range 2 {
		if got, want := scaled.Cov(k).At(0, 0), 1e-12*one.Cov(k).At(0, 0); math.Abs(got/want-1) > 1e-6 {
			t.Errorf("variance of state %d in millionths is %v, not %v", k, got, want)
		}
	}
}

// Rows of few values, of ties, of one wild value: a model or an error, with no
// NaN either way.
func TestFitHostile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, d := rapid.IntRange(1, 60).Draw(t, "rows"), rapid.IntRange(1, 3).Draw(t, "d")
		x := mat.NewDense(rows, d, rapid.SliceOfN(rapid.SampledFrom([]float64{0, 0, 0, 1, 1, -1, 0.5, 1e-12, 1e40, math.Pi}), rows*d, rows*d).Draw(t, "x"))
		m, fit, err := Fit(context.Background(), x, Settings{States: rapid.IntRange(2, 4).Draw(t, "states"), Starts: 2, Iterations: 30})
		if err != nil {
			return
		}
		if math.IsNaN(fit.LogLikelihood) || math.IsNaN(fit.BIC) {
			t.Fatalf("fit %+v", fit)
		}
		probs, _, err := m.Filter(x)
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			var sum float64
			for _, p := range probs.RawRowView(i) {
				sum += p
			}
			if !(math.Abs(sum-1) < 1e-9) {
				t.Fatalf("probabilities %v", probs.RawRowView(i))
			}
		}
	})
}

func TestFitErrors(t *testing.T) {
	x, _ := simulate(two(), 100, 2)
	with := func(v float64) *mat.Dense {
		y := mat.DenseCopyOf(x)
		y.Set(7, 0, v)
		return y
	}
	for _, test := range []struct {
		x    *mat.Dense
		s    Settings
		want string
	}{
		{x, Settings{States: 1}, "no regimes"},
		{x, Settings{Starts: -1}, "above 0"},
		{x, Settings{States: 40}, "too few for 40 states"},
		{with(math.NaN()), Settings{}, "row 7 of the regime's data has NaN in column 0"},
		{with(math.Inf(1)), Settings{}, "row 7"},
		{mat.NewDense(100, 1, nil), Settings{}, "column 0 of the regime's data does not vary"},
	} {
		if _, _, err := Fit(t.Context(), test.x, test.s); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v lacks %q", err, test.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Fit(ctx, x, Settings{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, _, err := two().Filter(mat.NewDense(1, 2, nil)); err == nil {
		t.Error("rows of another length were filtered")
	}
}

func TestJSON(t *testing.T) {
	text, err := json.Marshal(two())
	if err != nil {
		t.Fatal(err)
	}
	var m HMM
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	x, _ := simulate(two(), 50, 3)
	_, a, _ := two().Filter(x)
	_, b, _ := m.Filter(x)
	if a != b {
		t.Errorf("log-likelihood %v before and %v after", a, b)
	}
	good := string(text)
	for _, bad := range []string{
		`{}`, `[]`,
		strings.Replace(good, `[0.5,0.5]`, `[0.5,0.6]`, 1), strings.Replace(good, `[0.9,0.1]`, `[0.9,-0.1]`, 1),
		strings.Replace(good, `[[1],[2]]`, `[[1],[0]]`, 1), strings.Replace(good, `[[0],[0]]`, `[[0],[]]`, 1),
	} {
		if err := json.Unmarshal([]byte(bad), &m); err == nil {
			t.Errorf("read %s", bad)
		}
	}
}

func TestGrid(t *testing.T) {
	g, err := FitGrid([]float64{9, 1, 2, 3, 4, 5, 6, 7, 8})
	if err != nil {
		t.Fatal(err)
	}
	if g.Low != 4 || g.High != 7 {
		t.Errorf("thresholds %v and %v, not 4 and 7", g.Low, g.High)
	}
	for _, test := range []struct {
		volatility, trend float64
		want              string
	}{
		{3.9, -0.1, "falling at low volatility"}, {3.9, 0, "rising at low volatility"}, {4, -0.1, "falling at middle volatility"},
		{6.9, 1, "rising at middle volatility"}, {7, -1, "falling at high volatility"}, {99, 1, "rising at high volatility"},
	} {
		if got := GridName(g.State(test.volatility, test.trend)); got != test.want {
			t.Errorf("volatility %v and trend %v: %s, not %s", test.volatility, test.trend, got, test.want)
		}
	}
	for _, bad := range [][]float64{{1, 2}, {1, 2, math.NaN()}, {1, 1, 1, 1}} {
		if _, err := FitGrid(bad); err == nil {
			t.Errorf("terciles of %v", bad)
		}
	}
}

func TestStepAllocates(t *testing.T) {
	f, probs, row := two().Follow(), make([]float64, 2), []float64{0.3}
	if n := testing.AllocsPerRun(100, func() { f.Step(probs, row) }); n != 0 {
		t.Errorf("a step allocates %v times", n)
	}
}

func BenchmarkFit(b *testing.B) {
	x, _ := simulate(two(), 30_000, 1)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Fit(b.Context(), x, Settings{States: 2, Starts: 2}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStep(b *testing.B) {
	f, probs, row := two().Follow(), make([]float64, 2), []float64{0.3}
	b.ReportAllocs()
	for b.Loop() {
		f.Step(probs, row)
	}
}
