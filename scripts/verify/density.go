package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"vaefolio/scripts/internal/timeless"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// checkMadeAgain makes what lies beside the network again, by the same code: of the
// many numbers of a mixture each by itself hardly moves what is made of it, and the
// study of orders takes more than a few lines.
func (f *folder) checkMadeAgain(ctx context.Context) error {
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
		return f.checkJudgedAgain(ctx)
	}
	files := []string{"config.toml", f.inModel("model.json"), f.inModel("model.safetensors")}
	made, err := recall(f, "made again", files, func() (map[string][]byte, error) { return f.makeAgain(ctx, l) })
	if err != nil {
		f.add(file, "made again", unchecked, nil, err.Error())
		return nil
	}
	delete(made, "neighbours.json") // recomputed by separate code
	for _, name := range slices.Sorted(maps.Keys(made)) {
		if err := f.sameBytes(f.inModel(name), made[name]); err != nil {
			return err
		}
	}
	return nil
}

// makeAgain returns the files of the model, but for those of its training.
func (f *folder) makeAgain(ctx context.Context, l *learned) (map[string][]byte, error) {
	backend, err := vae.Open(f.manifest.Backend)
	if err != nil {
		return nil, fmt.Errorf("the run was made on %s, which isn't here: %w", f.manifest.Backend, err)
	}
	defer backend.Close()
	network, err := vae.Load(backend, f.path(f.modelDir()))
	if err != nil {
		return nil, err
	}
	c := l.config
	options := trained.ReadOptions{Symbols: l.symbols, Conditions: c.Conditions, Conditioning: c.Conditioning,
		Validation: c.Validation, Seed: c.Seed}
	data, err := trained.ReadData(c.Weights, options)
	if err != nil {
		return nil, err
	}
	settings := trained.Settings{Config: network.Config(), Schedule: c.Schedule, Components: c.Components,
		Done: &trained.Training{Network: network, History: &vae.History{}}}
	if f.manifest.Verb == "sweep" { // whose models are many, and looked at less
		settings.Codes, settings.NoStudy = 100*c.Components, true
	}
	made, err := written(func(dir string) error {
		model, _, err := trained.Make(ctx, backend, data, settings, dir, trained.Reports{})
		if err != nil || f.manifest.Verb != "train" || data.HeldOut == nil {
			return err
		}
		judged, err := model.Diagnose(ctx, data, c.Seed)
		if err != nil {
			return err
		}
		return run.WriteJSON(filepath.Join(dir, "diagnostics.json"), judged)
	})
	delete(made, ".lock")
	return made, err
}

// checkJudgedAgain fits the codes of a model over sets and judges it again, by the same
// code, and the model that it went on from.
func (f *folder) checkJudgedAgain(ctx context.Context) error {
	t, err := f.setTraining()
	if err != nil {
		return err
	}
	made, err := recall(f, "judged again", []string{"config.toml", setFile}, func() (map[string][]byte, error) {
		return f.judgeAgain(ctx, t)
	})
	if err != nil {
		f.add("diagnostics.json", "judged again", unchecked, nil, err.Error())
		return nil
	}
	for _, file := range slices.Sorted(maps.Keys(made)) {
		got, err := f.read(file)
		if err != nil {
			return err
		}
		f.equal(file, "made again", timeless.Equal(file, got, made[file]), true)
	}
	return nil
}

func (f *folder) judgeAgain(ctx context.Context, t *setTraining) (map[string][]byte, error) {
	backend, err := vae.Open(f.manifest.Backend)
	if err != nil {
		return nil, fmt.Errorf("the run was made on %s, which isn't here: %w", f.manifest.Backend, err)
	}
	defer backend.Close()
	model, err := trained.OpenSet(backend, f.dir)
	if err != nil {
		return nil, err
	}
	examples, _, err := trained.ReadExamples(t.config.Corpus)
	if err != nil {
		return nil, err
	}
	var judged struct {
		Before *trained.SetDiagnosis `json:"before,omitempty"`
		*trained.SetDiagnosis
	}
	if t.config.From != "" {
		from, err := trained.OpenSet(backend, t.config.from())
		if err != nil {
			return nil, err
		}
		if judged.Before, err = from.Judge(ctx, examples, t.config.Seed, nil); err != nil {
			return nil, err
		}
	}
	if err := model.Fit(ctx, examples, t.config.Seed, nil); err != nil {
		return nil, err
	}
	if judged.SetDiagnosis, err = model.Judge(ctx, examples, t.config.Seed, nil); err != nil {
		return nil, err
	}
	return written(func(dir string) error {
		return errors.Join(run.WriteJSON(filepath.Join(dir, "diagnostics.json"), judged),
			run.WriteJSON(filepath.Join(dir, "aggregate.json"), model.Aggregate))
	})
}

// from is the folder of the model that a training went on from; "" is the built-in one.
func (c *trainConfig) from() string {
	if c.From == "built-in" {
		return ""
	}
	return c.From
}
