package trained

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/fidelity"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

// The rivals of a model over sets on one universe.
const (
	rivalSet     = "the model over sets"
	rivalFixed   = "a fixed model trained on the universe"
	rivalMixture = "a Dirichlet mixture"
	rivalMichaud = "resampled optimisation"
	rivalAscent  = "projected gradient"
	rivalRecipes = "others of the recipes"
)

var fixedRivals = []string{rivalSet, rivalFixed, rivalMixture, rivalMichaud, rivalAscent, rivalRecipes}

// contest is what a rival reaches, in means over universes; NaN: it makes no such thing.
type contest struct{ r2, sharpe, least, energy, coverage float64 }

func (c contest) String() string {
	text := ""
	for i, v := range []float64{c.r2, c.sharpe, c.least, c.energy, c.coverage} {
		if i > 0 {
			text += " | "
		}
		if math.IsNaN(v) {
			text += "-"
		} else {
			text += fmt.Sprintf("%.3f", v)
		}
	}
	return text
}

// contestRows is how many portfolios of a universe samples are compared with.
const contestRows = 100

// besideFixed compares the model with a fixed one of the same beta and dimensions that
// is trained on other portfolios of the universe, and with what needs no model, on so many
// held-out universes whose bound is a standard error or more.
func besideFixed(t *testing.T, m *SetModel, all []*universe.Example, count, steps int) map[string]contest {
	t.Helper()
	b, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	sums, done := map[string]contest{}, 0
	for _, e := range all {
		if !e.HeldOut || done == count {
			continue
		}
		c := newContestant(t, e)
		if c == nil {
			continue
		}
		done++
		own, err := m.Of(&e.Universe)
		if err != nil {
			t.Fatal(err)
		}
		for name, score := range map[string]contest{
			rivalSet: c.model(own), rivalFixed: c.model(c.fixed(b, m.Network.Config(), steps)),
			rivalMixture: c.mixture(), rivalMichaud: c.michaud(), rivalAscent: c.ascent(),
			rivalRecipes: c.sample(c.train.Slice(0, contestRows, 0, e.Assets()).(*mat.Dense)),
		} {
			s, ok := sums[name]
			if !ok {
				s.least = math.Inf(1)
			}
			sums[name] = contest{s.r2 + score.r2, s.sharpe + score.sharpe, min(s.least, score.sharpe),
				s.energy + score.energy, s.coverage + score.coverage}
		}
	}
	for name, s := range sums {
		n := float64(done)
		sums[name] = contest{s.r2 / n, s.sharpe / n, s.least, s.energy / n, s.coverage / n}
	}
	t.Logf("%d universes", done)
	return sums
}

// contestant is a universe in which models and rivals meet.
type contestant struct {
	t           *testing.T
	e           *universe.Example
	set         simplex.Set
	objective   metrics.Objective
	bound       float64
	train, test *mat.Dense // portfolios
}

// newContestant returns nil for a universe whose bound is less than a standard error.
func newContestant(t *testing.T, e *universe.Example) *contestant {
	t.Helper()
	n := e.Assets()
	c := &contestant{t: t, e: e, set: simplex.Set{N: n, Upper: slices.Repeat([]float64{e.Cap}, n)}}
	best, err := optimize.Solve(t.Context(), optimize.MaxSharpe, c.inputs())
	if err != nil {
		return nil // no mean is above 0
	}
	c.objective, err = metrics.NewMomentObjective("sharpe", e.Mean, e.Cov, metrics.Settings{PeriodsPerYear: 1})
	c.must(err)
	c.bound = c.objective.Value(best.Weights)
	if c.bound*math.Sqrt(float64(e.Periods)) < 1 {
		return nil
	}
	rows, _ := e.Weights.Dims()
	if rows < 3*contestRows {
		t.Fatalf("universe %s has %d portfolios, and needs %d: make the corpus with more -portfolios", e.ID, rows,
			3*contestRows)
	}
	c.train = e.Weights.Slice(0, rows-contestRows, 0, n).(*mat.Dense)
	c.test = e.Weights.Slice(rows-contestRows, rows, 0, n).(*mat.Dense)
	return c
}

func (c *contestant) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatalf("universe %s: %v", c.e.ID, err)
	}
}

func (c *contestant) inputs() *optimize.Inputs {
	return &optimize.Inputs{Set: c.set, Mean: c.e.Mean, Cov: c.e.Cov}
}

// fixed trains a model of this universe alone.
func (c *contestant) fixed(b *vae.Backend, like vae.SetConfig, steps int) *Model {
	config, schedule := vae.DefaultConfig(c.e.Assets()), vae.DefaultSchedule()
	config.Latent, config.Beta, config.MaxWeight, schedule.Steps = like.Latent, like.Beta, c.e.Cap, steps
	symbols := make([]string, c.e.Assets())
	for i := range symbols {
		symbols[i] = fmt.Sprint("A", i)
	}
	m, _, err := Make(c.t.Context(), b, &Data{Symbols: symbols, Train: c.train, Set: &c.set},
		Settings{Config: config, Schedule: schedule, Components: setComponents, NoStudy: true}, c.t.TempDir(), Reports{})
	c.must(err)
	return m
}

// model is what a model reaches.
func (c *contestant) model(m *Model) contest {
	ctx := c.t.Context()
	generator, err := generate.New(m.Network, c.set)
	c.must(err)
	drawn, err := generator.Sample(ctx, contestRows, m.Aggregate, 1)
	c.must(err)
	score := c.sample(drawn.Weights)
	mean, _, err := m.Network.EncodeContext(ctx, c.test)
	c.must(err)
	decoded, err := generator.Decode(ctx, mean)
	c.must(err)
	var miss, spread float64
	for i := range contestRows {
		for k, x := range c.test.RawRowView(i) {
			miss += math.Pow(x-decoded.Weights.At(i, k), 2)
			spread += math.Pow(x-1/float64(c.set.N), 2)
		}
	}
	search := ballSearch(1) // by gradients, which both models have
	search.Radius = math.Inf(1)
	found, err := generator.Optimize(ctx, c.objective, generate.Prior{}, search)
	c.must(err)
	score.r2, score.sharpe = 1-miss/spread, found.Values[found.Best]/c.bound
	return score
}

// sample compares draws with other portfolios of the recipes.
func (c *contestant) sample(drawn *mat.Dense) contest {
	energy, _, err := fidelity.PairedEnergy(c.t.Context(), drawn, c.test)
	c.must(err)
	overlap, err := fidelity.MeasureOverlap(c.t.Context(), c.test, drawn, 5)
	c.must(err)
	return contest{math.NaN(), math.NaN(), math.NaN(), energy, overlap.Coverage}
}

func (c *contestant) mixture() contest {
	sampler := choose.DirichletMixture("mixture", c.set, stream.New(1, "trained.worth.mixture", 0))
	drawn, err := sampler.Draw(c.t.Context(), contestRows)
	c.must(err)
	score := c.sample(mat.DenseCopyOf(drawn))
	rivals, err := choose.Rivals(c.t.Context(), c.objective, []choose.Sampler{sampler}, mixtureDraws, nil)
	c.must(err)
	score.sharpe = rivals[0].Value / c.bound
	return score
}

func (c *contestant) michaud() contest {
	w, err := optimize.Resampled(c.t.Context(), optimize.MaxSharpe, c.inputs(),
		optimize.Resampling{Periods: c.e.Periods}, stream.New(1, "trained.worth.michaud", 0))
	c.must(err)
	return contest{math.NaN(), c.objective.Value(w) / c.bound, math.NaN(), math.NaN(), math.NaN()}
}

func (c *contestant) ascent() contest {
	a, err := choose.ProjectedGradient(c.t.Context(), c.objective, c.set, choose.AscentSettings{
		Evaluations: 2 * searchStarts * searchIterations, Rng: stream.New(1, "trained.worth.ascent", 0),
	})
	c.must(err)
	return contest{math.NaN(), a.Value / c.bound, math.NaN(), math.NaN(), math.NaN()}
}
