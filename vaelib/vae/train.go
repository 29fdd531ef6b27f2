package vae

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/stream"
)

// TrainOptions are what a training may be given besides its configuration. The
// zero value is an uninterrupted training without names and reports.
type TrainOptions struct {
	Symbols []string // names of the assets (n), kept with the model; nil: none
	// Conditions of the training and of the validation rows (N x k), in the order
	// of the configuration's, and the measures of those that follow from the
	// weights alone, by name: what Config.Control and caps hold the decoder to.
	Conditions, ValidationConditions *mat.Dense
	Measures                         []portfolio.Measure
	// Checkpoint is called with the whole training state every CheckpointEvery
	// steps (0: never) and when the context ends the training. Its error ends
	// the training.
	Checkpoint      func(*Checkpoint) error
	CheckpointEvery int
	// Resume continues from a checkpoint of the same configuration, schedule,
	// rows and backend: the result is, to the bit, that of a training that was
	// never interrupted.
	Resume   *Checkpoint
	Progress func(done, total int, note string) // total is Schedule.Steps; nil: no reports
	// Evaluated is called with each point of the history as soon as it is there.
	// A resumed training calls it with the checkpoint's points first, so that
	// every training that ends has called it once for each point, in order, and
	// what an interrupted process was told and lost is told again. Training waits
	// for it. Nil: not called.
	Evaluated func(Point)
}

// DivergedError says that the loss stopped being a finite number.
type DivergedError struct {
	Step         int     // by which it had happened
	LearningRate float64 // as configured
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("loss is not finite at step %d: lower the learning rate of %v", e.Step, e.LearningRate)
}

// MismatchError says that a checkpoint belongs to another training.
type MismatchError struct {
	What       string // the first thing that differs
	Have, Want any    // of the checkpoint, of the training
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("checkpoint belongs to another training: its %s is %v, not %v", e.What, e.Have, e.Want)
}

// Train fits a model to the rows of train (N x n), and reports its losses on
// the rows of validation (nil: none), which it never learns from.
//
// When ctx ends, Train hands the state to opt.Checkpoint and returns the
// history so far and an error that wraps the context's. It returns a
// *[DivergedError] when the loss stops being finite, and a *[MismatchError]
// when opt.Resume belongs to another training.
func Train(ctx context.Context, b *Backend, c Config, s Schedule, train, validation *mat.Dense, opt TrainOptions) (*Model, *History, error) {
	t, err := newTraining(b, c, s, train, validation, opt)
	if err != nil {
		return nil, nil, err
	}
	defer t.release()
	if err := t.run(ctx); err != nil {
		return nil, &t.history, err
	}
	c = t.config
	c.Beta = t.reached
	model, err := newModel(b, c, t.scaling, slices.Clone(opt.Symbols), t.dataHash, b.name, t.result)
	return model, &t.history, err
}

// training is a training under way.
type training struct {
	backend  *Backend
	config   Config
	schedule Schedule
	options  TrainOptions
	scaling  scaling
	dataHash string

	train    *graph.Exec // one step, or a loop of them
	eval     *graph.Exec
	programs *programs
	state    [stateSize]*tensors.Tensor
	inputs   []*tensors.Tensor // inputRows...
	blocks   []evaluationBlock // of validation rows
	rows     int               // number of training rows
	noise    int               // random numbers a row takes
	stride   int               // steps a call runs at most
	heldOut  int               // number of validation rows
	variance *tensors.Tensor

	step      int // steps done
	evaluated int // step of the last evaluation
	history   History
	best      []float32 // with patience: parameters of the smallest validation loss
	bestLoss  float64
	stale     int // evaluations since then
	result    []float32
	reached   float64 // beta at the end

	began    time.Time
	before   float64       // seconds before a resumption
	stepping time.Duration // in gradient steps since the last evaluation or resumption
	timed    int           // number of those steps
}

func newTraining(b *Backend, c Config, s Schedule, train, validation *mat.Dense, opt TrainOptions) (*training, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if opt.Symbols != nil && len(opt.Symbols) != c.Assets {
		return nil, fmt.Errorf("%d symbols for %d assets", len(opt.Symbols), c.Assets)
	}
	if train == nil || train.IsEmpty() {
		return nil, errors.New("no training rows")
	}
	if err := checkRows("training", train, c); err != nil {
		return nil, err
	}
	if validation != nil && validation.IsEmpty() {
		validation = nil
	}
	if validation != nil {
		if err := checkRows("validation", validation, c); err != nil {
			return nil, err
		}
	} else if s.Patience > 0 {
		return nil, errors.New("patience needs validation rows")
	}
	if s.Patience > 0 && c.TargetRate > 0 {
		return nil, errors.New("patience compares losses of one beta, and a target rate changes it: give one of them")
	}
	scaling, err := newScaling(train)
	if err != nil {
		return nil, err
	}
	rows, _ := train.Dims()
	if err := checkValues("training", c.Conditions, opt.Conditions, rows); err != nil {
		return nil, err
	}
	if validation != nil {
		rows, _ := validation.Dims()
		if err := checkValues("validation", c.Conditions, opt.ValidationConditions, rows); err != nil {
			return nil, err
		}
	}
	if scaling.conditions, err = newScales(c.Conditions, opt.Conditions); err != nil {
		return nil, err
	}
	controls, measures, err := newControls(c, scaling, opt.Measures)
	if err != nil {
		return nil, err
	}
	c.Hidden = append([]int{}, c.Hidden...) // the caller's may change; never nil
	c.Conditions = cloneConditions(c.Conditions)
	programs, err := b.program(c)
	if err != nil {
		return nil, err
	}
	t := &training{
		backend: b, config: c, schedule: s, options: opt, scaling: scaling,
		dataHash: DataHash(train, validation, opt), programs: programs,
	}
	if t.train, err = programs.step(b, program{
		batch: s.Batch, loop: b.stepsPerCall > 1, controls: controls, freeBits: c.FreeBits > 0, rate: c.TargetRate > 0,
	}); err != nil {
		return nil, err
	}
	if t.eval, err = programs.eval(b, controls); err != nil {
		return nil, err
	}
	data := newTrainingRows(c, scaling, train, opt.Conditions)
	settings := make([]float32, settingSize)
	settings[settingVariance] = float32(scaling.variance)
	settings[settingFreeBits] = float32(c.FreeBits)
	settings[settingTargetRate] = float32(c.TargetRate)
	settings[settingControl] = float32(c.Control)
	t.rows, _ = train.Dims()
	t.noise = programs.network.noiseWidth(controls)
	t.stride = t.longestCall()
	t.inputs = []*tensors.Tensor{data.rows, data.mean,
		tensors.FromFlatDataAndDimensions(measures, len(measures)), tensors.FromFlatDataAndDimensions(settings, settingSize), nil, nil, nil}
	t.draw(0)
	t.variance = tensors.FromScalar(float32(scaling.variance))
	if validation != nil {
		t.blocks = newEvaluationBlocks(c, scaling, validation, opt.ValidationConditions, t.noise)
		t.heldOut, _ = validation.Dims()
	}
	if opt.Resume != nil {
		if err := t.restore(opt.Resume); err != nil {
			return nil, err
		}
		return t, t.compile()
	}
	size := programs.network.size
	t.load(programs.network.initial(c.Seed, scaling),
		make([]float32, size), make([]float32, size), make([]float32, sumSize), []float32{0, float32(c.TargetRate)})
	return t, t.compile()
}

// longestCall is how many steps a call runs at most, between evaluations and
// checkpoints: rounded up, so that few shapes are ever compiled.
func (t *training) longestCall() int {
	pauses := t.schedule.EvalEvery
	if every := t.options.CheckpointEvery; every > 0 {
		pauses = min(pauses, every)
	}
	return max(1, min(powerOfTwo(pauses), t.backend.stepsPerCall, maxDraws/((1+t.noise)*t.schedule.Batch)))
}

// compile compiles the step before the clock starts, unless an earlier
// training of this shape has.
func (t *training) compile() error {
	var s []shapes.Shape
	for _, tensor := range append(t.state[:], t.inputs...) {
		s = append(s, tensor.Shape())
	}
	if t.backend.stepsPerCall > 1 {
		s = append(s, shapes.Make(dtypes.Int32), shapes.Make(dtypes.Int32))
	}
	return guard(func() error {
		_, err := t.train.Compile(s...)
		return err
	})
}

// cycles is the number of warm-ups, period that of the steps of a cycle; the
// last takes what a division leaves over.
func (s Schedule) cycles() int     { return max(1, s.Cycles) }
func (s Schedule) period() float64 { return float64(s.Steps / s.cycles()) }

// warmupSteps is the number of a cycle's steps until the KL weight is beta.
func (s Schedule) warmupSteps() float64 { return math.Round(s.Warmup * s.period()) }

// warm is how far the KL weight of a step (counted from 0) has risen, of beta.
func (s Schedule) warm(step int) float64 {
	over := min(math.Floor(float64(step)/s.period()), float64(s.cycles()-1)) // cycles
	return min(1, (float64(step+1)-over*s.period())/max(s.warmupSteps(), 1))
}

// rate is the learning rate of a step (counted from 0).
func (s Schedule) rate(step int) float64 {
	return s.LearningRate * (1 + math.Cos(math.Pi*float64(step)/float64(s.Steps))) / 2
}

// load puts a state where the backend runs.
func (t *training) load(theta, first, second, sums, rate []float32) {
	t.state = [stateSize]*tensors.Tensor{
		stateTheta:  tensors.FromFlatDataAndDimensions(theta, len(theta)),
		stateFirst:  tensors.FromFlatDataAndDimensions(first, len(first)),
		stateSecond: tensors.FromFlatDataAndDimensions(second, len(second)),
		stateSums:   tensors.FromFlatDataAndDimensions(sums, len(sums)),
		stateRate:   tensors.FromFlatDataAndDimensions(rate, len(rate)),
	}
}

func (t *training) run(ctx context.Context) error {
	t.began = time.Now()
	for _, p := range t.history.Points {
		t.announce(p)
	}
	s := t.schedule
	for t.step < s.Steps && !t.history.StoppedEarly {
		if err := ctx.Err(); err != nil {
			return t.interrupted(err)
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
		} else if t.step%loopSteps == 0 {
			t.report()
		}
		if every := t.options.CheckpointEvery; every > 0 && t.step%every == 0 && t.step < s.Steps && !t.history.StoppedEarly {
			if err := t.save(); err != nil {
				return err
			}
		}
	}
	t.reached = t.config.Beta
	if s.Patience > 0 {
		t.result, t.history.Step = t.best, t.bestStep()
		return nil
	}
	t.history.Step = t.step
	multiplier, err := t.multiplier()
	if err != nil {
		return err
	}
	t.reached *= multiplier
	t.result, err = floats(t.state[stateTheta])
	return err
}

// next is the smallest multiple of every above step.
func next(step, every int) int { return (step/every + 1) * every }

// maxDraws is how many random numbers a call is given at most.
const maxDraws = 1 << 20

// draw makes the plan and the random numbers of the steps until end. They depend
// on the seed and the step alone, not on the calls or the backend.
func (t *training) draw(end int) {
	batch := t.schedule.Batch
	plan, rows, noise := make([]float32, t.stride*planSize), make([]int32, t.stride*batch), make([]float32, t.stride*batch*t.noise)
	steps := end - t.step
	workers := min(runtime.GOMAXPROCS(0), steps)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() {
			for i := w; i < steps; i += workers {
				t.schedule.plan(plan[i*planSize:], t.config.Beta, t.step+i)
				source := stream.Source(t.config.Seed, "vae.batches", uint64(t.step+i))
				fillIndices(rows[i*batch:(i+1)*batch], t.rows, source)
				fillNormals(noise[i*batch*t.noise:(i+1)*batch*t.noise], source)
			}
		})
	}
	wait.Wait()
	t.inputs[inputPlan-inputRows] = tensors.FromFlatDataAndDimensions(plan, t.stride, planSize)
	t.inputs[inputTake-inputRows] = tensors.FromFlatDataAndDimensions(rows, t.stride, batch, 1)
	t.inputs[inputNoise-inputRows] = tensors.FromFlatDataAndDimensions(noise, t.stride, t.noise, batch)
}

// advance runs the steps until end.
func (t *training) advance(end int) error {
	start := time.Now()
	t.draw(end)
	err := guard(func() error {
		args := make([]any, 0, inputSize+1)
		for _, tensor := range t.state {
			donated, err := graph.DonateTensorBuffer(tensor, t.backend.engine, 0)
			if err != nil {
				return err
			}
			args = append(args, donated)
		}
		for _, tensor := range t.inputs {
			args = append(args, tensor)
		}
		if t.backend.stepsPerCall > 1 {
			args = append(args, int32(0), int32(end-t.step))
		}
		state, err := t.train.Call(args...)
		copy(t.state[:], state)
		return err
	})
	t.timed += end - t.step
	t.step = end
	t.stepping += time.Since(start)
	return err
}

// evaluate adds a point to the history.
func (t *training) evaluate() error {
	start := time.Now()
	sums, err := floats(t.state[stateSums]) // waits for the steps to end
	if err != nil {
		return err
	}
	t.stepping += time.Since(start)
	multiplier, err := t.multiplier()
	if err != nil {
		return err
	}
	steps := float64(t.step - t.evaluated)
	p := Point{
		Step: t.step, Beta: t.config.Beta * t.schedule.warm(t.step-1) * multiplier, LearningRate: t.schedule.rate(t.step - 1),
		Train: Losses{
			Total: float64(sums[sumTotal]) / steps, Reconstruction: float64(sums[sumReconstruction]) / steps,
			KL: float64(sums[sumKL]) / steps, Control: float64(sums[sumControl]) / steps,
		},
		SamplesPerSecond: float64(t.timed*t.schedule.Batch) / t.stepping.Seconds(),
	}
	if !finite(p.Train) {
		return &DivergedError{Step: t.step, LearningRate: t.schedule.LearningRate}
	}
	if t.blocks != nil {
		v, err := t.validate(t.config.Beta * multiplier)
		if err != nil {
			return err
		}
		if !finite(v) {
			return &DivergedError{Step: t.step, LearningRate: t.schedule.LearningRate}
		}
		p.Validation = &v
	}
	p.Seconds = t.before + time.Since(t.began).Seconds()
	t.history.Points = append(t.history.Points, p)
	t.evaluated, t.stepping, t.timed = t.step, 0, 0
	t.state[stateSums] = tensors.FromFlatDataAndDimensions(make([]float32, sumSize), sumSize)
	t.announce(p)
	t.report()
	if t.schedule.Patience > 0 {
		return t.watch(p.Validation.Total)
	}
	return nil
}

// watch keeps the best parameters and stops when patience runs out. Warm-up
// is not held against a training.
func (t *training) watch(loss float64) error {
	if t.best == nil || loss < t.bestLoss {
		best, err := floats(t.state[stateTheta])
		t.best, t.bestLoss, t.stale = best, loss, 0
		return err
	}
	t.stale++
	s := t.schedule
	warm := float64(s.cycles()-1)*s.period() + s.warmupSteps() // in the last cycle
	t.history.StoppedEarly = t.stale >= s.Patience && float64(t.step) >= warm && t.step < s.Steps
	return nil
}

// multiplier is what a target rate has made of beta.
func (t *training) multiplier() (float64, error) {
	rate, err := floats(t.state[stateRate])
	if err != nil {
		return 0, err
	}
	return math.Exp(float64(rate[0])), nil
}

// bestStep is the step of the smallest validation loss.
func (t *training) bestStep() int {
	best := t.history.Points[0]
	for _, p := range t.history.Points {
		if p.Validation.Total < best.Validation.Total {
			best = p
		}
	}
	return best.Step
}

func finite(l Losses) bool {
	sum := l.Total + l.Reconstruction + l.KL
	return !math.IsNaN(sum) && !math.IsInf(sum, 0)
}

// validate returns the losses on the validation rows under the full beta.
func (t *training) validate(beta float64) (Losses, error) {
	var l Losses
	for _, block := range t.blocks {
		sums, err := call(t.eval, t.state[stateTheta], block.noise, block.rows, block.present,
			t.inputs[inputMean-inputRows], t.variance, t.inputs[inputMeasures-inputRows])
		if err != nil {
			return Losses{}, err
		}
		rows := float64(t.heldOut)
		l.Reconstruction += float64(sums[0][0]) / rows
		l.Control += float64(sums[0][1]) / rows
		for _, v := range sums[0][2:] {
			l.KL += float64(v) / rows
		}
	}
	l.Total = l.Reconstruction + beta*l.KL + t.config.Control*l.Control
	return l, nil
}

func (t *training) announce(p Point) {
	if t.options.Evaluated != nil {
		t.options.Evaluated(p)
	}
}

func (t *training) report() {
	if t.options.Progress == nil {
		return
	}
	note := ""
	if n := len(t.history.Points); n > 0 {
		p := t.history.Points[n-1]
		note = fmt.Sprintf("loss %.4g, KL %.3g", p.Train.Total, p.Train.KL)
	}
	t.options.Progress(t.step, t.schedule.Steps, note)
}

func (t *training) interrupted(cause error) error {
	if err := t.save(); err != nil {
		return fmt.Errorf("training stopped at step %d of %d (%w), and its state was not saved: %w", t.step, t.schedule.Steps, cause, err)
	}
	return fmt.Errorf("training stopped at step %d of %d: %w", t.step, t.schedule.Steps, cause)
}

// save hands the state to the caller.
func (t *training) save() error {
	if t.options.Checkpoint == nil {
		return nil
	}
	c, err := t.checkpoint()
	if err != nil {
		return err
	}
	return t.options.Checkpoint(c)
}

// release frees what the training holds where the backend runs. After a failed
// step some of it is gone already, which is no error any more.
func (t *training) release() {
	held := append(append(t.state[:], t.inputs...), t.variance)
	for _, b := range t.blocks {
		held = append(held, b.noise, b.rows, b.present)
	}
	for _, x := range held {
		_ = guard(x.FinalizeAll)
	}
}

// checkpoint copies the state out.
func (t *training) checkpoint() (*Checkpoint, error) {
	c := &Checkpoint{best: t.best, document: checkpointDocument{
		Version: checkpointVersion, Config: t.config, Schedule: t.schedule, Backend: t.backend.name, DataHash: t.dataHash,
		Step: t.step, Evaluated: t.evaluated, Stale: t.stale, BestLoss: t.bestLoss,
		Points: slices.Clone(t.history.Points), Seconds: t.before + time.Since(t.began).Seconds(),
	}}
	var err error
	for i, dst := range map[int]*[]float32{
		stateTheta: &c.theta, stateFirst: &c.first, stateSecond: &c.second, stateSums: &c.sums, stateRate: &c.rate,
	} {
		if *dst, err = floats(t.state[i]); err != nil {
			return nil, err
		}
		if checkFinite(*dst) != nil {
			return nil, &DivergedError{Step: t.step, LearningRate: t.schedule.LearningRate}
		}
	}
	return c, nil
}

// restore continues from a checkpoint.
func (t *training) restore(c *Checkpoint) error {
	d := &c.document
	for _, pair := range []MismatchError{
		{"configuration", d.Config, t.config},
		{"schedule", d.Schedule, t.schedule},
		{"backend", d.Backend, t.backend.name},
		{"hash of the rows", d.DataHash, t.dataHash},
	} {
		if !reflect.DeepEqual(pair.Have, pair.Want) {
			return &pair
		}
	}
	t.step, t.evaluated, t.stale, t.bestLoss = d.Step, d.Evaluated, d.Stale, d.BestLoss
	t.best, t.before = c.best, d.Seconds
	t.history.Points = slices.Clone(d.Points)
	t.load(slices.Clone(c.theta), slices.Clone(c.first), slices.Clone(c.second), slices.Clone(c.sums), slices.Clone(c.rate))
	return nil
}
