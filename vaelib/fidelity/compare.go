package fidelity

import (
	"context"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/stream"
)

// Candidate is a sample of portfolios, and what made it.
type Candidate struct {
	Name    string
	Weights *mat.Dense // N x n
}

// Row holds all scores of one candidate.
type Row struct {
	Name         string
	Overlap      Overlap
	Test         TwoSample // a is the candidate, b the real sample
	Memorisation Memorisation
	Dispersion   Dispersion
	Separation   Separation // of the candidate from the real sample
}

// Settings of [Compare]. A field that is zero means its default.
type Settings struct {
	Neighbours   int                                // k of the overlap; default 5
	Rows         int                                // of each sample, at most; default 5,000
	Permutations int                                // of the tests; default 199
	Seed         uint64                             // of the split, the choice of rows and the permutations
	Progress     func(done, total int, note string) // may be nil; one call at a time
}

// EnsureDefaults replaces each field that is zero by its default.
func (s *Settings) EnsureDefaults() {
	if s.Neighbours == 0 {
		s.Neighbours = 5
	}
	if s.Rows == 0 {
		s.Rows = 5000
	}
	if s.Permutations == 0 {
		s.Permutations = defaultPermutations
	}
}

// Validate returns an error that names the first field that makes no sense.
func (s Settings) Validate() error {
	if s.Neighbours < 1 || s.Rows < 1 {
		return fmt.Errorf("%d nearest neighbours among at most %d rows: both must be positive", s.Neighbours, s.Rows)
	}
	return checkPermutations(s.Permutations)
}

// Floor is the name of the first row of [Compare].
const Floor = "held out"

// Compare judges candidates against real portfolios that no generator has
// seen, like with like. The held-out rows (H x n) are dealt at random into two
// halves. The first half is the real sample of every score; the second is the
// first row of the table, named [Floor]: what a perfect generator would get.
// All samples have the same number of rows, the smallest of the half, the
// candidates and the limit in the settings, drawn without replacement. The
// kernel's bandwidth is the median distance between training rows (T x n), so
// that the discrepancies of all rows compare. The rows after the first are in
// the order of the candidates.
//
// Candidates should have passed the same projection as the real portfolios,
// or tests can tell them apart by a negative weight alone. Where the held-out
// rows come from a later time than the training rows, no generator reaches the
// floor: the training rows themselves, as a candidate, show by how much.
//
// It returns a [*TooFewRowsError] where a sample has k rows or fewer, errors
// that name the sample and its row for NaN or Inf, an error where no two
// training or held-out rows differ, and the context's error when that ends
// first.
func Compare(ctx context.Context, training, heldOut *mat.Dense, candidates []Candidate, s Settings) ([]Row, error) {
	s.EnsureDefaults()
	if err := s.Validate(); err != nil {
		return nil, err
	}
	c, err := newComparison(training, heldOut, candidates, s)
	if err != nil {
		return nil, err
	}
	if c.heldDistances, err = nearestDistances(ctx, c.training, c.real); err != nil {
		return nil, err
	}
	rows := make([]Row, 0, len(c.candidates))
	for i, candidate := range c.candidates {
		c.report(i, candidate.name)
		row, err := c.row(ctx, candidate)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	c.report(len(c.candidates), "compared")
	return rows, nil
}

// comparison is what all rows of a table share.
type comparison struct {
	settings      Settings
	test          TestSettings
	training      *index
	real          sample
	heldDistances []float64 // of the real rows to the training rows
	candidates    []namedSample
}

type namedSample struct {
	name string
	sample
}

func newComparison(training, heldOut *mat.Dense, candidates []Candidate, s Settings) (*comparison, error) {
	need := s.Neighbours + 1
	t, held, err := newSamples("the training sample", training, "the held-out sample", heldOut, 2*need)
	if err != nil {
		return nil, err
	}
	rows := min(s.Rows, held.n/2)
	given := make([]namedSample, 0, len(candidates))
	for _, candidate := range candidates {
		x, err := newSample(candidate.Name, candidate.Weights, need)
		if err != nil {
			return nil, err
		}
		if err := sameColumns(candidate.Name, x, "the held-out sample", held); err != nil {
			return nil, err
		}
		rows = min(rows, x.n)
		given = append(given, namedSample{candidate.Name, x})
	}
	if rows < need {
		return nil, &TooFewRowsError{Sample: "each sample", Rows: rows, Need: need}
	}
	c := &comparison{settings: s, training: newIndex(t), test: TestSettings{Permutations: s.Permutations, Seed: s.Seed}}
	if c.test.Bandwidth, err = medianDistance(t, s.Seed); err != nil {
		return nil, fmt.Errorf("the training sample: %w", err)
	}
	deal := stream.New(s.Seed, "fidelity.halves", 0).Perm(held.n)
	c.real = held.take(deal[:rows])
	c.candidates = append(c.candidates, namedSample{Floor, held.take(deal[rows : 2*rows])})
	for i, x := range given {
		if x.n > rows {
			x.sample = x.take(stream.New(s.Seed, "fidelity.rows", uint64(i)).Perm(x.n)[:rows])
		}
		c.candidates = append(c.candidates, x)
	}
	return c, nil
}

// row computes all scores of one candidate.
func (c *comparison) row(ctx context.Context, x namedSample) (Row, error) {
	row := Row{Name: x.name}
	var err error
	if row.Overlap, err = overlap(ctx, c.real, x.sample, c.settings.Neighbours); err != nil {
		return Row{}, err
	}
	if row.Test, err = distinguish(ctx, x.sample, c.real, c.test); err != nil {
		return Row{}, err
	}
	if row.Memorisation, err = memorisation(ctx, c.training, slices.Clone(c.heldDistances), x.sample); err != nil {
		return Row{}, err
	}
	if row.Separation, err = separation(ctx, x.sample, c.real, c.settings.Seed); err != nil {
		return Row{}, err
	}
	row.Dispersion, err = dispersion(x.sample, c.real)
	return row, err
}

func (c *comparison) report(done int, note string) {
	if c.settings.Progress != nil {
		c.settings.Progress(done, len(c.candidates), note)
	}
}
