package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"vaefolio/vaelib/mixture"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

// setFile is that of a model over sets.
const setFile = "set.safetensors"

// setTraining is what a model over sets was trained on, and the model.
type setTraining struct {
	config         *trainConfig
	model          *overSets
	hash           string // of the corpus
	learn, heldOut []universeLine
}

// setTraining reads what the configuration names.
func (f *folder) setTraining() (*setTraining, error) {
	return recall(f, "training over sets", []string{"config.toml", setFile, ruleFile}, func() (*setTraining, error) {
		c, err := f.trainConfig()
		if err != nil {
			return nil, err
		}
		t := &setTraining{config: c}
		read, file := readSet, setFile
		if f.has(ruleFile) {
			read, file = readRule, ruleFile
		}
		data, err := f.read(file)
		if err != nil {
			return nil, err
		}
		if t.model, err = read(data); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		path := filepath.Join(c.Corpus, universesFile)
		if t.hash, err = run.HashFile(path); err != nil {
			return nil, err
		}
		all, err := readUniverses(path)
		for _, u := range all {
			if u.HeldOut {
				t.heldOut = append(t.heldOut, u)
			} else {
				t.learn = append(t.learn, u)
			}
		}
		return t, err
	})
}

// checkSet compares the model with what it was trained on.
func (f *folder) checkSet() error {
	if f.has(ruleFile) {
		return f.checkRule()
	}
	t, err := f.setTraining()
	if err != nil {
		return err
	}
	d := t.model.document
	f.equal(manifestFile, "data_hash", f.manifest.Data, t.hash)
	f.equal(setFile, "version", d.Version, 1)
	f.equal(setFile, "seed", d.Config.Seed, t.config.Seed)
	f.equal(setFile, "beta", d.Config.Beta, t.config.Model.Beta)
	if t.config.From == "" || t.config.Asked { // else that of the model gone on from
		f.equal(setFile, "conditional", d.Config.Conditional, t.config.Asked)
	}
	f.equal(setFile, "backend", d.Backend, f.manifest.Backend)
	if t.config.Model.Latent > 0 {
		f.equal(setFile, "latent", d.Config.Latent, t.config.Model.Latent)
	}
	var m mixture.Mixture
	text, err := f.read("aggregate.json")
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return err
	}
	f.equal("aggregate.json", "dimensions", m.Dim(), d.Config.Latent)
	if t.config.From != "" {
		data, err := trained.ReadSet(t.config.from())
		if err != nil {
			return err
		}
		from, err := readSet(data)
		if err != nil {
			return err
		}
		hash, _, _ := strings.Cut(d.DataHash, " from ")
		f.equal(setFile, "data_hash", hash, t.hash)
		f.equal(setFile, "scale", d.Scale, from.document.Scale)
		return nil
	}
	f.equal(setFile, "data_hash", d.DataHash, t.hash)
	f.near(setFile, "scale", d.Scale, t.scale(), 1e-9)
	return nil
}

// scale is how far the portfolios lie from equal weights, as a share of the farthest.
func (t *setTraining) scale() float64 {
	var shares, rows float64
	for _, u := range t.learn {
		n := float64(len(u.Mean))
		for _, w := range u.Weights {
			square := -1 / n
			for _, x := range w {
				square += x * x
			}
			shares, rows = shares+square/(u.Cap-1/n), rows+1
		}
	}
	return shares / rows
}

// setJudgement is how a model over sets does on the universes held out.
type setJudgement struct {
	r2, uncapped, capped, kl float64
	active, portfolios       int
	byUniverse               []float64
}

// What is looked at, at most: by a training that goes on, and by its judgement.
const (
	watchedUniverses  = 256
	watchedPortfolios = 4
	judgedUniverses   = 200
)

// nats is the KL divergence of a posterior.
func nats(mean, logvar []float64) (kl float64) {
	for d, v := range logvar {
		kl += (math.Exp(v) + mean[d]*mean[d] - 1 - v) / 2
	}
	return kl
}

// watch is the KL that the training looks at: of the first portfolios of the first
// universes, or of the first one of each under what is asked of it.
func (t *setTraining) watch() (float64, error) {
	var kl, rows float64
	for i, u := range t.heldOut[:min(watchedUniverses, len(t.heldOut))] {
		cov, err := u.covariance()
		if err != nil {
			return 0, fmt.Errorf("universe %s: %w", u.ID, err)
		}
		asked, watched := &universe.Asked{}, watchedPortfolios
		if t.model.document.Config.Conditional {
			asked, watched = u.asking(i, cov), 1
		}
		s := t.model.under(u.Mean, cov, u.Periods, u.Cap, asked)
		for _, w := range u.Weights[:min(watched, len(u.Weights))] {
			mean, logvar := s.encode(w)
			kl, rows = kl+nats(mean, logvar), rows+1
		}
	}
	return kl / rows, nil
}

// judge encodes and decodes the portfolios held out.
func (t *setTraining) judge() (*setJudgement, error) {
	j := &setJudgement{}
	var means [][]float64
	var misses, spreads [2]float64 // without and with a largest weight below 1
	var kl float64
	for _, u := range t.heldOut[:min(judgedUniverses, len(t.heldOut))] {
		cov, err := u.covariance()
		if err != nil {
			return nil, fmt.Errorf("universe %s: %w", u.ID, err)
		}
		s := t.model.in(u.Mean, cov, u.Periods, u.Cap)
		var miss, spread float64
		for _, w := range u.Weights {
			mean, logvar := s.encode(w)
			means, kl = append(means, mean), kl+nats(mean, logvar)
			for a, x := range s.decode(mean) {
				miss += (w[a] - x) * (w[a] - x)
				spread += (w[a] - 1/float64(len(w))) * (w[a] - 1/float64(len(w)))
			}
		}
		kind := 0
		if u.Cap < 1 {
			kind = 1
		}
		misses[kind], spreads[kind] = misses[kind]+miss, spreads[kind]+spread
		j.byUniverse = append(j.byUniverse, share(miss, spread))
	}
	j.portfolios, j.kl = len(means), kl/float64(len(means))
	j.r2, j.uncapped = share(misses[0]+misses[1], spreads[0]+spreads[1]), share(misses[0], spreads[0])
	j.capped = share(misses[1], spreads[1])
	for d := range t.model.document.Config.Latent {
		var column []float64
		for _, m := range means {
			column = append(column, m[d])
		}
		if s := deviation(column); s*s > 0.01 {
			j.active++
		}
	}
	return j, nil
}

// share is the part of a spread that isn't missed; NaN: there is none.
func share(miss, spread float64) float64 {
	if spread == 0 {
		return math.NaN()
	}
	return 1 - miss/spread
}

func (f *folder) setJudgement(t *setTraining) (*setJudgement, error) {
	return recall(f, "judgement over sets", []string{"config.toml", setFile}, t.judge)
}

// checkSetDiagnostics recomputes what is said of the universes held out.
func (f *folder) checkSetDiagnostics() error {
	const file = "diagnostics.json"
	if f.has(ruleFile) {
		return f.checkRuleDiagnostics()
	}
	t, err := f.setTraining()
	if err != nil {
		return err
	}
	s, err := f.object(file)
	if err != nil {
		return err
	}
	if len(t.heldOut) == 0 {
		f.equal(file, "universes of a corpus that holds none out", s["universes"], nil)
		return nil
	}
	j, err := f.setJudgement(t)
	if err != nil {
		return err
	}
	f.equal(file, "universes", s["universes"], len(j.byUniverse))
	f.equal(file, "portfolios", s["portfolios"], j.portfolios)
	f.equal(file, "active_units", s["active_units"], j.active)
	for name, want := range map[string]float64{"kl_nats": j.kl, "r2": j.r2, "r2_uncapped": j.uncapped,
		"r2_capped": j.capped} {
		f.near(file, name, s[name], want, single)
	}
	return f.checkByUniverse(s, t, j)
}

// checkByUniverse compares the universes one by one, and what the searches sum up to.
func (f *folder) checkByUniverse(s map[string]any, t *setTraining, j *setJudgement) error {
	const file = "diagnostics.json"
	rows, _ := s["by_universe"].([]any)
	if !f.equal(file, "length of by_universe", len(rows), len(j.byUniverse)) {
		return nil
	}
	var latent, inside, mixtures []float64
	faint, missing := 0, 0.0
	for i, row := range rows {
		row, _ := row.(map[string]any)
		u := t.heldOut[i]
		what := fmt.Sprintf("by_universe[%d]", i)
		f.equal(file, what, []any{row["id"], row["assets"], row["periods"], row["cap"]},
			[]any{u.ID, len(u.Mean), u.Periods, u.Cap})
		f.near(file, what+".r2", row["r2"], j.byUniverse[i], single)
		bound, bounded := row["bound"].(float64)
		ratio, searched := row["latent_sharpe"].(float64)
		near, held := row["latent_in_ball_sharpe"].(float64)
		other, drawn := row["mixture_sharpe"].(float64)
		if searched != drawn || searched != held || searched != bounded ||
			searched && !(max(ratio, near, other) <= 1+1e-6) {
			f.add(file, what+" beside the convex bound", differs, []any{ratio, near, other}, 1)
		}
		switch {
		case searched && bound >= 1:
			latent, inside, mixtures = append(latent, ratio), append(inside, near), append(mixtures, other)
		case searched:
			faint++
		}
		if searched {
			missing = max(missing, bound*(1-ratio))
		}
	}
	searches, _ := s["searches"].(map[string]any)
	if !f.equal(file, "searches are told of", searches != nil, len(latent) > 0) || searches == nil {
		return nil
	}
	f.equal(file, "searches.universes", searches["universes"], len(latent))
	lower := func(x []float64) float64 { return slices.Sorted(slices.Values(x))[(len(x)-1)/2] }
	f.near(file, "searches.latent_median", searches["latent_median"], lower(latent), 1e-12)
	f.near(file, "searches.latent_least", searches["latent_least"], slices.Min(latent), 1e-12)
	f.equal(file, "searches.faint", searches["faint"], faint)
	f.near(file, "searches.latent_in_ball_median", searches["latent_in_ball_median"], lower(inside), 1e-12)
	f.near(file, "searches.latent_in_ball_least", searches["latent_in_ball_least"], slices.Min(inside), 1e-12)
	f.near(file, "searches.latent_most_missing", searches["latent_most_missing"], missing, 1e-12)
	f.near(file, "searches.mixture_median", searches["mixture_median"], lower(mixtures), 1e-12)
	return nil
}

// schedule is that of the training, with what was left to the program.
func (t *setTraining) schedule(h *vae.History) *vae.Schedule {
	s, usual := chosen(t.config.Schedule, h), vae.DefaultSetSchedule()
	if t.rule() {
		s.Warmup, usual = 0, vae.DefaultRuleSchedule()
	}
	s.Warmup, s.Batch = cmp.Or(s.Warmup, usual.Warmup), cmp.Or(s.Batch, usual.Batch)
	s.EnsureDefaults()
	return s
}

// ofSums is how far the mean over a batch, in float32, may be from the sum of its parts.
const ofSums = 0x1p-22

// checkSetCourse compares the course of a training with its schedule and the network.
func (f *folder) checkSetCourse() error {
	const file = "history.csv"
	t, err := f.setTraining()
	if err != nil {
		return err
	}
	h, err := f.history(file, 0)
	if err != nil {
		return err
	}
	s := t.schedule(h)
	var steps []int
	for step := s.EvalEvery; step < s.Steps; step += s.EvalEvery {
		steps = append(steps, step)
	}
	beta, before := t.model.document.Config.Beta, 0
	var names []string
	var losses, rates, wantRates, betas, wantBetas, validation []float64
	for _, p := range h.Points {
		names = append(names, fmt.Sprint("step ", p.Step))
		rates, betas = append(rates, p.LearningRate), append(betas, p.Beta)
		wantRates = append(wantRates, s.LearningRate*(1+math.Cos(angle(p.Step, s)))/2)
		wantBetas = append(wantBetas, beta*min(1, float64(p.Step)/max(1, math.Round(s.Warmup*float64(s.Steps)))))
		if t.rule() && (p.Train.KL != 0 || p.Validation != nil && p.Validation.KL != 0) {
			f.add(file, names[len(names)-1]+": KL without codes", differs, p.Train.KL, 0)
		}
		// The loss is under betas that rise between two points; control is the penalty.
		rest := p.Train.Total - p.Train.Reconstruction - p.Train.Control
		first := beta * min(1, float64(before+1)/max(1, math.Round(s.Warmup*float64(s.Steps))))
		room := ofSums * math.Sqrt(float64(p.Step-before)) * max(1, p.Train.Total)
		losses = append(losses, max(0, first*p.Train.KL-rest, rest-p.Beta*p.Train.KL)/room)
		before = p.Step
		if v := p.Validation; v != nil {
			validation = append(validation, v.Total-v.Reconstruction-beta*v.KL, v.Control)
		}
	}
	var looked []int
	for _, p := range h.Points {
		looked = append(looked, p.Step)
	}
	f.equal(file, "steps", looked, append(steps, s.Steps))
	f.all(file, "train_loss beside its parts", names, losses, make([]float64, len(losses)), 1)
	f.all(file, "learning_rate", names, rates, wantRates, 1e-9)
	f.all(file, "beta", names, betas, wantBetas, 1e-9)
	f.checkSpeeds(h, s)
	if len(t.heldOut) == 0 {
		f.equal(file, "validation of nothing held out", len(validation), 0)
		return nil
	}
	if !f.equal(file, "points with validation", len(validation), 2*len(names)) {
		return nil
	}
	for i, v := range validation { // sums in float64, written to the last digit
		if !(math.Abs(v) <= 1e-12) {
			f.add(file, "validation_loss less its parts, or control, of "+names[i/2], differs, v, 0)
		}
	}
	last := h.Points[len(h.Points)-1].Validation
	if t.rule() {
		return f.checkRegret(t, last.Reconstruction)
	}
	kl, err := recall(f, "watched", []string{"config.toml", setFile}, t.watch)
	if err != nil {
		return err
	}
	f.near(file, "validation_kl of the model", last.KL, kl, single)
	return nil
}

// universesFile is that of a corpus of many universes.
const universesFile = "universes.jsonl"

// checkUniverses checks the portfolios of every universe, and how many there are.
func (f *folder) checkUniverses() error {
	all, err := readUniverses(f.path(universesFile))
	if err != nil {
		return err
	}
	text, err := run.ReadFile(f.path("config.toml"))
	if err != nil {
		return err
	}
	wanted := map[string]float64{}
	for _, line := range lines(text) {
		var value float64
		name, rest, ok := strings.Cut(line, " = ")
		switch {
		case ok && json.Unmarshal([]byte(rest), &value) == nil:
			wanted[name] = value
		case ok && rest == "true":
			wanted[name] = 1
		}
	}
	for i := range all {
		held := i >= len(all)-int(math.Ceil(wanted["held-out"]*float64(len(all))))
		if said := all[i].wrong(wanted, held); said != "" {
			f.add(universesFile, "universe "+all[i].ID, differs, said, nil)
			return nil
		}
	}
	f.equal(universesFile, "universes", len(all), int(wanted["universes"]))
	f.add(universesFile, "sizes, sums and bounds", same, len(all), len(all))
	f.add(universesFile, "means, covariances and portfolios", unchecked, nil, "-rerun draws the universes again")
	return nil
}

// wrong says what a universe lacks of what was wanted; "": nothing.
func (u *universeLine) wrong(wanted map[string]float64, heldOut bool) string {
	if _, err := u.covariance(); err != nil {
		return err.Error()
	}
	n, periods, portfolios := float64(len(u.Mean)), float64(u.Periods), int(wanted["portfolios"])
	if wanted["truth"] == 1 {
		portfolios = guides
	}
	switch {
	case n < wanted["least-assets"] || n > wanted["most-assets"] || periods > wanted["most-periods"]:
		return fmt.Sprintf("%v assets over %v periods", n, periods)
	case (u.Truth != nil) != (wanted["truth"] == 1):
		return fmt.Sprintf("the truth is kept: %v", u.Truth != nil)
	case len(u.Weights) != portfolios || u.HeldOut != heldOut || u.Cap > 1 || u.Cap*n <= 1:
		return fmt.Sprintf("%d portfolios, held out: %v, weights up to %v", len(u.Weights), u.HeldOut, u.Cap)
	}
	for k, w := range u.Weights {
		worst := math.Abs(sum(w) - 1)
		for _, x := range w {
			worst = max(worst, -x, x-u.Cap)
		}
		if len(w) != len(u.Mean) || !(worst <= 1e-9) {
			return fmt.Sprintf("portfolio %d misses its sum or a bound by %v", k+1, worst)
		}
	}
	if u.Truth != nil {
		if _, err := u.judgedByTruth(); err != nil {
			return err.Error()
		}
	}
	return ""
}
