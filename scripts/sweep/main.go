// Command sweep trains many models over grids of settings, on all cores, on
// the tasks of a Slurm array or the pods of a Kubernetes Job, and gathers what
// they come to in one table.
package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/sweep"
)

type config struct {
	Command string   `arg:"command" choice:"run|merge|status" required:"true" help:"what to do: run, merge or status"`
	From    []string `arg:"folder" help:"other folders of the same sweep, whose runs merge brings in"`

	Grid  sweep.Axes `flag:"grid" unit:"AXES" only:"command=run" help:"the settings to combine, each a flag of a run with its values, as in 'beta = 0.5 1 2; hidden = 64,32 128,64'; in a file one a line"`
	Zip   sweep.Axes `flag:"zip" unit:"AXES" only:"command=run" help:"the settings that change together, value by value, in the form of -grid"`
	Seeds []uint64   `flag:"seeds" only:"command=run" help:"the seeds with which every combination runs; without it that of -seed"`
	Trial `title:"Each run" only:"command=run"`

	Workers    int             `flag:"workers" range:"[0,1024]" record:"-" only:"command=run" help:"the number of processes that train side by side, each on a core of its own; 0 means one for each core, and 1 is best with a GPU"`
	Shard      sweep.Shard     `flag:"shard" unit:"I/N" record:"-" only:"command=run" help:"the part of the runs to make, which is every N-th from the I-th on; without it what SLURM_ARRAY_TASK_ID, or JOB_COMPLETION_INDEX and JOB_COMPLETIONS, say"`
	Backend    cli.BackendName `flag:"backend" unit:"go|xla|auto|xla:PLUGIN" default:"auto" record:"-" only:"command=run" help:"what computes the models; auto is XLA where a plugin is found, else pure Go"`
	Out        string          `flag:"out" unit:"DIR" record:"-" help:"the folder of the sweep, which status and merge also take without the flag; finished runs in it are kept, and unfinished ones continued"`
	Force      bool            `flag:"force" record:"-" only:"command=run" help:"turn the sweep in the folder into this one, and keep the runs that both have"`
	cli.Format `title:"Flags of status" only:"command=status"`
	Quiet      bool   `flag:"quiet" record:"-" help:"print no progress and no messages, only errors"`
	Config     string `flag:"config" unit:"FILE" record:"-" only:"command=run" help:"a TOML file with values for flags, whose keys are their names; flags overrule it"`
	Preset     string `flag:"preset" record:"-" only:"command=run" help:"a set of defaults"`
}

// Validate refuses what the command doesn't take. The one folder that status or merge
// is given is the sweep's.
func (c *config) Validate() error {
	if c.Out == "" && c.Command != "run" && len(c.From) == 1 {
		c.Out, c.From = c.From[0], nil
	}
	if c.Out == "" {
		return errors.New("-out DIR is missing: the folder of the sweep")
	}
	if c.Command != "merge" && len(c.From) > 0 {
		return fmt.Errorf("leftover argument %q: only merge takes folders", c.From[0])
	}
	if slices.Contains(c.swept(), "limits") {
		return errors.New("-limits is no axis, as the runs record what the file says: sweep limit, as in " +
			"limit = SYM=0.1 SYM=0.2")
	}
	return nil
}

const name = "sweep"

var verb = cli.Verb[config]{
	Name:    name,
	Summary: "train models over grids of settings, on all cores or a cluster, and gather their figures in one table",
	Example: `sweep run -config experiments/beta.toml -out runs/beta
sweep run -grid 'beta = 0.5 1 2; latent = 4 8' -seeds 1,2,3 -out runs/look
sweep run -conditional -condition-on volatility,max_weight -caps max_weight -grid 'control = 0 1 3' -out runs/told
sweep run -config experiments/beta.toml -out runs/beta -shard 1/4   # a quarter of the runs
sweep status -out runs/beta
sweep merge -out runs/beta               # writes results.csv, one row a run
sweep merge -out runs/beta node1 node2   # with the runs of other folders`,
	Default: config{Trial: Trial{Settings: sweep.DefaultSettings()}},
	Presets: map[string]func(*config){
		"full":  func(*config) {},
		"quick": func(c *config) { c.Schedule.Steps, c.Corpus.N = experiment.QuickSteps, 6000 },
	},
	Varying: (*config).swept,
	Run:     command,
}

func main() {
	sweep.BecomeWorker() // doesn't return in the processes that train
	cli.Main(verb)
}

func command(ctx context.Context, c *config, io *cli.IO) error {
	switch c.Command {
	case "merge":
		return merge(ctx, c, io)
	case "status":
		return status(c, io)
	default:
		return makeRuns(ctx, c, io)
	}
}

func makeRuns(ctx context.Context, c *config, io *cli.IO) error {
	shard := c.Shard
	if shard.Count == 0 {
		var err error
		if shard, err = sweep.ShardFromEnvironment(); err != nil {
			return cli.Usage(err)
		}
	}
	axes, trials, err := trials(ctx, c, io)
	if err != nil {
		return err
	}
	s, err := sweep.Open(c.Out, axes, trials, c.Force)
	if err != nil {
		return err
	}
	defer io.Kept(ctx, c.Out)
	board := newBoard(c.Quiet, io)
	outcome, err := s.Run(ctx, sweep.Options{
		Workers: c.Workers, Shard: shard, Backend: string(c.Backend), Begin: io.Progress, Progress: board.show,
		Note: board.note,
	})
	board.close()
	if err != nil {
		return err
	}
	io.Note("%d runs made, %d were there, %d failed: %s", outcome.Done, outcome.There, len(outcome.Failures), c.Out)
	if n := len(outcome.Failures); n > 0 {
		var names []string
		for _, f := range outcome.Failures {
			names = append(names, fmt.Sprintf("%s (%s): %s", f.ID, f.Run, f.Reason))
		}
		return fmt.Errorf("%d of %d runs failed: %s", n, s.Runs(), strings.Join(names, "; "))
	}
	if shard.Count == 0 {
		return merge(ctx, c, io)
	}
	return nil
}

func merge(ctx context.Context, c *config, io *cli.IO) error {
	merged, err := sweep.Merge(c.Out, c.From)
	if err != nil {
		return err
	}
	for _, note := range merged.Notes {
		io.Note("WARNING: %s", note)
	}
	verdict, err := merged.Report(ctx)
	if err != nil {
		return err
	}
	for _, line := range verdict {
		io.Note("%s", line)
	}
	io.Note("%d of %d runs, %d brought in: %s", merged.Done, merged.Runs, merged.Brought,
		filepath.Join(c.Out, sweep.ResultsFile))
	return merged.Err()
}

func status(c *config, io *cli.IO) error {
	counts, err := sweep.Status(c.Out)
	if err != nil {
		return err
	}
	table := io.Table(c.Format.Format, cli.Column{Name: "state"}, cli.Column{Name: "runs"})
	var errs []error
	for _, row := range []struct {
		state string
		runs  int
	}{
		{"done", counts.Done}, {"running", counts.Running}, {"interrupted", counts.Interrupted},
		{"failed", counts.Failed}, {"waiting", counts.Waiting}, {"all", counts.Runs},
	} {
		errs = append(errs, table.Row(row.state, row.runs))
	}
	if err := errors.Join(append(errs, table.Close())...); err != nil {
		return err
	}
	for _, f := range counts.Failures {
		io.Note("failed: %s (%s): %s", f.ID, f.Run, f.Reason)
	}
	return nil
}
