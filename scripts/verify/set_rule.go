package main

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// ruleFile is the network of a learnt rule.
const ruleFile = "rule.safetensors"

// guides are the portfolios that a rule starts from.
const guides = 2

// readRule reads a rule's network: one stack, which sees the guides too and adds a
// number an asset to their mean.
func readRule(data []byte) (*overSets, error) {
	m, err := readStacks(data, "rule")
	if err != nil {
		return nil, err
	}
	h := m.document.Config.Width
	return m, m.check(map[string][2]int{"rule.input": {features + facts + guides, h}, "rule.readout": {h, 1}})
}

func (t *setTraining) rule() bool { return t.model.document.Config.Objective != "" }

// choose is the portfolio that a rule gives a universe.
func (m *overSets) choose(u *universeLine) ([]float64, error) {
	cov, err := u.covariance()
	if err != nil {
		return nil, err
	}
	if len(u.Weights) != guides {
		return nil, fmt.Errorf("%d guides, want %d", len(u.Weights), guides)
	}
	n := float64(len(u.Mean))
	deviation := math.Sqrt(m.document.Scale * (u.Cap - 1/n) / n)
	var rows [][]float64
	for i, token := range tokensOf(u.Mean, cov, u.Periods) {
		row := append(token, math.Log(float64(u.Periods)/120), math.Log(n*u.Cap)-1.5, math.Log(n/16))
		for _, guide := range u.Weights {
			row = append(row, (guide[i]-1/n)/deviation)
		}
		rows = append(rows, row)
	}
	y := make([]float64, len(rows))
	for i, read := range m.dense("rule.readout", m.stack("rule", rows)) {
		y[i] = deviation * read[0]
		for _, guide := range u.Weights {
			y[i] += guide[i] / guides
		}
	}
	return capped(y, u.Cap), nil
}

// checkRule compares a rule with what it was trained on.
func (f *folder) checkRule() error {
	t, err := f.setTraining()
	if err != nil {
		return err
	}
	d := t.model.document
	f.equal(manifestFile, "data_hash", f.manifest.Data, t.hash)
	f.equal(ruleFile, "version", d.Version, 1)
	f.equal(ruleFile, "objective", d.Config.Objective, t.config.Objective)
	f.equal(ruleFile, "seed", d.Config.Seed, t.config.Seed)
	f.equal(ruleFile, "backend", d.Backend, f.manifest.Backend)
	f.equal(ruleFile, "data_hash", d.DataHash, t.hash)
	f.equal(ruleFile, "codes", []any{d.Config.Latent, d.Config.Beta}, []any{0, 0})
	f.near(ruleFile, "scale", d.Scale, t.scale(), 1e-9)
	return nil
}

// worthOfRule are the shares of the largest true Sharpe ratio that a rule has, and its
// guides and the half of each, by universe held out.
type worthOfRule struct {
	own    []float64
	guides [guides + 1][]float64
}

func (f *folder) worthOfRule(t *setTraining) (*worthOfRule, error) {
	return recall(f, "worth of the rule", []string{"config.toml", ruleFile}, func() (*worthOfRule, error) {
		w := new(worthOfRule)
		for _, u := range t.heldOut {
			share, err := u.judgedByTruth()
			if err != nil {
				return nil, fmt.Errorf("universe %s: %w", u.ID, err)
			}
			own, err := t.model.choose(&u)
			if err != nil {
				return nil, fmt.Errorf("universe %s: %w", u.ID, err)
			}
			half := make([]float64, len(own))
			for k, guide := range u.Weights {
				w.guides[k] = append(w.guides[k], share(guide))
				for j, v := range guide {
					half[j] += v / guides
				}
			}
			w.own, w.guides[guides] = append(w.own, share(own)), append(w.guides[guides], share(half))
		}
		return w, nil
	})
}

// judgedByTruth returns the share of the largest true Sharpe ratio that weights have.
func (u *universeLine) judgedByTruth() (share func(w []float64) float64, err error) {
	if u.Truth == nil {
		return nil, fmt.Errorf("its truth is not kept")
	}
	n := len(u.Mean)
	cov, err := fromLower(u.Truth.Lower, n)
	if err != nil || len(u.Truth.Mean) != n {
		return nil, fmt.Errorf("its truth is of %d assets: %w", len(u.Truth.Mean), err)
	}
	r := &region{lower: make([]float64, n), upper: slices.Repeat([]float64{u.Cap}, n)}
	best, err := r.tangency(context.Background(), u.Truth.Mean, cov)
	if err != nil || best == nil {
		return nil, fmt.Errorf("nothing is worth holding: %w", err)
	}
	ratio := func(w []float64) float64 {
		var mean, variance float64
		for i, v := range times(cov, w) {
			mean, variance = mean+u.Truth.Mean[i]*w[i], variance+v*w[i]
		}
		return mean / math.Sqrt(variance)
	}
	most := ratio(best)
	return func(w []float64) float64 { return ratio(w) / most }, nil
}

// checkRuleDiagnostics recomputes what the rule is worth on universes held out.
func (f *folder) checkRuleDiagnostics() error {
	const file = "diagnostics.json"
	t, err := f.setTraining()
	if err != nil {
		return err
	}
	if len(t.heldOut) < 2 {
		f.equal(file, "made of universes that aren't held out", f.has(file), false)
		return nil
	}
	s, err := f.object(file)
	if err != nil {
		return err
	}
	w, err := f.worthOfRule(t)
	if err != nil {
		return err
	}
	count := float64(len(w.own))
	f.equal(file, "universes", s["universes"], count)
	mean := sum(w.own) / count
	f.near(file, "share", s["share"], mean, single)
	rows := listOf(s, "guides")
	if !f.equal(file, "number of guides", len(rows), guides+1) {
		return nil
	}
	for k, name := range []string{"empirical-bayes", "resampled", "half of each"} {
		row, _ := rows[k].(map[string]any)
		f.equal(file, fmt.Sprintf("guides[%d]", k), row["name"], name)
		differ := slices.Clone(w.own)
		for i, v := range w.guides[k] {
			differ[i] -= v
		}
		ahead, half := sum(differ)/count, 1.96*deviation(differ)/math.Sqrt(count)
		for field, want := range map[string]float64{"share": mean - ahead, "rule_ahead_by": ahead, "from": ahead - half,
			"to": ahead + half} {
			f.near(file, field+" of "+name, row[field], want, single)
		}
	}
	return nil
}

// checkRegret compares the last loss on universes held out with what the rule lacks of
// the largest true Sharpe ratio there.
func (f *folder) checkRegret(t *setTraining, stored float64) error {
	w, err := f.worthOfRule(t)
	if err != nil {
		return err
	}
	watched := w.own[:min(watchedUniverses, len(w.own))]
	f.near("history.csv", "validation_reconstruction of the rule", stored, 1-sum(watched)/float64(len(watched)),
		5*single)
	return nil
}
