package lab

import (
	"cmp"
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/inference"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

// source makes the model of a history ready, once.
type source func(h *history, ctx context.Context) (*decoder, error)

// family are the uses of a generator that was trained on portfolios made from the
// history alone.
func family() []member {
	own := (*history).decoder
	return []member{
		{"latent-sharpe", Family, climb(own, moments.Sample, search{})},
		{"latent-sharpe-prior-0.1", Family, climb(own, moments.Sample, search{prior: 0.1})},
		{"latent-sharpe-prior-0.3", Family, climb(own, moments.Sample, search{prior: 0.3})},
		{"latent-sharpe-prior-1", Family, climb(own, moments.Sample, search{prior: 1})},
		{"latent-sharpe-chosen", Family, chosen},
		{"latent-shrunken", Family, climb(own, moments.EmpiricalBayes, search{})},
		{"latent-shrunken-prior-0.1", Family, climb(own, moments.EmpiricalBayes, search{prior: 0.1})},
		{"latent-shrunken-prior-0.3", Family, climb(own, moments.EmpiricalBayes, search{prior: 0.3})},
		{"posterior-mean", Family, posterior(own, moments.Sample)},
		{"posterior-mean-shrunken", Family, posterior(own, moments.EmpiricalBayes)},
		{"sampled-max-min", Family, maxMin},
		{"sampled-shrunken", Family, sampled(own, 0)},
		{"sampled-shrunken-mean", Family, sampled(own, 0.05)},
		{"generator-mean", Family, sampled(own, 1)},
		{"latent-sharpe-regime", Family, onRegime},
		{"half-latent-empirical-bayes", Family,
			half(climb(own, moments.Sample, search{prior: 0.3}), largestSharpe(moments.EmpiricalBayes))},
	}
}

// zeroShot are the uses of a model over sets of assets that has never seen the
// world's, nor any portfolio of them.
func zeroShot() []member {
	placed := (*history).placed
	return []member{
		{"zero-shot-sharpe", Family, climb(placed, moments.Sample, search{})},
		{"zero-shot-sharpe-prior-0.1", Family, climb(placed, moments.Sample, search{prior: 0.1})},
		{"zero-shot-sharpe-prior-0.3", Family, climb(placed, moments.Sample, search{prior: 0.3})},
		{"zero-shot-shrunken", Family, climb(placed, moments.EmpiricalBayes, search{})},
		{"zero-shot-posterior-mean", Family, posterior(placed, moments.Sample)},
		{"zero-shot-mean", Family, sampled(placed, 1)},
	}
}

// decoder is a model of portfolios of a history, ready for use.
type decoder struct {
	generator *generate.Generator
	density   generate.Density // of the codes of its training portfolios
	batch     *mat.Dense       // samples, once they were asked for
	found     map[search][]float64
}

// search is how a latent space is searched.
type search struct {
	means  string
	prior  float64 // weight of |z|^2 in the annual Sharpe ratio
	radius float64 // of the ball beside that of 95 %; 0 means 1
}

// placed returns the model over sets of assets, placed in the history's.
func (h *history) placed(context.Context) (*decoder, error) {
	if h.universal != nil {
		return h.universal, nil
	}
	u, err := universe.New(h.window.Symbols, h.window.Returns, 1)
	if err != nil {
		return nil, err
	}
	model, err := h.set.Of(u)
	if err != nil {
		return nil, err
	}
	generator, err := generate.New(model.Network, h.allowed())
	if err != nil {
		return nil, err
	}
	h.universal = &decoder{generator: generator, density: model.Aggregate, found: map[search][]float64{}}
	return h.universal, nil
}

// decoder returns the model of the history.
func (h *history) decoder(ctx context.Context) (*decoder, error) {
	var err error
	if h.model == nil {
		h.model, err = h.train(ctx, h.window, nil)
	}
	return h.model, err
}

// train makes a model of portfolios that are made from a window alone. told gives
// each rolling window of the training set a level of the regime; nil: the model is
// told nothing, else the model returned is given that of the whole window's end.
func (h *history) train(ctx context.Context, window *market.Window, told func(from, to int) int) (*decoder, error) {
	periods, set := len(window.Times), h.allowed()
	made, err := corpus.Build(ctx, window, set, nil, corpus.Config{
		N: h.settings.Rows, Seed: h.seed, Lookbacks: []int{max(10, periods/6), max(20, periods/3)},
		PeriodsPerYear: periodsPerYear,
	}, nil)
	if err != nil {
		return nil, err
	}
	rows, _ := made.Split()
	config, schedule := vae.DefaultConfig(set.N), vae.DefaultSchedule()
	config.Seed, schedule.Steps = h.seed, h.settings.Steps
	config.EnsureDefaults()
	var options vae.TrainOptions
	if told != nil {
		config.Conditions = []vae.Condition{{Name: "regime", Levels: []string{"calm", "turbulent"}}}
		options.Conditions = mat.NewDense(len(made.Rows), 1, nil)
		for i, r := range made.Rows {
			span := made.Spans[r.Span]
			options.Conditions.Set(i, 0, float64(told(span.From, span.To)))
		}
	}
	model, _, err := vae.Train(ctx, h.backend, config, schedule, rows, nil, options)
	if err != nil {
		return nil, err
	}
	if told != nil {
		length := max(10, periods/6)
		if model, err = model.Given([]float64{float64(told(periods-length, periods))}); err != nil {
			return nil, err
		}
		generator, err := generate.New(model, set)
		return &decoder{generator: generator, density: generate.Prior{}, found: map[search][]float64{}}, err
	}
	generator, err := generate.New(model, set)
	if err != nil {
		return nil, err
	}
	density, err := generate.FitAggregate(ctx, model, rows, generate.AggregateSettings{Components: 5, Seed: h.seed})
	return &decoder{generator: generator, density: density, found: map[search][]float64{}}, err
}

// ratio is the annual Sharpe ratio over the history by [history.means].
func (h *history) ratio(name string) (*ratio, error) {
	mean, m, err := h.means(name)
	if err != nil {
		return nil, err
	}
	return newRatio(mean, m.Cov), nil
}

// climb is a latent search over the whole history.
func climb(from source, means string, s search) rule {
	s.means = means
	return func(ctx context.Context, h *history) ([]float64, error) {
		d, err := from(h, ctx)
		if err != nil {
			return nil, err
		}
		return h.search(ctx, d, s)
	}
}

// search climbs once for each way of searching.
func (h *history) search(ctx context.Context, d *decoder, s search) ([]float64, error) {
	if w := d.found[s]; w != nil {
		return w, nil
	}
	objective, err := h.ratio(s.means)
	if err != nil {
		return nil, err
	}
	w, err := d.climb(ctx, objective, s, h.seed)
	if err == nil {
		d.found[s] = w
	}
	return w, err
}

// climb searches the latent space for the best code.
func (d *decoder) climb(ctx context.Context, objective metrics.Objective, s search, seed uint64) ([]float64, error) {
	optimum, err := d.generator.Optimize(ctx, objective, d.density, generate.OptimizeSettings{
		Starts: 16, Iterations: 40, Seed: seed, PriorWeight: s.prior,
		Radius: cmp.Or(s.radius, 1) * generate.Radius95(d.generator.Latent()),
	})
	if err != nil {
		return nil, err
	}
	return optimum.Weights.RawRowView(optimum.Best), nil
}

// candidates are the ways of searching that [chosen] chooses among.
var candidates = []search{
	{means: moments.Sample}, {means: moments.Sample, prior: 0.1}, {means: moments.Sample, prior: 0.3},
	{means: moments.Sample, prior: 1}, {means: moments.Sample, radius: 0.5},
	{means: moments.Sample, radius: 0.5, prior: 0.3},
}

// chosen searches with the prior's weight and the radius that did best inside the
// history: a model of its first two thirds, searched over these with each, judged
// by the last third.
func chosen(ctx context.Context, h *history) ([]float64, error) {
	periods := len(h.window.Times)
	first, last := h.window.Slice(0, periods*2/3), h.window.Slice(periods*2/3, periods)
	d, err := h.train(ctx, first, nil)
	if err != nil {
		return nil, err
	}
	before, err := moments.Estimate(moments.Sample, first.Returns)
	if err != nil {
		return nil, err
	}
	after, err := moments.Estimate(moments.Sample, last.Returns)
	if err != nil {
		return nil, err
	}
	objective, judge := newRatio(before.Mean, before.Cov), newRatio(after.Mean, after.Cov)
	best, value := candidates[0], math.Inf(-1)
	for _, s := range candidates {
		w, err := d.climb(ctx, objective, s, h.seed)
		if err != nil {
			return nil, err
		}
		if v := judge.Value(w); v > value {
			best, value = s, v
		}
	}
	if d, err = h.decoder(ctx); err != nil {
		return nil, err
	}
	return h.search(ctx, d, best)
}

// onRegime searches a model that is told the regime: whether the volatility of the
// basket is above its median over the rolling windows.
func onRegime(ctx context.Context, h *history) ([]float64, error) {
	periods, n := h.window.Returns.Dims()
	basket := make([]float64, periods)
	for t := range periods {
		for _, r := range h.window.Returns.RawRowView(t) {
			basket[t] += r / float64(n)
		}
	}
	volatility := func(from, to int) float64 {
		var sum float64
		for _, r := range basket[from:to] {
			sum += r * r
		}
		return sum / float64(to-from)
	}
	length := max(10, periods/6)
	var levels []float64
	for from := 0; from+length <= periods; from++ {
		levels = append(levels, volatility(from, from+length))
	}
	slices.Sort(levels)
	middle := levels[len(levels)/2]
	d, err := h.train(ctx, h.window, func(from, to int) int {
		if volatility(max(from, to-length), to) > middle {
			return 1
		}
		return 0
	})
	if err != nil {
		return nil, err
	}
	return h.search(ctx, d, search{means: moments.Sample})
}

// samples returns portfolios that a model makes (N x n).
func (h *history) samples(ctx context.Context, from source) (*mat.Dense, error) {
	d, err := from(h, ctx)
	if err != nil {
		return nil, err
	}
	if d.batch != nil {
		return d.batch, nil
	}
	batch, err := d.generator.Sample(ctx, h.settings.Samples, d.density, h.seed)
	if err != nil {
		return nil, err
	}
	d.batch = batch.Weights
	return d.batch, nil
}

// posterior is the mean over the posterior of good codes: with codes drawn from the
// prior, each counts exp(T s^2/2), s the Sharpe ratio per period of its portfolio
// over T periods (with its sign), which is how much likelier the history is with
// that mean return than with none.
func posterior(from source, means string) rule {
	return func(ctx context.Context, h *history) ([]float64, error) {
		samples, err := h.samples(ctx, from)
		if err != nil {
			return nil, err
		}
		objective, err := h.ratio(means)
		if err != nil {
			return nil, err
		}
		rows, n := samples.Dims()
		logs := make([]float64, rows)
		for i := range logs {
			s := objective.Value(samples.RawRowView(i)) / math.Sqrt(periodsPerYear)
			logs[i] = math.Copysign(float64(len(h.window.Times))*s*s/2, s)
		}
		top := slices.Max(logs)
		mean, total := make([]float64, n), 0.0
		for i, l := range logs {
			share := math.Exp(l - top)
			total += share
			for j, w := range samples.RawRowView(i) {
				mean[j] += share * w
			}
		}
		return scaled(mean, 1/total), nil
	}
}

// sampled is the mean of the best share of the samples by the shrunken objective; 0
// is the best one alone.
func sampled(from source, share float64) rule {
	return func(ctx context.Context, h *history) ([]float64, error) {
		samples, err := h.samples(ctx, from)
		if err != nil {
			return nil, err
		}
		objective, err := h.ratio(moments.EmpiricalBayes)
		if err != nil {
			return nil, err
		}
		rows, n := samples.Dims()
		values, order := make([]float64, rows), make([]int, rows)
		for i := range order {
			order[i], values[i] = i, objective.Value(samples.RawRowView(i))
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(values[b], values[a]) })
		count := max(1, int(share*float64(rows)))
		mean := make([]float64, n)
		for _, i := range order[:count] {
			for j, w := range samples.RawRowView(i) {
				mean[j] += w
			}
		}
		return scaled(mean, 1/float64(count)), nil
	}
}

// maxMin is the sample whose least Sharpe ratio over resampled histories is the
// largest.
func maxMin(ctx context.Context, h *history) ([]float64, error) {
	const scenarios, block = 16, 5
	samples, err := h.samples(ctx, (*history).decoder)
	if err != nil {
		return nil, err
	}
	m, err := h.moments(moments.LedoitWolf)
	if err != nil {
		return nil, err
	}
	rng := h.stream("scenarios")
	var drawn []*ratio
	for range scenarios {
		returns := inference.Resample(h.window.Returns, len(h.window.Times), block, rng)
		drawn = append(drawn, newRatio(moments.Mean(returns), m.Cov))
	}
	rows, _ := samples.Dims()
	best, value := 0, math.Inf(-1)
	for i := range rows {
		worst := math.Inf(1)
		for _, r := range drawn {
			worst = min(worst, r.Value(samples.RawRowView(i)))
		}
		if worst > value {
			best, value = i, worst
		}
	}
	return samples.RawRowView(best), nil
}

// scaled multiplies in place.
func scaled(v []float64, factor float64) []float64 {
	for i := range v {
		v[i] *= factor
	}
	return v
}
