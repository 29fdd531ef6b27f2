// Command export writes a model in forms that other programs read.
package main

import (
	"context"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

type config struct {
	Model               string `flag:"model" unit:"DIR" help:"the folder of the model, as train or pipeline has written it; a model over sets of assets is placed in the assets of -prices, and without -model the built-in one of these"`
	Universe            string `flag:"universe" choice:"given|any" default:"given" help:"the assets that a model over sets is exported for: given are those of -prices, and with any the program that reads the export places it in assets of its own"`
	cli.Prices          `only:"universe=given and prices or universe=given and !model"`
	cli.KeptConstraints `title:"Constraints" only:"universe=given"`
	cli.Output          `title:"Common"`
	Quiet               bool   `flag:"quiet" record:"-" help:"print no progress and no messages, only errors"`
	Config              string `flag:"config" unit:"FILE" record:"-" help:"a TOML file with values for flags, whose keys are their names; flags overrule it"`
}

var verb = cli.Verb[config]{
	Name:    "export",
	Summary: "write a model for other programs: ONNX, safetensors and JSON",
	Example: `export -model runs/model -out runs/export
export -model runs/pipeline -out export    # a pipeline's model
export -prices prices.csv -max-weight 0.25 -out export    # the built-in model over sets, for these assets
export -universe any -out export    # the same for any assets
python3 -c 'import vaefolio_reader as v; print(v.load("export").sample(5))'    # with PYTHONPATH=python`,
	Run: export,
}

func main() { cli.Main(verb) }

// Validate refuses sectors without a cap.
func (c *config) Validate() error { return c.CheckSectors() }

func export(_ context.Context, c *config, io *cli.IO) error {
	if c.Out == "" {
		return cli.Usagef("no folder for the export: give -out")
	}
	if err := c.Output.Usable(run.Spec{Verb: "export", Config: io.Config()}); err != nil {
		return err
	}
	backend, err := vae.Open("go") // nothing is computed
	if err != nil {
		return err
	}
	defer backend.Close()
	if c.Universe == "any" {
		return c.exportSet(backend, io)
	}
	model, window, err := c.open(backend, io)
	if err != nil {
		return err
	}
	data, err := model.Hash()
	if err != nil {
		return err
	}
	if window != nil {
		data = run.Hash([]byte(data), []byte(window.Hash()))
	}
	if model.Second != nil {
		io.Note("the second VAE of the codes (-density two-stage) is not exported: the mixture of their normals is")
	}
	if err := c.write(backend, io, data, trained.ExportFiles(), model.Export); err != nil {
		return err
	}
	io.Note("%d assets, %d dimensions, %d conditions: %s", len(model.Symbols()), model.Network.Config().Latent,
		len(model.Network.Config().Conditions), c.Out)
	return nil
}

// exportSet exports a model over sets of assets for any universe.
func (c *config) exportSet(backend *vae.Backend, io *cli.IO) error {
	over, err := trained.OverSets(c.Model)
	if err != nil {
		return err
	}
	if !over {
		return cli.Usagef("%s has assets of its own: leave out -universe any, for models over sets", c.Model)
	}
	model, err := trained.OpenSet(backend, c.Model)
	if err != nil {
		return err
	}
	if err := c.write(backend, io, model.Hash(), model.ExportFiles(), model.Export); err != nil {
		return err
	}
	io.Note("%s, over sets of assets, for any of them, %d dimensions: %s", model.Name, model.Network.Config().Latent,
		c.Out)
	return nil
}

// write writes an export's folder, whose files export does.
func (c *config) write(backend *vae.Backend, io *cli.IO, data string, files []string, export func(dir string) error,
) error {
	folder, err := run.Open(c.Out, run.Spec{
		Verb: "export", Config: io.Config(), Data: data, Backend: backend.Name(), Outputs: files,
	}, c.Force)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := export(folder.Dir()); err != nil {
		return err
	}
	return folder.Finish()
}

// open opens the model, of which the constraints are kept unless flags say otherwise.
// It also returns the returns that a model over sets was placed in.
func (c *config) open(backend *vae.Backend, io *cli.IO) (*trained.Model, *market.Window, error) {
	over, err := trained.OverSets(c.Model)
	if err != nil {
		return nil, nil, err
	}
	if over {
		return c.place(backend, io)
	}
	if c.Prices.Prices != "" {
		return nil, nil, cli.Usagef("%s has assets of its own: leave out -prices, for models over sets", c.Model)
	}
	model, err := trained.Open(backend, c.Model)
	if err != nil {
		return nil, nil, err
	}
	set, err := c.KeptConstraints.Set(io, model.Symbols(), model.Set)
	model.Set = &set
	return model, nil, err
}

// place opens a model over sets of assets, and places it in the assets of the
// prices as generate does.
func (c *config) place(backend *vae.Backend, io *cli.IO) (*trained.Model, *market.Window, error) {
	over, err := trained.OpenSet(backend, c.Model)
	if err != nil {
		return nil, nil, err
	}
	data, err := c.Prices.Load(io)
	if err != nil {
		return nil, nil, err
	}
	window := data.Window.Choose(universe.Order(data.Window.Symbols))
	set, err := c.KeptConstraints.Set(io, window.Symbols, &simplex.Set{N: len(window.Symbols)})
	if err != nil {
		return nil, nil, err
	}
	model, err := over.Place(window, set)
	if err != nil {
		return nil, nil, err
	}
	model.TrainedTo = window.Times[len(window.Times)-1]
	io.Note("model: %s, over sets of assets, placed in %d assets over %d periods", over.Name,
		len(window.Symbols), len(window.Times))
	return model, window, nil
}
