package optimize

import (
	"context"
	"errors"
	"fmt"
	"math"

	"vaefolio/vaelib/simplex"
)

// LeastTurnover returns, of the portfolios whose value misses the optimum by a share of it
// at most (in (0, 1)), the one with the least turnover from what is held, and the optimum.
// The set has no limit on turnover; the objective is one that takes constraints. The turnover
// is the least to a millionth: the largest value within a limit grows with the limit, which
// is bisected.
func LeastTurnover(ctx context.Context, objective Objective, in *Inputs, held []float64, beside, within float64) (
	least, optimum *Result, err error) {
	switch {
	case !(within > 0 && within < 1):
		return nil, nil, fmt.Errorf("within %v of the optimum: give a share between 0 and 1", within)
	case in.Set.Turnover != nil:
		return nil, nil, errors.New("the least turnover is found without a limit on turnover: leave it out")
	}
	switch objective {
	case MinVariance, MeanVariance, MinTrackingError, MaxSharpe, MaxDiversification, MinCVaR, MaxMin:
	default:
		return nil, nil, &UnsupportedError{objective, "takes no constraints, so that it has no least turnover"}
	}
	if optimum, err = Solve(ctx, objective, in); err != nil {
		return nil, nil, err
	}
	floor := within * abs(optimum.Value)
	near := func(r *Result) bool {
		// The value of a Result is to be large or small, by the objective: it is worse than
		// the optimum either way.
		return abs(r.Value-optimum.Value) <= floor
	}
	limited := *in
	turnover := simplex.Turnover{Held: held, Beside: beside}
	least = optimum
	low, high := beside, turnover.Of(optimum.Weights)
	limited.Set.Turnover = &turnover
	cutOff := false
	for high-low > 1e-6 {
		turnover.Most = (low + high) / 2
		r, err := Solve(ctx, objective, &limited)
		var none *NoExcessError
		var empty *simplex.InfeasibleError
		switch {
		case ctx.Err() != nil:
			return nil, nil, ctx.Err()
		case err != nil && !errors.As(err, &empty) && !errors.As(err, &none):
			return nil, nil, err
		case err != nil || !near(r):
			low = turnover.Most
			cutOff = cutOff || err == nil && r.Status != optimal
		default:
			least, high = r, math.Min(turnover.Most, turnover.Of(r.Weights))
		}
	}
	if cutOff || optimum.Status != optimal {
		least.Notes = append(least.Notes, "branch and bound reached its limit of nodes on the way: a smaller turnover "+
			"may do")
	}
	return least, optimum, nil
}
