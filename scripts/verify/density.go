package main

import (
	"context"
	"encoding/json"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/conditional"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/vae"
)

// checkDensity fits the mixture of codes again, by the same code: of its many numbers
// each by itself hardly moves what is made of it.
func (f *folder) checkDensity(ctx context.Context) error {
	l, err := f.learned()
	if err != nil {
		return err
	}
	file := f.inModel("aggregate.json")
	if f.has(ruleFile) {
		f.equal(file, "of a rule, which has no codes", f.has(file), false)
		return nil
	}
	if l == nil {
		f.add(file, "mixture", unchecked, nil, "that of a model over sets is not fitted again")
		return nil
	}
	files := []string{"config.toml", f.inModel("model.json"), f.inModel("model.safetensors")}
	made, err := recall(f, "density", files, func() (map[string][]byte, error) { return f.fitAgain(ctx, l) })
	if err != nil {
		f.add(file, "fitted again", unchecked, nil, err.Error())
		return nil
	}
	for name, want := range made {
		got, err := f.read(name)
		if err != nil {
			return err
		}
		f.equal(name, "fitted again", sameJSON(got, want), true)
	}
	return nil
}

// fitAgain returns the files of the densities.
func (f *folder) fitAgain(ctx context.Context, l *learned) (map[string][]byte, error) {
	backend, err := vae.Open(f.manifest.Backend)
	if err != nil {
		return nil, fmt.Errorf("the run was made on %s, which isn't here: %w", f.manifest.Backend, err)
	}
	defer backend.Close()
	network, err := vae.Load(backend, f.path(f.modelDir()))
	if err != nil {
		return nil, err
	}
	count := len(l.rows.training)
	if f.manifest.Verb == "sweep" { // whose mixtures are coarser
		count = min(count, 100*l.config.Components)
	}
	seed, training := l.config.Seed, dense(evenly(l.rows.training, count))
	made := map[string][]byte{}
	add := func(name string, density any) error {
		text, err := json.Marshal(density)
		made[f.inModel(name)] = text
		return err
	}
	if !l.conditional {
		m, err := generate.FitAggregate(ctx, network, training,
			generate.AggregateSettings{Components: l.config.Components, Seed: seed})
		if err != nil {
			return nil, err
		}
		return made, add("aggregate.json", m)
	}
	m, err := conditional.Fit(ctx, network, training, conditional.Settings{Components: l.config.Components,
		Conditions: dense(evenly(l.told.training, count)), Seed: seed})
	if err != nil {
		return nil, err
	}
	if err := add("conditional.json", m); err != nil {
		return nil, err
	}
	return made, add("aggregate.json", m.Codes())
}

func dense(rows [][]float64) *mat.Dense {
	m := mat.NewDense(len(rows), len(rows[0]), nil)
	for i, row := range rows {
		m.SetRow(i, row)
	}
	return m
}
