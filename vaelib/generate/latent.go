package generate

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// OptimizeSettings steers [Generator.Optimize]. Zero values stand for the
// defaults named below.
type OptimizeSettings struct {
	Starts     int     // points that climb side by side; default 64
	Iterations int     // steps of each; default 100
	Step       float64 // first step length in units of z; default 0.2
	Radius     float64 // bound on |z|; default the prior's 95 % quantile, sqrt of chi-square with d degrees
	Seed       uint64
	Progress   func(done, total int, note string) // total is Iterations; nil: no reports
}

// Optimum is what a latent search found.
type Optimum struct {
	Batch               // the last visited best point of every start, in the order of the starts
	Values    []float64 // Starts, the objective at each row of Weights
	Best      int       // the row with the largest value
	Trace     []float64 // the best value so far, after each iteration
	Evaluated int       // values and gradients computed, one each: the search's budget
	Radius    float64   // the bound on |z| that was used
}

// Radius95 returns the radius of the ball that holds 95 % of N(0, I) in d
// dimensions.
func Radius95(d int) float64 {
	return math.Sqrt(distuv.ChiSquared{K: float64(d)}.Quantile(0.95))
}

// Optimize climbs an objective in the latent space: z* = argmax f(P(decode(z)))
// over |z| <= r, from many starts in one batch. P is the exact projection onto
// the constraint set, so the value climbed is that of the portfolio returned.
//
// Each iteration decodes all codes at once, projects and differentiates every
// row in float64, takes the gradients back through the projection's and the
// decoder's vector-Jacobian products, and moves by Adam's rule (Kingma and Ba
// 2015) with a cosine-decaying step, back onto the ball where it leaves it.
// Every start keeps the best portfolio that it has seen.
func (g *Generator) Optimize(ctx context.Context, objective metrics.Objective, starts Density, settings OptimizeSettings) (*Optimum, error) {
	d := g.Latent()
	if settings.Starts == 0 {
		settings.Starts = 64
	}
	if settings.Iterations == 0 {
		settings.Iterations = 100
	}
	if settings.Step == 0 {
		settings.Step = 0.2
	}
	if settings.Radius == 0 {
		settings.Radius = Radius95(d)
	}
	if settings.Starts < 1 || settings.Iterations < 1 || !(settings.Step > 0) || !(settings.Radius > 0) {
		return nil, fmt.Errorf("latent search of %d starts, %d iterations, step %v, radius %v: all must be positive",
			settings.Starts, settings.Iterations, settings.Step, settings.Radius)
	}

	n := settings.Starts
	codes := draw(n, d, starts, stream.New(settings.Seed, "generate.optimize", 0))
	for i := range n {
		clampLength(codes.RawRowView(i), settings.Radius)
	}
	search := &Optimum{
		Batch: Batch{
			Codes: mat.NewDense(n, d, nil), Decoded: mat.NewDense(n, g.set.N, nil),
			Weights: mat.NewDense(n, g.set.N, nil), Repair: make([]float64, n),
		},
		Values: make([]float64, n), Radius: settings.Radius,
	}
	for i := range search.Values {
		search.Values[i] = math.Inf(-1)
	}
	climb := newClimber(g, objective, n)
	first, second := mat.NewDense(n, d, nil), mat.NewDense(n, d, nil)
	for iteration := range settings.Iterations {
		decoded, err := g.model.DecodeContext(ctx, codes)
		if err != nil {
			return nil, err
		}
		if err := climb.score(ctx, decoded); err != nil {
			return nil, err
		}
		search.keep(codes, decoded, climb)
		search.Evaluated += 2 * n
		gradient, err := g.model.DecodeVJP(codes, climb.upstream)
		if err != nil {
			return nil, err
		}
		step := settings.Step * (1 + math.Cos(math.Pi*float64(iteration)/float64(settings.Iterations))) / 2
		adam(codes, gradient, first, second, iteration+1, step)
		for i := range n {
			clampLength(codes.RawRowView(i), settings.Radius)
		}
		if settings.Progress != nil {
			settings.Progress(iteration+1, settings.Iterations, fmt.Sprintf("best %.4g", search.Trace[iteration]))
		}
	}
	for i, v := range search.Values {
		if v > search.Values[search.Best] {
			search.Best = i
		}
	}
	if math.IsInf(search.Values[search.Best], -1) {
		return nil, fmt.Errorf("the objective is undefined at every one of %d visited portfolios", n*settings.Iterations)
	}
	return search, nil
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
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(o.Values[b], o.Values[a]) })
	order = order[:min(count, len(order))]
	_, d := o.Codes.Dims()
	_, n := o.Weights.Dims()
	top := &Batch{Codes: mat.NewDense(len(order), d, nil), Decoded: mat.NewDense(len(order), n, nil), Weights: mat.NewDense(len(order), n, nil)}
	var values []float64
	for row, i := range order {
		top.Codes.SetRow(row, o.Codes.RawRowView(i))
		top.Decoded.SetRow(row, o.Decoded.RawRowView(i))
		top.Weights.SetRow(row, o.Weights.RawRowView(i))
		top.Repair = append(top.Repair, o.Repair[i])
		values = append(values, o.Values[i])
	}
	return top, values
}

// keep takes over the rows that are better than what their start had.
func (o *Optimum) keep(codes, decoded *mat.Dense, c *climber) {
	best := math.Inf(-1)
	if len(o.Trace) > 0 {
		best = o.Trace[len(o.Trace)-1]
	}
	for i, v := range c.values {
		if v > o.Values[i] {
			o.Values[i] = v
			o.Codes.SetRow(i, codes.RawRowView(i))
			o.Decoded.SetRow(i, decoded.RawRowView(i))
			o.Weights.SetRow(i, c.weights.RawRowView(i))
			o.Repair[i] = c.repair[i]
			best = max(best, v)
		}
	}
	o.Trace = append(o.Trace, best)
}

// climber turns decoder outputs into values and upstream gradients, on all
// cores.
type climber struct {
	workers  []worker
	weights  *mat.Dense // N x n, projected
	upstream *mat.Dense // N x n, the objective's gradient with respect to the decoder's output
	values   []float64
	repair   []float64
}

// worker is what one goroutine needs for itself.
type worker struct {
	projector *simplex.Projector
	objective metrics.Objective
	gradient  []float64
}

func newClimber(g *Generator, objective metrics.Objective, n int) *climber {
	c := &climber{
		weights: mat.NewDense(n, g.set.N, nil), upstream: mat.NewDense(n, g.set.N, nil),
		values: make([]float64, n), repair: make([]float64, n),
	}
	for range min(runtime.GOMAXPROCS(0), n) {
		c.workers = append(c.workers, worker{g.projector.Clone(), objective.Clone(), make([]float64, g.set.N)})
	}
	return c
}

// score fills values, weights, repair and upstream for decoder outputs N x n.
// A row whose objective is undefined gets the value -Inf and no gradient.
func (c *climber) score(ctx context.Context, decoded *mat.Dense) error {
	group, ctx := errgroup.WithContext(ctx)
	for k := range c.workers {
		group.Go(func() error {
			w := &c.workers[k]
			for i := k; i < len(c.values); i += len(c.workers) {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := c.scoreRow(w, i, decoded.RawRowView(i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func (c *climber) scoreRow(w *worker, i int, decoded []float64) (err error) {
	row, upstream := c.weights.RawRowView(i), c.upstream.RawRowView(i)
	if c.repair[i], err = w.projector.Project(row, decoded); err != nil {
		return err
	}
	c.values[i] = w.objective.Gradient(w.gradient, row)
	if math.IsNaN(c.values[i]) || math.IsInf(c.values[i], 0) {
		c.values[i] = math.Inf(-1)
		clear(upstream)
		return nil
	}
	w.projector.VJP(upstream, w.gradient)
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
