package report_test

import (
	"fmt"
	"io"
	"os"
	"strings"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/number"
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

// A page of one's own is made of sections, and these of blocks.
func ExampleWrite_sections() {
	stress := report.Section{ID: "stress", Title: "Stress test", Blocks: []report.Block{
		{Text: "What the portfolio loses when prices fall as they did in past crises."},
		{Table: &report.Table{
			Caption: "Losses",
			Columns: []report.Column{{Name: "Crisis"}, {Name: "Loss", Number: true}},
			Rows: []report.Row{
				{Cells: []report.Cell{report.TextCell("2020"), report.NumberCell(number.Known(0.31), report.Percent)}},
				{Cells: []report.Cell{
					report.TextCell("2018"), report.NumberCell(number.Unknown("no prices"), report.Percent),
				}},
			},
		}},
	}}
	var page strings.Builder
	err := report.Write(&page, report.Document{
		Header: report.Header{Title: "Three assets"}, Sections: []report.Section{stress},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, line := range strings.Split(page.String(), "\n") {
		if strings.HasPrefix(line, "<tr><th scope=\"row\"") {
			fmt.Println(line)
		}
	}
	// Output:
	// <tr><th scope="row">2020</th><td class="number">31.0 %</td></tr>
	// <tr><th scope="row">2018</th><td class="number"><span class="na">n/a — no prices</span></td></tr>
}

func ExampleBaselines_Verdict() {
	sharpe := func(x float64) metrics.Figures { return metrics.Figures{Sharpe: x} }
	b := report.Baselines{Model: "latent Sharpe", Rows: []report.Baseline{
		{Name: "latent Sharpe", InSample: sharpe(1.42), OutSample: sharpe(0.61)},
		{Name: "1/N", InSample: sharpe(0.59), OutSample: sharpe(0.75)},
	}}
	fmt.Println(b.Verdict())
	// Output: Out of sample, latent Sharpe ranks 2 of 2 by Sharpe ratio, with 0.61; 1/N is first with 0.75.
}
