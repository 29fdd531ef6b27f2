package trained

import (
	"io"

	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

// universeFile is the graph that writes a decoder for a universe, beside those of
// [ExportFiles].
const universeFile = "universe.onnx"

// The form of the model.json of a model over sets, which is another than that of a
// model of one universe.
const (
	setExportFormat  = "vaefolio-set-export"
	setExportVersion = 1
)

// ExportFiles are the files that [SetModel.Export] writes.
func (*SetModel) ExportFiles() []string { return append(ExportFiles(), universeFile) }

// setDocument is the model.json of the export of a model over sets.
// docs/model-folder.md describes it.
type setDocument struct {
	Format    string              `json:"format"`
	Version   int                 `json:"version"`
	Network   setNetworkDocument  `json:"network"`
	Features  featuresDocument    `json:"features"`
	Densities densities           `json:"densities"`
	Training  setTrainingDocument `json:"training"`
	Files     map[string]string   `json:"files"`
}

// setNetworkDocument says how the tensors are put together.
type setNetworkDocument struct {
	Latent int     `json:"latent"` // d
	Width  int     `json:"width"`  // H
	Heads  int     `json:"heads"`
	Blocks int     `json:"blocks"`
	Scale  float64 `json:"scale"` // the variance of a weight is scale (cap - 1/n)/n
}

// featuresDocument says what the network is told.
type featuresDocument struct {
	Assets   []universe.Feature `json:"assets"`
	Universe []universe.Feature `json:"universe"`
	Asked    []universe.Feature `json:"asked,omitempty"` // of a conditional model
}

// setTrainingDocument says what the model was learned from.
type setTrainingDocument struct {
	Config   vae.SetConfig `json:"config"`
	DataHash string        `json:"data_hash"`
}

// Export writes the model, for any universe, into a folder in forms that need nothing
// of this program, as [Model.Export] does that of one.
func (m *SetModel) Export(dir string) error {
	c := m.Network.Config()
	d := setDocument{
		Format: setExportFormat, Version: setExportVersion,
		Network: setNetworkDocument{Latent: c.Latent, Width: c.Width, Heads: c.Heads, Blocks: c.Blocks,
			Scale: m.Network.Scale()},
		Densities: densities{Aggregate: m.Aggregate},
		Training:  setTrainingDocument{Config: c, DataHash: m.Network.DataHash()},
	}
	d.Features.Assets, d.Features.Universe = universe.Schema()
	if c.Conditional {
		assets, asked := universe.AskedSchema()
		d.Features.Assets, d.Features.Asked = append(d.Features.Assets, assets...), asked
	}
	return writeExport(dir, &d, &d.Files, map[string]func(w io.Writer) error{
		universeFile:   m.Network.UniverseONNX().Write,
		decoderFile:    m.Network.DecoderONNX().Write,
		encoderFile:    m.Network.EncoderONNX().Write,
		parametersFile: m.Network.WriteTensors,
	})
}
