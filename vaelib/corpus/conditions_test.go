package corpus

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/simplex"
)

// firstHeldOut is the first period of a validation window: the cut, since one
// starts there for every lookback.
func firstHeldOut(c *Corpus) int {
	first := len(c.window.Times)
	for _, s := range c.Spans {
		if s.Validation {
			first = min(first, s.From)
		}
	}
	return first
}

// A row's conditions are its figures over the training part, or its own window,
// computed here the long way.
func TestConditionsAreAsMeasured(t *testing.T) {
	for _, measured := range []string{MeasuredTraining, MeasuredRolling} {
		t.Run(measured, func(t *testing.T) { testConditions(t, measured) })
	}
}

func testConditions(t *testing.T, measured string) {
	window, sectors := sample(t)
	c := build(t, window, simplex.Set{N: 12}, sectors, Config{N: 60, Seed: 5, Measured: measured, Validation: 0.2})
	names := c.Portfolios.Conditions.Names
	for i, row := range c.Rows {
		span, w := c.Spans[row.Span], c.Portfolios.Weights.RawRowView(i)
		if measured == MeasuredTraining {
			span = Span{To: firstHeldOut(c)}
		}
		var returns []float64
		for period := span.From; period < span.To; period++ {
			var r float64
			for j, x := range w {
				r += x * window.Returns.At(period, j)
			}
			returns = append(returns, r)
		}
		average := mean(returns)
		var squares, concentration float64
		for _, r := range returns {
			squares += (r - average) * (r - average)
		}
		for _, x := range w {
			concentration += x * x
		}
		want := map[string]float64{
			"annual_return":    365 * average,
			"volatility":       math.Sqrt(365 * squares / float64(len(returns)-1)),
			"effective_assets": 1 / concentration,
			"max_weight":       slices.Max(w),
		}
		for _, sector := range sectors.Names {
			for j, symbol := range window.Symbols {
				want[portfolio.SectorPrefix+sector] += sectors.Share(symbol, sector) * w[j]
			}
		}
		for name, value := range want {
			k := slices.Index(names, name)
			if k < 0 {
				t.Fatalf("no condition %s among %v", name, names)
			}
			if got := c.Portfolios.Conditions.Values.At(i, k); math.Abs(got-value) > 1e-9*(1+math.Abs(value)) {
				t.Errorf("row %d: %s is %v, want %v", i, name, got, value)
			}
		}
		figures, err := metrics.NewEvaluator(window.Slice(span.From, span.To).Returns, metrics.Settings{PeriodsPerYear: 365})
		if err != nil {
			t.Fatal(err)
		}
		f, err := figures.Evaluate(w)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]float64{"max_drawdown": f.MaxDrawdown, "var95": f.VaR, "cvar95": f.CVaR} {
			if got := c.Portfolios.Conditions.Values.At(i, slices.Index(names, name)); got != value {
				t.Errorf("row %d: %s is %v, want %v", i, name, got, value)
			}
		}
	}
}

// With conditions measured over the training part, not even those of held-out
// rows look at held-out returns: altering these leaves the conditions of every
// portfolio as they were.
func TestTrainingMeasuresDontLookAhead(t *testing.T) {
	window, sectors := sample(t)
	window = window.Slice(0, 500)
	config := Config{Source: Dirichlet, N: 200, Seed: 3, Lookbacks: []int{40}, Validation: 0.2}
	before := build(t, window, capped(12, 0.3), sectors, config)
	altered := &market.Window{Symbols: window.Symbols, Times: window.Times, Returns: mat.DenseCopyOf(window.Returns)}
	for period := firstHeldOut(before); period < len(window.Times); period++ {
		for j := range 12 {
			altered.Returns.Set(period, j, 0.1-altered.Returns.At(period, j)/3)
		}
	}
	after := build(t, altered, capped(12, 0.3), sectors, config)
	if !mat.Equal(before.Portfolios.Conditions.Values, after.Portfolios.Conditions.Values) {
		t.Error("conditions over the training part changed with held-out returns")
	}
	a, b := before.Measures(), after.Measures()
	if x, y := must(json.Marshal(a)), must(json.Marshal(b)); !bytes.Equal(x, y) {
		t.Error("measures changed with held-out returns")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Measures compute the conditions from weights alone, for any weights.
func TestMeasuresAreTheConditions(t *testing.T) {
	window, sectors := sample(t)
	for _, test := range []struct {
		measured string
		want     []string
	}{
		{MeasuredTraining, []string{"volatility", "annual_return", "effective_assets", "max_weight"}},
		{MeasuredRolling, []string{"effective_assets", "max_weight"}},
	} {
		c := build(t, window, simplex.Set{N: 12}, sectors, Config{N: 500, Seed: 9, Measured: test.measured, Validation: 0.2})
		measures := c.Measures()
		for _, sector := range sectors.Names {
			test.want = append(test.want, portfolio.SectorPrefix+sector)
		}
		var names []string
		for _, m := range measures {
			names = append(names, m.Name)
			if err := m.Check(12); err != nil {
				t.Error(err)
			}
			k := slices.Index(c.Portfolios.Conditions.Names, m.Name)
			for i := range c.Rows {
				want := c.Portfolios.Conditions.Values.At(i, k)
				if got := m.Value(c.Portfolios.Weights.RawRowView(i)); math.Abs(got-want) > 1e-10 {
					t.Fatalf("%s: the measure of %s is %v for row %d, the condition %v", test.measured, m.Name, got, i, want)
				}
			}
		}
		if !slices.Equal(names, test.want) {
			t.Errorf("%s: measures of %v, want %v", test.measured, names, test.want)
		}
	}
}

// The root gives the volatility of the evaluator for any returns, for fewer
// periods than assets too, and where assets move as one.
func TestRootOfTheCovariance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "n")
		periods := rapid.IntRange(2, 20).Draw(t, "periods")
		returns := mat.NewDense(periods, n, rapid.SliceOfN(rapid.Float64Range(-0.9, 3), periods*n, periods*n).Draw(t, "returns"))
		if n > 1 && rapid.Bool().Draw(t, "twins") {
			for i := range periods {
				returns.Set(i, 1, returns.At(i, 0))
			}
		}
		w := rapid.SliceOfN(rapid.Float64Range(-1, 1), n, n).Draw(t, "w")
		root, mean := riskAndReturn(returns, 365)
		f := must(must(metrics.NewEvaluator(returns, metrics.Settings{PeriodsPerYear: 365})).Evaluate(w))
		volatility := portfolio.Measure{Name: "volatility", Form: portfolio.Norm, Matrix: root}
		annual := portfolio.Measure{Name: "annual_return", Form: portfolio.Linear, Vector: mean}
		if got := volatility.Value(w); math.Abs(got-f.Volatility) > 1e-10 {
			t.Fatalf("volatility %v, want %v", got, f.Volatility)
		}
		if got := annual.Value(w); math.Abs(got-f.AnnualReturn) > 1e-10 {
			t.Fatalf("annual return %v, want %v", got, f.AnnualReturn)
		}
	})
}

func TestSplitConditions(t *testing.T) {
	window, sectors := sample(t)
	c := build(t, window, simplex.Set{N: 12}, sectors, Config{N: 100, Seed: 9, Validation: 0.2})
	weights, heldOut := c.Split()
	conditions, heldOutConditions := c.SplitConditions()
	k := slices.Index(c.Portfolios.Conditions.Names, "max_weight")
	for _, part := range []struct{ weights, conditions *mat.Dense }{{weights, conditions}, {heldOut, heldOutConditions}} {
		rows, _ := part.weights.Dims()
		if r, columns := part.conditions.Dims(); r != rows || columns != len(c.Schema) {
			t.Fatalf("%d x %d conditions of %d rows, %d in the schema", r, columns, rows, len(c.Schema))
		}
		for i := range rows {
			if part.conditions.At(i, k) != slices.Max(part.weights.RawRowView(i)) {
				t.Fatalf("row %d has the conditions of another", i)
			}
		}
	}
	none := build(t, window, simplex.Set{N: 12}, sectors, Config{N: 100, Seed: 9})
	if _, heldOut := none.SplitConditions(); heldOut != nil {
		t.Error("held-out conditions where nothing is held out")
	}
}

func TestReadMeasures(t *testing.T) {
	window, sectors := sample(t)
	c := build(t, window, simplex.Set{N: 12}, sectors, Config{N: 100, Seed: 9, Validation: 0.2})
	dir := t.TempDir()
	if err := c.Write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := ReadMeasures(filepath.Join(dir, WeightsFile), 12)
	if err != nil {
		t.Fatal(err)
	}
	if x, y := must(json.Marshal(got)), must(json.Marshal(c.Measures())); !bytes.Equal(x, y) {
		t.Error("measures.json reads back as other measures")
	}
	if _, err := ReadMeasures(filepath.Join(dir, WeightsFile), 11); err == nil || !strings.Contains(err.Error(), MeasuresFile) {
		t.Errorf("measures of 12 assets for 11: error %v, want one that names the file", err)
	}
	if got, err := ReadMeasures(filepath.Join(t.TempDir(), WeightsFile), 12); got != nil || err != nil {
		t.Errorf("without a file: %v, %v, want neither", got, err)
	}
}

func TestDecodeMeasuresRefuses(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", "JSON array"},
		{"null", "null"},
		{`{"name":"a"}`, "JSON array"},
		{`[] []`, "JSON array"},
		{`[{"name":"a","form":"linear","vector":[1,2`, "JSON array"},
		{`[{"name":"a","form":"linear","vector":[1,1e999]}]`, "JSON array"},
		{`[{"name":"a","form":"linear","vector":[1]}]`, "number 1: measure of a has a vector of 1"},
		{`[{"name":"a","form":"norm","matrix":[[1],[]]}]`, "rows are empty"},
		{`[{"name":"a","form":"largest"},{"name":"a","form":"effective"}]`, "number 2: \"a\" is measured twice"},
		{`[{"name":"a","form":"shell"}]`, "form"},
		{"[" + strings.Repeat(" ", mostJSON) + "]", "64 MiB"},
	} {
		if _, err := decodeMeasures(strings.NewReader(test.text), 2); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.60s: error %v, want %q", test.text, err, test.want)
		}
	}
}

// What is read without an error is a value of every portfolio.
func FuzzDecodeMeasures(f *testing.F) {
	for _, seed := range []string{
		`[{"name":"sector.A","form":"linear","vector":[1,0]},{"name":"max_weight","form":"largest"}]`,
		`[{"name":"volatility","form":"norm","matrix":[[0.2,0.1],[0.3,0.5]]},{"name":"effective_assets","form":"effective"}]`,
		`[{"name":"v","form":"norm","matrix":[[],[]]}]`, `[]`, `null`, `[null]`, `[{"form":"linear"}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		measures, err := decodeMeasures(bytes.NewReader(data), 2)
		if err != nil {
			return
		}
		for _, m := range measures {
			if v := m.Value([]float64{0.25, 0.75}); math.IsNaN(v) {
				t.Errorf("%+v is %v", m, v)
			}
		}
	})
}

func TestSummaryDescribesConditions(t *testing.T) {
	window, sectors := sample(t)
	c := build(t, window, simplex.Set{N: 12}, sectors, Config{N: 100, Seed: 9, Validation: 0.2})
	dir := t.TempDir()
	if err := c.Write(dir); err != nil {
		t.Fatal(err)
	}
	var s Summary
	if err := json.Unmarshal(must(os.ReadFile(filepath.Join(dir, SummaryFile))), &s); err != nil {
		t.Fatal(err)
	}
	if got := portfolio.Names(s.Conditions); !slices.Equal(got, c.Portfolios.Conditions.Names) {
		t.Errorf("corpus.json describes %v, conditions.csv has %v", got, c.Portfolios.Conditions.Names)
	}
	if want := window.Times[firstHeldOut(c)-1].UTC().Format("2006-01-02T15:04:05Z07:00"); s.TrainingTo != want || s.Measured != MeasuredTraining {
		t.Errorf("measured over %s until %s, want training until %s", s.Measured, s.TrainingTo, want)
	}
}
