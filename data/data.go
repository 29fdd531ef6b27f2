// Package data carries the bundled sample: SYNTHETIC closes of 12 invented
// assets on 1,501 days, their sectors, and the truth they were drawn from.
//
// The files are embedded, so the sample is there wherever the program is:
//
//	panel, cleaning, err := market.LoadFS(data.FS, data.Close, market.Options{})
//	sectors, err := market.ReadSectorsFS(data.FS, data.Sectors)
//	truth, err := data.ReadTruth()
//
// Since the truth is known, the sample is an oracle: an estimator, a regime
// model or a generator of scenarios can be held against what it should have
// found. [Returns] draws others from the same truth, as long as need be.
package data

import (
	"embed"
	"encoding/json"
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// FS holds the files of the sample.
//
//go:embed synthetic_close.csv synthetic_truth.json sectors.csv
var FS embed.FS

// Names of the files in [FS].
const (
	Close   = "synthetic_close.csv"  // a wide CSV: date, 12 closes
	Sectors = "sectors.csv"          // symbol, sector
	Truths  = "synthetic_truth.json" // a [Truth]
)

// Moments are the mean (n) and the covariance (n x n) of simple returns, per
// day; times 365 they are annual.
type Moments struct {
	Mean       []float64   `json:"mean"`
	Covariance [][]float64 `json:"covariance"`
}

// Sym returns the covariance as a matrix.
func (m Moments) Sym() *mat.SymDense {
	n := len(m.Mean)
	sym := mat.NewSymDense(n, nil)
	for i, row := range m.Covariance {
		for j := range i + 1 {
			sym.SetSym(i, j, row[j])
		}
	}
	return sym
}

// Regime is a state of the market: its name and the moments of a return drawn
// in it.
type Regime struct {
	Name string `json:"name"`
	Moments
}

// Truth is what a sample was drawn from. Day t is in regime Path[t], a Markov
// chain, and its simple returns are
//
//	r = mean + sqrt(Variance[t]) * e
//
// where e is multivariate Student t with the given degrees of freedom, mean 0
// and the regime's covariance. Variance is one GARCH(1,1) for all assets,
//
//	Variance[t+1] = 1 - alpha - beta + alpha*Variance[t]*u^2 + beta*Variance[t]
//
// driven by u, the day's shock to the market factor in units of its standard
// deviation. Its expectation is 1 and it is independent of the path up to the
// same day, so the moments of a regime and the stationary moments hold exactly
// (to the 12 digits to which the file gives them).
type Truth struct {
	Note             string      `json:"note"`
	Seed             uint64      `json:"seed"`
	Symbols          []string    `json:"symbols"`
	Sectors          []string    `json:"sectors"` // of each symbol
	Regimes          []Regime    `json:"regimes"`
	Transition       [][]float64 `json:"transition"` // from row to column, per day
	Stationary       Moments     `json:"stationary"` // over all regimes, at their long-run shares
	Shares           []float64   `json:"shares"`     // long-run share of the days in each regime
	DegreesOfFreedom int         `json:"degrees_of_freedom"`
	Alpha            float64     `json:"alpha"`
	Beta             float64     `json:"beta"`
	Path             []int       `json:"path"`     // T, regime of each return
	Variance         []float64   `json:"variance"` // T, volatility clustering, see above
}

// ReadTruth returns the truth of the bundled sample.
func ReadTruth() (*Truth, error) {
	text, err := FS.ReadFile(Truths)
	if err != nil {
		return nil, err
	}
	truth := new(Truth)
	if err := json.Unmarshal(text, truth); err != nil {
		return nil, fmt.Errorf("%s: %w", Truths, err)
	}
	return truth, nil
}
