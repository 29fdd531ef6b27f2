package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path"
	"slices"
	"strconv"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/lab"
	"vaefolio/vaelib/learnt"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/simulate"
	"vaefolio/vaelib/stream"
)

// Tolerances of the weights of a laboratory, which are kept to eight digits.
const (
	ofKept    = 1e-7 // what follows from kept weights
	ofOptimum = 1e-4 // an optimum, which is flat, by another solver
)

// mostCostly is in how many worlds the strategies that draw random numbers, or run a
// network, choose again, on one history of each.
const mostCostly = 40

// scene is a history, with what strategies need besides.
type scene struct {
	*known
	rows     [][]float64
	settings lab.Settings
	seed     uint64
	index    uint64      // of what is random on the history
	rule     []*overSets // the networks of the learnt rule
	found    map[string][]float64
}

// costlyRules are strategies that take random numbers or a network.
var costlyRules = map[string]func(s *scene) ([]float64, error){
	"max-sharpe-resampled": func(s *scene) ([]float64, error) {
		return s.resampled(stream.New(s.seed, "lab.resampled", s.index))
	},
	"best-of-n": (*scene).bestDraw,
	"learnt":    (*scene).learnt,
}

// halves are strategies that are the mean of two others.
var halves = map[string][2]string{
	"half-resampled-empirical-bayes": {"max-sharpe-resampled", "max-sharpe-empirical-bayes"},
	"half-learnt-empirical-bayes":    {"learnt", "max-sharpe-empirical-bayes"},
	"half-latent-empirical-bayes":    {"latent-sharpe-prior-0.3", "max-sharpe-empirical-bayes"},
}

// ceilingName is the sample with the largest true ratio, and samplers choose among the
// same samples.
const ceilingName = "best-sample-by-truth"

var samplers = []string{"sampled-max-min", "sampled-shrunken"}

// resampled is the mean of the largest Sharpe ratios by 50 histories of normal returns
// with the moments of this one (Michaud 1998).
func (s *scene) resampled(rng *rand.Rand) ([]float64, error) {
	const draws = 50
	lower, err := cholesky(s.shrunk)
	if err != nil {
		return nil, err
	}
	mean := make([]float64, len(s.mean))
	for range draws {
		rows := make([][]float64, len(s.rows))
		for t := range rows {
			noise := make([]float64, len(s.mean))
			for j := range noise {
				noise[j] = rng.NormFloat64()
			}
			rows[t] = slices.Clone(s.mean)
			for j, row := range lower {
				for k, v := range row[:j+1] {
					rows[t][j] += v * noise[k]
				}
			}
		}
		drawn := &known{mean: columnMeans(rows), shrunk: shrunk(rows)}
		best, err := drawn.largest(drawn.mean, drawn.shrunk, false)
		if err != nil {
			return nil, err
		}
		for j, v := range best {
			mean[j] += v / draws
		}
	}
	return mean, nil
}

// cholesky is the lower root of a covariance.
func cholesky(c [][]float64) ([][]float64, error) {
	lower := make([][]float64, len(c))
	for i := range c {
		lower[i] = make([]float64, len(c))
		for j := range i + 1 {
			rest := c[i][j]
			for k := range j {
				rest -= lower[i][k] * lower[j][k]
			}
			if i > j {
				lower[i][j] = rest / lower[j][j]
				continue
			}
			if rest <= 0 {
				return nil, fmt.Errorf("a covariance is singular")
			}
			lower[i][i] = math.Sqrt(rest)
		}
	}
	return lower, nil
}

// bestDraw is the draw of symmetric Dirichlet distributions, whose concentrations are
// log-uniform from .02 to 5, with the largest Sharpe ratio over the history.
func (s *scene) bestDraw() (best []float64, err error) {
	rng := stream.New(s.seed, "lab.draws", s.index)
	mean := s.mean
	if slices.Max(mean) <= 0 {
		mean = slices.Repeat([]float64{1}, len(mean))
	}
	most := math.Inf(-1)
	for range s.settings.Samples {
		w := dirichletDraw(len(mean), 0.02*math.Pow(250, rng.Float64()), rng)
		var earned, variance float64
		for i, v := range times(s.sample, w) {
			earned, variance = earned+mean[i]*w[i], variance+v*w[i]
		}
		if value := earned / math.Sqrt(variance); value > most {
			best, most = w, value
		}
	}
	return best, nil
}

// dirichletDraw draws n gamma variates of one shape (Marsaglia & Tsang 2000; those of
// shapes below 1 by a power of a uniform number), by their logarithms, and scales them.
func dirichletDraw(n int, shape float64, rng *rand.Rand) []float64 {
	w := make([]float64, n)
	for i := range w {
		a := shape
		if shape < 1 {
			w[i], a = math.Log(1-rng.Float64())/shape, shape+1
		}
		d := a - 1.0/3
		for {
			x := rng.NormFloat64()
			cube := math.Pow(1+x/math.Sqrt(9*d), 3)
			if cube > 0 && math.Log(1-rng.Float64()) < x*x/2+d-d*cube+d*math.Log(cube) {
				w[i] += math.Log(d * cube)
				break
			}
		}
	}
	top := slices.Max(w)
	for i, v := range w {
		w[i] = math.Exp(v - top)
	}
	return normalised(w)
}

// learnt is the mean of the networks' choices, who see two guides.
func (s *scene) learnt() ([]float64, error) {
	bayes, err := s.largest(s.empiricalBayes(), s.shrunk, true)
	if err != nil {
		return nil, err
	}
	resampled, err := s.resampled(stream.New(1, "learnt.rule", 0))
	if err != nil {
		return nil, err
	}
	u := &universeLine{Periods: len(s.rows), Cap: 1, Mean: s.mean, Weights: [][]float64{bayes, resampled}}
	for i, row := range s.sample {
		u.Lower = append(u.Lower, row[:i+1])
	}
	mean := make([]float64, len(s.mean))
	for _, network := range s.rule {
		w, err := network.choose(u)
		if err != nil {
			return nil, err
		}
		for i, v := range w {
			mean[i] += v / float64(len(s.rule))
		}
	}
	return mean, nil
}

// hierarchical is hierarchical risk parity (Lopez de Prado 2016): the two nearest
// clusters join, the older one to the left, and the weight is split between the halves
// of the line by the inverse of their variances.
func hierarchical(c [][]float64) []float64 {
	type cluster struct {
		age     int
		members []int
	}
	var clusters []cluster
	for i := range c {
		clusters = append(clusters, cluster{i, []int{i}})
	}
	apart := func(a, b cluster) float64 {
		nearest := math.Inf(1)
		for _, i := range a.members {
			for _, j := range b.members {
				nearest = min(nearest, 1-c[i][j]/math.Sqrt(c[i][i]*c[j][j]))
			}
		}
		return nearest
	}
	for age := len(c); len(clusters) > 1; age++ {
		left, right, nearest := 0, 1, math.Inf(1)
		for a := range clusters {
			for b := range a {
				if d := apart(clusters[a], clusters[b]); d < nearest {
					left, right, nearest = b, a, d
				}
			}
		}
		joined := cluster{age, slices.Concat(clusters[left].members, clusters[right].members)}
		clusters = append(slices.Delete(slices.Delete(clusters, right, right+1), left, left+1), joined)
	}
	w := slices.Repeat([]float64{1}, len(c))
	var split func(line []int)
	split = func(line []int) {
		if len(line) < 2 {
			return
		}
		variance := func(of []int) (v float64) {
			var total float64
			for _, i := range of {
				total += 1 / c[i][i]
				for _, j := range of {
					v += c[i][j] / (c[i][i] * c[j][j])
				}
			}
			return v / (total * total)
		}
		left, right := line[:len(line)/2], line[len(line)/2:]
		a, b := variance(left), variance(right)
		for _, i := range left {
			w[i] *= b / (a + b)
		}
		for _, i := range right {
			w[i] *= a / (a + b)
		}
		split(left)
		split(right)
	}
	split(clusters[0].members)
	return w
}

// sceneOf is a history of a world as the strategies see it. What is random on it has a
// seed by its bits, which package simulate gives.
func (l *laboratory) sceneOf(w *labWorld, k int, rows [][]float64) (*scene, error) {
	r := simulate.DefaultRanges()
	n := float64(w.Assets)
	r.Assets, r.Dispersion = simulate.Range{From: n, To: n}, simulate.Range{From: w.Dispersion, To: w.Dispersion}
	index, seed := w.streamOf(w.World, 0), l.plan.Seed
	var world *simulate.World
	var err error
	if l.real == nil {
		world, err = simulate.New(seed, index, r)
	} else {
		r.PeriodsPerYear = l.plan.PerYear
		chosen := mat.NewDense(len(l.real), w.Assets, nil)
		for to, from := range stream.New(seed, "lab.columns", index).Perm(len(l.real[0]))[:w.Assets] {
			for t, row := range l.real {
				chosen.Set(t, to, row[from])
			}
		}
		world, err = simulate.Resampled(seed, index, chosen, 10, r)
	}
	if err != nil {
		return nil, err
	}
	window := &market.Window{Symbols: symbolsOf(w.Assets),
		Returns: world.Returns(stream.New(seed, "lab.history", w.streamOf(w.World, 1+k)), w.Periods)}
	for t := range w.Periods {
		window.Times = append(window.Times, time.Date(2020, time.January, 2+t, 0, 0, 0, 0, time.UTC))
	}
	for t, row := range rows {
		for j, v := range row {
			if math.Abs(v-window.Returns.At(t, j)) > 1e-12 {
				return nil, fmt.Errorf("history %d, day %d: %v, and by package simulate %v", k, t+1, v,
					window.Returns.At(t, j))
			}
		}
	}
	// The first eight bytes of the hash, the last of them first.
	var bytes uint64
	for i := 14; i >= 0; i -= 2 {
		b, err := strconv.ParseUint(window.Hash()[i:i+2], 16, 8)
		if err != nil {
			return nil, err
		}
		bytes = bytes<<8 | b
	}
	return &scene{known: newKnown(rows), rows: rows, settings: l.plan.Settings, seed: seed, index: bytes,
		rule: l.rule, found: map[string][]float64{}}, nil
}

func symbolsOf(n int) (symbols []string) {
	for j := range n {
		symbols = append(symbols, fmt.Sprintf("A%03d", j+1))
	}
	return symbols
}

// readRules reads the networks of the laboratory's learnt rule, where it has one.
func (l *laboratory) readRules() error {
	l.rule = nil
	files, err := learnt.Read(l.config.Rule...)
	for _, data := range files {
		network, failed := readRule(data)
		if failed != nil {
			return failed
		}
		l.rule = append(l.rule, network)
	}
	return err
}

// worldWeights are the weights that a world kept, by history and strategy.
func (f *folder) worldWeights(w *labWorld) ([][][]float64, error) {
	name := path.Join("worlds", w.id, "weights.csv")
	t, err := f.table(name)
	if err != nil {
		return nil, err
	}
	if header := append([]string{"window", "strategy"}, symbolsOf(w.Assets)...); !slices.Equal(t.header, header) {
		return nil, fmt.Errorf("%s has the columns %q", name, t.header)
	}
	if want := len(w.Shares) * len(w.Strategies); len(t.rows) != want {
		return nil, fmt.Errorf("%s has %d rows, want %d", name, len(t.rows), want)
	}
	rows, err := t.matrix(2)
	if err != nil {
		return nil, err
	}
	all := make([][][]float64, len(w.Shares))
	for i, row := range rows {
		k, s := i/len(w.Strategies), i%len(w.Strategies)
		if t.rows[i][0] != fmt.Sprint(k) || t.rows[i][1] != w.Strategies[s] {
			return nil, fmt.Errorf("%s:%d: %s on history %s, want %s on %d", name, i+2, t.rows[i][1], t.rows[i][0],
				w.Strategies[s], k)
		}
		if worst := outside(row, &simplex.Set{N: w.Assets}); !(worst <= ofKept*float64(len(row))) {
			return nil, fmt.Errorf("%s:%d: weights that miss long-only ones of the sum 1 by %v", name, i+2, worst)
		}
		all[k] = append(all[k], row)
	}
	return all, nil
}

// checkKept compares the shares of a world with its weights, and these with each other
// and with what is chosen again. It returns the strategies whose weights stand for
// themselves.
func (f *folder) checkKept(w *labWorld, d *drawn) (taken []string, err error) {
	kept, err := f.worldWeights(w)
	if err != nil {
		return nil, err
	}
	file, result := path.Join("worlds", w.id, "weights.csv"), path.Join("worlds", w.id, "result.json")
	for k, rows := range kept {
		for s, name := range w.Strategies {
			where := fmt.Sprintf("%s on history %d", name, k)
			f.near(result, where+" by its weights", w.Shares[k][s], d.market.sharpe(rows[s])/d.optimum, ofRules)
			switch want, again := d.weights[k][name]; {
			case again:
				f.all(file, where, symbolsOf(w.Assets), rows[s], want, ofOptimum)
			case !f.halfOf(file, where, w, rows, s):
				if _, costly := costlyRules[name]; !costly {
					taken = append(taken, name)
				}
			}
		}
		if best := slices.Index(w.Strategies, ceilingName); best >= 0 {
			for _, name := range samplers {
				if s := slices.Index(w.Strategies, name); s >= 0 && w.Shares[k][s] > w.Shares[k][best]+ofRules {
					f.add(result, name+", one of the samples", differs, w.Shares[k][s], w.Shares[k][best])
				}
			}
		}
	}
	return taken, nil
}

// halfOf compares a strategy that is the mean of two others with them, and says
// whether it is one, with both there.
func (f *folder) halfOf(file, where string, w *labWorld, rows [][]float64, s int) bool {
	of, is := halves[w.Strategies[s]]
	a, b := slices.Index(w.Strategies, of[0]), slices.Index(w.Strategies, of[1])
	if !is || a < 0 || b < 0 {
		return false
	}
	want := make([]float64, w.Assets)
	for j := range want {
		want[j] = (rows[a][j] + rows[b][j]) / 2
	}
	f.all(file, where+", half of each", symbolsOf(w.Assets), rows[s], want, ofKept)
	return true
}

// chooseAgain has the costly strategies of a world choose on one of its histories.
func (l *laboratory) chooseAgain(ctx context.Context, w *labWorld, d *drawn, k int) error {
	s, err := l.sceneOf(w, k, d.histories[k])
	if err != nil {
		return err
	}
	for _, name := range w.Strategies {
		rule, costly := costlyRules[name]
		if !costly {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if weights, err := rule(s); err == nil { // else a covariance is singular
			d.weights[k][name] = weights
		}
	}
	return nil
}
