package report_test

import (
	"fmt"
	"io"
	"os"
	"strings"

	"vaefolio/vaelib/report"
)

func ExampleWrite() {
	doc := report.Document{
		Header: report.Header{Title: "Three assets", Synthetic: true},
		Weights: &report.Weights{
			Symbols:    []string{"BTC", "ETH", "SOL"},
			Portfolios: []report.Portfolio{{Name: "1/N", Weights: []float64{1. / 3, 1. / 3, 1. / 3}}},
		},
	}
	var page strings.Builder
	if err := report.Write(&page, doc); err != nil {
		fmt.Println(err)
		return
	}
	first, _, _ := strings.Cut(page.String(), "\n")
	io.WriteString(os.Stdout, first)
	// Output: <!DOCTYPE html>
}

func ExampleBaselines_Verdict() {
	sharpe := func(x float64) report.Figures { return report.Figures{Sharpe: report.Known(x)} }
	b := report.Baselines{Model: "latent Sharpe", Rows: []report.Baseline{
		{Name: "latent Sharpe", InSample: sharpe(1.42), OutSample: sharpe(0.61)},
		{Name: "1/N", InSample: sharpe(0.59), OutSample: sharpe(0.75)},
	}}
	fmt.Println(b.Verdict())
	// Output: Out of sample, latent Sharpe ranks 2 of 2 by Sharpe ratio, with 0.61; 1/N is first with 0.75.
}
