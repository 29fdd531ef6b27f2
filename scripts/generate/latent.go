package main

import (
	"context"
	"time"

	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/run"
)

// climb searches the latent space.
func (j *job) climb(ctx context.Context) (*made, error) {
	density, err := j.density()
	if err != nil {
		return nil, err
	}
	count := j.count(10)
	in := generate.Input{Returns: j.window.Returns, Metrics: j.settings, Starts: density, Seed: j.Seed,
		Progress: j.io.Progress}
	if j.given != nil {
		in.Known = j.given.Weights
	}
	s, err := j.generator.Search(ctx, in, j.Latent.For(count))
	if err != nil {
		return nil, err
	}
	j.record.Search = s
	label := s.Objective
	switch label {
	case metrics.MinimizeVolatility, metrics.MinimizeCVaR, metrics.MinimizeDrawdown:
		label = "minus " + label // which the search makes large
	}
	best := s.Optimum.Values[s.Optimum.Best]
	j.io.Note("%s: %.6g by latent search, stopped by %s after %d iterations, %d evaluations, in %v; |z| %.2f",
		label, best, s.Stop, len(s.Optimum.Trace), s.Evaluations, s.Elapsed.Round(time.Microsecond), s.Length)
	if s.Bound != nil {
		j.io.Note("%s: %.6g by convex optimisation, the bound", label, *s.Bound)
	} else {
		j.io.Note("no bound: %s", s.BoundMissing)
	}
	j.io.Note("%s: %v", label, s.Ascent)
	for _, r := range s.Rivals {
		j.io.Note("%s: %.6g, %s, %d draws", label, r.Value, r.Name, s.Evaluations)
	}
	top, values := s.Optimum.Top(count)
	m := &made{batch: top, values: values}
	if swept := s.Swept(); swept != nil {
		m.tables = map[string]*run.Table{radiiFile: swept}
	}
	return m, nil
}
