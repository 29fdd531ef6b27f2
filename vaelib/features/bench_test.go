package features

import (
	"testing"
	"time"

	"vaefolio/internal/sharedtest"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/stream"
)

// hourly is a window of 30,000 hours of 40 assets.
func hourly() *market.Window {
	returns := make([][]float64, 40)
	for j := range returns {
		returns[j] = wild(30_000, stream.New(1, "features.bench", uint64(j)))
	}
	w := window(returns...)
	for t := range w.Times {
		w.Times[t] = time.Date(2022, 1, 1, t, 0, 0, 0, time.UTC)
	}
	return w
}

func BenchmarkBuild(b *testing.B) {
	w := hourly()
	for _, bench := range []struct {
		name   string
		config Config
	}{
		{"all", Config{}},
		{"wide", Config{Windows: []int{120, 480, 1440}, Lookback: 1440}},
		{"correlation", Config{NoAssets: true, Windows: []int{}, Correlation: &Correlation{Lookback: 720}}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				mustBuild(b, w, bench.config)
			}
		})
	}
}

// From a file of 329 symbols x 1,824 days to all features but the correlations.
func BenchmarkBuild329(b *testing.B) {
	path := sharedtest.Path(b, "data", "crypto", "bybit_linear_daily_close_all.csv")
	b.ReportAllocs()
	for b.Loop() {
		panel, _, err := market.Load(path, market.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Build(b.Context(), panel, Config{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTail(b *testing.B) {
	r := wild(30_000, stream.New(1, "features.bench", 0))
	q := newTail(720, 0.95)
	b.ReportAllocs()
	for b.Loop() {
		q.slide(r, func(int, float64, float64) {})
	}
}
