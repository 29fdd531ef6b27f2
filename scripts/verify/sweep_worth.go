package main

import (
	"context"
	"fmt"
	"math"
	"path"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/qp"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// worth is what a run of a sweep says that its portfolios are worth.
type worth struct {
	SharpeIn       any     `json:"sharpe_in_sample"`
	Bound          any     `json:"sharpe_bound"`
	SharpeOut      any     `json:"sharpe_out_of_sample"`
	Precision      any     `json:"precision"`
	Recall         any     `json:"recall"`
	Coverage       any     `json:"coverage"`
	PeriodsPerYear float64 `json:"periods_per_year"`
}

// checkWorth recomputes what the run's portfolios are worth. The weights of the one
// that earned returns.csv are not kept, and follow from it: there are more periods than
// assets. They have to meet the constraints, and give the ratio in sample.
func (f *folder) checkWorth(ctx context.Context) error {
	const file = "result.json"
	var result struct {
		Worth *worth `json:"worth"`
	}
	if err := f.json(file, &result); err != nil {
		return err
	}
	w := result.Worth
	if w == nil {
		f.add(file, "worth", unchecked, nil, "the run has none")
		return nil
	}
	s, err := f.swept()
	if err != nil {
		return err
	}
	f.equal(file, "periods_per_year", w.PeriodsPerYear, s.perYear)
	earned, err := f.earned(s)
	if err != nil {
		return err
	}
	out := figures(asRows(earned), []float64{1}, s.perYear, 0, 0)
	f.near(file, "sharpe_out_of_sample", w.SharpeOut, orNaN(out, "sharpe"), f.tolerance)
	held, err := weightsOf(returns(s.out), earned)
	if err != nil {
		f.add(file, "sharpe_in_sample", unchecked, w.SharpeIn,
			"the weights don't follow from returns.csv: "+err.Error())
	} else {
		r, err := regionOf(&s.config.Constraints, s.data.Window.Symbols)
		if err != nil {
			return err
		}
		f.equal("returns.csv", "those of weights within the constraints", r.violation(held) < 1e-7, true)
		in := figures(returns(s.in), held, s.perYear, 0, 0)
		f.near(file, "sharpe_in_sample", w.SharpeIn, orNaN(in, "sharpe"), 1e-7)
	}
	if err := f.checkBound(ctx, file, w.Bound, s); err != nil {
		return err
	}
	return f.checkFaithful(ctx, file, w, s)
}

func orNaN(figures map[string]float64, name string) float64 {
	if x, known := figures[name]; known {
		return x
	}
	return math.NaN()
}

func asRows(column []float64) (rows [][]float64) {
	for _, x := range column {
		rows = append(rows, []float64{x})
	}
	return rows
}

// earned reads returns.csv, whose days are those after the split.
func (f *folder) earned(s *swept) ([]float64, error) {
	const file = "returns.csv"
	t, err := f.table(file)
	if err != nil {
		return nil, err
	}
	var days, got []string
	for _, at := range s.out.Times {
		days = append(days, at.UTC().Format(time.RFC3339))
	}
	for _, row := range t.rows {
		got = append(got, row[0])
	}
	f.equal(file, "columns", t.header, []string{"date", "latent-sharpe"})
	if !f.equal(file, "date", got, days) {
		return nil, fmt.Errorf("%s: its days are not those after the split", file)
	}
	return t.numbers("latent-sharpe")
}

// weightsOf are the weights that earn a series, by least squares, where they exist.
func weightsOf(market [][]float64, earned []float64) ([]float64, error) {
	if len(market) <= len(market[0]) {
		return nil, fmt.Errorf("%d periods of %d assets", len(market), len(market[0]))
	}
	var solved mat.VecDense
	a := mat.NewDense(len(market), len(market[0]), nil)
	for t, row := range market {
		a.SetRow(t, row)
	}
	if err := solved.SolveVec(a, mat.NewVecDense(len(earned), earned)); err != nil {
		return nil, err
	}
	w := solved.RawVector().Data
	for t, row := range market {
		var r float64
		for j, x := range row {
			r += x * w[j]
		}
		if math.Abs(r-earned[t]) > 1e-10 {
			return slices.Repeat([]float64{math.NaN()}, len(w)), nil // of no portfolio: found wanting by its ratio
		}
	}
	return w, nil
}

// checkBound compares a stored optimum with one that a convex programme finds and weak
// duality proves: y = w/(mean'w) of the least variance, and no feasible direction
// climbs.
func (f *folder) checkBound(ctx context.Context, file string, stored any, s *swept) error {
	value, err := recall(f, "bound of "+s.marketFile(), nil, func() (float64, error) {
		r, err := regionOf(&s.config.Constraints, s.data.Window.Symbols)
		if err != nil {
			return 0, err
		}
		return r.largestRatio(ctx, returns(s.in), s.perYear)
	})
	if err != nil {
		return err
	}
	f.near(file, "sharpe_bound", stored, value, 1e-6)
	return nil
}

// largestRatio is the largest annual Sharpe ratio of weights in a region over a market;
// NaN where no mean is positive.
func (r *region) largestRatio(ctx context.Context, market [][]float64, perYear float64) (float64, error) {
	w, err := r.tangency(ctx, columnMeans(market), covarianceOf(market, float64(len(market)-1)))
	if err != nil || w == nil {
		return math.NaN(), err
	}
	return figures(market, w, perYear, 0, 0)["sharpe"], nil
}

// tangency are the weights of the largest ratio in a region, by given moments; nil where
// no mean is positive.
func (r *region) tangency(ctx context.Context, mean []float64, covariance [][]float64) ([]float64, error) {
	best, err := r.most(ctx, mean)
	if err != nil || best <= 0 {
		return nil, err
	}
	n := len(mean)
	h := mat.NewSymDense(n, nil)
	for i, row := range covariance {
		for j, v := range row[:i+1] {
			h.SetSym(i, j, v/covariance[0][0])
		}
	}
	// Limits of w = y/sum(y), times sum(y); and mean'y = 1.
	var a [][]float64
	var lo, hi []float64
	add := func(row []float64, from, to float64) { a, lo, hi = append(a, row), append(lo, from), append(hi, to) }
	scaled := slices.Clone(mean)
	for j := range scaled {
		scaled[j] /= best
	}
	add(scaled, 1, 1)
	limit := func(share []float64, from, to float64) {
		below, above := slices.Clone(share), slices.Clone(share)
		for j := range share {
			below[j] -= from
			above[j] -= to
		}
		if !math.IsInf(from, -1) {
			add(below, 0, math.Inf(1))
		}
		if !math.IsInf(to, 1) {
			add(above, math.Inf(-1), 0)
		}
	}
	for j := range n {
		one := make([]float64, n)
		one[j] = 1
		limit(one, r.lower[j], r.upper[j])
	}
	for _, g := range r.groups {
		limit(g.share, g.lo, g.hi)
	}
	rows := mat.NewDense(len(a), n, nil)
	for k, row := range a {
		rows.SetRow(k, row)
	}
	result, err := qp.Solve(ctx, &qp.Problem{H: h, A: rows, Lo: lo, Hi: hi}, qp.Settings{})
	if err != nil {
		return nil, err
	}
	if result.Status != qp.Optimal {
		return nil, fmt.Errorf("the largest Sharpe ratio's programme is %v", result.Status)
	}
	w := normalised(slices.Clone(result.X))
	slope, scale := ratioSlope(mean, covariance, w)
	bound, err := r.most(ctx, slope)
	if err != nil {
		return nil, err
	}
	var reached float64
	for j, v := range slope {
		reached += v * w[j]
		scale = max(scale, math.Abs(v))
	}
	if bound-reached > 1e-6*scale {
		return nil, fmt.Errorf("the largest Sharpe ratio is not proved: a slope of %v is left", bound-reached)
	}
	return w, nil
}

// Of the comparison of samples with held-out portfolios: rows of each at most.
const worthRows = 500

// checkFaithful draws samples as the run did, and compares them with held-out
// portfolios.
func (f *folder) checkFaithful(ctx context.Context, file string, w *worth, s *swept) error {
	l, err := f.learned()
	if err != nil {
		return err
	}
	n, err := f.readNetwork(f.modelDir())
	if err != nil {
		return err
	}
	files := []string{"config.toml", f.inModel("model.json"), f.inModel("model.safetensors"),
		f.inModel("aggregate.json"), f.inModel("neighbours.json")}
	found, err := recall(f, "faithful", files, func() (scores, error) {
		var asked [][]float64
		if l.conditional { // as the first of the donors
			asked = slices.Repeat(n.loosened(l.told.training[:1], 0), worthRows)
		}
		codes, err := f.fitted(ctx, n, worthRows, asked, stream.New(l.config.Seed, "generate.sample", 0))
		if err != nil {
			return nil, err
		}
		samples, err := s.feasible(ctx, n.decodeGiven(codes, asked))
		if err != nil {
			return nil, err
		}
		count := min(worthRows, len(l.rows.heldOut))
		if count <= neighbours {
			return nil, nil
		}
		c := &comparison{real: evenly(l.rows.heldOut, count)}
		samples = evenly(samples, count)
		x := scores{}
		c.overlap(samples, x, single)
		return x, nil
	})
	if err != nil {
		return err
	}
	for name, stored := range map[string]any{"precision": w.Precision, "recall": w.Recall, "coverage": w.Coverage} {
		if found == nil {
			f.equal(file, name, stored, nil)
			continue
		}
		f.within(file, name, stored, found[name], found[undecided+name])
	}
	return nil
}

// feasible are the nearest portfolios that the constraints allow; under a smallest weight
// or sector caps as package simplex finds them.
func (s *swept) feasible(ctx context.Context, rows [][]float64) ([][]float64, error) {
	r, err := regionOf(&s.config.Constraints, s.data.Window.Symbols)
	if err != nil {
		return nil, err
	}
	if r.least == 0 && len(r.groups) == 0 {
		for i, w := range rows {
			rows[i] = boxedBy(w, r.lower, r.upper)
		}
		return rows, nil
	}
	m := mat.NewDense(len(rows), s.set.N, nil)
	for i, w := range rows {
		m.SetRow(i, w)
	}
	return rowsOf(m), simplex.ProjectAll(ctx, s.set, m, m, nil)
}

// boxed is the nearest portfolio with weights between two bounds.
func boxed(y []float64, lower, upper float64) []float64 {
	return boxedBy(y, slices.Repeat([]float64{lower}, len(y)), slices.Repeat([]float64{upper}, len(y)))
}

// boxedBy is the nearest portfolio with weights between bounds of their own: the shift
// is found by bisection, as the sum falls with it.
func boxedBy(y, lower, upper []float64) []float64 {
	w := make([]float64, len(y))
	sum := func(shift float64) (total float64) {
		for j, v := range y {
			w[j] = min(max(v-shift, lower[j]), upper[j])
			total += w[j]
		}
		return total
	}
	low, high := slices.Min(y)-slices.Max(upper), slices.Max(y)-slices.Min(lower)
	for range 200 {
		middle := low + (high-low)/2
		if sum(middle) > 1 {
			low = middle
		} else {
			high = middle
		}
	}
	sum(low + (high-low)/2)
	return w
}

// inRuns is a file of a run of a sweep.
func inRuns(id, name string) string { return path.Join("runs", id, name) }
