package experiment

import (
	"errors"
	"fmt"
	"slices"

	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
)

// BacktestSettings steer [Backtest]. Their tags name the flags.
type BacktestSettings struct {
	Strategies      []string           `flag:"strategies" unit:"A,B" help:"the strategies to test: the objectives of optimize, such as hrp; out of models latent-sharpe, latent-sharpe-prior, model-best, model-top, model-mean, and without training zero-shot-sharpe, zero-shot-sharpe-prior, learnt"`
	Train           int                `flag:"train" range:"[2,inf)" unit:"periods" only:"!groups" help:"the length of the training windows"`
	Test            int                `flag:"test" range:"[1,inf)" unit:"periods" help:"the length of the test windows, over which a choice is held; with -groups the time between rebalances to it"`
	Embargo         int                `flag:"embargo" range:"[0,inf)" help:"the number of periods left out at the end of each training window; with -groups before and after each group that is held out"`
	Groups          int                `flag:"groups" range:"[0,30]" unit:"N" help:"test on combinatorially purged splits instead: the time is cut into N groups, of which -held-out are tested at a time by what is learned on all others; 0 tests walk-forward"`
	HeldOut         int                `flag:"held-out" range:"[1,15]" unit:"K" only:"groups" help:"the number of groups held out at a time"`
	CostBps         float64            `flag:"cost-bps" range:"[0,5000]" unit:"basis points" help:"the cost of the value traded, both sides counted"`
	ConstantWeights bool               `flag:"constant-weights" help:"restore the weights every period without cost, instead of letting them drift"`
	Covariance      string             `flag:"covariance" unit:"sample|ledoit-wolf|constant-correlation|ewma" only:"strategies!=equal-weight|min-cvar|max-min|learnt|latent-sharpe|latent-sharpe-prior|model-best|model-top|model-mean|zero-shot-sharpe|zero-shot-sharpe-prior" help:"the estimator of the covariance; a parameter may follow, as in ewma:0.97"`
	RiskAversion    float64            `flag:"risk-aversion" range:"[0,inf)" only:"strategies=mean-variance" help:"the lambda of mean-variance, which maximises w'mu - lambda/2 w'Sigma w"`
	Linkage         optimize.Linkage   `flag:"linkage" choice:"single|complete|average|ward" default:"single" only:"strategies=hrp" help:"how hrp measures the distance of two clusters"`
	LeafOrder       optimize.LeafOrder `flag:"leaf-order" choice:"scipy|optimal" default:"scipy" only:"strategies=hrp" help:"how hrp orders the leaves of its tree"`
	Rows            int                `flag:"n" range:"[100,10000000]" only:"strategies=latent-sharpe|latent-sharpe-prior|model-best|model-top|model-mean" help:"the number of training portfolios of each model"`
	Steps           int                `flag:"steps" range:"[1,inf)" only:"strategies=latent-sharpe|latent-sharpe-prior|model-best|model-top|model-mean" help:"the number of gradient steps of each model"`
	Models          int                `flag:"models" range:"[1,1000]" only:"strategies=latent-sharpe|latent-sharpe-prior|model-best|model-top|model-mean" help:"the number of models trained on each window, with seeds from -seed on; a strategy holds the mean of what they choose, and trials.csv has what each alone would have earned"`
	PriorWeight     float64            `flag:"prior-weight" range:"[0,inf)" only:"strategies=latent-sharpe-prior|zero-shot-sharpe-prior" help:"the weight of |z|^2, which latent-sharpe-prior and zero-shot-sharpe-prior take off the annual Sharpe ratio that they climb"`
	Rule            []string           `flag:"rule" unit:"DIR,DIR" only:"strategies=learnt" help:"the folders of the networks of a learnt rule, as train -objective true-sharpe makes them, whose mean learnt holds; without it the built-in rule"`
	Cache           string             `flag:"cache" unit:"FOLDER" record:"-" only:"strategies=latent-sharpe|latent-sharpe-prior|model-best|model-top|model-mean" help:"the folder for what each model chose, which other runs of the same program find there; without it the run's own folder decisions"`
}

// DefaultBacktest is a year of training, a month of holding and ten basis
// points.
func DefaultBacktest() BacktestSettings {
	return BacktestSettings{
		Strategies: []string{"equal-weight", "inverse-volatility", "min-variance", "risk-parity", "hrp",
			"max-diversification", "max-sharpe"},
		Train: 365, Test: 30, CostBps: 10, Covariance: moments.LedoitWolf, RiskAversion: 10, Rows: 4000,
		Steps: 1500, Models: 5, PriorWeight: 0.3, HeldOut: 2,
	}
}

// Validate returns an error that names the first setting that makes no sense.
func (s *BacktestSettings) Validate() error {
	if len(s.Strategies) == 0 {
		return errors.New("-strategies: name at least one")
	}
	for i, name := range s.Strategies {
		if !slices.Contains(strategyNames(), name) {
			return fmt.Errorf("-strategies: %w", &UnknownStrategyError{name, strategyNames()})
		}
		if slices.Contains(s.Strategies[:i], name) {
			return fmt.Errorf("-strategies: %s is named twice", name)
		}
	}
	if err := moments.CheckName(s.Covariance); err != nil {
		return fmt.Errorf("-covariance: %w", err)
	}
	return nil
}

// CheckSet returns an error where a strategy can't keep to what the set allows.
func (s *BacktestSettings) CheckSet(set *simplex.Set) error {
	models := slices.Concat(s.family(), s.zeroShot(), s.among([]string{Learnt}))
	if len(set.Lower) > 0 && slices.Min(set.Lower) < 0 && len(models) > 0 {
		return fmt.Errorf("-lower %v: %s makes no short positions: leave it out of -strategies, or leave out -lower",
			slices.Min(set.Lower), models[0])
	}
	return nil
}

// NeedsModel says whether a strategy trains a model, or uses one over sets of assets or
// a learnt rule, and so needs a backend.
func (s *BacktestSettings) NeedsModel() bool {
	return len(s.family()) > 0 || s.NeedsSet() || s.NeedsRule()
}

// NeedsSet says whether a strategy uses a model over sets of assets.
func (s *BacktestSettings) NeedsSet() bool { return len(s.zeroShot()) > 0 }

// family are the strategies that choose out of models of their own.
func (s *BacktestSettings) family() []string { return s.among(familyNames()) }

// zeroShot are those that choose out of a model over sets of assets.
func (s *BacktestSettings) zeroShot() []string { return s.among(zeroShotNames()) }

// among are the strategies with one of the names.
func (s *BacktestSettings) among(names []string) []string {
	return slices.DeleteFunc(slices.Clone(s.Strategies), func(name string) bool {
		return !slices.Contains(names, name)
	})
}
