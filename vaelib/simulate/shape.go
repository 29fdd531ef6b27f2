package simulate

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// climates draws the regimes of a process: how long they last and how the
// volatility clusters. The first is the calm one.
func climates(regimes int, rng *rand.Rand) *Process {
	p := &Process{}
	for s := range regimes {
		days := Range{40, 160}.real(rng) // that it lasts on average
		if s > 0 {
			days = Range{8, 70}.real(rng)
		}
		row := make([]float64, regimes)
		var sum float64
		for to := range row {
			if to != s {
				row[to] = Range{0.2, 1}.real(rng)
				sum += row[to]
			}
		}
		row[s] = 1
		for to := range row {
			if to != s {
				row[to] /= sum * days
				row[s] -= row[to]
			}
		}
		p.Transition = append(p.Transition, row)
	}
	p.Shares = Stationary(p.Transition)
	p.Alpha = Range{0.02, 0.1}.real(rng)
	p.Beta = Range{0.9, 0.98}.real(rng) - p.Alpha
	return p
}

// shape is a market before its volatilities and means: how strongly the assets
// hang together, in each regime.
type shape struct {
	market  []float64   // n, positive loadings
	others  [][]float64 // factors - 1 of n: of groups or of styles
	calm    []float64   // S, volatility of a regime beside the others'
	bound   []float64   // S, strength of the factors beside the others'
	drift   []float64   // S, what the market gains in a regime, in deviations of a period; 0 in the long run
	loaders int         // k: the factors, then one of each asset
}

// newShape draws one.
func newShape(n, factors int, p *Process, rng *rand.Rand) *shape {
	s := &shape{loaders: factors + n}
	for range n {
		s.market = append(s.market, Range{0.6, 1.4}.real(rng))
	}
	for range factors - 1 {
		loads, strength := make([]float64, n), math.Sqrt(Range{0, 0.3}.real(rng))
		group, members := rng.IntN(2) == 0, Range{0.15, 0.5}.real(rng)
		for i := range loads {
			v := rng.NormFloat64()
			if group { // a sector: some belong to it, the others don't
				v = 0
				if rng.Float64() < members {
					v = 1
				}
			}
			loads[i] = strength * v * s.market[i]
		}
		s.others = append(s.others, loads)
	}
	var drift float64
	for r, share := range p.Shares {
		calm, bound := Range{0.7, 1}.real(rng), Range{0.8, 1}.real(rng)
		if r > 0 {
			calm, bound = Range{1, 2.2}.real(rng), Range{1, 2}.real(rng)
		}
		s.calm, s.bound = append(s.calm, calm), append(s.bound, bound)
		s.drift = append(s.drift, 0.08*rng.NormFloat64())
		drift += float64(share * s.drift[r])
	}
	for r := range s.drift {
		s.drift[r] -= drift
	}
	return s
}

// fit writes the shape into the process, with the factors as strong as the mean
// correlation over all regimes wants them.
func (s *shape) fit(p *Process, correlation float64) {
	low, high := 0.0, 400.0 // of the factors' variance beside an asset's own
	for range 40 {
		middle := (low + high) / 2
		s.write(p, middle)
		if _, cov := p.Moments(); meanCorrelation(cov) < correlation {
			low = middle
		} else {
			high = middle
		}
	}
}

// write sets loadings and means for factors of a strength.
func (s *shape) write(p *Process, strength float64) {
	n := len(s.market)
	p.Loadings, p.Mean = nil, nil
	for r := range s.calm {
		l, mean := mat.NewDense(n, s.loaders, nil), make([]float64, n)
		root := math.Sqrt(strength * s.bound[r])
		for i := range n {
			l.Set(i, 0, root*s.market[i])
			for f, loads := range s.others {
				l.Set(i, 1+f, root*loads[i])
			}
			l.Set(i, 1+len(s.others)+i, 1)
			row := l.RawRowView(i)
			unit := s.calm[r] / math.Sqrt(dot(row, row))
			for k := range row {
				row[k] *= unit
			}
			mean[i] = s.drift[r] * s.market[i]
		}
		p.Loadings, p.Mean = append(p.Loadings, l), append(p.Mean, mean)
	}
}

// scale gives the assets their annual volatilities and Sharpe ratios in the
// long run.
func scale(p *Process, volatility, sharpe []float64, periodsPerYear float64) {
	_, cov := p.Moments()
	for r, l := range p.Loadings {
		for i, v := range volatility {
			deviation := v / math.Sqrt(periodsPerYear)
			factor := deviation / math.Sqrt(cov.At(i, i))
			row := l.RawRowView(i)
			for k := range row {
				row[k] *= factor
			}
			p.Mean[r][i] = float64(factor*p.Mean[r][i]) + float64(sharpe[i]*deviation/math.Sqrt(periodsPerYear))
		}
	}
}
