// Command optimize finds the weights that are best for an objective under
// constraints.
package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/learnt"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/relative"
)

type config struct {
	Objective    optimize.Objective `flag:"objective" required:"true" choice:"min-variance|mean-variance|max-sharpe|risk-parity|risk-budget|inverse-volatility|hrp|max-diversification|min-cvar|max-min|equal-weight|min-tracking-error|learnt" help:"what is optimised; learnt is no optimum but what a model chooses, which was trained for the largest true Sharpe ratio on simulated markets"`
	RiskAversion *float64           `flag:"risk-aversion" range:"[0,inf)" only:"objective=mean-variance" help:"the lambda of mean-variance, which maximises w'mu - lambda/2 w'Sigma w; without it 1"`
	TargetReturn *float64           `flag:"target-return" unit:"per period" only:"objective=mean-variance" help:"the least mean, for which mean-variance then minimises the variance"`
	Frontier     *int               `flag:"frontier" unit:"portfolios" range:"[2,10000]" only:"objective=mean-variance and !risk-aversion and !target-return and !turnover-charge and !within and !binding and !cash" help:"the efficient frontier instead of one portfolio: so many, from the least variance to the largest mean, whose means are equally spaced"`
	Budgets      []string           `flag:"budgets" unit:"SYM=X" only:"objective=risk-budget" help:"the shares of the variance that assets are to have, of any sum; a symbol that isn't named has 0; sector.NAME=X shares X out over a sector of -sectors"`
	Level        float64            `flag:"level" range:"(0,1)" only:"objective=min-cvar" help:"the confidence level of the CVaR"`
	Covariance   string             `flag:"covariance" unit:"sample|ledoit-wolf|constant-correlation|ewma" only:"objective!=min-cvar|max-min|learnt" help:"the estimator of the covariance; a parameter may follow, as in ewma:0.97"`
	Means        string             `flag:"means" unit:"FILE|sample|bayes-stein|empirical-bayes|black-litterman" only:"objective=mean-variance|max-sharpe" help:"the expected returns: a CSV with one of each asset, as a share per year, as in the columns symbol and mean; or the estimator of them, of which two shrink the sample's means, and black-litterman joins the equilibrium of -market with -views"`
	Linkage      optimize.Linkage   `flag:"linkage" choice:"single|complete|average|ward" only:"objective=hrp" help:"how the distance of two clusters is measured"`
	LeafOrder    optimize.LeafOrder `flag:"leaf-order" choice:"scipy|optimal" only:"objective=hrp" help:"how the leaves of the tree are ordered"`
	Previous     string             `flag:"previous" unit:"FILE" only:"turnover-charge and !holdings" help:"a CSV with one row of weights of all assets, those held now, for -turnover-charge; -holdings says it for all"`
	Charge       float64            `flag:"turnover-charge" was:"turnover" range:"[0,inf)" only:"objective=min-variance|mean-variance|min-tracking-error" help:"what each unit of turnover, the sum of |w - held|, costs in the objective; it needs -holdings; -max-turnover limits the turnover instead"`
	Fallback     bool               `flag:"min-variance-fallback" only:"objective=max-sharpe" help:"take the minimum-variance portfolio where no feasible mean exceeds the risk-free rate"`
	Project      bool               `flag:"project" only:"objective!=learnt" help:"project what an objective that knows no constraints gives onto them, instead of refusing it"`
	Rule         []string           `flag:"rule" unit:"DIR,DIR" only:"objective=learnt" help:"the folders of the networks of a learnt rule, as train -objective true-sharpe makes them, whose mean is taken; without it the built-in rule"`
	Within       *float64           `flag:"within" unit:"share" range:"(0,0.5]" only:"holdings and !max-turnover and objective=min-variance|mean-variance|max-sharpe|max-diversification|min-tracking-error|min-cvar|max-min" help:"the share of the value that the portfolio may miss: of all within it of the optimum, that of the least turnover from -holdings is returned"`
	MaxAssets    int                `flag:"max-assets" range:"[0,1000000]" only:"objective=min-variance|mean-variance|max-sharpe|max-diversification|min-tracking-error" help:"the largest number of assets that are held, the cardinality; 0 means any; which they are is found by branch and bound"`
	Rivals       bool               `flag:"rivals" only:"max-assets" help:"tell what simpler choices of as many assets reach: the largest weights of the optimum without the limit, and backward elimination, each optimised again"`
	MaxNodes     int                `flag:"max-nodes" range:"[1,1e9]" only:"max-assets or min-weight" help:"the number of nodes after which branch and bound ends with the best portfolio so far, and tells how far it may be from the optimum"`
	Gross        *float64           `flag:"max-gross" range:"[1,200]" only:"!max-turnover and !within and objective!=learnt" help:"the largest gross exposure, the sum of |w|, where -lower allows short positions: 1.6 is 130 long and 30 short for 100 of capital"`
	Binding      bool               `flag:"binding" only:"objective=min-variance|mean-variance|max-sharpe|max-diversification|min-tracking-error|min-cvar|max-min and !within" help:"tell which constraints hold with equality, and what the value would be without each of them"`
	Cash         float64            `flag:"cash" unit:"currency of the prices" range:"[0,inf)" help:"the amount to invest at the last closes, for which the units of each asset are printed too; 0 means none"`
	Lot          float64            `flag:"lot" unit:"units" range:"(0,inf)" only:"cash and !lots" help:"the smallest lot, of which all units are multiples"`
	Lots         string             `flag:"lots" unit:"FILE" only:"cash" help:"a CSV with the columns symbol, lot and, where wanted, min_quantity and min_value, the least units and the least value of a position and of an order; without it -lot holds for all"`
	Equilibrium  `title:"Views" only:"means=black-litterman"`
	cli.Format   `title:"Output"`
	cli.Prices
	cli.Benchmark `title:"Benchmark" only:"objective=min-tracking-error"`
	cli.Annual    `title:"Figures"`
	cli.Constraints
	cli.Trading `title:"What is held"`
	cli.Backend `title:"Common" only:"objective=learnt"`
	cli.Common
}

var verb = cli.Verb[config]{
	Name:    "optimize",
	Summary: "the best weights for an objective, per period, under constraints",
	Example: `
		optimize -objective min-variance -max-weight 0.25
		optimize -prices closes.csv -objective max-sharpe -covariance ledoit-wolf -format json
		optimize -objective hrp -format csv > weights.csv
		optimize -prices closes.csv -objective mean-variance -frontier 20 -max-weight 0.25 -format csv > frontier.csv
		optimize -prices closes.csv -objective max-sharpe -means forecasts.csv -max-weight 0.25
		optimize -prices closes.csv -objective max-sharpe -means black-litterman -market caps.csv -views views.csv
		optimize -prices closes.csv -objective learnt -max-weight 0.25
		optimize -prices closes.csv -objective min-tracking-error -benchmark index.csv -max-weight 0.1
		optimize -objective min-cvar -cash 10000 -lot 0.001
		optimize -prices closes.csv -objective risk-parity -cash 25000 -lots lots.csv -holdings mine.csv
		optimize -prices closes.csv -objective max-sharpe -max-weight 0.25 -holdings mine.csv -within 0.02
		optimize -prices closes.csv -objective min-tracking-error -benchmark index.csv -max-assets 10 -min-weight 0.02
		optimize -prices closes.csv -exclude USDC -objective max-sharpe -holdings mine.csv -max-turnover 0.3`,
	Default: config{Level: 0.95, Covariance: moments.Sample, Means: moments.Sample, Linkage: optimize.Single,
		LeafOrder: optimize.OrderSciPy, Lot: 1, MaxNodes: 20000, Equilibrium: usualEquilibrium()},
	Run: run,
}

func main() { cli.Main(verb) }

// Validate returns an error for flags that the objective lacks, or that contradict each
// other.
func (c *config) Validate() error {
	if err := moments.CheckName(c.Covariance); err != nil {
		return fmt.Errorf("-covariance: %w", err)
	}
	budgets, err := parseBudgets(c.Budgets)
	if err != nil {
		return err
	}
	if err := c.CheckSectors(); err != nil && !bySectors(budgets) {
		if c.Objective == optimize.RiskBudget {
			err = fmt.Errorf("%w; a budget of a sector is sector.NAME=X", err)
		}
		return err
	}
	if c.Objective == optimize.RiskBudget && len(c.Budgets) == 0 {
		return fmt.Errorf("%s needs -budgets", c.Objective)
	}
	if c.Objective == optimize.MinTrackingError && c.Beside == "" {
		return fmt.Errorf("%s needs -benchmark", c.Objective)
	}
	if c.RiskAversion != nil && c.TargetReturn != nil {
		return errors.New("-risk-aversion and -target-return are two ways to choose one portfolio: give one of them")
	}
	if c.Charge > 0 && c.Previous == "" && c.Holdings == "" {
		return errors.New("-turnover-charge needs -previous or -holdings, the weights held now")
	}
	if c.Within != nil && c.Charge > 0 {
		return errors.New("-within goes with no -turnover-charge: leave one of the two out")
	}
	if c.Cash > 0 && c.Lower < 0 {
		return errors.New("-cash buys whole lots, which can't be short: leave out -lower, or -cash")
	}
	return nil
}

func run(ctx context.Context, c *config, io *cli.IO) error {
	if err := learnt.Check(c.Rule...); err != nil {
		return err
	}
	prices, benchmark, err := c.Benchmark.Load(io, &c.Prices, nil)
	if err != nil {
		return err
	}
	held, err := c.Held(io, prices.Window.Symbols)
	if err != nil {
		return err
	}
	periods, err := c.periods(io, prices.Window)
	if err != nil {
		return err
	}
	in, estimate, err := c.inputs(io, prices.Window, held, benchmark, periods)
	if err != nil {
		return err
	}
	beliefs, err := c.believe(io, prices.Window, in, estimate, periods)
	if err != nil {
		return err
	}
	if c.Frontier != nil {
		return c.frontier(ctx, io, prices, in, estimate, held, beliefs)
	}
	var optimum *optimize.Result
	solve := optimize.Solve
	switch {
	case c.Objective == byRule:
		solve = func(ctx context.Context, _ optimize.Objective, in *optimize.Inputs) (*optimize.Result, error) {
			return c.choose(ctx, io, prices.Window, in)
		}
	case c.Within != nil:
		solve = func(ctx context.Context, objective optimize.Objective, in *optimize.Inputs) (least *optimize.Result,
			err error) {
			least, optimum, err = optimize.LeastTurnover(ctx, objective, in, held.Weights, held.Beside(), *c.Within)
			return least, err
		}
	}
	result, err := solve(ctx, c.Objective, in)
	var unsupported *optimize.UnsupportedError
	if errors.As(err, &unsupported) {
		return cli.Usage(err)
	}
	if err != nil {
		return err
	}
	o := output{c: c, prices: prices, set: in.Set, result: result, held: held, optimum: optimum, beliefs: beliefs}
	if estimate != nil {
		o.shrinkage = &estimate.Shrinkage
		o.flat = estimate.Warning(in.Returns, prices.Window.Symbols, prices.Window.Times)
	}
	if c.Binding {
		if o.binding, err = c.bindings(ctx, in, result.Weights); err != nil {
			return err
		}
	}
	if c.Rivals {
		if o.rivals, err = simpleChoices(ctx, c.Objective, in); err != nil {
			return err
		}
	}
	if err := c.allocate(io, &o); err != nil {
		return err
	}
	return o.write(io)
}

// inputs are the data and options of the solve, and the estimate of the
// covariance, nil for an objective without one.
func (c *config) inputs(io *cli.IO, w *market.Window, held *portfolio.Held, benchmark *relative.Benchmark,
	periods float64) (in *optimize.Inputs, estimate *moments.Moments, err error) {
	in = &optimize.Inputs{
		RiskAversion: 1, TargetReturn: c.TargetReturn, Level: c.Level, Linkage: c.Linkage, LeafOrder: c.LeafOrder,
		TurnoverCharge: c.Charge, MinVarianceFallback: c.Fallback, Project: c.Project,
		MaxAssets: c.MaxAssets, MaxNodes: c.MaxNodes,
	}
	if c.RiskAversion != nil {
		in.RiskAversion = *c.RiskAversion
	}
	if in.Set, err = c.Set(io, w.Symbols); err != nil {
		return nil, nil, err
	}
	if j := slices.IndexFunc(in.Set.Lower, func(x float64) bool { return x < 0 }); j >= 0 && c.Cash > 0 {
		return nil, nil, cli.Usagef("-cash buys whole lots, which can't be short as %s may be: raise its limit to 0, "+
			"or leave out -cash", w.Symbols[j])
	}
	if err := c.Limit(&in.Set, held); err != nil {
		return nil, nil, err
	}
	if err := c.limitGross(&in.Set); err != nil {
		return nil, nil, err
	}
	if err := c.checkAssets(io, &in.Set); err != nil {
		return nil, nil, err
	}
	if in.Previous, err = cli.ReadWeights(io, c.Previous, w.Symbols); err != nil {
		return nil, nil, err
	}
	if held != nil {
		in.Previous = held.Weights
	}
	if in.Budgets, err = c.budgets(io, w.Symbols); err != nil {
		return nil, nil, err
	}
	in.RiskFree = c.RiskFree / periods
	in.Mean, in.Returns = moments.Mean(w.Returns), w.Returns
	if c.Objective == optimize.MinCVaR || c.Objective == optimize.MaxMin || c.Objective == byRule {
		return in, nil, nil // the returns are all that counts
	}
	if estimate, err = moments.Estimate(c.Covariance, w.Returns); err != nil {
		return nil, nil, err
	}
	in.Cov = estimate.Cov
	if benchmark != nil {
		if err := c.track(in, benchmark); err != nil {
			return nil, nil, err
		}
	}
	if c.countsOnMeans() && !c.believes() {
		if in.Mean, err = c.meansOf(io, w, estimate, periods); err != nil {
			return nil, nil, err
		}
	}
	return in, estimate, nil
}
