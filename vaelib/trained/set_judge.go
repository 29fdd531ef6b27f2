package trained

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/universe"
)

// SetDiagnosis says what a model over sets is worth on universes that it has not
// learned from.
type SetDiagnosis struct {
	Universes  int `json:"universes"`
	Portfolios int `json:"portfolios"`
	// R2 is 1 - sum |x - decode(E[z|x])|^2 / sum |x - 1/n|^2 over all portfolios, and
	// over those of universes without and with a largest weight below 1.
	R2         *float64 `json:"r2"`
	R2Uncapped *float64 `json:"r2_uncapped"`
	R2Capped   *float64 `json:"r2_capped"`
	// ActiveUnits are the latent dimensions whose E[z|x] has a variance above 0.01.
	ActiveUnits int             `json:"active_units"`
	KL          float64         `json:"kl_nats"` // a portfolio
	Searches    *SearchesWorth  `json:"searches"`
	ByUniverse  []UniverseWorth `json:"by_universe"`
}

// SearchesWorth are the searches for the largest Sharpe ratio, in shares of the
// convex bound, beside their rivals.
//
// A share means little where the bound itself is hardly above 0. So the medians and
// least are those of universes whose bound is at least a standard error of an estimated
// Sharpe ratio, 1/sqrt(T); what is missing in the others stands in MostMissing.
type SearchesWorth struct {
	Universes  int     `json:"universes"` // whose bound is at least a standard error
	Faint      int     `json:"faint"`     // whose bound is above 0, and less than that
	Decodings  int     `json:"decodings"` // of a search
	Draws      int     `json:"draws"`     // of the Dirichlet mixture
	Median     float64 `json:"latent_median"`
	Least      float64 `json:"latent_least"`
	BallMedian float64 `json:"latent_in_ball_median"` // of searches that stay in the ball of [generate.Radius95]
	BallLeast  float64 `json:"latent_in_ball_least"`
	// MostMissing is the largest difference between bound and search, in standard
	// errors, of all universes whose bound is above 0.
	MostMissing    float64 `json:"latent_most_missing"`
	MixtureMedian  float64 `json:"mixture_median"`
	GradientMedian float64 `json:"projected_gradient_median"`
	// GradientInTime is that of projected gradient which begins anew for as long as the
	// latent search took.
	GradientInTime   float64 `json:"projected_gradient_median_in_latent_seconds"`
	GradientSeconds  float64 `json:"projected_gradient_seconds"` // all searches together
	LatentSeconds    float64 `json:"latent_seconds"`
	GradientMatching float64 `json:"projected_gradient_share_of_time"` // that matching the latent search takes, median
}

// UniverseWorth is one universe's.
type UniverseWorth struct {
	ID      string   `json:"id"`
	Assets  int      `json:"assets"`
	Periods int      `json:"periods"`
	Cap     float64  `json:"cap"`
	R2      *float64 `json:"r2"`
	Bound   *float64 `json:"bound"`         // in standard errors, 1/sqrt(T); nil: not searched, or none above 0
	Latent  *float64 `json:"latent_sharpe"` // over the bound, as the others
	Ball    *float64 `json:"latent_in_ball_sharpe"`
	Mixture *float64 `json:"mixture_sharpe"`

	miss, spread               float64 // sums of squares
	gradient, inTime, matching float64
}

// What a diagnosis looks at, at most.
const (
	judgedUniverses   = 200
	searchedUniverses = 40
	searchPool        = 320 // codes, the best of which climb
	searchStarts      = 4
	searchIterations  = 240
	ballPool          = 640 // of the search in the prior's ball, of as many codes in all
	ballStarts        = 8
	ballIterations    = 80
	mixtureDraws      = 5120
)

// Judge measures the model on the held-out universes of examples: how well it holds
// portfolios, and how near a search among its codes comes to the largest Sharpe ratio
// of each universe, beside the best of draws from a Dirichlet mixture and projected
// gradient on the weights. It returns nil where nothing is held out.
func (m *SetModel) Judge(ctx context.Context, examples []*universe.Example, seed uint64,
	progress func(done, total int, note string)) (*SetDiagnosis, error) {
	var heldOut []*universe.Example
	for _, e := range examples {
		if e.HeldOut && len(heldOut) < judgedUniverses {
			heldOut = append(heldOut, e)
		}
	}
	if len(heldOut) == 0 {
		return nil, nil
	}
	d := &SetDiagnosis{Universes: len(heldOut)}
	j := &judge{model: m, seed: seed}
	for i, e := range heldOut {
		w, err := j.universe(ctx, e, i < searchedUniverses)
		if err != nil {
			return nil, fmt.Errorf("universe %s: %w", e.ID, err)
		}
		d.ByUniverse = append(d.ByUniverse, *w)
		rows, _ := e.Weights.Dims()
		d.Portfolios += rows
		if progress != nil {
			progress(i+1, len(heldOut), "universes")
		}
	}
	d.KL = j.kl / float64(d.Portfolios)
	latent := m.Network.Config().Latent
	for k := range latent {
		var means []float64
		for i := k; i < len(j.means); i += latent {
			means = append(means, j.means[i])
		}
		if stat.Variance(means, nil) > 0.01 {
			d.ActiveUnits++
		}
	}
	d.R2 = r2(d.ByUniverse, func(UniverseWorth) bool { return true })
	d.R2Uncapped = r2(d.ByUniverse, func(w UniverseWorth) bool { return w.Cap == 1 })
	d.R2Capped = r2(d.ByUniverse, func(w UniverseWorth) bool { return w.Cap < 1 })
	d.Searches = j.searches(d.ByUniverse)
	return d, nil
}

// r2 pools the universes chosen; nil: there are none.
func r2(worth []UniverseWorth, chosen func(UniverseWorth) bool) *float64 {
	var miss, spread float64
	for _, w := range worth {
		if chosen(w) {
			miss, spread = miss+w.miss, spread+w.spread
		}
	}
	if spread == 0 {
		return nil
	}
	v := 1 - miss/spread
	return &v
}

// judge gathers what the universes have in common.
type judge struct {
	model                  *SetModel
	seed                   uint64
	kl                     float64
	means                  []float64
	latentTime, ascentTime time.Duration
}

func (j *judge) universe(ctx context.Context, e *universe.Example, search bool) (*UniverseWorth, error) {
	model, err := j.model.Of(&e.Universe)
	if err != nil {
		return nil, err
	}
	w := &UniverseWorth{ID: e.ID, Assets: e.Assets(), Periods: e.Periods, Cap: e.Cap}
	mean, logvar, err := model.Network.EncodeContext(ctx, e.Weights)
	if err != nil {
		return nil, err
	}
	decoded, err := model.Network.DecodeContext(ctx, mean)
	if err != nil {
		return nil, err
	}
	rows, n := decoded.Dims()
	for i := range rows {
		for k, x := range e.Weights.RawRowView(i) {
			w.miss += math.Pow(x-decoded.At(i, k), 2)
			w.spread += math.Pow(x-1/float64(n), 2)
		}
		j.means = append(j.means, mean.RawRowView(i)...)
		for k, v := range logvar.RawRowView(i) {
			j.kl += (math.Exp(v) + math.Pow(mean.At(i, k), 2) - 1 - v) / 2
		}
	}
	if w.spread > 0 {
		v := 1 - w.miss/w.spread
		w.R2 = &v
	}
	if !search {
		return w, nil
	}
	return w, j.search(ctx, model, e, w)
}

// judgedSearch are the settings of the searches by which a model is judged: a quarter of the
// decodings are draws from the prior, and the best of them climb, in weights and without a
// bound on |z|, since corners of the constraint set are decoded from codes far out.
func judgedSearch(seed uint64) generate.OptimizeSettings {
	return generate.OptimizeSettings{
		Pool: searchPool, Starts: searchStarts, Iterations: searchIterations, Follow: true, Radius: math.Inf(1),
		Seed: seed,
	}
}

// ballSearch are those of the searches of as many codes inside the ball of
// [generate.Radius95], where climbing in weights gains nothing.
func ballSearch(seed uint64) generate.OptimizeSettings {
	return generate.OptimizeSettings{
		Pool: ballPool, Starts: ballStarts, Iterations: ballIterations, Step: 0.3, Seed: seed,
	}
}

// search looks for the largest Sharpe ratio, by the model and by its rivals.
func (j *judge) search(ctx context.Context, model *Model, e *universe.Example, w *UniverseWorth) error {
	n := e.Assets()
	set := simplex.Set{N: n, Upper: slices.Repeat([]float64{e.Cap}, n)}
	objective, err := metrics.NewMomentObjective("sharpe", e.Mean, e.Cov, metrics.Settings{PeriodsPerYear: 1})
	if err != nil {
		return err
	}
	var solver optimize.Solver
	best, err := solver.Solve(ctx, optimize.MaxSharpe, &optimize.Inputs{Set: set, Mean: e.Mean, Cov: e.Cov})
	if err != nil {
		return ctx.Err() // no portfolio has a mean above 0, where a ratio of ratios says nothing
	}
	bound := objective.Value(best.Weights)
	if !(bound > 0) {
		return nil
	}
	generator, err := generate.New(model.Network, set)
	if err != nil {
		return err
	}
	inside, err := generator.Optimize(ctx, objective, generate.Prior{}, ballSearch(j.seed))
	if err != nil {
		return err
	}
	start := time.Now()
	found, err := generator.Optimize(ctx, objective, generate.Prior{}, judgedSearch(j.seed))
	if err != nil {
		return err
	}
	took := time.Since(start)
	latent, ball := found.Values[found.Best]/bound, inside.Values[inside.Best]/bound
	errors := bound * math.Sqrt(float64(e.Periods))
	rng := stream.New(j.seed, "trained.judge", uint64(n))
	rivals, err := choose.Rivals(ctx, objective, []choose.Sampler{choose.DirichletMixture("mixture", set, rng)},
		mixtureDraws, nil)
	if err != nil {
		return err
	}
	mixture := rivals[0].Value / bound
	ascent, err := choose.ProjectedGradient(ctx, objective, set, choose.AscentSettings{
		Evaluations: found.Evaluated, Target: found.Values[found.Best], Rng: rng,
	})
	if err != nil {
		return err
	}
	again, err := choose.ProjectedGradient(ctx, objective, set, choose.AscentSettings{
		Evaluations: math.MaxInt, Starts: math.MaxInt, Time: took, Rng: rng,
	})
	if err != nil {
		return err
	}
	w.Bound, w.Latent, w.Ball, w.Mixture = &errors, &latent, &ball, &mixture
	w.gradient, w.inTime = ascent.Value/bound, again.Value/bound
	w.matching = math.Inf(1)
	if ascent.Matched > 0 {
		w.matching = ascent.MatchedAfter.Seconds() / took.Seconds()
	}
	j.latentTime, j.ascentTime = j.latentTime+took, j.ascentTime+ascent.Elapsed
	return nil
}

// searches sums the searches up; nil: there were none.
func (j *judge) searches(worth []UniverseWorth) *SearchesWorth {
	s := &SearchesWorth{
		Decodings: searchPool + searchStarts*searchIterations, Draws: mixtureDraws,
		GradientSeconds: j.ascentTime.Seconds(), LatentSeconds: j.latentTime.Seconds(),
	}
	var latent, ball, mixture, gradient, inTime, matching []float64
	for _, w := range worth {
		if w.Bound == nil {
			continue
		}
		s.MostMissing = max(s.MostMissing, *w.Bound*(1-*w.Latent))
		if *w.Bound < 1 {
			s.Faint++
			continue
		}
		latent, ball, mixture = append(latent, *w.Latent), append(ball, *w.Ball), append(mixture, *w.Mixture)
		gradient, inTime = append(gradient, w.gradient), append(inTime, w.inTime)
		matching = append(matching, w.matching)
	}
	s.Universes = len(latent)
	if len(latent) == 0 {
		return nil
	}
	middle := func(x []float64) float64 {
		x = slices.Sorted(slices.Values(x))
		return stat.Quantile(0.5, stat.Empirical, x, nil)
	}
	s.Median, s.Least, s.MixtureMedian = middle(latent), floats.Min(latent), middle(mixture)
	s.BallMedian, s.BallLeast = middle(ball), floats.Min(ball)
	s.GradientMedian, s.GradientInTime = middle(gradient), middle(inTime)
	s.GradientMatching = min(middle(matching), math.MaxFloat64)
	return s
}

// String says it in a line.
func (d *SetDiagnosis) String() string {
	if d == nil {
		return "no universes are held out, so that nothing can be measured"
	}
	text := fmt.Sprintf("%d universes held out, %d units active, KL %.2f nats", d.Universes, d.ActiveUnits, d.KL)
	if d.R2 != nil {
		text += fmt.Sprintf(", R2 against equal weights %.3f", *d.R2)
	}
	if s := d.Searches; s != nil {
		text += fmt.Sprintf("; Sharpe ratio over the convex bound in %d universes whose bound is a standard error or "+
			"more: latent search of %d codes %.4f (median; least %.4f), in the prior's ball %.4f (%.4f), best of %d "+
			"draws of a Dirichlet mixture %.4f, projected gradient %.4f in the same time, and as good as the search "+
			"after %.2g of it", s.Universes, s.Decodings, s.Median, s.Least, s.BallMedian, s.BallLeast, s.Draws,
			s.MixtureMedian, s.GradientInTime, s.GradientMatching)
	}
	return text
}
