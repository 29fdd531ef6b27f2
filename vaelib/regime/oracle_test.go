package regime_test

import (
	"slices"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/data"
	"vaefolio/vaelib/features"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/regime"
)

const trainShare = 0.75

// score says how well states are told, out of sample: accuracy is the share of
// days, balanced the mean over the true states of that share in each.
type score struct{ accuracy, balanced float64 }

func (s *score) add(o score, weight float64) {
	s.accuracy += weight * o.accuracy
	s.balanced += weight * o.balanced
}

func scoreOf(states, truth []int) score {
	var right, all [3]float64
	for t, s := range states {
		all[truth[t]]++
		if s == truth[t] {
			right[s]++
		}
	}
	var s score
	met := 0.0
	for k := range all {
		s.accuracy += right[k] / float64(len(truth))
		if all[k] > 0 {
			s.balanced += right[k] / all[k]
			met++
		}
	}
	s.balanced /= met
	return s
}

// compare fits to the first three quarters of a draw with known regimes, and
// scores on the rest: the model on the equal-weight basket's returns, terciles
// of its volatility over 20 days, and the guess that it is always calm.
func compare(t *testing.T, w *market.Window, truth []int) (model, terciles, calm score) {
	t.Helper()
	days := len(w.Times)
	train := int(trainShare * float64(days))
	basket := mat.NewDense(days, 1, nil)
	for i := range days {
		var sum float64
		for _, r := range w.Returns.RawRowView(i) {
			sum += r
		}
		basket.Set(i, 0, sum/float64(len(w.Symbols)))
	}
	m, _, err := regime.Fit(t.Context(), basket.Slice(0, train, 0, 1).(*mat.Dense), regime.Settings{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	probs, _, err := m.Filter(basket)
	if err != nil {
		t.Fatal(err)
	}
	model = scoreOf(regime.MostLikely(probs)[train:], truth[train:])

	table, err := features.BuildWindow(t.Context(), w, features.Config{NoAssets: true})
	if err != nil {
		t.Fatal(err)
	}
	volatility, _ := table.Column("market.volatility.20")
	first := slices.Index(volatility.Defined, true)
	grid, err := regime.FitGrid(volatility.Values[first:train])
	if err != nil {
		t.Fatal(err)
	}
	thirds := make([]int, days)
	for i := first; i < days; i++ {
		thirds[i] = grid.State(volatility.Values[i], 0) / 2
	}
	return model, scoreOf(thirds[train:], truth[train:]), scoreOf(make([]int, days-train), truth[train:])
}

// The bundled sample is the oracle: its regimes (calm, bear, turbulent, in
// rising order of volatility) are known. So are those of other draws from the
// same truth, which say how much of a result is luck.
func TestOracle(t *testing.T) {
	panel, _, err := market.LoadFS(data.FS, data.Close, market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w, _, err := panel.Window()
	if err != nil {
		t.Fatal(err)
	}
	truth, err := data.ReadTruth()
	if err != nil {
		t.Fatal(err)
	}
	model, terciles, calm := compare(t, w, truth.Path)
	t.Logf("bundled sample, out of sample: model %.3f, terciles %.3f, always calm %.3f", model, terciles, calm)
	if model.accuracy <= terciles.accuracy || model.accuracy <= calm.accuracy {
		t.Errorf("bundled sample: model scores %.3f, terciles %.3f, always calm %.3f", model, terciles, calm)
	}

	if testing.Short() {
		return // eight more markets
	}
	const draws = 8
	model, terciles, calm = score{}, score{}, score{}
	wins := 0
	for seed := range uint64(draws) {
		returns, truth := data.Returns(1000+seed, 1500)
		other := &market.Window{Symbols: truth.Symbols, Returns: returns}
		for i := range 1500 {
			other.Times = append(other.Times, time.Date(2020, 1, 1+i, 0, 0, 0, 0, time.UTC))
			for j := range truth.Symbols { // the tails of these draws reach below any price
				returns.Set(i, j, max(-0.95, returns.At(i, j)))
			}
		}
		a, b, c := compare(t, other, truth.Path)
		model.add(a, 1./draws)
		terciles.add(b, 1./draws)
		calm.add(c, 1./draws)
		if a.accuracy > b.accuracy {
			wins++
		}
	}
	t.Logf("%d other draws: model %.3f, terciles %.3f, always calm %.3f; the model beat the terciles in %d", draws, model, terciles, calm, wins)
	if model.accuracy <= terciles.accuracy || model.accuracy <= calm.accuracy {
		t.Errorf("other draws: model scores %.3f, terciles %.3f, always calm %.3f", model, terciles, calm)
	}
}
