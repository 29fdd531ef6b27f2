package main

import (
	"context"
	"fmt"
	"math"
	"slices"
)

var corpusChecks = []check{
	{"weights.csv", (*folder).checkRows},
	{"conditions.csv", (*folder).checkMeasured},
}

// checkRows checks that every portfolio has the sum 1 and keeps its bounds.
func (f *folder) checkRows(context.Context) error {
	const file = "weights.csv"
	if f.has(universesFile) {
		return f.checkUniverses()
	}
	var set struct {
		Symbols      []string
		Lower, Upper []float64
	}
	if err := f.json("constraints.json", &set); err != nil {
		return err
	}
	ids, weights, err := f.portfolios(file, set.Symbols)
	if err != nil {
		return err
	}
	n := len(set.Symbols)
	if set.Lower == nil { // without bounds of its own a set has none below 0
		set.Lower = make([]float64, n)
	}
	if set.Upper == nil {
		set.Upper = slices.Repeat([]float64{1}, n)
	}
	if len(set.Lower) != n || len(set.Upper) != n {
		return fmt.Errorf("constraints.json has %d and %d bounds for %d symbols", len(set.Lower), len(set.Upper), n)
	}
	for i, w := range weights {
		worst := math.Abs(sum(w) - 1)
		for j, x := range w {
			worst = max(worst, set.Lower[j]-x, x-set.Upper[j])
		}
		if !(worst <= 1e-9) {
			f.add(file, "sum and bounds of "+ids[i], differs, worst, 1e-9)
			return nil
		}
	}
	f.add(file, "sum and bounds", same, len(ids), len(ids))
	s, err := f.object("corpus.json")
	if err != nil {
		return err
	}
	f.equal("corpus.json", "rows", s["rows"], len(ids))
	f.equal("corpus.json", "seed", s["seed"], f.manifest.Seed)
	f.equal("corpus.json", "symbols", s["symbols"], set.Symbols)
	return nil
}

// checkMeasured recomputes the conditions that have a closed form.
func (f *folder) checkMeasured(context.Context) error {
	const file = "conditions.csv"
	if f.has(universesFile) {
		f.equal(file, "of a corpus of many universes", f.has(file), false)
		return nil
	}
	if !f.has(file) || !f.has("measures.json") {
		f.add(file, "figures", unchecked, nil, "no measures.json has their forms")
		return nil
	}
	var measures []struct {
		Name, Form string
		Matrix     [][]float64
		Vector     []float64
	}
	if err := f.json("measures.json", &measures); err != nil {
		return err
	}
	rows, err := f.table("weights.csv")
	if err != nil {
		return err
	}
	ids, err := rows.text("id")
	if err != nil {
		return err
	}
	weights, err := rows.matrix(1)
	if err != nil {
		return err
	}
	t, of, err := f.identified(file)
	if err != nil {
		return err
	}
	if !slices.Equal(of, ids) {
		return fmt.Errorf("%s: its ids are not those of weights.csv", file)
	}
	var names []string
	for _, m := range measures {
		stored, err := t.numbers(m.Name)
		if err != nil {
			return err
		}
		want := make([]float64, len(ids))
		for i, w := range weights {
			want[i] = measured(m.Form, m.Vector, m.Matrix, w)
		}
		names = append(names, m.Name)
		f.all(file, m.Name, ids, stored, want, f.tolerance)
	}
	for _, name := range t.header[1:] {
		if !slices.Contains(names, name) && f.decided == nil { // else the file is made again
			f.add(file, name, unchecked, nil, "it has no closed form in measures.json: -rerun")
		}
	}
	return nil
}

// measured is a condition of one portfolio.
func measured(form string, vector []float64, matrix [][]float64, w []float64) float64 {
	var total float64
	switch {
	case form == "linear" && len(vector) == len(w):
		for j, x := range w {
			total += vector[j] * x
		}
		return total
	case form == "norm" && len(matrix) == len(w):
		for k := range matrix[0] {
			var along float64
			for j, x := range w {
				along += matrix[j][k] * x
			}
			total += along * along
		}
		return math.Sqrt(total)
	case form == "effective":
		for _, x := range w {
			total += x * x
		}
		return 1 / total
	case form == "largest":
		return slices.Max(w)
	}
	return math.Inf(1) // of no stored number
}
