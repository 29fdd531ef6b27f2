package relative

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/inorder"
	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/portfolio"
)

// Benchmark is what portfolios are set beside.
type Benchmark struct {
	Name string // for messages and reports
	// Returns are simple, per period (T).
	Returns []float64
	// Weights of the benchmark among the portfolios' assets (n), whose sum is less than 1
	// where it holds others too. Nil: not known.
	Weights []float64
}

// Hash identifies the returns and the weights, to the bit.
func (b *Benchmark) Hash() string {
	sum := sha256.New()
	for _, numbers := range [][]float64{b.Returns, b.Weights} {
		text := binary.LittleEndian.AppendUint64(nil, uint64(len(numbers)))
		for _, x := range numbers {
			text = binary.LittleEndian.AppendUint64(text, math.Float64bits(x))
		}
		sum.Write(text)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Evaluator computes figures against one benchmark. It is immutable and safe for
// concurrent use.
type Evaluator struct {
	benchmark  Benchmark
	settings   metrics.Settings
	mean, size float64   // of the benchmark's returns, per period; the root mean square
	deviations []float64 // T, from the mean
	squares    float64   // sum of their squares; 0 where that is rounding
	up, down   side
	elsewhere  float64 // what the benchmark holds besides the n assets
}

// side is the benchmark over the periods in which it gains, or loses.
type side struct {
	periods int
	sum     float64 // of the returns
	growth  float64 // of the logarithms of 1 + return, with Empyrical
}

// rounding says whether a deviation is no more than rounding of returns of a size.
func rounding(deviation, size float64) bool { return deviation <= 1e-12*size && !math.IsInf(size, 1) }

// NewEvaluator prepares figures against a benchmark. Of the settings PeriodsPerYear,
// RiskFree and Convention count. It returns [metrics.ErrTooShort] for fewer than 2
// periods, a [*metrics.ReturnError] or a [*metrics.SettingsError].
func NewEvaluator(b Benchmark, settings metrics.Settings) (*Evaluator, error) {
	settings.EnsureDefaults()
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	if len(b.Returns) < 2 {
		return nil, metrics.ErrTooShort
	}
	e := &Evaluator{benchmark: b, settings: settings, deviations: make([]float64, len(b.Returns))}
	for t, r := range b.Returns {
		if !(r >= -1 && r <= largest) {
			return nil, &metrics.ReturnError{Period: t, Value: r}
		}
		e.size += r * r
		switch {
		case r > 0:
			e.up.add(r)
		case r < 0:
			e.down.add(r)
		}
	}
	e.mean = inorder.Mean(b.Returns)
	e.size = math.Sqrt(e.size / float64(len(b.Returns)))
	for t, r := range b.Returns {
		e.deviations[t] = r - e.mean
		e.squares += e.deviations[t] * e.deviations[t]
	}
	if rounding(e.deviation(e.squares), e.size) {
		e.squares = 0
	}
	if rest := 1 - inorder.Sum(b.Weights); rest > portfolio.SumTolerance {
		e.elsewhere = rest
	}
	return e, nil
}

// largest is the return up to which a benchmark is believed, as package metrics believes
// assets.
const largest = 1e15

func (s *side) add(r float64) {
	s.periods++
	s.sum += r
	s.growth += math.Log1p(r)
}

// deviation is the standard deviation per period of a sum of squares.
func (e *Evaluator) deviation(squares float64) float64 {
	return math.Sqrt(squares / float64(len(e.deviations)-1))
}

// Evaluate returns the figures of a portfolio with the returns p (T) and, where they are
// known, the weights w (n); nil: not known. The returns have to be finite.
func (e *Evaluator) Evaluate(p, w []float64) Figures {
	if len(p) != len(e.deviations) || w != nil && e.benchmark.Weights != nil && len(w) != len(e.benchmark.Weights) {
		panic("relative: a portfolio has another number of periods or assets than the benchmark")
	}
	var f Figures
	s := e.sum(p)
	years := e.settings.PeriodsPerYear
	f.set(ActiveReturn, s.active*years)
	f.set(TrackingError, s.tracking*math.Sqrt(years))
	switch {
	case s.tracking == 0:
		f.drop(InformationRatio, noTracking)
	case math.IsInf(s.tracking, 1):
		f.drop(InformationRatio, tooLarge)
	default:
		f.set(InformationRatio, s.active/s.tracking*math.Sqrt(years))
	}
	e.regress(&f, &s)
	e.capture(&f, UpCapture, e.up, s.up, neverUp)
	e.capture(&f, DownCapture, e.down, s.down, neverDown)
	if w == nil || e.benchmark.Weights == nil {
		f.drop(ActiveShare, noWeights)
	} else {
		f.set(ActiveShare, e.activeShare(w))
	}
	return f
}

// sums are those of a portfolio beside the benchmark.
type sums struct {
	mean, active float64 // of the returns, and of those less the benchmark's
	squares      float64 // of deviations from the mean; 0 where that is rounding
	product      float64 // of deviations and the benchmark's
	tracking     float64 // the deviation of the difference; 0 where that is rounding
	up, down     side
}

func (e *Evaluator) sum(p []float64) sums {
	var s sums
	var size float64
	compounds := e.settings.Convention == metrics.Empyrical
	for t, r := range p {
		b := e.benchmark.Returns[t]
		s.mean += r
		s.active += r - b
		size += r * r
		half := &s.up
		if b <= 0 {
			half = &s.down
		}
		if b != 0 {
			half.sum += r
			if compounds {
				half.growth += math.Log1p(r)
			}
		}
	}
	periods := float64(len(p))
	s.mean, s.active, size = s.mean/periods, s.active/periods, math.Sqrt(size/periods)
	var differences float64
	for t, r := range p {
		d := r - s.mean
		s.squares += d * d
		s.product += d * e.deviations[t]
		a := r - e.benchmark.Returns[t] - s.active
		differences += a * a
	}
	if s.tracking = e.deviation(differences); rounding(s.tracking, size+e.size) {
		s.tracking = 0
	}
	if rounding(e.deviation(s.squares), size) {
		s.squares, s.product = 0, 0
	}
	return s
}

// regress sets what the line through the returns, the benchmark's across, says.
func (e *Evaluator) regress(f *Figures, s *sums) {
	if e.squares == 0 {
		for _, figure := range []Figure{Beta, Alpha, Correlation} {
			f.drop(figure, flatBenchmark)
		}
		return
	}
	beta, years := s.product/e.squares, e.settings.PeriodsPerYear
	free := e.settings.RiskFree / years
	alpha := (s.mean - free) - beta*(e.mean-free)
	f.set(Beta, beta)
	switch {
	case e.settings.Convention != metrics.Empyrical:
		f.set(Alpha, alpha*years)
	case alpha > -1:
		f.set(Alpha, math.Expm1(years*math.Log1p(alpha)))
	default:
		f.drop(Alpha, ruin)
	}
	switch {
	case s.squares == 0:
		f.drop(Correlation, flatPortfolio)
	case math.IsInf(s.squares, 1):
		f.drop(Correlation, tooLarge)
	default:
		f.set(Correlation, max(-1, min(1, s.product/math.Sqrt(s.squares*e.squares))))
	}
}

// capture sets one of the two captures; p is the portfolio over the periods of b.
func (e *Evaluator) capture(f *Figures, figure Figure, b, p side, none cause) {
	switch {
	case b.periods == 0:
		f.drop(figure, none)
	case e.settings.Convention != metrics.Empyrical:
		f.set(figure, p.sum/b.sum)
	case !(p.growth > math.Inf(-1)) || !(b.growth > math.Inf(-1)):
		f.drop(figure, ruin)
	default:
		years := float64(b.periods) / e.settings.PeriodsPerYear
		f.set(figure, math.Expm1(p.growth/years)/math.Expm1(b.growth/years))
	}
}

// activeShare is half of what lies between the weights and the benchmark's.
func (e *Evaluator) activeShare(w []float64) float64 {
	apart := e.elsewhere
	for j, x := range w {
		apart += math.Abs(x - e.benchmark.Weights[j])
	}
	return apart / 2
}

// EvaluateAll writes the figures of each row of weights (N x n) to dst (N), by the returns
// that the portfolios have in returns, whose periods are the benchmark's. It works on all
// cores, and gives the same bits for any number of them. It returns an
// [*metrics.AssetsError] or a [*metrics.WeightError], and the context's error where that
// ends first.
func (e *Evaluator) EvaluateAll(ctx context.Context, returns *metrics.Evaluator, weights *mat.Dense,
	dst []Figures) error {
	rows, _ := weights.Dims()
	if len(dst) != rows {
		panic("relative: destination is not as long as there are portfolios")
	}
	series := make([][]float64, parallel.Workers(rows))
	for i := range series {
		series[i] = make([]float64, returns.Periods())
	}
	return parallel.For(ctx, rows, func(worker, i int) error {
		p, w := series[worker], weights.RawRowView(i)
		if err := returns.Returns(p, w); err != nil {
			return err
		}
		dst[i] = e.Evaluate(p, w)
		return nil
	})
}
