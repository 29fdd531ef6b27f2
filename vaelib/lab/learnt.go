package lab

import (
	"context"

	"vaefolio/vaelib/moments"
)

// Members that a learnt rule makes.
const (
	learntName     = "learnt"
	halfLearntName = "half-learnt-empirical-bayes"
)

// learned are the uses of a rule that was trained for the largest true Sharpe ratio on
// simulated markets of other seeds.
func learned() []member {
	return []member{
		{learntName, Family, byRule},
		{halfLearntName, Family, half(byRule, largestSharpe(moments.EmpiricalBayes))},
	}
}

// byRule is what the rule chooses.
func byRule(ctx context.Context, h *history) ([]float64, error) {
	if h.ruled != nil {
		return h.ruled, nil
	}
	var err error
	h.ruled, err = h.taught.Choose(ctx, h.window.Symbols, h.window.Returns, h.allowed())
	return h.ruled, err
}
