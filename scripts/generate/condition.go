package main

import (
	"context"
	"errors"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/trained"
)

// Wish are the flags of a conditional model.
type Wish struct {
	Text  string `flag:"wish" unit:"TERMS" help:"the conditions asked for, such as volatility=0.4,sector.L1<=0.35; what it leaves open is that of training portfolios or, of the market, that at the end of -prices; a model over sets is asked in mode condition alone"`
	Draws int    `flag:"draws" range:"[0,10000]" only:"mode=condition" help:"the number of portfolios made for each one returned, which is the nearest to the wish before it is moved to it; 0 means 1, and 64 with a model over sets of assets that is not told the wish (train -asked)"`
}

// ask reads the wish, and what a conditional model knows.
func (j *job) ask() (err error) {
	if !j.trained.Conditional() {
		if j.Wish.Text != "" || j.Mode == "condition" {
			return cli.Usagef(
				"the model knows no conditions: train it with -conditions, or leave out -wish and -mode " +
					"condition")
		}
		return nil
	}
	if j.wish, err = j.trained.ParseWish(j.Wish.Text); err != nil {
		return cli.Usage(err)
	}
	if j.Mode != "condition" { // orders are held to the wish as they are made
		if j.set, _, err = j.trained.Donors.Constrain(j.set, j.wish); err != nil {
			return err
		}
	}
	j.market = j.Prices.Prices != "" && len(j.trained.Open(j.wish)) > 0
	if j.wish == nil && !j.market {
		return cli.Usagef("the model is conditional: say by -wish what is asked for, such as %s=…",
			j.trained.Donors.Names[0])
	}
	return nil
}

// settle puts a conditional model under the wish and the market, unless each
// portfolio is to be asked for by itself.
func (j *job) settle(ctx context.Context) (err error) {
	if !j.trained.Conditional() {
		return nil
	}
	var tells *market.Window
	if j.market {
		tells = j.window
	}
	note := func(line string) { j.io.Note("%s", line) }
	if j.record.Order, err = j.trained.Order(ctx, j.wish, tells, note); err != nil || j.Mode == "condition" {
		return err
	}
	j.generator, err = j.record.Order.Under(j.generator)
	return err
}

// askSet reads a wish to a model over sets of assets, once the prices are there.
func (j *job) askSet() error {
	switch {
	case j.Mode != "condition" && j.Wish.Text != "":
		return cli.Usagef("a model over sets of assets is asked in mode condition alone: say -mode condition, or " +
			"leave out -wish")
	case j.Mode != "condition":
		return nil
	case j.Wish.Text == "":
		return cli.Usagef("say by -wish what is asked for, such as volatility=0.4,max_weight<=0.3")
	}
	sectors, err := j.SectorsOf(j.symbols)
	if err != nil {
		return err
	}
	j.record.Order, err = j.trained.PickOrder(j.Wish.Text, j.window, j.settings.PeriodsPerYear, sectors,
		func(line string) { j.io.Note("%s", line) })
	if wrong := new(trained.WishError); errors.As(err, &wrong) {
		return cli.Usage(err)
	}
	return err
}

// condition makes portfolios to the wish.
func (j *job) condition(ctx context.Context) (*made, error) {
	var over *metrics.Evaluator
	if j.window != nil {
		var err error
		if over, err = metrics.NewEvaluator(j.window.Returns, j.settings); err != nil {
			return nil, err
		}
	}
	density, err := j.density()
	if err != nil {
		return nil, err
	}
	settings := generate.OrderSettings{Seed: j.Seed, Density: density, Draws: j.Draws, Rivals: true}
	if settings.Draws == 0 {
		settings.Draws = j.trained.UsualDraws()
	}
	batch, achieved, err := j.record.Order.Make(ctx, j.generator, j.count(100), settings, over)
	return &made{batch: batch, achieved: achieved}, err
}
