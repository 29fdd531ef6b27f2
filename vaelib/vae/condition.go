package vae

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/stream"
)

// Condition is something that a conditional model (Sohn, Lee & Yan 2015) is told
// of a portfolio: the encoder and the decoder both see it, so a code need not
// hold it, and a portfolio can be asked for by it.
type Condition struct {
	Name string `json:"name"`
	// Levels are the names of the values 0, 1, ... of a categorical condition,
	// which the network sees one by one; nil: a number, which it sees
	// standardised by the training rows' mean and standard deviation.
	Levels []string `json:"levels,omitempty"`
	// Cap makes the condition an upper bound on what its measure gives. The data
	// hold the values that portfolios have; in training each is raised by a
	// random slack, so that the model learns what lies below a bound, and a
	// hinge holds the decoder below it. It needs a measure (see
	// [TrainOptions].Measures).
	Cap bool `json:"cap,omitempty"`
}

// The bounds on conditions, as for the other sizes.
const (
	maxConditions = 4096
	maxLevels     = 1024
)

// width is the number of the network's inputs for the condition.
func (c Condition) width() int { return max(1, len(c.Levels)) }

// categorical conditions have levels.
func (c Condition) categorical() bool { return len(c.Levels) > 0 }

// cloneConditions copies conditions, with nil for what is empty, as a file
// gives them back.
func cloneConditions(conditions []Condition) []Condition {
	var own []Condition
	for _, c := range conditions {
		c.Levels = append([]string(nil), c.Levels...)
		own = append(own, c)
	}
	return own
}

// Levels returns the names of the levels of each categorical condition.
func (c Config) Levels() map[string][]string {
	levels := map[string][]string{}
	for _, condition := range c.Conditions {
		if condition.categorical() {
			levels[condition.Name] = slices.Clone(condition.Levels)
		}
	}
	return levels
}

// conditionWidth is the number K of inputs for all conditions.
func (c Config) conditionWidth() (width int) {
	for _, condition := range c.Conditions {
		width += condition.width()
	}
	return width
}

func checkConditions(conditions []Condition) error {
	if len(conditions) > maxConditions {
		return fmt.Errorf("%d conditions, want at most %d", len(conditions), maxConditions)
	}
	seen := map[string]bool{}
	for _, c := range conditions {
		switch {
		case strings.TrimSpace(c.Name) == "":
			return errors.New("a condition has no name")
		case seen[c.Name]:
			return fmt.Errorf("condition %s is given twice", c.Name)
		case len(c.Levels) == 1 || len(c.Levels) > maxLevels:
			return fmt.Errorf("condition %s has %d levels, want 2 to %d, or none for a number", c.Name, len(c.Levels), maxLevels)
		case c.Cap && c.categorical():
			return fmt.Errorf("condition %s is categorical and can't be an upper bound", c.Name)
		}
		seen[c.Name] = true
	}
	return nil
}

// scale standardises a condition: (c - mean)/sd; 0 and 1 for a categorical one.
type scale struct {
	Mean float64 `json:"mean"`
	SD   float64 `json:"sd"`
}

// leastScale is a standard deviation below which a condition counts as constant:
// float32 holds what is divided by it.
const leastScale = 1e-30

// newScales measures the conditions of the training rows (N x k).
func newScales(conditions []Condition, values *mat.Dense) ([]scale, error) {
	var scales []scale
	for j, c := range conditions {
		s := scale{0, 1}
		if !c.categorical() {
			column := mat.Col(nil, j, values)
			s = scale{0, 0}
			for _, v := range column {
				s.Mean += v / float64(len(column))
			}
			s.SD = math.Sqrt(variance(column))
			if math.IsInf(s.SD, 0) {
				return nil, fmt.Errorf("condition %s has values too large to standardise", c.Name)
			}
			if !(s.SD > 1e-9*math.Abs(s.Mean)) || s.SD < leastScale {
				return nil, fmt.Errorf("condition %s is the same in every training row: there is nothing to learn from it", c.Name)
			}
		}
		scales = append(scales, s)
	}
	return scales, nil
}

// checkValues returns an error unless every row of values (N x k) can be a
// model's conditions.
func checkValues(what string, conditions []Condition, values *mat.Dense, rows int) error {
	if len(conditions) == 0 {
		if values != nil {
			return fmt.Errorf("%s conditions for a model without conditions", what)
		}
		return nil
	}
	if values == nil || values.IsEmpty() {
		return fmt.Errorf("the %s rows have no conditions, and the model has %d", what, len(conditions))
	}
	if r, k := values.Dims(); r != rows || k != len(conditions) {
		return fmt.Errorf("%s conditions are %d x %d, want %d x %d", what, r, k, rows, len(conditions))
	}
	for i := range rows {
		for j, v := range values.RawRowView(i) {
			if err := conditions[j].Check(v); err != nil {
				return fmt.Errorf("%s row %d: %w", what, i+1, err)
			}
		}
	}
	return nil
}

// Check returns an error for a value that the condition can't have.
func (c Condition) Check(v float64) error {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Errorf("condition %s is %v", c.Name, v)
	}
	if c.categorical() && (v != math.Trunc(v) || v < 0 || int(v) >= len(c.Levels)) {
		return fmt.Errorf("condition %s is %v, want the number of a level, 0 to %d", c.Name, v, len(c.Levels)-1)
	}
	return nil
}

// expand writes conditions (k) as the network sees them (K).
func (s scaling) expand(dst []float32, conditions []Condition, values []float64) {
	at := 0
	for j, c := range conditions {
		if !c.categorical() {
			dst[at] = float32((values[j] - s.conditions[j].Mean) / s.conditions[j].SD)
		} else {
			clear(dst[at : at+len(c.Levels)])
			dst[at+int(values[j])] = 1
		}
		at += c.width()
	}
}

// control is a condition that the decoder's weights are held to.
type control struct {
	condition int // index
	column    int // among the K inputs
	form      portfolio.Form
	columns   int // r of a norm's matrix
	cap       bool
	offset    int // of the measure's numbers in the vector of measures
	index     int // among the caps
}

// controls joins the conditions with their measures, and packs the measures'
// numbers into a vector: for each its vector or matrix (row-major), then 1/sd
// and -mean/sd, which standardise what it gives.
func newControls(c Config, s scaling, measures []portfolio.Measure) (controls []control, vector []float32, err error) {
	column, caps := 0, 0
	for i, condition := range c.Conditions {
		at := -1
		for k := range measures {
			if measures[k].Name == condition.Name {
				at = k
			}
		}
		if at < 0 && condition.Cap {
			return nil, nil, fmt.Errorf("condition %s is an upper bound and has no measure", condition.Name)
		}
		if at >= 0 && !condition.categorical() {
			m := measures[at]
			if err := m.Check(c.Assets); err != nil {
				return nil, nil, err
			}
			k := control{condition: i, column: column, form: m.Form, cap: condition.Cap, offset: len(vector), index: caps}
			if condition.Cap {
				caps++
			}
			for _, v := range m.Vector {
				vector = append(vector, float32(v))
			}
			for _, row := range m.Matrix {
				k.columns = len(row)
				for _, v := range row {
					vector = append(vector, float32(v))
				}
			}
			vector = append(vector, float32(1/s.conditions[i].SD), float32(-s.conditions[i].Mean/s.conditions[i].SD))
			controls = append(controls, k)
		}
		column += condition.width()
	}
	if len(vector) == 0 {
		vector = []float32{0} // a tensor has an entry
	}
	return controls, vector, nil
}

// measured is what a control's measure gives for weights (n x B), standardised:
// 1 x B. Vector holds all measures' numbers.
func (c control) measured(vector, weights *graph.Node) *graph.Node {
	n := weights.Shape().Dimensions[0]
	part := func(from, size int) *graph.Node { return graph.Slice(vector, graph.AxisRange(from, from+size)) }
	var y *graph.Node
	end := c.offset
	switch c.form {
	case portfolio.Linear:
		y = graph.MatMul(graph.Reshape(part(end, n), 1, n), weights)
		end += n
	case portfolio.Norm:
		along := graph.MatMul(graph.Transpose(graph.Reshape(part(end, n*c.columns), n, c.columns), 0, 1), weights)
		// Without the last term the root has no gradient at 0.
		y = graph.Sqrt(graph.AddScalar(graph.ReduceAndKeep(graph.Mul(along, along), graph.ReduceSum, 0), 1e-12))
		end += n * c.columns
	case portfolio.Effective:
		y = graph.Reciprocal(graph.ReduceAndKeep(graph.Mul(weights, weights), graph.ReduceSum, 0))
	default: // portfolio.Largest
		y = graph.ReduceAndKeep(weights, graph.ReduceMax, 0)
	}
	return graph.Add(graph.Mul(y, graph.Reshape(part(end, 1))), graph.Reshape(part(end+1, 1)))
}

// A cap lies above what a training row has by a margin and a half-normal slack,
// and the hinge ends the margin below the cap; both in standard deviations. A
// broken cap weighs capWeight times a distance of the same size.
const (
	capMargin = 0.25
	capSlack  = 0.5
	capWeight = 4
)

// Loosen returns conditions (N x k) whose caps are raised above what the rows
// have, as they are in training: bounds that the rows' portfolios could have
// been asked to keep.
func (m *Model) Loosen(conditions *mat.Dense, seed uint64) *mat.Dense {
	loose := mat.DenseCopyOf(conditions)
	rng := stream.New(seed, "vae.loosen", 0)
	rows, _ := loose.Dims()
	for i := range rows {
		for j, c := range m.config.Conditions {
			if c.Cap {
				slack := capMargin + capSlack*math.Abs(rng.NormFloat64())
				loose.Set(i, j, loose.At(i, j)+slack*m.scaling.conditions[j].SD)
			}
		}
	}
	return loose
}

// raise adds slack to the caps among the conditions (K x B): noise (caps x B) is
// standard normal.
func raise(controls []control, conditions, noise *graph.Node) *graph.Node {
	width := conditions.Shape().Dimensions[0]
	for _, c := range controls {
		if !c.cap {
			continue
		}
		slack := graph.Abs(graph.Slice(noise, graph.AxisElem(c.index)))
		slack = graph.AddScalar(graph.MulScalar(slack, capSlack), capMargin)
		one := graph.OneHot(graph.Scalar(noise.Graph(), dtypes.Int32, c.column), width, conditions.DType())
		conditions = graph.Add(conditions, graph.Mul(slack, graph.ExpandAxes(one, 1)))
	}
	return conditions
}

// controlLoss is how far the decoder's weights (n x B) are from the conditions
// (K x B) that they were asked for, B values: squared distances in standard
// deviations, and for caps capWeight (h + h^2) of the hinge h from the margin on.
func controlLoss(controls []control, vector, weights, conditions *graph.Node) *graph.Node {
	var loss *graph.Node
	for _, c := range controls {
		miss := graph.Sub(c.measured(vector, weights), graph.Slice(conditions, graph.AxisElem(c.column)))
		term := graph.Mul(miss, miss)
		if c.cap {
			hinge := graph.MaxScalar(graph.AddScalar(miss, capMargin), 0)
			term = graph.MulScalar(graph.Add(hinge, graph.Mul(hinge, hinge)), capWeight)
		}
		if loss == nil {
			loss = term
		} else {
			loss = graph.Add(loss, term)
		}
	}
	return graph.Squeeze(loss, 0)
}

func countCaps(controls []control) (caps int) {
	for _, c := range controls {
		if c.cap {
			caps++
		}
	}
	return caps
}
