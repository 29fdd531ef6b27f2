package live

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// Line is one decision.
type Line struct {
	Time     time.Time `json:"time"`   // the candle's close: all that the line says was known then
	Candle   time.Time `json:"candle"` // the candle's opening
	Interval string    `json:"interval"`

	Weights Values `json:"weights"`
	Close   Values `json:"close"`
	// Turnover is the sum of |weight - drifted weight|, purchases and sales: the
	// weights of the line before, held since its close, are what drifted. Null
	// where there is none.
	Turnover *float64 `json:"turnover"`

	Regime       *Regime `json:"regime"` // null where no model of regimes fits the window
	RegimeReason string  `json:"regime_missing,omitempty"`
	Features     Values  `json:"features"` // of the equal-weight basket and the correlations; null where undefined

	// Of a conditional model alone: what the portfolios were asked for, a level
	// by its number, and how far the donor nearest to the wish and the market was
	// from them, in standard deviations of the training portfolios' conditions.
	Wish       string   `json:"wish,omitempty"`
	Conditions *Values  `json:"conditions,omitempty"`
	Far        *float64 `json:"distance_from_training,omitempty"`

	Objective   string  `json:"objective"`
	Value       float64 `json:"value"` // of the objective, in sample
	Periods     int     `json:"periods"`
	Search      string  `json:"search"`
	Portfolios  int     `json:"portfolios"`  // made
	Evaluations int     `json:"evaluations"` // values and gradients computed, one each
	Repair      float64 `json:"repair"`      // distance that the projection moved the portfolio
	Violation   float64 `json:"violation"`   // of the constraints
	Model       string  `json:"model"`       // SHA-256 of the parameters
	Seed        uint64  `json:"seed"`
}

// Regime is the state of the market.
type Regime struct {
	State         string `json:"state"` // the likeliest
	Probabilities Values `json:"probabilities"`
}

// Values are numbers with names, written as a JSON object in their order. NaN
// stands for an undefined one: null.
type Values struct {
	Names   []string
	Numbers []float64
}

// MarshalJSON writes an object.
func (v Values) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, name := range v.Names {
		if i > 0 {
			b = append(b, ',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		b = append(append(b, key...), ':')
		if math.IsNaN(v.Numbers[i]) {
			b = append(b, "null"...)
			continue
		}
		number, err := json.Marshal(v.Numbers[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		b = append(b, number...)
	}
	return append(b, '}'), nil
}

// UnmarshalJSON reads an object and keeps its order.
func (v *Values) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return fmt.Errorf("want an object of numbers, not %.20s", text)
	}
	*v = Values{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var number *float64
		if err := d.Decode(&number); err != nil {
			return fmt.Errorf("%v: %w", name, err)
		}
		v.Names = append(v.Names, name.(string)) // the decoder allows nothing else
		if number == nil {
			v.Numbers = append(v.Numbers, math.NaN())
		} else {
			v.Numbers = append(v.Numbers, *number)
		}
	}
	return nil
}

// Get returns the number of a name, and whether there is one.
func (v Values) Get(name string) (float64, bool) {
	for i, n := range v.Names {
		if n == name {
			return v.Numbers[i], true
		}
	}
	return 0, false
}
