package trained

import (
	"encoding/json"
	"io"
	"path/filepath"
	"time"

	"vaefolio/vaelib/conditional"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/mixture"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/vae"
)

// Files that an export has beside networkFile and parametersFile.
const (
	decoderFile = "decoder.onnx"
	encoderFile = "encoder.onnx"
)

// The form of an export's model.json.
const (
	exportFormat  = "vaefolio-export"
	exportVersion = 1
)

// ExportFiles are the files that [Model.Export] writes.
func ExportFiles() []string { return []string{decoderFile, encoderFile, parametersFile, networkFile} }

// document is the model.json of an export. docs/model-folder.md describes it.
type document struct {
	Format      string              `json:"format"`
	Version     int                 `json:"version"`
	Symbols     []string            `json:"symbols"` // n
	Network     networkDocument     `json:"network"`
	Scaling     scalingDocument     `json:"scaling"`
	Conditions  []conditionDocument `json:"conditions"`
	Constraints *simplex.Set        `json:"constraints"`
	Densities   densities           `json:"densities"`
	Donors      *generate.Donors    `json:"donors,omitempty"`
	Market      *corpus.Market      `json:"market,omitempty"`
	Health      *Health             `json:"health,omitempty"`
	Training    trainingDocument    `json:"training"`
	Files       map[string]string   `json:"files"`
}

// networkDocument says how the tensors are put together.
type networkDocument struct {
	Assets     int     `json:"assets"` // n
	Latent     int     `json:"latent"` // d
	Hidden     []int   `json:"hidden"` // of the encoder; the decoder mirrors them
	Activation string  `json:"activation"`
	Head       string  `json:"head"`
	MaxWeight  float64 `json:"max_weight"` // of the capped head; 0 without
	Likelihood string  `json:"likelihood"`
	Outputs    int     `json:"outputs"` // of the decoder's last layer: n, or 2n with presence
	OfSet      bool    `json:"of_set"`  // the encoder is a graph alone, without tensors
}

// scalingDocument says how weights are standardised, (w - mean)/sqrt(variance), and
// how far portfolios are from what is decoded.
type scalingDocument struct {
	Mean             []float64 `json:"mean"`
	Variance         float64   `json:"variance"`
	DecoderVariances []float64 `json:"decoder_variances"` // n
}

// conditionDocument is a condition as a model is told it.
type conditionDocument struct {
	Name   string   `json:"name"`
	Kind   string   `json:"kind"` // number, cap or category
	Levels []string `json:"levels,omitempty"`
	Mean   float64  `json:"mean"` // of the training rows
	SD     float64  `json:"sd"`
}

// densities of codes, beside the prior N(0, I), which every model has.
type densities struct {
	Aggregate *mixture.Mixture `json:"aggregate"`
	// Conditional is a mixture of the codes and, behind them, the conditions: numbers
	// less their mean over their standard deviation, levels by an indicator each. It
	// is null for a model without conditions.
	Conditional *conditional.Mixture `json:"conditional"`
	// Neighbours is what a conditional model draws from: the posteriors of the training
	// portfolios and their conditions, in base64.
	Neighbours *conditional.Neighbours `json:"neighbours"`
}

// trainingDocument says what the model was learned from.
type trainingDocument struct {
	Config   vae.Config `json:"config"`
	DataHash string     `json:"data_hash"`
	To       *time.Time `json:"to"` // the end of the prices; null where it isn't known
}

// Export writes a model into a folder in forms that need nothing of this program:
// decoder and encoder as ONNX graphs, the parameters as safetensors, and all else
// as one JSON document, model.json, with the SHA-256 of the other files. The second
// stage is left out.
func (m *Model) Export(dir string) error {
	d := m.describe()
	return writeExport(dir, d, &d.Files, map[string]func(w io.Writer) error{
		decoderFile:    m.Network.DecoderONNX().Write,
		encoderFile:    m.Network.EncoderONNX().Write,
		parametersFile: m.Network.WriteTensors,
	})
}

// writeExport writes the files of an export and then its document, of which hashes is
// the part that has those of the files.
func writeExport(dir string, document any, hashes *map[string]string, parts map[string]func(w io.Writer) error) error {
	*hashes = map[string]string{}
	for name, write := range parts {
		path := filepath.Join(dir, name)
		if err := run.WriteFile(path, write); err != nil {
			return err
		}
		hash, err := run.HashFile(path)
		if err != nil {
			return err
		}
		(*hashes)[name] = hash
	}
	return run.WriteFile(filepath.Join(dir, networkFile), func(w io.Writer) error {
		return json.NewEncoder(w).Encode(document)
	})
}

// describe makes the document of an export, without the hashes of the files.
func (m *Model) describe() *document {
	config := m.Network.Config()
	d := &document{
		Format: exportFormat, Version: exportVersion, Symbols: m.Symbols(),
		Network: networkDocument{
			Assets: config.Assets, Latent: config.Latent, Hidden: config.Hidden, Activation: config.Activation,
			Head: config.Head, MaxWeight: config.MaxWeight, Likelihood: config.Likelihood, Outputs: m.Network.Outputs(),
			OfSet: m.Network.OfSet(),
		},
		Scaling: scalingDocument{
			Mean: m.Network.Mean(), Variance: m.Network.Variance(), DecoderVariances: m.Network.DecoderVariances(),
		},
		Conditions: []conditionDocument{}, Constraints: m.Set, Densities: densities{m.Aggregate, m.Given, m.Near},
		Donors: m.Donors, Market: m.Market, Health: m.Health,
		Training: trainingDocument{Config: config, DataHash: m.Network.DataHash()},
	}
	if d.Network.Hidden == nil {
		d.Network.Hidden = []int{}
	}
	for j, c := range config.Conditions {
		described := conditionDocument{Name: c.Name, Kind: "number", Levels: c.Levels}
		switch {
		case c.Cap:
			described.Kind = "cap"
		case len(c.Levels) > 0:
			described.Kind = "category"
		}
		described.Mean, described.SD = m.Network.ConditionScale(j)
		d.Conditions = append(d.Conditions, described)
	}
	if !m.TrainedTo.IsZero() {
		d.Training.To = &m.TrainedTo
	}
	return d
}
