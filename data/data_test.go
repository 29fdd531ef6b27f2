package data_test

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/data"
	"vaefolio/vaelib/market"
)

func Example() {
	panel, _, err := market.LoadFS(data.FS, data.Close, market.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	window, _, err := panel.Window()
	if err != nil {
		fmt.Println(err)
		return
	}
	truth, err := data.ReadTruth()
	if err != nil {
		fmt.Println(err)
		return
	}
	days := 0
	for _, regime := range truth.Path {
		if truth.Regimes[regime].Name == "bear" {
			days++
		}
	}
	fmt.Println(len(window.Symbols), "assets,", len(window.Times), "returns,", days, "of them in a bear market")
	// Output: 12 assets, 1500 returns, 505 of them in a bear market
}

func TestBytes(t *testing.T) {
	sample, err := data.Generate(data.Seed, data.Days)
	if err != nil {
		t.Fatal(err)
	}
	files, err := sample.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{data.Close, data.Sectors, data.Truths} {
		bundled, err := data.FS.ReadFile(name)
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(bundled, files[name]) {
			t.Errorf("%s is not what its generator makes: go run ./scripts/sample", name)
		}
	}
	truth, err := data.ReadTruth()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample.Truth, truth, cmpopts.EquateApprox(1e-8, 0)); diff != "" {
		t.Errorf("truth drawn (-) and bundled (+):\n%s", diff)
	}
	if _, err := data.Generate(1, 0); err == nil {
		t.Error("a sample of 0 days was drawn")
	}
}

// window is the bundled sample's.
func window(t *testing.T) *market.Window {
	t.Helper()
	panel, cleaning, err := market.LoadFS(data.FS, data.Close, market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if cleaning.Duplicates+cleaning.Sorted+cleaning.Unfinished+len(cleaning.Gaps)+len(cleaning.Oddities) > 0 {
		t.Errorf("the sample is not clean: %v", cleaning)
	}
	w, dropped, err := panel.Window()
	if err != nil {
		t.Fatal(err)
	}
	if dropped.Before+dropped.After+dropped.Inside+dropped.Long > 0 {
		t.Errorf("the sample is not dense: %v", dropped)
	}
	return w
}

func TestSectors(t *testing.T) {
	sectors, err := market.ReadSectorsFS(data.FS, data.Sectors)
	if err != nil {
		t.Fatal(err)
	}
	truth, err := data.ReadTruth()
	if err != nil {
		t.Fatal(err)
	}
	symbols := window(t).Symbols
	if !slices.Equal(symbols, truth.Symbols) {
		t.Errorf("prices of %v, truth of %v", symbols, truth.Symbols)
	}
	for i, s := range symbols {
		if sectors.Share(s, truth.Sectors[i]) != 1 {
			t.Errorf("%s is not in %s", s, truth.Sectors[i])
		}
	}
	if len(sectors.Names) != 4 {
		t.Errorf("sectors %v", sectors.Names)
	}
}

// character are the figures by which a sample resembles the real market.
type character struct{ lowestVolatility, highestVolatility, meanCorrelation, firstComponent float64 }

func characterOf(cov *mat.SymDense) character {
	n := cov.SymmetricDim()
	c := character{lowestVolatility: math.Inf(1)}
	correlation := mat.NewSymDense(n, nil)
	for i := range n {
		volatility := math.Sqrt(365 * cov.At(i, i))
		c.lowestVolatility = min(c.lowestVolatility, volatility)
		c.highestVolatility = max(c.highestVolatility, volatility)
		correlation.SetSym(i, i, 1)
		for j := range i {
			r := cov.At(i, j) / math.Sqrt(cov.At(i, i)*cov.At(j, j))
			correlation.SetSym(i, j, r)
			c.meanCorrelation += r / float64(n*(n-1)/2)
		}
	}
	var eigen mat.EigenSym
	eigen.Factorize(correlation, false)
	c.firstComponent = slices.Max(eigen.Values(nil)) / float64(n)
	return c
}

// The ranges are those of daily returns of large coins: Bybit's perpetuals,
// 2021 to 2025.
func TestCharacter(t *testing.T) {
	truth, err := data.ReadTruth()
	if err != nil {
		t.Fatal(err)
	}
	w := window(t)
	var sample mat.SymDense
	stat.CovarianceMatrix(&sample, w.Returns, nil)
	for name, cov := range map[string]*mat.SymDense{"truth": truth.Stationary.Sym(), "sample": &sample} {
		c := characterOf(cov)
		if c.lowestVolatility < 0.5 || c.highestVolatility > 1.1 {
			t.Errorf("%s: annual volatilities from %.3f to %.3f, not within 0.5 to 1.1", name, c.lowestVolatility, c.highestVolatility)
		}
		if c.meanCorrelation < 0.6 || c.meanCorrelation > 0.7 {
			t.Errorf("%s: mean correlation %.3f, not within 0.6 to 0.7", name, c.meanCorrelation)
		}
		if c.firstComponent < 0.64 || c.firstComponent > 0.69 {
			t.Errorf("%s: first principal component %.3f, not about 0.66", name, c.firstComponent)
		}
	}

	days, n := w.Returns.Dims()
	equal, size := make([]float64, days), make([]float64, days)
	for i := range days {
		for _, r := range w.Returns.RawRowView(i) {
			equal[i] += r / float64(n)
		}
		size[i] = math.Abs(equal[i])
	}
	if r := stat.Correlation(equal[1:], equal[:days-1], nil); math.Abs(r) > 0.05 {
		t.Errorf("returns have an autocorrelation of %.3f, not of about 0", r)
	}
	if r := stat.Correlation(size[1:], size[:days-1], nil); r < 0.1 || r > 0.3 {
		t.Errorf("sizes of returns have an autocorrelation of %.3f, not within 0.1 to 0.3", r)
	}
	if k := stat.ExKurtosis(equal, nil); k < 2 {
		t.Errorf("excess kurtosis %.2f: the tails are thin", k)
	}

	// Three quarters of the sample are there to learn from: with gains to be
	// found, and a bear market to survive.
	train, _, err := w.Split(0.75, 0)
	if err != nil {
		t.Fatal(err)
	}
	gains := 0
	for j := range n {
		if stat.Mean(mat.Col(nil, j, train.Returns), nil) > 0 {
			gains++
		}
	}
	if gains < 8 {
		t.Errorf("only %d of %d assets gain in the first three quarters", gains, n)
	}
	seen := map[string]int{}
	for _, regime := range truth.Path[:len(train.Times)] {
		seen[truth.Regimes[regime].Name]++
	}
	if seen["bear"] < 100 || seen["turbulent"] < 30 || seen["calm"] < 100 {
		t.Errorf("days of each regime in the first three quarters: %v", seen)
	}
}

// The stationary moments follow from the regimes' and their shares.
func TestTruthAgrees(t *testing.T) {
	truth, err := data.ReadTruth()
	if err != nil {
		t.Fatal(err)
	}
	for j, share := range truth.Shares {
		var next float64
		for i, row := range truth.Transition {
			next += truth.Shares[i] * row[j]
		}
		if math.Abs(next-share) > 1e-11 {
			t.Errorf("share of %s moves from %v to %v in a step", truth.Regimes[j].Name, share, next)
		}
	}
	n := len(truth.Symbols)
	for i := range n {
		var mean float64
		for s, r := range truth.Regimes {
			mean += truth.Shares[s] * r.Mean[i]
		}
		if math.Abs(mean-truth.Stationary.Mean[i]) > 1e-13 {
			t.Errorf("stationary mean of %s is %v, not %v", truth.Symbols[i], truth.Stationary.Mean[i], mean)
		}
		for j := range n {
			var cov float64
			for s, r := range truth.Regimes {
				cov += truth.Shares[s] * (r.Covariance[i][j] + (r.Mean[i]-truth.Stationary.Mean[i])*(r.Mean[j]-truth.Stationary.Mean[j]))
			}
			if math.Abs(cov-truth.Stationary.Covariance[i][j]) > 1e-13 {
				t.Errorf("stationary covariance of %s and %s is %v, not %v", truth.Symbols[i], truth.Symbols[j], truth.Stationary.Covariance[i][j], cov)
			}
		}
	}
	for _, r := range append(truth.Regimes, data.Regime{Name: "stationary", Moments: truth.Stationary}) {
		var cholesky mat.Cholesky
		if !cholesky.Factorize(r.Sym()) {
			t.Errorf("covariance of %s is not positive definite", r.Name)
		}
	}
	if len(truth.Path) != data.Days || len(truth.Variance) != data.Days {
		t.Errorf("%d regimes and %d variances for %d days", len(truth.Path), len(truth.Variance), data.Days)
	}
}

// A long draw has the moments that the truth claims.
func TestLongDraw(t *testing.T) {
	const days = 150_000
	returns, truth := data.Returns(3, days)
	rows, n := returns.Dims()
	if rows != days || n != len(truth.Symbols) {
		t.Fatalf("%d x %d returns", rows, n)
	}
	regimes := append(slices.Clone(truth.Regimes), data.Regime{Name: "stationary", Moments: truth.Stationary})
	for s, regime := range regimes {
		var rows []float64
		count := 0
		for i := range days {
			if truth.Path[i] == s || regime.Name == "stationary" {
				rows = append(rows, returns.RawRowView(i)...)
				count++
			}
		}
		if share := float64(count) / days; s < len(truth.Shares) && math.Abs(share/truth.Shares[s]-1) > 0.1 {
			t.Errorf("%s holds for %.3f of the days, not for %.3f", regime.Name, share, truth.Shares[s])
		}
		x := mat.NewDense(count, n, rows)
		var cov mat.SymDense
		stat.CovarianceMatrix(&cov, x, nil)
		for i := range n {
			// Five standard errors; regimes that last widen those of the mixture.
			width := 5 * math.Sqrt(regime.Covariance[i][i]/float64(count))
			if regime.Name == "stationary" {
				width *= 2
			}
			if mean := stat.Mean(mat.Col(nil, i, x), nil); math.Abs(mean-regime.Mean[i]) > width {
				t.Errorf("%s: mean of %s is %.6f, not %.6f", regime.Name, truth.Symbols[i], mean, regime.Mean[i])
			}
			for j := range i + 1 {
				if got, want := cov.At(i, j), regime.Covariance[i][j]; math.Abs(got/want-1) > 0.08 {
					t.Errorf("%s: covariance of %s and %s is %.6g, not %.6g", regime.Name, truth.Symbols[i], truth.Symbols[j], got, want)
				}
			}
		}
	}
	if mean := stat.Mean(truth.Variance, nil); math.Abs(mean-1) > 0.05 {
		t.Errorf("the variance's mean is %.3f, not 1", mean)
	}
}

func BenchmarkGenerate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := data.Generate(data.Seed, data.Days); err != nil {
			b.Fatal(err)
		}
	}
}
