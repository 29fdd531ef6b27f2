package experiment

import (
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/vae"
)

// Conditioning says what a conditional model is told of each portfolio. Its tags
// name the flags.
type Conditioning struct {
	On      []string `flag:"condition-on" unit:"NAMES" help:"the columns of -conditions that the model is told; sector.* stands for all that begin so; without it all"`
	Caps    []string `flag:"caps" unit:"NAMES" help:"those of them that are upper bounds to be kept, rather than values to be met"`
	Control float64  `flag:"control" range:"[0,inf)" help:"weight of the distance, in standard deviations, between what is decoded from random codes and the conditions asked for, where these follow from the weights alone"`
}

// DefaultConditioning holds the decoder to its conditions: on the mixed training
// sets that takes away up to half of its misses, and costs about 0.02 of R2.
func DefaultConditioning() Conditioning { return Conditioning{Control: 3} }

// Told is what a conditional model is told of the rows that it learns from and of
// those that it is judged by.
type Told struct {
	Conditions     []vae.Condition     // k
	Train, HeldOut *mat.Dense          // N x k and M x k; HeldOut may be nil
	Measures       []portfolio.Measure // of those that follow from the weights alone
	Control        float64
}

// Unmeasured lists the conditions without a measure: the model is told them, and
// nothing holds it to them.
func (t *Told) Unmeasured() []string {
	var names []string
	for _, c := range t.Conditions {
		if !slices.ContainsFunc(t.Measures, func(m portfolio.Measure) bool { return m.Name == c.Name }) {
			names = append(names, c.Name)
		}
	}
	return names
}

// Choose picks the columns that a model is told from those there are, with the
// names of the levels of the categorical ones, and returns their numbers, in the
// order of the columns.
func (c Conditioning) Choose(names []string, levels map[string][]string) (columns []int, conditions []vae.Condition, err error) {
	on, err := match("condition-on", c.On, names)
	if err != nil {
		return nil, nil, err
	}
	caps, err := match("caps", c.Caps, names)
	if err != nil {
		return nil, nil, err
	}
	for j, name := range names {
		if len(c.On) > 0 && !on[name] {
			if caps[name] {
				return nil, nil, fmt.Errorf("caps names %s, which condition-on leaves out", name)
			}
			continue
		}
		columns = append(columns, j)
		conditions = append(conditions, vae.Condition{Name: name, Levels: slices.Clone(levels[name]), Cap: caps[name]})
	}
	return columns, conditions, nil
}

// match finds the names that patterns stand for: a name, or the beginning of
// some and a star.
func match(setting string, patterns, names []string) (map[string]bool, error) {
	found := map[string]bool{}
	for _, pattern := range patterns {
		prefix, many := strings.CutSuffix(pattern, "*")
		before := len(found)
		for _, name := range names {
			if name == pattern || many && strings.HasPrefix(name, prefix) {
				found[name] = true
			}
		}
		if len(found) == before {
			return nil, fmt.Errorf("%s: no condition %s that isn't named already: there are %s", setting, pattern, strings.Join(names, ", "))
		}
	}
	return found, nil
}
