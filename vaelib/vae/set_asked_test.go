package vae

import (
	"path/filepath"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/universe"
)

// trainConditional is trainSmallSet of a network that is told what is asked.
func trainConditional(t *testing.T, b *Backend, all []*universe.Example, o TrainOptions) *SetModel {
	t.Helper()
	c, s := smallSet()
	c.Conditional = true
	m, h, err := TrainSet(t.Context(), b, c, s, all, o)
	if err != nil {
		t.Fatal(err)
	}
	if first, last := h.Points[0], h.Points[len(h.Points)-1]; !(last.Validation.Total < first.Validation.Total) {
		t.Errorf("the loss on held-out universes went from %v to %v", first.Validation.Total, last.Validation.Total)
	}
	return m
}

// asked are portfolios of some volatility and share in a group, and the same of the assets
// in another order.
func asked(u *universe.Universe, order []int) (straight, turned *universe.Asked) {
	n := u.Assets()
	members := make([]float64, n)
	members[0], members[1] = 1, 0.5
	other := make([]float64, n)
	for i, a := range order {
		other[i] = members[a]
	}
	of := func(members []float64) *universe.Asked {
		return &universe.Asked{Volatility: 0.02, Effective: 2, Groups: []universe.Group{{Members: members, Share: 0.6}}}
	}
	return of(members), of(other)
}

// TestConditionalSet: what is asked changes what is decoded, in the same way whatever the
// order of the assets and the padding, and comes back from a file.
func TestConditionalSet(t *testing.T) {
	all, b := universes(t, 24), openTest(t, "go")
	m := trainConditional(t, b, all, TrainOptions{})
	path := filepath.Join(t.TempDir(), "set.safetensors")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	loaded, err := LoadSet(b, path)
	if err != nil || !slices.Equal(m.theta, loaded.theta) || !loaded.Config().Conditional {
		t.Fatalf("the model that was loaded is another (%v)", err)
	}
	z := normalRows(20, 3, 2)
	for _, e := range all[:4] {
		n := e.Assets()
		order := stream.New(1, "order", uint64(n)).Perm(n)
		straight, turned := asked(&e.Universe, order)
		var decoded []*mat.Dense
		var scatter [][]float64
		for _, ask := range []struct {
			u *universe.Universe
			a *universe.Asked
		}{{&e.Universe, new(universe.Asked)}, {&e.Universe, straight}, {permuted(&e.Universe, order), turned}} {
			placed, err := loaded.Asked(ask.u, ask.a)
			if err != nil {
				t.Fatal(err)
			}
			w, err := placed.Decode(z)
			if err != nil {
				t.Fatal(err)
			}
			decoded, scatter = append(decoded, w), append(scatter, placed.DecoderVariances())
		}
		if apart(decoded[0], decoded[1]) < 1e-3 || len(scatter[1]) != n || !(slices.Min(scatter[1]) > 0) {
			t.Errorf("%s: what is asked changes nothing, or the scatter is %v", e.ID, scatter[1])
		}
		for j, a := range order {
			for i := range 20 {
				if d := decoded[1].At(i, a) - decoded[2].At(i, j); d > 1e-5 || d < -1e-5 {
					t.Fatalf("%s: permuting the assets changes a weight by %v", e.ID, d)
				}
			}
			if d := scatter[1][a]/scatter[2][j] - 1; d > 1e-3 || d < -1e-3 {
				t.Errorf("%s: permuting the assets changes the scatter by %v", e.ID, d)
			}
		}
	}
}

// TestConditionalSetResumes as any other does, with the same bytes.
func TestConditionalSetResumes(t *testing.T) {
	all, b := universes(t, 24), openTest(t, "go")
	var half *Checkpoint
	whole := trainConditional(t, b, all, TrainOptions{CheckpointEvery: 14, Checkpoint: func(c *Checkpoint) error {
		if c.Step() == 14 {
			half = c
		}
		return nil
	}})
	if resumed := trainConditional(t, b, all, TrainOptions{Resume: half}); !slices.Equal(whole.theta, resumed.theta) {
		t.Error("a resumed training ends with other parameters")
	}
}

// TestAskedOfAnother: a model that isn't conditional doesn't know what is asked.
func TestAskedOfAnother(t *testing.T) {
	all := universes(t, 8)
	m, _ := trainSmallSet(t, openTest(t, "go"), all)
	u := &all[0].Universe
	straight, _ := asked(u, nil)
	var decoded []*mat.Dense
	for _, a := range []*universe.Asked{new(universe.Asked), straight} {
		placed, err := m.Asked(u, a)
		if err != nil {
			t.Fatal(err)
		}
		w, err := placed.Decode(normalRows(5, 3, 1))
		if err != nil {
			t.Fatal(err)
		}
		decoded = append(decoded, w)
	}
	if apart(decoded[0], decoded[1]) != 0 {
		t.Error("what is asked changes a model that isn't told")
	}
}

// TestToldGoesOn: a conditional model that goes on from one that isn't decodes and encodes the
// same before its first step, whatever is asked, and learns to tell wishes apart.
func TestToldGoesOn(t *testing.T) {
	all, b := universes(t, 24), openTest(t, "go")
	from, _ := trainSmallSet(t, b, all)
	c, s := smallSet()
	c.Conditional = true
	theta, err := from.continued(c)
	if err != nil {
		t.Fatal(err)
	}
	document := from.document
	document.Config = c
	same, err := newSetModel(b, document, theta)
	if err != nil {
		t.Fatal(err)
	}
	after, _, err := TrainSet(t.Context(), b, c, s, all, TrainOptions{From: from})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all[:4] {
		straight, _ := asked(&e.Universe, nil)
		var decoded, codes []*mat.Dense
		for _, ask := range []struct {
			m *SetModel
			a *universe.Asked
		}{{from, new(universe.Asked)}, {same, straight}, {after, straight}, {after, new(universe.Asked)}} {
			placed, err := ask.m.Asked(&e.Universe, ask.a)
			if err != nil {
				t.Fatal(err)
			}
			w, err := placed.Decode(normalRows(20, 3, 2))
			if err != nil {
				t.Fatal(err)
			}
			z, _, err := placed.EncodeContext(t.Context(), e.Weights)
			if err != nil {
				t.Fatal(err)
			}
			decoded, codes = append(decoded, w), append(codes, z)
		}
		if d := max(apart(decoded[0], decoded[1]), apart(codes[0], codes[1])); d > 1e-5 {
			t.Errorf("%s: told, the same parameters decode or encode otherwise by %v", e.ID, d)
		}
		if apart(decoded[2], decoded[3]) < 1e-4 {
			t.Errorf("%s: what is asked changes nothing after training", e.ID)
		}
	}
	c.Latent = 4
	if _, err := from.continued(c); err == nil {
		t.Error("a network of other sizes went on")
	}
}
