package choose

import (
	"fmt"
	"math"
	"slices"
	"time"

	"vaefolio/vaelib/inference"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/moments"
)

// Settings say which scenarios and stresses are made of a window of returns.
// Their tags name the flags.
type Settings struct {
	Horizon int       `flag:"horizon" range:"[1,100000]" unit:"periods" only:"mode=robust|stress|outcomes" help:"the length of a scenario or of a simulated path"`
	Paths   int       `flag:"scenarios" range:"[1,1000000]" only:"mode=robust" help:"the number of bootstrapped scenarios to choose by, and of as many more to judge by"`
	Crises  int       `flag:"crises" range:"[1,1000]" only:"mode=robust|stress" help:"the number of the worst windows in the data, of the horizon's length, that are scenarios too"`
	Shocks  []float64 `flag:"shocks" unit:"standard deviations" only:"mode=robust|stress" help:"the sizes of the shocks that are scenarios too"`
}

// DefaultSettings are 200 paths of 20 periods, the five worst stretches, and
// shocks of one and two standard deviations.
func DefaultSettings() Settings {
	return Settings{Horizon: 20, Paths: 200, Crises: 5, Shocks: []float64{1, 2}}
}

// Scenarios are bootstrapped paths, the worst stretches and parametric shocks of
// a window of returns. Blocks are as long as the equal-weight basket's memory.
func (s *Settings) Scenarios(w *market.Window, seed uint64) (*Scenarios, error) {
	block := inference.BlockLength(market.Basket(w.Returns))
	paths, err := BootstrapScenarios(w.Returns, s.Paths, s.Horizon, block, seed)
	if err != nil {
		return nil, err
	}
	extremes, err := s.extremes(w)
	if err != nil {
		return nil, err
	}
	return paths.Join(extremes)
}

// extremes are the worst stretches, named by their dates, and the shocks.
func (s *Settings) extremes(w *market.Window) (*Scenarios, error) {
	crises, err := WorstWindows(w.Returns, s.Crises, s.Horizon)
	if err != nil {
		return nil, err
	}
	worst, err := CrisisScenarios(w.Returns, crises)
	if err != nil {
		return nil, err
	}
	for i, c := range crises {
		worst.Names[i] = fmt.Sprintf(
			"%s to %s", w.Times[c.From].Format(time.DateOnly), w.Times[c.To-1].Format(time.DateOnly))
	}
	shocks, err := ShockScenarios(w.Returns, s.Horizon, s.Shocks...)
	if err != nil {
		return nil, err
	}
	return worst.Join(shocks)
}

// deviations is the fall, in standard deviations, of the stresses of volatility
// and correlation.
const deviations = 3

// Stresses are the worst stretches and shocks of a window of returns, falls by
// three standard deviations as they are, with volatilities doubled and with
// correlations of one, and each asset at zero. Where traded (n) is not nil, the
// last is that of selling a capital within one period: see [Liquidation].
func (s *Settings) Stresses(w *market.Window, traded []float64, capital float64) ([]Stress, error) {
	extremes, err := s.extremes(w)
	if err != nil {
		return nil, err
	}
	m, err := moments.Estimate(moments.Sample, w.Returns)
	if err != nil {
		return nil, err
	}
	all := append(extremes.Stresses(),
		VolatilityTimes(1, m.Cov, deviations, s.Horizon),
		VolatilityTimes(2, m.Cov, deviations, s.Horizon),
		CorrelationsToOne(m.Cov, deviations, s.Horizon))
	for asset, symbol := range w.Symbols {
		all = append(all, AssetToZero(asset, symbol))
	}
	if traded == nil {
		return all, nil
	}
	liquidation, err := Liquidation(m.Cov, traded, capital)
	return append(all, liquidation), err
}

// MedianTraded returns the median of each symbol's last 60 values in a table of what
// was traded in each period, in the order of the symbols. It returns an error for a
// symbol that has none.
func MedianTraded(traded *market.Panel) ([]float64, error) {
	const recent = 60 // periods
	median := make([]float64, len(traded.Symbols))
	for k, symbol := range traded.Symbols {
		var last []float64
		for t := len(traded.Times) - 1; t >= 0 && len(last) < recent; t-- {
			if v := traded.Close.At(t, k); !math.IsNaN(v) {
				last = append(last, v)
			}
		}
		if len(last) == 0 {
			return nil, fmt.Errorf("no value traded of %s", symbol)
		}
		slices.Sort(last)
		median[k] = (last[(len(last)-1)/2] + last[len(last)/2]) / 2
	}
	return median, nil
}
