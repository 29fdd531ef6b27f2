package backtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/market"
)

// Combinatorial are the settings of [RunCombinatorial].
type Combinatorial struct {
	Groups  int // N, equal stretches that the time is cut into
	Tested  int // k, how many of them are held out at a time, at most half
	Embargo int // periods left out of the training before and after each group that is held out
	Test    int // periods between rebalances to what was chosen
	CostBps float64
	// ConstantWeights restores the weights every period, without cost.
	ConstantWeights bool
}

// Splits is the number of ways to hold groups out: N choose k.
func (s Combinatorial) Splits() int {
	count := 1
	for i := range s.Tested {
		count = count * (s.Groups - i) / (i + 1)
	}
	return count
}

// Paths is the number of paths through all groups: each group is held out so often.
func (s Combinatorial) Paths() int { return s.Splits() * s.Tested / s.Groups }

// mostSplits bounds the work.
const mostSplits = 1000

func (s Combinatorial) check(periods int) error {
	switch {
	case s.Groups < 3 || s.Tested < 1 || 2*s.Tested > s.Groups:
		return fmt.Errorf("%d of %d groups held out: at least 3 groups, of which at most half are held out",
			s.Tested, s.Groups)
	case s.Splits() > mostSplits:
		return fmt.Errorf("%d of %d groups can be held out in %d ways: at most %d; take fewer groups",
			s.Tested, s.Groups, s.Splits(), mostSplits)
	case s.Embargo < 0 || s.Test < 1:
		return fmt.Errorf("an embargo of %d and %d periods between rebalances: at least 0 and 1 are needed",
			s.Embargo, s.Test)
	case !(s.CostBps >= 0 && s.CostBps <= 5000):
		return fmt.Errorf("a cost of %v basis points: it must lie between 0 and 5000", s.CostBps)
	}
	if kept := (s.Groups-s.Tested)*(periods/s.Groups) - 2*s.Tested*s.Embargo; kept < 2 || periods/s.Groups < 1 {
		return fmt.Errorf("%d periods in %d groups, %d held out with an embargo of %d, leave %d to learn from: "+
			"at least 2", periods, s.Groups, s.Tested, s.Embargo, max(0, kept))
	}
	return nil
}

// RunCombinatorial tests strategies on combinatorially purged splits (López de
// Prado 2018, "Advances in financial machine learning", chapter 12). The time is
// cut into N groups, periods left over at the end are dropped; for each choice of
// k groups a strategy chooses once, on all periods of the others but for an
// embargo around those held out, and its choice is held over these. The pieces
// make up [Combinatorial.Paths] paths, each through all of the time, a [Result]
// each: a distribution in place of one number.
//
// Strategies learn from times after those that they are tested on too, and from a
// window with seams where groups are left out: this tells how much of a result is
// the luck of one path, not what could have been earned. Errors are those of [Run].
func RunCombinatorial(ctx context.Context, window *market.Window, strategies []Strategy, settings Combinatorial,
	progress func(done, total int, note string)) ([]*Result, error) {
	periods := len(window.Times)
	if err := settings.check(periods); err != nil {
		return nil, err
	}
	if len(strategies) == 0 {
		return nil, errors.New("no strategies to test")
	}
	splits := combinations(settings.Groups, settings.Tested)
	size := periods / settings.Groups
	paths := make([]*Result, settings.Paths())
	for p := range paths {
		paths[p] = &Result{
			Symbols: window.Symbols, Start: window.Start, Times: window.Times[:size*settings.Groups],
			Unused: periods - size*settings.Groups,
		}
	}
	for k, strategy := range strategies {
		choices := make([]choice, len(splits))
		for i, tested := range splits {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			var err error
			if choices[i], err = choose(ctx, window, strategy, settings, tested); err != nil {
				return nil, fmt.Errorf("strategy %s: groups %v held out: %w", strategy.Name, tested, err)
			}
			if progress != nil {
				progress(k*len(splits)+i+1, len(strategies)*len(splits), strategy.Name)
			}
		}
		for p, path := range paths {
			track, err := follow(window, strategy.Name, settings, splits, choices, p)
			if err != nil {
				return nil, fmt.Errorf("strategy %s: %w", strategy.Name, err)
			}
			path.Tracks = append(path.Tracks, track)
		}
	}
	return paths, nil
}

// combinations lists the choices of k of n, in lexicographic order.
func combinations(n, k int) [][]int {
	var all [][]int
	chosen := make([]int, 0, k)
	var extend func(from int)
	extend = func(from int) {
		if len(chosen) == k {
			all = append(all, slices.Clone(chosen))
			return
		}
		for i := from; i < n; i++ {
			chosen = append(chosen, i)
			extend(i + 1)
			chosen = chosen[:len(chosen)-1]
		}
	}
	extend(0)
	return all
}

// choice is what a strategy chose on one split.
type choice struct {
	weights []float64
	note    string // why it had no answer
}

// choose lets a strategy choose on all groups but those tested.
func choose(ctx context.Context, window *market.Window, strategy Strategy, s Combinatorial, tested []int) (choice,
	error) {
	training := purged(window, s, tested)
	n := len(window.Symbols)
	weights, err := strategy.Weights(ctx, training, nil)
	if errors.Is(err, ErrHold) {
		return choice{equal(n), err.Error()}, nil
	}
	if err == nil {
		err = checkWeights(weights, n)
	}
	return choice{weights: slices.Clone(weights)}, err
}

// purged is the window without the groups tested and the embargo around them.
func purged(window *market.Window, s Combinatorial, tested []int) *market.Window {
	size := len(window.Times) / s.Groups
	var rows []int
	for t := range size * s.Groups {
		near := slices.ContainsFunc(tested, func(g int) bool {
			return t >= g*size-s.Embargo && t < (g+1)*size+s.Embargo
		})
		if !near {
			rows = append(rows, t)
		}
	}
	n := len(window.Symbols)
	out := &market.Window{Symbols: window.Symbols, Start: window.Start, Funded: window.Funded,
		Returns: mat.NewDense(len(rows), n, nil), Times: make([]time.Time, len(rows))}
	if rows[0] > 0 {
		out.Start = window.Times[rows[0]-1]
	}
	for i, t := range rows {
		out.Times[i] = window.Times[t]
		out.Returns.SetRow(i, window.Returns.RawRowView(t))
	}
	return out
}

// follow holds, in each group, what was chosen on the p-th split that tests it.
func follow(window *market.Window, name string, s Combinatorial, splits [][]int, choices []choice, p int) (Track,
	error) {
	track := Track{Name: name}
	a := account{n: len(window.Symbols)}
	size := len(window.Times) / s.Groups
	for g := range s.Groups {
		seen := -1
		at := slices.IndexFunc(splits, func(tested []int) bool {
			if slices.Contains(tested, g) {
				seen++
			}
			return seen == p
		})
		for from := g * size; from < (g+1)*size; from += s.Test {
			r := Rebalance{Time: window.Times[from], From: from, To: min(from+s.Test, (g+1)*size),
				Weights: choices[at].weights, Note: choices[at].note}
			if err := track.hold(window, &a, r, s.CostBps, s.ConstantWeights); err != nil {
				return track, err
			}
		}
	}
	return track, nil
}
