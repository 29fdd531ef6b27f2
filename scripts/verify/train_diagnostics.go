package main

import (
	"context"
	"fmt"
	"maps"
	"math"

	"vaefolio/vaelib/stream"
)

// judged judges the network by the rows held out.
func (f *folder) judged(n *network, l *learned) (*judgement, error) {
	files := []string{"config.toml", f.inModel("model.json"), f.inModel("model.safetensors")}
	return recall(f, "judged", files, func() (*judgement, error) {
		return n.judge(l.rows.heldOut, l.told.heldOut, l.components.mean), nil
	})
}

// checkDiagnostics recomputes how good the model is by the rows held out.
func (f *folder) checkDiagnostics(ctx context.Context) error {
	const file = "diagnostics.json"
	l, err := f.learned()
	if err != nil {
		return err
	}
	if l == nil {
		return f.checkSetDiagnostics()
	}
	if len(l.rows.heldOut) < 2 {
		f.equal(file, "made of held-out rows that there aren't", f.has(file), false)
		return nil
	}
	s, err := f.object(file)
	if err != nil {
		return err
	}
	f.equal(file, "rows", s["rows"], len(l.rows.heldOut))
	n, err := f.readNetwork(f.modelDir())
	if err != nil {
		return err
	}
	j, err := f.judged(n, l)
	if err != nil {
		return err
	}
	f.list(file, "kl_per_dimension", s, j.klPerDimension)
	f.list(file, "mean_variances", s, j.meanVariances)
	f.list(file, "code_means", s, j.codeMeans)
	f.list(file, "code_variances", s, j.codeVariances)
	f.near(file, "beta", s["beta"], n.beta(), 1e-9)
	m, err := f.linear(n, l)
	if err != nil {
		return err
	}
	f.equal(file, "predicted_units", s["predicted_units"], m.predicted)
	if err := f.checkLikelihoods(s, n, l, m); err != nil {
		return err
	}
	if l.conditional && s["orders"] != nil {
		var orders any
		if err := f.json("orders.json", &orders); err != nil {
			return err
		}
		f.equal("orders.json", "those of diagnostics.json", orders, s["orders"])
	}
	return f.checkQuality(ctx, file, s, n, l)
}

// checkQuality recomputes the figures that a verdict goes by, and the verdict.
func (f *folder) checkQuality(ctx context.Context, file string, s map[string]any, n *network, l *learned) error {
	j, err := f.judged(n, l)
	if err != nil {
		return err
	}
	m, err := f.linear(n, l)
	if err != nil {
		return err
	}
	f.near(file, "active_units", s["active_units"], j.active, 0)
	f.near(file, "kl_nats", s["kl_nats"], j.kl, single)
	f.near(file, "r2", s["r2"], j.r2, single)
	f.near(file, "r2_pca", s["r2_pca"], l.components.r2(l.rows.heldOut, n.document.Config.Latent), 1e-9)
	f.near(file, "r2_linear", s["r2_linear"], m.r2, m.tolerance)
	f.list(file, "thresholds", s, m.thresholds)
	if err := f.checkDispersions(ctx, file, s, n, l); err != nil {
		return err
	}
	if l.conditional {
		if err := f.checkControl(ctx, file, s, n, l); err != nil {
			return err
		}
	}
	f.equal(file, "health", s["health"], verdictOf(s, m.predicted))
	f.equal(file, "health_reasons", s["health_reasons"], reasons(figuresOf(s), n.document.Config.Latent, m.predicted))
	return nil
}

// linearModel is what a linear model of the rows comes to, given their conditions
// where there are any.
type linearModel struct {
	r2, tolerance, logLikelihood float64
	thresholds                   []float64
	predicted                    int // units that it would keep
}

func (f *folder) linear(n *network, l *learned) (*linearModel, error) {
	files := []string{"config.toml", f.inModel("model.json"), f.inModel("model.safetensors")}
	return recall(f, "linear", files, func() (*linearModel, error) {
		p, x, d := l.components, l.rows.heldOut, n.document.Config.Latent
		variance := sum(p.values) / float64(len(p.values))
		m := &linearModel{tolerance: 1e-7, logLikelihood: math.NaN()}
		if l.conditional {
			r := regress(n, l.rows.training, l.told.training)
			p, x = principal(r.residuals(l.rows.training, l.told.training)), r.residuals(x, l.told.heldOut)
			m.tolerance = single
		}
		var total float64
		for _, row := range l.rows.heldOut {
			total += squared(row, l.components.mean)
		}
		m.r2, m.predicted = p.shrunkR2(x, total, n.beta()*variance, d)
		if n.noise() == nil {
			m.predicted = 0
		} else {
			m.logLikelihood = p.logLikelihood(evenly(x, min(evidenceRows, len(x))), d)
		}
		for _, v := range p.values {
			m.thresholds = append(m.thresholds, max(0, v/variance))
		}
		return m, nil
	})
}

// figuresOf are diagnostics with the log likelihood, which stands in a part of them,
// among the others.
func figuresOf(s map[string]any) map[string]any {
	figures := maps.Clone(s)
	evidence, _ := s["evidence"].(map[string]any)
	figures["log_likelihood_nats"] = evidence["log_likelihood"]
	return figures
}

// list compares an array of numbers of a network with those recomputed.
func (f *folder) list(file, item string, s map[string]any, want []float64) {
	stored, _ := s[item].([]any)
	if !f.equal(file, "length of "+item, len(stored), len(want)) {
		return
	}
	for k, x := range want {
		f.near(file, fmt.Sprintf("%s[%d]", item, k), stored[k], x, single)
	}
}

// checkLikelihoods estimates the evidence by noise of its own.
func (f *folder) checkLikelihoods(s map[string]any, n *network, l *learned, m *linearModel) error {
	const file = "diagnostics.json"
	few := min(evidenceRows, len(l.rows.heldOut))
	files := []string{"config.toml", "model.json", "model.safetensors"}
	e, err := recall(f, "likelihoods", files, func() (evidence, error) {
		var told [][]float64
		if l.conditional {
			told = evenly(l.told.heldOut, few)
		}
		return n.weighOften(evenly(l.rows.heldOut, few), told, evidenceCodes), nil
	})
	if err != nil {
		return err
	}
	stored, _ := s["evidence"].(map[string]any)
	f.equal(file, "evidence.rows", stored["rows"], few)
	f.equal(file, "evidence.samples", stored["samples"], evidenceCodes)
	f.within(file, "evidence.elbo", stored["elbo"], e.elbo, 5*math.Sqrt2*e.elboError)
	f.within(file, "evidence.log_likelihood", stored["log_likelihood"], e.likelihood, 5*math.Sqrt2*e.likelihoodError)
	f.near(file, "log_likelihood_linear_nats", s["log_likelihood_linear_nats"], m.logLikelihood, max(1e-8, m.tolerance))
	return nil
}

// weighOften weighs rows several times. Of a poor model a few codes have nearly all of
// the weight, and the spread within one estimate doesn't tell how far the next will be.
func (n *network) weighOften(rows, conditions [][]float64, codes int) evidence {
	const times = 8
	var bounds, likelihoods []float64
	var e evidence
	for k := range uint64(times) {
		one := n.weigh(rows, conditions, codes, 11+k)
		bounds, likelihoods = append(bounds, one.elbo), append(likelihoods, one.likelihood)
		e.elboError, e.likelihoodError = max(e.elboError, one.elboError), max(e.likelihoodError, one.likelihoodError)
	}
	e.elbo, e.likelihood = sum(bounds)/times, sum(likelihoods)/times
	e.elboError, e.likelihoodError = max(e.elboError, deviation(bounds)), max(e.likelihoodError, deviation(likelihoods))
	return e
}

// checkDispersions decodes the codes that the run drew from N(0, I) and from the
// density that it fitted, under conditions that training portfolios have.
func (f *folder) checkDispersions(ctx context.Context, file string, s map[string]any, n *network, l *learned) error {
	const count = 5000
	files := []string{"config.toml", f.inModel("model.json"), f.inModel("model.safetensors"),
		f.inModel("aggregate.json"), f.inModel("neighbours.json")}
	both, err := recall(f, "dispersions", files, func() (both [2]float64, err error) {
		seed := l.config.Seed
		var asked [][]float64
		if l.conditional {
			asked = n.loosened(evenly(l.told.training, count), seed)
		}
		prior := n.normal(count, stream.New(seed, "experiment.sweep.prior", 0))
		codes, err := f.fitted(ctx, n, count, asked, stream.New(seed, "experiment.sweep.posterior", 0))
		if err != nil {
			return both, err
		}
		return [2]float64{dispersion(n.decodeGiven(prior, asked), l.rows.heldOut),
			dispersion(n.decodeGiven(codes, asked), l.rows.heldOut)}, nil
	})
	if err != nil {
		return err
	}
	f.near(file, "dispersion_prior", s["dispersion_prior"], both[0], single)
	f.near(file, "dispersion_posterior", s["dispersion_posterior"], both[1], single)
	return nil
}

// checkHealth compares the verdict that the folder keeps with the diagnostics.
func (f *folder) checkHealth(context.Context) error {
	const file = "health.json"
	l, err := f.learned()
	if err != nil {
		return err
	}
	if l == nil {
		f.equal(file, "of a model over sets", f.has(file), false)
		return nil
	}
	if !f.has("diagnostics.json") {
		f.add(file, "verdict", unchecked, nil, "no diagnostics that are known here stand beside it")
		return nil
	}
	s, err := f.object("diagnostics.json")
	if err != nil {
		return err
	}
	health, err := f.object(file)
	if err != nil {
		return err
	}
	f.equal(file, "all", health, map[string]any{"health": s["health"], "health_reasons": s["health_reasons"]})
	return nil
}

// verdictOf is the verdict by diagnostics.
func verdictOf(s map[string]any, kept int) string { return verdict(figuresOf(s), kept) }

// reasons are those of the verdict, or the praise, by the figures of d units.
func reasons(s map[string]any, d, predicted int) (all []string) {
	value := func(name string) float64 {
		if x, known := s[name].(float64); known {
			return x
		}
		return math.NaN()
	}
	say := func(when bool, format string, arguments ...any) {
		if when {
			all = append(all, fmt.Sprintf(format, arguments...))
		}
	}
	active, r2, linear := value("active_units"), value("r2"), value("r2_linear")
	own, other := value("log_likelihood_nats"), value("log_likelihood_linear_nats")
	posterior, prior := value("dispersion_posterior"), value("dispersion_prior")
	say(active == 0, "None of %d latent units is active, so every portfolio that the model makes is the same.", d)
	say(active > 0 && 2*active < float64(predicted),
		"Of %d latent units %.0f are active, where the data would keep %d at this beta.", d, active, predicted)
	say(r2 < linear-0.005, "R2 is %.3f, and a linear model of the same beta and dimensions has %.3f.", r2, linear)
	say(own < other, "Held-out portfolios have a log likelihood of %.2f nats, and of %.2f under a linear model.", own,
		other)
	say(posterior < 0.8, "What the model makes varies %.2f times as much as held-out portfolios, less than 0.80.",
		posterior)
	say(prior < 0.5, "What it makes of codes from N(0, I) varies %.2f times as much as held-out portfolios, less than "+
		"0.50.", prior)
	say(r2 < 0.75*value("r2_pca"), "R2 is %.3f, below three quarters of the %.3f of %d principal components.", r2,
		value("r2_pca"), d)
	if len(all) > 0 {
		return all
	}
	praise := fmt.Sprintf("%.0f of %d latent units are active, R2 is %.3f beside a linear model's %.3f", active, d, r2,
		linear)
	if !math.IsNaN(own) && !math.IsNaN(other) {
		praise += fmt.Sprintf(", the log likelihood %.1f nats beside %.1f", own, other)
	}
	if !math.IsNaN(posterior) {
		praise += fmt.Sprintf(", and what it makes varies %.2f times as much as held-out portfolios", posterior)
	}
	return []string{praise + "."}
}
