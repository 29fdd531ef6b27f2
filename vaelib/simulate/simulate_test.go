package simulate

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/stream"
)

// Every world is what it says that it was drawn as, within its ranges.
func TestRanges(t *testing.T) {
	r := DefaultRanges()
	worlds, narrow := 0, 0
	for index := range uint64(60) {
		w, err := New(3, index, r)
		if err != nil {
			t.Fatal(err)
		}
		n := len(w.Mean)
		if n < 8 || n > 40 || w.Factors < 1 || w.Factors > 6 || w.Regimes < 1 || w.Regimes > 3 {
			t.Errorf("world %d has %d assets, %d factors and %d regimes", index, n, w.Factors, w.Regimes)
		}
		if math.Abs(w.Correlation-meanCorrelation(w.Cov)) > 1e-12 || w.Correlation < 0.05-1e-3 || w.Correlation > 0.7+1e-3 {
			t.Errorf("world %d has a mean correlation of %v, said to be %v", index, meanCorrelation(w.Cov), w.Correlation)
		}
		var sharpes, volatilities []float64
		for i, m := range w.Mean {
			deviation := math.Sqrt(w.Cov.At(i, i))
			sharpes = append(sharpes, m/deviation*math.Sqrt(365))
			volatilities = append(volatilities, deviation*math.Sqrt(365))
		}
		low, high := math.Inf(1), 0.0
		for _, v := range volatilities {
			low, high = min(low, v), max(high, v)
		}
		if low < 0.05*(1-1e-9) || high > 1.2*(1+1e-9) {
			t.Errorf("world %d has volatilities from %v to %v", index, low, high)
		}
		if high < 2*low {
			narrow++
		}
		mean, deviation := stat.MeanStdDev(sharpes, nil)
		width := 5 * w.Dispersion / math.Sqrt(float64(n))
		if math.Abs(mean-w.Level) > width || math.Abs(deviation-w.Dispersion) > width {
			t.Errorf("world %d has Sharpe ratios of %v +- %v, said to be %v +- %v", index, mean, deviation, w.Level, w.Dispersion)
		}
		var c mat.Cholesky
		if !c.Factorize(w.Cov) {
			t.Errorf("world %d has a covariance that is not positive definite", index)
		}
		worlds++
	}
	if narrow == 0 || narrow == worlds {
		t.Errorf("%d of %d worlds are of volatilities alike: both kinds should be there", narrow, worlds)
	}
}

// A long history has the moments that the truth claims.
func TestTruth(t *testing.T) {
	const periods = 60_000
	r := DefaultRanges()
	r.Assets = Range{8, 8}
	history, err := New(5, 0, r)
	if err != nil {
		t.Fatal(err)
	}
	resampled, err := Resampled(5, 0, history.Returns(stream.New(5, "real", 0), 400), 5, r)
	if err != nil {
		t.Fatal(err)
	}
	worlds := map[string]*World{"resampled": resampled}
	for index := range uint64(4) {
		if worlds[fmt.Sprint("drawn ", index)], err = New(5, index, r); err != nil {
			t.Fatal(err)
		}
	}
	for name, w := range worlds {
		returns := w.Returns(stream.New(5, name, 0), periods)
		var cov mat.SymDense
		stat.CovarianceMatrix(&cov, returns, nil)
		for i := range w.Mean {
			deviation := math.Sqrt(w.Cov.At(i, i))
			// Five standard errors, doubled for regimes that last.
			if mean := stat.Mean(mat.Col(nil, i, returns), nil); math.Abs(mean-w.Mean[i]) > 10*deviation/math.Sqrt(periods) {
				t.Errorf("%s: mean of asset %d is %v, not %v", name, i, mean, w.Mean[i])
			}
			for j := range i + 1 {
				unit := deviation * math.Sqrt(w.Cov.At(j, j))
				if math.Abs(cov.At(i, j)-w.Cov.At(i, j)) > 0.1*unit {
					t.Errorf("%s: covariance of %d and %d is %v, not %v", name, i, j, cov.At(i, j), w.Cov.At(i, j))
				}
			}
		}
		if least := mat.Min(returns); !(least > -1) {
			t.Errorf("%s: a return of %v", name, least)
		}
	}
}

// The mean of a resampled world is the one asked for, to the digits.
func TestResampled(t *testing.T) {
	r := DefaultRanges()
	r.Assets, r.Level, r.Dispersion = Range{6, 6}, Range{0.5, 0.5}, Range{0, 0}
	drawn, err := New(1, 2, r)
	if err != nil {
		t.Fatal(err)
	}
	returns := drawn.Returns(stream.New(1, "real", 0), 300)
	w, err := Resampled(1, 2, returns, 1, r)
	if err != nil {
		t.Fatal(err)
	}
	_, cov := populationMoments(returns)
	for i, m := range w.Mean {
		if sharpe := m / math.Sqrt(cov.At(i, i)) * math.Sqrt(365); math.Abs(sharpe-0.5) > 1e-12 {
			t.Errorf("asset %d has a Sharpe ratio of %v, not 0.5", i, sharpe)
		}
	}
	if !mat.EqualApprox(w.Cov, cov, 1e-18) {
		t.Error("the covariance is not the history's")
	}
	// A row drawn is one of the history's, moved by the means alone.
	row, nearest := w.Returns(stream.New(9, "", 0), 1).RawRowView(0), math.Inf(1)
	mean, _ := populationMoments(returns)
	for t := range 300 {
		apart := 0.0
		for i := range row {
			apart = max(apart, math.Abs(row[i]-w.Mean[i]-(returns.At(t, i)-mean[i])))
		}
		nearest = min(nearest, apart)
	}
	if nearest > 1e-15 {
		t.Errorf("the row %v is none of the history: the nearest is %v away", row, nearest)
	}
}

// Worlds and histories belong to their names, and to nothing else.
func TestDeterministic(t *testing.T) {
	draw := func(seed, index, history uint64) *mat.Dense {
		t.Helper()
		r := DefaultRanges()
		r.Assets = Range{10, 10}
		w, err := New(seed, index, r)
		if err != nil {
			t.Fatal(err)
		}
		return w.Returns(stream.New(seed, "history", history), 20)
	}
	first := draw(1, 0, 0)
	if !mat.Equal(first, draw(1, 0, 0)) {
		t.Error("the same arguments gave two histories")
	}
	for _, other := range []*mat.Dense{draw(2, 0, 0), draw(1, 1, 0), draw(1, 0, 1)} {
		if mat.Equal(first, other) {
			t.Error("other arguments gave the same history")
		}
	}
	r := DefaultRanges()
	r.Assets = Range{10, 10}
	w, err := New(1, 0, r)
	if err != nil {
		t.Fatal(err)
	}
	if !mat.Equal(first, mat.DenseCopyOf(w.Returns(stream.New(1, "history", 0), 50).Slice(0, 20, 0, 10))) {
		t.Error("a longer history does not begin as a shorter one")
	}
}

func TestRefused(t *testing.T) {
	for want, change := range map[string]func(*Ranges){
		"assets from 1":         func(r *Ranges) { r.Assets.From = 1 },
		"factors from 3 to 2":   func(r *Ranges) { r.Factors = Range{3, 2} },
		"volatility from NaN":   func(r *Ranges) { r.Volatility.From = math.NaN() },
		"correlation from":      func(r *Ranges) { r.Correlation.To = 0.9 },
		"freedom from 2":        func(r *Ranges) { r.Freedom.From = 2 },
		"0 periods per year":    func(r *Ranges) { r.PeriodsPerYear = 0 },
		"none of 8 was":         func(r *Ranges) { r.Assets, r.Level, r.Dispersion = Range{8, 8}, Range{-1, -1}, Range{0, 0} },
		"dispersion from 0 to ": func(r *Ranges) { r.Dispersion.To = math.Inf(1) },
	} {
		r := DefaultRanges()
		change(&r)
		if _, err := New(1, 0, r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, not %q", err, want)
		}
	}
	flat := mat.NewDense(3, 2, []float64{0.1, 0, -0.2, 0, 0.1, 0})
	if _, err := Resampled(1, 0, flat, 5, DefaultRanges()); err == nil || !strings.Contains(err.Error(), "column 2") {
		t.Errorf("a constant asset: %v", err)
	}
	if _, err := Resampled(1, 0, flat, 0.5, DefaultRanges()); err == nil {
		t.Error("blocks of half a period")
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	r := DefaultRanges()
	r.Assets = Range{40, 40}
	for b.Loop() {
		if _, err := New(1, 0, r); err != nil {
			b.Fatal(err)
		}
	}
}
