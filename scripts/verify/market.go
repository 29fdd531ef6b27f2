package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"vaefolio/vaelib/stream"
)

// truth is a simulated market: what its assets earn in the long run, per period, and
// how a history is drawn.
type truth struct {
	mean       []float64
	covariance [][]float64
	level      float64 // of the law of the Sharpe ratios, annual
	dispersion float64
	perYear    float64
	draw       func(rng *rand.Rand, periods int) [][]float64
}

// correlation is the mean one over the pairs.
func (m *truth) correlation() float64 { return meanCorrelation(m.covariance) }

func meanCorrelation(c [][]float64) (mean float64) {
	n := len(c)
	for i := range n {
		for j := range i {
			mean += c[i][j] / math.Sqrt(c[i][i]*c[j][j]) / float64(n*(n-1)/2)
		}
	}
	return mean
}

// climate is a market of regimes, which a Markov chain changes, with factors, Student
// tails and one GARCH(1,1) of the volatility.
type climate struct {
	mean        [][]float64   // by regime
	loadings    [][][]float64 // by regime and asset
	transition  [][]float64
	shares      []float64 // of the regimes in the long run
	freedom     int
	alpha, beta float64
}

func between(rng *rand.Rand, from, to float64) float64 { return from + (to-from)*rng.Float64() }

func whole1(rng *rand.Rand, from, to int) int { return from + rng.IntN(to-from+1) }

// newRegimes draws how long the regimes last, the first being the calm one.
func newRegimes(rng *rand.Rand, regimes int) *climate {
	c := &climate{}
	for s := range regimes {
		days := between(rng, 40, 160)
		if s > 0 {
			days = between(rng, 8, 70)
		}
		row := make([]float64, regimes)
		for to := range row {
			if to != s {
				row[to] = between(rng, 0.2, 1)
			}
		}
		total := sum(row)
		for to := range row {
			if row[to] /= total * days; regimes == 1 {
				row[to] = 0
			}
		}
		row[s] = 1 - sum(row)
		c.transition = append(c.transition, row)
	}
	c.shares = make([]float64, regimes)
	c.shares[0] = 1
	for range 10_000 {
		next := make([]float64, regimes)
		for i, row := range c.transition {
			for j, v := range row {
				next[j] += c.shares[i] * v
			}
		}
		c.shares = next
	}
	c.alpha = between(rng, 0.02, 0.1)
	c.beta = between(rng, 0.9, 0.98) - c.alpha
	return c
}

// bonds are how strongly the assets hang together.
type bonds struct {
	market             []float64
	others             [][]float64 // by further factor
	calm, bound, drift []float64   // by regime
}

func newBonds(rng *rand.Rand, n, factors int, shares []float64) *bonds {
	b := &bonds{}
	for range n {
		b.market = append(b.market, between(rng, 0.6, 1.4))
	}
	for range factors - 1 {
		strength := math.Sqrt(between(rng, 0, 0.3))
		group := rng.IntN(2) == 0
		members := between(rng, 0.15, 0.5)
		loads := make([]float64, n)
		for i := range loads {
			v := rng.NormFloat64()
			if group {
				if v = 0; rng.Float64() < members {
					v = 1
				}
			}
			loads[i] = strength * v * b.market[i]
		}
		b.others = append(b.others, loads)
	}
	var average float64
	for r, share := range shares {
		calm, bound := between(rng, 0.7, 1), between(rng, 0.8, 1)
		if r > 0 {
			calm, bound = between(rng, 1, 2.2), between(rng, 1, 2)
		}
		drift := 0.08 * rng.NormFloat64()
		b.calm, b.bound, b.drift = append(b.calm, calm), append(b.bound, bound), append(b.drift, drift)
		average += share * drift
	}
	for r := range b.drift {
		b.drift[r] -= average
	}
	return b
}

// put sets loadings and means, with factors of a strength.
func (b *bonds) put(c *climate, strength float64) {
	c.loadings, c.mean = nil, nil
	for r := range b.calm {
		var loadings [][]float64
		var mean []float64
		root := math.Sqrt(strength * b.bound[r])
		for i, m := range b.market {
			row := []float64{root * m}
			for _, loads := range b.others {
				row = append(row, root*loads[i])
			}
			own := make([]float64, len(b.market))
			own[i] = 1
			row = append(row, own...)
			length := math.Sqrt(squared(row, make([]float64, len(row))))
			for k := range row {
				row[k] *= b.calm[r] / length
			}
			loadings, mean = append(loadings, row), append(mean, b.drift[r]*m)
		}
		c.loadings, c.mean = append(c.loadings, loadings), append(c.mean, mean)
	}
}

// moments are those over all regimes.
func (c *climate) moments() (mean []float64, covariance [][]float64) {
	n := len(c.mean[0])
	mean, covariance = make([]float64, n), make([][]float64, n)
	for i := range covariance {
		covariance[i] = make([]float64, n)
	}
	for s, share := range c.shares {
		for i, m := range c.mean[s] {
			mean[i] += share * m
		}
	}
	for s, share := range c.shares {
		for i, a := range c.loadings[s] {
			for j, b := range c.loadings[s] {
				var product float64
				for k, v := range a {
					product += v * b[k]
				}
				covariance[i][j] += share * (product + (c.mean[s][i]-mean[i])*(c.mean[s][j]-mean[j]))
			}
		}
	}
	return mean, covariance
}

// newTruth draws a market of n assets whose true Sharpe ratios have a level from .2 to
// .8 and a dispersion.
func newTruth(seed, index uint64, n int, dispersion float64) (*truth, error) {
	rng := stream.New(seed, "simulate.world", index)
	whole1(rng, n, n)
	factors, regimes := whole1(rng, 1, 6), 0
	regimes = whole1(rng, 1, 3)
	c := newRegimes(rng, regimes)
	c.freedom = whole1(rng, 5, 30)
	b := newBonds(rng, n, factors, c.shares)
	want := between(rng, 0.05, 0.7)
	low, high := 0.0, 400.0
	for range 40 {
		middle := (low + high) / 2
		b.put(c, middle)
		if _, covariance := c.moments(); meanCorrelation(covariance) < want {
			low = middle
		} else {
			high = middle
		}
	}
	least, most := math.Log(0.05), math.Log(1.2)
	middle, spread := between(rng, least, most), rng.Float64()
	volatility := make([]float64, n)
	for i := range volatility {
		volatility[i] = math.Exp(min(most, max(least, middle+spread*(2*rng.Float64()-1))))
	}
	m := &truth{perYear: periodsPerYear}
	sharpes, err := m.sharpes(rng, n, dispersion)
	if err != nil {
		return nil, err
	}
	_, covariance := c.moments()
	for r, loadings := range c.loadings {
		for i, v := range volatility {
			deviation := v / math.Sqrt(m.perYear)
			factor := deviation / math.Sqrt(covariance[i][i])
			for k := range loadings[i] {
				loadings[i][k] *= factor
			}
			c.mean[r][i] = factor*c.mean[r][i] + sharpes[i]*deviation/math.Sqrt(m.perYear)
		}
	}
	m.mean, m.covariance = c.moments()
	m.draw = c.draw
	return m, nil
}

// periodsPerYear is that of simulated markets.
const periodsPerYear = 365.0

// sharpes draws the true Sharpe ratios, of which one at least is positive.
func (m *truth) sharpes(rng *rand.Rand, n int, dispersion float64) ([]float64, error) {
	m.level, m.dispersion = between(rng, 0.2, 0.8), between(rng, dispersion, dispersion)
	s := make([]float64, n)
	for range 100 {
		for i := range s {
			s[i] = m.level + m.dispersion*rng.NormFloat64()
		}
		if slices.Max(s) > 0 {
			return s, nil
		}
	}
	return nil, fmt.Errorf("no Sharpe ratio about %v is positive", m.level)
}

// among chooses by probabilities.
func among(p []float64, rng *rand.Rand) int {
	u := rng.Float64()
	for i, v := range p[:len(p)-1] {
		if u -= v; u < 0 {
			return i
		}
	}
	return len(p) - 1
}

// draw makes a history.
func (c *climate) draw(rng *rand.Rand, periods int) (rows [][]float64) {
	regime, variance := among(c.shares, rng), 1.0
	z := make([]float64, len(c.loadings[0][0]))
	for range periods {
		row := make([]float64, len(c.mean[0]))
		var scale float64
		for range 100 { // until nothing loses all
			for k := range z {
				z[k] = rng.NormFloat64()
			}
			var chi2 float64
			for range c.freedom {
				v := rng.NormFloat64()
				chi2 += v * v
			}
			scale = math.Sqrt(variance * float64(c.freedom-2) / chi2)
			for i, loads := range c.loadings[regime] {
				row[i] = c.mean[regime][i]
				for k, v := range loads {
					row[i] += scale * v * z[k]
				}
			}
			if slices.Min(row) > -1 {
				break
			}
		}
		rows = append(rows, row)
		shock := scale * z[0]
		variance = 1 - c.alpha - c.beta + c.alpha*shock*shock + c.beta*variance
		regime = among(c.transition[regime], rng)
	}
	return rows
}

// resampledTruth is a market of some columns of real returns, in blocks of ten periods
// on average, with means of which the true Sharpe ratios are known.
func resampledTruth(seed, index uint64, n int, dispersion, perYear float64, real [][]float64) (*truth, error) {
	chosen := stream.New(seed, "lab.columns", index).Perm(len(real[0]))[:n]
	m := &truth{perYear: perYear}
	sharpes, err := m.sharpes(stream.New(seed, "simulate.resampled", index), n, dispersion)
	if err != nil {
		return nil, err
	}
	history := make([][]float64, len(real))
	for t, row := range real {
		for _, j := range chosen {
			history[t] = append(history[t], row[j])
		}
	}
	mean := columnMeans(history)
	m.covariance = covarianceOf(history, float64(len(history)))
	for i := range n {
		m.mean = append(m.mean, sharpes[i]*math.Sqrt(m.covariance[i][i]/perYear))
	}
	for _, row := range history {
		for i := range row {
			row[i] += m.mean[i] - mean[i]
		}
	}
	m.draw = func(rng *rand.Rand, periods int) (rows [][]float64) {
		const block = 10
		at := 0
		for t := range periods {
			if t == 0 || rng.Float64()*block < 1 {
				at = rng.IntN(len(history))
			} else {
				at = (at + 1) % len(history)
			}
			rows = append(rows, history[at])
		}
		return rows
	}
	return m, nil
}

// sharpe is the true annual Sharpe ratio of weights.
func (m *truth) sharpe(w []float64) float64 {
	var mean, variance float64
	for i, v := range times(m.covariance, w) {
		mean += m.mean[i] * w[i]
		variance += v * w[i]
	}
	return mean / math.Sqrt(variance) * math.Sqrt(m.perYear)
}

// history draws one of the market's, by its number from 1 on.
func (m *truth) history(seed, index uint64, periods int) [][]float64 {
	return m.draw(stream.New(seed, "lab.history", index), periods)
}

// streamOf is the index of the random source of a world, or of one of its histories.
func (c labCell) streamOf(world, history int) uint64 {
	hash := hashParts(fmt.Appendf(nil, "%d %d %v %d %d", c.Assets, c.Periods, c.Dispersion, world, history))
	return binary.BigEndian.Uint64([]byte(hash))
}
