package learnt

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/simulate"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

func openBuiltIn(t *testing.T) *Rule {
	t.Helper()
	backend, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { backend.Close() })
	rule, err := Open(backend)
	if err != nil {
		t.Fatal(err)
	}
	return rule
}

// history draws one of n assets with names.
func history(t *testing.T, seed uint64, n, periods int) (*simulate.World, []string, *mat.Dense) {
	t.Helper()
	r := simulate.DefaultRanges()
	r.Assets = simulate.Range{From: float64(n), To: float64(n)}
	world, err := simulate.New(seed, 0, r)
	if err != nil {
		t.Fatal(err)
	}
	var symbols []string
	for i := range n {
		symbols = append(symbols, string(rune('A'+i)))
	}
	return world, symbols, world.Returns(stream.New(seed, "history", 0), periods)
}

// The built-in rule keeps every set exactly, whatever order the assets come in, and
// its networks are what docs/universe.md says.
func TestBuiltIn(t *testing.T) {
	rule := openBuiltIn(t)
	if len(rule.networks) != members || rule.Hash() == "" {
		t.Fatalf("%d networks, hash %q", len(rule.networks), rule.Hash())
	}
	for _, network := range rule.networks {
		if c := network.Config(); c.Objective != vae.TrueSharpe || network.Parameters() > 25_000 {
			t.Errorf("a network of %d parameters for %q", network.Parameters(), c.Objective)
		}
	}
	const n = 7
	_, symbols, returns := history(t, 5, n, 90)
	for name, set := range map[string]simplex.Set{
		"free":   {N: n},
		"capped": {N: n, Upper: slices.Repeat([]float64{0.3}, n)},
		"floor":  {N: n, Upper: slices.Repeat([]float64{0.4}, n), MinWeight: 0.1},
		"group": {N: n, Groups: []simplex.Group{{Name: "g", Share: []float64{1, 1, 1, 0, 0, 0, 0}, Lo: 0.4,
			Hi: 0.45}}},
	} {
		w, err := rule.Choose(t.Context(), symbols, returns, set)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if v := set.Violation(w); v > simplex.Tolerance {
			t.Errorf("%s: violation %v", name, v)
		}
		order := []int{4, 2, 6, 0, 3, 1, 5}
		turned, names := mat.NewDense(90, n, nil), make([]string, n)
		for to, from := range order {
			turned.SetCol(to, mat.Col(nil, from, returns))
			names[to] = symbols[from]
		}
		again, err := rule.Choose(t.Context(), names, turned, set.Choose(order))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for to, from := range order {
			if d := math.Abs(again[to] - w[from]); d > 1e-12 {
				t.Errorf("%s: in another order %s has %v more", name, symbols[from], d)
			}
		}
	}
}

// A rule trained for a moment is kept in the format of the built-in one, and is judged.
func TestTrain(t *testing.T) {
	backend, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	var all []*universe.Example
	s := universe.Settings{Universes: 24, LeastAssets: 4, MostAssets: 6, LeastPeriods: 40, MostPeriods: 60, HeldOut: 0.25,
		Truth: true}
	if err := universe.Simulate(t.Context(), s, func(e *universe.Example) error {
		all = append(all, e)
		return nil
	}, nil); err != nil {
		t.Fatal(err)
	}
	c, schedule := vae.DefaultRuleConfig(), vae.DefaultRuleSchedule()
	c.Width, c.Heads, c.Blocks = 8, 2, 1
	schedule.Steps, schedule.Batch = 10, 8
	schedule.EnsureDefaults()
	dir := t.TempDir()
	rule, history, err := Train(t.Context(), backend, all, c, schedule, dir, nil)
	if err != nil || history.Step != 10 {
		t.Fatalf("%v after %d steps", err, history.Step)
	}
	both, err := Open(backend, dir, dir)
	if err != nil {
		t.Fatal(err)
	}
	one, err := rule.Judge(t.Context(), all, nil)
	if err != nil {
		t.Fatal(err)
	}
	two, err := both.Judge(t.Context(), all, nil)
	if err != nil {
		t.Fatal(err)
	}
	if one.Universes != 6 || !(one.Share <= 1) || math.Abs(one.Share-two.Share) > 1e-12 || rule.Hash() == both.Hash() {
		t.Errorf("judged %+v, and twice the same %+v", one, two)
	}
	if g := one.Guides[0]; math.Abs(g.Share+g.Ahead-one.Share) > 1e-12 || !(g.From <= g.Ahead && g.Ahead <= g.To) {
		t.Errorf("beside its guide: %+v", g)
	}
	if _, err := Open(backend, t.TempDir()); err == nil {
		t.Error("a folder without a rule was opened as one")
	}
}
