package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/sweep"
	"vaefolio/vaelib/vae"
)

// sweptConfig is the configuration of one run of a sweep.
type sweptConfig struct {
	cli.Prices
	PeriodsPerYear float64 `flag:"periods-per-year" help:"the number of periods in a year"`
	cli.Constraints
	sweep.Settings
	cli.Common
}

var sweptChecks = []check{
	{"config.toml", (*folder).checkSwept},
	{"model/model.json", (*folder).checkTrained},
	{"result.json", (*folder).checkResult},
	{"history.csv", (*folder).checkCourse},
	{"result.json", (*folder).checkWorth},
	{"timings.json", (*folder).checkSpent},
	{"model/aggregate.json", (*folder).checkMadeAgain},
}

// swept is what a run of a sweep was made from.
type swept struct {
	config   *sweptConfig
	data     *cli.Data
	set      simplex.Set
	sectors  *market.Sectors
	perYear  float64
	in, out  *market.Window
	seed     uint64 // of the training set
	corpus   string // its name, by all that it is made from
	embargo  int
	training string // its folder
}

// swept reads what the configuration names.
func (f *folder) swept() (*swept, error) {
	return recall(f, "swept", []string{"config.toml"}, func() (*swept, error) {
		verb := cli.Verb[sweptConfig]{Name: "sweep", Default: sweptConfig{Settings: sweep.DefaultSettings()}}
		c, _, err := verb.ReadConfig(f.path("config.toml"))
		if err != nil {
			return nil, err
		}
		s := &swept{config: c, seed: c.CorpusSeed, embargo: c.Embargo, perYear: c.PeriodsPerYear}
		if s.data, err = f.load(&c.Prices); err != nil {
			return nil, err
		}
		w := s.data.Window
		if s.set, err = c.Constraints.Set(f.io, w.Symbols); err != nil {
			return nil, err
		}
		if s.sectors, err = c.SectorsOf(w.Symbols); err != nil {
			return nil, err
		}
		if s.perYear == 0 {
			s.perYear = w.PeriodsPerYear()
		}
		if s.seed == 0 {
			s.seed = c.Seed
		}
		cut := int(math.Floor(c.Split * float64(len(w.Times))))
		fitting := c.Corpus
		if note, err := fitting.Reach(cut-max(0, c.Embargo), c.Embargo < 0); err != nil {
			return nil, err
		} else if note != "" {
			c.Corpus.Lookbacks = fitting.Lookbacks
		}
		if s.embargo < 0 {
			s.embargo = slices.Max(c.Corpus.Lookbacks)
		}
		if cut-s.embargo < 2 || cut >= len(w.Times) {
			return nil, fmt.Errorf("a split of %v with an embargo of %d leaves nothing of %d periods", c.Split,
				s.embargo, len(w.Times))
		}
		s.in, s.out = w.Slice(0, cut-s.embargo), w.Slice(cut, len(w.Times))
		s.corpus = s.corpusID()
		s.training = filepath.Join(f.dir, "..", "..", sweep.CorporaFolder, s.corpus)
		return s, nil
	})
}

// load reads prices, once for all runs that name the same.
func (f *folder) load(prices *cli.Prices) (*cli.Data, error) {
	return recall(f, fmt.Sprintf("prices %+v", *prices), nil, func() (*cli.Data, error) { return prices.Load(f.io) })
}

// idLength is that of the names of a sweep's runs, training sets and markets.
const idLength = 16

// corpusID names the training set.
func (s *swept) corpusID() string {
	config := s.config.Corpus
	config.Seed, config.PeriodsPerYear = s.seed, s.perYear
	identity := fmt.Sprintf("%s %+v %+v", s.in.Hash(), config, s.set)
	if s.sectors != nil {
		for _, sector := range s.sectors.Names {
			for _, symbol := range s.in.Symbols {
				identity += fmt.Sprintf(" %s %s %v", sector, symbol, s.sectors.Share(symbol, sector))
			}
		}
	}
	return hashParts([]byte(identity))[:idLength]
}

// sweptTraining is the configuration of the training in a run of a sweep.
func (f *folder) sweptTraining() (*trainConfig, error) {
	s, err := f.swept()
	if err != nil {
		return nil, err
	}
	c := &trainConfig{Weights: filepath.Join(s.training, "weights.csv"), Model: s.config.Model,
		Schedule: s.config.Schedule, Components: s.config.Components}
	if c.Seed = s.config.Seed; s.config.Conditional {
		c.Conditions, c.Conditioning = filepath.Join(s.training, "conditions.csv"), s.config.Conditioning
	}
	return c, nil
}

// checkSwept compares the names of the run and of its training set with what they are
// made from.
func (f *folder) checkSwept(context.Context) error {
	s, err := f.swept()
	if err != nil {
		return err
	}
	f.equal(manifestFile, "data_hash", f.manifest.Data, s.corpus)
	config, err := f.read("config.toml")
	if err != nil {
		return err
	}
	text := strings.Join(append(lines(config), ""), "\n")
	absolute, err := filepath.Abs(f.dir)
	if err != nil {
		return err
	}
	f.equal("config.toml", "name of the run", filepath.Base(absolute),
		hashParts([]byte(text), []byte(s.corpus))[:idLength])
	return nil
}

// checkResult recomputes what the run says of its model.
func (f *folder) checkResult(ctx context.Context) error {
	const file = "result.json"
	s, err := f.object(file)
	if err != nil {
		return err
	}
	known := []string{"active_units", "kl_nats", "r2", "r2_pca", "health", "health_reasons", "r2_linear",
		"dispersion_prior", "dispersion_posterior", "beta_without_unit", "thresholds", "train", "validation", "worth",
		"control", "step", "stopped_early", "training_rows", "validation_rows", "warning"}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if !slices.Contains(known, name) {
			f.add(file, name, differs, s[name], nil)
		}
	}
	l, err := f.learned()
	if err != nil {
		return err
	}
	n, err := f.readNetwork(f.modelDir())
	if err != nil {
		return err
	}
	f.equal(file, "training_rows", s["training_rows"], len(l.rows.training))
	f.equal(file, "validation_rows", s["validation_rows"], len(l.rows.heldOut))
	f.near(file, "beta_without_unit", s["beta_without_unit"], n.beta(), 1e-9)
	f.equal(file, "warning", s["warning"] != nil, s["active_units"] == 0.0)
	h, err := f.history("history.csv", l.config.Schedule.Patience)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(h.Points, func(p vae.Point) bool { return p.Step == h.Step })
	f.equal(file, "step", s["step"], h.Step)
	f.equal(file, "train", s["train"], h.Points[at].Train)
	f.equal(file, "validation", s["validation"], h.Points[at].Validation)
	last := h.Points[len(h.Points)-1].Step
	if steps := l.config.Schedule.Steps; steps > 0 {
		f.equal(file, "stopped_early", s["stopped_early"], last < steps)
	}
	if !l.conditional {
		f.equal(file, "control", s["control"], nil)
	}
	return f.checkQuality(ctx, file, s, n, l)
}

// checkSpent compares the times of the run with each other.
func (f *folder) checkSpent(context.Context) error {
	const file = "timings.json"
	s, err := f.object(file)
	if err != nil {
		return err
	}
	t, err := f.table("history.csv")
	if err != nil {
		return err
	}
	speeds, err := t.numbers("samples_per_second")
	if err != nil {
		return err
	}
	sort.Float64s(speeds)
	f.near(file, "samples_per_second", s["samples_per_second"],
		(speeds[(len(speeds)-1)/2]+speeds[len(speeds)/2])/2, 1e-12)
	spent, err := t.numbers("seconds")
	if err != nil {
		return err
	}
	seconds, _ := s["seconds"].(float64)
	least := spent[len(spent)-1]
	if f.manifest.Resumed > 0 {
		least = 0
	}
	f.equal(file, "seconds", seconds >= least && seconds <= f.manifest.Timings["total"]+0.01, true)
	f.equal(file, "fields", len(s), 2)
	return nil
}

// control is how a conditional model does what it is asked for in one condition.
type control struct {
	Name               string   `json:"name"`
	Cap                bool     `json:"cap"`
	Error              float64  `json:"error"`
	Shuffled           float64  `json:"shuffled"`
	Best8              float64  `json:"best_of_8"`
	Best1000           float64  `json:"best_of_1000"`
	Violations         *float64 `json:"violations"`
	ShuffledViolations *float64 `json:"shuffled_violations"`

	undecided, undecidedShuffled float64 // shares of violations by less than float32 tells
}

// checkControl asks the network for what held-out portfolios have, and compares what
// comes out with what was asked for.
func (f *folder) checkControl(_ context.Context, file string, s map[string]any, n *network, l *learned) error {
	files := []string{"config.toml", f.inModel("model.json"), f.inModel("model.safetensors"),
		f.inModel("neighbours.json")}
	want, err := recall(f, "control", files, func() ([]*control, error) { return f.measureControl(n, l) })
	if err != nil {
		return err
	}
	stored, _ := s["control"].([]any)
	if !f.equal(file, "number of conditions held to", len(stored), len(want)) {
		return nil
	}
	for k, c := range want {
		row, _ := stored[k].(map[string]any)
		cap, _ := row["cap"].(bool)
		f.equal(file, fmt.Sprintf("control[%d]", k), []any{row["name"], cap}, []any{c.Name, c.Cap})
		for name, x := range map[string]float64{"error": c.Error, "shuffled": c.Shuffled, "best_of_8": c.Best8,
			"best_of_1000": c.Best1000} {
			f.near(file, name+" of "+c.Name, row[name], x, 5e-5)
		}
		if !c.Cap {
			f.equal(file, "violations of "+c.Name, []any{row["violations"], row["shuffled_violations"]},
				[]any{nil, nil})
			continue
		}
		f.within(file, "violations of "+c.Name, row["violations"], *c.Violations, c.undecided)
		f.within(file, "shuffled_violations of "+c.Name, row["shuffled_violations"], *c.ShuffledViolations,
			c.undecidedShuffled)
	}
	return nil
}

// Of rejection: portfolios to choose among.
const poolRows = 4096

func (f *folder) measureControl(n *network, l *learned) ([]*control, error) {
	b, err := f.readNearby()
	if err != nil {
		return nil, err
	}
	measures, err := readMeasures(l.config.Conditions)
	if err != nil {
		return nil, err
	}
	seed, conditions := l.config.Seed, l.told.heldOut
	asked := n.loosened(conditions, seed)
	decoded := n.decodeGiven(b.drawGiven(n, asked, stream.New(seed, "generate.control", 0)), asked)
	rng := stream.New(seed, "generate.order.pool", 0)
	donors := evenly(l.told.training, min(4096, len(l.told.training)))
	pool := make([][]float64, poolRows)
	for i := range pool {
		pool[i] = donors[rng.IntN(len(donors))]
	}
	pool = n.loosened(pool, seed)
	pool = n.decodeGiven(b.drawGiven(n, pool, rng), pool)
	rng = stream.New(seed, "generate.control.shuffle", 0)
	other := rng.Perm(len(asked))
	var all []*control
	var columns []int
	var deviations []float64
	var have [][]float64 // of each the pool's
	count := float64(len(asked))
	for j, condition := range n.document.Config.Conditions {
		m, known := measures[condition.Name]
		sd := deviation(columnOf(conditions, j))
		if !known || !(sd > 0) {
			continue
		}
		c := &control{Name: condition.Name, Cap: condition.Cap}
		var exceed, shuffled float64
		for i, w := range decoded {
			got := measured(m.Form, m.Vector, m.Matrix, n.projected(w))
			c.Error += missed(c.Cap, got, asked[i][j]) / sd / count
			c.Shuffled += missed(c.Cap, got, asked[other[i]][j]) / sd / count
			x := measured(m.Form, m.Vector, m.Matrix, w)
			tell(x, asked[i][j], &exceed, &c.undecided, count)
			tell(x, asked[other[i]][j], &shuffled, &c.undecidedShuffled, count)
		}
		c.Violations, c.ShuffledViolations = &exceed, &shuffled
		all, columns, deviations = append(all, c), append(columns, j), append(deviations, sd)
		values := make([]float64, len(pool))
		for i, w := range pool {
			values[i] = measured(m.Form, m.Vector, m.Matrix, n.projected(w))
		}
		have = append(have, values)
	}
	reject(all, columns, deviations, have, asked, rng)
	return all, nil
}

// reject draws portfolios of a pool, whose conditions are given, and takes the one
// that is nearest in all conditions to what is asked for.
func reject(all []*control, columns []int, deviations []float64, have, asked [][]float64, rng *rand.Rand) {
	for _, budget := range []int{8, 1000} {
		for i := range asked {
			best, least := 0, math.Inf(1)
			for range budget {
				row, distance := rng.IntN(poolRows), 0.0
				for k, j := range columns {
					d := missed(all[k].Cap, have[k][row], asked[i][j]) / deviations[k]
					distance += d * d
				}
				if distance < least {
					best, least = row, distance
				}
			}
			for k, j := range columns {
				d := missed(all[k].Cap, have[k][best], asked[i][j]) / deviations[k] / float64(len(asked))
				if budget == 8 {
					all[k].Best8 += d
				} else {
					all[k].Best1000 += d
				}
			}
		}
	}
}

// tell counts a value above a bound, and one that float32 can't tell from it.
func tell(x, bound float64, above, undecided *float64, count float64) {
	if x > bound {
		*above += 1 / count
	}
	if math.Abs(x-bound) < single*max(1, math.Abs(bound)) {
		*undecided += 1 / count
	}
}

// missed is how far a value is from one asked for, or above a bound.
func missed(cap bool, have, asked float64) float64 {
	if cap {
		return max(0, have-asked)
	}
	return math.Abs(have - asked)
}

func columnOf(rows [][]float64, j int) []float64 {
	column := make([]float64, len(rows))
	for i, row := range rows {
		column[i] = row[j]
	}
	return column
}

// projected is the nearest portfolio with weights from 0 to 1 to what is decoded; of a
// linear head, whose weights may be any, the nearest with the sum 1.
func (n *network) projected(w []float64) []float64 {
	if n.document.Config.Head != "linear" {
		return capped(w, 1)
	}
	w = slices.Clone(w)
	left := (1 - sum(w)) / float64(len(w))
	for j := range w {
		w[j] += left
	}
	return w
}

// sameBytes compares a file of the folder with another one.
func (f *folder) sameBytes(file string, want []byte) error {
	got, err := f.read(file)
	if err != nil {
		return err
	}
	status, found := same, sha(got)
	if !bytes.Equal(got, want) {
		status, found = differs, sha(want)+difference(got, want)+" by this program, another version may write others"
	}
	f.add(file, "made again", status, sha(got), found)
	return nil
}
