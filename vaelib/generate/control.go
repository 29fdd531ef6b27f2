package generate

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/stream"
)

// Control is how well a conditional model does what it is asked for in one
// condition: means over held-out conditions of the distance between what a
// portfolio has and what was asked, in standard deviations of the condition.
type Control struct {
	Name  string  `json:"name"`
	Cap   bool    `json:"cap,omitempty"` // an upper bound: distances count the excess alone
	Error float64 `json:"error"`
	// Shuffled is the distance to what another row was asked for: that of a model
	// which ignores its conditions.
	Shuffled float64 `json:"shuffled"`
	// Best8 and Best1000 are what rejection reaches: of so many portfolios of the
	// same model, drawn without a wish, the one that is nearest in all conditions.
	Best8    float64 `json:"best_of_8"`
	Best1000 float64 `json:"best_of_1000"`
	// Violations is the share of decoded portfolios, before any projection, that
	// exceed the bound asked for; of a cap only.
	Violations *float64 `json:"violations,omitempty"`
	// ShuffledViolations is that share for the bounds asked of other rows.
	ShuffledViolations *float64 `json:"shuffled_violations,omitempty"`
}

// MeasureControl asks a conditional model for the conditions of held-out
// portfolios (N x k), one portfolio from a code of the density each (nil: of the
// prior), and compares what comes out of the projection, before any polish, with
// what was asked, for every condition that has a measure. Caps are loosened as they
// are in training. A small distance alone is no merit: a model that always gives
// one portfolio for one wish has it too, and so has a training portfolio that is
// polished. [Generator.StudyOrders] says what it costs.
func (g *Generator) MeasureControl(
	ctx context.Context, conditions *mat.Dense, donors *Donors, density Density, seed uint64,
) ([]Control, error) {
	if density == nil {
		density = Prior{}
	}
	config := g.model.Config()
	if err := donors.check(config); err != nil {
		return nil, err
	}
	n, _ := conditions.Dims()
	if n < 2 {
		return nil, errors.New("control needs the conditions of two portfolios or more")
	}
	asked := g.model.Loosen(conditions, seed)
	codes, err := g.drawGiven(ctx, density, asked, stream.New(seed, "generate.control", 0))
	if err != nil {
		return nil, err
	}
	batch, err := g.decodeGiven(ctx, codes, asked)
	if err != nil {
		return nil, err
	}
	pool, err := g.pool(ctx, donors, density, seed)
	if err != nil {
		return nil, err
	}
	decoded, got, have := donors.measured(batch.Decoded), donors.measured(batch.Weights), donors.measured(pool.Weights)
	rng := stream.New(seed, "generate.control.shuffle", 0)
	other := rng.Perm(n)
	var controls []Control
	var columns []int
	var deviations []float64
	for j, name := range donors.Names {
		if donors.measure(j) == nil {
			continue
		}
		sd := stat.StdDev(mat.Col(nil, j, conditions), nil)
		if !(sd > 0) {
			continue // all alike: nothing was asked
		}
		c := Control{Name: name, Cap: config.Conditions[j].Cap}
		var violations, shuffled float64
		for i := range n {
			c.Error += miss(c.Cap, got.At(i, j), asked.At(i, j)) / sd / float64(n)
			c.Shuffled += miss(c.Cap, got.At(i, j), asked.At(other[i], j)) / sd / float64(n)
			if decoded.At(i, j) > asked.At(i, j) {
				violations++
			}
			if decoded.At(i, j) > asked.At(other[i], j) {
				shuffled++
			}
		}
		if c.Cap {
			violations, shuffled = violations/float64(n), shuffled/float64(n)
			c.Violations, c.ShuffledViolations = &violations, &shuffled
		}
		controls, columns, deviations = append(controls, c), append(columns, j), append(deviations, sd)
	}
	chosen := judged{controls, columns, deviations}
	return controls, chosen.reject(ctx, asked, have, rng)
}

// judged are the controls under measurement: of each its condition's column and
// standard deviation.
type judged struct {
	controls   []Control
	columns    []int
	deviations []float64
}

// reject fills in what rejection reaches, of portfolios that have such conditions
// (N x k), where rows (M x k) are asked for.
func (g *judged) reject(ctx context.Context, asked, have *mat.Dense, rng *rand.Rand) error {
	controls, columns, deviations := g.controls, g.columns, g.deviations
	n, _ := asked.Dims()
	for _, budget := range []int{8, 1000} {
		for i := range n {
			if err := ctx.Err(); err != nil {
				return err
			}
			distance := func(row int) (sum float64) {
				for k, j := range columns {
					d := miss(controls[k].Cap, have.At(row, j), asked.At(i, j)) / deviations[k]
					sum += d * d
				}
				return sum
			}
			best := bestOf(budget, rng, distance)
			for k, j := range columns {
				d := miss(controls[k].Cap, have.At(best, j), asked.At(i, j)) / deviations[k] / float64(n)
				if budget == 8 {
					controls[k].Best8 += d
				} else {
					controls[k].Best1000 += d
				}
			}
		}
	}
	return nil
}

// miss is how far a value is from one asked for, or above a bound.
func miss(cap bool, have, asked float64) float64 {
	if cap {
		return max(0, have-asked)
	}
	return math.Abs(have - asked)
}
