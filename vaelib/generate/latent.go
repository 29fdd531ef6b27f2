package generate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// OptimizeSettings steers [Generator.Optimize]. Zero values stand for the
// defaults named below.
type OptimizeSettings struct {
	Starts     int     // points that climb side by side; default 64
	Pool       int     // codes drawn, of which the best Starts climb; default Starts
	Iterations int     // steps of each; default 100
	Step       float64 // first step length in units of z; default 0.2
	// Patience ends the search after so many iterations in which no start rose
	// by more than Tolerance; 0 climbs through all iterations.
	Patience  int
	Tolerance float64 // in units of the objective; default 1e-6
	Radius    float64 // bound on |z|; default the prior's 95 % quantile, sqrt of chi-square with d degrees
	// PriorWeight times |z|² is taken off the objective: the prior's log density of
	// the code, which holds the search near portfolios that the model knows. 0 takes
	// nothing off.
	PriorWeight float64
	// Follow climbs in weights, and follows in codes: each start steps up the objective
	// from its portfolio, an asset's step by the inverse of its variance, and takes the
	// code whose portfolio is nearest to where that leads. A gradient taken through the
	// projection is 0 for each asset that a portfolio leaves out, and knows no small
	// weights beside large ones; so this reaches corners of the constraint set that
	// gradients miss. It needs a model over sets, and a PriorWeight of 0.
	Follow   bool
	Seed     uint64
	Progress func(done, total int, note string) // total is Iterations; nil: no reports
}

// Why a latent search ended.
const (
	stopIterations = "iterations" // all of them were done
	stopConverged  = "converged"  // no start rose for as long as the patience lasts
)

// Optimum is what a latent search found.
type Optimum struct {
	Batch // the best point that each start has visited, in the order of the starts
	// Values is the objective at each row of Weights; -Inf where a start saw it
	// undefined only, and its row is 0.
	Values    []float64
	Scores    []float64 // Starts, what is climbed: Values less the penalty on |z|²
	LogPrior  []float64 // Starts, the log density of N(0, I) at each row of Codes, in nats
	Best      int       // the row with the largest score
	Trace     []float64 // the best score so far, after each iteration
	Stop      string    // why it ended: "iterations", all of them done, or "converged"
	Evaluated int       // values and gradients computed, one each: the search's budget
	Radius    float64   // the bound on |z| that was used

	priorWeight float64
}

// Radius95 returns the radius of the ball that holds 95 % of N(0, I) in d
// dimensions.
func Radius95(d int) float64 {
	return math.Sqrt(distuv.ChiSquared{K: float64(d)}.Quantile(0.95))
}

// Optimize climbs an objective in the latent space: z* = argmax f(P(decode(z))) -
// PriorWeight |z|² over |z| <= r, from many starts in one batch. P is the exact projection onto
// the constraint set, so the value climbed is that of the portfolio returned.
//
// Each iteration decodes all codes at once, projects and differentiates every
// row in float64, takes the gradients back through the projection's and the
// decoder's vector-Jacobian products, and moves by Adam's rule (Kingma and Ba
// 2015) with a cosine-decaying step, back onto the ball where it leaves it.
// Every start keeps the best portfolio that it has seen. With Follow the codes move
// otherwise, as said there.
func (g *Generator) Optimize(
	ctx context.Context, objective metrics.Objective, starts Density, settings OptimizeSettings,
) (*Optimum, error) {
	return g.climb(ctx, objective, starts, nil, settings)
}

// climb is Optimize with the last start at a given code, unless that is nil.
func (g *Generator) climb(
	ctx context.Context, objective metrics.Objective, starts Density, also []float64, s OptimizeSettings,
) (*Optimum, error) {
	d := g.Latent()
	s.EnsureDefaults(d)
	if err := s.Validate(); err != nil {
		return nil, err
	}
	n := s.Starts
	move, err := g.mover(s)
	if err != nil {
		return nil, err
	}
	codes, err := g.begin(ctx, objective, starts, s)
	if err != nil {
		return nil, err
	}
	if also != nil {
		codes.SetRow(n-1, also)
		clampLength(codes.RawRowView(n-1), s.Radius)
	}
	search := newOptimum(n, d, g.set.N, s.Radius)
	if s.Pool > n {
		search.Evaluated = 2 * s.Pool
	}
	search.priorWeight = s.PriorWeight
	climb := newClimber(g, objective, n)
	for iteration, still := 0, 0; iteration < s.Iterations; iteration++ {
		decoded, err := g.model.DecodeContext(ctx, codes)
		if err != nil {
			return nil, err
		}
		if err := climb.score(ctx, decoded); err != nil {
			return nil, err
		}
		still++
		if search.keep(codes, decoded, climb) > s.Tolerance {
			still = 0
		}
		if s.Progress != nil {
			s.Progress(iteration+1, s.Iterations, fmt.Sprintf("best %.4g", search.Trace[iteration]))
		}
		if still == s.Patience && s.Patience > 0 {
			search.Stop = stopConverged
			break
		}
		if iteration+1 == s.Iterations {
			break // nobody would look at the next codes
		}
		if err := move.next(ctx, codes, decoded, climb, iteration); err != nil {
			return nil, err
		}
	}
	return search, search.finish()
}

// mover moves codes (N x d) to the next ones, from what is known of the present ones:
// what they decode to (N x n), and the climber's values, weights and gradients.
type mover interface {
	next(ctx context.Context, codes, decoded *mat.Dense, c *climber, iteration int) error
}

// mover is the one that the settings ask for.
func (g *Generator) mover(s OptimizeSettings) (mover, error) {
	if s.Follow {
		return newFollower(g, s)
	}
	return &gradientMover{of: g, settings: s, first: mat.NewDense(s.Starts, g.Latent(), nil),
		second: mat.NewDense(s.Starts, g.Latent(), nil)}, nil
}

// gradientMover moves by Adam's rule.
type gradientMover struct {
	of            *Generator
	settings      OptimizeSettings
	first, second *mat.Dense // N x d, moments
}

func (m *gradientMover) next(_ context.Context, codes, _ *mat.Dense, c *climber, iteration int) error {
	s := m.settings
	gradient, err := m.of.slope(codes, c.upstream, s.PriorWeight)
	if err != nil {
		return err
	}
	step := s.Step * (1 + math.Cos(math.Pi*float64(iteration)/float64(s.Iterations))) / 2
	adam(codes, gradient, m.first, m.second, iteration+1, step)
	clampRows(codes, s.Radius)
	return nil
}

// begin draws the codes that climb: of a pool those of the best scores.
func (g *Generator) begin(ctx context.Context, objective metrics.Objective, density Density, s OptimizeSettings) (
	*mat.Dense, error) {
	count := max(s.Pool, s.Starts)
	codes, err := g.draw(ctx, count, density, stream.New(s.Seed, "generate.optimize", 0))
	if err != nil {
		return nil, err
	}
	clampRows(codes, s.Radius)
	if count == s.Starts {
		return codes, nil
	}
	decoded, err := g.model.DecodeContext(ctx, codes)
	if err != nil {
		return nil, err
	}
	pool := newClimber(g, objective, count)
	if err := pool.score(ctx, decoded); err != nil {
		return nil, err
	}
	order := make([]int, count)
	for i := range order {
		z := codes.RawRowView(i)
		order[i], pool.values[i] = i, pool.values[i]-s.PriorWeight*floats.Dot(z, z)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(pool.values[b], pool.values[a]) })
	return pickRows(codes, order[:s.Starts]), nil
}

// slope takes the gradient of an objective with respect to the decoder's output back
// to the codes, less that of the penalty on |z|².
func (g *Generator) slope(codes, upstream *mat.Dense, priorWeight float64) (*mat.Dense, error) {
	gradient, err := g.model.DecodeVJP(codes, upstream)
	if err != nil {
		return nil, err
	}
	rows, _ := codes.Dims()
	for i := range rows {
		floats.AddScaled(gradient.RawRowView(i), -2*priorWeight, codes.RawRowView(i))
	}
	return gradient, nil
}

// EnsureDefaults gives the fields that are zero their defaults for codes of d
// dimensions.
func (s *OptimizeSettings) EnsureDefaults(d int) {
	s.Starts = cmp.Or(s.Starts, 64)
	s.Pool = cmp.Or(s.Pool, s.Starts)
	s.Iterations = cmp.Or(s.Iterations, 100)
	s.Step = cmp.Or(s.Step, 0.2)
	s.Tolerance = cmp.Or(s.Tolerance, 1e-6)
	s.Radius = cmp.Or(s.Radius, Radius95(d))
}

// Validate says what makes no sense.
func (s OptimizeSettings) Validate() error {
	if !(s.PriorWeight >= 0) || math.IsInf(s.PriorWeight, 1) {
		return fmt.Errorf("latent search with a weight of %v on |z|²: it must be at least 0", s.PriorWeight)
	}
	if s.Pool < s.Starts {
		return fmt.Errorf("latent search from the best %d of %d codes: give a larger pool, or fewer starts", s.Starts,
			s.Pool)
	}
	if s.Follow && s.PriorWeight > 0 {
		return errors.New("a latent search that climbs in weights knows no penalty on |z|²: leave one of the two out")
	}
	if s.Starts < 1 || s.Iterations < 1 || s.Patience < 0 || !(s.Step > 0) || !(s.Tolerance > 0) || !(s.Radius > 0) {
		return fmt.Errorf("latent search of %d starts, %d iterations, step %v, radius %v, patience %d, "+
			"tolerance %v: all must be positive",
			s.Starts, s.Iterations, s.Step, s.Radius, s.Patience, s.Tolerance)
	}
	return nil
}

// newOptimum is the result of a search that has seen nothing yet.
func newOptimum(starts, latent, assets int, radius float64) *Optimum {
	o := &Optimum{
		Batch: Batch{
			Codes: mat.NewDense(starts, latent, nil), Decoded: mat.NewDense(starts, assets, nil),
			Weights: mat.NewDense(starts, assets, nil), Repair: make([]float64, starts),
		},
		Values: make([]float64, starts), Scores: make([]float64, starts), LogPrior: make([]float64, starts),
		Stop: stopIterations, Radius: radius,
	}
	for i := range o.Values {
		o.Values[i], o.Scores[i] = math.Inf(-1), math.Inf(-1)
	}
	return o
}

// finish chooses the best row and measures how likely the prior holds each.
func (o *Optimum) finish() error {
	for i, v := range o.Scores {
		o.LogPrior[i] = Prior{}.LogProb(o.Codes.RawRowView(i))
		if v > o.Scores[o.Best] {
			o.Best = i
		}
	}
	if math.IsInf(o.Values[o.Best], -1) {
		return fmt.Errorf("the objective is undefined at every one of %d visited portfolios", o.Evaluated/2)
	}
	return nil
}

// Top returns the portfolios of the count best starts, best first, and their
// values. There are fewer where the objective was undefined for the others.
func (o *Optimum) Top(count int) (*Batch, []float64) {
	var order []int
	for i, v := range o.Values {
		if !math.IsInf(v, -1) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(o.Scores[b], o.Scores[a]) })
	order = order[:min(count, len(order))]
	values := make([]float64, len(order))
	for row, i := range order {
		values[row] = o.Values[i]
	}
	return o.Pick(order), values
}

// keep takes over the rows that are better than what their start had, and
// returns by how much the one that rose most did.
func (o *Optimum) keep(codes, decoded *mat.Dense, c *climber) (rise float64) {
	o.Evaluated += 2 * len(c.values)
	best := math.Inf(-1)
	if len(o.Trace) > 0 {
		best = o.Trace[len(o.Trace)-1]
	}
	for i, v := range c.values {
		z := codes.RawRowView(i)
		if score := v - o.priorWeight*floats.Dot(z, z); score > o.Scores[i] {
			rise = max(rise, score-o.Scores[i])
			o.Values[i], o.Scores[i] = v, score
			o.Codes.SetRow(i, z)
			o.Decoded.SetRow(i, decoded.RawRowView(i))
			o.Weights.SetRow(i, c.weights.RawRowView(i))
			o.Repair[i] = c.repair[i]
			best = max(best, score)
		}
	}
	o.Trace = append(o.Trace, best)
	return rise
}

// climber turns decoder outputs into values and upstream gradients, on all
// cores.
type climber struct {
	workers  []worker
	weights  *mat.Dense // N x n, projected
	upstream *mat.Dense // N x n, the objective's gradient with respect to the decoder's output
	slopes   *mat.Dense // N x n, that with respect to the weights
	values   []float64
	repair   []float64
}

// worker is what one goroutine needs for itself.
type worker struct {
	projector *simplex.Projector
	objective metrics.Objective
}

func newClimber(g *Generator, objective metrics.Objective, n int) *climber {
	c := &climber{
		weights: mat.NewDense(n, g.set.N, nil), upstream: mat.NewDense(n, g.set.N, nil),
		slopes: mat.NewDense(n, g.set.N, nil), values: make([]float64, n), repair: make([]float64, n),
	}
	for range parallel.Workers(n) {
		c.workers = append(c.workers, worker{g.projector.Clone(), objective.Clone()})
	}
	return c
}

// score fills values, weights, repair and upstream for decoder outputs N x n.
// A row whose objective is undefined gets the value -Inf and no gradient.
func (c *climber) score(ctx context.Context, decoded *mat.Dense) error {
	return parallel.For(ctx, len(c.values), func(worker, i int) error {
		return c.scoreRow(&c.workers[worker], i, decoded.RawRowView(i))
	})
}

func (c *climber) scoreRow(w *worker, i int, decoded []float64) (err error) {
	row, upstream := c.weights.RawRowView(i), c.upstream.RawRowView(i)
	if c.repair[i], err = w.projector.Project(row, decoded); err != nil {
		return err
	}
	c.values[i] = w.objective.Gradient(c.slopes.RawRowView(i), row)
	if math.IsNaN(c.values[i]) || math.IsInf(c.values[i], 0) {
		c.values[i] = math.Inf(-1)
		clear(upstream)
		clear(c.slopes.RawRowView(i))
		return nil
	}
	w.projector.VJP(upstream, c.slopes.RawRowView(i))
	return nil
}

// adam moves x up its gradient: step t, counted from 1, of length about step
// in every coordinate.
func adam(x, gradient, first, second *mat.Dense, t int, step float64) {
	const b1, b2, epsilon = 0.9, 0.999, 1e-12
	c1, c2 := 1-math.Pow(b1, float64(t)), 1-math.Pow(b2, float64(t))
	xs, gs := x.RawMatrix().Data, gradient.RawMatrix().Data
	ms, vs := first.RawMatrix().Data, second.RawMatrix().Data
	for i, gi := range gs {
		ms[i] = b1*ms[i] + (1-b1)*gi
		vs[i] = b2*vs[i] + (1-b2)*gi*gi
		xs[i] += step * (ms[i] / c1) / (math.Sqrt(vs[i]/c2) + epsilon)
	}
}

// clampRows pulls every row back onto the ball of radius r.
func clampRows(z *mat.Dense, r float64) {
	rows, _ := z.Dims()
	for i := range rows {
		clampLength(z.RawRowView(i), r)
	}
}

// clampLength pulls z back onto the ball of radius r.
func clampLength(z []float64, r float64) {
	var sum float64
	for _, v := range z {
		sum += v * v
	}
	if length := math.Sqrt(sum); length > r {
		for i := range z {
			z[i] *= r / length
		}
	}
}
