package inference

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/metrics"
)

// limit is the size up to which returns are believed, as in package metrics.
const limit = 1e15

// flatness is the deviation, relative to the size of what it is of, that is
// rounding and no more.
const flatness = 1e-12

// Overfitting is the result of [CSCV]. Sharpe ratios are per period, and its
// "chosen" trial is the one with the best ratio in sample.
type Overfitting struct {
	PBO               float64   // share of splits whose chosen trial is at or below the median out of sample
	Logits            []float64 // of each split: ln(w/(1-w)), w the chosen trial's relative rank out of sample
	MeanLogit         float64
	MedianLogit       float64
	ProbabilityOfLoss float64 // share of splits whose chosen trial has a negative ratio out of sample
	MeanInSample      float64 // of the chosen trials' ratios
	MeanOutOfSample   float64

	// The line of the chosen trials' ratios out of sample over those in sample.
	// Both halves add up to the same whole, so the slope is near -1 by
	// construction where trials differ little: it is no evidence of overfitting.
	Slope, Intercept, R2 float64
}

// SplitError is a trial whose return is the same in every period of a split,
// so that it has no Sharpe ratio there.
type SplitError struct{ Trial int }

func (e *SplitError) Error() string {
	return fmt.Sprintf("trial %d (from 0) has the same return in every period of a split: "+
		"leave it out or use fewer blocks", e.Trial)
}

// CSCV estimates the probability of backtest overfitting by combinatorially
// symmetric cross-validation (Bailey, Borwein, López de Prado & Zhu 2016, "The
// probability of backtest overfitting"): how often the trial that looks best
// on one half of the data is a poor one on the other half.
//
// Returns are T x N, a column for each of the N trials that were looked at,
// winners and losers alike. They are cut into an even number of contiguous
// blocks of floor(T/blocks) rows (rows left over at the end are dropped), and
// every choice of half the blocks is one split, in lexicographic order: 16
// blocks, the usual number, make 12,870. Of equal trials the first is chosen,
// and the rank of a trial is 1 + the number of trials strictly below it.
//
// It returns an error for fewer than 2 trials, for blocks that are not even or
// outside [2, 24] or have fewer than 2 rows a half, and a [*metrics.ReturnError] or
// [*SplitError].
func CSCV(returns *mat.Dense, blocks int) (*Overfitting, error) {
	periods, trials := returns.Dims()
	if trials < 2 {
		return nil, errors.New("1 trial: the probability of overfitting needs the returns of all trials that were " +
			"compared, at least 2")
	}
	if blocks < 2 || blocks > 24 || blocks%2 != 0 {
		return nil, fmt.Errorf("%d blocks: choose an even number from 2 to 24, such as 16", blocks)
	}
	rows := periods / blocks
	if rows*blocks/2 < 2 {
		return nil, fmt.Errorf("%d returns are too few for %d blocks: a half needs at least 2", periods, blocks)
	}
	for t := range periods {
		for j, r := range returns.RawRowView(t) {
			if !(math.Abs(r) <= limit) {
				return nil, &metrics.ReturnError{Period: t, Asset: j, Value: r}
			}
		}
	}

	sums := newBlockSums(returns, blocks, rows)
	o := &Overfitting{}
	var inSample, outOfSample []float64
	half := newHalves(blocks)
	ratiosIn, ratiosOut := make([]float64, trials), make([]float64, trials)
	for more := true; more; more = half.next() {
		if err := sums.sharpe(ratiosIn, half.inside); err != nil {
			return nil, err
		}
		if err := sums.sharpe(ratiosOut, half.outside()); err != nil {
			return nil, err
		}
		chosen := 0
		for j, ratio := range ratiosIn {
			if ratio > ratiosIn[chosen] {
				chosen = j
			}
		}
		rank := 1
		for _, ratio := range ratiosOut {
			if ratio < ratiosOut[chosen] {
				rank++
			}
		}
		w := float64(rank) / float64(trials+1)
		o.Logits = append(o.Logits, math.Log(w/(1-w)))
		inSample = append(inSample, ratiosIn[chosen])
		outOfSample = append(outOfSample, ratiosOut[chosen])
		if 2*rank <= trials+1 { // logit <= 0, without rounding
			o.PBO++
		}
		if ratiosOut[chosen] < 0 {
			o.ProbabilityOfLoss++
		}
	}
	splits := float64(len(o.Logits))
	o.PBO /= splits
	o.ProbabilityOfLoss /= splits
	o.MeanLogit = stat.Mean(o.Logits, nil)
	o.MedianLogit = median(o.Logits)
	o.MeanInSample = stat.Mean(inSample, nil)
	o.MeanOutOfSample = stat.Mean(outOfSample, nil)
	o.degradation(inSample, outOfSample)
	return o, nil
}

// degradation fits the line by least squares; it stays 0 where all ratios in
// sample are equal.
func (o *Overfitting) degradation(inSample, outOfSample []float64) {
	var xx, xy, yy float64
	for i, x := range inSample {
		dx, dy := x-o.MeanInSample, outOfSample[i]-o.MeanOutOfSample
		xx += dx * dx
		xy += dx * dy
		yy += dy * dy
	}
	o.Intercept = o.MeanOutOfSample
	if xx > 0 {
		o.Slope = xy / xx
		o.Intercept -= o.Slope * o.MeanInSample
		if yy > 0 {
			o.R2 = xy * xy / (xx * yy)
		}
	}
}

// blockSums are sums over blocks of rows, of returns less the mean of their
// column, so that the variance of any set of blocks follows without
// cancellation.
type blockSums struct {
	rows   int         // of a block
	mean   []float64   // N
	first  [][]float64 // blocks x N
	second [][]float64 // blocks x N, of squares
}

func newBlockSums(returns *mat.Dense, blocks, rows int) *blockSums {
	_, trials := returns.Dims()
	s := &blockSums{rows: rows, mean: make([]float64, trials)}
	for t := range blocks * rows {
		for j, r := range returns.RawRowView(t) {
			s.mean[j] += r / float64(blocks*rows)
		}
	}
	for b := range blocks {
		first, second := make([]float64, trials), make([]float64, trials)
		for t := b * rows; t < (b+1)*rows; t++ {
			for j, r := range returns.RawRowView(t) {
				d := r - s.mean[j]
				first[j] += d
				second[j] += d * d
			}
		}
		s.first, s.second = append(s.first, first), append(s.second, second)
	}
	return s
}

// sharpe writes the ratio (mean over standard deviation, divisor T-1) of each
// trial over the given blocks.
func (s *blockSums) sharpe(dst []float64, blocks []int) error {
	count := float64(len(blocks) * s.rows)
	for j := range dst {
		var first, second float64
		for _, b := range blocks {
			first += s.first[b][j]
			second += s.second[b][j]
		}
		mean := first / count
		squares := second - first*mean
		level := s.mean[j] + mean
		if !(squares > flatness*flatness*(second+count*level*level)) {
			return &SplitError{Trial: j}
		}
		dst[j] = level / math.Sqrt(squares/(count-1))
	}
	return nil
}

// halves goes through the choices of half of the blocks in lexicographic order.
type halves struct {
	blocks int
	inside []int
	rest   []int
}

func newHalves(blocks int) *halves {
	h := &halves{blocks: blocks}
	for i := range blocks / 2 {
		h.inside = append(h.inside, i)
	}
	return h
}

// next moves on, and says whether there was a choice left.
func (h *halves) next() bool {
	size := len(h.inside)
	for i := size - 1; i >= 0; i-- {
		if h.inside[i] < h.blocks-size+i {
			h.inside[i]++
			for k := i + 1; k < size; k++ {
				h.inside[k] = h.inside[k-1] + 1
			}
			return true
		}
	}
	return false
}

// outside returns the blocks that are not chosen, valid until the next call.
func (h *halves) outside() []int {
	h.rest = h.rest[:0]
	k := 0
	for b := range h.blocks {
		if k < len(h.inside) && h.inside[k] == b {
			k++
			continue
		}
		h.rest = append(h.rest, b)
	}
	return h.rest
}

func median(x []float64) float64 {
	sorted := slices.Clone(x)
	slices.Sort(sorted)
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
