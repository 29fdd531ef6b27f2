package trained

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/conditional"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/fidelity"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/polish"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

// picked is an order to a model over sets of assets, which knows no conditions: of many
// portfolios of the universe those nearest to the wish, moved to it.
type picked struct {
	over     *SetModel
	network  *vae.Model
	window   *market.Window
	periods  float64 // a year
	set      simplex.Set
	measures []portfolio.Measure
}

// PickOrder asks a model over sets of assets, placed in the window's, for a wish: in
// terms of what follows from weights and returns, and of sectors (nil: none). It returns
// a [*WishError] for a wish that can't be read. note is as in [Model.Order].
func (m *Model) PickOrder(
	text string, w *market.Window, periodsPerYear float64, sectors *market.Sectors, note func(line string),
) (*Order, error) {
	measures := corpus.Measures(w, periodsPerYear, sectors)
	var names []string
	for i := range measures {
		names = append(names, measures[i].Name)
	}
	wish, err := portfolio.ParseWish(text, names, nil)
	if err != nil {
		return nil, &WishError{err}
	}
	return &Order{
		Wish: wish.String(), wish: wish, asked: wish, note: note,
		picked: &picked{m.over, m.Network, w, periodsPerYear, *m.Set, measures},
	}, nil
}

// pick makes the portfolios, and compares such with others.
func (o *Order) pick(ctx context.Context, g *generate.Generator, n int, s generate.OrderSettings) (
	*generate.Order, error) {
	var err error
	if o.donors, err = g.Donors(ctx, o.picked.measures, s.Density, s.Seed); err != nil {
		return nil, err
	}
	if g, s.Scatter, err = o.picked.asking(ctx, g, o.donors, o.wish); err != nil {
		return nil, err
	}
	made, err := g.Order(ctx, o.wish, o.donors, n, s)
	if err != nil || !s.Rivals {
		return made, err
	}
	study := pickStudy{generator: g, picked: o.picked, donors: o.donors, wish: o.wish, settings: s}
	o.study, err = study.scores(ctx)
	return made, err
}

// asking is a generator of the model that is told the wish, where it is a conditional one,
// and the variances of portfolios about what is decoded: an order is for portfolios such as
// were learned from, not for means of such. A term that portfolios without the wish meet on
// average is left open.
func (p *picked) asking(ctx context.Context, g *generate.Generator, donors *generate.Donors, wish portfolio.Wish) (
	*generate.Generator, []float64, error) {
	if !p.over.Network.Config().Conditional {
		missed, err := p.over.missed(ctx)
		return g, slices.Repeat([]float64{missed * p.network.Variance()}, p.set.N), err
	}
	set, _, err := donors.Constrain(p.set, wish)
	if err != nil {
		return nil, nil, err
	}
	largest := 1.0
	if set.Upper != nil && slices.Max(set.Upper)*float64(set.N) > 1 { // else nothing is left to choose
		largest = slices.Max(set.Upper)
	}
	var asked universe.Asked
	for _, t := range wish {
		k := slices.Index(donors.Names, t.Name)
		mean := 0.0
		for _, row := range donors.Rows {
			mean += row[k] / float64(len(donors.Rows))
		}
		if t.Relation != portfolio.Equal && t.Miss(mean) == 0 {
			continue
		}
		switch t.Name {
		case "volatility":
			asked.Volatility = t.Value / math.Sqrt(p.periods)
		case "annual_return":
			value := t.Value / p.periods
			asked.Return = &value
		case "effective_assets":
			asked.Effective = t.Value
		case "max_weight":
			asked.Largest = t.Value
		default:
			asked.Groups = append(asked.Groups, universe.Group{Members: p.measures[k].Vector, Share: t.Value})
		}
	}
	network, err := p.network.Ask(largest, &asked)
	if err != nil {
		return nil, nil, err
	}
	g, err = generate.New(network, p.set)
	return g, network.DecoderVariances(), err
}

// Universes that missed looks at.
var missedSettings = universe.Settings{Universes: 24, Portfolios: 8, LeastPeriods: 60, MostPeriods: 250, Seed: 1}

// missed is how far portfolios lie from what is decoded from codes drawn for them, as a
// share of the variance of a weight: on simulated markets, as the model keeps no record of
// it.
func (m *SetModel) missed(ctx context.Context) (float64, error) {
	var miss, count float64
	rng := stream.New(1, "trained.set.missed", 0)
	err := universe.Simulate(ctx, missedSettings, func(e *universe.Example) error {
		network, err := m.Network.Of(&e.Universe)
		if err != nil {
			return err
		}
		codes, logvar, err := network.EncodeContext(ctx, e.Weights)
		if err != nil {
			return err
		}
		for i, v := range logvar.RawMatrix().Data {
			codes.RawMatrix().Data[i] += math.Exp(v/2) * rng.NormFloat64()
		}
		decoded, err := network.DecodeContext(ctx, codes)
		if err != nil {
			return err
		}
		for i, w := range e.Weights.RawMatrix().Data {
			miss += math.Pow(w-decoded.RawMatrix().Data[i], 2) / network.Variance()
			count++
		}
		return nil
	}, nil)
	return miss / count, err
}

// UsualDraws is for how many portfolios made an order has one: 1 of a model that is told the
// wish, which a choice would draw back to its middle, and 64 of another.
func (m *Model) UsualDraws() int {
	if m.over != nil && !m.over.Network.Config().Conditional {
		return 64
	}
	return 1
}

// studiedOrders is how many portfolios of each kind are compared.
const studiedOrders = 200

// pickStudy compares orders with portfolios of the training recipes over the same
// window, moved to the same wish.
type pickStudy struct {
	generator *generate.Generator
	picked    *picked
	donors    *generate.Donors
	wish      portfolio.Wish
	settings  generate.OrderSettings
	set       simplex.Set // of the wish
	real      *mat.Dense
	apart     float64 // of real ones, squared
	scale     float64 // mean standard deviation of their weights
}

// scores are those of the order, of draws of a Dirichlet mixture in place of the
// model's, and of other portfolios of the recipes. There are none where the recipes have
// no answer in the window.
func (s *pickStudy) scores(ctx context.Context) ([]conditional.Score, error) {
	var err error
	if s.set, _, err = s.donors.Constrain(s.picked.set, s.wish); err != nil {
		return nil, err
	}
	rng := func(name string) *rand.Rand { return stream.New(s.settings.Seed, "trained.order."+name, 0) }
	both, _, err := corpus.Draw(ctx, s.picked.window.Returns, s.set, 2*studiedOrders, rng("real"))
	if err != nil {
		return nil, ctx.Err()
	}
	moved := make([]float64, 2*studiedOrders)
	goals := s.donors.Goals(s.wish)
	if err := polish.All(ctx, s.set, both, func(int) []polish.Goal { return goals }, moved); err != nil {
		return nil, err
	}
	part := func(from int) *mat.Dense { return both.Slice(from, from+studiedOrders, 0, s.set.N).(*mat.Dense) }
	s.real = part(0)
	s.apart = neighbourly(s.real)
	for j := range s.set.N {
		s.scale += stat.StdDev(mat.Col(nil, j, s.real), nil) / float64(s.set.N)
	}
	other := s.settings
	other.Seed++
	own, err := s.generator.Order(ctx, s.wish, s.donors, studiedOrders, other)
	if err != nil {
		return nil, err
	}
	mixture := choose.DirichletMixture("mixture", s.picked.set, rng("mixture"))
	nearest, far, err := s.generator.Sampled(ctx, s.wish, s.donors, studiedOrders, other.Draws, mixture)
	if err != nil {
		return nil, err
	}
	var scores []conditional.Score
	for _, made := range []struct {
		name    string
		weights *mat.Dense
		moved   []float64
	}{
		{"the order", own.Weights, own.Moved},
		{"the nearest of as many draws of a Dirichlet mixture, moved to the wish", nearest, far},
		{"others made for this window", part(studiedOrders), moved[studiedOrders:]},
	} {
		score, err := s.score(ctx, made.name, made.weights)
		if err != nil {
			return nil, err
		}
		score.Moved = stat.Mean(made.moved, nil)
		scores = append(scores, *score)
	}
	return scores, nil
}

// neighbourly is the mean squared distance between a row and the next.
func neighbourly(rows *mat.Dense) (mean float64) {
	n, _ := rows.Dims()
	for i := range n - 1 {
		d := floats.Distance(rows.RawRowView(i), rows.RawRowView(i+1), 2)
		mean += d * d / float64(n-1)
	}
	return mean
}

func (s *pickStudy) score(ctx context.Context, name string, weights *mat.Dense) (*conditional.Score, error) {
	score := &conditional.Score{Name: name, Asked: studiedOrders, Misses: map[string]float64{},
		Spread: math.Sqrt(neighbourly(weights) / s.apart)}
	for _, g := range s.donors.Goals(s.wish) {
		for i := range studiedOrders {
			score.Misses[g.Measure.Name] += g.Miss(g.Measure.Value(weights.RawRowView(i))) / studiedOrders
		}
	}
	scaled := func(rows *mat.Dense) *mat.Dense {
		var out mat.Dense
		out.Scale(1/(s.scale*math.Sqrt(float64(s.set.N))), rows)
		return &out
	}
	var err error
	score.JointEnergy, score.JointEnergySE, err = fidelity.PairedEnergy(ctx, scaled(weights), scaled(s.real))
	if err != nil {
		return nil, err
	}
	overlap, err := fidelity.MeasureOverlap(ctx, s.real, weights, 5)
	if err != nil {
		return nil, err
	}
	separation, err := fidelity.MeasureSeparation(ctx, weights, s.real, s.settings.Seed)
	if err != nil {
		return nil, err
	}
	score.Recall, score.Coverage, score.AUC = overlap.Recall, overlap.Coverage, separation.AUC
	return score, nil
}
