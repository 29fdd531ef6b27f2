package generate

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"vaefolio/vaelib/mixture"
	"vaefolio/vaelib/vae"
)

// Names of the densities that [LoadDensity] knows.
const (
	DensityAggregate = "aggregate" // the Gaussian mixture fitted to the codes of the training portfolios
	DensityPrior     = "prior"     // N(0, I)
	DensityTwoStage  = "two-stage" // the second VAE fitted to them
)

// LoadDensity returns a density of a model's codes by its name, from the folder
// that the model lies in.
func LoadDensity(model *vae.Model, dir, name string) (Density, error) {
	switch name {
	case DensityPrior:
		return Prior{}, nil
	case DensityAggregate:
		path := filepath.Join(dir, AggregateFile)
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("%w: train the model by the train verb, or draw from the prior", err)
		}
		var m mixture.Mixture
		if err := json.Unmarshal(text, &m); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if d := model.Config().Latent; m.Dim() != d {
			return nil, fmt.Errorf("%s: a mixture of %d dimensions for codes of %d", path, m.Dim(), d)
		}
		return &m, nil
	case DensityTwoStage:
		t, err := LoadTwoStage(model.Backend(), filepath.Join(dir, TwoStageFolder))
		if err != nil {
			return nil, fmt.Errorf("%w: train the model by the train verb with -two-stage, or draw from another density", err)
		}
		return t, nil
	}
	return nil, fmt.Errorf("unknown density %q: choose %s, %s or %s", name, DensityAggregate, DensityPrior, DensityTwoStage)
}
