package main

import (
	"context"

	"vaefolio/vaelib/generate"
)

// climb searches the latent space.
func (j *job) climb(ctx context.Context) (*made, error) {
	density, err := j.density()
	if err != nil {
		return nil, err
	}
	count := j.count(10)
	settings := j.Latent
	settings.Starts = max(settings.Starts, count)
	in := generate.Input{Returns: j.window.Returns, Metrics: j.settings, Starts: density, Seed: j.Seed,
		Progress: j.io.Progress}
	if j.given != nil {
		in.Known = j.given.Weights
	}
	s, err := j.generator.Search(ctx, in, settings)
	if err != nil {
		return nil, err
	}
	j.record.Search = s
	best := s.Optimum.Values[s.Optimum.Best]
	j.io.Note("%s: %.6g by latent search, stopped by %s after %d iterations", s.Objective, best, s.Stop,
		len(s.Optimum.Trace))
	if s.Bound != nil {
		j.io.Note("%s: %.6g by convex optimisation, the bound", s.Objective, *s.Bound)
	} else {
		j.io.Note("no bound: %s", s.BoundMissing)
	}
	for _, r := range s.Rivals {
		j.io.Note("%s: %.6g, %s, %d draws", s.Objective, r.Value, r.Name, s.Evaluations)
	}
	top, values := s.Optimum.Top(count)
	m := &made{batch: top, values: values}
	if len(s.Radii) > 0 {
		m.tables = map[string]table{"radii.csv": radii(s.Radii)}
	}
	return m, nil
}

// radii is what each radius of the search buys and costs.
func radii(points []generate.Realism) table {
	t := table{header: []string{"radius", "prior_inside", "value", "length", "prior_beyond", "log_prior",
		"repair_distance"}}
	if points[0].Nearest != nil {
		t.header = append(t.header, "nearest_given")
	}
	for _, p := range points {
		row := []float64{p.Radius, p.Inside, p.Value, p.Length, p.Beyond, p.LogPrior, p.Repair}
		if p.Nearest != nil {
			row = append(row, *p.Nearest)
		}
		t.rows = append(t.rows, row)
	}
	return t
}
