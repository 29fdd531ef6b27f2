package metrics

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// laneSums are the sums of a pass over the returns of portfolios side by side.
// The kernels know the order of the fields.
type laneSums struct {
	mean, target                     [lanes]float64 // given
	squares, downside, wealth, worst [lanes]float64 // as in passSums
}

// lanePowers are the sums of powers, likewise.
type lanePowers struct {
	mean, std             [lanes]float64 // given
	second, third, fourth [lanes]float64
}

// octet is the number of lanes whose tails are collected together.
const octet = 8

// single is what one worker needs for one portfolio: padded periods each.
type single struct{ y, kept, work []float64 }

func (e *Evaluator) newSingle() single {
	periods := e.returns.padded()
	memory := make([]float64, 3*periods)
	return single{memory[:periods], memory[periods : 2*periods], memory[2*periods:]}
}

// scratch is what one worker needs for a block of portfolios.
type scratch struct {
	single
	weights    []float64 // n x lanes
	series     []float64 // padded periods x lanes
	below      []uint8   // a bit for each lane of an octet, by period; whole words
	candidates []float64 // octet x padded periods
	holdings   [lanes]holding
	sums       [lanes]sums
}

func (e *Evaluator) newScratch() *scratch {
	periods := e.returns.padded()
	return &scratch{
		single:     e.newSingle(),
		weights:    make([]float64, e.assets*lanes),
		series:     make([]float64, periods*lanes),
		below:      make([]uint8, (e.periods+7)/8*8),
		candidates: make([]float64, octet*periods),
	}
}

// sumBlock sets the first rows of s.holdings and s.sums to those of the
// portfolios with the given weights.
func (e *Evaluator) sumBlock(s *scratch, rows int, row func(int) []float64) {
	clear(s.weights)
	for i := range rows {
		w := row(i)
		s.holdings[i] = e.hold(w)
		for j, v := range w {
			s.weights[j*lanes+i] = v
		}
	}
	e.returns.product(s.series, s.weights)
	if !hasAVX2 {
		for i := range rows {
			s.sums[i] = e.sum(&s.holdings[i], s.lane(i)[:e.periods], s.kept, s.work)
		}
		return
	}
	e.passBlock(s, rows)
	for i := range rows {
		s.sums[i].std = e.deviation(&s.holdings[i], s.sums[i].squares)
		if e.settings.Convention == SkfolioDefaults {
			s.sums[i].fall = cumulativeDrawdown(s.lane(i)[:e.periods])
		}
	}
	if e.settings.Figures&Of(VaR, CVaR) != 0 {
		for first := 0; first < rows; first += octet {
			e.tailBlock(s, first, min(first+octet, rows))
		}
	}
	if e.settings.Figures.Has(PSR) {
		e.powersBlock(s, rows)
	}
}

// lane copies the returns of one portfolio to s.y.
func (s *scratch) lane(i int) []float64 {
	for t := range s.y {
		s.y[t] = s.series[t*lanes+i]
	}
	return s.y
}

func (e *Evaluator) passBlock(s *scratch, rows int) {
	var l laneSums
	for i := range rows {
		l.mean[i], l.target[i] = s.holdings[i].mean, e.targetOf(&s.holdings[i])
	}
	if hasAVX512 {
		passAVX512(&l, &s.series[0], e.periods)
	} else {
		passAVX2(&l, &s.series[0], e.periods)
	}
	for i := range rows {
		s.sums[i] = sums{passSums: passSums{l.squares[i], l.downside[i], l.wealth[i], l.worst[i]}}
	}
}

func (e *Evaluator) powersBlock(s *scratch, rows int) {
	var p lanePowers
	for i := range rows {
		p.mean[i], p.std[i] = s.holdings[i].mean, s.sums[i].std
	}
	if hasAVX512 {
		powersAVX512(&p, &s.series[0], e.periods)
	} else {
		powersAVX2(&p, &s.series[0], e.periods)
	}
	for i := range rows {
		if p.std[i] > 0 {
			s.sums[i].powers = powers{p.second[i], p.third[i], p.fourth[i]}
		}
	}
}

// tailBlock sets VaR and CVaR of the lanes of an octet, from the first on and
// before the last. The returns below the lanes' thresholds are marked by
// vector instructions and then dealt out.
func (e *Evaluator) tailBlock(s *scratch, first, last int) {
	var thresholds [octet]float64
	for i := range thresholds {
		thresholds[i] = math.Inf(-1)
		if lane := first + i; lane < last {
			thresholds[i] = e.tail.threshold(s.holdings[lane].mean, s.sums[lane].std)
		}
	}
	if hasAVX512 {
		belowAVX512(&s.below[0], &s.series[first], &thresholds[0], e.periods)
	} else {
		belowAVX2(&s.below[0], &s.series[first], &thresholds[0], e.periods)
	}
	var counts [octet]int
	stride := len(s.y)
	for t := 0; t < len(s.below); t += 8 {
		for word := binary.LittleEndian.Uint64(s.below[t:]); word != 0; word &= word - 1 {
			bit := bits.TrailingZeros64(word)
			i := bit % octet
			s.candidates[i*stride+counts[i]] = s.series[(t+bit/octet)*lanes+first+i]
			counts[i]++
		}
	}
	for lane := first; lane < last; lane++ {
		candidates := s.candidates[(lane-first)*stride:][:counts[lane-first]]
		if len(candidates) < e.tail.k {
			candidates = s.lane(lane)[:e.periods]
		}
		s.sums[lane].valueAtRisk, s.sums[lane].conditional = e.tail.worst(candidates, s.work)
	}
}
