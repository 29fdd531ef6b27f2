package market_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/market"
	"vaefolio/vaelib/stream"
)

// klineFolder writes files of 1,800 days as an exchange has them.
func klineFolder(b *testing.B, symbols int) string {
	dir := b.TempDir()
	for s := range symbols {
		rng := stream.New(1, "benchmark", uint64(s))
		text := []byte("timestamp,open,high,low,close,volume,turnover\n")
		price := 1000.0
		for i := range 1800 {
			open := price
			price *= 1 + 0.03*rng.NormFloat64()
			text = fmt.Appendf(text, "%d,%.4f,%.4f,%.4f,%.4f,%.3f,%.4f\n", dayMillis(i-1800), open, max(open, price)+1, min(open, price)-1, price, 1e5*rng.Float64(), 1e8*rng.Float64())
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("S%03d.csv", s)), text, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

func BenchmarkLoadKlines(b *testing.B) {
	dir := klineFolder(b, 329)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := market.Load(dir, market.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoadWide(b *testing.B) {
	text := []byte("date")
	for s := range 329 {
		text = fmt.Appendf(text, ",S%03d", s)
	}
	rng := stream.New(1, "benchmark", 0)
	for i := range 1800 {
		text = append(text, '\n')
		text = millis(dayMillis(i-1800)).AppendFormat(text, time.DateOnly)
		for range 329 {
			text = fmt.Appendf(text, ",%.4f", 1000*(1+rng.Float64()))
		}
	}
	fsys := wide(string(text))
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, _, err := market.LoadFS(fsys, "p.csv", market.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWindow(b *testing.B) {
	p := &market.Panel{Close: mat.NewDense(1800, 329, nil)}
	for s := range 329 {
		p.Symbols = append(p.Symbols, fmt.Sprintf("S%03d", s))
	}
	rng := stream.New(1, "benchmark", 0)
	for i := range 1800 {
		p.Times = append(p.Times, millis(dayMillis(i)))
		for j := range 329 {
			p.Close.Set(i, j, 1+rng.Float64())
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := p.Window(); err != nil {
			b.Fatal(err)
		}
	}
}
