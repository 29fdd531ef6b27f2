// Command pipeline runs the main job: from prices through a training set, a
// trained model and generated portfolios to a report.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

type config struct {
	cli.Prices
	cli.Figures
	cli.Constraints
	experiment.Settings `title:"Experiment"`
	cli.Backend         `title:"Common"`
	cli.Output
	Profile bool `flag:"profile" record:"-" help:"write cpu.pprof and heap.pprof, which go tool pprof reads, into the folder too"`
	cli.Common
	cli.Format `title:"Output"`
}

var verb = cli.Verb[config]{
	Name:    "pipeline",
	Summary: "learn the distribution of sensible portfolios, generate from it, and judge it against honest baselines",
	Example: `pipeline
pipeline -preset quick -out runs/look
pipeline -prices prices.csv -max-weight 0.25 -sectors sectors.csv -sector-cap L1=0.5`,
	Default: config{Settings: experiment.DefaultSettings()},
	Presets: map[string]func(*config){
		"full":  func(*config) {},
		"quick": func(c *config) { c.Settings.Quick() },
	},
	Run: pipeline,
}

func main() { cli.Main(verb) }

func pipeline(ctx context.Context, c *config, io *cli.IO) error {
	spec := c.spec(io)
	if err := c.Output.Usable(spec); err != nil {
		return err
	}
	data, err := c.Prices.Load(io)
	if err != nil {
		return err
	}
	set, err := c.Constraints.Set(io, data.Window.Symbols)
	if err != nil {
		return err
	}
	sectors, err := c.SectorsOf(data.Window.Symbols)
	if err != nil {
		return err
	}
	settings, err := c.Figures.Settings(io, data.Window, 0)
	if err != nil {
		return err
	}
	spec.Data, spec.Funding = data.Window.Hash(), data.Window.Funded
	if err := c.Output.Usable(spec); err != nil {
		return err
	}
	backend, err := vae.Open(string(c.Backend.Backend))
	if err != nil {
		return err
	}
	defer backend.Close()
	io.Announce(backend)
	spec.Backend, spec.Plugin = backend.Name(), backend.Plugin()
	name := "pipeline-" + run.Hash(spec.Config, []byte(spec.Data), []byte(spec.Backend))[:10]
	dir := cmp.Or(c.Out, filepath.Join("runs", name))
	folder, err := run.Open(dir, spec, c.Force)
	var done *run.AlreadyDone
	if errors.As(err, &done) {
		return cmp.Or(printAgain(c, io, dir), err)
	}
	if err != nil {
		return err
	}
	defer folder.Close()
	defer io.Kept(ctx, dir)
	if folder.Resumed {
		io.Note("%s: taking up an unfinished run", dir)
	}
	summary, err := c.make(ctx, folder, experiment.Input{
		Window: data.Window, Cleaning: data.Cleaning, Dropped: data.Dropped, Sectors: sectors, Set: set,
		Metrics: settings, Seed: c.Seed, Backend: backend, Source: c.Prices.Source(),
		Notes: slices.Concat(data.Notes, c.Told(data.Window)), Synthetic: data.Synthetic,
		Begin: io.Progress, Note: func(line string) { io.Note("%s", line) }, Repeat: []string{io.Command()},
	})
	if err != nil {
		return err
	}
	if err := trained.Finish(ctx, folder, summary.Curves); err != nil {
		return err
	}
	return print(c, io, summary, dir)
}

// make does the work, under a profile where one is asked for.
func (c *config) make(ctx context.Context, folder *run.Run, in experiment.Input) (*experiment.Summary, error) {
	if !c.Profile {
		return experiment.Pipeline(ctx, folder, in, c.Settings)
	}
	recording, err := startProfile()
	if err != nil {
		return nil, err
	}
	defer recording.stop()
	summary, err := experiment.Pipeline(ctx, folder, in, c.Settings)
	if err == nil || ctx.Err() != nil { // also of a run that was interrupted
		err = errors.Join(err, recording.write(folder))
	}
	return summary, err
}

// spec is what the run is made from, without prices and backend, and what it makes.
func (c *config) spec(io *cli.IO) run.Spec {
	spec := run.Spec{Verb: "pipeline", Config: io.Config(), Inputs: io.Inputs(), Seed: c.Seed,
		Outputs: experiment.PipelineFiles()}
	if c.Profile {
		spec.Outputs = append(spec.Outputs, cpuFile, heapFile)
	}
	return spec
}

// printAgain says what came out of the finished run in the folder.
func printAgain(c *config, io *cli.IO, dir string) error {
	summary := new(experiment.Summary)
	if err := experiment.ReadSummary(dir, summary); err != nil {
		return err
	}
	if err := print(c, io, summary, dir); err != nil {
		return err
	}
	if c.Profile {
		io.Note("nothing ran that could be profiled: -force repeats the run")
	}
	return nil
}

// print says what came out.
func print(c *config, io *cli.IO, s *experiment.Summary, dir string) error {
	io.Note("health: %s", s.Health)
	table := io.Table(c.Format.Format, cli.Column{Name: "portfolio"}, cli.Column{Name: "sharpe_in_sample"},
		cli.Column{Name: "sharpe_out_of_sample"})
	for _, row := range []struct {
		name    string
		in, out number.Value
	}{
		{"latent Sharpe", s.SharpeLatent, s.SharpeLatentOOS},
		{fmt.Sprintf("best of %d samples", s.Evaluations), s.SharpeBestSampled, s.SharpeBestSampledOOS},
		{fmt.Sprintf("best of %d Dirichlet(1)", s.Evaluations), s.SharpeBestDirichlet, s.SharpeBestDirichletOOS},
		{fmt.Sprintf("best of %d Dirichlet mixture", s.Evaluations), s.SharpeBestMixture, s.SharpeBestMixtureOOS},
		{"projected gradient on the weights", s.SharpeAscent, s.SharpeAscentOOS},
		{"1/N", s.SharpeEqualWeight, s.SharpeEqualWeightOOS},
		{"convex bound", s.SharpeConvexBound, s.SharpeConvexBoundOOS},
	} {
		if err := table.Row(row.name, row.in.Any(), row.out.Any()); err != nil {
			return err
		}
	}
	if err := table.Close(); err != nil {
		return err
	}
	for _, name := range []string{"active_units", "shrinkage"} {
		if note := s.Notes[name]; note != "" {
			io.Note("WARNING: %s", note)
		}
	}
	if s.AscentMatched > 0 {
		io.Note("the projected gradient on the weights had the latent search's ratio after %d evaluations of %d, and "+
			"took %.2g s, the latent search %.2g s", s.AscentMatched, s.Evaluations, s.AscentSeconds, s.LatentSeconds)
	}
	units, _ := s.ActiveUnits.Float()
	r2, _ := s.R2.Float()
	pca, _ := s.R2PCA.Float()
	spread, _ := s.DispersionPosterior.Float()
	io.Note("%.0f of %d units active, R2 %.3f (PCA %.3f), dispersion %.2f of the held-out portfolios'", units,
		s.Latent, r2, pca, spread)
	io.Note("%d portfolios in %.1f s: %s", s.Portfolios, s.Seconds, filepath.Join(dir, experiment.ReportFile))
	return nil
}
