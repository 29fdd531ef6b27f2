package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"maps"
	"math"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/lab"
	"vaefolio/vaelib/learnt"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

var wholeLabChecks = []check{
	{"lab.json", (*folder).checkLaboratory},
	{"worlds", (*folder).checkWorlds},
	{"results.csv", (*folder).checkShares},
	{"results.csv", (*folder).checkTruths},
	{"summary.json", (*folder).checkFindings},
	{"report.html", (*folder).checkLabAgain},
}

// labPlan is lab.json.
type labPlan struct {
	Kind      string       `json:"kind"`
	Settings  lab.Settings `json:"settings"`
	Seed      uint64       `json:"seed"`
	Data      string       `json:"data"`
	Market    string       `json:"market"`
	PerYear   float64      `json:"periods_per_year"`
	Synthetic bool         `json:"synthetic"`
	Model     string       `json:"model"`
	Rule      string       `json:"rule"`
	Backend   string       `json:"backend"`
	GOARCH    string       `json:"goarch"`
}

// labCell is a place of the map.
type labCell struct {
	Assets     int     `json:"n"`
	Periods    int     `json:"periods"`
	Dispersion float64 `json:"dispersion"`
}

// labWorld is a world by its place and number, with what its folder says.
type labWorld struct {
	labCell
	World       int         `json:"world"`
	Level       float64     `json:"level"`
	Correlation float64     `json:"correlation"`
	Optimum     float64     `json:"optimum"`
	Strategies  []string    `json:"strategies"`
	Kinds       []string    `json:"kinds"`
	Shares      [][]float64 `json:"shares"` // by history and strategy

	id string
}

func (p *labPlan) cells() (cells []labCell) {
	for _, n := range p.Settings.Assets {
		for _, periods := range p.Settings.Periods {
			for _, dispersion := range p.Settings.Dispersion {
				cells = append(cells, labCell{n, periods, dispersion})
			}
		}
	}
	return cells
}

// laboratory is what a folder of lab holds.
type laboratory struct {
	plan    *labPlan
	config  *labConfig // of the command in the report
	command string
	worlds  []*labWorld
	real    [][]float64 // the returns that are resampled; nil: none
	rule    []*overSets // the networks of the learnt rule
}

// labConfig is the configuration of the lab verb.
type labConfig struct {
	Map     lab.Settings
	Model   string   `flag:"model" help:"the model over sets of assets"`
	Rule    []string `flag:"rule" help:"the learnt rule"`
	PerYear float64  `flag:"periods-per-year" help:"the number of periods in a year"`
	cli.Prices
	cli.Backend
	Out string `flag:"out" help:"the folder of the laboratory"`
	cli.Format
	cli.Common
}

// laboratory reads the plan, the command that the report repeats, and all worlds.
func (f *folder) laboratory() (*laboratory, error) {
	files := []string{"lab.json", "report.html"}
	worlds, err := filepath.Glob(f.path("worlds/*"))
	if err != nil {
		return nil, err
	}
	for _, at := range worlds {
		files = append(files, path.Join("worlds", filepath.Base(at), "result.json"))
	}
	return recall(f, "laboratory", files, func() (*laboratory, error) {
		l := &laboratory{plan: new(labPlan)}
		if err := f.json("lab.json", l.plan); err != nil {
			return nil, err
		}
		if err := f.readCommand(l); err != nil {
			return nil, err
		}
		if l.plan.Settings.Source == lab.Bootstrap {
			data, err := f.load(&l.config.Prices)
			if err != nil {
				return nil, err
			}
			l.real = returns(data.Window)
		}
		for _, c := range l.plan.cells() {
			for number := range l.plan.Settings.Worlds {
				w := &labWorld{}
				id := hashParts(l.configOf(c, number), fmt.Append(nil, l.plan.Seed), []byte(l.plan.Data),
					[]byte(l.plan.Backend))[:idLength]
				if err := f.json(path.Join("worlds", id, "result.json"), w); err != nil {
					return nil, fmt.Errorf("world %d of %v: %w", number, c, err)
				}
				if w.labCell != c || w.World != number || len(w.Strategies) != len(w.Kinds) ||
					len(w.Shares) != l.plan.Settings.Windows {
					return nil, fmt.Errorf("worlds/%s/result.json is not that of world %d of %v", id, number, c)
				}
				if !slices.Equal(w.Strategies, before(l.worlds, w).Strategies) ||
					slices.ContainsFunc(w.Shares, func(row []float64) bool { return len(row) != len(w.Strategies) }) {
					return nil, fmt.Errorf("worlds/%s/result.json has other strategies, or shares of others", id)
				}
				w.id = id
				l.worlds = append(l.worlds, w)
			}
		}
		return l, nil
	})
}

// before is the world before one, or that one where it is the first.
func before(worlds []*labWorld, w *labWorld) *labWorld {
	if len(worlds) == 0 {
		return w
	}
	return worlds[len(worlds)-1]
}

var commandOfReport = regexp.MustCompile(`<code>go run \./scripts/lab (.*?)</code>`)

// readCommand reads the command that repeats the laboratory out of its report.
func (f *folder) readCommand(l *laboratory) error {
	page, err := f.read("report.html")
	if err != nil {
		return err
	}
	m := commandOfReport.FindSubmatch(page)
	if m == nil {
		return errors.New("report.html has no command that repeats the laboratory")
	}
	text := html.UnescapeString(string(m[1]))
	l.command = "go run ./scripts/lab " + text
	var stderr strings.Builder
	reader := cli.Verb[labConfig]{Name: "lab", Default: labConfig{Map: lab.Default()},
		Run: func(_ context.Context, c *labConfig, _ *cli.IO) error {
			l.config = c
			return nil
		}}
	if reader.Execute(context.Background(), words(text), io.Discard, &stderr); l.config == nil {
		return fmt.Errorf("report.html: the command that repeats the laboratory: %s",
			strings.TrimSpace(stderr.String()))
	}
	return nil
}

// words are those of a command line, some of them in quotes.
func words(text string) (all []string) {
	for _, m := range regexp.MustCompile(`(?:[^\s']|'[^']*')+`).FindAllString(text, -1) {
		all = append(all, strings.ReplaceAll(m, "'", ""))
	}
	return all
}

// configOf is config.toml of a world.
func (l *laboratory) configOf(c labCell, number int) []byte {
	p, s := l.plan, l.plan.Settings
	names := l.roster()
	for _, hash := range []string{p.Model, p.Rule} {
		if hash != "" {
			names = append(names, hash)
		}
	}
	text := fmt.Appendf(nil, "source = %q\nn = %d\nperiods = %d\ndispersion = %v\nworld = %d\nwindows = %d\n"+
		"rows = %d\nsteps = %d\nsamples = %d\nstrategies = %q\n", s.Source, c.Assets, c.Periods, c.Dispersion, number,
		s.Windows, s.Rows, s.Steps, s.Samples, strings.Join(names, " "))
	if p.PerYear > 0 {
		text = fmt.Appendf(text, "periods_per_year = %v\n", p.PerYear)
	}
	return text
}

// roster are the strategies asked for, in the order of the tables.
func (l *laboratory) roster() (names []string) {
	for _, s := range lab.Strategies(lab.Inputs{Settings: l.plan.Settings, Set: new(trained.SetModel),
		Rule: new(learnt.Rule)}) {
		names = append(names, s.Name)
	}
	return names
}

// checkLaboratory compares the plan with the command, the models and the prices, and
// the files of the folder with it.
func (f *folder) checkLaboratory(context.Context) error {
	const file = "lab.json"
	l, err := f.laboratory()
	if err != nil {
		return err
	}
	p := l.plan
	f.equal(file, "kind", p.Kind, "vaefolio laboratory")
	f.equal(file, "settings", p.Settings, l.config.Map)
	f.equal(file, "seed", p.Seed, l.config.Seed)
	network, err := trained.ReadSet(l.config.Model)
	if err != nil {
		return err
	}
	f.equal(file, "model", p.Model, sha(network))
	rule, err := learnt.Hash(l.config.Rule...)
	if err != nil {
		return err
	}
	f.equal(file, "rule", p.Rule, rule)
	if asked, _, _ := strings.Cut(string(l.config.Backend.Backend), ":"); asked != "auto" {
		f.equal(file, "backend", p.Backend, asked)
	}
	market, data, synthetic, perYear := lab.Simulated, "", true, 0.0
	if p.Settings.Source == lab.Bootstrap {
		read, err := f.load(&l.config.Prices)
		if err != nil {
			return err
		}
		market, data, synthetic = l.config.Prices.Source(), read.Window.Hash(), read.Synthetic
		if perYear = l.config.PerYear; perYear == 0 {
			perYear = read.Window.PeriodsPerYear()
		}
	}
	f.equal(file, "market", []any{p.Market, p.Data, p.Synthetic, p.PerYear}, []any{market, data, synthetic, perYear})
	listed := []string{"lab.json", "results.csv", "summary.json", "report.html", "figures/map.png", ".lab.lock"}
	for _, w := range l.worlds {
		listed = append(listed, "worlds/"+w.id)
	}
	return f.checkOnly(listed, file)
}

// checkWorlds compares each world's folder with the plan.
func (f *folder) checkWorlds(ctx context.Context) error {
	l, err := f.laboratory()
	if err != nil {
		return err
	}
	for _, w := range l.worlds {
		name := path.Join("worlds", w.id)
		own := []check{{"config.toml", func(p *folder, _ context.Context) error {
			if err := p.sameBytes("config.toml", l.configOf(w.labCell, w.World)); err != nil {
				return err
			}
			p.equal(manifestFile, "data_hash", p.manifest.Data, l.plan.Data)
			p.equal(manifestFile, "goarch", p.manifest.GOARCH, l.plan.GOARCH)
			p.equal("result.json", "strategies", w.Strategies[:min(len(w.Strategies), len(l.roster()))], l.roster())
			return nil
		}}}
		if err := f.inside(ctx, name, &decided{l.plan.Seed, l.plan.Backend}, own); err != nil {
			return err
		}
	}
	return nil
}

// checkShares compares every row of the table with what the worlds say; what the right
// prior would have it has from the truth.
func (f *folder) checkShares(context.Context) error {
	const file = "results.csv"
	l, err := f.laboratory()
	if err != nil {
		return err
	}
	prior, err := f.priors(l)
	if err != nil {
		return err
	}
	t, err := f.table(file)
	if err != nil {
		return err
	}
	header := []string{"world", "window", "strategy", "n", "periods", "dispersion", "share", "seed", "kind", "sharpe",
		"optimum"}
	f.equal(file, "columns", t.header, header)
	at := 0
	for i, w := range l.worlds {
		for k := range w.Shares {
			for s, name := range append(slices.Clone(w.Strategies), rightPrior) {
				if at >= len(t.rows) {
					return fmt.Errorf("%s has %d rows, too few", file, len(t.rows))
				}
				row := t.rows[at]
				at++
				kind, share, where := "ceiling", prior[i][k], fmt.Sprintf("%s of world %d of %v, history %d", name,
					w.World, w.labCell, k)
				if name == rightPrior {
					f.nearCell(file, where, row, 6, share)
					share, _ = number(row[6])
				} else {
					kind, share = w.Kinds[s], w.Shares[k][s]
				}
				f.record(file, where, header, row, []string{plainCell(float64(w.World)), plainCell(float64(k)), name,
					plainCell(float64(w.Assets)), plainCell(float64(w.Periods)), plainCell(w.Dispersion),
					plainCell(share), fmt.Sprint(l.plan.Seed), kind, plainCell(share * w.Optimum),
					plainCell(w.Optimum)})
			}
		}
	}
	f.equal(file, "rows", len(t.rows), at)
	return nil
}

// ofRules is how far a share of a rule that is solved for may be from its optimum's.
const ofRules = 1e-6

func (f *folder) nearCell(file, item string, row []string, k int, want float64) {
	got, err := number(row[k])
	if err != nil || math.IsNaN(want) {
		f.add(file, item, unchecked, row[k], "a covariance is singular")
		return
	}
	f.near(file, item, got, want, ofRules)
}

// rightPrior names what whoever knows the law of the means would have.
const rightPrior = "right-prior"

// truthOf draws the market of a world.
func (l *laboratory) truthOf(w *labWorld) (*truth, error) {
	index := w.streamOf(w.World, 0)
	if l.real != nil {
		return resampledTruth(l.plan.Seed, index, w.Assets, w.Dispersion, l.plan.PerYear, l.real)
	}
	return newTruth(l.plan.Seed, index, w.Assets, w.Dispersion)
}

// priors are the shares of the right prior, by world and history.
func (f *folder) priors(l *laboratory) ([][]float64, error) {
	return recall(f, "priors", []string{"lab.json"}, func() ([][]float64, error) {
		var all [][]float64
		for _, w := range l.worlds {
			m, err := l.truthOf(w)
			if err != nil {
				return nil, err
			}
			best, err := tangency(m.mean, m.covariance)
			if err != nil {
				return nil, err
			}
			var shares []float64
			for k := range w.Shares {
				rows := m.history(l.plan.Seed, w.streamOf(w.World, 1+k), w.Periods)
				share := math.NaN()
				if chosen, err := m.rightPrior(rows); err == nil {
					share = m.sharpe(chosen) / m.sharpe(best)
				}
				shares = append(shares, share)
			}
			all = append(all, shares)
		}
		return all, nil
	})
}

// mostWorlds is how many are drawn again for the strategies, of more a seeded sample.
const mostWorlds = 400

// checkTruths draws markets and histories again, and has the strategies that are
// defined in a few lines choose on them; what the others chose is kept.
func (f *folder) checkTruths(ctx context.Context) error {
	l, err := f.laboratory()
	if err != nil {
		return err
	}
	chosen := stream.New(l.plan.Seed, "verify.worlds", 0).Perm(len(l.worlds))
	chosen = chosen[:min(mostWorlds, len(chosen))]
	costly := slices.Clone(chosen[:min(mostCostly, len(chosen))])
	slices.Sort(chosen)
	found, err := recall(f, "truths", []string{"lab.json"}, func() ([]*drawn, error) {
		if err := l.readRules(); err != nil {
			return nil, err
		}
		var all []*drawn
		for _, i := range chosen {
			d, err := l.draw(l.worlds[i])
			if err == nil && slices.Contains(costly, i) {
				err = l.chooseAgain(ctx, l.worlds[i], d, i%len(d.shares))
			}
			if err != nil {
				return nil, err
			}
			d.histories = nil
			all = append(all, d)
		}
		return all, nil
	})
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	for at, i := range chosen {
		w, d := l.worlds[i], found[at]
		file := path.Join("worlds", w.id, "result.json")
		f.near(file, "level", w.Level, d.level, 1e-9)
		f.near(file, "correlation", w.Correlation, d.correlation, 1e-9)
		f.near(file, "optimum", w.Optimum, d.optimum, ofRules)
		for s, name := range w.Strategies {
			for k, row := range w.Shares {
				if want, simple := d.shares[k][name]; simple {
					f.near(file, fmt.Sprintf("%s on history %d", name, k), row[s], want, ofRules)
				}
			}
		}
		names, err := f.checkKept(w, d)
		if err != nil {
			return err
		}
		for _, name := range names {
			taken[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(taken)) {
		f.add("worlds", "weights of "+name, unchecked, nil, "its model is not trained again: -rerun")
	}
	return nil
}

// drawn is a world that was drawn again.
type drawn struct {
	level, correlation, optimum float64
	market                      *truth
	histories                   [][][]float64
	weights                     []map[string][]float64 // of what chose again, by history
	shares                      []map[string]float64   // of the simple rules, by history
}

func (l *laboratory) draw(w *labWorld) (*drawn, error) {
	m, err := l.truthOf(w)
	if err != nil {
		return nil, err
	}
	best, err := tangency(m.mean, m.covariance)
	if err != nil {
		return nil, err
	}
	d := &drawn{level: m.level, correlation: m.correlation(), optimum: m.sharpe(best), market: m}
	for k := range w.Shares {
		rows := m.history(l.plan.Seed, w.streamOf(w.World, 1+k), w.Periods)
		h := newKnown(rows)
		shares, weights := map[string]float64{}, map[string][]float64{}
		for _, name := range w.Strategies {
			rule, simple := simpleRules[name]
			if !simple {
				continue
			}
			if chosen, err := rule(h); err == nil { // else a covariance is singular
				weights[name], shares[name] = chosen, m.sharpe(chosen)/d.optimum
			}
		}
		d.histories = append(d.histories, rows)
		d.shares, d.weights = append(d.shares, shares), append(d.weights, weights)
	}
	return d, nil
}

// checkLabAgain judges the worlds again by package lab, and compares the bytes of
// tables, report and picture.
func (f *folder) checkLabAgain(ctx context.Context) error {
	l, err := f.laboratory()
	if err != nil {
		return err
	}
	files := []string{"lab.json", "report.html"}
	for _, w := range l.worlds {
		files = append(files, path.Join("worlds", w.id, manifestFile), path.Join("worlds", w.id, "result.json"))
	}
	made, err := recall(f, "judged again", files, func() (map[string][]byte, error) { return f.finishLab(ctx, l) })
	if err != nil {
		return err
	}
	for _, file := range slices.Sorted(maps.Keys(made)) {
		if err := f.sameBytes(file, made[file]); err != nil {
			return err
		}
	}
	return nil
}

// finishLab writes tables, report and picture in a folder of its own.
func (f *folder) finishLab(ctx context.Context, l *laboratory) (map[string][]byte, error) {
	backend, err := vae.Open(l.plan.Backend)
	if err != nil {
		return nil, fmt.Errorf("the laboratory was made on %s, which isn't here: %w", l.plan.Backend, err)
	}
	defer backend.Close()
	in := lab.Inputs{Settings: l.plan.Settings, Seed: l.plan.Seed, Backend: backend}
	if l.real != nil {
		m := mat.NewDense(len(l.real), len(l.real[0]), nil)
		for t, row := range l.real {
			m.SetRow(t, row)
		}
		in.Market = &lab.Market{Returns: m, Hash: l.plan.Data, Name: l.plan.Market, Synthetic: l.plan.Synthetic,
			PeriodsPerYear: l.plan.PerYear}
	}
	if l.config.Model == "" {
		in.Set, err = trained.BuiltIn(backend)
	} else {
		in.Set, err = trained.OpenSet(backend, l.config.Model)
	}
	if err != nil {
		return nil, err
	}
	if in.Rule, err = learnt.Open(backend, l.config.Rule...); err != nil {
		return nil, err
	}
	plan, err := f.read("lab.json")
	if err != nil {
		return nil, err
	}
	worlds, err := filepath.Abs(f.path("worlds"))
	if err != nil {
		return nil, err
	}
	made, err := written(func(dir string) error {
		if err := errors.Join(os.WriteFile(filepath.Join(dir, "lab.json"), plan, 0o600),
			os.Symlink(worlds, filepath.Join(dir, "worlds"))); err != nil {
			return err
		}
		again, err := lab.Open(dir, in, false)
		if err != nil {
			return err
		}
		if _, err := again.Finish(ctx, l.command); err != nil {
			return err
		}
		return os.Remove(filepath.Join(dir, "worlds"))
	})
	delete(made, ".lab.lock")
	return made, err
}

// rerunLab repeats the laboratory by the command of its report.
func (f *folder) rerunLab(ctx context.Context, programs string) error {
	l, err := f.laboratory()
	if err != nil {
		return err
	}
	made, err := recall(f, "rerun", []string{"lab.json", "report.html"}, func() (*whole, error) {
		command := words(strings.TrimPrefix(l.command, "go run ./scripts/lab "))
		if out := slices.Index(command, "-out"); out >= 0 {
			command = slices.Delete(command, out, out+2)
		}
		return f.repeat(ctx, programs, "lab", command...)
	})
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(made.files)) {
		switch path.Base(name) {
		case ".lock", ".lab.lock":
		case manifestFile:
			var stored, again run.Manifest
			if err := errors.Join(f.json(name, &stored), json.Unmarshal(made.files[name], &again)); err != nil {
				return err
			}
			part := &folder{manifest: &stored}
			part.compareManifests(&again)
			for _, x := range part.findings {
				x.File = name
				f.findings = append(f.findings, x)
			}
		default:
			if err := f.sameBytes(name, made.files[name]); err != nil {
				return err
			}
		}
	}
	return nil
}
