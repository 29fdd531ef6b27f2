// Command export writes a model in forms that other programs read.
package main

import (
	"context"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

type config struct {
	Model string `flag:"model" unit:"DIR" required:"true" help:"the folder of the model, as train or pipeline has written it"`
	cli.Output
	Quiet  bool   `flag:"quiet" record:"-" help:"print no progress and no messages, only errors"`
	Config string `flag:"config" unit:"FILE" record:"-" help:"a TOML file with values for flags, whose keys are their names; flags overrule it"`
}

var verb = cli.Verb[config]{
	Name:    "export",
	Summary: "write a model for other programs: ONNX, safetensors and JSON",
	Example: `export -model runs/model -out runs/export
export -model runs/pipeline -out export    # a pipeline's model
python3 -c 'import vaefolio_reader as v; print(v.load("export").sample(5))'    # with PYTHONPATH=python`,
	Run: export,
}

func main() { cli.Main(verb) }

func export(_ context.Context, c *config, io *cli.IO) error {
	if c.Out == "" {
		return cli.Usagef("no folder for the export: give -out")
	}
	backend, err := vae.Open("go") // nothing is computed
	if err != nil {
		return err
	}
	defer backend.Close()
	model, err := trained.Open(backend, c.Model)
	if err != nil {
		return err
	}
	hash, err := model.Hash()
	if err != nil {
		return err
	}
	if model.Second != nil {
		io.Note("the second VAE of the codes (-density two-stage) is not exported: the mixture of their normals is")
	}
	folder, err := run.Open(c.Out, run.Spec{
		Verb: "export", Config: io.Config(), Data: hash, Backend: backend.Name(),
		Outputs: trained.ExportFiles(),
	}, c.Force)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := model.Export(folder.Dir()); err != nil {
		return err
	}
	io.Note("%d assets, %d dimensions, %d conditions: %s", len(model.Symbols()), model.Network.Config().Latent,
		len(model.Network.Config().Conditions), c.Out)
	return folder.Finish()
}
