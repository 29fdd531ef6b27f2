package main

import (
	"context"

	"gonum.org/v1/gonum/floats"

	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
)

// Styles are the flags of the search for styles.
type Styles struct {
	Clusters int `flag:"clusters" range:"[2,1000]" help:"the number of styles to look for"`
}

// styles finds styles among the portfolios given, and makes the portfolios
// between them.
func (j *job) styles(ctx context.Context) (*made, error) {
	in, out, err := j.split()
	if err != nil {
		return nil, err
	}
	sectors, err := j.sectors()
	if err != nil {
		return nil, err
	}
	study, err := j.generator.StudyStyles(ctx, generate.Input{
		Returns: in.Returns, Metrics: j.settings, Known: j.given.Weights, Seed: j.Seed, Progress: j.io.Progress,
	}, out.Returns, sectors, j.Clusters)
	if err != nil {
		return nil, err
	}
	for _, s := range study.Clusterings {
		j.io.Note("%s: stability %.3f, in data without clusters %.3f on average, p-value %.2f", s.Method,
			s.Stability, floats.Sum(s.NullStability)/float64(len(s.NullStability)), s.PValue)
	}
	j.record.Styles = study
	return &made{
		batch: study.Batch, figures: study.Figures, tables: map[string]*run.Table{stylesFile: study.Labels()},
	}, nil
}

// sectors are each symbol's shares of the sectors that any of them is in.
func (j *job) sectors() (map[string][]float64, error) {
	sectors, err := j.SectorsOf(j.symbols)
	if err != nil || sectors == nil {
		return nil, err
	}
	shares := map[string][]float64{}
	for _, name := range sectors.Names {
		if share, err := sectors.Shares(name, j.symbols); err == nil { // else none of the symbols is in it
			shares[portfolio.SectorPrefix+name] = share
		}
	}
	return shares, nil
}
