package universe

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// noise is returns of n assets about one factor.
func noise(periods, n int, seed uint64) *mat.Dense {
	rng := stream.New(seed, "universe.test", 0)
	r := mat.NewDense(periods, n, nil)
	for t := range periods {
		common := rng.NormFloat64()
		for i := range n {
			r.Set(t, i, 0.01*float64(i+1)*(0.1+0.5*common+rng.NormFloat64()))
		}
	}
	return r
}

func newUniverse(t *testing.T, returns *mat.Dense, largest float64) *Universe {
	t.Helper()
	u, err := New(nil, returns, largest)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestTokens holds the features that have a formula of their own against it.
func TestTokens(t *testing.T) {
	returns := noise(60, 5, 1)
	u := newUniverse(t, returns, 0.5)
	tokens := u.Tokens()
	var basket [60]float64
	for k := range 60 {
		basket[k] = mat.Sum(returns.RowView(k)) / 5
	}
	variance := func(x []float64) float64 { return covariance(x, x) }
	for i := range 5 {
		x := mat.Col(nil, i, returns)
		sd := math.Sqrt(variance(x))
		tstat := mean(x) / sd * math.Sqrt(60)
		beta := covariance(x, basket[:]) / variance(basket[:])
		rest := make([]float64, 60)
		for k := range rest {
			rest[k] = x[k] - beta*basket[k]
		}
		alpha := mean(rest) / math.Sqrt(variance(rest)) * math.Sqrt(60)
		for feature, want := range map[int]float64{
			featureMean: 4 * math.Tanh(tstat/4), featureBeta: 3 * math.Tanh((beta-1)/3), featureAlpha: 4 * math.Tanh(alpha/4),
		} {
			if got := tokens.At(i, feature); math.Abs(got-want) > 1e-9 {
				t.Errorf("asset %d, feature %d: %v, want %v", i, feature, got, want)
			}
		}
	}
	if s := mat.Sum(tokens.ColView(featureVolatility)); math.Abs(s) > 1e-12 {
		t.Errorf("relative volatilities sum to %v", s)
	}
	var trace float64 // of the correlation matrix, which the loadings' squares add up to where all factors are there
	small := newUniverse(t, noise(60, 4, 2), 0.5).Tokens()
	for i := range 4 {
		for k := range factors {
			trace += small.At(i, featureLoading+k) * small.At(i, featureLoading+k)
		}
	}
	if math.Abs(trace-4) > 1e-9 {
		t.Errorf("squares of the loadings of 4 assets sum to %v, want 4", trace)
	}
}

func mean(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

func covariance(x, y []float64) float64 {
	mx, my, sum := mean(x), mean(y), 0.0
	for i := range x {
		sum += (x[i] - mx) * (y[i] - my)
	}
	return sum / float64(len(x)-1)
}

// TestTokensHaveNoScaleAndNoOrder multiplies returns, and permutes assets.
func TestTokensHaveNoScaleAndNoOrder(t *testing.T) {
	returns := noise(80, 7, 3)
	tokens := newUniverse(t, returns, 0.3).Tokens()
	var larger mat.Dense
	larger.Scale(25, returns)
	if got := newUniverse(t, &larger, 0.3).Tokens(); !mat.EqualApprox(got, tokens, 1e-9) {
		t.Error("returns 25 times as large have other features")
	}
	order := []int{3, 0, 6, 2, 5, 1, 4}
	turned, want := mat.NewDense(80, 7, nil), mat.NewDense(7, Features, nil)
	for to, from := range order {
		turned.SetCol(to, mat.Col(nil, from, returns))
		want.SetRow(to, tokens.RawRowView(from))
	}
	if got := newUniverse(t, turned, 0.3).Tokens(); !mat.EqualApprox(got, want, 1e-9) {
		t.Error("permuted assets have other features")
	}
}

// TestTokensAreFinite looks at universes with fewer periods than assets, of two
// assets, and of assets that are all alike.
func TestTokensAreFinite(t *testing.T) {
	alike := mat.NewDense(30, 6, nil)
	for k := range 30 {
		for i := range 6 {
			alike.Set(k, i, math.Sin(float64(k)))
		}
	}
	for _, returns := range []*mat.Dense{noise(10, 40, 1), noise(30, 2, 2), alike} {
		u := newUniverse(t, returns, 0.9)
		for _, v := range u.Tokens().RawMatrix().Data {
			if math.IsNaN(v) || math.Abs(v) > 10 {
				t.Fatalf("%d assets: a feature is %v", u.Assets(), v)
			}
		}
	}
}

func TestCheck(t *testing.T) {
	for name, change := range map[string]func(u *Universe){
		"largest weight": func(u *Universe) { u.Cap = 1.0 / 5 },
		"periods":        func(u *Universe) { u.Periods = 1 },
		"does not move":  func(u *Universe) { u.Cov.SetSym(2, 2, 0) },
		"finite":         func(u *Universe) { u.Mean[1] = math.NaN() },
		"symbols":        func(u *Universe) { u.Symbols = []string{"A"} },
		"covariance":     func(u *Universe) { u.Cov = nil },
		"assets":         func(u *Universe) { u.Mean = u.Mean[:1] },
	} {
		u := newUniverse(t, noise(40, 5, 4), 0.5)
		change(u)
		if err := u.Check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func collect(t *testing.T, build func(use func(*Example) error) error) (all []*Example) {
	t.Helper()
	if err := build(func(e *Example) error {
		all = append(all, e)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestSimulate(t *testing.T) {
	s := Settings{Universes: 70, Portfolios: 4, LeastAssets: 3, MostAssets: 9, LeastPeriods: 30, MostPeriods: 60, HeldOut: 0.2}
	all := collect(t, func(use func(*Example) error) error { return Simulate(t.Context(), s, use, nil) })
	if len(all) != 70 {
		t.Fatalf("%d universes, want 70", len(all))
	}
	sizes := map[int]bool{}
	for i, e := range all {
		sizes[e.Assets()] = true
		if e.HeldOut != (i >= 56) {
			t.Errorf("universe %d: held out is %v", i, e.HeldOut)
		}
		set := simplex.Set{N: e.Assets(), Upper: slices.Repeat([]float64{e.Cap}, e.Assets())}
		for k := range 4 {
			if v := set.Violation(e.Weights.RawRowView(k)); v > simplex.Tolerance {
				t.Errorf("%s: portfolio %d violates its constraints by %v", e.ID, k, v)
			}
		}
	}
	if len(sizes) != 7 {
		t.Errorf("sizes drawn are %v, want 3 to 9", sizes)
	}
	s.Universes = 3 // the first ones depend on nothing else
	for i, e := range collect(t, func(use func(*Example) error) error { return Simulate(t.Context(), s, use, nil) })[:2] {
		if !mat.Equal(e.Weights, all[i].Weights) || !slices.Equal(e.Mean, all[i].Mean) {
			t.Errorf("universe %d of fewer is another", i)
		}
	}
}

// TestSample looks that universes held out share neither symbols nor time with the
// others, and that a symbol without a price in a window is in no universe of it.
func TestSample(t *testing.T) {
	const periods, n = 400, 20
	rng := stream.New(1, "prices", 0)
	panel := &market.Panel{Close: mat.NewDense(periods, n, nil)}
	for i := range n {
		panel.Symbols = append(panel.Symbols, string(rune('A'+i)))
		price := 100.0
		for k := range periods {
			price *= 1 + 0.02*rng.NormFloat64()
			panel.Close.Set(k, i, price)
			if i == 0 && k < 150 {
				panel.Close.Set(k, i, math.NaN())
			}
		}
	}
	for k := range periods {
		panel.Times = append(panel.Times, time.Unix(int64(k)*86400, 0))
	}
	s := Settings{Universes: 60, Portfolios: 2, LeastAssets: 3, MostAssets: 6, LeastPeriods: 20, MostPeriods: 60, HeldOut: 0.3}
	all := collect(t, func(use func(*Example) error) error { return Sample(t.Context(), panel, s, use, nil) })
	learned := map[string]bool{}
	for _, e := range all {
		for _, symbol := range e.Symbols {
			if !e.HeldOut {
				learned[symbol] = true
			} else if learned[symbol] {
				t.Errorf("%s is learned from and held out", symbol)
			}
		}
	}
	s.HeldOut, s.LeastAssets, s.MostAssets = 1, len(panel.Symbols), len(panel.Symbols)
	for _, e := range collect(t, func(use func(*Example) error) error { return Sample(t.Context(), panel, s, use, nil) }) {
		if !e.HeldOut || e.Assets() != len(panel.Symbols) {
			t.Errorf("with all held out, %s is one of %d assets to learn from", e.ID, e.Assets())
		}
	}
	s.HeldOut, s.LeastAssets, s.MostAssets = 0.3, 15, 18
	err := Sample(t.Context(), panel, s, func(*Example) error { return nil }, nil)
	if err == nil || !strings.Contains(err.Error(), "symbols") {
		t.Errorf("more assets than there are: got %v", err)
	}
}

func TestReadWhatIsWritten(t *testing.T) {
	s := Settings{Universes: 4, Portfolios: 3, LeastAssets: 3, MostAssets: 5, LeastPeriods: 30, MostPeriods: 60}
	all := collect(t, func(use func(*Example) error) error { return Simulate(t.Context(), s, use, nil) })
	all[0].Symbols = []string{"A", "B", "C", "D", "E"}[:all[0].Assets()]
	var file bytes.Buffer
	for _, e := range all {
		if err := e.Write(&file); err != nil {
			t.Fatal(err)
		}
	}
	text := file.String()
	again := collect(t, func(use func(*Example) error) error { return Read(&file, use) })
	for i, e := range again {
		if w := all[i]; e.ID != w.ID || e.HeldOut != w.HeldOut || !slices.Equal(e.Symbols, w.Symbols) ||
			!slices.Equal(e.Mean, w.Mean) || !mat.Equal(e.Cov, w.Cov) || !mat.Equal(e.Weights, w.Weights) {
			t.Errorf("universe %d came back changed", i)
		}
	}
	lines := strings.SplitAfter(text, "\n")
	for name, damaged := range map[string]string{
		"line 1: no universe":   "{\n",
		"line 2: no universe":   lines[0] + lines[1][:len(lines[1])/2] + "\n",
		"line 1: 0 means":       "{}\n",
		"line 1: a universe ov": strings.Replace(lines[0], `"periods":`, `"periods":-`, 1),
	} {
		if err := Read(strings.NewReader(damaged), func(*Example) error { return nil }); err == nil ||
			!strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"id":"u1","periods":30,"cap":1,"mean":[0,0],"covariance":[[1],[0,1]],"weights":[[0.5,0.5]]}`))
	f.Add([]byte(`{"id":"u1","periods":30,"cap":1,"mean":[0,0],"covariance":[[1],[0,1]],"weights":[[0.5,0.5],[1,0]],"truth":{"mean":[1,0],"covariance":[[1],[0,1]]}}`))
	f.Add([]byte(`{"mean":[1e308,1],"covariance":[[1e308],[1e308,1]],"weights":[[1,0]],"cap":0.6,"periods":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = Read(bytes.NewReader(data), func(e *Example) error {
			if err := e.Check(); err != nil {
				t.Errorf("an example that is none was read: %v", err)
			}
			e.Tokens()
			return nil
		})
	})
}
