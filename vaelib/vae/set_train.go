package vae

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/universe"
)

// How a batch is made up: of so many portfolios of each universe. And how many
// held-out universes an evaluation looks at, at most.
const (
	rowsEach  = 4
	mostValid = 256
)

// warmRate is the share of the steps in which the learning rate rises to its full
// size; attention diverges without.
const warmRate = 0.05

// TrainSet fits a model over sets to the examples, and reports its losses on those
// that are held out, which it never learns from. Of the options, the symbols,
// conditions and measures of a fixed model have no place. It ends and resumes, and
// fails, as [Train] does.
func TrainSet(
	ctx context.Context, b *Backend, c SetConfig, s Schedule, examples []*universe.Example, opt TrainOptions,
) (*SetModel, *History, error) {
	t, err := newSetTraining(b, c, s, examples, opt)
	if err != nil {
		return nil, nil, err
	}
	defer t.release()
	if err := t.run(ctx); err != nil {
		return nil, &t.history, err
	}
	m, err := newSetModel(b, setDocument{
		Version: setVersion, Config: c, Scale: t.scale, DataHash: t.dataHash, Backend: b.name,
	}, t.result)
	return m, &t.history, err
}

// setTraining is a training under way.
type setTraining struct {
	backend  *Backend
	config   SetConfig
	schedule Schedule
	options  TrainOptions
	programs *setPrograms
	scale    setScale
	dataHash string

	learn, heldOut []setRow
	width          int // assets that universes are padded to
	universes      int // of a batch
	rows           int // portfolios of each
	stride         int // steps a call runs at most
	state          state[*tensors.Tensor]

	step, evaluated int
	history         History
	result          []float32
	began           time.Time
	before          float64
	stepping        time.Duration
	timed           int
}

func newSetTraining(
	b *Backend, c SetConfig, s Schedule, examples []*universe.Example, opt TrainOptions,
) (*setTraining, error) {
	s.EnsureDefaults()
	t := &setTraining{
		backend: b, config: c, schedule: s, options: opt, rows: rowsEach, universes: max(1, s.Batch/rowsEach),
	}
	switch {
	case c.rule():
		t.rows, t.universes = universe.GuideCount, s.Batch
	case c.Conditional: // each row is asked for by itself
		t.rows, t.universes = 1, s.Batch
	}
	if err := errors.Join(c.Validate(), s.Validate()); err != nil {
		return nil, err
	}
	switch {
	case s.Patience > 0:
		return nil, errors.New("a training over sets knows no patience: leave it out")
	case opt.Symbols != nil || opt.Conditions != nil || opt.Measures != nil:
		return nil, errors.New("a model over sets has neither symbols nor conditions of its own")
	}
	var learn []*universe.Example
	largest := 0
	for i, e := range examples {
		if err := e.Check(); err != nil {
			return nil, fmt.Errorf("universe %d (%s): %w", i+1, e.ID, err)
		}
		largest = max(largest, e.Assets())
		if !e.HeldOut {
			learn = append(learn, e)
		}
		switch {
		case c.rule() && e.Truth == nil:
			return nil, fmt.Errorf("universe %d (%s) has no truth to learn from: make the corpus with "+
				"-simulated -truth", i+1, e.ID)
		case !c.rule() && e.Truth != nil:
			return nil, fmt.Errorf("universe %d (%s) has the guides of a rule for its portfolios: train with "+
				"-objective %s, or make the corpus without -truth", i+1, e.ID, TrueSharpe)
		}
	}
	if len(learn) == 0 {
		return nil, errors.New("no universes to learn from: all are held out, as by corpus -held-out 1")
	}
	var err error
	if t.dataHash, err = hashExamples(examples); err != nil {
		return nil, err
	}
	t.scale, t.width = newSetScale(learn), bucket(largest)
	t.stride = t.longestCall()
	theta := newSetNetwork(c).initial()
	if from := opt.From; from != nil {
		if theta, err = from.continued(c); err != nil {
			return nil, err
		}
		t.scale, t.dataHash = from.document.Scale, t.dataHash+" from "+hashParameters(theta)
	}
	if err := t.layOut(examples); err != nil {
		return nil, err
	}
	if t.programs, err = b.setProgram(c); err != nil {
		return nil, err
	}
	if opt.Resume != nil {
		return t, t.restore(opt.Resume)
	}
	t.load(theta, make([]float32, len(theta)), make([]float32, len(theta)), make([]float32, sumSize))
	return t, nil
}

// layOut lays out the universes to learn from, and those held out that losses are
// reported on.
func (t *setTraining) layOut(examples []*universe.Example) error {
	var chosen []*universe.Example
	held := 0
	for _, e := range examples {
		if e.HeldOut {
			held++
		}
		if !e.HeldOut || held <= mostValid {
			chosen = append(chosen, e)
		}
	}
	rows := make([]setRow, len(chosen))
	if err := parallel.For(context.Background(), len(rows), func(_, i int) error {
		e := chosen[i]
		rows[i] = t.scale.example(e, t.width)
		if !t.config.rule() {
			return nil
		}
		optimum, err := e.Optimum(context.Background())
		if err != nil {
			return fmt.Errorf("the truth of universe %s: %w", e.ID, err)
		}
		rows[i].judge(e.Truth, optimum, t.width)
		return nil
	}); err != nil {
		return err
	}
	for i, e := range chosen {
		if e.HeldOut {
			t.heldOut = append(t.heldOut, rows[i])
		} else {
			t.learn = append(t.learn, rows[i])
		}
	}
	return nil
}

func (t *setTraining) load(theta, first, second, sums []float32) {
	one := func(v []float32) []*tensors.Tensor {
		return []*tensors.Tensor{tensors.FromFlatDataAndDimensions(slices.Clone(v), len(v))}
	}
	t.state = state[*tensors.Tensor]{
		theta: one(theta), first: one(first), second: one(second), sums: one(sums)[0], rate: one([]float32{0, 0})[0],
	}
}

func (t *setTraining) run(ctx context.Context) error {
	t.began = time.Now()
	for _, p := range t.history.Points {
		t.announce(p)
	}
	s := t.schedule
	for t.step < s.Steps {
		if err := ctx.Err(); err != nil {
			if saveErr := t.save(); saveErr != nil {
				err = fmt.Errorf("%w, and its state was not saved: %w", err, saveErr)
			}
			return fmt.Errorf("training stopped at step %d of %d: %w", t.step, s.Steps, err)
		}
		end := min(s.Steps, next(t.step, s.EvalEvery), t.step+t.stride)
		if every := t.options.CheckpointEvery; every > 0 {
			end = min(end, next(t.step, every))
		}
		if err := t.advance(end); err != nil {
			return err
		}
		if t.step%s.EvalEvery == 0 || t.step == s.Steps {
			if err := t.evaluate(); err != nil {
				return err
			}
		}
		if every := t.options.CheckpointEvery; every > 0 && t.step%every == 0 && t.step < s.Steps {
			if err := t.save(); err != nil {
				return err
			}
		}
	}
	t.history.Step = t.step
	var err error
	t.result, err = floats(t.state.theta[0])
	return err
}

// draw makes the inputs of the steps until end: the plan, universes and portfolios,
// and noise. They depend on the seed and the step alone. In a loop all inputs have an
// axis for the steps.
func (t *setTraining) draw(end int) []any {
	b := newSetBatch(t.config, t.universes, t.rows, t.width)
	if t.loops() {
		b = newSetBatch(t.config, t.universes, t.rows, t.width, t.stride)
	}
	plan, draws := make([]float32, t.stride*planSize), t.universes*t.rows*t.config.Latent
	noise := make([]float32, t.stride*draws)
	_ = parallel.For(context.Background(), end-t.step, func(_, i int) error { // which nothing ends early
		own := plan[i*planSize : (i+1)*planSize]
		t.schedule.plan(own, t.config.Beta, t.step+i)
		own[planRate] *= float32(t.rising(t.step + i))
		source := stream.Source(t.config.Seed, "vae.set.batches", uint64(t.step+i))
		rng := rand.New(source)
		for u := range t.universes {
			row := &t.learn[rng.IntN(len(t.learn))]
			portfolios := make([]int, t.rows)
			for k := range portfolios {
				if portfolios[k] = k; !t.config.rule() {
					portfolios[k] = rng.IntN(len(row.x))
				}
			}
			t.put(b, i*t.universes+u, row, portfolios, rng)
		}
		fillNormals(noise[i*draws:(i+1)*draws], source) // none of a rule
		return nil
	})
	inputs := append([]any{b.tensor(plan, planSize)}, b.inputs()...)
	if t.config.rule() {
		return append(inputs, b.truth()...)
	}
	return append(inputs, b.tensor(noise, t.universes, t.rows, t.config.Latent))
}

// put lays a universe in a batch, under what the first of the portfolios has where the
// network is told what is asked.
func (t *setTraining) put(b *setBatch, at int, row *setRow, portfolios []int, rng *rand.Rand) {
	if t.config.Conditional {
		first := 0
		if len(portfolios) > 0 {
			first = portfolios[0]
		}
		asking := row.asking(row.of.Ask(row.weights.RawRowView(first), rng))
		row = &asking
	}
	b.put(at, row, portfolios)
}

// noise draws that of the codes.
func (t *setTraining) noise(source *rand.PCG) *tensors.Tensor {
	noise := make([]float32, t.universes*t.rows*t.config.Latent)
	fillNormals(noise, source)
	return tensors.FromFlatDataAndDimensions(noise, t.universes, t.rows, t.config.Latent)
}

// setLoopSteps is [loopSteps] of a model over sets, whose steps are so long that little
// is to be hidden, and that an interrupt would wait for many.
const setLoopSteps = 10

// longestCall is how many steps a call runs at most.
func (t *setTraining) longestCall() int {
	if !t.loops() {
		return 1
	}
	numbers := t.universes * (t.width*(t.config.features()+t.rows) + t.rows*t.config.Latent) // of a step, about
	return max(1, min(t.backend.stepsPerCall, setLoopSteps, maxDraws/numbers))
}

// loops says whether steps are in a loop. Those of a rule are not: XLA compiles a loop to
// other last digits than a step by itself, by which the built-in rule was trained.
func (t *setTraining) loops() bool { return t.backend.stepsPerCall > 1 && !t.config.rule() }

// advance runs the steps until end.
func (t *setTraining) advance(end int) error {
	start := time.Now()
	program, inputs := t.programs.step, t.draw(end)
	if t.loops() {
		program, inputs = t.programs.loop, append(inputs, int32(0), int32(end-t.step))
	}
	err := guard(func() error {
		var args []any
		for _, tensor := range t.state.list() {
			donated, err := graph.DonateTensorBuffer(tensor, t.backend.engine, 0)
			if err != nil {
				return err
			}
			args = append(args, donated)
		}
		state, err := program.Call(append(args, inputs...)...)
		if err == nil {
			t.state, _ = takeState(state, 1)
		}
		return err
	})
	t.timed += end - t.step
	t.step = end
	t.stepping += time.Since(start)
	return err
}

// rising is how far the learning rate of a step (counted from 0) has warmed up.
func (t *setTraining) rising(step int) float64 {
	return min(1, float64(step+1)/math.Max(1, warmRate*float64(t.schedule.Steps)))
}

// samples is how many each universe of a batch counts for.
func (t *setTraining) samples() int {
	if t.config.rule() {
		return 1
	}
	return t.rows
}

// evaluate adds a point to the history.
func (t *setTraining) evaluate() error {
	start := time.Now()
	sums, err := floats(t.state.sums) // waits for the steps to end
	if err != nil {
		return err
	}
	t.stepping += time.Since(start)
	steps := float64(t.step - t.evaluated)
	p := Point{
		Step: t.step, Beta: t.config.Beta * t.schedule.warm(t.step-1), LearningRate: t.schedule.rate(t.step - 1),
		Train: Losses{
			Total: float64(sums[sumTotal]) / steps, Reconstruction: float64(sums[sumReconstruction]) / steps,
			KL: float64(sums[sumKL]) / steps, Control: float64(sums[sumControl]) / steps,
		},
		SamplesPerSecond: float64(t.timed*t.universes*t.samples()) / t.stepping.Seconds(),
	}
	if len(t.heldOut) > 0 {
		if p.Validation, err = t.validate(); err != nil {
			return err
		}
	}
	if !finite(p.Train) || p.Validation != nil && !finite(*p.Validation) {
		return &DivergedError{Step: t.step, LearningRate: t.schedule.LearningRate, Beta: t.config.Beta}
	}
	p.Seconds = t.before + time.Since(t.began).Seconds()
	t.history.Points = append(t.history.Points, p)
	t.evaluated, t.stepping, t.timed = t.step, 0, 0
	t.state.sums = tensors.FromFlatDataAndDimensions(make([]float32, sumSize), sumSize)
	t.announce(p)
	if t.options.Progress != nil {
		t.options.Progress(t.step, t.schedule.Steps, fmt.Sprintf("loss %.4g, KL %.3g", p.Train.Total, p.Train.KL))
	}
	return nil
}

func (t *setTraining) announce(p Point) {
	if t.options.Evaluated != nil {
		t.options.Evaluated(p)
	}
}

// validate returns the losses on the held-out universes under the full beta.
func (t *setTraining) validate() (*Losses, error) {
	var l Losses
	var rows float64
	for from := 0; from < len(t.heldOut); from += t.universes {
		b := newSetBatch(t.config, t.universes, t.rows, t.width)
		var count float64
		for i := range t.universes {
			// Where there are no more, one that has no portfolios stands in the place.
			row := &t.heldOut[min(from+i, len(t.heldOut)-1)]
			var portfolios []int
			for k := range min(t.rows, len(row.x)) {
				if from+i < len(t.heldOut) {
					portfolios = append(portfolios, k)
				}
			}
			t.put(b, i, row, portfolios, stream.New(0, "vae.set.asked", uint64(from+i)))
			count += float64(len(portfolios))
		}
		args := append([]any{t.state.theta[0]}, b.inputs()...)
		if t.config.rule() {
			args = append(args, b.truth()...)
		} else {
			args = append(args, t.noise(stream.Source(0, "vae.set.validation", uint64(from))),
				tensors.FromFlatDataAndDimensions(b.present, t.universes, t.rows))
		}
		out, err := call(t.programs.eval, args...)
		if err != nil {
			return nil, err
		}
		l.Reconstruction += count * float64(out[0][0])
		l.KL += count * float64(out[0][1])
		rows += count
	}
	l.Reconstruction, l.KL = l.Reconstruction/rows, l.KL/rows
	l.Total = l.Reconstruction + t.config.Beta*l.KL
	return &l, nil
}

// save hands the state to the caller.
func (t *setTraining) save() error {
	if t.options.Checkpoint == nil {
		return nil
	}
	c := &Checkpoint{document: checkpointDocument{
		Version: checkpointVersion, Set: &t.config, Schedule: t.schedule, Backend: t.backend.name, DataHash: t.dataHash,
		Step: t.step, Evaluated: t.evaluated, Points: slices.Clone(t.history.Points),
		Seconds: t.before + time.Since(t.began).Seconds(),
	}}
	for _, v := range []struct {
		dst  *[]float32
		from *tensors.Tensor
	}{
		{&c.theta, t.state.theta[0]}, {&c.first, t.state.first[0]}, {&c.second, t.state.second[0]},
		{&c.sums, t.state.sums}, {&c.rate, t.state.rate},
	} {
		var err error
		if *v.dst, err = floats(v.from); err != nil {
			return err
		}
		if checkFinite(*v.dst) != nil {
			return &DivergedError{Step: t.step, LearningRate: t.schedule.LearningRate, Beta: t.config.Beta}
		}
	}
	return t.options.Checkpoint(c)
}

// restore continues from a checkpoint.
func (t *setTraining) restore(c *Checkpoint) error {
	d := &c.document
	if d.Set == nil {
		return &MismatchError{What: "kind", Have: "that of a fixed set of assets", Want: "that of any set"}
	}
	config := MismatchError{"configuration", *d.Set, t.config}
	if err := d.matches(t.schedule, t.backend.name, t.dataHash, config); err != nil {
		return err
	}
	t.step, t.evaluated, t.before = d.Step, d.Evaluated, d.Seconds
	t.history.Points = slices.Clone(d.Points)
	t.load(c.theta, c.first, c.second, c.sums)
	return nil
}

// release frees what the training holds where the backend runs.
func (t *setTraining) release() {
	for _, x := range t.state.list() {
		_ = guard(x.FinalizeAll)
	}
}
