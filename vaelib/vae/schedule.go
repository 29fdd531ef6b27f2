package vae

import (
	"fmt"
	"math"
)

// Schedule says how long and how fast to learn. [DefaultSchedule] gives a good
// start. Zeros mean what the fields say; see [Schedule.EnsureDefaults].
type Schedule struct {
	// Steps is the number of gradient steps. It, Batch and LearningRate are for
	// [Linear.Sizes] to choose where they are 0.
	Steps int `json:"steps" flag:"steps" range:"[1,inf)" auto:"true" help:"the number of gradient steps; auto follows the sizes"`
	// Batch is the number of rows a step, drawn with replacement.
	Batch int `json:"batch" flag:"batch" range:"[1,inf)" auto:"true" help:"the number of training rows in a step; auto follows the sizes"`
	// LearningRate is that of Adam at the first step; it decays by a half cosine
	// to 0 at the last.
	LearningRate float64 `json:"learning_rate" flag:"learning-rate" range:"(0,inf)" auto:"true" help:"the learning rate of Adam at the first step, which decays to 0 by a cosine; auto follows the sizes"`
	// Warmup is the share of the steps in which the KL weight rises linearly
	// from 0 to beta. Without it a cold start near a collapse threshold can die
	// although the data could keep the direction alive.
	Warmup float64 `json:"warmup" flag:"warmup" range:"[0,1]" unit:"share" only:"!objective" help:"the part of the steps in which beta rises from 0"`
	// Cycles, where above 1, repeats the warm-up in as many equal parts of the
	// training, each beginning at 0 again (cyclical annealing, Fu et al. 2019);
	// Warmup is then the share of each part. What a division leaves over goes to
	// the last.
	Cycles int `json:"cycles,omitempty" flag:"cycles" range:"[0,inf)" only:"!objective" help:"the number of times that the warm-up is repeated, in equal parts of the training; 0 means once"`
	// EvalEvery is the number of steps between evaluations, each one row of the
	// history; 0: a fiftieth of the steps.
	EvalEvery int `json:"eval_every"`
	// Patience is how many evaluations without a smaller validation loss end
	// the training. 0 trains to the end. With patience the returned model is
	// that of the smallest validation loss, otherwise that of the last step.
	Patience int `json:"patience" flag:"patience" range:"[0,inf)" only:"!corpus" help:"the number of evaluations without a better validation loss after which training stops; 0 trains to the end"`
}

// DefaultSchedule returns the schedule that goes with [DefaultConfig].
func DefaultSchedule() Schedule {
	return Schedule{Steps: 10_000, Batch: 128, LearningRate: 3e-3, Warmup: 0.2}
}

// EnsureDefaults sets the steps between evaluations, where they are zero, so that
// there are fifty of these. Every other zero has a meaning of its own.
func (s *Schedule) EnsureDefaults() {
	if s.EvalEvery == 0 {
		s.EvalEvery = max(1, s.Steps/50)
	}
}

// Validate returns an error that names the first field that makes no sense.
func (s Schedule) Validate() error {
	if s.Steps < 1 || s.Steps > maxSteps {
		return fmt.Errorf("steps is %d, want 1 to %d", s.Steps, maxSteps)
	}
	if s.Batch < 1 || s.Batch > maxBatch {
		return fmt.Errorf("batch is %d, want 1 to %d", s.Batch, maxBatch)
	}
	if !(s.LearningRate >= leastRate) || math.IsInf(s.LearningRate, 0) {
		return fmt.Errorf("learning rate is %v, want a number of at least %v: below it float32 learns nothing",
			s.LearningRate, leastRate)
	}
	if !(s.Warmup >= 0 && s.Warmup <= 1) {
		return fmt.Errorf("warm-up is %v, want a share from 0 to 1", s.Warmup)
	}
	if s.Cycles < 0 || s.Cycles > s.Steps {
		return fmt.Errorf("cycles of the warm-up are %d, want at least 0 and at most the %d steps", s.Cycles, s.Steps)
	}
	if s.Cycles > 1 && s.warmupSteps() < 2 {
		return fmt.Errorf("a cycle's warm-up, %v of its %v steps, is shorter than 2 steps: %d cycles repeat nothing",
			s.Warmup, s.period(), s.Cycles)
	}
	if s.EvalEvery < 1 {
		return fmt.Errorf("steps between evaluations is %d, want at least 1", s.EvalEvery)
	}
	if s.Patience < 0 {
		return fmt.Errorf("patience is %d, want at least 0", s.Patience)
	}
	return nil
}

// cycles is the number of warm-ups, period that of the steps of a cycle; the
// last takes what a division leaves over.
func (s Schedule) cycles() int { return max(1, s.Cycles) }

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
