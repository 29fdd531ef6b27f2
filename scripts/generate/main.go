// Command generate makes portfolios out of a trained model.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/mixture"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/vae"
)

type config struct {
	Model   string `flag:"model" unit:"DIR" required:"true" help:"folder of a model, as train and pipeline write it"`
	N       int    `flag:"n" range:"[0,10000000]" unit:"portfolios" help:"how many: the best so many of the starts with latent, steps of the path with interpolate; 0 means 1000, 10 and 11"`
	Mode    string `flag:"mode" choice:"sample|latent|interpolate" default:"sample" help:"draw from the model, climb an objective in its latent space, or go from one portfolio to another"`
	Density string `flag:"density" choice:"aggregate|prior" default:"aggregate" help:"of the codes drawn: the mixture fitted to the training codes, or N(0, I)"`

	Objective  string  `flag:"objective" choice:"sharpe|return|volatility|diversification|sortino|cvar|drawdown|worst" default:"sharpe" help:"what latent climbs, on -prices; losses are made small"`
	Starts     int     `flag:"starts" range:"[1,1000000]" unit:"codes" help:"of latent, side by side"`
	Iterations int     `flag:"iterations" range:"[1,100000]" unit:"steps" help:"of latent"`
	Radius     float64 `flag:"radius" range:"[0,inf)" help:"bound on the length of a code; 0 means the prior's 95 % quantile"`

	FromWeights string `flag:"from-weights" unit:"FILE" help:"the two ends of interpolate: its first two rows"`
	Path        string `flag:"path" choice:"linear|spherical|weights" default:"linear" help:"of interpolate: in latent space by the straight line or the arc, or between the weights, the control"`

	cli.Prices
	cli.Figures
	cli.Constraints
	cli.Backend
	cli.Output
	cli.Common
}

var verb = cli.Verb[config]{
	Name:    "generate",
	Summary: "make portfolios out of a trained model",
	Example: `generate -model runs/model -n 1000 -max-weight 0.25 > weights.csv
generate -model runs/model -mode latent -objective sharpe -prices prices.csv -out runs/best
generate -model runs/model -mode interpolate -from-weights two.csv -path spherical`,
	Default: config{Starts: 64, Iterations: 100},
	Run:     generateWeights,
}

func main() { cli.Main(verb) }

// provenance is written beside the weights.
type provenance struct {
	Mode        string             `json:"mode"`
	ModelHash   string             `json:"model_hash"` // SHA-256 of the model's parameters
	Seed        uint64             `json:"seed"`
	Density     string             `json:"density,omitempty"`
	Objective   string             `json:"objective,omitempty"`
	Radius      float64            `json:"radius,omitempty"`
	Evaluations int                `json:"evaluations,omitempty"`
	Path        string             `json:"path,omitempty"`
	Ends        []string           `json:"ends,omitempty"`
	Data        string             `json:"data_hash,omitempty"`
	Synthetic   bool               `json:"synthetic,omitempty"`
	Backend     string             `json:"backend"`
	MaxRepair   float64            `json:"max_repair_distance"`
	Rows        []portfolioOfModel `json:"portfolios"`
}

// portfolioOfModel is where one row comes from.
type portfolioOfModel struct {
	ID     string    `json:"id"`
	Code   []float64 `json:"code,omitempty"`
	Repair float64   `json:"repair_distance"`
	Value  *float64  `json:"value,omitempty"` // of the objective
}

func generateWeights(ctx context.Context, c *config, io *cli.IO) error {
	if c.Mode == "interpolate" && c.FromWeights == "" {
		return cli.Usagef("interpolate needs -from-weights FILE, whose first two rows are its ends")
	}
	backend, err := vae.Open(c.Backend.Backend)
	if err != nil {
		return err
	}
	defer backend.Close()
	model, err := vae.Load(backend, c.Model)
	if err != nil {
		return err
	}
	symbols := model.Symbols()
	if symbols == nil {
		return fmt.Errorf("%s: the model has no symbols: train it again by the train verb", c.Model)
	}
	set, err := c.Constraints.Set(symbols)
	if err != nil {
		return err
	}
	generator, err := generate.New(model, set)
	if err != nil {
		return err
	}
	hash, err := run.HashFile(filepath.Join(c.Model, "model.safetensors"))
	if err != nil {
		return err
	}
	made := provenance{Mode: c.Mode, ModelHash: hash, Seed: c.Seed, Backend: backend.Description()}
	var batch *generate.Batch
	var values []float64
	switch c.Mode {
	case "sample":
		batch, err = c.sample(ctx, generator, &made)
	case "latent":
		batch, values, err = c.latent(ctx, generator, symbols, &made, io)
	case "interpolate":
		batch, err = c.interpolate(ctx, generator, symbols, &made)
	}
	if err != nil {
		return err
	}
	return c.write(io, symbols, set, batch, values, &made)
}

// density is what codes are drawn from.
func (c *config) density(made *provenance) (generate.Density, error) {
	made.Density = c.Density
	if c.Density == "prior" {
		return generate.Prior{}, nil
	}
	path := filepath.Join(c.Model, generate.AggregateFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: train the model by the train verb, or give -density prior", err)
	}
	var m mixture.Mixture
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &m, nil
}

func (c *config) count(fallback int) int {
	if c.N == 0 {
		return fallback
	}
	return c.N
}

func (c *config) sample(ctx context.Context, g *generate.Generator, made *provenance) (*generate.Batch, error) {
	density, err := c.density(made)
	if err != nil {
		return nil, err
	}
	return g.Sample(ctx, c.count(1000), density, c.Seed)
}

// latent climbs the objective on the window of the prices given.
func (c *config) latent(ctx context.Context, g *generate.Generator, symbols []string, made *provenance, io *cli.IO) (*generate.Batch, []float64, error) {
	if len(c.Symbols) > 0 {
		return nil, nil, cli.Usagef("the symbols are the model's: leave -symbols out")
	}
	c.Symbols = symbols
	data, err := c.Prices.Load(io)
	if err != nil {
		return nil, nil, err
	}
	settings, err := c.Figures.Settings(io, data.Window, 0)
	if err != nil {
		return nil, nil, err
	}
	objective, err := metrics.NewObjective(c.Objective, data.Window.Returns, settings)
	if err != nil {
		return nil, nil, err
	}
	density, err := c.density(made)
	if err != nil {
		return nil, nil, err
	}
	count := c.count(10)
	optimum, err := g.Optimize(ctx, objective, density, generate.OptimizeSettings{
		Starts: max(c.Starts, count), Iterations: c.Iterations, Radius: c.Radius, Seed: c.Seed, Progress: io.Progress("latent search"),
	})
	if err != nil {
		return nil, nil, err
	}
	made.Objective, made.Radius, made.Evaluations = c.Objective, optimum.Radius, optimum.Evaluated
	made.Data, made.Synthetic = data.Window.Hash(), data.Synthetic
	best, values := optimum.Top(count)
	return best, values, nil
}

func (c *config) interpolate(ctx context.Context, g *generate.Generator, symbols []string, made *provenance) (*generate.Batch, error) {
	ends, err := portfolio.ReadCSV(c.FromWeights, portfolio.ReadOptions{Symbols: symbols})
	if err != nil {
		return nil, err
	}
	if ends.Len() < 2 {
		return nil, fmt.Errorf("%s: one portfolio: an interpolation needs two, its ends", c.FromWeights)
	}
	made.Path, made.Ends = c.Path, []string{ends.ID(0), ends.ID(1)}
	return g.Interpolate(ctx, ends.Weights.RawRowView(0), ends.Weights.RawRowView(1), c.count(11), generate.Path(c.Path))
}

// write puts weights.csv and provenance.json into the folder given, or the
// weights on stdout.
func (c *config) write(io *cli.IO, symbols []string, set simplex.Set, batch *generate.Batch, values []float64, made *provenance) error {
	rows, _ := batch.Weights.Dims()
	p := &portfolio.Portfolios{Symbols: symbols, Weights: batch.Weights}
	digits := len(fmt.Sprint(rows))
	for i := range rows {
		row := portfolioOfModel{ID: fmt.Sprintf("g%0*d", digits, i+1), Repair: batch.Repair[i]}
		if batch.Codes != nil {
			row.Code = mat.Row(nil, i, batch.Codes)
		}
		if values != nil {
			row.Value = &values[i]
		}
		p.IDs = append(p.IDs, row.ID)
		made.Rows = append(made.Rows, row)
		if v := set.Violation(batch.Weights.RawRowView(i)); !(v <= simplex.Tolerance) {
			return fmt.Errorf("portfolio %s violates the constraints by %v: this is a mistake of the program", row.ID, v)
		}
	}
	made.MaxRepair = slices.Max(batch.Repair)
	if c.Out == "" {
		return p.WriteCSV(io.Stdout)
	}
	folder, err := run.Open(c.Out, run.Spec{
		Verb: "generate", Config: io.Config(), Data: made.ModelHash + made.Data, Seed: c.Seed, Backend: made.Backend,
	}, c.Force)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := run.WriteFile(folder.Path("weights.csv"), p.WriteCSV); err != nil {
		return err
	}
	if err := run.WriteJSON(folder.Path("provenance.json"), made); err != nil {
		return err
	}
	io.Note("%d portfolios, moved at most %.2g by the projection: %s", rows, made.MaxRepair, folder.Path("weights.csv"))
	return folder.Finish()
}
