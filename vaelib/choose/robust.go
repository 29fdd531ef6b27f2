package choose

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/inorder"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// Names of the portfolios that a [Selection] judges.
const (
	judgedChosen = "chosen"
	judgedBound  = "linear programme"
	judgedEqual  = "equal weight"
	judgedClimb  = "projected gradient"
)

// Selection is what [Robust] chose. Its JSON form says by what, and how the choice
// fared.
type Selection struct {
	Scenarios int `json:"scenarios"`
	HeldOut   int `json:"scenarios_held_out"`
	Horizon   int `json:"horizon"` // periods of the scenarios; 0 where they differ
	// Bound is the largest worst return of any portfolio of the convex relaxation.
	Bound float64 `json:"linear_programme_bound"`
	// Judgements are of the portfolio chosen, of the programme's optimum, of equal
	// weights projected onto the set, and of the best that a projected gradient on
	// the weights finds with as many evaluations as there were portfolios.
	Judgements []Judgement `json:"judgements"`

	Row     int       `json:"-"` // of the portfolio chosen
	Ranking []int     `json:"-"` // all rows, the largest worst return first
	Worst   []float64 `json:"-"` // N, the return of each row in its worst scenario
}

// Judgement is how one portfolio fares in the scenarios that the choice was
// made by, and in those held out. Returns are over the scenarios' horizon.
type Judgement struct {
	Name          string    `json:"name"`
	Weights       []float64 `json:"-"`     // n
	Worst         float64   `json:"worst"` // return in the worst scenario of the choice
	WorstScenario string    `json:"worst_scenario"`
	HeldOutWorst  float64   `json:"held_out_worst"` // return in the worst scenario held out
	// HeldOutTail is the mean return of the worst twentieth of the scenarios held
	// out, at least of one.
	HeldOutTail float64 `json:"held_out_tail"`
	HeldOutMean float64 `json:"held_out_mean"`
}

// Robust selects the max-min portfolio among the rows of weights (N x n): the
// one with the largest return in its worst scenario. Beside it stands the
// optimum of the linear programme over the same scenarios and the constraint set
// (minimum-or-zero weights relaxed), which no row of the set exceeds. The
// programme fits itself to its scenarios more closely than a choice among given
// portfolios can, so all are judged by scenarios held out, which took no part.
func Robust(
	ctx context.Context, weights *mat.Dense, set simplex.Set, scenarios, heldOut *Scenarios,
) (*Selection, error) {
	rows, n := weights.Dims()
	for _, s := range []*Scenarios{scenarios, heldOut} {
		if _, m := s.Returns.Dims(); m != n || set.N != n {
			return nil, fmt.Errorf("portfolios of %d assets, a set of %d and scenarios of %d: they must agree",
				n, set.N, m)
		}
	}
	optimum, err := optimize.Solve(ctx, optimize.MaxMin,
		&optimize.Inputs{Set: set.Convex(), Returns: scenarios.Returns})
	if err != nil {
		return nil, err
	}
	equal, err := equalWeights(set)
	if err != nil {
		return nil, err
	}
	worst, err := metrics.NewObjective(metrics.MaximizeWorst, scenarios.Returns, metrics.Settings{PeriodsPerYear: 1})
	if err != nil {
		return nil, err
	}
	climbed, err := ProjectedGradient(ctx, worst, set,
		AscentSettings{Evaluations: rows, Rng: stream.New(0, "choose.robust", 0)})
	if err != nil {
		return nil, err
	}
	s := &Selection{
		Scenarios: len(scenarios.Names), HeldOut: len(heldOut.Names), Horizon: scenarios.Horizon,
		Bound: optimum.Value, Worst: make([]float64, rows), Ranking: make([]int, rows),
	}
	for i := range rows {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s.Worst[i], _ = scenarios.worst(weights.RawRowView(i))
		s.Ranking[i] = i
	}
	slices.SortStableFunc(s.Ranking, func(a, b int) int { return cmp.Compare(s.Worst[b], s.Worst[a]) })
	s.Row = s.Ranking[0]
	s.Judgements = []Judgement{
		judge(judgedChosen, slices.Clone(weights.RawRowView(s.Row)), scenarios, heldOut),
		judge(judgedBound, optimum.Weights, scenarios, heldOut),
		judge(judgedEqual, equal, scenarios, heldOut),
		judge(judgedClimb, climbed.Weights, scenarios, heldOut),
	}
	return s, nil
}

// equalWeights is 1/n, or the nearest member of the set.
func equalWeights(set simplex.Set) ([]float64, error) {
	projector, err := simplex.NewProjector(set)
	if err != nil {
		return nil, err
	}
	w := slices.Repeat([]float64{1 / float64(set.N)}, set.N)
	_, err = projector.Project(w, w)
	return w, err
}

// worst is the least return of w, and the scenario that it is in.
func (s *Scenarios) worst(w []float64) (least float64, scenario int) {
	least = math.Inf(1)
	count, _ := s.Returns.Dims()
	for i := range count {
		if r := floats.Dot(s.Returns.RawRowView(i), w); r < least {
			least, scenario = r, i
		}
	}
	return least, scenario
}

func judge(name string, w []float64, scenarios, heldOut *Scenarios) Judgement {
	j := Judgement{Name: name, Weights: w}
	var worst int
	j.Worst, worst = scenarios.worst(w)
	j.WorstScenario = scenarios.Names[worst]
	count, _ := heldOut.Returns.Dims()
	outcomes := make([]float64, count)
	for i := range outcomes {
		outcomes[i] = floats.Dot(heldOut.Returns.RawRowView(i), w)
	}
	slices.Sort(outcomes)
	tail := max(1, count/20)
	j.HeldOutWorst = outcomes[0]
	j.HeldOutTail = inorder.Sum(outcomes[:tail]) / float64(tail)
	j.HeldOutMean = inorder.Sum(outcomes) / float64(count)
	return j
}
