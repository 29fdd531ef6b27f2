package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// choicesFile has the weights of single models and of further paths.
const choicesFile = "choices.csv"

// further are the choices of each track of choices.csv, at every rebalance: its rows
// are those that change them.
func (f *folder) further(b *tested) (map[string][][]float64, error) {
	return recall(f, "further", []string{"config.toml", choicesFile}, func() (map[string][][]float64, error) {
		t, err := f.table(choicesFile)
		if err != nil {
			return nil, err
		}
		if !slices.Equal(t.header, append([]string{"strategy", "date"}, b.data.Window.Symbols...)) {
			return nil, fmt.Errorf("%s: its columns are not the strategy, the date and the symbols of the prices",
				choicesFile)
		}
		weights, err := t.matrix(2)
		if err != nil {
			return nil, err
		}
		all := map[string][][]float64{}
		for i, row := range t.rows {
			at := slices.IndexFunc(b.trades, func(at int) bool { return b.days[at] == row[1] })
			before := all[row[0]]
			if at < len(before) || at > 0 && len(before) == 0 {
				return nil, fmt.Errorf("%s:%d: %s at %s is no rebalance that follows", choicesFile, i+2, row[0], row[1])
			}
			for len(before) < at {
				before = append(before, before[len(before)-1])
			}
			all[row[0]] = append(before, weights[i])
		}
		for name, choices := range all {
			for len(choices) < len(b.trades) {
				choices = append(choices, choices[len(choices)-1])
			}
			all[name] = choices
		}
		return all, nil
	})
}

// checkFurther recomputes the returns of a single model, or of a further path.
func (f *folder) checkFurther(b *tested, file, column string, returns []float64) error {
	if !f.has(choicesFile) {
		f.add(file, column, unchecked, nil, "the folder has no weights of it: it is of an earlier version")
		return nil
	}
	all, err := f.further(b)
	if err != nil {
		return err
	}
	choices, ok := all[column]
	if !f.equal(choicesFile, "has "+column, ok, true) {
		return nil
	}
	f.all(file, column, b.days[b.from:b.to], returns, b.earn(choices).returns, 1e-12)
	return nil
}

// checkChoices checks that what was chosen meets the constraints, as it does in
// weights.csv.
func (f *folder) checkChoices(b *tested) error {
	if !f.has(choicesFile) {
		return nil
	}
	all, err := f.further(b)
	if err != nil {
		return err
	}
	keeps, err := f.keeper(b, choicesFile)
	if err != nil {
		return err
	}
	var want, names []string
	for _, file := range []string{"trials.csv", "paths.csv"} {
		if !f.has(file) {
			continue
		}
		t, err := f.table(file)
		if err != nil {
			return err
		}
		for _, column := range t.header[1:] {
			if !strings.HasSuffix(column, " path 1") && !slices.Contains(b.config.Strategies, column) {
				want = append(want, column)
			}
		}
	}
	t, err := f.table(choicesFile)
	if err != nil {
		return err
	}
	for _, row := range t.rows {
		names = append(names, row[0])
	}
	f.equal(choicesFile, "strategies", slices.Compact(names), want)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		keeps(name, all[name], b.earn(all[name]).traded)
	}
	return nil
}

// columns are the names that a file of returns has beside the dates.
func (b *tested) columns(file string, count int) (names []string) {
	c := b.config
	if file == "paths.csv" {
		for _, name := range c.Strategies {
			for p := range count / len(c.Strategies) {
				names = append(names, fmt.Sprintf("%s path %d", name, p+1))
			}
		}
		return names
	}
	names = slices.Clone(c.Strategies)
	for _, name := range c.Strategies {
		if chosenByModels(name) && c.Models > 1 {
			for k := range c.Models {
				names = append(names, fmt.Sprintf("%s model %d", name, k+1))
			}
		}
	}
	return names
}

// chosenByModels says whether a strategy holds the mean of several models' choices.
func chosenByModels(name string) bool {
	return strings.HasPrefix(name, "latent-sharpe") || strings.HasPrefix(name, "model-")
}
