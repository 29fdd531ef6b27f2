package vae

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/universe"
)

// markets are simulated universes with their truth, a quarter of them held out.
func markets(t testing.TB, count int) (all []*universe.Example) {
	t.Helper()
	s := universe.Settings{
		Universes: count, LeastAssets: 4, MostAssets: 7, LeastPeriods: 40, MostPeriods: 80, HeldOut: 0.25, Truth: true,
	}
	if err := universe.Simulate(t.Context(), s, func(e *universe.Example) error {
		all = append(all, e)
		return nil
	}, nil); err != nil {
		t.Fatal(err)
	}
	return all
}

func smallRule() (SetConfig, Schedule) {
	s := DefaultRuleSchedule()
	s.Steps, s.Batch, s.EvalEvery = 30, 16, 10
	return SetConfig{Width: 8, Heads: 2, Blocks: 1, Seed: 1, Objective: TrueSharpe}, s
}

func trainSmallRule(t testing.TB, b *Backend, all []*universe.Example) (*SetModel, *History) {
	t.Helper()
	c, s := smallRule()
	m, h, err := TrainSet(t.Context(), b, c, s, all, TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return m, h
}

// A rule that has hardly learned gives about the mean of its guides, keeps every cap,
// and its loss is the regret by the truth.
func TestRuleTrains(t *testing.T) {
	all := markets(t, 40)
	m, h := trainSmallRule(t, openTest(t, "go"), all)
	first, last := h.Points[0], h.Points[len(h.Points)-1]
	if !(last.Validation.Total < first.Validation.Total) {
		t.Errorf("the regret on held-out universes went from %v to %v", first.Validation.Total, last.Validation.Total)
	}
	var regret float64
	for _, e := range all[30:] {
		w, err := m.Choose(&e.Universe, e.Weights)
		if err != nil {
			t.Fatal(err)
		}
		set := simplex.Set{N: e.Assets(), Upper: slices.Repeat([]float64{e.Cap}, e.Assets())}
		if v := set.Violation(w); v > simplex.Tolerance {
			t.Fatalf("%s: the weights violate their constraints by %v", e.ID, v)
		}
		optimum, err := e.Optimum(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		regret += (1 - e.Truth.Sharpe(w)/optimum) / 10
	}
	if d := math.Abs(regret - last.Validation.Reconstruction); d > 1e-5 {
		t.Errorf("the regret is %v by the weights, %v by the graph", regret, last.Validation.Reconstruction)
	}
	if got := m.Parameters(); got != newSetNetwork(m.Config()).size {
		t.Errorf("%d parameters", got)
	}
}

func TestRuleIsEquivariant(t *testing.T) {
	all := markets(t, 16)
	m, _ := trainSmallRule(t, openTest(t, "go"), all)
	for _, e := range all {
		n := e.Assets()
		order := stream.New(1, "order", uint64(n)).Perm(n)
		turned := mat.NewDense(universe.GuideCount, n, nil)
		for i, asset := range order {
			turned.SetCol(i, mat.Col(nil, asset, e.Weights))
		}
		a, err := m.Choose(&e.Universe, e.Weights)
		if err != nil {
			t.Fatal(err)
		}
		b, err := m.Choose(permuted(&e.Universe, order), turned)
		if err != nil {
			t.Fatal(err)
		}
		for i, asset := range order {
			if d := math.Abs(a[asset] - b[i]); d > 1e-5 {
				t.Errorf("%s: permuting %d assets changes a weight by %v beyond its place", e.ID, n, d)
			}
		}
	}
}

func TestRulePaddingChangesNothing(t *testing.T) {
	all := markets(t, 16)
	m, _ := trainSmallRule(t, openTest(t, "go"), all)
	e := all[0]
	read := func(width int) []float32 {
		row := m.document.Scale.example(e, width)
		b := newSetBatch(m.Config(), 1, universe.GuideCount, width)
		b.put(0, &row, []int{0, 1})
		out, err := call(m.programs.read, append([]any{m.device}, b.inputs()...)...)
		if err != nil {
			t.Fatal(err)
		}
		return out[0][:e.Assets()]
	}
	for i, v := range read(8) {
		if d := math.Abs(float64(v - read(24)[i])); d > 1e-6 {
			t.Fatalf("asset %d: padding changes %v by %v", i, v, d)
		}
	}
}

// TestRuleGradient holds the gradient of the regret against differences.
func TestRuleGradient(t *testing.T) {
	all := markets(t, 4)
	b := openTest(t, "go")
	c, _ := smallRule()
	n, scale := newSetNetwork(c), newSetScale(all)
	batch := newSetBatch(c, 4, universe.GuideCount, 8)
	for i, e := range all {
		row := scale.example(e, 8)
		optimum, err := e.Optimum(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		row.judge(e.Truth, optimum, 8)
		batch.put(i, &row, []int{0, 1})
	}
	exec, err := graph.NewExec(b.engine, func(in []*graph.Node) []*graph.Node {
		universes, more := setInputsOf(in[1:])
		tape := n.tape(in[0], universes)
		l := tape.regret(more[0], more[1], more[2], more[3])
		loss := graph.Add(l.reconstruction, l.logits)
		return []*graph.Node{graph.Reshape(loss, 1), graph.Concatenate(graph.Gradient(loss, tape.cut...), 0)}
	})
	if err != nil {
		t.Fatal(err)
	}
	at := func(theta []float32) (float64, []float32) {
		args := append([]any{tensors.FromFlatDataAndDimensions(theta, len(theta))}, batch.inputs()...)
		out, err := call(exec, append(args, batch.truth()...)...)
		if err != nil {
			t.Fatal(err)
		}
		return float64(out[0][0]), out[1]
	}
	theta := n.initial()
	_, gradient := at(theta)
	direction := make([]float32, n.size)
	fillNormals(direction, stream.Source(2, "direction", 0))
	const h = 1e-2
	var slope float64
	low, high := slices.Clone(theta), slices.Clone(theta)
	for i := range direction {
		direction[i] *= 0.1
		slope += float64(gradient[i]) * float64(direction[i])
		low[i], high[i] = theta[i]-h*direction[i], theta[i]+h*direction[i]
	}
	below, _ := at(low)
	above, _ := at(high)
	if want := (above - below) / (2 * h); math.Abs(slope-want) > 0.02*math.Abs(want)+5e-4 {
		t.Errorf("slope %v by the gradient, %v by differences", slope, want)
	}
}

// A rule that was interrupted ends with the same bytes, and is read as it was written.
func TestRuleResumesAndIsKept(t *testing.T) {
	all := markets(t, 24)
	b := openTest(t, "go")
	whole, _ := trainSmallRule(t, b, all)
	c, s := smallRule()
	var kept *Checkpoint
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, _, err := TrainSet(ctx, b, c, s, all, TrainOptions{CheckpointEvery: 7, Checkpoint: func(k *Checkpoint) error {
		kept = k
		cancel()
		return nil
	}})
	if !errors.Is(err, context.Canceled) || kept == nil {
		t.Fatalf("interrupted: %v", err)
	}
	resumed, _, err := TrainSet(t.Context(), b, c, s, all, TrainOptions{Resume: kept})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(resumed.theta, whole.theta) {
		t.Error("a resumed training ends with other parameters")
	}
	path := filepath.Join(t.TempDir(), "rule.safetensors")
	if err := whole.Save(path); err != nil {
		t.Fatal(err)
	}
	loaded, err := LoadSet(b, path)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(whole.theta, loaded.theta) || whole.document != loaded.document {
		t.Error("the rule that was loaded is another")
	}
}

func TestRuleBackendsAgree(t *testing.T) {
	if _, err := findPlugin(); err != nil {
		t.Skipf("no XLA: %v", err)
	}
	all := markets(t, 16)
	c, s := smallRule()
	s.Steps = 2
	var chosen [][]float64
	for _, name := range []string{"go", "xla"} {
		m, _, err := TrainSet(t.Context(), openTest(t, name), c, s, all, TrainOptions{})
		if err != nil {
			t.Fatal(err)
		}
		w, err := m.Choose(&all[0].Universe, all[0].Weights)
		if err != nil {
			t.Fatal(err)
		}
		chosen = append(chosen, w)
	}
	for i, w := range chosen[0] {
		if d := math.Abs(w - chosen[1][i]); d > 1e-4 {
			t.Errorf("weight %d: the backends are %v apart", i, d)
		}
	}
}

func TestRuleRefuses(t *testing.T) {
	portfolios, truths := universes(t, 8), markets(t, 8)
	b := openTest(t, "go")
	train := func(c SetConfig, s Schedule, all []*universe.Example) (err error) {
		_, _, err = TrainSet(t.Context(), b, c, s, all, TrainOptions{})
		return err
	}
	rule, schedule := smallRule()
	set, _ := smallSet()
	coded, unknown := rule, rule
	coded.Latent, unknown.Objective = 2, "calmar"
	for want, err := range map[string]error{
		"no truth to learn from": train(rule, schedule, portfolios),
		"guides of a rule":       train(set, schedule, truths),
		"has neither":            train(coded, schedule, truths),
		"calmar":                 train(unknown, schedule, truths),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	m, _ := trainSmallRule(t, b, truths)
	if _, err := m.Of(&truths[0].Universe); err == nil || !strings.Contains(err.Error(), "no codes") {
		t.Errorf("codes of a rule: %v", err)
	}
	vae, _ := trainSmallSet(t, b, portfolios)
	if _, err := vae.Choose(&truths[0].Universe, truths[0].Weights); err == nil {
		t.Error("a model of portfolios chose as a rule")
	}
	u := truths[0].Universe
	u.Cap = 1 / float64(u.Assets()+1)
	if _, err := m.Choose(&u, truths[0].Weights); err == nil || !strings.Contains(err.Error(), "largest weight") {
		t.Errorf("n times the largest weight below 1: got %v", err)
	}
}
