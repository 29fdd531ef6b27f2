package generate

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

const assets = 6

// trained is one small model for all tests.
var trained = sync.OnceValues(func() (*vae.Model, error) {
	backend, err := vae.Open("go")
	if err != nil {
		return nil, err
	}
	config, schedule := vae.DefaultConfig(assets), vae.DefaultSchedule()
	config.Latent, config.Hidden, config.Head = 3, []int{32, 16}, "softmax"
	schedule.Steps, schedule.EvalEvery = 800, 400
	model, _, err := vae.Train(context.Background(), backend, config, schedule, training(), nil, vae.TrainOptions{})
	return model, err
})

// training is draws of a Dirichlet.
func training() *mat.Dense {
	d, err := simplex.Symmetric(assets, 0.8)
	if err != nil {
		panic(err)
	}
	rng := stream.New(1, "test", 0)
	x := mat.NewDense(2000, assets, nil)
	for i := range 2000 {
		d.Rand(x.RawRowView(i), rng)
	}
	return x
}

func generator(t testing.TB, set simplex.Set) *Generator {
	t.Helper()
	model, err := trained()
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(model, set)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func capped(upper float64) simplex.Set {
	return simplex.Set{N: assets, Upper: slices.Repeat([]float64{upper}, assets)}
}

// returns are T x assets of a factor model with means that differ.
func returns() *mat.Dense {
	rng := stream.New(2, "test", 0)
	r := mat.NewDense(400, assets, nil)
	for t := range 400 {
		market := rng.NormFloat64()
		for j := range assets {
			r.Set(t, j, 0.002*float64(j)/assets+0.02*market+0.02*rng.NormFloat64())
		}
	}
	return r
}

func sharpe(t testing.TB) metrics.Objective {
	t.Helper()
	o, err := metrics.NewObjective(metrics.MaximizeSharpe, returns(), metrics.Settings{PeriodsPerYear: 365})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestSamplesLieInTheSet(t *testing.T) {
	group := capped(0.5)
	group.Groups = []simplex.Group{{Name: "first three", Share: []float64{1, 1, 1, 0, 0, 0}, Lo: 0.2, Hi: 0.6}}
	held := capped(0.6)
	held.MinWeight = 0.1
	for name, set := range map[string]simplex.Set{"capped": capped(0.3), "group": group, "minimum or zero": held} {
		batch, err := generator(t, set).Sample(context.Background(), 300, Prior{}, 1)
		if err != nil {
			t.Fatal(err)
		}
		for i, repair := range batch.Repair {
			w := batch.Weights.RawRowView(i)
			if v := set.Violation(w); !(v <= simplex.Tolerance) {
				t.Fatalf("%s: row %d violates the set by %v", name, i, v)
			}
			var sum float64
			for j, x := range batch.Decoded.RawRowView(i) {
				sum += (x - w[j]) * (x - w[j])
			}
			if math.Abs(math.Sqrt(sum)-repair) > 1e-12 {
				t.Fatalf("%s: row %d was moved by %v, not %v", name, i, math.Sqrt(sum), repair)
			}
		}
	}
}

// Whatever the set, its samples lie in it, or it is refused with a reason.
func TestRandomSets(t *testing.T) {
	model, err := trained()
	if err != nil {
		t.Fatal(err)
	}
	met, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		set := randomSet(t)
		g, err := New(model, set)
		var infeasible *simplex.InfeasibleError
		if errors.As(err, &infeasible) {
			refused++
			if infeasible.Reason == "" {
				t.Fatal("a refusal without a reason")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		met++
		batch, err := g.Sample(context.Background(), 20, Prior{}, 1)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			if v := set.Violation(batch.Weights.RawRowView(i)); !(v <= simplex.Tolerance) {
				t.Fatalf("%+v: row %d violates it by %v", set, i, v)
			}
		}
	})
	if !testing.Short() && (met == 0 || refused == 0) { // of a few cases all may be of one kind
		t.Errorf("%d sets met, %d refused: the test should see both", met, refused)
	}
}

// randomSet has bounds, now and then a minimum holding or a group, and may be
// empty.
func randomSet(t *rapid.T) simplex.Set {
	set := simplex.Set{N: assets, Lower: make([]float64, assets), Upper: make([]float64, assets)}
	share := make([]float64, assets)
	for j := range assets {
		set.Upper[j] = rapid.Float64Range(0.05, 0.7).Draw(t, "upper")
		share[j] = rapid.SampledFrom([]float64{0, 0.25, 0.5, 1}).Draw(t, "share")
	}
	switch rapid.IntRange(0, 2).Draw(t, "kind") {
	case 1:
		set.MinWeight = rapid.Float64Range(0.01, 0.3).Draw(t, "minimum")
	case 2:
		low := float64(rapid.IntRange(0, 9).Draw(t, "low")) / 10
		set.Groups = []simplex.Group{{Name: "group", Share: share, Lo: low, Hi: low + 0.1}}
	}
	return set
}

func TestSamplesAreReproducible(t *testing.T) {
	g := generator(t, capped(0.4))
	long, err := g.Sample(context.Background(), 1500, Prior{}, 9)
	if err != nil {
		t.Fatal(err)
	}
	was := runtime.GOMAXPROCS(1)
	short, err := g.Sample(context.Background(), 20, Prior{}, 9)
	runtime.GOMAXPROCS(was)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if !slices.Equal(long.Weights.RawRowView(i), short.Weights.RawRowView(i)) {
			t.Fatalf("row %d differs between a batch of 1,500 and one of 20", i)
		}
	}
	other, err := g.Sample(context.Background(), 20, Prior{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	if mat.Equal(other.Codes, short.Codes) {
		t.Error("two seeds give the same codes")
	}
}

// The mixture on the codes spreads portfolios about as widely as the training
// set; that is what it is for.
func TestAggregateSpreadsAsTheTrainingSet(t *testing.T) {
	g := generator(t, simplex.Set{N: assets})
	model, _ := trained()
	aggregate, err := FitAggregate(context.Background(), model, training(), AggregateSettings{Components: 10, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	batch, err := g.Sample(context.Background(), 2000, aggregate, 1)
	if err != nil {
		t.Fatal(err)
	}
	mean, _, err := model.Encode(training())
	if err != nil {
		t.Fatal(err)
	}
	reconstructed, err := model.Decode(mean)
	if err != nil {
		t.Fatal(err)
	}
	ratio, err := vae.Dispersion(batch.Decoded, reconstructed)
	if err != nil {
		t.Fatal(err)
	}
	if ratio < 0.85 || ratio > 1.15 {
		t.Errorf("dispersion %.3f of the reconstructed training set's, want about 1", ratio)
	}
}

func TestOptimizeBeatsItsStartsWithinTheBall(t *testing.T) {
	set := capped(0.4)
	g := generator(t, set)
	objective := sharpe(t)
	settings := OptimizeSettings{Starts: 16, Iterations: 60, Radius: 2.5, Seed: 3}
	var reports int
	settings.Progress = func(done, total int, _ string) {
		reports++
		if done != reports || total != 60 {
			t.Errorf("report %d says %d of %d", reports, done, total)
		}
	}
	o, err := g.Optimize(context.Background(), objective, Prior{}, settings)
	if err != nil {
		t.Fatal(err)
	}
	if o.Evaluated != 2*16*60 {
		t.Errorf("%d evaluations, want one value and one gradient a start and iteration: %d", o.Evaluated, 2*16*60)
	}
	for i, v := range o.Values {
		w := o.Weights.RawRowView(i)
		if got := objective.Value(w); got != v {
			t.Errorf("start %d: value %v, but the portfolio has %v", i, v, got)
		}
		if violation := set.Violation(w); violation > simplex.Tolerance {
			t.Errorf("start %d violates the set by %v", i, violation)
		}
		if length := mat.Norm(o.Codes.RowView(i), 2); length > 2.5*(1+1e-12) {
			t.Errorf("start %d ends at |z| = %v, beyond 2.5", i, length)
		}
		if v > o.Values[o.Best] {
			t.Errorf("start %d has %v, more than the best, %v", i, v, o.Values[o.Best])
		}
	}
	if !slices.IsSorted(o.Trace) || len(o.Trace) != 60 || o.Trace[59] != o.Values[o.Best] {
		t.Errorf("the trace %v doesn't rise to the best value %v", o.Trace, o.Values[o.Best])
	}
	if o.Trace[59] <= o.Trace[0] {
		t.Errorf("the search found nothing better than the best of its starts, %v", o.Trace[0])
	}

	top, values := o.Top(4)
	if rows, _ := top.Weights.Dims(); rows != 4 || !slices.IsSortedFunc(values, func(a, b float64) int {
		return int(math.Copysign(1, b-a))
	}) || values[0] != o.Values[o.Best] {
		t.Errorf("the top 4 are %v", values)
	}
}

func TestOptimizeIsReproducible(t *testing.T) {
	g := generator(t, capped(0.4))
	settings := OptimizeSettings{Starts: 9, Iterations: 15, Seed: 4}
	first, err := g.Optimize(context.Background(), sharpe(t), Prior{}, settings)
	if err != nil {
		t.Fatal(err)
	}
	was := runtime.GOMAXPROCS(1)
	again, err := g.Optimize(context.Background(), sharpe(t), Prior{}, settings)
	runtime.GOMAXPROCS(was)
	if err != nil {
		t.Fatal(err)
	}
	if !mat.Equal(first.Weights, again.Weights) || !slices.Equal(first.Trace, again.Trace) {
		t.Error("one worker finds another optimum than all cores")
	}
}

func TestOptimizeRefuses(t *testing.T) {
	g := generator(t, capped(0.4))
	if _, err := g.Optimize(context.Background(), sharpe(t), Prior{}, OptimizeSettings{Starts: -1}); err == nil {
		t.Error("no error for -1 starts")
	}
	flat, err := metrics.NewObjective(metrics.MaximizeSharpe, mat.NewDense(10, assets, nil), metrics.Settings{PeriodsPerYear: 365})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Optimize(context.Background(), flat, Prior{}, OptimizeSettings{Starts: 2, Iterations: 3}); err == nil || !strings.Contains(err.Error(), "undefined") {
		t.Errorf("prices that don't move: error %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := g.Optimize(ctx, sharpe(t), Prior{}, OptimizeSettings{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

func TestRadius95(t *testing.T) {
	// Quantiles of the chi distribution: tables of chi-square, 15.507 and 26.296.
	for d, want := range map[int]float64{8: math.Sqrt(15.507), 16: math.Sqrt(26.296)} {
		if got := Radius95(d); math.Abs(got-want) > 1e-4 {
			t.Errorf("d = %d: radius %v, want %v", d, got, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	model, err := trained()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(model, simplex.Set{N: 3}); err == nil {
		t.Error("no error for a set of other assets")
	}
	var infeasible *simplex.InfeasibleError
	if _, err := New(model, capped(0.1)); !errors.As(err, &infeasible) {
		t.Errorf("empty set: error %v", err)
	}
	g := generator(t, capped(0.5))
	if _, err := g.Sample(context.Background(), 0, Prior{}, 1); err == nil {
		t.Error("no error for 0 portfolios")
	}
}

func BenchmarkOptimize64x100(b *testing.B) {
	g := generator(b, capped(0.4))
	objective := sharpe(b)
	for b.Loop() {
		if _, err := g.Optimize(context.Background(), objective, Prior{}, OptimizeSettings{}); err != nil {
			b.Fatal(err)
		}
	}
}
