package relative

import (
	"iter"
	"math"

	"vaefolio/vaelib/number"
)

// Figure is the identity of one figure.
type Figure uint8

// The figures, in the order in which tables show them.
const (
	ActiveReturn Figure = iota
	TrackingError
	InformationRatio
	Beta
	Alpha
	Correlation
	UpCapture
	DownCapture
	ActiveShare
	figureCount
)

var names = [figureCount]string{
	"active_return", "tracking_error", "information_ratio", "beta", "alpha", "correlation",
	"up_capture", "down_capture", "active_share",
}

// Name returns the name of a column with the figure, such as tracking_error.
func (f Figure) Name() string { return names[f] }

// Figures of one portfolio against a benchmark. The package comment defines them.
type Figures struct {
	values [figureCount]float64
	why    [figureCount]cause
}

// cause is why a figure is undefined.
type cause uint8

const (
	defined cause = iota
	flatBenchmark
	flatPortfolio
	noTracking
	neverUp
	neverDown
	noWeights
	ruin
	tooLarge
)

var reasons = map[cause]string{
	flatBenchmark: "the benchmark's return is the same in every period",
	flatPortfolio: "the return is the same in every period",
	noTracking:    "there is no tracking error: the returns are the benchmark's, but for a constant",
	neverUp:       "the benchmark gains in no period",
	neverDown:     "the benchmark loses in no period",
	noWeights:     "the benchmark is a series of returns, and its weights are not known",
	ruin:          "a return is not above -100 %, so it does not compound",
	tooLarge:      "the value is too large for float64",
}

// Value returns a figure, or the reason why it is undefined.
func (f *Figures) Value(figure Figure) number.Value {
	if why := f.why[figure]; why != defined {
		return number.Unknown(reasons[why])
	}
	return number.Known(f.values[figure])
}

// All returns every figure with its value, in the order of tables. That of a zero
// Figures tells the columns.
func (f *Figures) All() iter.Seq2[Figure, number.Value] {
	return func(yield func(Figure, number.Value) bool) {
		for figure := range figureCount {
			if !yield(figure, f.Value(figure)) {
				return
			}
		}
	}
}

// set sets a figure, which is undefined where float64 could not hold it.
func (f *Figures) set(figure Figure, x float64) {
	if !(math.Abs(x) <= math.MaxFloat64) {
		f.drop(figure, tooLarge)
		return
	}
	f.values[figure] = x
}

func (f *Figures) drop(figure Figure, why cause) { f.why[figure] = why }
