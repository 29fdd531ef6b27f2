package vae

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/stream"
)

// dirichletRows are draws from the symmetric Dirichlet distribution with
// concentration 1 over n assets.
func dirichletRows(rows, n int, index uint64) *mat.Dense {
	rng := stream.New(1, "vae.test.dirichlet", index)
	x := mat.NewDense(rows, n, nil)
	for i := range rows {
		row := x.RawRowView(i)
		var sum float64
		for j := range row {
			row[j] = rng.ExpFloat64()
			sum += row[j]
		}
		for j := range row {
			row[j] /= sum
		}
	}
	return x
}

func openTest(t testing.TB, name string) *Backend {
	t.Helper()
	b, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// forBackends runs a test on pure Go, and on XLA where a plugin is found.
func forBackends(t *testing.T, test func(t *testing.T, b *Backend)) {
	t.Run("go", func(t *testing.T) { test(t, openTest(t, "go")) })
	t.Run("xla", func(t *testing.T) {
		if _, err := findPlugin(); err != nil {
			t.Skip(err)
		}
		test(t, openTest(t, "xla"))
	})
}

// small is a training that takes a fraction of a second.
func small() (Config, Schedule) {
	c := DefaultConfig(6)
	c.Latent, c.Hidden, c.Head = 3, []int{12, 8}, "softmax"
	return c, Schedule{Steps: 250, Batch: 32, LearningRate: 3e-3, Warmup: 0.2, EvalEvery: 60}
}

func mustTrain(
	t *testing.T, b *Backend, c Config, s Schedule, train, validation *mat.Dense, opt TrainOptions,
) (*Model, *History) {
	t.Helper()
	m, h, err := Train(t.Context(), b, c, s, train, validation, opt)
	if err != nil {
		t.Fatal(err)
	}
	return m, h
}

// untimed returns the points without what a clock decides.
func untimed(points []Point) []Point {
	points = slices.Clone(points)
	for i := range points {
		points[i].Seconds, points[i].SamplesPerSecond = 0, 0
	}
	return points
}

func sameHistory(a, b *History) bool {
	return a.Step == b.Step && a.StoppedEarly == b.StoppedEarly && slices.EqualFunc(untimed(a.Points), untimed(b.Points),
		func(p, q Point) bool {
			v, w := p.Validation, q.Validation
			p.Validation, q.Validation = nil, nil
			return p == q && (v == nil) == (w == nil) && (v == nil || *v == *w)
		})
}

func TestTrainRepeats(t *testing.T) {
	train, validation := dirichletRows(300, 6, 0), dirichletRows(100, 6, 1)
	forBackends(t, func(t *testing.T, b *Backend) {
		c, s := small()
		m, h := mustTrain(t, b, c, s, train, validation, TrainOptions{})
		again, h2 := mustTrain(t, b, c, s, train, validation, TrainOptions{})
		if !slices.Equal(m.theta, again.theta) || !sameHistory(h, h2) {
			t.Error("one seed gave two results on one backend")
		}
		fresh, _ := mustTrain(t, openTest(t, b.Name()), c, s, train, validation, TrainOptions{})
		if !slices.Equal(m.theta, fresh.theta) {
			t.Error("one seed gave two results on two backends of one kind")
		}
		c.Seed, c.Beta = 2, 0.2
		s.Steps, s.LearningRate, s.Warmup = 240, 1e-3, 0
		other, _ := mustTrain(t, b, c, s, train, validation, TrainOptions{})
		if slices.Equal(m.theta, other.theta) {
			t.Error("two seeds gave one result")
		}
		if len(b.programs) != 1 {
			t.Errorf("trainings of one shape needed %d sets of graphs, want 1", len(b.programs))
		}
		steps := make([]int, len(h.Points))
		for i, p := range h.Points {
			steps[i] = p.Step
		}
		if want := []int{60, 120, 180, 240, 250}; !slices.Equal(steps, want) || h.Step != 250 {
			t.Errorf("evaluations at %v, model of step %d, want %v and 250", steps, h.Step, want)
		}
		first, last := h.Points[0], h.Points[len(h.Points)-1]
		if last.Validation.Total >= first.Validation.Total {
			t.Errorf("validation loss went from %v to %v", first.Validation.Total, last.Validation.Total)
		}
	})
}

// On XLA a loop of steps in one call gives the parameters of as many calls, to
// the bit.
func TestLoopEqualsSteps(t *testing.T) {
	if _, err := findPlugin(); err != nil {
		t.Skip(err)
	}
	b := openTest(t, "xla")
	c, s := small()
	train := dirichletRows(300, 6, 0)
	loop, h := mustTrain(t, b, c, s, train, nil, TrainOptions{})
	b.stepsPerCall = 1
	steps, h2 := mustTrain(t, b, c, s, train, nil, TrainOptions{})
	if !slices.Equal(loop.theta, steps.theta) {
		t.Error("a loop of steps gives other parameters than single steps")
	}
	for i, p := range h.Points { // XLA may add the losses up in another order
		if a, b := p.Train.Total, h2.Points[i].Train.Total; math.Abs(a-b) > 1e-5*b {
			t.Errorf("step %d: loss %v in a loop, %v in single steps", p.Step, a, b)
		}
	}
}

// The row count is padded, so these share a compiled graph; what the padding
// holds must not matter.
func TestTrainIgnoresPadding(t *testing.T) {
	b := openTest(t, "go")
	c, s := small()
	s.Steps = 50
	x := dirichletRows(65, 6, 0)
	whole, _ := mustTrain(t, b, c, s, x, nil, TrainOptions{})
	view := x.Grow(3, 0).(*mat.Dense) // other values behind the last row
	for i := 65; i < 68; i++ {
		view.SetRow(i, []float64{1, 0, 0, 0, 0, 0})
	}
	part, _ := mustTrain(t, b, c, s, view.Slice(0, 65, 0, 6).(*mat.Dense), nil, TrainOptions{})
	if !slices.Equal(whole.theta, part.theta) {
		t.Error("rows beyond the last one changed the result")
	}
}

func TestResume(t *testing.T) {
	train, validation := dirichletRows(300, 6, 0), dirichletRows(100, 6, 1)
	forBackends(t, func(t *testing.T, b *Backend) {
		for _, patience := range []int{0, 50} {
			c, s := small()
			s.Patience = patience
			want, wantHistory := mustTrain(t, b, c, s, train, validation, TrainOptions{})
			dir := t.TempDir()
			save := func(c *Checkpoint) error { return c.Save(dir) }
			// Interrupt at every checkpoint, 70 steps apart; go on from the file.
			var got *Model
			var history *History
			options := TrainOptions{CheckpointEvery: 70}
			for stops := 0; ; stops++ {
				var told []Point
				options.Evaluated = func(p Point) { told = append(told, p) }
				if stops > 4 {
					t.Fatal("training does not end")
				}
				ctx, cancel := context.WithCancel(t.Context())
				options.Checkpoint = func(c *Checkpoint) error { cancel(); return save(c) }
				var err error
				got, history, err = Train(ctx, b, c, s, train, validation, options)
				cancel()
				if !reflect.DeepEqual(told, history.Points) {
					t.Errorf("after %d interruptions told of points\n%v\nof\n%v", stops, told, history.Points)
				}
				if err == nil {
					if stops != 3 {
						t.Errorf("interrupted %d times, want 3", stops)
					}
					break
				}
				if !errors.Is(err, context.Canceled) || got != nil {
					t.Fatalf("interrupted training returned %v, %v", got, err)
				}
				if options.Resume, err = LoadCheckpoint(dir); err != nil {
					t.Fatal(err)
				}
				if want := 70 * (stops + 1); options.Resume.Step() != want {
					t.Errorf("checkpoint at step %d, want %d", options.Resume.Step(), want)
				}
			}
			if !slices.Equal(got.theta, want.theta) {
				t.Error("a resumed training's parameters differ from an uninterrupted one's")
			}
			if !sameHistory(history, wantHistory) {
				t.Errorf("a resumed training's history differs:\n%v\n%v", untimed(history.Points), untimed(wantHistory.Points))
			}
		}
	})
}

// Whatever is trained, stopping in the middle, between two evaluations, and
// going on from the file changes nothing.
func TestResumeOfEveryKind(t *testing.T) {
	rows, heldOut := dirichletRows(200, 6, 0), dirichletRows(60, 6, 1)
	capped := cappedRows(t)
	for name, change := range map[string]func(c *Config, train, validation **mat.Dense, o *TrainOptions){
		"capped head": func(c *Config, train, validation **mat.Dense, _ *TrainOptions) {
			c.Assets, c.Head, c.MaxWeight = 8, "capped", 0.4
			*train, *validation = capped, capped
		},
		"gaussian-learned": func(c *Config, _, _ **mat.Dense, _ *TrainOptions) { c.Likelihood = "gaussian-learned" },
		"dirichlet":        func(c *Config, _, _ **mat.Dense, _ *TrainOptions) { c.Likelihood = "dirichlet" },
		"logistic-normal":  func(c *Config, _, _ **mat.Dense, _ *TrainOptions) { c.Likelihood = "logistic-normal" },
		"conditional": func(c *Config, train, validation **mat.Dense, o *TrainOptions) {
			c.Control = 0.5
			c.Conditions = []Condition{
				{Name: "exposure"}, {Name: "volatility"}, {Name: "effective"}, {Name: "largest", Cap: true},
				{Name: "breadth", Levels: []string{"narrow", "wide"}},
			}
			o.Measures = sixMeasures
			for from, to := range map[*mat.Dense]**mat.Dense{*train: &o.Conditions, *validation: &o.ValidationConditions} {
				*to = measured(from, sixMeasures).Grow(0, 1).(*mat.Dense) // of the first breadth
				(*to).Set(3, 4, 1)
			}
		},
		"empty lists":                func(c *Config, _, _ **mat.Dense, _ *TrainOptions) { c.Hidden, c.Conditions = nil, []Condition{} },
		"target rate with free bits": func(c *Config, _, _ **mat.Dense, _ *TrainOptions) { c.TargetRate, c.FreeBits = 0.5, 0.05 },
	} {
		t.Run(name, func(t *testing.T) {
			forBackends(t, func(t *testing.T, b *Backend) {
				if b.Name() != "go" && (testing.Short() || name == "empty lists") {
					t.Skip("compiles for seconds, or is not the backend's")
				}
				c, s := small()
				c.Hidden = []int{8}
				s.Steps, s.EvalEvery = 120, 50
				train, validation, options := rows, heldOut, TrainOptions{}
				change(&c, &train, &validation, &options)
				want, wantHistory := mustTrain(t, b, c, s, train, validation, options)

				dir := t.TempDir()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				options.CheckpointEvery = 70
				options.Checkpoint = func(c *Checkpoint) error { cancel(); return c.Save(dir) }
				if _, _, err := Train(ctx, b, c, s, train, validation, options); !errors.Is(err, context.Canceled) {
					t.Fatalf("an interrupted training returned %v", err)
				}
				var err error
				if options.Resume, err = LoadCheckpoint(dir); err != nil || options.Resume.Step() != 70 {
					t.Fatalf("checkpoint of step 70: %v", err)
				}
				got, history := mustTrain(t, b, c, s, train, validation, options)
				if !slices.Equal(got.theta, want.theta) || !sameHistory(history, wantHistory) {
					t.Errorf("a resumed training differs:\n%v\n%v", untimed(history.Points), untimed(wantHistory.Points))
				}
				if !reflect.DeepEqual(got.Config(), want.Config()) || (got.Config().Beta != c.Beta) != (c.TargetRate > 0) {
					t.Errorf("a resumed training's configuration is %+v, want %+v", got.Config(), want.Config())
				}
			})
		})
	}
}

// What a training learns from is its rows, their conditions and their measures.
func TestDataHash(t *testing.T) {
	train, validation := dirichletRows(50, 6, 0), dirichletRows(20, 6, 1)
	changed := func(x *mat.Dense) *mat.Dense {
		x = mat.DenseCopyOf(x)
		x.Set(7, 0, math.Nextafter(x.At(7, 0), 1))
		return x
	}
	base := TrainOptions{Conditions: measured(train, sixMeasures[:2]),
		ValidationConditions: measured(validation, sixMeasures[:2]), Measures: sixMeasures[:2]}
	conditions, validationConditions, measures, fewer := base, base, base, base
	conditions.Conditions = changed(base.Conditions)
	validationConditions.ValidationConditions = changed(base.ValidationConditions)
	measures.Measures = []portfolio.Measure{sixMeasures[0], {Name: "volatility", Form: portfolio.Effective}}
	fewer.Measures = base.Measures[:1]
	seen := map[string]string{}
	for _, test := range []struct {
		name              string
		train, validation *mat.Dense
		options           TrainOptions
	}{
		{"base", train, validation, base}, {"rows", changed(train), validation, base},
		{"validation rows", train, changed(validation), base}, {"no validation rows", train, nil, base},
		{"conditions", train, validation, conditions}, {"validation conditions", train, validation, validationConditions},
		{"measures", train, validation, measures}, {"fewer measures", train, validation, fewer},
		{"no conditions", train, validation, TrainOptions{}},
	} {
		hash := DataHash(test.train, test.validation, test.options)
		if other, ok := seen[hash]; ok {
			t.Errorf("%s and %s have one hash", test.name, other)
		}
		seen[hash] = test.name
	}
	resumed := base // names, checkpoints and reports are not data
	resumed.Symbols, resumed.CheckpointEvery = []string{"A"}, 3
	if seen[DataHash(mat.DenseCopyOf(train), validation, resumed)] != "base" {
		t.Error("equal rows, conditions and measures have two hashes")
	}
}

func TestResumeOfAnotherTraining(t *testing.T) {
	b := openTest(t, "go")
	c, s := small()
	s.Steps = 20
	train := dirichletRows(50, 6, 0)
	var checkpoint *Checkpoint
	mustTrain(t, b, c, s, train, nil,
		TrainOptions{CheckpointEvery: 10, Checkpoint: func(c *Checkpoint) error { checkpoint = c; return nil }})
	otherConfig, otherSchedule := c, s
	otherConfig.Beta = 0.2
	otherSchedule.Steps = 30
	for _, test := range []struct {
		what     string
		config   Config
		schedule Schedule
		train    *mat.Dense
	}{
		{"configuration", otherConfig, s, train},
		{"schedule", c, otherSchedule, train},
		{"hash of the rows", c, s, dirichletRows(50, 6, 1)},
	} {
		_, _, err := Train(t.Context(), b, test.config, test.schedule, test.train, nil, TrainOptions{Resume: checkpoint})
		var mismatch *MismatchError
		if !errors.As(err, &mismatch) || mismatch.What != test.what {
			t.Errorf("another %s: got %v", test.what, err)
		}
	}
}

func TestEarlyStopping(t *testing.T) {
	b := openTest(t, "go")
	c, s := small()
	c.Beta = 0
	// Few rows and a fast rate: the network learns them by heart.
	s.Steps, s.LearningRate, s.Warmup, s.EvalEvery, s.Patience = 3000, 0.02, 0, 20, 3
	validation := dirichletRows(200, 6, 1)
	m, h := mustTrain(t, b, c, s, dirichletRows(20, 6, 0), validation, TrainOptions{})
	if !h.StoppedEarly {
		t.Fatal("patience never ran out")
	}
	last := h.Points[len(h.Points)-1]
	if h.Step != last.Step-3*20 {
		t.Errorf("stopped at step %d with the model of step %d, want 60 steps between", last.Step, h.Step)
	}
	best := slices.MinFunc(h.Points,
		func(a, b Point) int { return int(math.Copysign(1, a.Validation.Total-b.Validation.Total)) })
	if best.Step != h.Step {
		t.Errorf("model of step %d, the smallest loss was at step %d", h.Step, best.Step)
	}
	// The same steps without patience, stopped at the model's step.
	s.Patience = 0
	_, _, err := Train(t.Context(), b, c, s, dirichletRows(20, 6, 0), validation, TrainOptions{
		CheckpointEvery: h.Step, Checkpoint: func(c *Checkpoint) error {
			if !slices.Equal(c.theta, m.theta) {
				t.Error("the model's parameters are not those of its step")
			}
			return errStop
		}})
	if !errors.Is(err, errStop) {
		t.Errorf("got %v", err)
	}
}

var errStop = errors.New("enough")

func TestTrainReports(t *testing.T) {
	b := openTest(t, "go")
	c, s := small()
	var done []int
	var notes []string
	_, h := mustTrain(t, b, c, s, dirichletRows(50, 6, 0), nil, TrainOptions{Progress: func(d, total int, note string) {
		if total != s.Steps {
			t.Errorf("total is %d, want %d", total, s.Steps)
		}
		done, notes = append(done, d), append(notes, note)
	}})
	if !slices.IsSorted(done) || done[len(done)-1] != s.Steps || !strings.HasPrefix(notes[len(notes)-1], "loss ") {
		t.Errorf("progress %v, notes %q", done, notes)
	}
	var buffer bytes.Buffer
	if err := h.WriteCSV(&buffer); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(&buffer).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != len(h.Points)+1 || records[0][0] != "step" || records[1][6] != "" ||
		records[len(records)-1][0] != "250" {
		t.Errorf("history as CSV: %v", records)
	}
	if h.SamplesPerSecond() <= 0 {
		t.Errorf("%v samples a second", h.SamplesPerSecond())
	}
	// Warm-up and cosine, at steps 60 of 50 and 250 of 250.
	if p := h.Points[0]; p.Beta != c.Beta {
		t.Errorf("beta is %v after the warm-up, want %v", p.Beta, c.Beta)
	}
	if p := h.Points[len(h.Points)-1]; p.LearningRate > 1e-4*s.LearningRate {
		t.Errorf("learning rate is %v at the last step", p.LearningRate)
	}
}

// The default network is capped at 1, and evaluated fifty times.
func TestDefaults(t *testing.T) {
	c, s := DefaultConfig(6), DefaultSchedule()
	c.Latent, c.Hidden = 2, []int{4}
	s.Steps, s.Batch = 100, 8
	m, h := mustTrain(t, openTest(t, "go"), c, s, dirichletRows(64, 6, 0), nil, TrainOptions{})
	if got := m.Config(); got.Head != "capped" || got.MaxWeight != 1 {
		t.Errorf("the model has the head %s with a cap of %v, want capped at 1", got.Head, got.MaxWeight)
	}
	if len(h.Points) != 50 {
		t.Errorf("%d evaluations, want 50", len(h.Points))
	}
}

func TestTrainErrors(t *testing.T) {
	b := openTest(t, "go")
	good := dirichletRows(50, 6, 0)
	change := func(f func(x *mat.Dense)) *mat.Dense {
		x := mat.DenseCopyOf(good)
		f(x)
		return x
	}
	for _, test := range []struct {
		name, want string
		change     func(c *Config, s *Schedule, train, validation **mat.Dense, o *TrainOptions)
	}{
		{"not a number", "training row 3 has NaN in column 2",
			func(_ *Config, _ *Schedule, train, _ **mat.Dense, _ *TrainOptions) {
				*train = change(func(x *mat.Dense) { x.Set(2, 1, math.NaN()) })
			}},
		{"sum", "validation row 2 sums to", func(_ *Config, _ *Schedule, _, validation **mat.Dense, _ *TrainOptions) {
			*validation = change(func(x *mat.Dense) { x.Set(1, 1, 0.9) })
		}},
		{"short position", "take the linear head", func(_ *Config, _ *Schedule, train, _ **mat.Dense, _ *TrainOptions) {
			*train = change(func(x *mat.Dense) { x.SetRow(4, []float64{1.5, -0.5, 0, 0, 0, 0}) })
		}},
		{"no spread", "all the same", func(_ *Config, _ *Schedule, train, _ **mat.Dense, _ *TrainOptions) {
			*train = change(func(x *mat.Dense) {
				for i := range 50 {
					x.SetRow(i, good.RawRowView(0))
				}
			})
		}},
		{"columns", "6 columns, want 7 assets",
			func(c *Config, _ *Schedule, _, _ **mat.Dense, _ *TrainOptions) { c.Assets = 7 }},
		{"no rows", "no training rows", func(_ *Config, _ *Schedule, train, _ **mat.Dense, _ *TrainOptions) { *train = nil }},
		{"symbols", "2 symbols for 6 assets",
			func(_ *Config, _ *Schedule, _, _ **mat.Dense, o *TrainOptions) { o.Symbols = []string{"A", "B"} }},
		{"patience", "patience needs validation rows",
			func(_ *Config, s *Schedule, _, _ **mat.Dense, _ *TrainOptions) { s.Patience = 3 }},
		{"latent", "latent is 0", func(c *Config, _ *Schedule, _, _ **mat.Dense, _ *TrainOptions) { c.Latent = 0 }},
		{"hidden", "hidden layer 2 has width -1",
			func(c *Config, _ *Schedule, _, _ **mat.Dense, _ *TrainOptions) { c.Hidden = []int{4, -1} }},
		{"size", "parameters, want at most",
			func(c *Config, _ *Schedule, _, _ **mat.Dense, _ *TrainOptions) { c.Hidden = []int{60000, 60000} }},
		{"beta", "beta is NaN", func(c *Config, _ *Schedule, _, _ **mat.Dense, _ *TrainOptions) { c.Beta = math.NaN() }},
		{"likelihood", `likelihood is "mse", want one of dirichlet, gaussian, gaussian-learned, gaussian-sigma, logistic-normal, mse-sum`, func(c *Config, _ *Schedule, _, _ **mat.Dense, _ *TrainOptions) { c.Likelihood = "mse" }},
		{"head", `head is "", want one of capped, linear, softmax, sparsemax`,
			func(c *Config, _ *Schedule, _, _ **mat.Dense, _ *TrainOptions) { c.Head = "" }},
		{"cap below 0", "max weight is -1, want more than 0",
			func(c *Config, _ *Schedule, _, _ **mat.Dense, _ *TrainOptions) { c.Head, c.MaxWeight = "capped", -1 }},
		{"small cap", "6 assets can't reach a sum of 1, want at least 0.1667",
			func(c *Config, _ *Schedule, _, _ **mat.Dense, _ *TrainOptions) {
				c.Head, c.MaxWeight = "capped", 0.16
			}},
		{"cap of another head", "only the capped head",
			func(c *Config, _ *Schedule, _, _ **mat.Dense, _ *TrainOptions) { c.MaxWeight = 0.3 }},
		{"row above the cap", "above the max weight of 0.2", func(c *Config, _ *Schedule, _, _ **mat.Dense, _ *TrainOptions) {
			c.Head, c.MaxWeight = "capped", 0.2
		}},
		{"activation", `activation is "gelu"`,
			func(c *Config, _ *Schedule, _, _ **mat.Dense, _ *TrainOptions) { c.Activation = "gelu" }},
		{"steps", "steps is 0", func(_ *Config, s *Schedule, _, _ **mat.Dense, _ *TrainOptions) { s.Steps = 0 }},
		{"batch", "batch is -3", func(_ *Config, s *Schedule, _, _ **mat.Dense, _ *TrainOptions) { s.Batch = -3 }},
		{"learning rate", "learning rate is +Inf",
			func(_ *Config, s *Schedule, _, _ **mat.Dense, _ *TrainOptions) { s.LearningRate = math.Inf(1) }},
		{"warm-up", "warm-up is 1.5", func(_ *Config, s *Schedule, _, _ **mat.Dense, _ *TrainOptions) { s.Warmup = 1.5 }},
		{"evaluations", "steps between evaluations is -1",
			func(_ *Config, s *Schedule, _, _ **mat.Dense, _ *TrainOptions) { s.EvalEvery = -1 }},
		{"free bits", "free bits are NaN",
			func(c *Config, _ *Schedule, _, _ **mat.Dense, _ *TrainOptions) { c.FreeBits = math.NaN() }},
		{"target rate", "target rate is -1",
			func(c *Config, _ *Schedule, _, _ **mat.Dense, _ *TrainOptions) { c.TargetRate = -1 }},
		{"target rate of no beta", "which multiplies it",
			func(c *Config, _ *Schedule, _, _ **mat.Dense, _ *TrainOptions) { c.Beta, c.TargetRate = 0, 2 }},
		{"patience with a target rate", "a target rate changes it",
			func(c *Config, s *Schedule, train, validation **mat.Dense, _ *TrainOptions) {
				c.TargetRate, s.Patience, *validation = 2, 3, *train
			}},
		{"head of the Dirichlet", "the dirichlet likelihood needs the softmax head, not sparsemax",
			func(c *Config, _ *Schedule, _, _ **mat.Dense, _ *TrainOptions) {
				c.Likelihood, c.Head = "dirichlet", "sparsemax"
			}},
		{"head of the logistic-normal", "needs the softmax head, not linear",
			func(c *Config, _ *Schedule, _, _ **mat.Dense, _ *TrainOptions) {
				c.Likelihood, c.Head = "logistic-normal", "linear"
			}},
		{"control of nothing", "control is 1 in a model without conditions",
			func(c *Config, _ *Schedule, _, _ **mat.Dense, _ *TrainOptions) { c.Control = 1 }},
		{"cycles", "cycles of the warm-up are 251",
			func(_ *Config, s *Schedule, _, _ **mat.Dense, _ *TrainOptions) { s.Cycles = 251 }},
		{"cycles of nothing", "4 cycles repeat nothing",
			func(_ *Config, s *Schedule, _, _ **mat.Dense, _ *TrainOptions) { s.Cycles, s.Warmup = 4, 0 }},
		{"negative patience", "patience is -1",
			func(_ *Config, s *Schedule, _, _ **mat.Dense, _ *TrainOptions) { s.Patience = -1 }},
	} {
		c, s := small()
		train, validation, options := good, (*mat.Dense)(nil), TrainOptions{}
		test.change(&c, &s, &train, &validation, &options)
		_, _, err := Train(t.Context(), b, c, s, train, validation, options)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want an error with %q", test.name, err, test.want)
		}
	}
}

func TestTrainDiverges(t *testing.T) {
	forBackends(t, func(t *testing.T, b *Backend) {
		c, s := small()
		s.LearningRate = 1e30
		_, h, err := Train(t.Context(), b, c, s, dirichletRows(50, 6, 0), nil, TrainOptions{})
		var diverged *DivergedError
		if !errors.As(err, &diverged) || diverged.Step != 60 || len(h.Points) != 0 {
			t.Errorf("got %v", err)
		}
		_, _, err = Train(t.Context(), b, c, s, dirichletRows(50, 6, 0), nil,
			TrainOptions{CheckpointEvery: 30, Checkpoint: func(*Checkpoint) error {
				t.Error("a state that is not finite was handed out")
				return nil
			}})
		if !errors.As(err, &diverged) || diverged.Step != 30 {
			t.Errorf("got %v", err)
		}
	})
}

func TestTrainCancelledBefore(t *testing.T) {
	b := openTest(t, "go")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c, s := small()
	var saved *Checkpoint
	_, _, err := Train(ctx, b, c, s, dirichletRows(50, 6, 0), nil,
		TrainOptions{Checkpoint: func(c *Checkpoint) error { saved = c; return nil }})
	if !errors.Is(err, context.Canceled) || saved == nil || saved.Step() != 0 {
		t.Errorf("got %v and checkpoint %v", err, saved)
	}
	_, _, err = Train(ctx, b, c, s, dirichletRows(50, 6, 0), nil,
		TrainOptions{Checkpoint: func(*Checkpoint) error { return errStop }})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, errStop) {
		t.Errorf("a checkpoint that can't be saved is not reported: %v", err)
	}
}

// With mse-sum and beta_raw = 2 v beta the loss is 2v times the Gaussian's, so
// training differs only by rounding and Adam's epsilon.
func TestMSESumIsGaussianInOtherUnits(t *testing.T) {
	b := openTest(t, "go")
	train, heldOut := dirichletRows(500, 6, 0), dirichletRows(200, 6, 1)
	c, s := small()
	gaussian, _ := mustTrain(t, b, c, s, train, nil, TrainOptions{})
	c.Likelihood, c.Beta = "mse-sum", 2*gaussian.Variance()*c.Beta
	raw, _ := mustTrain(t, b, c, s, train, nil, TrainOptions{})
	if math.Abs(raw.Beta()-gaussian.Beta()) > 1e-15 || math.Abs(raw.RawBeta()-gaussian.RawBeta()) > 1e-15 ||
		math.Abs(raw.RawBeta()-c.Beta) > 1e-15 {
		t.Errorf("betas are %v and %v, want the Gaussian's %v and %v", raw.Beta(), raw.RawBeta(), gaussian.Beta(),
			gaussian.RawBeta())
	}
	if want := gaussian.Beta() * gaussian.Variance(); gaussian.DecoderVariance() != want {
		t.Errorf("the decoder's variance is %v, want %v", gaussian.DecoderVariance(), want)
	}
	want, err := Diagnose(t.Context(), gaussian, train, heldOut)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Diagnose(t.Context(), raw, train, heldOut)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(got.R2-want.R2) > 2e-3 || math.Abs(got.KL-want.KL) > 1e-2*want.KL {
		t.Errorf("R2 %v, KL %v; want the Gaussian's %v, %v", got.R2, got.KL, want.R2, want.KL)
	}
}
