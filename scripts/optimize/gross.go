package main

import (
	"fmt"

	"gonum.org/v1/gonum/floats"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/simplex"
)

// limitGross makes -max-gross a constraint: the gross exposure is the turnover from cash
// alone. It refuses one that limits nothing.
func (c *config) limitGross(set *simplex.Set) error {
	if c.Gross == nil {
		return nil
	}
	if !isShort(set) {
		return cli.Usagef("-max-gross limits nothing without short positions: the weights are their own sizes, whose " +
			"sum is 1: allow short positions with -lower, or leave it out")
	}
	set.Turnover = &simplex.Turnover{Held: make([]float64, set.N), Most: *c.Gross}
	if err := set.Check(); err != nil {
		return fmt.Errorf("-max-gross: %w", err)
	}
	return nil
}

// gross is the sum of the sizes of the weights.
func gross(w []float64) float64 { return floats.Norm(w, 1) }
