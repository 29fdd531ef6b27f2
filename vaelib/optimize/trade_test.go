package optimize

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/simplex"
)

// Of many portfolios drawn about the one found none with a value as near has less turnover;
// and a little less turnover gives a value that is too far from the optimum.
func TestLeastTurnover(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	const periods, n, within = 120, 5, 0.05
	returns := mat.NewDense(periods, n, nil)
	for t := range periods {
		common := rng.NormFloat64()
		for j := range n {
			returns.Set(t, j, 0.002*float64(j+1)+0.01*(common+float64(1+j)*rng.NormFloat64()/2))
		}
	}
	mean, cov := sample(returns)
	held := []float64{0.2, 0.3, 0.3, 0.1, 0}
	turnover := simplex.Turnover{Held: held, Beside: 0.1}
	for _, objective := range []Objective{MaxSharpe, MinVariance, MinCVaR, MaxDiversification, MeanVariance, MaxMin} {
		in := &Inputs{Mean: mean, Cov: cov, Returns: returns, RiskAversion: 4, Set: simplex.Set{N: n, Upper: full(n, 0.5)}}
		least, best, err := LeastTurnover(t.Context(), objective, in, held, 0.1, within)
		if err != nil {
			t.Fatalf("%s: %v", objective, err)
		}
		most, floor := turnover.Of(least.Weights), within*math.Abs(best.Value)
		if math.Abs(least.Value-best.Value) > floor+1e-12 || most > turnover.Of(best.Weights)+1e-9 ||
			in.Set.Violation(least.Weights) > 1e-12 {
			t.Errorf("%s: value %v of %v, turnover %v of %v", objective, least.Value, best.Value, most,
				turnover.Of(best.Weights))
		}
		limited := *in
		tighter := turnover
		tighter.Most = most - 1e-4
		limited.Set.Turnover = &tighter
		if r, err := Solve(t.Context(), objective, &limited); err == nil && math.Abs(r.Value-best.Value) <= floor {
			t.Errorf("%s: a turnover of %v does, %v was found", objective, tighter.Most, most)
		}
	}
}

func TestLeastTurnoverRefuses(t *testing.T) {
	cov := mat.NewSymDense(2, []float64{1, 0, 0, 1})
	in := &Inputs{Cov: cov, Set: simplex.Set{N: 2}}
	if _, _, err := LeastTurnover(t.Context(), MinVariance, in, []float64{1, 0}, 0, 0); err == nil {
		t.Error("within nothing")
	}
	var unsupported *UnsupportedError
	if _, _, err := LeastTurnover(t.Context(), HRP, in, []float64{1, 0}, 0, 0.1); !errors.As(err, &unsupported) {
		t.Errorf("hrp: %v", err)
	}
	in.Set.Turnover = &simplex.Turnover{Held: []float64{1, 0}, Most: 1}
	if _, _, err := LeastTurnover(t.Context(), MinVariance, in, []float64{1, 0}, 0, 0.1); err == nil {
		t.Error("a limit on turnover")
	}
}

// With a minimum weight and a number of assets too, the portfolio is near the optimum, and no
// choice of assets is as near with less turnover.
func TestLeastTurnoverOfFew(t *testing.T) {
	const n, within = 6, 0.05
	for k := range 8 {
		mean, cov := sample(market(60, n, uint64(k)))
		in := &Inputs{Mean: mean, Cov: cov, RiskAversion: 8, MaxAssets: 4}
		in.Set = simplex.Set{N: n, Upper: full(n, 0.5), MinWeight: 0.1}
		held := []float64{0.05, 0.25, 0.3, 0, 0.35, 0.05}
		for _, objective := range []Objective{MinVariance, MaxDiversification} {
			least, optimum, err := LeastTurnover(t.Context(), objective, in, held, 0, within)
			if err != nil {
				t.Fatalf("market %d, %s: %v", k, objective, err)
			}
			from := simplex.Turnover{Held: held}
			turnover := from.Of(least.Weights)
			best, _ := badness(objective, in, optimum.Weights)
			worst := best + within*math.Abs(best)
			if v, _ := badness(objective, in, least.Weights); v > worst || turnover > from.Of(optimum.Weights)+1e-9 ||
				positions(least.Weights) > 4 || in.Set.Violation(least.Weights) > 1e-12 {
				t.Errorf("market %d, %s: %v, where %v is near; a turnover of %v", k, objective, v, worst, turnover)
			}
			limited := *in
			limited.Set.Turnover = &simplex.Turnover{Held: held, Most: turnover - 1e-5}
			if v, found := enumerate(objective, &limited); found && v < worst-1e-9*math.Abs(worst) {
				t.Errorf("market %d, %s: less than a turnover of %v leaves %v, where %v is near", k, objective, turnover, v, worst)
			}
		}
	}
}
