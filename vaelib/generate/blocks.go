package generate

import (
	"context"
	"fmt"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/stream"
)

// Block is a part of a long sample.
type Block struct {
	From    int               // row of the whole sample that the first row of the block is
	Batch                     // of up to StreamSettings.Rows portfolios
	Figures []metrics.Figures // one a row; nil without an evaluator
}

// StreamSettings steers [Generator.Stream]. Zero values stand for the defaults
// named below.
type StreamSettings struct {
	Rows      int                // portfolios a block; default 4,096, rounded up to a multiple of 1,024
	Evaluator *metrics.Evaluator // scores every portfolio; nil: none is scored
	Seed      uint64
	Progress  func(done, total int, note string) // total is the number of portfolios; nil: no reports
}

// Stream draws n portfolios from a density of codes as [Generator.Sample] does,
// the same rows for the same seed, but hands them over in blocks, in order, so
// that memory does not grow with n. The block is the caller's until yield
// returns; its Figures are used again after that. An error of yield ends the
// work and is returned.
func (g *Generator) Stream(
	ctx context.Context, n int, density Density, settings StreamSettings, yield func(*Block) error,
) error {
	s := settings
	if s.Rows == 0 {
		s.Rows = 4096
	}
	if n < 1 || s.Rows < 1 {
		return fmt.Errorf("%d portfolios in blocks of %d: ask for at least 1", n, s.Rows)
	}
	if s.Evaluator != nil && s.Evaluator.Assets() != g.set.N {
		return &metrics.AssetsError{Got: g.set.N, Want: s.Evaluator.Assets()}
	}
	s.Rows = roundUp(s.Rows, decodeRows)
	rng := stream.New(s.Seed, "generate.sample", 0)
	var figures []metrics.Figures
	if s.Evaluator != nil {
		figures = make([]metrics.Figures, min(n, s.Rows))
	}
	for from := 0; from < n; from += s.Rows {
		rows := min(s.Rows, n-from)
		codes, err := g.draw(ctx, rows, density, rng)
		if err != nil {
			return err
		}
		batch, err := g.Decode(ctx, codes)
		if err != nil {
			return err
		}
		block := &Block{From: from, Batch: *batch}
		if s.Evaluator != nil {
			block.Figures = figures[:rows]
			if err := s.Evaluator.EvaluateAll(ctx, batch.Weights, block.Figures); err != nil {
				return err
			}
		}
		if err := yield(block); err != nil {
			return err
		}
		if s.Progress != nil {
			s.Progress(from+rows, n, "")
		}
	}
	return nil
}
