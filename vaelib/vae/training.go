package vae

import (
	"context"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/stream"
)

// training is that of a model of fixed assets.
type training struct {
	course
	config  Config
	scaling scaling

	train    *graph.Exec // one step, or a loop of them
	eval     *graph.Exec
	programs *programs
	layout   layout
	inputs   []*tensors.Tensor // inputRows...
	blocks   []evaluationBlock // of validation rows
	rows     int               // number of training rows
	noise    int               // random numbers a row takes
	heldOut  int               // number of validation rows
	variance *tensors.Tensor

	best     []float32 // with patience: parameters of the smallest validation loss
	bestLoss float64
	stale    int     // evaluations since then
	reached  float64 // beta at the end
}

// place lays out the data and the inputs that stay, where the backend takes them.
func (t *training) place(train, validation *mat.Dense, measures []float32) {
	c := t.config
	settings := make([]float32, settingSize)
	settings[settingVariance] = float32(t.scaling.variance)
	settings[settingFreeBits] = float32(c.FreeBits)
	settings[settingTargetRate] = float32(c.TargetRate)
	settings[settingControl] = float32(c.Control)
	data := newTrainingRows(c, t.scaling, train, t.options.Conditions)
	t.rows, _ = train.Dims()
	t.stride = t.longestCall()
	t.inputs = []*tensors.Tensor{data.rows, data.mean,
		tensors.FromFlatDataAndDimensions(measures, len(measures)),
		tensors.FromFlatDataAndDimensions(settings, settingSize), nil, nil, nil}
	t.draw(0)
	t.variance = tensors.FromScalar(float32(t.scaling.variance))
	if validation != nil {
		t.blocks = newEvaluationBlocks(c, t.scaling, validation, t.options.ValidationConditions, t.noise)
		t.heldOut, _ = validation.Dims()
	}
}

// begin sets the state to that before the first step.
func (t *training) begin() {
	network := t.programs.network
	t.load(network.initial(t.config.Seed, t.scaling), make([]float32, network.size), make([]float32, network.size),
		make([]float32, sumSize), []float32{0, float32(t.config.TargetRate)})
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
	for _, tensor := range append(t.state.list(), t.inputs...) {
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

// split makes tensors of a vector, as the layout has them.
func (t *training) split(v []float32) []*tensors.Tensor {
	var parts []*tensors.Tensor
	for _, part := range t.programs.network.split(t.layout, v) {
		parts = append(parts, tensors.FromFlatDataAndDimensions(slices.Clone(part), len(part)))
	}
	return parts
}

// joined copies the parts of a vector out.
func (t *training) joined(parts []*tensors.Tensor) ([]float32, error) {
	var err error
	v := make([][]float32, len(parts))
	for i, part := range parts {
		if v[i], err = floats(part); err != nil {
			return nil, err
		}
	}
	return t.programs.network.joined(t.layout, v), nil
}

// load puts a state where the backend runs.
func (t *training) load(theta, first, second, sums, rate []float32) {
	t.state = state[*tensors.Tensor]{
		theta: t.split(theta), first: t.split(first), second: t.split(second),
		sums: tensors.FromFlatDataAndDimensions(sums, len(sums)),
		rate: tensors.FromFlatDataAndDimensions(rate, len(rate)),
	}
}

// maxDraws is how many random numbers a call is given at most.
const maxDraws = 6 << 20

// draw makes the plan and the random numbers of the steps until end. They depend
// on the seed and the step alone, not on the calls or the backend.
func (t *training) draw(end int) {
	batch := t.schedule.Batch
	plan, rows := make([]float32, t.stride*planSize), make([]int32, t.stride*batch)
	noise := make([]float32, t.stride*batch*t.noise)
	steps := end - t.step
	_ = parallel.For(context.Background(), steps, func(_, i int) error { // which nothing ends early
		t.schedule.plan(plan[i*planSize:], t.config.Beta, t.step+i)
		source := stream.Source(t.config.Seed, "vae.batches", uint64(t.step+i))
		fillIndices(rows[i*batch:(i+1)*batch], t.rows, source)
		fillNormals(noise[i*batch*t.noise:(i+1)*batch*t.noise], source)
		return nil
	})
	t.inputs[inputPlan] = tensors.FromFlatDataAndDimensions(plan, t.stride, planSize)
	t.inputs[inputTake] = tensors.FromFlatDataAndDimensions(rows, t.stride, batch, 1)
	t.inputs[inputNoise] = tensors.FromFlatDataAndDimensions(noise, t.stride, t.noise, batch)
}

func (t *training) calling(end int) (*graph.Exec, []any) {
	t.draw(end)
	var inputs []any
	for _, tensor := range t.inputs {
		inputs = append(inputs, tensor)
	}
	if t.backend.stepsPerCall > 1 {
		inputs = append(inputs, int32(0), int32(end-t.step))
	}
	return t.train, inputs
}

// multiplier is what a target rate has made of beta.
func (t *training) multiplier() (float64, error) {
	rate, err := floats(t.state.rate)
	if err != nil {
		return 0, err
	}
	return math.Exp(float64(rate[0])), nil
}

// release frees what the training holds where the backend runs. After a failed
// step some of it is gone already, which is no error any more.
func (t *training) release() {
	held := append(append(t.state.list(), t.inputs...), t.variance)
	for _, b := range t.blocks {
		held = append(held, b.noise, b.rows, b.present)
	}
	for _, x := range held {
		_ = guard(x.FinalizeAll)
	}
}
