package generate

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/conditional"
	"vaefolio/vaelib/fidelity"
	"vaefolio/vaelib/polish"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

// Names of the scores.
const (
	madeToOrder    = "orders"
	madeUnpolished = "orders, not polished"
)

// studyAsked is how many portfolios at most are asked for, and studyPairs how many
// of them twice. What depends on the number of rows is compared by studyRows of each
// side, of different portfolios, as the mean over studyDeals choices of them.
const (
	studyAsked = 2000
	studyPairs = 1000
	studyRows  = 1000
	studyDeals = 2
	fewestRows = 20
)

// StudyOrders asks a conditional model for the conditions of the held-out portfolios
// (M x n, with conditions M x k), at most 2,000, and compares what comes out with
// them: the scores of the orders come first, then, if the settings ask for them, those
// of rivals. Of the settings, seed and density count too. Training portfolios (N x n,
// N x k) serve the rivals; caps are loosened as in training. It returns a
// [*fidelity.TooFewRowsError] for fewer than 40 held-out portfolios.
func (g *Generator) StudyOrders(
	ctx context.Context, training, trainingTold, heldOut, heldOutTold *mat.Dense, donors *Donors,
	settings OrderSettings,
) ([]conditional.Score, error) {
	seed := settings.Seed
	held, _ := heldOut.Dims()
	if held < 2*fewestRows {
		return nil, &fidelity.TooFewRowsError{Sample: "the held-out sample", Rows: held, Need: 2 * fewestRows}
	}
	chosen := stream.New(seed, "generate.study.deal", 0).Perm(held)[:min(held, studyAsked)]
	s := &orderStudy{
		generator: g, conditions: g.model.Config().Conditions, donors: donors, density: settings.Density, seed: seed,
		known: known{training, g.model.Loosen(trainingTold, seed+1), conditional.NewScales(g.model)},
		real:  pickRows(heldOut, chosen),
		asked: g.model.Loosen(pickRows(heldOutTold, chosen), seed+2),
	}
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	var scores []conditional.Score
	for i, m := range s.makers() {
		if i == 2 && !settings.Rivals {
			break
		}
		score, err := s.score(ctx, m)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		scores = append(scores, *score)
	}
	return scores, nil
}

// orderStudy is a study under way.
type orderStudy struct {
	generator  *Generator
	conditions []vae.Condition // of the model
	donors     *Donors
	density    Density
	seed       uint64
	known      known
	real       *mat.Dense // held-out portfolios
	asked      *mat.Dense // their conditions, which are asked for
	near       [][]int    // training portfolios near to each row asked for
	pool       *mat.Dense // what the model makes without a wish, for rejection
	poolHave   *mat.Dense // what that has
	deviation  []float64  // of each condition
	scale      float64    // mean standard deviation of the weights
	apart      float64    // of real portfolios that have nearly the same conditions, squared
}

func (s *orderStudy) prepare(ctx context.Context) (err error) {
	if s.near, err = s.known.near(ctx, s.asked, neighbours); err != nil {
		return err
	}
	pool, err := s.generator.pool(ctx, s.donors, s.density, s.seed)
	if err != nil {
		return err
	}
	s.pool, s.poolHave = pool.Weights, s.donors.measured(pool.Weights)
	for j := range s.donors.Names {
		sd := stat.StdDev(mat.Col(nil, j, s.known.conditions), nil)
		if !(sd > 0) {
			sd = 1
		}
		s.deviation = append(s.deviation, sd)
	}
	_, n := s.known.weights.Dims()
	for j := range n {
		s.scale += stat.StdDev(mat.Col(nil, j, s.known.weights), nil) / float64(n)
	}
	s.apart = meanSquaredDistance(s.real, s.known.nearest(s.near))
	return nil
}

// meanSquaredDistance is that between rows of the same number.
func meanSquaredDistance(a, b *mat.Dense) (mean float64) {
	rows, _ := a.Dims()
	for i := range rows {
		mean += squaredDistance(a.RawRowView(i), b.RawRowView(i)) / float64(rows)
	}
	return mean
}

// maker is a way of making portfolios for the first rows asked for. The draw is
// the number of the attempt: two are independent as far as there is any chance.
type maker struct {
	name   string
	polish bool
	make   func(ctx context.Context, rows int, draw uint64) (*mat.Dense, error)
}

func (s *orderStudy) makers() []maker {
	orders := func(ctx context.Context, rows int, draw uint64) (*mat.Dense, error) {
		_, k := s.asked.Dims()
		asked := s.asked.Slice(0, rows, 0, k).(*mat.Dense)
		codes, err := s.generator.drawGiven(ctx, s.density, asked, stream.New(s.seed, "generate.study.codes", draw))
		if err != nil {
			return nil, err
		}
		return decode(ctx, s.generator.model, codes, asked)
	}
	nearest := func(_ context.Context, rows int, _ uint64) (*mat.Dense, error) {
		return s.known.nearest(s.near[:rows]), nil
	}
	between := func(_ context.Context, rows int, draw uint64) (*mat.Dense, error) {
		return s.known.between(s.near[:rows], stream.New(s.seed, "generate.study.between", draw)), nil
	}
	own := func(ctx context.Context, rows int, draw uint64) (*mat.Dense, error) {
		_, n := s.real.Dims()
		_, k := s.asked.Dims()
		asked := s.asked.Slice(0, rows, 0, k).(*mat.Dense)
		codes, err := s.generator.model.SampleCodes(ctx, s.real.Slice(0, rows, 0, n).(*mat.Dense), asked,
			stream.New(s.seed, "generate.study.own", draw))
		if err != nil {
			return nil, err
		}
		return decode(ctx, s.generator.model, codes, asked)
	}
	return []maker{
		{madeToOrder, true, orders},
		{madeUnpolished, false, orders},
		{"nearest training row", false, nearest},
		{"nearest training row, polished", true, nearest},
		{"two near training rows mixed", false, between},
		{"two near training rows mixed, polished", true, between},
		{"best of 1,000 draws of the model", false, s.rejection},
		{"held out, encoded and decoded, polished", true, own},
		{"held out", false, func(_ context.Context, rows int, draw uint64) (*mat.Dense, error) {
			if draw > 0 {
				return s.known.nearest(s.near[:rows]), nil
			}
			return s.real, nil
		}},
	}
}

// rejection takes, for each row asked for, the nearest of 1,000 draws.
func (s *orderStudy) rejection(ctx context.Context, rows int, draw uint64) (*mat.Dense, error) {
	rng := stream.New(s.seed, "generate.study.reject", draw)
	chosen := make([]int, rows)
	for i := range chosen {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		chosen[i] = bestOf(1000, rng, func(row int) float64 { return s.square(s.poolHave.RawRowView(row), i) })
	}
	return pickRows(s.pool, chosen), nil
}

// square is the squared miss by conditions (k) of what row i asks for, of those
// that have a measure.
func (s *orderStudy) square(have []float64, i int) (sum float64) {
	for j, v := range have {
		if !math.IsNaN(v) {
			d := miss(s.conditions[j].Cap, v, s.asked.At(i, j)) / s.deviation[j]
			sum += d * d
		}
	}
	return sum
}

// goals are what row i asks for, of the conditions that have a measure.
func (s *orderStudy) goals(i int) []polish.Goal {
	var goals []polish.Goal
	for j, c := range s.conditions {
		if m := s.donors.measure(j); m != nil {
			goal := polish.Goal{Measure: m, Lo: s.asked.At(i, j), Hi: s.asked.At(i, j), Scale: s.deviation[j]}
			if c.Cap {
				goal.Lo = math.Inf(-1)
			}
			goals = append(goals, goal)
		}
	}
	return goals
}

// portfolios are those of a maker, projected and polished.
func (s *orderStudy) portfolios(
	ctx context.Context, m maker, rows int, draw uint64,
) (weights *mat.Dense, moved []float64, err error) {
	made, err := m.make(ctx, rows, draw)
	if err != nil {
		return nil, nil, err
	}
	batch, err := s.generator.Project(ctx, made)
	if err != nil {
		return nil, nil, err
	}
	moved = make([]float64, rows)
	if m.polish {
		err = polish.All(ctx, s.generator.set, batch.Weights, s.goals, moved)
	}
	return batch.Weights, moved, err
}

func (s *orderStudy) score(ctx context.Context, m maker) (*conditional.Score, error) {
	rows, _ := s.asked.Dims()
	weights, moved, err := s.portfolios(ctx, m, rows, 0)
	if err != nil {
		return nil, err
	}
	pairs := min(rows, studyPairs)
	second, _, err := s.portfolios(ctx, m, pairs, 1)
	if err != nil {
		return nil, err
	}
	_, n := weights.Dims()
	first := weights.Slice(0, pairs, 0, n).(*mat.Dense)
	score := &conditional.Score{Name: m.name, Asked: rows, Misses: s.misses(weights), Moved: stat.Mean(moved, nil),
		Spread: math.Sqrt(meanSquaredDistance(first, second) / s.apart)}
	made, real := s.joint(weights), s.joint(s.real)
	if score.JointEnergy, score.JointEnergySE, err = fidelity.PairedEnergy(ctx, made, real); err != nil {
		return nil, err
	}
	memory, err := fidelity.MeasureMemorisation(ctx, s.known.weights, s.real, weights)
	if err != nil {
		return nil, err
	}
	score.Copies = float64(memory.Copies) / float64(rows)
	for deal := range uint64(studyDeals) {
		order := stream.New(s.seed, "generate.study.deal", 1+deal).Perm(rows)
		ours, theirs := order[:min(studyRows, rows/2)], order[max(rows-studyRows, rows-rows/2):]
		overlap, err := fidelity.MeasureOverlap(ctx, pickRows(real, theirs), pickRows(made, ours), 5)
		if err != nil {
			return nil, err
		}
		separation, err := fidelity.MeasureSeparation(ctx, pickRows(weights, ours), pickRows(s.real, theirs),
			s.seed+deal)
		if err != nil {
			return nil, err
		}
		score.Recall += overlap.Recall / studyDeals
		score.Coverage += overlap.Coverage / studyDeals
		score.AUC += separation.AUC / studyDeals
	}
	return score, nil
}

// misses are those of the conditions that have a measure.
func (s *orderStudy) misses(weights *mat.Dense) map[string]float64 {
	have := s.donors.measured(weights)
	rows, _ := weights.Dims()
	misses := map[string]float64{}
	for j, c := range s.conditions {
		if s.donors.measure(j) == nil {
			continue
		}
		for i := range rows {
			misses[c.Name] += miss(c.Cap, have.At(i, j), s.asked.At(i, j)) / s.deviation[j] / float64(rows)
		}
	}
	return misses
}

// joint puts weights beside the conditions asked for, as [conditional.Score] says.
func (s *orderStudy) joint(weights *mat.Dense) *mat.Dense {
	rows, n := weights.Dims()
	var joint *mat.Dense
	for i := range rows {
		row := slices.Clone(weights.RawRowView(i))
		for j := range row {
			row[j] /= s.scale * math.Sqrt(float64(n))
		}
		row = s.known.scales.Append(row, s.asked.RawRowView(i))
		for j := n; j < len(row); j++ {
			row[j] /= math.Sqrt(float64(len(row) - n))
		}
		if joint == nil {
			joint = mat.NewDense(rows, len(row), nil)
		}
		joint.SetRow(i, row)
	}
	return joint
}
