package experiment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/backtest"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// Strategies of the generator's family. Each chooses out of a model that is
// trained anew on portfolios made from each training window alone.
const (
	LatentSharpe      = "latent-sharpe"       // climbs the window's Sharpe ratio in the latent space
	LatentSharpePrior = "latent-sharpe-prior" // the same, less a penalty on improbable codes
	ModelBest         = "model-best"          // the sample with the largest Sharpe ratio in the window
	ModelTop          = "model-top"           // the mean of the twentieth of the samples with the largest
	ModelMean         = "model-mean"          // the mean of all samples
)

// familyNames lists them.
func familyNames() []string {
	return []string{LatentSharpe, LatentSharpePrior, ModelBest, ModelTop, ModelMean}
}

// The search in the latent space, and as many samples as it evaluates values and
// gradients, so that all members of the family have one budget.
const (
	familyStarts     = 32
	familyIterations = 60
	familySamples    = 2 * familyStarts * familyIterations
	familyComponents = 10
	familyTop        = familySamples / 20
)

// DecisionsFolder holds what models chose in a backtest, one file a window and
// model, so that an interrupted one doesn't train them again.
const DecisionsFolder = "decisions"

// decisions are what one model chose: weights (n) by strategy.
type decisions map[string][]float64

// family trains the models of each training window, once for all strategies that
// choose out of them.
type family struct {
	in       *Input
	settings *BacktestSettings
	names    []string // those asked for
	dir      string   // of the decisions
	program  func() (string, error)
	mu       sync.Mutex
	made     map[string][]decisions // of the models of a window, by its key
}

func newFamily(in *Input, s *BacktestSettings, dir string) *family {
	f := &family{in: in, settings: s, dir: dir, made: map[string][]decisions{}}
	f.program = sync.OnceValues(func() (string, error) {
		path, err := os.Executable()
		if err != nil {
			return "", err
		}
		return run.HashFile(path)
	})
	for _, name := range s.Strategies {
		if slices.Contains(familyNames(), name) {
			f.names = append(f.names, name)
		}
	}
	return f
}

// average is the strategy that holds the mean of what a window's models choose.
func (f *family) average(name string) backtest.Strategy {
	return backtest.Strategy{Name: name,
		Weights: func(ctx context.Context, training *market.Window, _ []float64) ([]float64, error) {
			all, set, err := f.choose(ctx, training)
			if err != nil {
				return nil, err
			}
			if len(all) == 1 {
				return all[0][name], nil
			}
			rows := mat.NewDense(len(all), set.N, nil)
			for k, d := range all {
				rows.SetRow(k, d[name])
			}
			return meanWithin(set, rows)
		}}
}

// ofModel is the strategy that holds what one of a window's models chooses.
func (f *family) ofModel(name string, k int) backtest.Strategy {
	return backtest.Strategy{Name: fmt.Sprintf("%s model %d", name, k+1),
		Weights: func(ctx context.Context, training *market.Window, _ []float64) ([]float64, error) {
			all, _, err := f.choose(ctx, training)
			if err != nil {
				return nil, err
			}
			return all[k][name], nil
		}}
}

// meanWithin is the mean of rows of weights; where the set isn't convex, or by
// rounding, the nearest weights that it has.
func meanWithin(set simplex.Set, rows *mat.Dense) ([]float64, error) {
	count, n := rows.Dims()
	mean := make([]float64, n)
	for i := range count {
		for j, w := range rows.RawRowView(i) {
			mean[j] += w / float64(count)
		}
	}
	projector, err := simplex.NewProjector(set)
	if err != nil {
		return nil, err
	}
	_, err = projector.Project(mean, mean)
	return mean, err
}

// choose trains the models of a window, or finds what they chose.
func (f *family) choose(ctx context.Context, training *market.Window) ([]decisions, simplex.Set, error) {
	set, err := f.in.setOf(training)
	if err != nil {
		return nil, set, err
	}
	key, err := f.key(training, set)
	if err != nil {
		return nil, set, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if all, ok := f.made[key]; ok {
		return all, set, nil
	}
	all := make([]decisions, f.settings.Models)
	err = parallel.For(ctx, len(all), func(_, k int) error {
		seed := f.in.Seed + uint64(k)
		path := filepath.Join(f.dir, fmt.Sprintf("%s-%d.json", key[:24], seed))
		if all[k] = readDecisions(path, set, f.names); all[k] != nil {
			return nil
		}
		var err error
		if all[k], err = f.decide(ctx, training, set, seed); err != nil {
			return err
		}
		return run.WriteJSON(path, all[k])
	})
	if err != nil {
		return nil, set, err
	}
	f.made[key] = all
	return all, set, nil
}

// key is the hash of all that shapes what the models of a window choose, but for
// their seeds: the program too.
func (f *family) key(training *market.Window, set simplex.Set) (string, error) {
	allowed, err := json.Marshal(set)
	if err != nil {
		return "", err
	}
	program, err := f.program()
	if err != nil {
		return "", err
	}
	s := f.settings
	text := fmt.Sprint(f.names, s.Rows, s.Steps, s.PriorWeight, f.in.Metrics.PeriodsPerYear, f.in.Metrics.RiskFree,
		f.in.Backend.Name(), f.in.Backend.Plugin(), runtime.GOARCH)
	return run.Hash([]byte(training.Hash()), allowed, []byte(text), []byte(program)), nil
}

// readDecisions reads what a model chose, nil where that isn't there or can't be.
func readDecisions(path string, set simplex.Set, names []string) decisions {
	text, err := run.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var d decisions
	if err != nil || json.Unmarshal(text, &d) != nil {
		return nil
	}
	for _, name := range names {
		if w := d[name]; len(w) != set.N || !(set.Violation(w) <= simplex.Tolerance) {
			return nil
		}
	}
	return d
}

// decide trains a model on portfolios of the window, and lets each strategy choose
// out of it.
func (f *family) decide(ctx context.Context, training *market.Window, set simplex.Set, seed uint64) (decisions,
	error) {
	in, s := f.in, f.settings
	longest := max(2, len(training.Times)/3)
	made, err := corpus.Build(ctx, training, set, in.Sectors, corpus.Config{
		N: s.Rows, Seed: seed, Lookbacks: []int{max(2, longest/2), longest},
		PeriodsPerYear: in.Metrics.PeriodsPerYear,
	}, nil)
	if err != nil {
		return nil, err
	}
	rows, _ := made.Split()
	sized := trained.DefaultSettings()
	sized.Config = within(set, sized.Config)
	sized.Config.Assets, sized.Config.Seed, sized.Schedule.Steps = len(training.Symbols), seed, s.Steps
	if sized, _, err = sized.Sized(&trained.Data{Train: rows}); err != nil {
		return nil, err
	}
	model, _, err := vae.Train(ctx, in.Backend, sized.Config, sized.Schedule, rows, nil, vae.TrainOptions{})
	if err != nil {
		return nil, err
	}
	generator, err := generate.New(model, set)
	if err != nil {
		return nil, err
	}
	aggregate, err := generate.FitAggregate(ctx, model, rows,
		generate.AggregateSettings{Components: familyComponents, Seed: seed})
	if err != nil {
		return nil, err
	}
	sharpe, err := metrics.NewObjective(metrics.MaximizeSharpe, training.Returns, in.Metrics)
	if err != nil {
		return nil, err
	}
	out := decisions{}
	for _, name := range f.names {
		if name != LatentSharpe && name != LatentSharpePrior {
			continue
		}
		search := generate.OptimizeSettings{Starts: familyStarts, Iterations: familyIterations, Seed: seed}
		if name == LatentSharpePrior {
			search.PriorWeight = s.PriorWeight
		}
		optimum, err := generator.Optimize(ctx, sharpe, aggregate, search)
		if err != nil {
			return nil, err
		}
		out[name] = slices.Clone(optimum.Weights.RawRowView(optimum.Best))
	}
	return out, f.sampled(ctx, generator, aggregate, sharpe, set, seed, out)
}

// sampled adds the choices among samples.
func (f *family) sampled(ctx context.Context, g *generate.Generator, density generate.Density,
	sharpe metrics.Objective, set simplex.Set, seed uint64, out decisions) error {
	if !slices.ContainsFunc(f.names, func(name string) bool { return out[name] == nil }) {
		return nil
	}
	batch, err := g.Sample(ctx, familySamples, density, seed)
	if err != nil {
		return err
	}
	n := set.N
	order, values := make([]int, familySamples), make([]float64, familySamples)
	for i := range order {
		order[i], values[i] = i, sharpe.Value(batch.Weights.RawRowView(i))
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case values[a] > values[b]:
			return -1
		case values[a] < values[b]:
			return 1
		}
		return 0
	})
	top := mat.NewDense(familyTop, n, nil)
	for i := range familyTop {
		top.SetRow(i, batch.Weights.RawRowView(order[i]))
	}
	for _, name := range f.names {
		switch name {
		case ModelBest:
			out[name] = slices.Clone(batch.Weights.RawRowView(order[0]))
		case ModelTop:
			out[name], err = meanWithin(set, top)
		case ModelMean:
			out[name], err = meanWithin(set, batch.Weights)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
