package vae

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// Bounds of a beta above 0, far within those of float32, in which it multiplies and
// divides.
const (
	leastBeta = 1e-15
	mostBeta  = 1e15
)

// Validate returns an error that names the first field that makes no sense.
func (c Config) Validate() error {
	if c.Assets < 2 || c.Assets > maxWidth {
		return fmt.Errorf("assets is %d, want 2 to %d", c.Assets, maxWidth)
	}
	if c.Latent < 1 || c.Latent > maxWidth {
		return fmt.Errorf("latent is %d, want 1 to %d", c.Latent, maxWidth)
	}
	if len(c.Hidden) > maxLayers {
		return fmt.Errorf("hidden has %d layers, want at most %d", len(c.Hidden), maxLayers)
	}
	for i, width := range c.Hidden {
		if width < 1 || width > maxWidth {
			return fmt.Errorf("hidden layer %d has width %d, want 1 to %d", i+1, width, maxWidth)
		}
	}
	if !(c.Beta == 0 || c.Beta >= leastBeta && c.Beta <= mostBeta) {
		return fmt.Errorf("beta is %v, want 0 or a number from %v to %v, beyond which float32 has no digits for it",
			c.Beta, leastBeta, mostBeta)
	}
	if err := checkChoice("likelihood", c.Likelihood, likelihoods); err != nil {
		return err
	}
	if err := checkChoice("head", c.Head, heads); err != nil {
		return err
	}
	if err := checkConditions(c.Conditions); err != nil {
		return err
	}
	l, h := likelihoods[c.Likelihood], heads[c.Head]
	switch {
	case l.proportions && !h.positive:
		positive := names(heads, func(h head) bool { return h.positive })
		return fmt.Errorf("the %s likelihood needs the %s head, not %s", c.Likelihood, positive, c.Head)
	case !(c.FreeBits >= 0) || math.IsInf(c.FreeBits, 0):
		return fmt.Errorf("free bits are %v, want a number of nats of at least 0", c.FreeBits)
	case !(c.TargetRate >= 0) || math.IsInf(c.TargetRate, 0):
		return fmt.Errorf("target rate is %v, want a number of nats of at least 0", c.TargetRate)
	case c.TargetRate > 0 && !(c.Beta > 0):
		return fmt.Errorf("beta is %v with a target rate, which multiplies it: want a number above 0", c.Beta)
	case !(c.Control >= 0) || math.IsInf(c.Control, 0):
		return fmt.Errorf("control is %v, want a number of at least 0", c.Control)
	case c.Control > 0 && len(c.Conditions) == 0:
		return fmt.Errorf("control is %v in a model without conditions", c.Control)
	case !h.capped && c.MaxWeight != 0:
		return fmt.Errorf("max weight is %v with the %s head: only the capped head keeps one", c.MaxWeight, c.Head)
	case h.capped && !(c.MaxWeight > 0 && c.MaxWeight <= 1):
		return fmt.Errorf("max weight is %v, want more than 0 and at most 1", c.MaxWeight)
	case h.capped && float64(c.Assets)*c.MaxWeight < 1-1e-12:
		return fmt.Errorf("max weight is %v: %d assets can't reach a sum of 1, want at least %.4g",
			c.MaxWeight, c.Assets, 1/float64(c.Assets))
	}
	if err := checkChoice("activation", c.Activation, activations); err != nil {
		return err
	}
	if size := newNetwork(c).size; size > maxParameters {
		return fmt.Errorf("the network has %d parameters, want at most %d: lower hidden", size, maxParameters)
	}
	return nil
}

// checkChoice returns an error unless name is a key of choices.
func checkChoice[T any](field, name string, choices map[string]T) error {
	if _, ok := choices[name]; ok {
		return nil
	}
	return fmt.Errorf("%s is %q, want one of %s", field, name, names(choices, func(T) bool { return true }))
}

// names lists the choices that fit, in alphabetical order.
func names[T any](choices map[string]T, fits func(T) bool) string {
	var names []string
	for name, choice := range choices {
		if fits(choice) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// checkRows returns an error unless the configuration can learn from the rows of
// x and their conditions.
func checkRows(what string, x, conditions *mat.Dense, c Config) error {
	if err := checkWeights(what, x, c); err != nil {
		return err
	}
	rows, _ := x.Dims()
	return checkValues(what, c.Conditions, conditions, rows)
}

// checkWeights returns an error that names the first row which the configuration
// can't learn from.
func checkWeights(what string, x *mat.Dense, c Config) error {
	rows, n := x.Dims()
	longOnly := heads[c.Head].longOnly
	if n != c.Assets {
		return fmt.Errorf("%s rows have %d columns, want %d assets", what, n, c.Assets)
	}
	for i := range rows {
		var sum float64
		for j, v := range x.RawRowView(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("%s row %d has %v in column %d", what, i+1, v, j+1)
			}
			if longOnly && v < -1e-9 {
				return fmt.Errorf(
					"%s row %d has %v in column %d: the %s head learns long-only portfolios, take the linear head",
					what, i+1, v, j+1, c.Head)
			}
			if c.MaxWeight > 0 && v > c.MaxWeight+1e-6 {
				return fmt.Errorf(
					"%s row %d has %v in column %d, above the max weight of %v: raise it or project the rows",
					what, i+1, v, j+1, c.MaxWeight)
			}
			sum += v
		}
		if longOnly && math.Abs(sum-1) > 1e-6 {
			return fmt.Errorf("%s row %d sums to %v, want 1", what, i+1, sum)
		}
	}
	return nil
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
