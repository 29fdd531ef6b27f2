package metrics

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/inorder"
	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/sharpe"
)

// ErrTooShort is the error for fewer than 2 periods of returns.
var ErrTooShort = errors.New("fewer than 2 returns: figures need at least 2 periods")

// limit is the size up to which returns and weights are believed. It is far
// above any real one, and low enough that no square of a product overflows.
const limit = 1e15

// ReturnError is an asset's return that cannot be: NaN, below -100 %, or above
// 1e15.
type ReturnError struct {
	Period, Asset int // row and column, from 0
	Value         float64
}

func (e *ReturnError) Error() string {
	if e.Value < -1 {
		return fmt.Sprintf("return of asset %d in period %d (both from 0) is %v, a loss of more than everything: "+
			"give simple returns as fractions", e.Asset, e.Period, e.Value)
	}
	return fmt.Sprintf("return of asset %d in period %d (both from 0) is %v: "+
		"choose a window in which every asset has a price", e.Asset, e.Period, e.Value)
}

// WeightError is a weight that is NaN or beyond 1e15 in size.
type WeightError struct {
	Row, Asset int // from 0
	Value      float64
}

func (e *WeightError) Error() string {
	return fmt.Sprintf("weight of asset %d in row %d (both from 0) is %v: give a share of wealth, such as 0.25",
		e.Asset, e.Row, e.Value)
}

// AssetsError is a portfolio over another number of assets than the returns.
type AssetsError struct{ Got, Want int }

func (e *AssetsError) Error() string {
	return fmt.Sprintf("portfolio has %d weights and the returns %d assets: choose the same symbols for both",
		e.Got, e.Want)
}

// Evaluator computes the figures of portfolios over one matrix of returns. It
// is immutable and safe for concurrent use.
type Evaluator struct {
	periods, assets int
	settings        Settings
	returns         groups
	mean            []float64 // n, per period
	sigma           []float64 // n, per period, divisor T-1; exactly 0 for a flat asset
	size            []float64 // n, root mean square
	target          float64   // MAR per period
	tail            tail
	scratch         sync.Pool // of *scratch
	single          sync.Pool // of *single
}

// NewEvaluator prepares figures over returns (T x n, simple, per period),
// which are copied. It returns [ErrTooShort], a [*ReturnError] or a
// [*SettingsError].
func NewEvaluator(returns *mat.Dense, settings Settings) (*Evaluator, error) {
	settings.EnsureDefaults()
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	if err := checkReturns(returns); err != nil {
		return nil, err
	}
	periods, assets := returns.Dims()
	e := &Evaluator{
		periods:  periods,
		assets:   assets,
		settings: settings,
		returns:  pack(returns),
		target:   settings.MAR / settings.PeriodsPerYear,
	}
	e.mean, e.sigma, e.size = assetMoments(returns)
	e.tail = newTail(periods, settings.Level, settings.Convention).scored(rowMeans(returns))
	e.scratch.New = func() any { return e.newScratch() }
	e.single.New = func() any {
		s := e.newSingle()
		return &s
	}
	return e, nil
}

func checkReturns(returns *mat.Dense) error {
	periods, _ := returns.Dims()
	if periods < 2 {
		return ErrTooShort
	}
	for t := range periods {
		for j, r := range returns.RawRowView(t) {
			if !(r >= -1 && r <= limit) {
				return &ReturnError{Period: t, Asset: j, Value: r}
			}
		}
	}
	return nil
}

// flatness is the volatility, relative to the size of what it is the
// volatility of, that is rounding and no more.
const flatness = 1e-12

// assetMoments returns the mean, the standard deviation (divisor T-1) and the
// root mean square of each column.
func assetMoments(returns *mat.Dense) (mean, sigma, size []float64) {
	periods, n := returns.Dims()
	mean, sigma, size = make([]float64, n), make([]float64, n), make([]float64, n)
	for t := range periods {
		for j, r := range returns.RawRowView(t) {
			mean[j] += r
			size[j] += r * r
		}
	}
	for j := range n {
		mean[j] /= float64(periods)
		size[j] = math.Sqrt(size[j] / float64(periods))
	}
	for t := range periods {
		for j, r := range returns.RawRowView(t) {
			sigma[j] += (r - mean[j]) * (r - mean[j])
		}
	}
	for j := range n {
		sigma[j] = math.Sqrt(sigma[j] / float64(periods-1))
		if sigma[j] <= flatness*size[j] {
			sigma[j] = 0
		}
	}
	return mean, sigma, size
}

// rowMeans returns the mean of each row: the returns of equal weights.
func rowMeans(returns *mat.Dense) []float64 {
	periods, _ := returns.Dims()
	means := make([]float64, periods)
	for t := range means {
		means[t] = inorder.Mean(returns.RawRowView(t))
	}
	return means
}

// Periods returns T.
func (e *Evaluator) Periods() int { return e.periods }

// Assets returns n.
func (e *Evaluator) Assets() int { return e.assets }

// Settings returns the settings with their defaults filled in.
func (e *Evaluator) Settings() Settings { return e.settings }

// TailPeriods returns the number of periods that CVaR is a mean of, (1-level)
// T: a figure that rests on fewer than ten or so is mostly noise.
func (e *Evaluator) TailPeriods() float64 { return e.tail.mass }

// Evaluate returns the figures of one portfolio: n weights, which need not sum
// to 1 (what is missing earns nothing) and may be negative. The result has the same bits
// as that of [Evaluator.EvaluateAll]. It returns an [*AssetsError] or a
// [*WeightError].
func (e *Evaluator) Evaluate(w []float64) (Figures, error) {
	if err := e.checkWeights(w, 0); err != nil {
		return Figures{}, err
	}
	s := e.single.Get().(*single)
	defer e.single.Put(s)
	e.returns.series(s.y, w)
	h := e.hold(w)
	sums := e.sum(&h, s.y[:e.periods], s.kept, s.work)
	return e.figures(&h, &sums), nil
}

// EvaluateSeries returns the figures of a series of returns that come from
// elsewhere, net of costs for example. Figures of weights
// (DiversificationRatio, EffectiveAssets) are not among them. It returns the
// errors of [NewEvaluator], a [*ReturnError] for a return below -100 % too.
func EvaluateSeries(returns []float64, settings Settings) (Figures, error) {
	if len(returns) == 0 {
		return Figures{}, ErrTooShort
	}
	ofWeights := Of(DiversificationRatio, EffectiveAssets)
	if settings.Figures == 0 {
		settings.Figures = all
	}
	if settings.Figures &^= ofWeights; settings.Figures == 0 {
		return Figures{}, &SettingsError{
			"figures", "diversification_ratio, effective_assets", "figures that a series without weights has",
		}
	}
	e, err := NewEvaluator(mat.NewDense(len(returns), 1, returns), settings)
	if err != nil {
		return Figures{}, err
	}
	return e.Evaluate([]float64{1})
}

// Returns writes the returns of one portfolio to dst (T). It returns an
// [*AssetsError] or a [*WeightError].
func (e *Evaluator) Returns(dst, w []float64) error {
	if len(dst) != e.periods {
		panic("metrics: destination is not as long as there are periods")
	}
	if err := e.checkWeights(w, 0); err != nil {
		return err
	}
	s := e.single.Get().(*single)
	defer e.single.Put(s)
	e.returns.series(s.y, w)
	copy(dst, s.y)
	return nil
}

// EvaluateAll writes the figures of each row of weights (N x n) to dst (N). It
// works on all cores and gives the same bits for any number of them; beyond a
// working set for each worker it allocates nothing. It returns an
// [*AssetsError] or a [*WeightError] before any work, and the context's error,
// with dst unfinished, when that ends first.
func (e *Evaluator) EvaluateAll(ctx context.Context, weights *mat.Dense, dst []Figures) error {
	rows, _ := weights.Dims()
	if len(dst) != rows {
		panic("metrics: destination is not as long as there are portfolios")
	}
	for i := range rows {
		if err := e.checkWeights(weights.RawRowView(i), i); err != nil {
			return err
		}
	}
	blocks := (rows + lanes - 1) / lanes
	workers := make([]*scratch, parallel.Workers(blocks))
	for i := range workers {
		workers[i] = e.scratch.Get().(*scratch)
		defer e.scratch.Put(workers[i])
	}
	return parallel.For(ctx, blocks, func(worker, i int) error {
		s, first := workers[worker], i*lanes
		block := dst[first:min(first+lanes, rows)]
		e.sumBlock(s, len(block), func(i int) []float64 { return weights.RawRowView(first + i) })
		for i := range block {
			block[i] = e.figures(&s.holdings[i], &s.sums[i])
		}
		return nil
	})
}

// Figures returns the figures of each row of weights (N x n), as
// [Evaluator.EvaluateAll] computes them.
func (e *Evaluator) Figures(ctx context.Context, weights *mat.Dense) ([]Figures, error) {
	rows, _ := weights.Dims()
	all := make([]Figures, rows)
	return all, e.EvaluateAll(ctx, weights, all)
}

func (e *Evaluator) checkWeights(w []float64, row int) error {
	if len(w) != e.assets {
		return &AssetsError{Got: len(w), Want: e.assets}
	}
	for j, v := range w {
		if !(math.Abs(v) <= limit) {
			return &WeightError{Row: row, Asset: j, Value: v}
		}
	}
	return nil
}

// figures makes the figures of a portfolio out of its sums.
func (e *Evaluator) figures(h *holding, s *sums) Figures {
	asked, years := e.settings.Figures, e.settings.PeriodsPerYear
	f := Figures{Periods: e.periods, Undefined: all &^ asked, asked: asked}
	excess, root := h.mean-e.settings.RiskFree/years, math.Sqrt(years)

	f.AnnualReturn = h.mean * years
	f.Volatility = s.std * root
	f.MaxDrawdown = 1 - s.worst
	if e.settings.Convention == SkfolioDefaults {
		f.MaxDrawdown = s.fall
	}
	f.VaR, f.CVaR = s.valueAtRisk, s.conditional
	if h.squares > 0 {
		f.EffectiveAssets = 1 / h.squares
	} else {
		f.drop(EffectiveAssets, noWeights)
	}
	if s.std > 0 {
		f.Sharpe = excess / s.std * root
		f.DiversificationRatio = h.weighted / s.std
	} else {
		f.drop(Sharpe, noVolatility)
		f.drop(DiversificationRatio, noVolatility)
	}
	if asked.Has(Sortino) {
		e.sortino(&f, excess, h.mean, s.downside, h.size)
	}
	if asked.Has(PSR) {
		e.psr(&f, s, excess)
	}
	e.compound(&f, s.passSums, excess, h.size)

	// Whatever float64 could not hold, and what nobody asked for.
	for figure := range figureCount {
		if v := f.field(figure); !asked.Has(figure) || !(math.Abs(*v) <= math.MaxFloat64) {
			f.drop(figure, 0)
		}
	}
	return f
}

// sortino sets the ratio; downside is the sum of squared shortfalls.
func (e *Evaluator) sortino(f *Figures, excess, mean, downside, size float64) {
	gain, divisor := mean-e.target, float64(e.periods)
	if e.settings.Convention == Skfolio || e.settings.Convention == SkfolioDefaults {
		gain, divisor = excess, float64(e.periods-1)
	}
	deviation := math.Sqrt(downside / divisor)
	if deviation <= flatness*size {
		f.drop(Sortino, noLoss)
		return
	}
	f.Sortino = gain / deviation * math.Sqrt(e.settings.PeriodsPerYear)
}

// psr sets the probabilistic Sharpe ratio and what it rests on.
func (e *Evaluator) psr(f *Figures, s *sums, excess float64) {
	if s.std == 0 {
		f.drop(PSR, noVolatility)
		return
	}
	t := float64(e.periods)
	second := s.second / t
	f.Skewness = s.third / t / (second * math.Sqrt(second))
	f.Kurtosis = s.fourth / t / (second * second)
	f.PeriodSharpe = excess / s.std
	f.PSR = sharpe.Probabilistic(f.PeriodSharpe, 0, e.periods, f.Skewness, f.Kurtosis)
}

// compound sets the figures of wealth.
func (e *Evaluator) compound(f *Figures, sums passSums, excess, size float64) {
	s := &e.settings
	if sums.worst < 0 { // wealth would have changed its sign
		f.drop(CAGR, ruin)
		if s.Convention == Empyrical {
			f.drop(AnnualReturn, ruin)
		}
		if s.Convention != SkfolioDefaults {
			f.drop(MaxDrawdown, ruin)
			f.drop(Calmar, ruin)
			return
		}
	} else if s.Figures&Of(CAGR, Calmar) != 0 || s.Convention == Empyrical {
		f.CAGR = math.Expm1(math.Log(sums.wealth) * s.PeriodsPerYear / float64(e.periods))
		if s.Convention == Empyrical {
			f.AnnualReturn = f.CAGR
		}
	}
	if f.MaxDrawdown <= flatness*size {
		f.drop(Calmar, noDrawdown)
		return
	}
	f.Calmar = f.CAGR / f.MaxDrawdown
	if s.Convention == Skfolio || s.Convention == SkfolioDefaults {
		f.Calmar = excess / f.MaxDrawdown
	}
}
