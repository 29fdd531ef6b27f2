package experiment

import (
	"context"
	"fmt"
	"slices"

	"vaefolio/vaelib/learnt"
	"vaefolio/vaelib/market"
)

// Learnt is the strategy of a learnt rule: of one that was trained before, on
// simulated markets, and is told nothing of the window's assets but their returns.
const Learnt = "learnt"

// NeedsRule says whether a strategy takes a learnt rule.
func (s *BacktestSettings) NeedsRule() bool { return slices.Contains(s.Strategies, Learnt) }

// OpenRule reads the learnt rule, where a strategy takes one. The backend is then that
// of [Input].
func (in *Input) OpenRule(s *BacktestSettings) (err error) {
	if s.NeedsRule() {
		in.Rule, err = learnt.Open(in.Backend, s.Rule...)
	}
	return err
}

// byRule holds what the rule chooses.
func (in *Input) byRule(ctx context.Context, training *market.Window, _ []float64) ([]float64, error) {
	set, err := in.setOf(training)
	if err != nil {
		return nil, err
	}
	return in.Rule.Choose(ctx, training.Symbols, training.Returns, set)
}

// ruleNote says which rule it was; empty: none.
func (in *Input) ruleNote() string {
	if in.Rule == nil {
		return ""
	}
	return fmt.Sprintf("%s is %s (%.12s), a model that learned on simulated markets, and no optimum", Learnt,
		in.Rule.Name, in.Rule.Hash())
}
