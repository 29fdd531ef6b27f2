package metrics

import (
	"math"
	"math/bits"
	"strconv"

	"vaefolio/vaelib/number"
	"vaefolio/vaelib/sharpe"
)

// Figure is the identity of one figure.
type Figure uint8

// The figures, in the order in which tables show them.
const (
	AnnualReturn Figure = iota
	CAGR
	Volatility
	Sharpe
	Sortino
	MaxDrawdown
	Calmar
	VaR
	CVaR
	DiversificationRatio
	EffectiveAssets
	PSR
	figureCount
)

var figureNames = [figureCount]string{
	"annual_return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar",
	"var", "cvar", "diversification_ratio", "effective_assets", "psr",
}

// Name returns the name of a column with the figure: sharpe, or var95 for a
// VaR at level 0.95.
func (f Figure) Name(level float64) string {
	name := figureNames[f]
	if f == VaR || f == CVaR {
		percent := math.Round(level*1e10) / 1e8
		name += strconv.FormatFloat(percent, 'f', -1, 64)
	}
	return name
}

// Mask is a set of figures.
type Mask uint16

const all Mask = 1<<figureCount - 1

// Of returns the set of the given figures.
func Of(figures ...Figure) Mask {
	var m Mask
	for _, f := range figures {
		m |= 1 << f
	}
	return m
}

// Has says whether the set holds f.
func (m Mask) Has(f Figure) bool { return m&(1<<f) != 0 }

// Len returns the number of figures in the set.
func (m Mask) Len() int { return bits.OnesCount16(uint16(m)) }

// Figures of one portfolio. The package comment defines them. A figure that is
// in Undefined has the value 0 and no meaning.
type Figures struct {
	AnnualReturn, CAGR, Volatility float64 // annual
	Sharpe, Sortino                float64 // annual
	MaxDrawdown                    float64 // in [0, 1]
	Calmar                         float64 // annual
	VaR, CVaR                      float64 // losses per period, at the settings' level
	DiversificationRatio           float64
	EffectiveAssets                float64
	PSR                            float64 // in [0, 1]

	// What the PSR rests on; 0 where that is not computed.
	PeriodSharpe float64 // of the excess return, per period
	Skewness     float64 // divisor T
	Kurtosis     float64 // divisor T, raw: 3 for a normal
	Periods      int     // T

	Undefined Mask
	asked     Mask
	causes    cause
}

// cause is why figures are undefined.
type cause uint8

const (
	noVolatility cause = 1 << iota
	noLoss
	noDrawdown
	ruin
	noWeights
)

// Value returns a figure by its identity, or the reason why it is undefined.
func (f *Figures) Value(figure Figure) number.Value {
	if f.Undefined.Has(figure) {
		return number.Unknown(f.reason(figure))
	}
	return number.Known(*f.field(figure))
}

func (f *Figures) field(figure Figure) *float64 {
	switch figure {
	case AnnualReturn:
		return &f.AnnualReturn
	case CAGR:
		return &f.CAGR
	case Volatility:
		return &f.Volatility
	case Sharpe:
		return &f.Sharpe
	case Sortino:
		return &f.Sortino
	case MaxDrawdown:
		return &f.MaxDrawdown
	case Calmar:
		return &f.Calmar
	case VaR:
		return &f.VaR
	case CVaR:
		return &f.CVaR
	case DiversificationRatio:
		return &f.DiversificationRatio
	case EffectiveAssets:
		return &f.EffectiveAssets
	case PSR:
		return &f.PSR
	}
	panic("metrics: unknown figure")
}

// reason says why a figure is undefined.
func (f *Figures) reason(figure Figure) string {
	if !f.asked.Has(figure) {
		return "not asked for"
	}
	has := func(c cause) bool { return f.causes&c != 0 }
	switch figure {
	case CAGR, MaxDrawdown, Calmar, AnnualReturn:
		if has(ruin) {
			return "a period's return is below -100 %, so wealth does not compound"
		}
		if figure == Calmar && has(noDrawdown) {
			return "wealth never falls below an earlier peak"
		}
	case Sharpe, DiversificationRatio, PSR:
		if has(noVolatility) {
			return "the return is the same in every period"
		}
	case Sortino:
		if has(noLoss) {
			return "no return is below the minimum acceptable return"
		}
	case EffectiveAssets:
		if has(noWeights) {
			return "every weight is 0"
		}
	}
	return "the value is too large for float64"
}

// Notes returns one line for each undefined figure that was asked for, such as
// "sharpe: the return is the same in every period".
func (f *Figures) Notes() []string {
	var notes []string
	for figure := range figureCount {
		if f.asked.Has(figure) && f.Undefined.Has(figure) {
			notes = append(notes, figureNames[figure]+": "+f.reason(figure))
		}
	}
	return notes
}

// DeflatedSharpe returns [sharpe.Deflated] of the portfolio. It is undefined
// where the PSR, whose ingredients it needs, is.
func (f *Figures) DeflatedSharpe(trials int, trialStd float64) number.Value {
	if f.Undefined.Has(PSR) {
		return number.Unknown(f.reason(PSR))
	}
	return number.Known(sharpe.Deflated(f.PeriodSharpe, f.Periods, f.Skewness, f.Kurtosis, trials, trialStd))
}

// drop marks a figure as undefined.
func (f *Figures) drop(figure Figure, why cause) {
	*f.field(figure) = 0
	f.Undefined |= 1 << figure
	f.causes |= why
}
