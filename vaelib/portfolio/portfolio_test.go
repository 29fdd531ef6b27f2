package portfolio_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"vaefolio/vaelib/portfolio"
)

// What is written reads back to the bit.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, n := rapid.IntRange(1, 5).Draw(t, "rows"), rapid.IntRange(1, 5).Draw(t, "n")
		name := rapid.StringMatching(`[A-Z][A-Z0-9._é-]{2,8}`)
		p := &portfolio.Portfolios{
			Symbols: rapid.SliceOfNDistinct(name, n, n, rapid.ID).Draw(t, "symbols"),
			Weights: mat.NewDense(rows, n, rapid.SliceOfN(rapid.Float64(), rows*n, rows*n).Draw(t, "weights")),
		}
		if rapid.Bool().Draw(t, "named") {
			p.IDs = rapid.SliceOfNDistinct(name, rows, rows, rapid.ID).Draw(t, "ids")
		}
		p.Conditions = &portfolio.Conditions{Names: p.Symbols, Values: p.Weights}
		var file, conditions strings.Builder
		if err := p.WriteCSV(&file); err != nil {
			t.Fatal(err)
		}
		if err := p.WriteConditionsCSV(&conditions); err != nil {
			t.Fatal(err)
		}
		got, err := portfolio.Read(strings.NewReader(file.String()), "w.csv", portfolio.ReadOptions{AnySum: true})
		if err != nil {
			t.Fatal(err)
		}
		if got.Conditions, err = portfolio.ReadConditions(strings.NewReader(conditions.String()), "c.csv", got); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Symbols, p.Symbols) || !slices.Equal(got.IDs, p.IDs) || !mat.Equal(got.Weights, p.Weights) || !mat.Equal(got.Conditions.Values, p.Weights) {
			t.Fatalf("came back as %v", got)
		}
	})
}

func TestWriteRefuses(t *testing.T) {
	one := mat.NewDense(1, 2, []float64{1, 0})
	for _, c := range []struct {
		p    portfolio.Portfolios
		want string
	}{
		{portfolio.Portfolios{}, "no portfolios"},
		{portfolio.Portfolios{Symbols: []string{"A"}, Weights: one}, "2 columns of weights for 1 symbols"},
		{portfolio.Portfolios{Symbols: []string{"A", "A"}, Weights: one}, "symbol A is repeated"},
		{portfolio.Portfolios{Symbols: []string{"A", "B\"C"}, Weights: one}, "holds a quote"},
		{portfolio.Portfolios{Symbols: []string{"ID", "B"}, Weights: one}, "name of the column of ids"},
		{portfolio.Portfolios{Symbols: []string{"A", "B"}, IDs: []string{"p", "q"}, Weights: one}, "2 ids for 1 portfolios"},
		{portfolio.Portfolios{Symbols: []string{"A", "B"}, IDs: []string{"p\nq"}, Weights: one}, "does not print"},
		{portfolio.Portfolios{Symbols: []string{"A", "B"}, Weights: mat.NewDense(1, 2, []float64{1, math.NaN()})}, "row 1, B: not a finite number"},
		{portfolio.Portfolios{Symbols: []string{"A", "B"}, Weights: one, Conditions: &portfolio.Conditions{Names: []string{"volatility"}, Values: one}}, "1 x 2 conditions for 1 portfolios and 1 names"},
	} {
		var out strings.Builder
		if err := c.p.WriteCSV(&out); err == nil || !strings.Contains(err.Error(), c.want) || out.Len() > 0 {
			t.Errorf("error %v after %q, want %q", err, out.String(), c.want)
		}
	}
	p := portfolio.Portfolios{Symbols: []string{"A", "B"}, Weights: mat.NewDense(1, 2, []float64{1, math.Copysign(0, -1)})}
	var out strings.Builder
	if err := p.WriteCSV(&out); err != nil || out.String() != "A,B\n1,0\n" {
		t.Errorf("wrote %q, error %v", out.String(), err)
	}
	if err := p.WriteConditionsCSV(&out); err == nil {
		t.Error("conditions that are none were written")
	}
}

func TestCheck(t *testing.T) {
	p := func(values ...float64) *portfolio.Portfolios {
		return &portfolio.Portfolios{Symbols: []string{"A", "B"}, Weights: mat.NewDense(len(values)/2, 2, values)}
	}
	withCondition := p(1, 0)
	withCondition.Conditions = &portfolio.Conditions{Names: []string{"volatility"}, Values: mat.NewDense(1, 1, []float64{math.Inf(1)})}
	for _, c := range []struct {
		p    *portfolio.Portfolios
		want string
	}{
		{p(1, 0, 0.5, 0.4), "row 2 sums to 0.9"},
		{p(1, math.NaN()), "row 1 has the weight NaN of B"},
		{withCondition, "row 1 has the condition volatility of +Inf"},
		{&portfolio.Portfolios{}, "no portfolios"},
	} {
		if err := c.p.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	if err := p(1, 0, 0.3, 0.7).Check(); err != nil {
		t.Error(err)
	}
}

func TestReorder(t *testing.T) {
	p := &portfolio.Portfolios{Symbols: []string{"A", "B", "C"}, IDs: []string{"p"}, Weights: mat.NewDense(1, 3, []float64{0.1, 0.2, 0.7})}
	got, err := p.Reorder([]string{"C", "A", "B"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{0.7, 0.1, 0.2}, got.Weights.RawRowView(0)); diff != "" || got.ID(0) != "p" {
		t.Errorf("reordered: %s", diff)
	}
	if p.Weights.At(0, 0) != 0.1 {
		t.Error("the original has changed")
	}
}
