package generate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

// Donors are conditions that training portfolios had together. A wish names few
// of a model's conditions; those it leaves open come from donors near the wish,
// so that what the decoder is asked for is something that there can be.
type Donors struct {
	Names    []string            `json:"names"`    // k, in the order of the model's conditions
	Rows     [][]float64         `json:"rows"`     // R x k
	Measures []portfolio.Measure `json:"measures"` // of those conditions that follow from the weights alone
	// Weights are the donors' portfolios (R x n), by which orders are compared with
	// what needs no model; nil: they aren't known.
	Weights [][]float64 `json:"weights,omitempty"`
}

// maxDonors bounds the donors kept of a training set, and maxDonated the numbers of
// their portfolios.
const (
	maxDonors  = 4096
	maxDonated = 400_000
)

// NewDonors takes the conditions of a model, in its order, from those of the
// training rows (N x k), at most 4,096 of them, evenly, with as many of their
// portfolios (N x n; nil: none).
func NewDonors(config vae.Config, weights, conditions *mat.Dense, measures []portfolio.Measure) *Donors {
	d := &Donors{}
	for _, c := range config.Conditions {
		d.Names = append(d.Names, c.Name)
		for _, m := range measures {
			if m.Name == c.Name {
				d.Measures = append(d.Measures, m)
			}
		}
	}
	rows, _ := conditions.Dims()
	count := min(rows, maxDonors)
	if weights != nil {
		count = min(count, max(1, maxDonated/config.Assets))
	}
	for i := range count {
		d.Rows = append(d.Rows, slices.Clone(conditions.RawRowView(i*rows/count)))
		if weights != nil {
			d.Weights = append(d.Weights, slices.Clone(weights.RawRowView(i*rows/count)))
		}
	}
	return d
}

// ReadDonors reads a file that holds donors of a model's conditions.
func ReadDonors(path string, config vae.Config) (*Donors, error) {
	file, err := run.OpenFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: what a wish leaves open comes from the donors of a conditional model: train it "+
			"by the train verb", err)
	}
	defer file.Close()
	d := new(Donors)
	decoder := json.NewDecoder(io.LimitReader(file, 1<<30))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(d); err != nil {
		return nil, fmt.Errorf("%s: not a readable JSON document of donors: %w", path, err)
	}
	if err := d.check(config); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return d, nil
}

func (d *Donors) check(config vae.Config) error {
	names := make([]string, len(config.Conditions))
	for j, c := range config.Conditions {
		names[j] = c.Name
	}
	if !slices.Equal(d.Names, names) {
		return fmt.Errorf("donors have the conditions %s and the model %s: train again", strings.Join(d.Names, ", "),
			strings.Join(names, ", "))
	}
	if len(d.Rows) == 0 {
		return fmt.Errorf("no donors: train again")
	}
	for i, row := range d.Rows {
		if len(row) != len(names) {
			return fmt.Errorf("donor %d has %d conditions, want %d", i+1, len(row), len(names))
		}
		for j, v := range row {
			if err := config.Conditions[j].Check(v); err != nil {
				return fmt.Errorf("donor %d: %w", i+1, err)
			}
		}
	}
	for i := range d.Measures {
		if err := d.Measures[i].Check(config.Assets); err != nil {
			return err
		}
	}
	return d.checkWeights(config.Assets)
}

func (d *Donors) checkWeights(assets int) error {
	if d.Weights != nil && len(d.Weights) != len(d.Rows) {
		return fmt.Errorf("%d portfolios of %d donors: train again", len(d.Weights), len(d.Rows))
	}
	for i, w := range d.Weights {
		if len(w) != assets {
			return fmt.Errorf("donor %d has %d weights, want %d", i+1, len(w), assets)
		}
		if err := d.checkRow(i); err != nil {
			return fmt.Errorf("donor %d: %w: train again", i+1, err)
		}
	}
	return nil
}

// checkRow says where the conditions of a donor aren't those of its weights.
func (d *Donors) checkRow(i int) error {
	const written = 1e-6
	if sum := floats.Sum(d.Weights[i]); !(math.Abs(sum-1) <= written) {
		return fmt.Errorf("its weights sum to %v", sum)
	}
	for j, v := range d.Rows[i] {
		m := d.measure(j)
		if m == nil {
			continue
		}
		if got := m.Value(d.Weights[i]); !(math.Abs(got-v) <= written*(1+math.Abs(v))) {
			return fmt.Errorf("%s of its weights is %v, and not %v", d.Names[j], got, v)
		}
	}
	return nil
}

// measure returns that of the j-th condition, or nil.
func (d *Donors) measure(j int) *portfolio.Measure {
	for i := range d.Measures {
		if d.Measures[i].Name == d.Names[j] {
			return &d.Measures[i]
		}
	}
	return nil
}

// near is the least number of donors that a wish is filled from.
const near = 128

// complete makes n rows of conditions (n x k) that meet the wish: each one a
// donor's, chosen among those that meet its limits and are nearest to its
// values, its caps loosened as they are in training, with the wish's own terms
// put in. It also returns how far the chosen donors were from the wish, as the
// root of their mean squared miss, in standard deviations.
func (d *Donors) complete(model *vae.Model, wish portfolio.Wish, n int, seed uint64) (*mat.Dense, float64, error) {
	order, misses, err := d.rank(wish)
	if err != nil {
		return nil, 0, err
	}
	count := 0
	for _, i := range order {
		if misses[i] == 0 {
			count++
		}
	}
	count = min(max(count, near), len(order))
	var far float64
	for _, i := range order[:count] {
		far += misses[i] / float64(count)
	}
	conditions := model.Config().Conditions
	rng := stream.New(seed, "generate.order.donors", 0)
	asked := mat.NewDense(n, len(d.Names), nil)
	for i := range n {
		asked.SetRow(i, d.Rows[order[rng.IntN(count)]])
	}
	asked = model.Loosen(asked, seed)
	for i := range n {
		row := asked.RawRowView(i)
		for _, t := range wish {
			j := slices.Index(d.Names, t.Name)
			// A cap is asked for as such; of a value, the donor's own will do if it
			// keeps the limit.
			if t.Relation == portfolio.Equal || conditions[j].Cap && t.Relation == portfolio.AtMost ||
				t.Miss(row[j]) > 0 {
				row[j] = t.Value
			}
			if err := conditions[j].Check(row[j]); err != nil {
				return nil, 0, err
			}
		}
	}
	return asked, math.Sqrt(far), nil
}

// rank orders the donors by their squared miss of the wish, in standard
// deviations of each condition.
func (d *Donors) rank(wish portfolio.Wish) (order []int, misses []float64, err error) {
	misses = make([]float64, len(d.Rows))
	for _, t := range wish {
		j := slices.Index(d.Names, t.Name)
		if j < 0 {
			return nil, nil, fmt.Errorf("the model knows no condition %s: it has %s",
				t.Name, strings.Join(d.Names, ", "))
		}
		sd := d.deviation(j)
		for i, row := range d.Rows {
			miss := t.Miss(row[j]) / sd
			misses[i] += miss * miss
		}
	}
	order = make([]int, len(d.Rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(misses[a], misses[b]) })
	return order, misses, nil
}

// Typical returns the conditions (k) of the donor nearest to a wish, with the
// wish's own terms put in: what a model can be searched under with
// [vae.Model.Given].
func (d *Donors) Typical(model *vae.Model, wish portfolio.Wish) ([]float64, error) {
	order, _, err := d.rank(wish)
	if err != nil {
		return nil, err
	}
	nearest := Donors{Names: d.Names, Rows: [][]float64{d.Rows[order[0]]}}
	asked, _, err := nearest.complete(model, wish, 1, 0)
	if err != nil {
		return nil, err
	}
	return asked.RawRowView(0), nil
}

// Far returns how far the donor nearest to a wish is from it: the root of its
// squared misses, each in standard deviations of its condition.
func (d *Donors) Far(wish portfolio.Wish) (float64, error) {
	order, misses, err := d.rank(wish)
	if err != nil {
		return 0, err
	}
	return math.Sqrt(misses[order[0]]), nil
}

// Given returns the generator under the conditions of [Donors.Typical], and
// these conditions (k). Its set is the same: see [Donors.Constrain].
func (g *Generator) Given(donors *Donors, wish portfolio.Wish) (*Generator, []float64, error) {
	conditions, err := donors.Typical(g.model, wish)
	if err != nil {
		return nil, nil, err
	}
	given := *g
	given.model, err = g.model.Given(conditions)
	return &given, conditions, err
}

// Constrain is the set with those terms of the wish that a constraint set can
// hold: limits on the largest weight, and limits and values of exposures. It
// also says which terms these are.
func (d *Donors) Constrain(set simplex.Set, wish portfolio.Wish) (simplex.Set, []bool, error) {
	held := make([]bool, len(wish))
	for k, t := range wish {
		m := d.measure(slices.Index(d.Names, t.Name))
		if m == nil {
			continue
		}
		switch {
		case m.Form == portfolio.Largest && t.Relation == portfolio.AtMost:
			upper := make([]float64, set.N)
			for i := range upper {
				upper[i] = t.Value
				if set.Upper != nil {
					upper[i] = min(upper[i], set.Upper[i])
				}
			}
			set.Upper, held[k] = upper, true
		case m.Form == portfolio.Linear && strings.HasPrefix(t.Name, portfolio.SectorPrefix):
			group := simplex.Group{Name: t.Name, Share: m.Vector, Lo: math.Inf(-1), Hi: math.Inf(1)}
			if t.Relation != portfolio.AtMost {
				group.Lo = t.Value
			}
			if t.Relation != portfolio.AtLeast {
				group.Hi = t.Value
			}
			set.Groups, held[k] = append(slices.Clone(set.Groups), group), true
		}
	}
	return set, held, set.Check()
}

// measured is what weights (N x n) have of each condition (N x k), NaN where it
// has no measure.
func (d *Donors) measured(weights *mat.Dense) *mat.Dense {
	rows, _ := weights.Dims()
	out := mat.NewDense(rows, len(d.Names), nil)
	for j := range d.Names {
		m := d.measure(j)
		for i := range rows {
			v := math.NaN()
			if m != nil {
				v = m.Value(weights.RawRowView(i))
			}
			out.Set(i, j, v)
		}
	}
	return out
}

// score is the squared miss of the measured terms by portfolios that have such
// conditions (N x k), in standard deviations of the donors.
func (d *Donors) score(wish portfolio.Wish, have *mat.Dense) []float64 {
	rows, _ := have.Dims()
	score := make([]float64, rows)
	for _, t := range wish {
		j := slices.Index(d.Names, t.Name)
		if d.measure(j) == nil {
			continue
		}
		sd := d.deviation(j)
		for i := range score {
			miss := t.Miss(have.At(i, j)) / sd
			score[i] += miss * miss
		}
	}
	return score
}

// deviation is the standard deviation of the donors' j-th condition, 1 where
// they are all alike.
func (d *Donors) deviation(j int) float64 {
	column := make([]float64, len(d.Rows))
	for i, row := range d.Rows {
		column[i] = row[j]
	}
	if sd := stat.StdDev(column, nil); sd > 0 {
		return sd
	}
	return 1
}
