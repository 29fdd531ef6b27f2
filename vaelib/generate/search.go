package generate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/run"
)

// climbWeights is the value of [SearchSettings].Climb of a search that has
// [OptimizeSettings].Follow.
const climbWeights = "weights"

// atVolatility is the objective that has a limit of its own: see
// [optimize.ReturnAtVolatility].
const atVolatility = "return-at-volatility"

// SearchSettings say what [Generator.Search] climbs, and how. Their tags name the
// flags.
type SearchSettings struct {
	Objective  string  `flag:"objective" choice:"sharpe|return|return-at-volatility|volatility|diversification|sortino|cvar|drawdown|worst" default:"sharpe" help:"what the search makes best over the prices; losses are made small"`
	Volatility float64 `flag:"volatility" range:"[0,inf)" unit:"per year" only:"objective=return-at-volatility" help:"the largest volatility allowed"`
	Starts     int     `flag:"starts" range:"[1,1000000]" help:"the number of codes from which the search climbs side by side"`
	Pool       int     `flag:"pool" range:"[0,1000000]" help:"the number of codes drawn to begin with, of which the best -starts climb; 0 means as many as climb"`
	Iterations int     `flag:"iterations" range:"[1,100000]" help:"the largest number of steps of the search"`
	Climb      string  `flag:"climb" choice:"codes|weights" default:"codes" help:"what the search climbs in: codes takes the gradient through the decoder; weights, of a model over sets, steps from each portfolio and takes the code whose portfolio is nearest, which reaches corners of the constraints far out in the codes"`
	Patience   int     `flag:"patience" range:"[0,100000]" help:"the number of steps without an improvement of any start after which the search ends; 0 means never"`
	Radius     float64 `flag:"radius" range:"[0,inf)" help:"the largest length of a code; 0 means the 95 % quantile of the prior"`
	PriorWeight
	Radii []float64 `flag:"radii" help:"rising radii to search besides, one after another; radii.csv tells what each gains, and what it costs in realism"`
}

// PriorWeight is the setting that holds a latent search near the prior.
type PriorWeight struct {
	PriorWeight float64 `flag:"prior-weight" range:"[0,inf)" unit:"of the objective" help:"the weight of |z|^2, which the latent search takes off its objective: the larger, the nearer to portfolios that the model knows"`
}

// For returns the settings of a search for so many portfolios, of which each needs a code
// that climbs, and these a pool that is no smaller.
func (s SearchSettings) For(count int) SearchSettings {
	s.Starts = max(s.Starts, count)
	if s.Pool > 0 {
		s.Pool = max(s.Pool, s.Starts)
	}
	return s
}

// Follows says whether the search climbs in weights, for which the model must be one over
// sets of assets.
func (s SearchSettings) Follows() bool { return s.Climb == climbWeights }

// Validate returns an error for an objective without its limit, for a pool that is too
// small, and for a penalty where none is known.
func (s *SearchSettings) Validate() error {
	if s.Objective == atVolatility && s.Volatility == 0 {
		return errors.New(atVolatility + " needs its limit: give -volatility")
	}
	if s.Follows() && s.PriorWeight.PriorWeight > 0 {
		return errors.New("-prior-weight: a search that climbs in weights takes nothing off for |z|^2: leave it out, " +
			"or -climb weights")
	}
	if s.Pool > 0 && s.Pool < s.Starts {
		return fmt.Errorf("-pool: the best %d of %d codes can't climb: give a larger pool, or fewer -starts", s.Starts,
			s.Pool)
	}
	return nil
}

// Input is what [Generator.Search] and [Generator.StudyStyles] work on.
type Input struct {
	Returns  *mat.Dense // T x n
	Metrics  metrics.Settings
	Starts   Density    // of the codes that climb; a study of styles has none
	Known    *mat.Dense // N x n, portfolios that realism is measured by (nil: it isn't), or to be studied
	Seed     uint64
	Progress func(step string) func(done, total int, note string) // begins a piece of work; nil: no reports
}

func (in *Input) begin(step string) func(done, total int, note string) {
	if in.Progress == nil {
		return nil
	}
	return in.Progress(step)
}

// Search is what a latent search found, beside what there is to compare it with:
// the convex bound, the projected gradient on the weights with as many
// evaluations, and the best of as many draws.
type Search struct {
	Objective    string         `json:"objective"`
	Limit        *float64       `json:"volatility_limit,omitempty"`
	Radius       float64        `json:"radius"`
	PriorWeight  float64        `json:"prior_weight,omitempty"` // of |z|², which is taken off the trace
	Length       float64        `json:"code_length"`            // |z| of the best
	Evaluations  int            `json:"evaluations"`
	Stop         string         `json:"stop"`
	Trace        []float64      `json:"trace"`        // best value after each iteration, from the first that is defined
	Bound        *float64       `json:"convex_bound"` // nil with a reason
	BoundMissing string         `json:"convex_bound_missing,omitempty"`
	Gap          *float64       `json:"gap"` // bound less best value
	Rivals       []choose.Rival `json:"rivals"`
	// Ascent climbs the same objective without the model.
	Ascent *choose.Ascent `json:"projected_gradient"`

	Elapsed time.Duration `json:"-"` // of the latent search alone
	Optimum *Optimum      `json:"-"`
	Radii   []Realism     `json:"-"` // one for each of the settings'
}

// Search climbs an objective over returns in the latent space, and sets beside the
// best that it finds the convex bound, the projected gradient on the weights and the
// best of as many draws of rivals. Its errors are those of [Generator.Optimize], [optimize.ReturnAtVolatility] and
// [Generator.SweepRadius].
func (g *Generator) Search(ctx context.Context, in Input, settings SearchSettings) (*Search, error) {
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	s := &Search{Objective: settings.Objective}
	objective, err := s.target(ctx, g, in, settings)
	if err != nil {
		return nil, err
	}
	climb := OptimizeSettings{
		Starts: settings.Starts, Pool: settings.Pool, Iterations: settings.Iterations, Patience: settings.Patience,
		Radius: settings.Radius, Follow: settings.Follows(),
		PriorWeight: settings.PriorWeight.PriorWeight, Seed: in.Seed, Progress: in.begin("latent search"),
	}
	began := time.Now()
	if s.Optimum, err = g.Optimize(ctx, objective, in.Starts, climb); err != nil {
		return nil, err
	}
	s.Elapsed = time.Since(began)
	s.Radius, s.Evaluations, s.Stop, s.Trace = s.Optimum.Radius, s.Optimum.Evaluated, s.Optimum.Stop, s.Optimum.Trace
	s.PriorWeight = settings.PriorWeight.PriorWeight
	s.Length = floats.Norm(s.Optimum.Codes.RawRowView(s.Optimum.Best), 2)
	for len(s.Trace) > 0 && math.IsInf(s.Trace[0], 0) {
		s.Trace = s.Trace[1:]
	}
	if s.Bound != nil {
		gap := *s.Bound - s.Optimum.Values[s.Optimum.Best]
		s.Gap = &gap
	}
	progress := in.begin("the same number of draws")
	if s.Rivals, err = g.Rivals(ctx, objective, s.Evaluations, in.Seed, progress); err != nil {
		return nil, err
	}
	if s.Ascent, err = g.Ascend(ctx, objective, s.Optimum, in.Seed); err != nil {
		return nil, err
	}
	if len(settings.Radii) > 0 {
		s.Radii, err = g.SweepRadius(ctx, objective, in.Starts, settings.Radii, in.Known, climb)
	}
	return s, err
}

// target is what is climbed; it notes its bound, or why there is none.
func (s *Search) target(
	ctx context.Context, g *Generator, in Input, settings SearchSettings,
) (metrics.Objective, error) {
	if settings.Objective == atVolatility {
		s.Limit = &settings.Volatility
		objective, bound, err := optimize.ReturnAtVolatility(ctx, in.Returns, g.set, settings.Volatility, in.Metrics)
		if err == nil {
			s.Bound = &bound.Value
		}
		return objective, err
	}
	objective, err := metrics.NewObjective(settings.Objective, in.Returns, in.Metrics)
	if err != nil {
		return nil, err
	}
	bound, err := optimize.Bound(ctx, settings.Objective, in.Returns, g.set, in.Metrics)
	var unsupported *optimize.UnsupportedError
	var noExcess *optimize.NoExcessError
	switch {
	case errors.As(err, &unsupported) || errors.As(err, &noExcess):
		s.BoundMissing = err.Error()
	case err != nil:
		return nil, err
	default:
		s.Bound = &bound.Value
	}
	return objective, nil
}

// Swept is what each radius of the search buys and costs; nil where none was
// asked for.
func (s *Search) Swept() *run.Table {
	if len(s.Radii) == 0 {
		return nil
	}
	t := &run.Table{Header: []string{"radius", "prior_inside", "value", "length", "prior_beyond", "log_prior",
		"repair_distance"}}
	if s.Radii[0].Nearest != nil {
		t.Header = append(t.Header, "nearest_given")
	}
	for _, p := range s.Radii {
		row := []float64{p.Radius, p.Inside, p.Value, p.Length, p.Beyond, p.LogPrior, p.Repair}
		if p.Nearest != nil {
			row = append(row, *p.Nearest)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
