package backtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"vaefolio/internal/sharedtest"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
)

func solved(objective optimize.Objective) Strategy {
	return Strategy{Name: string(objective), Weights: func(ctx context.Context, training *market.Window, _ []float64) ([]float64, error) {
		m, err := moments.Estimate(moments.Sample, training.Returns)
		if err != nil {
			return nil, err
		}
		r, err := optimize.Solve(ctx, objective, &optimize.Inputs{Set: simplex.Set{N: len(training.Symbols)}, Mean: m.Mean, Cov: m.Cov})
		if err != nil {
			return nil, err
		}
		return r.Weights, nil
	}}
}

func fixed(w ...float64) Strategy {
	return Strategy{Name: "fixed", Weights: func(context.Context, *market.Window, []float64) ([]float64, error) { return w, nil }}
}

// window makes T x n returns.
func window(rows ...[]float64) *market.Window {
	w := &market.Window{Returns: mat.NewDense(len(rows), len(rows[0]), slices.Concat(rows...))}
	for j := range rows[0] {
		w.Symbols = append(w.Symbols, fmt.Sprint("S", j))
	}
	for t := range rows {
		w.Times = append(w.Times, time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC).AddDate(0, 0, t))
	}
	return w
}

// expected is the part of walkforward/expected.json that is compared.
type expected struct {
	Splits  []struct{ Train, Test [2]int }
	Unused  int `json:"unused_tail_returns"`
	Results map[string]struct {
		Rebalanced map[string]float64 `json:"rebalanced_daily"`
		Drifting   map[string]float64 `json:"drifting_gross"`
		Net        map[string]float64 `json:"drifting_net_10bp"`
		Turnover   []float64          `json:"turnover_per_rebalance"`
	}
}

// The reference is skfolio's WalkForward over core12 with weights of its own
// and of PyPortfolioOpt, and a recomputation of drift and costs.
func TestReferenceWalkForward(t *testing.T) {
	panel, _, err := market.Load(sharedtest.Path(t, "cases", "data", "core12_close.csv"), market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	prices, _, err := panel.Window()
	if err != nil {
		t.Fatal(err)
	}
	var want expected
	sharedtest.JSON(t, &want, "cases", "walkforward", "expected.json")
	for name, strategy := range map[string]Strategy{
		"equal_weight": solved(optimize.EqualWeight), "inverse_volatility": solved(optimize.InverseVolatility), "min_variance": solved(optimize.MinVariance),
	} {
		reference, ok := want.Results[name]
		if !ok {
			t.Fatalf("no reference for %s", name)
		}
		tolerance := 1e-9
		if name == "min_variance" {
			tolerance = 1e-6
		}
		for variant, c := range map[string]struct {
			settings Settings
			figures  map[string]float64
		}{
			"rebalanced": {Settings{Train: 365, Test: 30, ConstantWeights: true}, reference.Rebalanced},
			"drifting":   {Settings{Train: 365, Test: 30}, reference.Drifting},
			"net":        {Settings{Train: 365, Test: 30, CostBps: 10}, reference.Net},
		} {
			result, err := Run(context.Background(), prices, []Strategy{strategy}, c.settings, nil)
			if err != nil {
				t.Fatal(err)
			}
			track := result.Tracks[0]
			if len(track.Rebalances) != len(want.Splits) || result.Unused != want.Unused {
				t.Fatalf("%d windows and %d periods left, want %d and %d", len(track.Rebalances), result.Unused, len(want.Splits), want.Unused)
			}
			for i, split := range want.Splits {
				if r := track.Rebalances[i]; r.From != split.Test[0] || r.To != split.Test[1]+1 {
					t.Fatalf("window %d is [%d, %d), want [%d, %d]", i, r.From, r.To, split.Test[0], split.Test[1])
				}
				if got := track.Rebalances[i].Turnover; variant != "rebalanced" && math.Abs(got-reference.Turnover[i]) > tolerance {
					t.Errorf("%s, rebalance %d trades %v, want %v", name, i, got, reference.Turnover[i])
				}
			}
			f, err := metrics.EvaluateSeries(track.Returns, metrics.Settings{PeriodsPerYear: 365})
			if err != nil {
				t.Fatal(err)
			}
			for figure, got := range map[string]float64{
				"annual_return": f.AnnualReturn, "cagr": f.CAGR, "volatility": f.Volatility, "sharpe": f.Sharpe,
				"sortino": f.Sortino, "max_drawdown": f.MaxDrawdown, "var95": f.VaR, "cvar95": f.CVaR, "psr0": f.PSR,
			} {
				if reference, ok := c.figures[figure]; !ok || math.Abs(got-reference) > tolerance*math.Abs(reference) {
					t.Errorf("%s, %s: %s is %v, want %v", name, variant, figure, got, reference)
				}
			}
		}
	}
}

func TestDriftByHand(t *testing.T) {
	w := window([]float64{0, 0}, []float64{0, 0}, []float64{1, 0}, []float64{0, 0.5}, []float64{0.1, 0.1})
	// Halves, rebalanced every period at 1 %: buying all; then from 2/3 and 1/3
	// back to halves, a trade of 1/3; then from 0.4 and 0.6, a trade of 0.2.
	result, err := Run(context.Background(), w, []Strategy{fixed(0.5, 0.5)}, Settings{Train: 2, Test: 1, CostBps: 100}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []float64{0.99*1.5 - 1, (1-0.01/3)*1.25 - 1, (1-0.01*0.2)*1.1 - 1}
	for i, r := range result.Tracks[0].Returns {
		if math.Abs(r-want[i]) > 1e-15 {
			t.Errorf("period %d returns %v, want %v", i, r, want[i])
		}
	}
	// Held: the first asset doubles its half, the second gains half of its third.
	held, err := Run(context.Background(), w, []Strategy{fixed(0.5, 0.5)}, Settings{Train: 2, Test: 3}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0.5, 1.0 / 6, 0.1} {
		if r := held.Tracks[0].Returns[i]; math.Abs(r-want) > 1e-15 {
			t.Errorf("held, period %d returns %v, want %v", i, r, want)
		}
	}
}

// Without costs, drifting wealth is that of buying and holding.
func TestHoldingIsBuyingOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(t, "n")
		periods := rapid.IntRange(3, 30).Draw(t, "periods")
		var rows [][]float64
		for range periods {
			rows = append(rows, rapid.SliceOfN(rapid.Float64Range(-0.5, 0.5), n, n).Draw(t, "returns"))
		}
		result, err := Run(context.Background(), window(rows...), []Strategy{fixed(equal(n)...)}, Settings{Train: 2, Test: periods - 2}, nil)
		if err != nil {
			t.Fatal(err)
		}
		wealth, bought := 1.0, 0.0
		for _, r := range result.Tracks[0].Returns {
			wealth *= 1 + r
		}
		for j := range n {
			value := 1 / float64(n)
			for _, row := range rows[2:] {
				value *= 1 + row[j]
			}
			bought += value
		}
		if math.Abs(wealth-bought) > 1e-9*bought {
			t.Fatalf("wealth %v, bought and held %v", wealth, bought)
		}
	})
}

// A strategy sees its training window and nothing after it.
func TestStrategiesSeeThePastOnly(t *testing.T) {
	var rows [][]float64
	for i := range 50 {
		rows = append(rows, []float64{0.01 * math.Sin(float64(i)), 0.01 * math.Cos(float64(2*i)), 0.02 * math.Sin(float64(3*i))})
	}
	settings := Settings{Train: 20, Test: 10, Embargo: 3}
	before, err := Run(context.Background(), window(rows...), []Strategy{solved(optimize.MinVariance)}, settings, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 27; i < 50; i++ { // the second choice, at 30, rests on [10, 27)
		rows[i] = []float64{-0.3, 0.2, 0.1}
	}
	after, err := Run(context.Background(), window(rows...), []Strategy{solved(optimize.MinVariance)}, settings, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if !slices.Equal(before.Tracks[0].Rebalances[i].Weights, after.Tracks[0].Rebalances[i].Weights) {
			t.Errorf("choice %d changed with later returns", i)
		}
	}
	if slices.Equal(before.Tracks[0].Rebalances[2].Weights, after.Tracks[0].Rebalances[2].Weights) {
		t.Error("the third choice didn't change: the test alters nothing")
	}
}

func TestStrategyWithoutAnswerHolds(t *testing.T) {
	calls := 0
	moody := Strategy{Name: "moody", Weights: func(_ context.Context, _ *market.Window, held []float64) ([]float64, error) {
		calls++
		if calls == 2 {
			return []float64{1, 0}, nil
		}
		return nil, fmt.Errorf("mood %d: %w", calls, ErrHold)
	}}
	w := window([]float64{0, 0}, []float64{0, 0}, []float64{0.1, 0}, []float64{0.1, 0}, []float64{0.1, 0})
	result, err := Run(context.Background(), w, []Strategy{moody}, Settings{Train: 2, Test: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	track := result.Tracks[0]
	if got := track.Rebalances[0].Weights; !slices.Equal(got, []float64{0.5, 0.5}) {
		t.Errorf("before the first answer it holds %v, want equal weights", got)
	}
	if got := track.Rebalances[2]; !slices.Equal(got.Weights, []float64{1, 0}) || got.Turnover != 0 || !strings.Contains(got.Note, "mood 3") {
		t.Errorf("without an answer it trades: %+v", got)
	}
	if track.Held() != 2 {
		t.Errorf("%d rebalances without an answer, want 2", track.Held())
	}
}

func TestRunRefuses(t *testing.T) {
	w := window([]float64{0, 0}, []float64{0, 0}, []float64{0, -0.9}, []float64{0, 0})
	failing := Strategy{Name: "failing", Weights: func(context.Context, *market.Window, []float64) ([]float64, error) {
		return nil, errors.New("out of luck")
	}}
	good := Settings{Train: 2, Test: 2}
	for _, c := range []struct {
		name       string
		strategies []Strategy
		settings   Settings
		want       string
	}{
		{"no strategies", nil, good, "no strategies"},
		{"short data", []Strategy{fixed(1, 0)}, Settings{Train: 4, Test: 2}, "4 returns"},
		{"test", []Strategy{fixed(1, 0)}, Settings{Train: 2}, "test windows of 0"},
		{"embargo", []Strategy{fixed(1, 0)}, Settings{Train: 2, Test: 1, Embargo: 1}, "embargo"},
		{"cost", []Strategy{fixed(1, 0)}, Settings{Train: 2, Test: 1, CostBps: math.NaN()}, "basis points"},
		{"failing", []Strategy{failing}, good, "strategy failing: window that ends 2024-01-03: out of luck"},
		{"too few weights", []Strategy{fixed(1)}, good, "1 weights for 2 assets"},
		{"sum", []Strategy{fixed(1, 1)}, good, "sum to 2"},
		{"NaN", []Strategy{fixed(math.NaN(), 1)}, good, "must be finite"},
		{"ruin", []Strategy{fixed(-2, 3)}, good, "leaves nothing"},
	} {
		if _, err := Run(context.Background(), w, c.strategies, c.settings, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, w, []Strategy{fixed(1, 0)}, good, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

func ExampleRun() {
	w := window([]float64{0.01, 0}, []float64{0, 0.01}, []float64{0.1, 0}, []float64{0, 0.1})
	result, err := Run(context.Background(), w, []Strategy{fixed(0.5, 0.5)}, Settings{Train: 2, Test: 2, CostBps: 10}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, r := range result.Tracks[0].Returns {
		fmt.Printf("%s %.5f\n", result.Times[i].Format(time.DateOnly), r)
	}
	// Output:
	// 2024-01-04 0.04895
	// 2024-01-05 0.04762
}
