// Command generate makes portfolios out of a trained model.
package main

import (
	"context"
	"io"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

type config struct {
	Model   string `flag:"model" unit:"DIR" help:"the folder of a trained model, as train and pipeline write it; a model over sets of assets, which train -corpus makes, takes the assets of -prices; without it the built-in one of these"`
	Mode    string `flag:"mode" choice:"sample|condition|latent|interpolate|robust|diversify|stress|outcomes|styles" default:"sample" help:"how portfolios are made"`
	N       int    `flag:"n" range:"[0,10000000]" only:"mode!=styles|outcomes or mode=outcomes and !from-weights" help:"the number of portfolios to make; 0 means 1000 in mode sample, 100 in condition, 11 in interpolate and 10 in the others"`
	Density string `flag:"density" choice:"aggregate|prior|two-stage" default:"aggregate" only:"mode=sample|condition|latent|robust|diversify or mode=outcomes and !from-weights or mode=stress and sweep=grid" help:"the distribution of the codes: aggregate is the mixture fitted to the training codes, of a conditional model smoothed codes of neighbours in conditions; prior is N(0, I), and two-stage is the second VAE that train -two-stage fits to them"`

	Wish
	Latent        generate.SearchSettings `title:"Latent search" only:"mode=latent"`
	Interpolation `title:"Given portfolios"`
	Choice
	Stress   `only:"mode=stress"`
	Outcomes choose.OutcomeSettings `only:"mode=outcomes"`
	Styles   `only:"mode=styles"`

	cli.Prices          `only:"mode!=sample|condition|interpolate or prices or !model"`
	cli.Figures         `only:"mode!=sample|condition|interpolate or prices"`
	cli.KeptConstraints `title:"Constraints"`
	cli.Trading         `title:"What is held"`
	cli.Backend         `title:"Common"`
	cli.Output
	cli.Common
}

var verb = cli.Verb[config]{
	Name:    "generate",
	Summary: "make portfolios out of a trained model",
	Example: `generate -prices prices.csv -max-weight 0.25 > weights.csv
generate -model runs/model -n 1000 -max-weight 0.25 > weights.csv
generate -prices prices.csv -holdings mine.csv -max-turnover 0.3 -out runs/near
generate -model runs/conditional -mode condition -wish 'volatility=0.4,sector.L1<=0.35' -out runs/wish
generate -model runs/model -mode latent -objective sharpe -prices prices.csv -out runs/best
generate -prices prices.csv -mode diversify -within 0.02 -n 20 -max-weight 0.25 -holdings mine.csv -out runs/alternatives
generate -model runs/model -mode interpolate -from-weights two.csv -path spherical
generate -model runs/model -mode robust -horizon 30 -prices prices.csv -out runs/robust
generate -model runs/model -mode outcomes -from-weights mine.csv -horizon 365 -regimes 2 -prices prices.csv -out runs/outcomes`,
	Default: config{
		Latent:   generate.SearchSettings{Starts: 64, Iterations: 100},
		Choice:   Choice{Candidates: 10000, Settings: choose.DefaultSettings(), HeldOut: 0.3},
		Stress:   Stress{Side: 41},
		Outcomes: choose.OutcomeSettings{Paths: 1000, Drawdown: 0.2},
		Styles:   Styles{Clusters: 6},
	},
	Modes: cli.Modes{Flag: "mode", Does: map[string]string{
		"sample": "Draws portfolios from the model.",
		"condition": "Makes portfolios to a wish, with what it leaves open from one training portfolio " +
			"after another.",
		"latent":      "Climbs an objective in the latent space, and returns the best -n of its starts.",
		"interpolate": "Goes from one portfolio to another in -n steps.",
		"robust":      "Chooses, of many draws, the -n that do best in the worst of all scenarios.",
		"diversify": "Chooses, of many draws, a varied part of the Pareto front of return, risk and concentration, " +
			"or with -within of the portfolios near the largest Sharpe ratio.",
		"stress": "Finds the -n portfolios that lose most under stresses; what given portfolios lose, the verb " +
			"stress tells.",
		"outcomes": "Simulates what may become of the portfolios of -from-weights or, without it, of -n draws.",
		"styles":   "Finds styles among the portfolios of -from-weights, and makes portfolios between neighbours.",
	}},
	Run: generateWeights,
}

func main() { cli.Main(verb) }

// Validate refuses sectors without a cap in modes that look at no sector.
func (c *config) Validate() error {
	if c.Mode == "condition" || c.Mode == "styles" {
		return nil
	}
	return c.CheckSectors()
}

// mode is one way of making portfolios.
type mode struct {
	make   func(*job, context.Context) (*made, error)
	prices bool   // it looks at prices
	ends   bool   // it needs -from-weights
	table  string // one more file that it may write
}

var modes = map[string]mode{
	"sample":      {make: (*job).sample},
	"condition":   {make: (*job).condition},
	"latent":      {make: (*job).climb, prices: true, table: radiiFile},
	"interpolate": {make: (*job).interpolate, ends: true},
	"robust":      {make: (*job).robust, prices: true},
	"diversify":   {make: (*job).diversify, prices: true},
	"stress":      {make: (*job).stress, prices: true, table: lossesFile},
	"outcomes":    {make: (*job).outcomes, prices: true, table: fanFile},
	"styles":      {make: (*job).styles, prices: true, ends: true, table: stylesFile},
}

// Tables of modes.
const (
	radiiFile  = "radii.csv"
	lossesFile = "losses.csv"
	fanFile    = "fan.csv"
	stylesFile = "styles.csv"
)

// outputs are the files that the mode writes.
func (m mode) outputs() []string {
	files := []string{"weights.csv", "provenance.json"}
	if m.table != "" {
		files = append(files, m.table)
	}
	return files
}

// job is what a mode works with.
type job struct {
	*config
	io        *cli.IO
	overSets  bool // the model is one over sets of assets
	trained   *trained.Model
	generator *generate.Generator
	symbols   []string
	set       simplex.Set
	window    *market.Window   // of modes that look at prices
	settings  metrics.Settings // likewise
	present   *portfolio.Held  // what is held; nil: nobody has said
	given     *portfolio.Portfolios
	wish      portfolio.Wish // of a conditional model
	market    bool           // what the wish leaves open of the market, the prices tell
	record    provenance
}

// made is what a mode has made: weights, and what is to be said of each row; or,
// where there may be too many for memory, how to write them.
type made struct {
	batch   *generate.Batch
	csv     func(w io.Writer) error
	values  []float64             // of the objective; nil: none
	figures []metrics.Figures     // nil: none
	tables  map[string]*run.Table // more files, by their names

	achieved []map[string]float64 // of each row, what it has of the conditions; nil: none
}

func generateWeights(ctx context.Context, c *config, to *cli.IO) error {
	mode := modes[c.Mode]
	if mode.ends && c.FromWeights == "" {
		return cli.Usagef("%s needs -from-weights FILE", c.Mode)
	}
	if c.Traded != "" && c.Capital == 0 {
		return cli.Usagef("-traded-value needs -capital, the value to sell")
	}
	if (c.Mode == "robust" || c.Mode == "diversify") && c.count(10) > c.Candidates {
		return cli.Usagef("%d portfolios can't be chosen among %d: raise -candidates, or lower -n", c.count(10),
			c.Candidates)
	}
	if c.Mode == "latent" {
		if err := c.Latent.Validate(); err != nil {
			return cli.Usage(err)
		}
	}
	spec := run.Spec{Verb: "generate", Config: to.Config(), Inputs: to.Inputs(), Seed: c.Seed, Outputs: mode.outputs()}
	if err := c.Output.Usable(spec); err != nil {
		return err
	}
	j := &job{config: c, io: to}
	if err := j.possible(); err != nil {
		return err
	}
	backend, err := vae.Open(string(c.Backend.Backend))
	if err != nil {
		return err
	}
	defer backend.Close()
	if err := j.prepare(ctx, backend); err != nil {
		return err
	}
	if c.FromWeights != "" {
		if err := j.read(); err != nil {
			return err
		}
	}
	if c.Traded != "" {
		if j.record.Traded, err = run.HashFile(c.Traded); err != nil {
			return err
		}
	}
	if c.Out == "" {
		m, err := mode.make(j, ctx)
		if err != nil {
			return err
		}
		defer j.sayTraded()
		return j.writeCSV(to.Stdout, m)
	}
	spec.Data = j.record.hash()
	spec.Funding, spec.Backend, spec.Plugin = j.record.Funding, backend.Name(), backend.Plugin()
	folder, err := run.Open(c.Out, spec, c.Force)
	if err != nil {
		return err
	}
	defer folder.Close()
	m, err := mode.make(j, ctx)
	if err != nil {
		return err
	}
	return j.write(folder, m)
}

// possible says what can't be made, as far as that shows before a backend is opened for
// the model. One over sets gets its assets here.
func (j *job) possible() error {
	var err error
	if j.overSets, err = trained.OverSets(j.config.Model); err != nil {
		return err
	}
	if j.overSets {
		return j.gather()
	}
	switch {
	case len(j.Symbols) > 0:
		return cli.Usagef("the symbols are the model's: leave -symbols out")
	case len(j.Exclude) > 0:
		return cli.Usagef("the symbols are the model's, all of them: leave -exclude out")
	case j.Listings != cli.Shared:
		return cli.Usagef("the symbols are the model's, all of them, also those that have stopped: leave -listings out")
	case j.Latent.Follows():
		return cli.Usagef("-climb weights needs a model over sets of assets, whose decoder is linear before its " +
			"projection: leave it out")
	}
	return nil
}

// prepare loads the model, and the prices where there is something to learn from them.
func (j *job) prepare(ctx context.Context, backend *vae.Backend) error {
	if j.overSets {
		return j.openSet(backend)
	}
	if err := j.open(backend); err != nil {
		return err
	}
	if modes[j.Mode].prices || (j.Mode == "interpolate" || j.Mode == "condition" || j.market) && j.Prices.Prices != "" {
		if err := j.load(); err != nil {
			return err
		}
	} else if j.Prices.Prices != "" {
		j.io.Note("%s is not read: nothing that %s makes of this model depends on prices", j.Prices.Prices, j.Mode)
	}
	return j.settle(ctx)
}

// open loads the model and joins it with the constraints.
func (j *job) open(backend *vae.Backend) (err error) {
	if j.trained, err = trained.Open(backend, j.config.Model); err != nil {
		return err
	}
	j.symbols = j.trained.Symbols()
	if err := j.KeptConstraints.CheckHead(j.trained.Network.LongOnly()); err != nil {
		return err
	}
	if j.set, err = j.KeptConstraints.Set(j.io, j.symbols, j.trained.Set); err != nil {
		return err
	}
	j.record = provenance{Mode: j.Mode, Seed: j.Seed, Backend: backend.Description()}
	if err := j.hold(); err != nil {
		return err
	}
	if err := j.ask(); err != nil {
		return err
	}
	if j.generator, err = generate.New(j.trained.Network, j.set); err != nil {
		return err
	}
	if h := j.trained.Health; h != nil {
		j.io.Note("health of the model: %s", h)
	}
	j.record.ModelHash, err = j.trained.Hash()
	return err
}

// hold reads what is held, and limits the turnover from there.
func (j *job) hold() (err error) {
	if j.present, err = j.Trading.Held(j.io, j.symbols); j.present == nil || err != nil {
		return err
	}
	if err := j.Limit(&j.set, j.present); err != nil {
		return err
	}
	j.record.Holdings, err = run.HashFile(j.Trading.Holdings)
	return err
}

// load reads the prices of the model's symbols.
func (j *job) load() error {
	prices := j.Prices
	prices.Symbols = j.symbols
	data, err := prices.Load(j.io)
	if err != nil {
		return j.trained.ExplainSymbol(err)
	}
	j.window = data.Window
	j.record.Data, j.record.Synthetic, j.record.Funding = data.Window.Hash(), data.Synthetic, data.Window.Funded
	j.settings, err = j.Figures.Settings(j.io, data.Window, 0)
	return err
}

// read reads the portfolios given.
func (j *job) read() (err error) {
	if j.given, err = portfolio.ReadCSV(j.FromWeights, portfolio.ReadOptions{Symbols: j.symbols}); err != nil {
		return err
	}
	j.io.Told(j.FromWeights, j.given.Notes)
	j.record.Given, err = run.HashFile(j.FromWeights)
	return err
}

// density is what codes are drawn from.
func (j *job) density() (generate.Density, error) {
	j.record.Density = j.Density
	return j.trained.Density(j.Density)
}

// count is the number of portfolios asked for.
func (c *config) count(otherwise int) int {
	if c.N == 0 {
		return otherwise
	}
	return c.N
}

// draw samples portfolios from the density chosen.
func (j *job) draw(ctx context.Context, n int) (*generate.Batch, error) {
	density, err := j.density()
	if err != nil {
		return nil, err
	}
	return j.generator.Sample(ctx, n, density, j.Seed)
}
