package vae

import (
	"math"
	"testing"
)

// At a beta that lets every direction die, free bits keep the KL of each
// dimension at their floor, where it begins to cost.
func TestFreeBits(t *testing.T) {
	if testing.Short() {
		t.Skip("trains as other tests do, for long: run without -short")
	}
	const floor = 0.4
	x := gaussianRows(2000, []float64{4, 2, 1.5, 0.5, 0.25, 0.25})
	c, s := small()
	c.Hidden, c.Head, c.Beta = nil, "linear", 4
	s.Steps, s.Batch, s.LearningRate = 1200, 256, 1e-2
	b := openTest(t, "go")
	for _, free := range []float64{0, floor} {
		c.FreeBits = free
		m, h := mustTrain(t, b, c, s, x, x, TrainOptions{})
		d, err := Diagnose(t.Context(), m, x, x)
		if err != nil {
			t.Fatal(err)
		}
		for j, kl := range d.KLPerDimension {
			if math.Abs(kl-free) > 0.1*free+0.01 {
				t.Errorf("with %v nats free, dimension %d has %.3f", free, j+1, kl)
			}
		}
		// The reported losses know no floor.
		v := h.Points[len(h.Points)-1].Validation
		if math.Abs(v.Total-v.Reconstruction-c.Beta*v.KL) > 1e-9 || math.Abs(v.KL-d.KL) > 0.01 {
			t.Errorf("with %v nats free, validation has %+v, the model a KL of %v", free, *v, d.KL)
		}
	}
}

// A target rate is met from a beta far below and one far above, which come
// together; and a training with the beta that was reached has the same rate.
func TestTargetRate(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds")
	}
	const target = 2.5
	train, heldOut := dirichletRows(1000, 6, 0), dirichletRows(400, 6, 1)
	c, s := small()
	s.Steps, s.EvalEvery, s.LearningRate = 4000, 200, 5e-3
	rate := func(m *Model) float64 {
		d, err := Diagnose(t.Context(), m, train, heldOut)
		if err != nil {
			t.Fatal(err)
		}
		return d.KL
	}
	forBackends(t, func(t *testing.T, b *Backend) {
		var reached []float64
		for _, start := range []float64{0.02, 0.8} {
			c.TargetRate, c.Beta = target, start
			m, h := mustTrain(t, b, c, s, train, heldOut, TrainOptions{})
			last := h.Points[len(h.Points)-1]
			for what, kl := range map[string]float64{"validation": last.Validation.KL, "diagnosed": rate(m)} {
				if math.Abs(kl-target) > 0.05*target {
					t.Errorf("from beta %v: %s KL is %.3f, want %v", start, what, kl, target)
				}
			}
			beta := m.Config().Beta
			if beta != last.Beta || m.Config().TargetRate != target || math.Abs(m.Beta()-beta) > 1e-12 {
				t.Errorf("from beta %v: the configuration has %v, the history ends with %v", start, beta, last.Beta)
			}
			if v := last.Validation; math.Abs(v.Total-v.Reconstruction-beta*v.KL) > 1e-9 {
				t.Errorf("from beta %v: validation losses %+v don't belong to the beta %v", start, *v, beta)
			}
			// The last step's weight, in training, moves by a hundredth a step at most.
			if first := h.Points[4]; math.Abs(math.Log(first.Beta/start)) > 2.01 {
				t.Errorf("from beta %v: after 1,000 steps, 800 of them warm-up, beta is %v", start, first.Beta)
			}
			t.Logf("from beta %v: beta %.4f, KL %.3f, in training %.3f", start, beta, last.Validation.KL, last.Train.KL)
			reached = append(reached, beta)
		}
		if math.Abs(math.Log(reached[0]/reached[1])) > math.Log(1.2) {
			t.Errorf("two starts reached the betas %v", reached)
		}
		c.TargetRate, c.Beta = 0, reached[0]
		fixed, _ := mustTrain(t, b, c, s, train, nil, TrainOptions{})
		if kl := rate(fixed); math.Abs(kl-target) > 0.05*target {
			t.Errorf("at the fixed beta %v the KL is %.3f, want %v", reached[0], kl, target)
		}
	})
}

// Each cycle begins near 0 and the last one, which takes the steps that are left
// over, ends at beta. The history's beta is what the losses were added up with.
func TestCycles(t *testing.T) {
	c, s := small()
	s.Steps, s.Cycles, s.Warmup, s.EvalEvery = 103, 4, 0.8, 1 // 25 steps a cycle, 28 in the last
	forBackends(t, func(t *testing.T, b *Backend) {
		_, h := mustTrain(t, b, c, s, dirichletRows(100, 6, 0), nil, TrainOptions{})
		if len(h.Points) != s.Steps {
			t.Fatalf("%d points for %d steps", len(h.Points), s.Steps)
		}
		for i, p := range h.Points {
			within := i - 25*min(i/25, 3)
			want := c.Beta * min(1, float64(within+1)/20)
			if math.Abs(p.Beta-want) > 1e-12 {
				t.Errorf("step %d: beta %v, want %v", p.Step, p.Beta, want)
			}
			if added := p.Train.Reconstruction + want*p.Train.KL; math.Abs(p.Train.Total-added) > 1e-5*added {
				t.Errorf("step %d: loss %v, want %v", p.Step, p.Train.Total, added)
			}
		}
	})
	// As many cycles as asked for, also where they are many.
	s.Cycles, s.Steps, s.Warmup = 30, 100, 1
	_, h := mustTrain(t, openTest(t, "go"), c, s, dirichletRows(100, 6, 0), nil, TrainOptions{})
	begun := 0
	for _, p := range h.Points {
		if math.Abs(p.Beta-c.Beta/3) < 1e-12 {
			begun++
		}
	}
	if begun != 30 || h.Points[99].Beta != c.Beta {
		t.Errorf("%d cycles began, the last ended at beta %v: want 30 and %v", begun, h.Points[99].Beta, c.Beta)
	}
}

// Patience that has run out waits for the end of the last warm-up.
func TestPatienceWaitsForWarmup(t *testing.T) {
	c, s := small()
	c.Beta = 0 // few rows and a fast rate: the network learns them by heart
	s.Steps, s.LearningRate, s.EvalEvery, s.Patience = 900, 0.02, 20, 2
	s.Cycles, s.Warmup = 3, 0.5
	const warm = 750
	_, h := mustTrain(t, openTest(t, "go"), c, s, dirichletRows(20, 6, 0), dirichletRows(200, 6, 1), TrainOptions{})
	best, stale, ran := math.Inf(1), 0, 0
	for _, p := range h.Points {
		if p.Validation.Total < best {
			best, stale = p.Validation.Total, 0
		} else if stale++; stale == s.Patience && ran == 0 {
			ran = p.Step
		}
	}
	last := h.Points[len(h.Points)-1].Step
	if ran == 0 || ran >= warm {
		t.Fatalf("patience first ran out at step %d: the test should see it before %d", ran, warm)
	}
	if !h.StoppedEarly || last < warm || last > warm+20 {
		t.Errorf("stopped at step %d, want the first evaluation from step %d on", last, warm)
	}
}
