package main

import (
	"errors"
	"fmt"

	"gonum.org/v1/gonum/floats"

	"vaefolio/vaelib/simplex"
)

// checkGross refuses a limit on the gross exposure that limits nothing.
func (c *config) checkGross() error {
	if c.Gross != nil && c.Lower >= 0 {
		return errors.New("-max-gross limits nothing without short positions: the weights are their own sizes, whose " +
			"sum is 1: allow short positions with -lower, or leave it out")
	}
	return nil
}

// limitGross makes -max-gross a constraint: the gross exposure is the turnover from cash alone.
func (c *config) limitGross(set *simplex.Set) error {
	if c.Gross == nil {
		return nil
	}
	set.Turnover = &simplex.Turnover{Held: make([]float64, set.N), Most: *c.Gross}
	if err := set.Check(); err != nil {
		return fmt.Errorf("-max-gross: %w", err)
	}
	return nil
}

// gross is the sum of the sizes of the weights.
func gross(w []float64) float64 { return floats.Norm(w, 1) }
