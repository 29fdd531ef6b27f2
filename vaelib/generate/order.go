package generate

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/polish"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// Order is portfolios made to a wish.
type Order struct {
	Batch
	Asked    *mat.Dense // N x k, the conditions that each row was decoded under; nil of a model without
	Achieved *mat.Dense // N x k, what the weights have by the measures; NaN where a condition has none
	Terms    []TermResult
	// Far is how far from the wish the donors of the other conditions were, in
	// standard deviations: above about 1 the wish is beyond what the training
	// portfolios had.
	Far float64
}

// TermResult is how one term of a wish was met. Misses are means over the
// portfolios, in the condition's unit; NaN where the condition has no measure, and
// of rivals that weren't asked for or whose portfolios aren't known.
type TermResult struct {
	Term     portfolio.Term
	Held     bool    // the constraint set holds it, so that every portfolio meets it
	Decoded  float64 // miss of what the decoder made, before the projection
	Miss     float64 // miss of the portfolios
	Achieved float64 // mean of what they have
	// What needs no wish, or no model: rejection, the best by all terms together of
	// as many draws (and of 1,000) of the same model without the wish; the training
	// portfolio that is nearest to what each row was asked for, that moved to the
	// wish as the order is, and mixtures of two that are near. All are projected
	// onto the same set.
	Rejection, Rejection1000, Nearest, NearestPolished, Interpolated float64
}

// OrderSettings steers [Generator.Order].
type OrderSettings struct {
	Seed uint64
	// Density is what codes are drawn from: a [*conditional.Mixture], which knows
	// of conditions, or another; nil: the prior.
	Density Density
	// Draws is how many portfolios are made for each one returned, the one that
	// meets the measured terms best; default 1.
	Draws int
	// Scatter are variances (n) with which portfolios are drawn about what is decoded, of
	// a model that is asked by choice; nil: they are what is decoded.
	Scatter []float64
	// Unpolished leaves the portfolios as the projection makes them. Otherwise they
	// are moved to the measured terms: see package polish.
	Unpolished bool
	// Rivals also measures what the order has to be compared with.
	Rivals bool
}

// Order makes n portfolios for a wish, with a conditional model: codes are drawn
// and decoded under the wish's conditions, those that it leaves open taken from
// donors, and projected onto the constraint set, into which the terms that a set
// can hold go too; then each portfolio is moved as little as can be to the terms
// that have a measure. Equal seeds give equal orders, and the first portfolios of a
// longer one are those of a shorter one.
//
// A model without conditions is asked by choice: each portfolio is the nearest to the
// wish of as many draws as the settings say, moved to it; donors are those of
// [Generator.Donors], rows asked for and rivals there are none.
//
// A wish that contradicts the set or itself is a [*simplex.InfeasibleError] or,
// where it asks for a value that no portfolio of the set has, an error that says
// which values there are.
func (g *Generator) Order(
	ctx context.Context, wish portfolio.Wish, donors *Donors, n int, settings OrderSettings,
) (*Order, error) {
	draws := max(1, settings.Draws)
	if n < 1 || len(wish) == 0 {
		return nil, fmt.Errorf("%d portfolios for %d terms of a wish: both must be at least 1", n, len(wish))
	}
	if len(g.model.Config().Conditions) == 0 {
		return g.pick(ctx, wish, donors, n, settings)
	}
	if err := donors.check(g.model.Config()); err != nil {
		return nil, err
	}
	asked, far, err := donors.complete(g.model, wish, n*draws, settings.Seed)
	if err != nil {
		return nil, err
	}
	to, held, err := g.under(ctx, wish, donors)
	if err != nil {
		return nil, err
	}
	density := settings.Density
	if density == nil {
		density = Prior{}
	}
	codes, err := g.drawGiven(ctx, density, asked, stream.New(settings.Seed, "generate.order.codes", 0))
	if err != nil {
		return nil, err
	}
	batch, err := to.decodeGiven(ctx, codes, asked)
	if err != nil {
		return nil, err
	}
	if draws > 1 {
		best := bestOfEach(draws, donors.score(wish, donors.measured(batch.Weights)))
		batch, asked = batch.Pick(best), pickRows(asked, best)
	}
	if !settings.Unpolished {
		if err := to.polish(ctx, batch, donors.goals(wish)); err != nil {
			return nil, err
		}
		if err := donors.reached(ctx, to.set, wish, batch.Weights); err != nil {
			return nil, err
		}
	}
	o := &Order{Batch: *batch, Asked: asked, Achieved: donors.measured(batch.Weights), Far: far}
	decoded := donors.measured(batch.Decoded)
	for k, t := range wish {
		o.Terms = append(o.Terms, donors.result(t, held[k], decoded, o.Achieved))
	}
	if settings.Rivals {
		err = to.rivals(ctx, wish, donors, o, density, draws, settings.Seed)
	}
	return o, err
}

// result is how a term was met by what was decoded and by what came of it (N x k).
func (d *Donors) result(t portfolio.Term, held bool, decoded, achieved *mat.Dense) TermResult {
	j := slices.Index(d.Names, t.Name)
	return TermResult{
		Term: t, Held: held, Decoded: meanMiss(t, decoded, j), Miss: meanMiss(t, achieved, j),
		Achieved: stat.Mean(mat.Col(nil, j, achieved), nil), Rejection: math.NaN(), Rejection1000: math.NaN(),
		Nearest: math.NaN(), NearestPolished: math.NaN(), Interpolated: math.NaN(),
	}
}

// bestOfEach returns, of each so many rows, the one with the least score.
func bestOfEach(draws int, score []float64) []int {
	best := make([]int, len(score)/draws)
	for i := range best {
		best[i] = i * draws
		for k := i * draws; k < (i+1)*draws; k++ {
			if score[k] < score[best[i]] {
				best[i] = k
			}
		}
	}
	return best
}

// polish moves the batch's portfolios to goals, the same for all, and records how
// far.
func (g *Generator) polish(ctx context.Context, b *Batch, goals []polish.Goal) error {
	b.Moved = make([]float64, len(b.Repair))
	return polish.All(ctx, g.set, b.Weights, func(int) []polish.Goal { return goals }, b.Moved)
}

// goals are the terms of a wish that have a measure, the limits on one condition
// together, in standard deviations of the donors.
func (d *Donors) goals(wish portfolio.Wish) []polish.Goal {
	var goals []polish.Goal
	for _, t := range wish {
		j := slices.Index(d.Names, t.Name)
		m := d.measure(j)
		if m == nil {
			continue
		}
		at := slices.IndexFunc(goals, func(g polish.Goal) bool { return g.Measure == m })
		if at < 0 {
			at = len(goals)
			goals = append(goals, polish.Goal{Measure: m, Lo: math.Inf(-1), Hi: math.Inf(1), Scale: d.deviation(j)})
		}
		if t.Relation != portfolio.AtMost {
			goals[at].Lo = t.Value
		}
		if t.Relation != portfolio.AtLeast {
			goals[at].Hi = t.Value
		}
	}
	return goals
}

// attainable returns an error for a term that no portfolio of the set meets.
func (d *Donors) attainable(ctx context.Context, set simplex.Set, wish portfolio.Wish) error {
	for _, t := range wish {
		m := d.measure(slices.Index(d.Names, t.Name))
		if m == nil {
			continue
		}
		least, greatest, err := polish.Attainable(ctx, set, m)
		if err != nil {
			return err
		}
		// Rounding: the ends themselves can be asked for.
		room := 1e-9 * max(1, math.Abs(greatest))
		if t.Relation != portfolio.AtMost && t.Value > greatest+room ||
			t.Relation != portfolio.AtLeast && t.Value < least-room {
			return fmt.Errorf("%s: no portfolio within the constraints has that: its %s lies from %.6g to %.6g; "+
				"ask for a value in between, or loosen the constraints", t, t.Name, least, greatest)
		}
	}
	return nil
}

func meanMiss(t portfolio.Term, achieved *mat.Dense, j int) float64 {
	rows, _ := achieved.Dims()
	var sum float64
	for i := range rows {
		v := achieved.At(i, j)
		if math.IsNaN(v) {
			return math.NaN()
		}
		sum += t.Miss(v) / float64(rows)
	}
	return sum
}
