package main

import (
	"bytes"
	"context"
	"io"

	"vaefolio/vaelib/generate"
)

// detailed is the number of portfolios up to which the provenance
// lists each of them. A longer list follows from seed, model and density.
const detailed = 100_000

// sample draws portfolios and writes them as they come, so that memory doesn't
// grow with their number.
func (j *job) sample(ctx context.Context) (*made, error) {
	density, err := j.density()
	if err != nil {
		return nil, err
	}
	n := j.count(1000)
	settings := generate.StreamSettings{Seed: j.Seed, Progress: j.io.Progress("portfolios")}
	return &made{csv: func(w io.Writer) error {
		return j.generator.Stream(ctx, n, density, settings, func(b *generate.Block) error {
			p, err := j.portfolios(&made{batch: &b.Batch}, b.From, n)
			if err != nil {
				return err
			}
			if b.From > 0 {
				return p.WriteCSV(&headless{to: w})
			}
			return p.WriteCSV(w)
		})
	}}, nil
}

// headless is a writer that drops the first line.
type headless struct {
	to      io.Writer
	started bool
}

func (h *headless) Write(text []byte) (int, error) {
	rest := text
	if !h.started {
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			return len(text), nil
		}
		h.started, rest = true, text[end+1:]
	}
	if len(rest) == 0 {
		return len(text), nil
	}
	n, err := h.to.Write(rest)
	return len(text) - len(rest) + n, err
}
