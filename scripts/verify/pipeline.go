package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
)

// pipelineConfig is the configuration of the pipeline verb.
type pipelineConfig struct {
	cli.Prices
	cli.Figures
	cli.Constraints
	experiment.Settings
	cli.Backend
	cli.Output
	cli.Common
}

var pipelineChecks = []check{
	{"config.toml", (*folder).checkPrices},
	{"summary.json", (*folder).checkSummary},
	{"weights.csv", (*folder).checkWeights},
	{"metrics.csv", (*folder).checkMetrics},
	{"summary.json", (*folder).checkRatios},
	{"history.csv", (*folder).checkHistory},
	{"model/model.json", (*folder).checkModel},
	{"baselines.csv", (*folder).checkOptima},
	{"summary.json", (*folder).checkLatent},
	{"fidelity.csv", (*folder).checkFidelity},
	{"report.html", (*folder).checkReport},
	{"report.html", (*folder).checkAgain},
}

// inputs are what a run was made from.
type inputs struct {
	config  *pipelineConfig
	command string // that repeats the run
	data    *cli.Data
	set     simplex.Set
	sectors *market.Sectors
	perYear float64
	corpus  corpus.Config  // with the lookbacks that in has room for
	in, out *market.Window // before and after the split
}

// returns are the rows of a window.
func returns(w *market.Window) [][]float64 { return rowsOf(w.Returns) }

func rowsOf(m *mat.Dense) [][]float64 {
	var rows [][]float64
	n, _ := m.Dims()
	for i := range n {
		rows = append(rows, m.RawRowView(i))
	}
	return rows
}

// inputs reads what the configuration names.
func (f *folder) inputs() (*inputs, error) {
	return recall(f, "inputs", []string{"config.toml"}, func() (*inputs, error) {
		pipeline := cli.Verb[pipelineConfig]{Name: "pipeline",
			Default: pipelineConfig{Settings: experiment.DefaultSettings()}}
		c, command, err := pipeline.ReadConfig(f.path("config.toml"))
		if err != nil {
			return nil, err
		}
		in := &inputs{config: c, command: command}
		if in.data, err = c.Prices.Load(f.io); err != nil {
			return nil, err
		}
		w := in.data.Window
		if in.set, err = c.Constraints.Set(f.io, w.Symbols); err != nil {
			return nil, err
		}
		if in.sectors, err = c.SectorsOf(w.Symbols); err != nil {
			return nil, err
		}
		if in.perYear = c.PeriodsPerYear; in.perYear == 0 {
			in.perYear = w.PeriodsPerYear()
		}
		cut := int(math.Floor(c.Split * float64(len(w.Times))))
		in.corpus = c.Corpus
		if _, err := in.corpus.Reach(cut-max(0, c.Embargo), c.Embargo < 0); err != nil {
			return nil, err
		}
		embargo := c.Embargo
		if embargo < 0 {
			embargo = slices.Max(in.corpus.Lookbacks)
		}
		if cut-embargo < 2 || cut >= len(w.Times) {
			return nil, fmt.Errorf("a split of %v with an embargo of %d leaves nothing of %d periods", c.Split, embargo,
				len(w.Times))
		}
		in.in, in.out = w.Slice(0, cut-embargo), w.Slice(cut, len(w.Times))
		return in, nil
	})
}

// checkPrices compares the prices with those that the run read.
func (f *folder) checkPrices(context.Context) error {
	in, err := f.inputs()
	if err != nil {
		return err
	}
	f.equal(manifestFile, "data_hash", f.manifest.Data, in.data.Window.Hash())
	return nil
}

// checkSummary recomputes what the summary says besides figures.
func (f *folder) checkSummary(context.Context) error {
	const file = "summary.json"
	s, err := f.object(file)
	if err != nil {
		return err
	}
	in, err := f.inputs()
	if err != nil {
		return err
	}
	f.equal(file, "seed", s["seed"], float64(f.manifest.Seed))
	f.equal(file, "synthetic", s["synthetic"], in.data.Synthetic)
	f.equal(file, "funding", s["funding"], in.config.Funding != "")
	if f.manifest.Backend == "go" {
		f.equal(file, "backend", s["backend"], "GoMLX pure Go")
	}
	for name, w := range map[string]*market.Window{"in_sample": in.in, "out_of_sample": in.out} {
		const form = "2006-01-02T15:04:05Z07:00"
		f.equal(file, name, s[name], map[string]any{
			"from": w.Times[0].UTC().Format(form), "to": w.Times[len(w.Times)-1].UTC().Format(form),
			"periods": len(w.Times),
		})
	}
	// One objective value is one evaluation, and its gradient another.
	f.equal(file, "evaluations", s["evaluations"], float64(2*in.config.Starts*in.config.Iterations))
	f.checkNotes(s)
	return f.checkSeconds(s)
}

// checkNotes compares which figures are null with the reasons that are given.
func (f *folder) checkNotes(s map[string]any) {
	notes, _ := s["notes"].(map[string]any)
	for name, value := range s {
		if _, explained := notes[name]; value == nil && !explained {
			f.add("summary.json", name, differs, nil, "a number, or a reason in the notes")
		}
	}
}

// checkSeconds compares the times of the summary with those of the manifest and of
// the history.
func (f *folder) checkSeconds(s map[string]any) error {
	const file = "summary.json"
	stages, _ := s["seconds_by_stage"].(map[string]any)
	var total float64
	for _, stage := range slices.Sorted(maps.Keys(stages)) {
		seconds, _ := stages[stage].(float64)
		total += seconds
		want := f.manifest.Timings[stage]
		if f.manifest.Resumed > 0 { // it counts those of all sittings, and the summary those of the last
			want = max(0, min(want, seconds))
		}
		f.near(file, "seconds_by_stage."+stage, stages[stage], want, 0.05)
	}
	for stage := range f.manifest.Timings {
		_, known := stages[stage]
		if late := stage == "total" || stage == "files" || stage == "report"; !known && !late {
			f.add(manifestFile, "timings."+stage, differs, f.manifest.Timings[stage], nil)
		}
	}
	latent, _ := s["latent_search_seconds"].(float64)
	ascent, _ := s["projected_gradient_seconds"].(float64)
	f.equal(file, "seconds of both searches", latent >= 0 && ascent >= 0 &&
		latent+ascent <= f.manifest.Timings["generation"]+0.01, true)
	seconds, _ := s["seconds"].(float64)
	f.equal(file, "seconds", seconds >= total-0.01 && seconds <= f.manifest.Timings["total"]+0.01, true)
	history, err := f.table("history.csv")
	if err != nil {
		return err
	}
	speeds, err := history.numbers("samples_per_second")
	if err != nil {
		return err
	}
	slices.Sort(speeds)
	median := (speeds[(len(speeds)-1)/2] + speeds[len(speeds)/2]) / 2
	f.near(file, "samples_per_second", s["samples_per_second"], median, 1e-12)
	spent, err := history.numbers("seconds")
	if err != nil {
		return err
	}
	if f.manifest.Resumed == 0 {
		rises := slices.IsSorted(spent) && spent[len(spent)-1] <= f.manifest.Timings["training"]
		f.equal("history.csv", "seconds", rises, true)
	}
	return nil
}

// portfolios reads a file of weights by the symbols of the prices.
func (f *folder) portfolios(name string, symbols []string) (ids []string, weights [][]float64, err error) {
	t, err := f.table(name)
	if err != nil {
		return nil, nil, err
	}
	if t.header[0] != "id" || !slices.Equal(t.header[1:], symbols) {
		return nil, nil, fmt.Errorf("%s: its columns are not the id and the symbols of the prices", name)
	}
	if ids, err = t.text("id"); err != nil {
		return nil, nil, err
	}
	weights, err = t.matrix(1)
	return ids, weights, err
}

// checkWeights checks that every portfolio meets the constraints to 1e-12, as its
// file has it.
func (f *folder) checkWeights(context.Context) error {
	in, err := f.inputs()
	if err != nil {
		return err
	}
	ids, weights, err := f.portfolios("weights.csv", in.data.Window.Symbols)
	if err != nil {
		return err
	}
	r, err := regionOf(&in.config.Constraints, in.data.Window.Symbols)
	if err != nil {
		return err
	}
	worst := f.checkConstraints("weights.csv", ids, weights, r)
	s, err := f.object("summary.json")
	if err != nil {
		return err
	}
	f.near("summary.json", "max_constraint_violation", s["max_constraint_violation"], worst, 1e-15)
	f.equal("summary.json", "portfolios", s["portfolios"], float64(len(ids)))
	want := in.config.Portfolios
	for _, id := range []string{"latent-sharpe", "best-sampled"} {
		if slices.Contains(ids, id) {
			want++
		}
	}
	f.equal("weights.csv", "rows", len(ids), want)
	return nil
}

// checkConstraints returns the largest violation of any portfolio.
func (f *folder) checkConstraints(file string, ids []string, weights [][]float64, r *region) (largest float64) {
	worst := make([]float64, len(weights))
	for i, w := range weights {
		worst[i] = r.violation(w)
		largest = max(largest, worst[i])
		if !(worst[i] <= 1e-12) {
			f.add(file, "violation of "+ids[i], differs, worst[i], 1e-12)
			return largest
		}
	}
	f.add(file, "constraints", same, len(ids), len(ids))
	return largest
}

// violation is how far a portfolio is from what it has to meet.
func (r *region) violation(w []float64) float64 {
	var total, worst float64
	for j, x := range w {
		total += x
		worst = max(worst, x-r.upper[j], r.lower[j]-x)
		if r.least > 0 {
			worst = max(worst, min(math.Abs(x), r.least-x))
		}
	}
	worst = max(worst, math.Abs(total-1))
	for _, g := range r.groups {
		var exposure float64
		for j, share := range g.share {
			exposure += share * w[j]
		}
		worst = max(worst, g.lo-exposure, exposure-g.hi)
	}
	return worst
}

// group is a bound on a sector.
type group struct {
	share  []float64
	lo, hi float64
}

func groupsOf(c *cli.Constraints, symbols []string) ([]group, error) {
	if len(c.SectorCaps) == 0 {
		return nil, nil
	}
	sectors, err := c.SectorsOf(symbols)
	if err != nil {
		return nil, err
	}
	if sectors == nil {
		return nil, errors.New("the run has sector caps but no sectors")
	}
	var groups []group
	for _, text := range c.SectorCaps {
		limits, err := cli.ParseCap(text)
		if err != nil {
			return nil, err
		}
		g := group{lo: limits.Lo, hi: limits.Hi}
		for _, symbol := range symbols {
			g.share = append(g.share, sectors.Share(symbol, limits.Name))
		}
		groups = append(groups, g)
	}
	return groups, nil
}

// checkMetrics recomputes metrics.csv from the weights and the prices.
func (f *folder) checkMetrics(context.Context) error {
	const file = "metrics.csv"
	in, err := f.inputs()
	if err != nil {
		return err
	}
	t, err := f.table(file)
	if err != nil {
		return err
	}
	symbols := in.data.Window.Symbols
	ids, weights, err := f.portfolios("weights.csv", symbols)
	if err != nil {
		return err
	}
	more, moreWeights, err := f.portfolios("baselines.csv", symbols)
	if err != nil {
		return err
	}
	sources := slices.Concat(slices.Repeat([]string{"model"}, len(ids)), slices.Repeat([]string{"baseline"}, len(more)))
	ids, weights = slices.Concat(ids, more), slices.Concat(weights, moreWeights)
	for column, want := range map[string][]string{"id": ids, "source": sources} {
		cells, err := t.text(column)
		if err != nil {
			return err
		}
		f.equal(file, column, cells, want)
		if !slices.Equal(cells, want) {
			return nil
		}
	}
	if in.config.Convention != "default" {
		f.add(file, "figures", unchecked, nil, "only those of the default convention are recomputed here")
		return nil
	}
	for _, part := range []struct {
		suffix string
		window *market.Window
	}{{"", in.in}, {"_oos", in.out}} {
		span := returns(part.window)
		recomputed := map[string][]float64{}
		for _, w := range weights {
			figures := figures(span, w, in.perYear, in.config.RiskFree, in.config.MAR)
			for _, name := range figureNames {
				value, known := figures[name]
				if !known {
					value = math.NaN()
				}
				recomputed[name] = append(recomputed[name], value)
			}
		}
		for _, name := range figureNames {
			stored, err := t.numbers(name + part.suffix)
			if err != nil {
				return err
			}
			f.all(file, name+part.suffix, ids, stored, recomputed[name], f.tolerance)
		}
	}
	return nil
}

var figureNames = []string{
	"annual_return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar", "var95", "cvar95",
	"diversification_ratio", "effective_assets", "psr",
}

// summaryRows are the fields of summary.json that are a row of metrics.csv.
var summaryRows = map[string]string{
	"sharpe_latent": "latent-sharpe", "sharpe_best_sampled": "best-sampled",
	"sharpe_best_dirichlet": "best-dirichlet", "sharpe_best_dirichlet_mixture": "best-dirichlet-mixture",
	"sharpe_projected_gradient": "projected-gradient", "sharpe_equal_weight": "equal-weight",
	"sharpe_convex_bound": "convex-max-sharpe",
}

// checkRatios compares the summary's Sharpe ratios with metrics.csv, and all of the
// model's with the convex bound.
func (f *folder) checkRatios(context.Context) error {
	const file = "summary.json"
	s, err := f.object(file)
	if err != nil {
		return err
	}
	t, ids, err := f.identified("metrics.csv")
	if err != nil {
		return err
	}
	for _, suffix := range []string{"", "_oos"} {
		ratios, err := t.numbers("sharpe" + suffix)
		if err != nil {
			return err
		}
		for _, field := range slices.Sorted(maps.Keys(summaryRows)) {
			want := math.NaN()
			if row := slices.Index(ids, summaryRows[field]); row >= 0 {
				want = ratios[row]
			}
			f.near(file, field+suffix, s[field+suffix], want, 0)
		}
	}
	bound, known := s["sharpe_convex_bound"].(float64)
	if !known {
		return nil
	}
	ratios, err := t.numbers("sharpe")
	if err != nil {
		return err
	}
	sources, err := t.text("source")
	if err != nil {
		return err
	}
	for i, ratio := range ratios {
		if sources[i] == "model" && ratio-bound > f.tolerance*max(1, math.Abs(bound)) {
			f.add("metrics.csv", "sharpe of "+ids[i]+" above the convex bound", differs, ratio, bound)
			return nil
		}
	}
	f.add("metrics.csv", "no ratio of the model's above the convex bound", same, len(ids), len(ids))
	return nil
}

// checkModel compares the model's own description with the configuration.
func (f *folder) checkModel(context.Context) error {
	const file = "model/model.json"
	in, err := f.inputs()
	if err != nil {
		return err
	}
	n, err := f.readNetwork("model")
	if err != nil {
		return err
	}
	c, d := in.config, n.document.Config
	f.equal(file, "symbols", n.document.Symbols, in.data.Window.Symbols)
	s, err := f.object("summary.json")
	if err != nil {
		return err
	}
	f.equal("summary.json", "latent", s["latent"], d.Latent)
	f.equal("summary.json", "hidden", s["hidden"], d.Hidden)
	f.equal(file, "seed", d.Seed, c.Seed)
	f.equal(file, "likelihood", d.Likelihood, c.Model.Likelihood)
	f.equal(file, "head", d.Head, c.Model.Head)
	f.equal(file, "activation", d.Activation, c.Model.Activation)
	if c.Model.TargetRate == 0 {
		f.equal(file, "beta", d.Beta, c.Model.Beta)
	}
	f.equal(file, "backend", n.document.Backend, f.manifest.Backend)
	tensors, err := f.read("model/model.safetensors")
	if err != nil {
		return err
	}
	f.equal(file, "tensors_hash", n.document.Tensors, sha(tensors))
	return nil
}

// rows are the training and the held-out portfolios, which are made again: the run
// keeps none.
type rows struct{ training, heldOut [][]float64 }

func (f *folder) rows(ctx context.Context) (*rows, error) {
	return recall(f, "rows", []string{"config.toml"}, func() (*rows, error) {
		in, err := f.inputs()
		if err != nil {
			return nil, err
		}
		settings := in.corpus
		settings.Seed, settings.PeriodsPerYear = in.config.Seed, in.perYear
		made, err := corpus.Build(ctx, in.in, in.set, in.sectors, settings, nil)
		if err != nil {
			return nil, err
		}
		training, heldOut := made.Split()
		if heldOut == nil {
			return nil, errors.New("nothing of the training set is held out")
		}
		return &rows{rowsOf(training), rowsOf(heldOut)}, nil
	})
}

// number reads a cell.
func number(cell string) (float64, error) { return strconv.ParseFloat(strings.TrimSpace(cell), 64) }
