package portfolio_test

import (
	"errors"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/portfolio"
)

func TestConditions(t *testing.T) {
	weights := func(text string) *portfolio.Portfolios {
		p, err := portfolio.Read(strings.NewReader(text), "w.csv", portfolio.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	named, numbered := weights("id,A\np,1\nq,1\n"), weights("A\n1\n1\n")
	for _, c := range []struct {
		p    *portfolio.Portfolios
		text string
		want string
	}{
		{named, "id,volatility\nq,0.2\np,0.1\n", ""},
		{numbered, "volatility\n0.1\n0.2\n", ""},
		{named, "volatility\n0.1\n0.2\n", "c.csv:1: weights and conditions are matched by id"},
		{numbered, "id,volatility\np,0.1\nq,0.2\n", "c.csv:1: weights and conditions are matched by id"},
		{named, "id,volatility\np,0.1\nx,0.2\n", "c.csv:3: id x is not among the portfolios"},
		{named, "id,volatility\np,0.1\n", "c.csv: conditions of 1 portfolios for 2 portfolios"},
		{named, "id,volatility\np,0.1\nq,?\n", `c.csv:3:2: row q, volatility: "?" is not a number`},
	} {
		got, err := portfolio.ReadConditions(strings.NewReader(c.text), "c.csv", c.p)
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
		} else if got.Values.At(0, 0) != 0.1 || got.Values.At(1, 0) != 0.2 {
			t.Errorf("%q: values %v", c.text, got.Values.RawMatrix().Data)
		}
	}
}

func TestSchema(t *testing.T) {
	schema := portfolio.Schema(portfolio.WindowReturns, []string{"L1"})
	if last := schema[len(schema)-1]; last.Name != "sector.L1" || last.Unit != "share" {
		t.Errorf("last condition %+v", last)
	}
	for i, name := range portfolio.Names(schema) {
		if schema[i].Name != name || schema[i].Meaning == "" || schema[i].Unit == "" {
			t.Errorf("condition %d is %+v, called %s", i, schema[i], name)
		}
		want := portfolio.WindowReturns
		if name == "effective_assets" || name == "max_weight" || name == "sector.L1" {
			want = portfolio.Weights
		}
		if schema[i].Basis != want {
			t.Errorf("%s rests on %s, want %s", name, schema[i].Basis, want)
		}
	}
}

func FuzzReadConditions(f *testing.F) {
	p := &portfolio.Portfolios{Symbols: []string{"A"}, IDs: []string{"p", "q"}, Weights: mat.NewDense(2, 1, []float64{1, 1})}
	for _, seed := range []string{"id,volatility\nq,0.2\np,0.1\n", "volatility\n1\n2\n", "id,a,a\n", "id,x\np,1\np,2\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := portfolio.ReadConditions(strings.NewReader(string(data)), "c.csv", p)
		if err != nil {
			var place *portfolio.FileError
			if !errors.As(err, &place) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %q", err)
			}
			return
		}
		with := *p
		with.Conditions = c
		if err := with.Check(); err != nil {
			t.Fatalf("what was read is refused: %v", err)
		}
	})
}
