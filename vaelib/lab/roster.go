package lab

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"

	"vaefolio/vaelib/backtest"
	"vaefolio/vaelib/learnt"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// Kinds of strategies.
const (
	Rival   = "rival"   // needs no model
	Family  = "family"  // a member of the generator's family
	Ceiling = "ceiling" // what the truth would choose among a generator's portfolios: no strategy, a bound on some
)

// rule chooses weights (n) on a history.
type rule func(ctx context.Context, h *history) ([]float64, error)

// member is a strategy of the laboratory.
type member struct {
	name, kind string
	rule       rule
}

// roster is those asked for, in the order of the tables; those that need a model over
// sets or a learnt rule only where there is one.
func roster(in *Inputs) []member {
	all := append(rivals(), family()...)
	if in.Set != nil {
		all = append(all, zeroShot()...)
	}
	if in.Rule != nil {
		all = append(all, learned()...)
	}
	if in.Strategies == nil {
		return all
	}
	return slices.DeleteFunc(all, func(m member) bool { return !slices.Contains(in.Strategies, m.name) })
}

// generates says whether the roster has a member that trains a generator on the
// history.
func generates(members []member) bool {
	for _, m := range family() {
		if slices.ContainsFunc(members, func(other member) bool { return other.name == m.name }) {
			return true
		}
	}
	return false
}

// bench is what the strategies of one goroutine share: the models of the history
// that all of them look at.
type bench struct {
	settings *Settings
	seed     uint64
	backend  *vae.Backend
	set      *trained.SetModel // nil: none
	taught   *learnt.Rule      // nil: none
	at       *history          // the last one asked for
}

// history is one training window, and what was computed on it.
type history struct {
	*bench
	window *market.Window
	index  uint64 // by its data: what is random belongs to them
	known  map[string]*moments.Moments
	model  *decoder // nil: not trained yet
	// universal is the model over sets, placed in the history's assets; nil: not yet
	universal *decoder
	ruled     []float64 // by the learnt rule; nil: not yet
}

// look returns the history of a window: the last one, where it is the same.
func (b *bench) look(window *market.Window) (*history, error) {
	sum, err := hex.DecodeString(window.Hash()[:16])
	if err != nil {
		return nil, err
	}
	if index := binary.LittleEndian.Uint64(sum); b.at == nil || b.at.index != index {
		b.at = &history{bench: b, window: window, index: index, known: map[string]*moments.Moments{}}
	}
	return b.at, nil
}

// moments are those of the history by the name of the covariance's estimator.
func (h *history) moments(covariance string) (*moments.Moments, error) {
	if m := h.known[covariance]; m != nil {
		return m, nil
	}
	m, err := moments.Estimate(covariance, h.window.Returns)
	if err != nil {
		return nil, err
	}
	h.known[covariance] = m
	return m, nil
}

// stream is a random source of the history.
func (h *history) stream(purpose string) *rand.Rand {
	return stream.New(h.seed, "lab."+purpose, h.index)
}

// Strategies returns the strategies of the laboratory as those of a backtest, in
// the order of its tables. They share models, so they belong to one goroutine. The
// windows that they are shown must have at least 40 periods.
func Strategies(in Inputs) []backtest.Strategy {
	shared := in.bench()
	var strategies []backtest.Strategy
	for _, m := range roster(&in) {
		strategies = append(strategies, backtest.Strategy{Name: m.name, Weights: shared.weigher(m)})
	}
	return strategies
}

// bench is one for a goroutine.
func (in *Inputs) bench() *bench {
	return &bench{settings: &in.Settings, seed: in.Seed, backend: in.Backend, set: in.Set, taught: in.Rule}
}

// weigher is a member as a function of a window.
func (b *bench) weigher(m member) func(context.Context, *market.Window, []float64) ([]float64, error) {
	return func(ctx context.Context, training *market.Window, _ []float64) ([]float64, error) {
		h, err := b.look(training)
		if err != nil {
			return nil, err
		}
		w, err := m.rule(ctx, h)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		return w, nil
	}
}
