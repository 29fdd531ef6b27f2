package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/universe"
)

// overSets is a model over sets of assets, read from its file and run in float64, one
// portfolio after the other.
type overSets struct {
	document setDocument
	layers   map[string]layer
	turned   bool // the second loading of two assets, whose sign roundings decide, has the other one
}

// turns are the model, and where there are two assets the one that is told the other
// sign too.
func (m *overSets) turns(n int) []*overSets {
	if n != 2 {
		return []*overSets{m}
	}
	other := *m
	other.turned = true
	return []*overSets{m, &other}
}

// setDocument is the description in the file's header.
type setDocument struct {
	Version int `json:"version"`
	Config  struct {
		Latent int     `json:"latent"`
		Width  int     `json:"width"`
		Heads  int     `json:"heads"`
		Blocks int     `json:"blocks"`
		Beta   float64 `json:"beta"`
		Seed   uint64  `json:"seed"`

		Objective   string `json:"objective"`
		Conditional bool   `json:"conditional"`
	} `json:"config"`
	Scale    float64 `json:"scale"`
	DataHash string  `json:"data_hash"`
	Backend  string  `json:"backend"`
}

// readSet reads the contents of a model's file.
func readSet(data []byte) (*overSets, error) {
	m, err := readStacks(data, "decoder", "encoder")
	if err != nil {
		return nil, err
	}
	c, h := m.document.Config, m.document.Config.Width
	told, read := features+facts, 1+c.Latent
	if c.Conditional {
		told, read = told+askedOfAsset+askedOfAll, read+1 // the scatter
	}
	return m, m.check(map[string][2]int{
		"decoder.input": {told, h}, "decoder.readout": {h, read},
		"encoder.input": {1 + told + h, h}, "encoder.readout": {2 * h, 2 * c.Latent}})
}

// What a conditional network is told of what is asked: 0 where nothing is, as in all that is
// checked but for the last loss of the training.
const (
	askedOfAsset = 3
	askedOfAll   = 8
)

// readStacks reads a network of one or more stacks of attention.
func readStacks(data []byte, stacks ...string) (*overSets, error) {
	if len(data) < 8 || binary.LittleEndian.Uint64(data) > uint64(len(data)-8) {
		return nil, errors.New("the network is cut short")
	}
	var header struct {
		Metadata map[string]string `json:"__metadata__"`
	}
	if err := json.Unmarshal(data[8:8+binary.LittleEndian.Uint64(data)], &header); err != nil {
		return nil, err
	}
	m := &overSets{layers: map[string]layer{}}
	if err := json.Unmarshal([]byte(header.Metadata["set"]), &m.document); err != nil {
		return nil, fmt.Errorf("the network has no description of one over sets: %w", err)
	}
	all, err := readTensors(data)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, stack := range stacks {
		names = append(names, stack+".input", stack+".readout")
		for block := range m.document.Config.Blocks {
			for _, part := range []string{"attention", "mix", "up", "down"} {
				names = append(names, fmt.Sprintf("%s.%d.%s", stack, block, part))
			}
		}
	}
	for _, name := range names {
		if m.layers[name], err = all.layer(name); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// check returns an error where layers have other shapes.
func (m *overSets) check(shapes map[string][2]int) error {
	for name, shape := range shapes {
		if l := m.layers[name]; len(l.weight) != shape[0] || len(l.bias) != shape[1] {
			return fmt.Errorf("%s is %d x %d, want %d x %d", name, len(l.weight), len(l.bias), shape[0], shape[1])
		}
	}
	return nil
}

// dense is x W + b, by asset.
func (m *overSets) dense(name string, x [][]float64) [][]float64 {
	l := m.layers[name]
	out := make([][]float64, len(x))
	for i, row := range x {
		out[i] = slices.Clone(l.bias)
		for j, weights := range l.weight {
			for k, w := range weights {
				out[i][k] += row[j] * w
			}
		}
	}
	return out
}

// evened are rows over the root of their mean square.
func evened(x [][]float64) [][]float64 {
	out := make([][]float64, len(x))
	for i, row := range x {
		var square float64
		for _, v := range row {
			square += v * v / float64(len(row))
		}
		for _, v := range row {
			out[i] = append(out[i], v/math.Sqrt(square+1e-6))
		}
	}
	return out
}

// stack passes rows, one an asset, through the blocks of attention.
func (m *overSets) stack(name string, x [][]float64) [][]float64 {
	x = m.dense(name+".input", x)
	add := func(y [][]float64) {
		for i := range x {
			for k := range x[i] {
				x[i][k] += y[i][k]
			}
		}
	}
	for block := range m.document.Config.Blocks {
		part := func(of string) string { return fmt.Sprintf("%s.%d.%s", name, block, of) }
		add(m.dense(part("mix"), m.attend(m.dense(part("attention"), evened(x)))))
		up := m.dense(part("up"), evened(x))
		for i := range up {
			for k, v := range up[i] {
				up[i][k] = v / (1 + math.Exp(-v))
			}
		}
		add(m.dense(part("down"), up))
	}
	return evened(x)
}

// attend lets each asset look at all, head by head.
func (m *overSets) attend(qkv [][]float64) [][]float64 {
	h := m.document.Config.Width
	e := h / m.document.Config.Heads
	out := make([][]float64, len(qkv))
	for head := range m.document.Config.Heads {
		part := func(which int) (rows [][]float64) {
			for _, row := range qkv {
				rows = append(rows, row[which*h+head*e:which*h+(head+1)*e])
			}
			return rows
		}
		queries, keys, values := evened(part(0)), evened(part(1)), part(2)
		for i, q := range queries {
			shares, total := make([]float64, len(keys)), 0.0
			for j, key := range keys {
				var dot float64
				for k := range q {
					dot += q[k] * key[k]
				}
				shares[j] = math.Exp(dot / math.Sqrt(float64(e))) // at most exp(sqrt(e)), as rows are evened
				total += shares[j]
			}
			seen := make([]float64, e)
			for j, share := range shares {
				for k, v := range values[j] {
					seen[k] += share / total * v
				}
			}
			out[i] = append(out[i], seen...)
		}
	}
	return out
}

// settled is a model over sets in one universe.
type settled struct {
	model     *overSets
	known     [][]float64 // tokens and facts, by asset
	seen      [][]float64 // the decoder's features, by asset
	offset    []float64
	slopes    [][]float64 // n x d
	scatter   []float64   // variances of portfolios about what is decoded; nil: the network doesn't tell them
	deviation float64
	limit     float64
}

// in runs the network on a universe's means, covariance, periods and largest weight.
func (m *overSets) in(mean []float64, cov [][]float64, periods int, limit float64) *settled {
	return m.under(mean, cov, periods, limit, &universe.Asked{})
}

// under is in, with something asked of portfolios: it counts for conditional networks.
func (m *overSets) under(mean []float64, cov [][]float64, periods int, limit float64, a *universe.Asked) *settled {
	n := float64(len(mean))
	s := &settled{model: m, limit: limit, deviation: math.Sqrt(m.document.Scale * (limit - 1/n) / n)}
	all := []float64{math.Log(float64(periods) / 120), math.Log(n*limit) - 1.5, math.Log(n / 16)}
	asked := make([][]float64, len(mean))
	if m.document.Config.Conditional {
		asked, all = askedOfAssets(a, len(mean)), append(all, askedOfUniverse(a, cov, periods)...)
	}
	for i, token := range tokensOf(mean, cov, periods) {
		if m.turned {
			token[secondLoading] *= -1
		}
		s.known = append(s.known, slices.Concat(token, asked[i], all))
	}
	s.seen = m.stack("decoder", s.known)
	for _, read := range m.dense("decoder.readout", s.seen) {
		s.offset, s.slopes = append(s.offset, read[0]), append(s.slopes, read[1:1+m.document.Config.Latent])
		if m.document.Config.Conditional {
			s.scatter = append(s.scatter, s.deviation*s.deviation*math.Exp(7*math.Tanh(read[len(read)-1]/7)))
		}
	}
	return s
}

// askedOfAssets is what each asset is told of the groups that it is in.
func askedOfAssets(a *universe.Asked, n int) [][]float64 {
	told := make([][]float64, n)
	for i := range told {
		told[i] = make([]float64, askedOfAsset)
		for _, g := range a.Groups {
			part := sum(g.Members) / float64(n)
			for k, v := range []float64{1, part, g.Share - part} {
				told[i][k] += g.Members[i] * v
			}
		}
	}
	return told
}

// askedOfUniverse is what is asked of the whole: volatility, return, effective number of
// assets and largest weight, each behind a 1 where it is.
func askedOfUniverse(a *universe.Asked, cov [][]float64, periods int) []float64 {
	told, n, logs := make([]float64, askedOfAll), float64(len(cov)), 0.0
	for i := range cov {
		logs += math.Log(cov[i][i]) / 2 / n
	}
	unit := math.Exp(logs)
	if a.Volatility > 0 {
		told[0], told[1] = 1, math.Log(a.Volatility/unit)
	}
	if a.Return != nil {
		told[2], told[3] = 1, 4*math.Tanh(*a.Return/unit*math.Sqrt(float64(periods))/4)
	}
	if a.Effective > 0 {
		told[4], told[5] = 1, math.Log(a.Effective/n)+1
	}
	if a.Largest > 0 {
		told[6], told[7] = 1, math.Log(n*a.Largest)-1.5
	}
	return told
}

// asking draws what the training asks of a held-out universe, by its place, of what its
// first portfolio has: which of it is drawn by package universe.
func (u *universeLine) asking(at int, cov [][]float64) *universe.Asked {
	n := len(u.Mean)
	c := mat.NewSymDense(n, nil)
	for i, row := range cov {
		for j := range i + 1 {
			c.SetSym(i, j, row[j])
		}
	}
	market := &universe.Universe{Mean: u.Mean, Cov: c, Periods: u.Periods, Cap: u.Cap}
	return market.Ask(u.Weights[0], stream.New(0, "vae.set.asked", uint64(at)))
}

// decode returns the portfolio of a code.
func (s *settled) decode(z []float64) []float64 {
	y := make([]float64, len(s.offset))
	for i := range y {
		y[i] = s.offset[i]
		for k, slope := range s.slopes[i] {
			y[i] += slope * z[k]
		}
		y[i] = 1/float64(len(y)) + s.deviation*y[i]
	}
	return capped(y, s.limit)
}

// encode returns the mean and the log variance of q(z|w).
func (s *settled) encode(w []float64) (mean, logvar []float64) {
	n := float64(len(w))
	var rows [][]float64
	var own []float64
	for i, x := range w {
		own = append(own, (x-1/n)/s.deviation)
		rows = append(rows, slices.Concat([]float64{own[i]}, s.known[i], s.seen[i]))
	}
	h, d := s.model.document.Config.Width, s.model.document.Config.Latent
	pooled := make([]float64, 2*h)
	for i, row := range s.model.stack("encoder", rows) {
		for k, v := range row {
			pooled[k] += v / n
			pooled[h+k] += own[i] * v / n
		}
	}
	out := s.model.dense("encoder.readout", [][]float64{pooled})[0]
	return out[:d], out[d:]
}

// Sizes of what a model is told of an asset, and of a universe.
const (
	features = 11
	facts    = 3

	firstLoading  = 4 // of the features
	secondLoading = firstLoading + 1
)

// tokensOf are the features of assets: see docs/universe.md.
func tokensOf(mean []float64, cov [][]float64, periods int) [][]float64 {
	n, root := len(mean), math.Sqrt(float64(periods))
	soft := func(x, bound float64) float64 { return bound * math.Tanh(x/bound) }
	tokens, vol, t := make([][]float64, n), make([]float64, n), make([]float64, n)
	with, correlation := make([]float64, n), make([][]float64, n)
	var logs, basket, basketMean float64
	for i := range n {
		vol[i] = math.Sqrt(cov[i][i])
		t[i] = mean[i] / vol[i] * root
		logs += math.Log(vol[i]) / float64(n)
		basketMean += mean[i] / float64(n)
		with[i] = sum(cov[i]) / float64(n)
		basket += with[i] / float64(n)
	}
	for i := range n {
		for j := range n {
			correlation[i] = append(correlation[i], cov[i][j]/(vol[i]*vol[j]))
		}
		beta := with[i] / max(basket, 1e-12*cov[i][i])
		alpha := 0.0
		if rest := cov[i][i] - beta*with[i]; rest > 1e-9*cov[i][i] {
			alpha = (mean[i] - beta*basketMean) / math.Sqrt(rest) * root
		}
		tokens[i] = make([]float64, features)
		copy(tokens[i], []float64{math.Log(vol[i]) - logs, soft(t[i], 4), soft(beta-1, 3), soft(alpha, 4)})
	}
	ridged := func(ridge float64) [][]float64 {
		a := make([][]float64, n)
		for i := range a {
			a[i] = slices.Clone(correlation[i])
			a[i][i] = 1 + ridge
		}
		return a
	}
	for k, ridge := range []float64{0.01, 0.1} {
		tangency := solved(ridged(ridge), t)
		var square float64
		for _, x := range tangency {
			square += x * x / float64(n)
		}
		for i, x := range tangency {
			if square > 0 {
				tokens[i][8+k] = soft(x/math.Sqrt(square), 3)
			}
		}
	}
	inverse := make([]float64, n)
	for i := range n {
		inverse[i] = 1 / vol[i]
	}
	least := solved(ridged(0.1), inverse)
	var total float64
	for i := range n {
		total += least[i] / vol[i]
	}
	for i := range n {
		tokens[i][10] = soft(float64(n)*least[i]/vol[i]/total-1, 3)
	}
	factors := eigen(correlation)
	for k := range min(4, n) {
		var cubes float64
		for _, v := range factors.directions[k] {
			cubes += v * v * v
		}
		for i, v := range factors.directions[k] {
			tokens[i][firstLoading+k] = math.Copysign(math.Sqrt(max(factors.values[k], 0)), cubes) * v
		}
	}
	return tokens
}

// solved is the solution of a x = b by elimination, of a positive definite a, which is
// spent.
func solved(a [][]float64, b []float64) []float64 {
	x := slices.Clone(b)
	for i := range a {
		for r := i + 1; r < len(a); r++ {
			f := a[r][i] / a[i][i]
			for c := i; c < len(a); c++ {
				a[r][c] -= f * a[i][c]
			}
			x[r] -= f * x[i]
		}
	}
	for i := len(a) - 1; i >= 0; i-- {
		for c := i + 1; c < len(a); c++ {
			x[i] -= a[i][c] * x[c]
		}
		x[i] /= a[i][i]
	}
	return x
}

// universeLine is a line of universes.jsonl.
type universeLine struct {
	ID      string      `json:"id"`
	HeldOut bool        `json:"held_out"`
	Periods int         `json:"periods"`
	Cap     float64     `json:"cap"`
	Mean    []float64   `json:"mean"`
	Lower   [][]float64 `json:"covariance"` // the lower triangle
	Weights [][]float64 `json:"weights"`
	Truth   *struct {
		Mean  []float64   `json:"mean"`
		Lower [][]float64 `json:"covariance"`
	} `json:"truth"` // of simulated markets, where it was kept
}

// covariance is the whole of it; an error says that it is none.
func (u *universeLine) covariance() ([][]float64, error) { return fromLower(u.Lower, len(u.Mean)) }

// fromLower is the covariance of n assets by its lower triangle.
func fromLower(lower [][]float64, n int) ([][]float64, error) {
	cov := make([][]float64, n)
	for i := range cov {
		cov[i] = make([]float64, n)
	}
	if len(lower) != n || n < 2 {
		return nil, fmt.Errorf("%d rows of covariance for %d means", len(lower), n)
	}
	for i, row := range lower {
		if len(row) != i+1 || !(row[i] > 0) {
			return nil, fmt.Errorf("row %d of the covariance has %d entries, or no variance", i+1, len(row))
		}
		for j, v := range row {
			cov[i][j], cov[j][i] = v, v
		}
	}
	return cov, nil
}

// readUniverses reads a corpus of many universes.
func readUniverses(path string) ([]universeLine, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	decoder := json.NewDecoder(file)
	var all []universeLine
	for decoder.More() {
		var u universeLine
		if err := decoder.Decode(&u); err != nil {
			return nil, fmt.Errorf("%s: universe %d: %w", path, len(all)+1, err)
		}
		all = append(all, u)
	}
	return all, nil
}
