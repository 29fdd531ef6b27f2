// Command stress tells what given portfolios lose under stresses, and where some assets
// move by given returns.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/portfolio"
)

type config struct {
	Weights    string   `flag:"weights" unit:"FILE" required:"true" help:"a CSV of weights with a header of symbols, those of the prices in any order, and optionally a first column id"`
	Percent    bool     `flag:"percent" help:"divide the weights by 100, as they are in percent"`
	Shock      []string `flag:"shock" unit:"SYM=X" help:"the returns by which assets move over the horizon, as in BTCUSDT=-0.2 or BTCUSDT=-20%; tells what the others and the portfolios may then be expected to return, by two rules; without it the portfolios go through stresses"`
	Horizon    int      `flag:"horizon" range:"[0,100000]" unit:"periods" help:"the length of a shock or stress; 0 means 1 with -shock and 20 without it"`
	Covariance string   `flag:"covariance" unit:"sample|ledoit-wolf|constant-correlation|ewma" only:"shock" help:"the estimator of the covariance over the horizon; a parameter may follow, as in ewma:0.97"`
	Resamples  int      `flag:"resamples" range:"[100,1000000]" only:"shock" help:"the number of resamples of the bootstrap intervals"`
	Crises     int      `flag:"crises" range:"[1,1000]" only:"!shock" help:"the number of the worst stretches in the data, of the horizon's length, that are stresses"`
	Traded     string   `flag:"traded-value" unit:"FILE" only:"!shock" help:"a wide CSV of the value of each asset that its market trades in each period; adds the loss of selling -capital within one period of median trade"`
	Capital    float64  `flag:"capital" range:"[0,inf)" unit:"currency" only:"traded-value" help:"the value to sell, in the currency of -traded-value"`
	cli.Format `title:"Output"`
	cli.Prices
	cli.Common
}

var verb = cli.Verb[config]{
	Name:    "stress",
	Summary: "what given portfolios lose under stresses, or where some assets move",
	Example: `
		stress -prices closes.csv -weights mine.csv
		stress -prices closes.csv -weights mine.csv -shock BTCUSDT=-0.2
		stress -prices closes.csv -weights mine.csv -shock BTCUSDT=-20%,ETHUSDT=-30% -horizon 5 -format json
		stress -prices closes.csv -weights mine.csv -traded-value turnover.csv -capital 1e6 -format csv`,
	Default: config{Covariance: moments.Sample, Resamples: 500, Crises: 5},
	Run:     stress,
}

func main() { cli.Main(verb) }

// Validate returns an error for shocks that can't be read, and for half of what a
// liquidation needs.
func (c *config) Validate() error {
	if err := moments.CheckName(c.Covariance); err != nil {
		return fmt.Errorf("-covariance: %w", err)
	}
	if c.Traded != "" && c.Capital == 0 {
		return errors.New("-traded-value needs -capital, the value to sell")
	}
	_, err := parseShocks(c.Shock)
	return err
}

func stress(ctx context.Context, c *config, io *cli.IO) error {
	given, err := portfolio.ReadCSV(c.Weights, portfolio.ReadOptions{Percent: c.Percent})
	if err != nil {
		return err
	}
	io.Told(c.Weights, given.Notes)
	prices, err := c.Load(io)
	if err != nil {
		return err
	}
	if len(c.Shock) > 0 {
		return c.shock(ctx, io, prices, given)
	}
	portfolios, err := cli.MatchWeights(given, prices, c.Weights)
	if err != nil {
		return err
	}
	stresses, err := c.stresses(prices.Window)
	if err != nil {
		return err
	}
	results, err := choose.RunStresses(ctx, portfolios.Weights, stresses, io.Progress("stresses"))
	if err != nil {
		return err
	}
	table := io.Table(c.Format.Format, cli.Column{Name: "id"}, cli.Column{Name: "stress", Left: true},
		cli.Column{Name: "loss"}, cli.Column{Name: "driver"}, cli.Column{Name: "driver_loss", Short: "its part"})
	for i := range portfolios.Len() {
		for k, r := range results {
			row := []any{portfolios.ID(i), r.Name, r.Losses[i], nil, nil}
			if d := stresses[k].Driver(portfolios.Weights.RawRowView(i)); d != nil {
				row[3], row[4] = prices.Window.Symbols[d.Asset], d.Loss
			}
			if err := table.Row(row...); err != nil {
				return err
			}
		}
	}
	return table.Close()
}

// stresses are those of the prices and, where the values traded are given, liquidation.
func (c *config) stresses(w *market.Window) ([]choose.Stress, error) {
	settings := choose.DefaultSettings()
	settings.Crises = c.Crises
	if c.Horizon > 0 {
		settings.Horizon = c.Horizon
	}
	if c.Traded == "" {
		return settings.Stresses(w, nil, 0)
	}
	end := w.Times[len(w.Times)-1]
	panel, _, err := market.Load(c.Traded, market.Options{Symbols: w.Symbols, To: end})
	if err != nil {
		return nil, err
	}
	traded, err := choose.MedianTraded(panel)
	if err != nil {
		return nil, fmt.Errorf("%s: %w up to %s", c.Traded, err, end.Format(time.DateOnly))
	}
	return settings.Stresses(w, traded, c.Capital)
}
