package figure

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"gonum.org/v1/gonum/mat"
)

// drawer is what every picture's struct can do.
type drawer interface{ Draw() (*Figure, error) }

// gallery has each picture with data like a run's; the golden tests draw it.
func gallery() map[string]drawer {
	rng := newRand()
	symbols := []string{"ADA", "AVAX", "BNB", "BTC", "DOGE", "DOT", "ETH", "LINK", "LTC", "SOL", "TRX", "XRP"}
	training := dirichlet(rng, 900, 12, 0.6)
	generated := dirichlet(rng, 700, 12, 0.8)
	return map[string]drawer{
		"training":      trainingExample(rng),
		"lines":         linesExample(),
		"bands":         bandsExample(),
		"scatter":       scatterExample(newRand(), false),
		"coloured":      scatterExample(newRand(), true),
		"rate":          rateExample(rng),
		"units":         unitsExample(),
		"spectrum":      spectrumExample(),
		"risk_return":   riskReturnExample(rng),
		"concentration": Concentration{Frame: Frame{Synthetic: true}, Generated: generated, Training: training, Against: "held out"},
		"weights":       WeightBars{Frame: Frame{Subtitle: "12 assets, weights of at most 25 %, 700 generated portfolios"}, Symbols: symbols, Generated: generated, Training: training},
		"wealth":        wealthExample(rng),
		"heatmap":       heatmapExample(symbols),
		"plane":         planeExample(newRand()),
		"mosaic":        mosaicExample(),
		"architecture":  Architecture{Assets: 12, Latent: 8, Hidden: []int{64, 32}, Head: "softmax", Conditions: 9},
		"grid": Grid{
			Frame: Frame{Synthetic: true, Subtitle: "share of the optimum: first less second"}, X: "periods per asset", Y: "dispersion",
			Columns: []string{"1.5", "5", "10"}, Rows: []string{"0", "0.5"},
			Values:   [][]float64{{-0.02, 0, 0.01}, {0.05, -0.06, math.NaN()}},
			Words:    [][][]string{{{"first", "0.90"}, {"even"}, {"first", "0.95"}}, {{"first", "0.7"}, {"second", "0.6"}, nil}},
			Positive: "first ahead", Negative: "second ahead",
		},
		"ternary": Ternary{
			Frame:   Frame{Synthetic: true, Subtitle: "Dirichlet density with concentrations 2, 3 and 4"},
			Symbols: [3]string{"BTC", "ETH", "SOL"},
			Clouds:  []TernaryCloud{{"training", dirichlet(rng, 400, 3, 2)}, {"generated", dirichlet(rng, 300, 3, 3)}},
			LogDensity: func(w []float64) float64 {
				return math.Log(w[0]) + 2*math.Log(w[1]) + 3*math.Log(w[2])
			},
		},
		"intervals": Intervals{
			Frame: Frame{Synthetic: true, Subtitle: "95 % intervals over 24 worlds"}, X: Axis{Label: "share of the optimum, beyond 1/N"},
			Names: []string{"first", "second", "third, without an interval"}, Estimate: []float64{0.03, -0.01, 0.02},
			Low: []float64{0.01, -0.04, math.NaN()}, High: []float64{0.05, 0.02, math.NaN()}, AgainstName: "1/N",
		},
		"areas":   areasExample(newRand()),
		"candles": candlesExample(newRand()),
		"no_data": WeightBars{Frame: Frame{Synthetic: true}, Symbols: symbols},
	}
}

// dirichlet draws n rows of weights, exponentials raised to a power: near
// enough to a Dirichlet's for a picture.
func dirichlet(rng *rand.Rand, n, assets int, alpha float64) *mat.Dense {
	w := mat.NewDense(n, assets, nil)
	for i := range n {
		row := w.RawRowView(i)
		var sum float64
		for j := range row {
			row[j] = math.Pow(rng.ExpFloat64(), 1/alpha)
			sum += row[j]
		}
		for j := range row {
			row[j] /= sum
		}
	}
	return w
}

func areasExample(rng *rand.Rand) Areas {
	a := Areas{X: Axis{Unit: Date}, Shares: dirichlet(rng, 40, 10, 0.4), Names: strings.Split("A B C D E F G H I J", " ")}
	for t := range 40 {
		a.Times = append(a.Times, float64(1_700_000_000+86400*t))
	}
	return a
}

func candlesExample(rng *rand.Rand) Candles {
	k, price := Candles{X: Axis{Unit: Date}, Unfinished: 1}, 100.0
	for t := range 30 {
		last := price
		price += 3 * rng.NormFloat64()
		k.Times = append(k.Times, float64(1_700_000_000+86400*t))
		k.Open, k.Close = append(k.Open, last), append(k.Close, price)
		k.High, k.Low = append(k.High, max(last, price)+rng.Float64()), append(k.Low, min(last, price)-rng.Float64())
	}
	return k
}

func trainingExample(rng *rand.Rand) Training {
	t := Training{Frame: Frame{Subtitle: "d = 8, beta 0.1, 10,000 steps of batch 128; validation split by window"}, WarmupEnd: 2000, Best: 9200}
	for s := 0.0; s <= 10000; s += 100 {
		t.Step = append(t.Step, s)
		t.TrainLoss = append(t.TrainLoss, 1.1+5*math.Exp(-s/1200)+0.05*rng.NormFloat64())
		v := math.NaN()
		if int(s)%500 == 0 {
			v = 1.25 + 5*math.Exp(-s/1200)
		}
		t.ValidationLoss = append(t.ValidationLoss, v)
		t.KL = append(t.KL, 7*(1-math.Exp(-s/900))+2*math.Exp(-s/700)+0.1*rng.NormFloat64())
	}
	return t
}

func linesExample() Lines {
	var x, a, b []float64
	dots := Series{Name: "portfolios on the way"}
	for v := 0.0; v <= 1; v += 0.02 {
		x, a, b = append(x, v), append(a, 0.4+0.3*v*v), append(b, 0.55-0.2*v*(1-v))
		dots.X, dots.Y = append(dots.X, v, v), append(dots.Y, 0.4+0.3*v, math.NaN())
	}
	return Lines{Frame: Frame{Title: "Interpolation"}, X: Axis{Label: "share of the second portfolio", Unit: Percent},
		Subplots: []Subplot{{Y: Axis{Label: "annual volatility", Unit: Percent}, Series: []Series{{Name: "straight line in weights", X: x, Y: a}, {Name: "path in latent space", X: x, Y: b}, dots}}}}
}

func bandsExample() Lines {
	day := func(i int) float64 { return float64(time.Date(2024, 1, i, 0, 0, 0, 0, time.UTC).Unix()) }
	var mean, state Series
	mean.Name, state.Name, state.Steps = "mean and its standard error", "state", true
	for i := 1; i <= 60; i++ {
		y := math.Sin(float64(i) / 8)
		mean.X, mean.Y = append(mean.X, day(i)), append(mean.Y, y)
		mean.Low, mean.High = append(mean.Low, y-0.3), append(mean.High, y+0.2)
		state.X, state.Y = append(state.X, day(i)), append(state.Y, math.Floor(float64(i)/20))
	}
	mean.Low[30] = math.NaN()
	return Lines{
		Frame: Frame{Title: "Bands, steps and shades", Synthetic: true}, X: Axis{Unit: Date},
		Subplots: []Subplot{{Series: []Series{mean}}, {Series: []Series{state}}},
		Shades:   []Shade{{day(5), day(12), "calm"}, {day(20), day(30), "turbulent"}, {day(40), day(90), "calm"}},
		Guides:   []Guide{{day(45), "split"}},
	}
}

func scatterExample(rng *rand.Rand, coloured bool) Scatter {
	s := Scatter{Frame: Frame{Title: "Codes"}, X: Axis{Label: "z1"}, Y: Axis{Label: "z2"}, Scale: Axis{Label: "volatility", Unit: Percent}}
	if coloured {
		s.Circles = []float64{1.18, 2.45}
	}
	for i, name := range []string{"dirichlet", "optimized"} {
		g := Points{Name: name}
		for range 400 {
			g.X, g.Y = append(g.X, rng.NormFloat64()+2*float64(i)), append(g.Y, rng.NormFloat64())
			if coloured {
				g.Values = append(g.Values, 0.5+0.1*g.Y[len(g.Y)-1])
			}
		}
		g.X[0] = math.NaN()
		s.Groups = append(s.Groups, g)
	}
	return s
}

func mosaicExample() Mosaic {
	m := Mosaic{
		Frame: Frame{Title: "Decoded"}, X: Axis{Label: "first"}, Y: Axis{Label: "second"},
		Group: []int{0, 0, 1, 1, 2, 2}, Groups: []string{"L1", "DeFi", "Meme"},
	}
	for k := range 7 {
		m.Columns = append(m.Columns, float64(k)-3)
		m.Rows = append(m.Rows, float64(k)+1)
		m.Y.Names = append(m.Y.Names, fmt.Sprint("row ", k+1))
	}
	m.Weights = mat.NewDense(49, 6, nil)
	for i := range 49 {
		row, sum := m.Weights.RawRowView(i), 0.0
		for j := range row {
			row[j] = math.Exp(math.Sin(float64(j)+m.Columns[i%7]) + math.Cos(float64(2*j)+m.Rows[i/7]-4))
			sum += row[j]
		}
		for j := range row {
			row[j] /= sum
		}
	}
	return m
}

func rateExample(rng *rand.Rand) RateDistortion {
	r := RateDistortion{
		Frame:    Frame{Subtitle: "mixed training set of 12 assets, d = 8, three seeds"},
		Spectrum: []float64{4.45, 1.57, 1.52, 0.95, 0.75, 0.64, 0.59, 0.54, 0.45, 0.32, 0.22, 0},
		Latent:   8,
	}
	for _, beta := range []float64{0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 4, 6} {
		for seed := range 3 {
			theory := r.theory([]RatePoint{{Beta: beta}})[0]
			r.Points = append(r.Points, RatePoint{beta, seed,
				theory.Rate * (1 + 0.05*rng.NormFloat64()), theory.Distortion * (1 - 0.05*rng.Float64())})
		}
	}
	return r
}

func unitsExample() KLPerDimension {
	return KLPerDimension{
		KL:       []float64{0.9, 1.4, 0.002, 0.7, 0.65, 1.1, 0.85, 0.001},
		Variance: []float64{0.82, 0.93, 0.003, 0.75, 0.7, 0.88, 0.8, 0.0001},
	}
}

func spectrumExample() Spectrum {
	return Spectrum{Eigenvalues: []float64{4.45, 1.57, 1.52, 0.95, 0.75, 0.64, 0.59, 0.54, 0.45, 0.32, 0.22, 0}, Beta: 0.6, Latent: 8}
}

func riskReturnExample(rng *rand.Rand) RiskReturn {
	cloud := func(name string, n int, spread float64) Cloud {
		c := Cloud{Name: name}
		for range n {
			risk := 0.6 + 0.06*spread*rng.NormFloat64()
			c.Risk = append(c.Risk, risk)
			c.Return = append(c.Return, 0.3*risk+0.12*spread*rng.NormFloat64())
		}
		return c
	}
	frontier := Cloud{}
	for v := 0.0; v <= 1; v += 0.05 {
		frontier.Risk = append(frontier.Risk, 0.45+0.4*v*v)
		frontier.Return = append(frontier.Return, 0.2+0.5*v)
	}
	return RiskReturn{
		Frame:    Frame{Subtitle: "in sample, 2021-11-01 to 2024-06-30, 972 days; at most 25 % in one asset", Synthetic: true},
		Clouds:   []Cloud{cloud("training", 6000, 1.3), cloud("generated", 1000, 1)},
		Frontier: frontier,
		Marks: []Mark{
			{"1/N", 0.61, 0.18}, {"minimum variance", 0.46, 0.205}, {"best of 20,000 Dirichlet", 0.6, 0.55},
			{"latent Sharpe", 0.59, 0.56}, {"convex bound", 0.585, 0.57}, {"risk parity", 0.6, 0.19}, {"undefined", math.NaN(), 1},
		},
	}
}

func wealthExample(rng *rand.Rand) Wealth {
	w := Wealth{Frame: Frame{Subtitle: "net of 10 bp a side, rebalanced every 30 days", Synthetic: true}, Start: time.Date(2024, 6, 30, 0, 0, 0, 0, time.UTC)}
	market := make([]float64, 480)
	for t := range market {
		market[t] = 0.001 + 0.03*rng.NormFloat64()
		w.Times = append(w.Times, w.Start.AddDate(0, 0, t+1))
	}
	for i, name := range []string{"latent Sharpe", "1/N", "minimum variance", "risk parity", "HRP", "best of Dirichlet", "inverse volatility", "maximum diversification", "BTC alone"} {
		p := Path{Name: name}
		for _, r := range market {
			p.Returns = append(p.Returns, r*(1-0.05*float64(i))+0.006*rng.NormFloat64())
		}
		w.Paths = append(w.Paths, p)
	}
	return w
}

func heatmapExample(symbols []string) Heatmap {
	n := len(symbols)
	v := mat.NewDense(n, n, nil)
	for i := range n {
		for j := range n {
			v.Set(i, j, 0.68+0.25*math.Sin(float64(i*j+i+j)))
			if i == j {
				v.Set(i, j, 1)
			}
		}
	}
	v.Set(2, 5, -0.31)
	v.Set(5, 2, -0.31)
	return Heatmap{Frame: Frame{Subtitle: "daily simple returns, 2021-11-01 to 2024-06-30"}, Symbols: symbols, Values: v}
}

func planeExample(rng *rand.Rand) Plane {
	p := Plane{
		Frame: Frame{Title: "Losses over the latent plane", Subtitle: "31 x 31 codes, decoded and projected", Synthetic: true},
		X:     Axis{Label: "first principal direction"}, Y: Axis{Label: "second principal direction"},
		Scale: Axis{Label: "loss", Unit: Percent},
		Maps:  []PlaneMap{{Name: "worst week"}, {Name: "correlations to one"}},
	}
	for k := range 31 {
		p.Ticks = append(p.Ticks, -3+0.2*float64(k))
	}
	for _, y := range p.Ticks {
		for _, x := range p.Ticks {
			p.Maps[0].Values = append(p.Maps[0].Values, 0.2+0.04*x+0.01*math.Sin(2*y))
			p.Maps[1].Values = append(p.Maps[1].Values, 0.25+0.01*(x*x+y*y))
		}
	}
	p.Maps[1].Values[0] = math.NaN()
	for range 200 {
		p.Points = append(p.Points, PlanePoint{rng.NormFloat64(), rng.NormFloat64()})
	}
	return p
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(7, 7)) }
