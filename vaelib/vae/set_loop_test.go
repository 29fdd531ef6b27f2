package vae

import (
	"slices"
	"testing"
)

// TestSetLoop: on XLA it makes no difference to the bit how many steps are in a call, nor
// that a training resumed from a step that no call would else have ended at.
func TestSetLoop(t *testing.T) {
	if _, err := findPlugin(); err != nil {
		t.Skip(err)
	}
	b, c := openTest(t, "xla"), SetConfig{Latent: 2, Width: 4, Heads: 1, Blocks: 1, Beta: 0.1, Seed: 1, Conditional: true}
	_, s := smallSet()
	s.Steps, s.EvalEvery = 26, 13
	all := universes(t, 12)
	for _, e := range all {
		e.HeldOut = false // nothing else is compiled
	}
	train := func(opt TrainOptions) *SetModel {
		t.Helper()
		m, _, err := TrainSet(t.Context(), b, c, s, all, opt)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	var kept *Checkpoint
	whole := train(TrainOptions{})
	single := train(TrainOptions{CheckpointEvery: 1, Checkpoint: func(k *Checkpoint) error {
		if k.Step() == 17 {
			kept = k
		}
		return nil
	}})
	if !slices.Equal(whole.theta, single.theta) {
		t.Error("steps in calls of their own give other parameters than ten in a call")
	}
	if resumed := train(TrainOptions{Resume: kept}); !slices.Equal(whole.theta, resumed.theta) {
		t.Error("a resumed training ends with other parameters")
	}
}
