package data

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/simulate"
	"vaefolio/vaelib/stream"
)

// Seed and Days (of returns) of the bundled sample.
const (
	Seed = 1079
	Days = 1500
)

// asset is an invented coin.
type asset struct {
	symbol, sector string
	volatility     float64 // annual, in a regime of scale 1
	market         float64 // share of the market factor in the variance
	group          float64 // share of the sector's factor
	alpha          float64 // annual return beside that of the factors
	price          float64 // first close
	decimals       int     // of the tick
}

var assets = []asset{
	{"ALDER", "L1", 0.60, 0.74, 0.08, 0.06, 19000, 1},
	{"BIRCH", "L1", 0.78, 0.76, 0.08, 0.08, 610, 2},
	{"CEDAR", "L1", 1.06, 0.62, 0.10, 0.20, 34, 4},
	{"BROOK", "L2", 0.98, 0.66, 0.14, 0.00, 1.28, 5},
	{"CREEK", "L2", 1.04, 0.63, 0.16, 0.10, 0.46, 5},
	{"FJORD", "L2", 0.93, 0.61, 0.13, -0.10, 14.2, 4},
	{"BASALT", "DeFi", 0.95, 0.65, 0.14, 0.04, 92, 3},
	{"GRANITE", "DeFi", 1.00, 0.60, 0.15, 0.12, 5.6, 4},
	{"SLATE", "DeFi", 1.05, 0.62, 0.12, -0.15, 0.83, 6},
	{"FINCH", "Meme", 0.99, 0.57, 0.16, 0.15, 0.0031, 8},
	{"HERON", "Meme", 0.87, 0.50, 0.14, -0.05, 0.24, 6},
	{"WREN", "Meme", 1.08, 0.53, 0.17, 0.25, 0.000021, 10},
}

// climate is what a regime does to all assets.
type climate struct {
	name   string
	scale  float64            // of volatility
	market float64            // factor on the market's share of the variance: in trouble all fall together
	drift  float64            // annual return of the market factor, in units of its volatility
	tilt   map[string]float64 // annual return of a sector beside that
}

var climates = []climate{
	{"calm", 0.84, 0.92, 1.9, map[string]float64{"Meme": 0.35, "L1": -0.05}},
	{"bear", 1.04, 1.02, -1.7, map[string]float64{"Meme": -0.40, "L1": 0.15}},
	{"turbulent", 1.70, 1.14, -0.2, map[string]float64{"DeFi": -0.20}},
}

// transition of the climates, per day. Calm lasts 100 days on average, a bear
// market 62, turbulence 12.
var transition = [][]float64{
	{0.990, 0.004, 0.006},
	{0.008, 0.984, 0.008},
	{0.045, 0.035, 0.920},
}

var firstDay = time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)

const (
	periodsPerYear   = 365
	degreesOfFreedom = 6
	alpha, beta      = 0.07, 0.90 // of the volatility's GARCH(1,1)
)

// Returns draws simple returns of the 12 assets (days x 12), not rounded, and
// the truth behind them. The moments of a long draw tend to the truth's. Days
// is at least 1.
func Returns(seed uint64, days int) (*mat.Dense, *Truth) {
	truth := newTruth(seed)
	factors := make([]*mat.Dense, len(climates))
	for s, c := range climates {
		factors[s] = loadings(c)
	}
	process := &simulate.Process{
		Loadings: factors, Transition: transition, Shares: truth.Shares,
		DegreesOfFreedom: degreesOfFreedom, Alpha: alpha, Beta: beta,
	}
	for _, regime := range truth.Regimes {
		process.Mean = append(process.Mean, regime.Mean)
	}
	path := process.Draw(days, stream.New(seed, "sample.regimes", 0), stream.New(seed, "sample.shocks", 0))
	truth.Path, truth.Variance = path.Regimes, path.Variance
	return path.Returns, truth
}

// Sample is a draw as prices: one more close than there are returns.
type Sample struct {
	Times []time.Time
	Close [][]float64 // T+1 x n, rounded to ticks
	Truth *Truth
}

// Generate draws days of [Returns] and turns them into prices. Equal arguments
// give equal samples; the bundled one is Generate(Seed, Days).
//
// It returns an error for fewer than 1 day, and when a draw takes a price
// below a thousand ticks, where rounding would bend the returns.
func Generate(seed uint64, days int) (*Sample, error) {
	if days < 1 {
		return nil, fmt.Errorf("a sample of %d days is empty", days)
	}
	returns, truth := Returns(seed, days)
	s := &Sample{Truth: truth}
	exact := make([]float64, len(assets)) // rounding must not add up
	for i, a := range assets {
		exact[i] = a.price
	}
	for t := range days + 1 {
		if t > 0 {
			for i, r := range returns.RawRowView(t - 1) {
				exact[i] *= 1 + r
			}
		}
		if err := s.append(firstDay.AddDate(0, 0, t), exact); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// newTruth works out the moments of the regimes, and their long-run mixture.
func newTruth(seed uint64) *Truth {
	t := &Truth{
		Note: "SYNTHETIC: invented assets, drawn from a model. Means and covariances are of simple returns, per day.",
		Seed: seed, Transition: transition, Shares: simulate.Stationary(transition),
		DegreesOfFreedom: degreesOfFreedom, Alpha: alpha, Beta: beta,
	}
	for _, a := range assets {
		t.Symbols = append(t.Symbols, a.symbol)
		t.Sectors = append(t.Sectors, a.sector)
	}
	n := len(assets)
	mean, second := make([]float64, n), make([][]float64, n)
	for i := range second {
		second[i] = make([]float64, n)
	}
	for s, c := range climates {
		r := Regime{Name: c.name}
		for i, a := range assets {
			annual := a.alpha + c.tilt[a.sector] + float64(c.drift*a.volatility*math.Sqrt(a.market))
			r.Mean = append(r.Mean, round(annual/periodsPerYear))
			mean[i] += float64(t.Shares[s] * r.Mean[i])
		}
		factors := loadings(c)
		for i := range n {
			row := make([]float64, n)
			for j := range row {
				row[j] = round(dot(factors.RawRowView(i), factors.RawRowView(j)))
				second[i][j] += t.Shares[s] * float64(row[j]+float64(r.Mean[i]*r.Mean[j]))
			}
			r.Covariance = append(r.Covariance, row)
		}
		t.Regimes = append(t.Regimes, r)
	}
	for i, row := range second {
		for j := range row {
			row[j] = round(row[j] - float64(mean[i]*mean[j]))
		}
	}
	for i := range mean {
		mean[i] = round(mean[i])
	}
	for s := range t.Shares {
		t.Shares[s] = round(t.Shares[s])
	}
	t.Stationary = Moments{Mean: mean, Covariance: second}
	return t
}

// loadings returns what the factors do to each asset in one day (n x k): the
// market, then one a sector, then one an asset. Their product with themselves
// is the covariance.
func loadings(c climate) *mat.Dense {
	place := map[string]int{}
	for _, a := range assets {
		if _, ok := place[a.sector]; !ok {
			place[a.sector] = 1 + len(place)
		}
	}
	own := 1 + len(place)
	l := mat.NewDense(len(assets), own+len(assets), nil)
	for i, a := range assets {
		daily := a.volatility * c.scale / math.Sqrt(periodsPerYear)
		market := a.market * c.market
		l.Set(i, 0, daily*math.Sqrt(market))
		l.Set(i, place[a.sector], daily*math.Sqrt(a.group))
		l.Set(i, own+i, daily*math.Sqrt(1-market-a.group))
	}
	return l
}

// dot is a sum of products, each rounded by itself: a processor that fuses
// multiplication and addition must not draw another sample.
func dot(a, b []float64) float64 {
	var sum float64
	for i, v := range a {
		sum += float64(v * b[i])
	}
	return sum
}

// append adds a day's closes, rounded to ticks.
func (s *Sample) append(t time.Time, exact []float64) error {
	row := make([]float64, len(exact))
	for i, a := range assets {
		tick := math.Pow10(-a.decimals)
		if exact[i] < 1000*tick {
			return fmt.Errorf("%s falls to %v, below a thousand ticks of %v, on %s: take another seed, or fewer days",
				a.symbol, exact[i], tick, t.Format(time.DateOnly))
		}
		row[i], _ = strconv.ParseFloat(strconv.FormatFloat(exact[i], 'f', a.decimals, 64), 64)
	}
	s.Times = append(s.Times, t)
	s.Close = append(s.Close, row)
	return nil
}

// round keeps 12 significant digits, which are the same on every processor.
func round(v float64) float64 {
	v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'e', 11, 64), 64)
	return v
}

// Files returns the sample as the files of [FS], by name.
func (s *Sample) Files() (map[string][]byte, error) {
	truth, err := json.MarshalIndent(s.rounded(), "", " ")
	if err != nil {
		return nil, err
	}
	return map[string][]byte{Close: s.closeCSV(), Sectors: sectorsCSV(), Truths: append(joinNumbers(truth), '\n')}, nil
}

// rounded is the truth with the path of the variance to 9 digits.
func (s *Sample) rounded() *Truth {
	t := *s.Truth
	t.Variance = make([]float64, len(s.Truth.Variance))
	for i, v := range s.Truth.Variance {
		t.Variance[i], _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 9, 64), 64)
	}
	return &t
}

// numbers is an array of JSON without arrays, objects or blanks in it.
var numbers = regexp.MustCompile(`\[[^\[\]{}]*\]`)

// joinNumbers puts each of them on one line.
func joinNumbers(text []byte) []byte {
	return numbers.ReplaceAllFunc(text, func(array []byte) []byte {
		return bytes.ReplaceAll(bytes.Join(bytes.Fields(array), nil), []byte{','}, []byte(", "))
	})
}

func (s *Sample) closeCSV() []byte {
	var b bytes.Buffer
	b.WriteString("date")
	for _, a := range assets {
		b.WriteString("," + a.symbol)
	}
	b.WriteByte('\n')
	for t, row := range s.Close {
		b.WriteString(s.Times[t].Format(time.DateOnly))
		for i, v := range row {
			b.WriteString("," + strconv.FormatFloat(v, 'f', assets[i].decimals, 64))
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func sectorsCSV() []byte {
	var b bytes.Buffer
	b.WriteString("symbol,sector\n")
	for _, a := range assets {
		fmt.Fprintf(&b, "%s,%s\n", a.symbol, a.sector)
	}
	return b.Bytes()
}
