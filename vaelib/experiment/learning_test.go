package experiment

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/data"
	"vaefolio/internal/sharedtest"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/fidelity"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

// seeds is how many trainings the tests of what models learn make of each kind.
// The figures in their comments are of three, which take half an hour:
//
//	go test ./vaelib/experiment -run 'DefaultsLearn|LikelihoodsAndHeads|LinearCollapse' -v -seeds 3 -timeout 2h
var seeds = flag.Uint64("seeds", 1, "trainings of each kind in the tests of what models learn")

// What the default model of the default mixed training set comes to: every unit
// active, better reconstructions than principal components, samples as wide as
// the data and nearer to it than a normal distribution's, and the exact zeros
// that portfolios have. On rows held out at random, which a generator can know
// all about, for the bundled sample and for real prices; and on rows of a later
// time, where what the time changed counts against every generator: the training
// rows themselves, drawn again, reach .64 to .68 of those of the real prices.
// Least and most of three seeds (XLA), on 2,000 rows and 5 neighbours, by which
// real rows cover .97 of real ones:
//
//	                             sample, random  core12, random  and fine      core12, time
//	R2 beside PCA's              1.16 to 1.18    1.13 to 1.14    1.15 to 1.16  1.12 to 1.13
//	dispersion                   0.93 to 0.95    0.92 to 0.96    0.94 to 0.96  0.99 to 1.02
//	coverage                     0.90 to 0.92    0.88 to 0.91    0.89 to 0.90  0.65 to 0.68
//	energy distance/0.001        1.1 to 1.4      1.2 to 1.7      0.2 to 1.3    9 to 10
//	  normal in 8 components     12 to 13        12 to 13        12 to 13      19 to 21
//	  mixture in weight space    0.6 to 1.2      1.0 to 1.7      1.0 to 1.7    10
//	exact zeros found            0.72 to 0.73    0.79 to 0.80    0.89 to 0.90  0.68 to 0.70
//	zeros of samples, held out   0.88 to 0.89    0.88 to 0.95    0.86 to 0.98  0.97 to 0.99
//
// The mixture in weight space comes as near by energy distance, and wins in recall
// (.93 to .95 of core12's rows at random, the default model .83 to .87, the fine
// one .87 to .88); it has less coverage there and no code.
//
// The fine model, of 128 and 64 units and a beta of 0.03, is better by all of
// these. It isn't the default, for within the ball of the prior it reaches less of
// the convex bound: 98.4 % with 12 assets and 97.6 % with 40 in
// TestLatentSearchNearsTheBound, which asks for 99 and 98.
//
// Without XLA only the bundled sample is trained on, split at random.
func TestDefaultsLearn(t *testing.T) {
	if testing.Short() {
		t.Skip("trains the default model in full")
	}
	backend, err := vae.Open("auto")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	for _, c := range []struct {
		name, prices string
		byTime, fine bool
	}{
		{"sample, random", "sample", false, false},
		{"sample, time", "sample", true, false},
		{"core12, random", "core12", false, false},
		{"core12, time", "core12", true, false},
		{"core12, random, fine", "core12", false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if backend.Name() == "go" && c.name != "sample, random" {
				t.Skip("without XLA only the bundled sample, split at random")
			}
			m, found := defaultNetwork(), 0.65
			switch {
			case c.byTime:
				found = 0.55
			case c.fine:
				m.Beta, m.Hidden, m.LearningRate = 0.03, []int{128, 64}, 5e-3
				found = 0.87
			}
			for seed := uint64(1); seed <= *seeds; seed++ {
				rows := mixedRows(t, c.prices, nil, seed)
				training, heldOut := rows.Split()
				if !c.byTime {
					training, heldOut = shuffled(rows, seed)
				}
				l := learn(t, backend, m, training, heldOut, seed)
				l.judge(t, 2000, true)
				t.Logf("seed %d: %v", seed, l)
				l.check(t, c.byTime, found)
			}
		})
	}
}

// check holds what was learned to its marks.
func (l learned) check(t *testing.T, byTime bool, found float64) {
	t.Helper()
	d := l.diagnosis
	atLeast := func(what string, got, want float64) {
		t.Helper()
		if !(got >= want) {
			t.Errorf("%s is %.4f, want at least %v", what, got, want)
		}
	}
	model, pca := l.rows["model"], l.rows["PCA and one normal"]
	atLeast("active units", float64(d.ActiveUnits), 8)
	atLeast("zeros found", l.found, found)
	atLeast("dispersion of the mixture on the codes", l.dispersion, 0.93-0.02) // a seed's standard error is 0.01
	if byTime {
		atLeast("R2 beside PCA's", d.R2/d.R2PCA, 0.97)
		again := l.rows["training portfolios, drawn again"]
		atLeast("coverage beside the training rows'", model.Overlap.Coverage/again.Overlap.Coverage, 0.95)
		return
	}
	atLeast("R2 beside PCA's", d.R2/d.R2PCA, 1)
	atLeast("coverage", model.Overlap.Coverage, 0.75)
	atLeast("energy distance of one normal beside the model's", pca.Test.Energy/max(model.Test.Energy, 1e-9), 4)
	atLeast("zeros that are below 0.001", l.right, 0.85)
	atLeast("zeros of samples beside those held out", l.sampled/l.held, 0.8)
}

// learned is what a model came to.
type learned struct {
	diagnosis  *vae.Diagnostics
	dispersion float64 // of decoded samples of the mixture on the codes
	// Of reconstructions: the share of exact zeros of held-out rows that are exact
	// again, and the share of their own exact zeros that held-out rows have below
	// 0.001. Dirichlet rows have many weights that are all but 0.
	found, right  float64
	sampled, held float64 // exact zeros as a share of the weights
	evidence      *vae.Evidence
	rows          map[string]fidelity.Row
	names         []string

	set                  simplex.Set
	seed                 uint64
	training, heldOut    *mat.Dense
	generated, fromPrior *mat.Dense
}

func (l learned) String() string {
	d := l.diagnosis
	var s strings.Builder
	fmt.Fprintf(&s, "%d active, %.2f nats, R2 %.4f, %.3f of PCA's, dispersion %.3f; zeros found %.3f, right %.3f, %.3f of samples and %.3f held out",
		d.ActiveUnits, d.KL, d.R2, d.R2/d.R2PCA, l.dispersion, l.found, l.right, l.sampled, l.held)
	for _, name := range l.names {
		r := l.rows[name]
		fmt.Fprintf(&s, "\n%-10s coverage %.3f, precision %.3f, recall %.3f, energy %8.5f, dispersion %.3f, memorisation %.3f",
			name, r.Overlap.Coverage, r.Overlap.Precision, r.Overlap.Recall, r.Test.Energy, r.Dispersion.Ratio, r.Memorisation.AUC)
	}
	return s.String()
}

// sampleWindow is the returns of the bundled sample.
func sampleWindow() (*market.Window, error) {
	panel, _, err := market.LoadFS(data.FS, data.Close, market.Options{})
	if err != nil {
		return nil, err
	}
	window, _, err := panel.Window()
	return window, err
}

// mixedRows builds the pipeline's default training set, of the bundled sample or
// of the named real prices; sectors may be nil.
func mixedRows(t *testing.T, prices string, sectors *market.Sectors, seed uint64) *corpus.Corpus {
	t.Helper()
	window, err := sampleWindow()
	if prices != "sample" {
		panel, _, loadErr := market.Load(sharedtest.Path(t, "cases", "data", prices+"_close.csv"), market.Options{})
		must(t, loadErr)
		window, _, err = panel.Window()
	}
	must(t, err)
	s := DefaultSettings()
	config := s.Corpus
	config.Seed, config.PeriodsPerYear = seed, window.PeriodsPerYear()
	in, _, err := window.Split(s.Split, s.embargo())
	must(t, err)
	c, err := corpus.Build(t.Context(), in, simplex.Set{N: len(in.Symbols), Symbols: in.Symbols}, sectors, config, nil)
	must(t, err)
	return c
}

// shuffled holds out a fifth of the rows at random.
func shuffled(c *corpus.Corpus, seed uint64) (training, heldOut *mat.Dense) {
	rows, n := c.Portfolios.Weights.Dims()
	order := stream.New(seed, "experiment.test.split", 0).Perm(rows)
	take := func(order []int) *mat.Dense {
		x := mat.NewDense(len(order), n, nil)
		for i, k := range order {
			x.SetRow(i, c.Portfolios.Weights.RawRowView(k))
		}
		return x
	}
	return take(order[:rows*4/5]), take(order[rows*4/5:])
}

// network is what is learned, and how.
type network struct {
	vae.Config
	vae.Schedule
}

func defaultNetwork() network {
	return network{vae.DefaultConfig(0), vae.DefaultSchedule()}
}

// learn trains a model as the pipeline does and samples from it.
func learn(t *testing.T, b *vae.Backend, m network, training, heldOut *mat.Dense, seed uint64) learned {
	t.Helper()
	settings := DefaultSettings()
	_, n := training.Dims()
	l := learned{set: simplex.Set{N: n}, seed: seed, training: training, heldOut: heldOut, held: zeros(heldOut), rows: map[string]fidelity.Row{}}
	config := within(l.set, m.Config)
	config.Assets, config.Seed = n, seed
	model, _, err := vae.Train(t.Context(), b, config, m.Schedule, training, heldOut, vae.TrainOptions{})
	must(t, err)
	l.diagnosis, err = vae.Diagnose(t.Context(), model, training, heldOut)
	must(t, err)
	l.evidence, err = model.Evidence(t.Context(), heldOut.Slice(0, evidenceRows, 0, n).(*mat.Dense), nil, evidenceCodes, seed)
	must(t, err)
	codes, _, err := model.Encode(heldOut)
	must(t, err)
	back, err := model.Decode(codes)
	must(t, err)
	var both, real, made, right float64
	for i, v := range heldOut.RawMatrix().Data {
		zero := back.RawMatrix().Data[i] == 0
		if v == 0 {
			real++
		}
		if zero {
			made++
		}
		if v == 0 && zero {
			both++
		}
		if v < 1e-3 && zero {
			right++
		}
	}
	l.found, l.right = both/real, right/max(made, 1)

	aggregate, err := generate.FitAggregate(t.Context(), model, training, generate.AggregateSettings{Components: settings.Components, Seed: seed})
	must(t, err)
	generator, err := generate.New(model, l.set)
	must(t, err)
	batch, err := generator.Sample(t.Context(), settings.Portfolios, aggregate, seed)
	must(t, err)
	prior, err := generator.Sample(t.Context(), settings.Portfolios, generate.Prior{}, seed+1)
	must(t, err)
	l.generated, l.fromPrior, l.sampled = batch.Weights, prior.Weights, zeros(batch.Weights)
	l.dispersion, err = vae.Dispersion(batch.Decoded, heldOut)
	must(t, err)
	return l
}

// judge compares samples with held-out rows, by so many of each and 5
// neighbours, and on request generators without a network beside them.
func (l *learned) judge(t *testing.T, rows int, references bool) {
	t.Helper()
	candidates := []fidelity.Candidate{{Name: "model", Weights: l.generated}, {Name: "prior", Weights: l.fromPrior}}
	if references {
		settings := DefaultSettings()
		rng := stream.New(l.seed, "experiment.test.learn", 0)
		others, err := rivals(t.Context(), l.set, l.training, len(l.diagnosis.KLPerDimension), settings.Portfolios, rng)
		must(t, err)
		candidates = append(candidates, others...)
	}
	scores, err := fidelity.Compare(t.Context(), l.training, l.heldOut, candidates, fidelity.Settings{Rows: rows, Permutations: 1, Seed: l.seed})
	must(t, err)
	for _, r := range scores {
		l.rows[r.Name] = r
		l.names = append(l.names, r.Name)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
