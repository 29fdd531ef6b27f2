package main

import (
	"context"
	"fmt"

	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/metrics"
)

// Interpolation are the flags of the way between two portfolios.
type Interpolation struct {
	FromWeights string `flag:"from-weights" unit:"FILE" only:"mode=interpolate|styles|outcomes or radii" help:"a CSV of weights: the two ends of the way (its first two rows), or the portfolios to sort into styles, to simulate, or to tell the distance of -radii from"`
	Path        string `flag:"path" choice:"linear|spherical|weights" default:"linear" only:"mode=interpolate" help:"the way between the two ends: linear and spherical go through the latent space, weights goes between the weights themselves, as a control"`
}

// pathRecord says from where to where.
type pathRecord struct {
	Path    string            `json:"path"`
	Ends    []string          `json:"ends"`
	Courses []generate.Course `json:"courses,omitempty"` // of all three paths, where prices were given
}

func (j *job) interpolate(ctx context.Context) (*made, error) {
	if j.given.Len() < 2 {
		return nil, fmt.Errorf("%s: one portfolio: an interpolation needs two, its ends", j.FromWeights)
	}
	a, b := j.given.Weights.RawRowView(0), j.given.Weights.RawRowView(1)
	steps := j.count(11)
	batch, err := j.generator.Interpolate(ctx, a, b, steps, generate.Path(j.Path))
	if err != nil {
		return nil, err
	}
	j.record.pathRecord = &pathRecord{Path: j.Path, Ends: []string{j.given.ID(0), j.given.ID(1)}}
	m := &made{batch: batch}
	if j.window == nil {
		return m, nil
	}
	evaluator, err := metrics.NewEvaluator(j.window.Returns, j.settings)
	if err != nil {
		return nil, err
	}
	courses, err := j.generator.Courses(ctx, a, b, steps, evaluator, nil)
	if err != nil {
		return nil, err
	}
	j.record.Courses = courses
	for _, c := range courses {
		j.io.Note("%s: detour %.3f, bend %.3f, %.2f effective assets (least %.2f), volatility %.4f (largest %.4f)",
			c.Path,
			c.Detour, c.Bend,
			c.MeanEffectiveAssets, c.LeastEffectiveAssets, c.MeanVolatility, c.LargestVolatility)
		if c.Path == generate.Path(j.Path) {
			m.figures = c.Figures
		}
	}
	return m, nil
}
