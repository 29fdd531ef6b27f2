package vae

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// course is a training under way, of whatever model: its steps, the pauses between them
// and the clock.
type course struct {
	learner  learner
	backend  *Backend
	schedule Schedule
	options  TrainOptions
	beta     float64
	dataHash string

	state  state[*tensors.Tensor]
	stride int // steps a call runs at most

	step      int // steps done
	evaluated int // step of the last evaluation
	history   History
	result    []float32 // parameters at the end

	began    time.Time
	before   float64       // seconds before a resumption
	stepping time.Duration // in gradient steps since the last evaluation or resumption
	timed    int           // number of those steps
}

// learner is what one kind of model adds to its course.
type learner interface {
	// calling returns the program that takes the state through the steps until end, and
	// what it takes besides the state.
	calling(end int) (*graph.Exec, []any)
	// evaluate adds a point to the history.
	evaluate() error
	// checkpoint copies the state out.
	checkpoint() (*Checkpoint, error)
}

// run takes the steps that are left.
func (c *course) run(ctx context.Context) error {
	c.began = time.Now()
	for _, p := range c.history.Points {
		c.announce(p)
	}
	s := c.schedule
	for c.step < s.Steps && !c.history.StoppedEarly {
		if err := ctx.Err(); err != nil {
			return c.interrupted(err)
		}
		end := min(s.Steps, next(c.step, s.EvalEvery), c.step+c.stride)
		if every := c.options.CheckpointEvery; every > 0 {
			end = min(end, next(c.step, every))
		}
		if err := c.advance(end); err != nil {
			return err
		}
		if c.step%s.EvalEvery == 0 || c.step == s.Steps {
			if err := c.learner.evaluate(); err != nil {
				return err
			}
		} else if c.step%loopSteps == 0 {
			c.report()
		}
		if every := c.options.CheckpointEvery; every > 0 && c.step%every == 0 && c.step < s.Steps &&
			!c.history.StoppedEarly {
			if err := c.save(); err != nil {
				return err
			}
		}
	}
	c.history.Step = c.step
	return nil
}

// next is the smallest multiple of every above step.
func next(step, every int) int { return (step/every + 1) * every }

// advance runs the steps until end.
func (c *course) advance(end int) error {
	start := time.Now()
	program, inputs := c.learner.calling(end)
	err := guard(func() error {
		var args []any
		for _, tensor := range c.state.list() {
			donated, err := graph.DonateTensorBuffer(tensor, c.backend.engine, 0)
			if err != nil {
				return err
			}
			args = append(args, donated)
		}
		state, err := program.Call(append(args, inputs...)...)
		if err == nil {
			c.state, _ = takeState(state, len(c.state.theta))
		}
		return err
	})
	c.timed += end - c.step
	c.step = end
	c.stepping += time.Since(start)
	return err
}

// point is what the steps since the last evaluation came to, each of so many samples. It
// returns a *[DivergedError] where a loss is not finite.
func (c *course) point(samples int) (Point, error) {
	start := time.Now()
	sums, err := floats(c.state.sums) // waits for the steps to end
	if err != nil {
		return Point{}, err
	}
	c.stepping += time.Since(start)
	steps := float64(c.step - c.evaluated)
	p := Point{
		Step: c.step, Beta: c.beta * c.schedule.warm(c.step-1), LearningRate: c.schedule.rate(c.step - 1),
		Train: Losses{
			Total: float64(sums[sumTotal]) / steps, Reconstruction: float64(sums[sumReconstruction]) / steps,
			KL: float64(sums[sumKL]) / steps, Control: float64(sums[sumControl]) / steps,
		},
		SamplesPerSecond: float64(c.timed*samples) / c.stepping.Seconds(),
	}
	if !finite(p.Train) {
		return p, c.diverged()
	}
	return p, nil
}

// record adds a point to the history and begins the next sums.
func (c *course) record(p Point) error {
	if p.Validation != nil && !finite(*p.Validation) {
		return c.diverged()
	}
	p.Seconds = c.seconds()
	c.history.Points = append(c.history.Points, p)
	c.evaluated, c.stepping, c.timed = c.step, 0, 0
	c.state.sums = tensors.FromFlatDataAndDimensions(make([]float32, sumSize), sumSize)
	c.announce(p)
	c.report()
	return nil
}

func (c *course) announce(p Point) {
	if c.options.Evaluated != nil {
		c.options.Evaluated(p)
	}
}

func (c *course) report() {
	if c.options.Progress == nil {
		return
	}
	note := ""
	if n := len(c.history.Points); n > 0 {
		p := c.history.Points[n-1]
		note = fmt.Sprintf("loss %.4g, KL %.3g", p.Train.Total, p.Train.KL)
	}
	c.options.Progress(c.step, c.schedule.Steps, note)
}

// save hands the state to the caller.
func (c *course) save() error {
	if c.options.Checkpoint == nil {
		return nil
	}
	checkpoint, err := c.learner.checkpoint()
	if err != nil {
		return err
	}
	return c.options.Checkpoint(checkpoint)
}

// copied completes a checkpoint by what every training has. Joined makes one vector of
// the parts that the backend holds it in.
func (c *course) copied(to *Checkpoint, joined func([]*tensors.Tensor) ([]float32, error)) (*Checkpoint, error) {
	d := &to.document
	d.Version, d.Schedule, d.Backend, d.DataHash = checkpointVersion, c.schedule, c.backend.name, c.dataHash
	d.Step, d.Evaluated, d.Points, d.Seconds = c.step, c.evaluated, slices.Clone(c.history.Points), c.seconds()
	for _, v := range []struct {
		dst   *[]float32
		parts []*tensors.Tensor
	}{
		{&to.theta, c.state.theta}, {&to.first, c.state.first}, {&to.second, c.state.second},
	} {
		var err error
		if *v.dst, err = joined(v.parts); err != nil {
			return nil, err
		}
	}
	var err error
	if to.sums, err = floats(c.state.sums); err != nil {
		return nil, err
	}
	if to.rate, err = floats(c.state.rate); err != nil {
		return nil, err
	}
	for _, v := range to.vectors() {
		if checkFinite(*v.values) != nil {
			return nil, c.diverged()
		}
	}
	return to, nil
}

// resume takes the course up where a checkpoint left it; the state is the learner's to
// load.
func (c *course) resume(d *checkpointDocument) {
	c.step, c.evaluated, c.before = d.Step, d.Evaluated, d.Seconds
	c.history.Points = slices.Clone(d.Points)
}

func (c *course) interrupted(cause error) error {
	if err := c.save(); err != nil {
		return fmt.Errorf("training stopped at step %d of %d (%w), and its state was not saved: %w",
			c.step, c.schedule.Steps, cause, err)
	}
	return fmt.Errorf("training stopped at step %d of %d: %w", c.step, c.schedule.Steps, cause)
}

func (c *course) diverged() error {
	return &DivergedError{Step: c.step, LearningRate: c.schedule.LearningRate, Beta: c.beta}
}

// seconds is how long the training has taken, with what was before a resumption.
func (c *course) seconds() float64 { return c.before + time.Since(c.began).Seconds() }
