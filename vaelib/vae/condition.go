package vae

import (
	"errors"
	"fmt"
	"math"
	"strings"
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

	largestCondition = 1e30 // the network is in float32
)

// width is the number of the network's inputs for the condition.
func (c Condition) width() int { return max(1, len(c.Levels)) }

// categorical conditions have levels.
func (c Condition) categorical() bool { return len(c.Levels) > 0 }

// Check returns an error for a value that the condition can't have.
func (c Condition) Check(v float64) error {
	if math.IsNaN(v) || math.Abs(v) > largestCondition {
		return fmt.Errorf("condition %s is %v, want a number within %v of 0", c.Name, v, float64(largestCondition))
	}
	if c.categorical() && (v != math.Trunc(v) || v < 0 || int(v) >= len(c.Levels)) {
		return fmt.Errorf("condition %s is %v, want the number of a level, 0 to %d", c.Name, v, len(c.Levels)-1)
	}
	return nil
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
			return fmt.Errorf("condition %s has %d levels, want 2 to %d, or none for a number",
				c.Name, len(c.Levels), maxLevels)
		case c.Cap && c.categorical():
			return fmt.Errorf("condition %s is categorical and can't be an upper bound", c.Name)
		}
		seen[c.Name] = true
	}
	return nil
}

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
