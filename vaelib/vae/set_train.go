package vae

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

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
	if t.result, err = floats(t.state.theta[0]); err != nil {
		return nil, &t.history, err
	}
	m, err := newSetModel(b, setDocument{
		Version: setVersion, Config: c, Scale: t.scale, DataHash: t.dataHash, Backend: b.name,
	}, t.result)
	return m, &t.history, err
}

// setTraining is that of a model over sets.
type setTraining struct {
	course
	config   SetConfig
	programs *setPrograms
	scale    setScale

	learn, heldOut []setRow
	width          int // assets that universes are padded to
	universes      int // of a batch
	rows           int // portfolios of each
}

func newSetTraining(
	b *Backend, c SetConfig, s Schedule, examples []*universe.Example, opt TrainOptions,
) (*setTraining, error) {
	s.EnsureDefaults()
	t := &setTraining{
		course: course{backend: b, schedule: s, options: opt, beta: c.Beta}, config: c,
		rows: rowsEach, universes: max(1, s.Batch/rowsEach),
	}
	t.learner = t
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
	learn, largest, err := learnable(c, examples)
	if err != nil {
		return nil, err
	}
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

// learnable checks the examples, and returns those to learn from and the number of assets
// that the largest of all has.
func learnable(c SetConfig, examples []*universe.Example) (learn []*universe.Example, largest int, err error) {
	for i, e := range examples {
		if err := e.Check(); err != nil {
			return nil, 0, fmt.Errorf("universe %d (%s): %w", i+1, e.ID, err)
		}
		largest = max(largest, e.Assets())
		if !e.HeldOut {
			learn = append(learn, e)
		}
		switch {
		case c.rule() && e.Truth == nil:
			return nil, 0, fmt.Errorf("universe %d (%s) has no truth to learn from: make the corpus with "+
				"-simulated -truth", i+1, e.ID)
		case !c.rule() && e.Truth != nil:
			return nil, 0, fmt.Errorf("universe %d (%s) has the guides of a rule for its portfolios: train with "+
				"-objective %s, or make the corpus without -truth", i+1, e.ID, TrueSharpe)
		}
	}
	if len(learn) == 0 {
		return nil, 0, errors.New("no universes to learn from: all are held out, as by corpus -held-out 1")
	}
	return learn, largest, nil
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

func (t *setTraining) calling(end int) (*graph.Exec, []any) {
	if t.loops() {
		return t.programs.loop, append(t.draw(end), int32(0), int32(end-t.step))
	}
	return t.programs.step, t.draw(end)
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

func (t *setTraining) evaluate() error {
	p, err := t.point(t.universes * t.samples())
	if err != nil {
		return err
	}
	if len(t.heldOut) > 0 {
		if p.Validation, err = t.validate(); err != nil {
			return err
		}
	}
	return t.record(p)
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

func (t *setTraining) checkpoint() (*Checkpoint, error) {
	return t.copied(&Checkpoint{document: checkpointDocument{Set: &t.config}},
		func(parts []*tensors.Tensor) ([]float32, error) { return floats(parts[0]) })
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
	t.resume(d)
	t.load(c.theta, c.first, c.second, c.sums)
	return nil
}

// release frees what the training holds where the backend runs.
func (t *setTraining) release() {
	for _, x := range t.state.list() {
		_ = guard(x.FinalizeAll)
	}
}
