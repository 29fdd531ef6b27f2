package main

import (
	"context"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/portfolio"
)

// Wish are the flags of a conditional model.
type Wish struct {
	Text  string `flag:"wish" unit:"TERMS" help:"what a conditional model is asked for, such as volatility=0.4,sector.L1<=0.35,max_weight<=0.2, or regime=rising at low volatility; every mode takes it and holds its terms on the largest weight (<=) and on sectors exactly, condition gives each portfolio what the wish leaves open from other training portfolios, the others all the same; with -prices, conditions of the market that it leaves open are as they were at their end, where the model knows how they follow from prices"`
	Draws int    `flag:"draws" range:"[1,10000]" unit:"portfolios" help:"that condition makes for each one it returns, which is the one nearest to the wish"`
}

// orderRecord is a wish and how it was met.
type orderRecord struct {
	Wish string `json:"wish"`
	// What was asked of the market, as it was at the end of the prices; none where
	// the wish says it or the model is told nothing of it.
	Market   map[string]float64 `json:"market,omitempty"`
	MarketAt string             `json:"market_at,omitempty"` // the last candle, by its label
	// Conditions are all that was asked for; none where each portfolio is asked
	// for by itself.
	Conditions map[string]float64 `json:"conditions,omitempty"`
	// Far is the distance, in standard deviations, of the wish from the training
	// portfolios that fill what it leaves open.
	Far   float64      `json:"distance_from_training"`
	Draws int          `json:"draws,omitempty"` // for each portfolio
	Terms []termRecord `json:"terms"`
}

// termRecord: misses are means over the portfolios, in the condition's unit, null
// where it can't be computed from weights.
type termRecord struct {
	Term     string   `json:"term"`
	Held     bool     `json:"held_by_constraint"`
	Achieved *float64 `json:"mean_achieved"`
	Decoded  *float64 `json:"mean_miss_decoded"`
	Miss     *float64 `json:"mean_miss"`
	// Of rejection: the best of as many draws, and of 1,000, without the wish.
	Rejection     *float64 `json:"mean_miss_rejection"`
	Rejection1000 *float64 `json:"mean_miss_rejection_1000"`
	OnPrices      *float64 `json:"mean_on_prices"` // of the condition over -prices, where these are given
}

// defined is nil for what is not a number.
func defined(x float64) *float64 {
	if math.IsNaN(x) {
		return nil
	}
	return &x
}

// ask reads the wish, and what a conditional model knows.
func (j *job) ask() error {
	config := j.model.Config()
	if len(config.Conditions) == 0 {
		if j.Wish.Text != "" || j.Mode == "condition" {
			return cli.Usagef("the model knows no conditions: train it with -conditions, or leave out -wish and -mode condition")
		}
		return nil
	}
	var err error
	j.donors = j.trained.Donors
	if j.Wish.Text != "" {
		if j.wish, err = portfolio.ParseWish(j.Wish.Text, j.donors.Names, config.Levels()); err != nil {
			return cli.Usage(err)
		}
	}
	if j.Mode != "condition" { // orders are held to the wish as they are made
		if j.set, _, err = j.donors.Constrain(j.set, j.wish); err != nil {
			return err
		}
	}
	if j.Prices.Prices != "" {
		j.market = j.trained.Market
		if j.market != nil && len(j.market.Open(j.donors.Names, j.wish)) == 0 {
			j.market = nil
		}
	}
	if j.Wish.Text == "" && j.market == nil {
		return cli.Usagef("the model is conditional: say by -wish what is asked for, such as %s=…", j.donors.Names[0])
	}
	return nil
}

// settle puts a conditional model under the wish and the market, unless each
// portfolio is to be asked for by itself.
func (j *job) settle(ctx context.Context) error {
	if j.donors == nil {
		return nil
	}
	j.record.Order = &orderRecord{Wish: j.wish.String()}
	j.asked = j.wish
	if j.market != nil {
		terms, err := j.market.Terms(ctx, j.window, j.donors.Names, j.wish)
		if err != nil {
			return err
		}
		j.asked = slices.Concat(j.wish, terms)
		last := j.window.Times[len(j.window.Times)-1].UTC().Format(time.RFC3339)
		j.io.Note("the market at the end of the prices, %s: %s", last, terms)
		if j.market.Funded != j.window.Funded {
			j.io.Note("the model's conditions of the market and the prices given differ in that only one has funding " +
				"in its returns")
		}
		j.record.Order.MarketAt, j.record.Order.Market = last, map[string]float64{}
		for _, t := range terms {
			j.record.Order.Market[t.Name] = t.Value
		}
	}
	if j.Mode == "condition" {
		return nil
	}
	generator, conditions, err := j.generator.Given(j.donors, j.asked)
	if err != nil {
		return err
	}
	j.generator = generator
	if j.model, err = j.model.Given(conditions); err != nil {
		return err
	}
	j.record.Order.Conditions = map[string]float64{}
	for k, name := range j.donors.Names {
		j.record.Order.Conditions[name] = conditions[k]
	}
	j.record.Order.Far, err = j.donors.Far(j.asked)
	return err
}

// condition makes portfolios to the wish.
func (j *job) condition(ctx context.Context) (*made, error) {
	order, err := j.generator.Order(ctx, j.asked, j.donors, j.count(100), generate.OrderSettings{Seed: j.Seed,
		Draws: j.Draws, Rejection: true})
	if err != nil {
		return nil, err
	}
	record := j.record.Order
	record.Far, record.Draws = order.Far, j.Draws
	onPrices, err := j.onPrices(ctx, order.Weights)
	if err != nil {
		return nil, err
	}
	for _, t := range order.Terms[:len(j.wish)] {
		r := termRecord{
			Term: t.Term.String(), Held: t.Held, Achieved: defined(t.Achieved), Decoded: defined(t.Decoded),
			Miss:      defined(t.Miss),
			Rejection: defined(t.Rejection), Rejection1000: defined(t.Rejection1000),
		}
		if v, ok := onPrices[t.Term.Name]; ok {
			r.OnPrices = &v
		}
		record.Terms = append(record.Terms, r)
		switch {
		case r.Miss == nil:
			j.io.Note("%s: asked for, but not measured by weights alone", r.Term)
		default:
			j.io.Note("%s: achieved %.4g on average, missed by %.2g (before the projection %.2g; by the best of as "+
				"many draws without the wish %.2g, of 1,000 %.2g)",
				r.Term, t.Achieved, t.Miss, t.Decoded, t.Rejection, t.Rejection1000)
		}
		if r.OnPrices != nil {
			j.io.Note("%s: %.4g on average over the prices given", t.Term.Name, *r.OnPrices)
		}
	}
	if order.Far > math.Sqrt(float64(len(j.asked))) { // 1 a term
		j.io.Note("WARNING: the wish lies %.1f standard deviations from what training portfolios had: what is made "+
			"may be like nothing that was learned", order.Far)
	}
	achieved := make([]map[string]float64, j.count(100))
	for i := range achieved {
		achieved[i] = map[string]float64{}
		for k, name := range j.donors.Names {
			if v := order.Achieved.At(i, k); !math.IsNaN(v) {
				achieved[i][name] = v
			}
		}
	}
	return &made{batch: &order.Batch, achieved: achieved}, nil
}

// onPrices is the mean of each figure over the portfolios (N x n) on the prices
// given, by the names that conditions have; nil without prices.
func (j *job) onPrices(ctx context.Context, weights *mat.Dense) (map[string]float64, error) {
	if j.window == nil {
		return nil, nil
	}
	evaluator, err := metrics.NewEvaluator(j.window.Returns, j.settings)
	if err != nil {
		return nil, err
	}
	rows, _ := weights.Dims()
	figures := make([]metrics.Figures, rows)
	if err := evaluator.EvaluateAll(ctx, weights, figures); err != nil {
		return nil, err
	}
	means, counts := map[string]float64{}, map[string]float64{}
	for i := range figures {
		for name, v := range j.figuresOf(&figures[i]) {
			means[name] += v
			counts[name]++
		}
	}
	for name := range means {
		means[name] /= counts[name]
	}
	return means, nil
}
