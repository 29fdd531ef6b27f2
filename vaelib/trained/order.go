package trained

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/conditional"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/portfolio"
)

// Order is what a conditional model is asked for, and how it was met.
type Order struct {
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
	Far   float64  `json:"distance_from_training"`
	Draws int      `json:"draws,omitempty"` // for each portfolio
	Moved *float64 `json:"moved,omitempty"` // mean distance by which portfolios were moved to the wish
	// Of the model's held-out check: what its orders for the conditions of held-out
	// portfolios are like beside others of these. See [conditional.Score].
	JointEnergy *float64            `json:"joint_energy,omitempty"`
	Recall      *float64            `json:"recall,omitempty"`
	Coverage    *float64            `json:"coverage,omitempty"`
	Spread      *float64            `json:"spread,omitempty"`
	AUC         *float64            `json:"auc,omitempty"`
	HeldOut     []conditional.Score `json:"held_out,omitempty"` // the whole check, rivals among it
	Terms       []OrderTerm         `json:"terms"`              // of the wish, where each portfolio is asked for by itself

	donors *generate.Donors
	study  []conditional.Score
	wish   portfolio.Wish
	asked  portfolio.Wish // the wish, and the market
	picked *picked        // of a model that knows no conditions; nil: it is asked for them
	note   func(line string)
}

// OrderTerm is how a term of a wish was met. Misses are means over the portfolios,
// in the condition's unit, nil where it can't be computed from weights.
type OrderTerm struct {
	Term     string   `json:"term"`
	Held     bool     `json:"held_by_constraint"`
	Achieved *float64 `json:"mean_achieved"`
	Decoded  *float64 `json:"mean_miss_decoded"`
	Miss     *float64 `json:"mean_miss"`
	// Of rejection: the best of as many draws, and of 1,000, without the wish.
	Rejection     *float64 `json:"mean_miss_rejection"`
	Rejection1000 *float64 `json:"mean_miss_rejection_1000"`
	// Of the training portfolios nearest to what was asked for: as they are, moved to
	// the wish as the order is, and two of the nearest mixed.
	Nearest         *float64 `json:"mean_miss_nearest"`
	NearestPolished *float64 `json:"mean_miss_nearest_polished"`
	Interpolated    *float64 `json:"mean_miss_interpolated"`
	OnPrices        *float64 `json:"mean_on_prices"` // of the condition over prices, where these are given
}

// Open returns the conditions of the market that a wish leaves open and that
// follow from returns.
func (m *Model) Open(wish portfolio.Wish) []string {
	if m.Market == nil {
		return nil
	}
	return m.Market.Open(m.Donors.Names, wish)
}

// Order asks a conditional model for a wish and, where that leaves conditions of
// the market open, for these as they are at the end of a window of returns; nil:
// they stay open. note is told what a user should know, here and by the order's
// methods. It returns the errors of [corpus.Market.Terms].
func (m *Model) Order(
	ctx context.Context, wish portfolio.Wish, w *market.Window, note func(line string),
) (*Order, error) {
	o := &Order{Wish: wish.String(), donors: m.Donors, study: m.Orders, wish: wish, asked: wish, note: note}
	if w == nil || len(m.Open(wish)) == 0 {
		return o, nil
	}
	terms, err := m.Market.Terms(ctx, w, m.Donors.Names, wish)
	if err != nil {
		return nil, err
	}
	o.asked = slices.Concat(wish, terms)
	o.MarketAt, o.Market = w.Times[len(w.Times)-1].UTC().Format(time.RFC3339), map[string]float64{}
	for _, t := range terms {
		o.Market[t.Name] = t.Value
	}
	note(fmt.Sprintf("the market at the end of the prices, %s: %s", o.MarketAt, terms))
	if m.Market.Funded != w.Funded {
		note("the model's conditions of the market and the prices given differ in that only one has funding in its " +
			"returns")
	}
	return o, nil
}

// Under returns the generator under the conditions of the training portfolio
// nearest to the order, which it records. Its errors are those of
// [generate.Generator.Given].
func (o *Order) Under(g *generate.Generator) (*generate.Generator, error) {
	given, conditions, err := g.Given(o.donors, o.asked)
	if err != nil {
		return nil, err
	}
	o.Conditions = map[string]float64{}
	for k, name := range o.donors.Names {
		o.Conditions[name] = conditions[k]
	}
	o.Far, err = o.donors.Far(o.asked)
	return given, err
}

// Make makes n portfolios, each asked for by itself, and records how the wish was
// met: by the weights and, where there is an evaluator, over its returns. It also
// returns what each portfolio has of the conditions that follow from weights. Its
// errors are those of [generate.Generator.Order].
func (o *Order) Make(
	ctx context.Context, g *generate.Generator, n int, settings generate.OrderSettings, over *metrics.Evaluator,
) (*generate.Batch, []map[string]float64, error) {
	made, err := o.order(ctx, g, n, settings)
	if err != nil {
		return nil, nil, err
	}
	o.Far, o.Draws = made.Far, settings.Draws
	o.judge(made.Moved)
	means, err := meanFigures(ctx, over, made.Weights)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range made.Terms[:len(o.wish)] {
		o.met(t, means)
	}
	if o.Far > math.Sqrt(float64(len(o.asked))) { // 1 a term
		from := "training portfolios had"
		if o.picked != nil {
			from = "the model makes of these assets by itself"
		}
		o.note(fmt.Sprintf("WARNING: the wish lies %.1f standard deviations from what %s: what is made may be like "+
			"nothing that was learned", o.Far, from))
	}
	achieved := make([]map[string]float64, n)
	for i := range achieved {
		achieved[i] = map[string]float64{}
		for k, name := range o.donors.Names {
			if v := made.Achieved.At(i, k); !math.IsNaN(v) {
				achieved[i][name] = v
			}
		}
	}
	return &made.Batch, achieved, nil
}

// order makes the portfolios.
func (o *Order) order(ctx context.Context, g *generate.Generator, n int, s generate.OrderSettings) (
	*generate.Order, error) {
	if o.picked != nil {
		return o.pick(ctx, g, n, s)
	}
	return g.Order(ctx, o.asked, o.donors, n, s)
}

// judge records how far the portfolios were moved, and says what the model's orders
// are like.
func (o *Order) judge(moved []float64) {
	if moved != nil {
		mean := stat.Mean(moved, nil)
		o.Moved = &mean
		o.note(fmt.Sprintf("portfolios moved to the wish by %.3g on average", mean))
	}
	switch {
	case o.study == nil && o.picked != nil:
		return
	case o.study == nil:
		o.note("the model has no check of its orders by held-out portfolios: train it again for one")
		return
	}
	s := &o.study[0]
	o.HeldOut = o.study
	o.JointEnergy, o.Recall, o.Coverage, o.Spread, o.AUC = &s.JointEnergy, &s.Recall, &s.Coverage, &s.Spread, &s.AUC
	if o.picked != nil {
		for i := range o.study {
			o.note(fmt.Sprintf("beside portfolios made for this window and moved to the wish: %s: %s", o.study[i].Name,
				&o.study[i]))
		}
		return
	}
	o.note("held-out check of the model's orders: " + s.String())
}

// met records how a term was met; means are those of the figures over prices.
func (o *Order) met(t generate.TermResult, means map[string]float64) {
	r := OrderTerm{
		Term: t.Term.String(), Held: t.Held, Achieved: defined(t.Achieved), Decoded: defined(t.Decoded),
		Miss: defined(t.Miss), Rejection: defined(t.Rejection), Rejection1000: defined(t.Rejection1000),
		Nearest: defined(t.Nearest), NearestPolished: defined(t.NearestPolished), Interpolated: defined(t.Interpolated),
	}
	if r.Miss == nil {
		o.note(r.Term + ": asked for, but not measured by weights alone")
	} else {
		line := fmt.Sprintf("%s: achieved %.4g on average, missed by %.2g, as decoded by %.2g", r.Term, t.Achieved,
			t.Miss, t.Decoded)
		if r.Rejection != nil {
			line += fmt.Sprintf("; without the wish the best of as many draws by %.2g, of 1,000 by %.2g", t.Rejection,
				t.Rejection1000)
		}
		if r.Nearest != nil {
			line += fmt.Sprintf("; without a model the nearest training portfolios by %.2g, polished by %.2g, two of "+
				"them mixed by %.2g", t.Nearest, t.NearestPolished, t.Interpolated)
		}
		o.note(line)
	}
	if v, ok := means[t.Term.Name]; ok {
		r.OnPrices = &v
		o.note(fmt.Sprintf("%s: %.4g on average over the prices given", t.Term.Name, v))
	}
	o.Terms = append(o.Terms, r)
}

// defined is nil for what is not a number.
func defined(x float64) *float64 {
	if math.IsNaN(x) {
		return nil
	}
	return &x
}

// meanFigures is the mean of each figure over the portfolios (N x n) that have it;
// nil without an evaluator.
func meanFigures(ctx context.Context, over *metrics.Evaluator, weights *mat.Dense) (map[string]float64, error) {
	if over == nil {
		return nil, nil
	}
	figures, err := over.Figures(ctx, weights)
	if err != nil {
		return nil, err
	}
	means, counts := map[string]float64{}, map[string]float64{}
	for i := range figures {
		for name, v := range over.Settings().Named(&figures[i]) {
			means[name] += v
			counts[name]++
		}
	}
	for name := range means {
		means[name] /= counts[name]
	}
	return means, nil
}
