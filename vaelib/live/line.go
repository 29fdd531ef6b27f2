package live

import (
	"time"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/number"
)

// Line is one decision.
type Line struct {
	Time     time.Time `json:"time"`   // the candle's close: all that the line says was known then
	Candle   time.Time `json:"candle"` // the candle's opening
	Interval string    `json:"interval"`

	Weights number.Values `json:"weights"`
	Close   number.Values `json:"close"`
	// With a model over sets of assets: followed symbols that were traded and could not
	// be held, as their window isn't full or they did not move in it.
	LeftOut []string `json:"left_out,omitempty"`
	// Turnover is the sum of |weight - drifted weight|, purchases and sales: the
	// weights of the line before, held since its close, are what drifted. Null
	// where there is none.
	Turnover *float64 `json:"turnover"`

	Regime       *Regime       `json:"regime"` // null where no model of regimes fits the window
	RegimeReason string        `json:"regime_missing,omitempty"`
	Features     number.Values `json:"features"` // of the equal-weight basket and the correlations; null where undefined

	// Of a conditional model alone: what the portfolios were asked for, a level
	// by its number, and how far the donor nearest to the wish and the market was
	// from them, in standard deviations of the training portfolios' conditions.
	Wish       string         `json:"wish,omitempty"`
	Conditions *number.Values `json:"conditions,omitempty"`
	Far        *float64       `json:"distance_from_training,omitempty"`

	Objective   string  `json:"objective"`
	Value       float64 `json:"value"` // of the objective, in sample
	Periods     int     `json:"periods"`
	Search      string  `json:"search"`
	Portfolios  int     `json:"portfolios"`  // made
	Evaluations int     `json:"evaluations"` // values and gradients computed, one each
	// Ascent is, of a latent search, the rival without a model, with as many
	// evaluations at most.
	Ascent    *choose.Ascent `json:"projected_gradient,omitempty"`
	Repair    float64        `json:"repair"`    // distance that the projection moved the portfolio
	Violation float64        `json:"violation"` // of the constraints
	Model     string         `json:"model"`     // SHA-256 of the parameters
	Seed      uint64         `json:"seed"`
}

// Regime is the state of the market.
type Regime struct {
	State         string        `json:"state"` // the likeliest
	Probabilities number.Values `json:"probabilities"`
}
