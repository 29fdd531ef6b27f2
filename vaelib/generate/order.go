package generate

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/portfolio"
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
}

// maxDonors bounds the donors kept of a training set.
const maxDonors = 4096

// NewDonors takes the conditions of a model, in its order, from those of the
// training rows, at most 4,096 of them, evenly.
func NewDonors(config vae.Config, conditions *mat.Dense, measures []portfolio.Measure) *Donors {
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
	for i := range min(rows, maxDonors) {
		d.Rows = append(d.Rows, slices.Clone(conditions.RawRowView(i*rows/min(rows, maxDonors))))
	}
	return d
}

// ReadDonors reads a file that holds donors of a model's conditions.
func ReadDonors(path string, config vae.Config) (*Donors, error) {
	file, err := os.Open(path)
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

// Order is portfolios made to a wish.
type Order struct {
	Batch
	Asked    *mat.Dense // N x k, the conditions that each row was decoded under
	Achieved *mat.Dense // N x k, what the weights have by the measures; NaN where a condition has none
	Terms    []TermResult
	// Far is how far from the wish the donors of the other conditions were, in
	// standard deviations: above about 1 the wish is beyond what the training
	// portfolios had.
	Far float64
}

// TermResult is how one term of a wish was met. Misses are means over the
// portfolios, in the condition's unit; NaN where the condition has no measure.
type TermResult struct {
	Term     portfolio.Term
	Held     bool    // the constraint set holds it, so that every portfolio meets it
	Decoded  float64 // miss of what the decoder made, before the projection
	Miss     float64 // miss of the portfolios
	Achieved float64 // mean of what they have
	// The mean misses of rejection: the best, by all terms together, of as many
	// draws (and of 1,000) of the same model without the wish, projected onto the
	// same set. NaN unless asked for.
	Rejection, Rejection1000 float64
}

// OrderSettings steers [Generator.Order].
type OrderSettings struct {
	Seed uint64
	// Draws is how many portfolios are made for each one returned, the one that
	// meets the measured terms best; default 1.
	Draws int
	// Rejection also measures the rejection baseline, from a pool of 4,096 draws.
	Rejection bool
}

// Order makes n portfolios for a wish, with a conditional model: codes of the
// prior are decoded under the wish's conditions, those that it leaves open taken
// from donors, and projected onto the constraint set, into which the terms that
// a set can hold go too. Equal seeds give equal orders, and the first portfolios
// of a longer one are those of a shorter one. A wish that contradicts the set or
// itself is a [*simplex.InfeasibleError].
func (g *Generator) Order(
	ctx context.Context, wish portfolio.Wish, donors *Donors, n int, settings OrderSettings,
) (*Order, error) {
	draws := max(1, settings.Draws)
	if n < 1 || len(wish) == 0 {
		return nil, fmt.Errorf("%d portfolios for %d terms of a wish: both must be at least 1", n, len(wish))
	}
	if err := donors.check(g.model.Config()); err != nil {
		return nil, err
	}
	asked, far, err := donors.complete(g.model, wish, n*draws, settings.Seed)
	if err != nil {
		return nil, err
	}
	set, held, err := donors.Constrain(g.set, wish)
	if err != nil {
		return nil, err
	}
	to, err := New(g.model, set)
	if err != nil {
		return nil, err
	}
	codes, err := draw(ctx, n*draws, g.Latent(), Prior{}, stream.New(settings.Seed, "generate.order.codes", 0))
	if err != nil {
		return nil, err
	}
	batch, err := to.decodeGiven(ctx, codes, asked)
	if err != nil {
		return nil, err
	}
	if draws > 1 {
		score := donors.score(wish, donors.measured(batch.Weights))
		best := make([]int, n)
		for i := range best {
			best[i] = i * draws
			for k := i * draws; k < (i+1)*draws; k++ {
				if score[k] < score[best[i]] {
					best[i] = k
				}
			}
		}
		batch, asked = batch.Pick(best), pickRows(asked, best)
	}
	o := &Order{Batch: *batch, Asked: asked, Achieved: donors.measured(batch.Weights), Far: far}
	decoded := donors.measured(batch.Decoded)
	for k, t := range wish {
		j := slices.Index(donors.Names, t.Name)
		o.Terms = append(o.Terms, TermResult{
			Term: t, Held: held[k], Decoded: meanMiss(t, decoded, j), Miss: meanMiss(t, o.Achieved, j),
			Achieved: stat.Mean(mat.Col(nil, j, o.Achieved), nil), Rejection: math.NaN(), Rejection1000: math.NaN(),
		})
	}
	if settings.Rejection {
		err = to.reject(ctx, wish, donors, o, draws, settings.Seed)
	}
	return o, err
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

func meanMiss(t portfolio.Term, achieved *mat.Dense, j int) float64 {
	rows, _ := achieved.Dims()
	var sum float64
	for i := range rows {
		v := achieved.At(i, j)
		if math.IsNaN(v) {
			return math.NaN()
		}
		sum += t.Miss(v) / float64(rows)
	}
	return sum
}

// poolRows is how many portfolios rejection draws from.
const poolRows = 4096

// pool is that many portfolios of the model under conditions of random donors:
// the model without a wish.
func (g *Generator) pool(ctx context.Context, d *Donors, seed uint64) (*Batch, error) {
	rng := stream.New(seed, "generate.order.pool", 0)
	asked := mat.NewDense(poolRows, len(d.Names), nil)
	for i := range poolRows {
		asked.SetRow(i, d.Rows[rng.IntN(len(d.Rows))])
	}
	codes, err := draw(ctx, poolRows, g.Latent(), Prior{}, rng)
	if err != nil {
		return nil, err
	}
	return g.decodeGiven(ctx, codes, g.model.Loosen(asked, seed))
}

// reject fills in what rejection reaches.
func (g *Generator) reject(
	ctx context.Context, wish portfolio.Wish, d *Donors, o *Order, draws int, seed uint64,
) error {
	pool, err := g.pool(ctx, d, seed)
	if err != nil {
		return err
	}
	have := d.measured(pool.Weights)
	score := d.score(wish, have)
	n, _ := o.Asked.Dims()
	rng := stream.New(seed, "generate.order.reject", 0)
	for _, budget := range []int{draws, 1000} {
		sums := make([]float64, len(wish))
		for range n {
			best := bestOf(budget, rng, func(i int) float64 { return score[i] })
			for k, t := range wish {
				sums[k] += t.Miss(have.At(best, slices.Index(d.Names, t.Name))) / float64(n)
			}
		}
		for k := range wish {
			if budget == draws {
				o.Terms[k].Rejection = sums[k]
			}
			if budget == 1000 {
				o.Terms[k].Rejection1000 = sums[k]
			}
		}
	}
	return nil
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

// bestOf returns that of count random rows of the pool with the least score.
func bestOf(count int, rng *rand.Rand, score func(i int) float64) int {
	best, least := 0, math.Inf(1)
	for range count {
		if i := rng.IntN(poolRows); score(i) < least {
			best, least = i, score(i)
		}
	}
	return best
}
