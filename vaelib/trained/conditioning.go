package trained

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/vae"
)

// Conditioning says what a conditional model is told of each portfolio. Its tags
// name the flags.
type Conditioning struct {
	On      []string `flag:"condition-on" record:"conditional" unit:"NAMES" only:"conditional or conditions" help:"the conditions that the model is told; sector.* stands for all that begin so, and without the flag it is told all that there are"`
	Caps    []string `flag:"caps" record:"conditional" unit:"NAMES" only:"conditional or conditions" help:"those of the conditions that are upper bounds to be kept, rather than values to be met"`
	Control float64  `flag:"control" record:"conditional" range:"[0,inf)" only:"conditional or conditions" help:"the weight in the loss of the distance, in standard deviations, between the conditions asked for and those of portfolios decoded from random codes"`
}

// DefaultConditioning holds the decoder to its conditions, lightly: what it misses
// the polish of an order mends, while a decoder that is held to them harder, on
// codes of the prior, pulls the codes that fit other conditions with it, and gives
// up half of the variety among the portfolios of one wish: see docs/conditions.md.
func DefaultConditioning() Conditioning { return Conditioning{Control: 0.3} }

// Told is what a conditional model is told of the rows that it learns from and of
// those that it is judged by.
type Told struct {
	Conditions     []vae.Condition     // k
	Train, HeldOut *mat.Dense          // N x k and M x k; HeldOut may be nil
	Measures       []portfolio.Measure // of those that follow from the weights alone
	Control        float64
	Market         *corpus.Market // how conditions of the market follow from returns; nil: there are none
}

// Read reads what a model is told of portfolios: the chosen columns of the file
// of their conditions, with the measures and the schema that a corpus has beside
// it. heldOut says which of the portfolios are held out.
func (c Conditioning) Read(path string, p *portfolio.Portfolios, heldOut []bool) (*Told, error) {
	all, err := portfolio.ReadConditionsCSV(path, p)
	if err != nil {
		return nil, err
	}
	schema, err := corpus.ReadSchema(path)
	if err != nil {
		return nil, err
	}
	levels := map[string][]string{}
	for _, condition := range schema {
		levels[condition.Name] = condition.Levels
	}
	t := &Told{Control: c.Control}
	if t.Measures, err = corpus.ReadMeasures(path, len(p.Symbols)); err != nil {
		return nil, err
	}
	if err := checkMeasures(t.Measures, p, all); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(filepath.Dir(path), corpus.MeasuresFile), err)
	}
	if t.Market, err = corpus.ReadMarket(filepath.Join(filepath.Dir(path), corpus.SummaryFile)); err != nil {
		return nil, err
	}
	columns, chosen, err := c.Choose(all.Names, levels)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	t.Conditions = chosen
	t.Train, t.HeldOut = SplitRows(pick(all.Values, columns), heldOut)
	return t, nil
}

// checkMeasures says where measures give a portfolio other conditions than the file
// of these has: the two are of different corpora, or one was altered.
func checkMeasures(measures []portfolio.Measure, p *portfolio.Portfolios, conditions *portfolio.Conditions) error {
	const (
		most    = 100 // portfolios that are looked at
		written = 1e-6
	)
	for k := range measures {
		column := slices.Index(conditions.Names, measures[k].Name)
		for i := range min(most, p.Len()) {
			if column < 0 {
				break
			}
			got, want := measures[k].Value(p.Weights.RawRowView(i)), conditions.Values.At(i, column)
			if !(math.Abs(got-want) <= written*(1+math.Abs(want))) {
				return fmt.Errorf("%s of portfolio %s is %.6g by it, and %.6g in the file of conditions: they are not "+
					"of one corpus, build it again", measures[k].Name, p.ID(i), got, want)
			}
		}
	}
	return nil
}

// Donors are those of a model that was told this of the training portfolios (N x n;
// nil: they keep none).
func (t *Told) Donors(model *vae.Model, weights *mat.Dense) *generate.Donors {
	return generate.NewDonors(model.Config(), weights, t.Train, t.Measures)
}

// Spread returns the conditions of n training rows (n x k), picked evenly.
func (t *Told) Spread(n int) *mat.Dense { return spread(t.Train, n) }

// MeasureControl says how well a model that was told this does what the held-out
// rows, of which there have to be some, ask for: with weights from 0 to 1, of a
// linear head any. See [generate.Generator.MeasureControl].
func (t *Told) MeasureControl(
	ctx context.Context, model *vae.Model, density generate.Density, seed uint64,
) ([]generate.Control, error) {
	if t.HeldOut == nil {
		return nil, errors.New("control is measured by held-out rows, and there are none")
	}
	generator, err := unbound(model)
	if err != nil {
		return nil, err
	}
	return generator.MeasureControl(ctx, t.HeldOut, t.Donors(model, nil), density, seed)
}

// unbound is a generator of weights from 0 to 1, with a linear head of any.
func unbound(model *vae.Model) (*generate.Generator, error) {
	n := model.Config().Assets
	set := simplex.Set{N: n}
	if model.Config().Head == "linear" {
		set.Lower, set.Upper = slices.Repeat([]float64{-simplex.MaxBound}, n),
			slices.Repeat([]float64{simplex.MaxBound}, n)
	}
	return generate.New(model, set)
}

// unmeasured lists the conditions without a measure: the model is told them, and
// nothing holds it to them.
func (t *Told) unmeasured() []string {
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
func (c Conditioning) Choose(
	names []string, levels map[string][]string,
) (columns []int, conditions []vae.Condition, err error) {
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
			return nil, fmt.Errorf("%s: no condition %s that isn't named already: there are %s", setting, pattern,
				strings.Join(names, ", "))
		}
	}
	return found, nil
}
