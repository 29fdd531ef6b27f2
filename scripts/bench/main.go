// Command bench measures this library beside the Python libraries that people
// would otherwise use, where they are installed, on the same data and in the
// same run.
//
// Machines are noisy, so that two runs can't be compared. Every workload is
// run in rounds: in each, every contender has its turn, in an order that
// rotates. The table shows the median over the rounds, and the ratio of two
// contenders as the median of the ratios within a round, both with their
// quartiles.
package main

import (
	"context"
	"io"
	"slices"
	"strings"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/run"
)

type config struct {
	Only        []string `flag:"only" unit:"NAME" help:"the workloads to run, or groups of them: train, evaluate, project, solve, generate; without it all"`
	Rounds      int      `flag:"rounds" range:"[1,inf)" help:"the number of turns that every contender has"`
	Seconds     float64  `flag:"seconds" unit:"seconds" range:"(0,3600]" help:"the least length of a turn"`
	Clock       string   `flag:"clock" choice:"wall|cpu" default:"wall" help:"the clock of speeds and ratios: wall is the time that passes, cpu the seconds of all threads, which others' work on the machine disturbs less"`
	Python      string   `flag:"python" unit:"FILE" help:"the Python whose libraries are measured; without it python3 on the PATH, else that of .venv"`
	Markdown    string   `flag:"markdown" unit:"FILE" help:"the file to write the table to, in Markdown, with a description of the machine"`
	Remark      string   `flag:"remark" only:"markdown" help:"what else a reader of the Markdown should know of the machine"`
	cli.Backend `title:"Common"`
	cli.Common
	cli.Format `title:"Output"`
}

// Validate refuses names of workloads that there are none of, and a clock that
// the system doesn't have.
func (c *config) Validate() error {
	if c.Clock == "cpu" && !hasCPUClock {
		return cli.Usagef("-clock cpu: this system doesn't tell")
	}
	_, err := choose(c.Only)
	return err
}

var verb = cli.Verb[config]{
	Name: "bench",
	Summary: "speed of training, evaluation, projection, solvers and generation, beside other libraries in " +
		"the same run",
	Example: `bench -preset quick
bench -only train,min-cvar -rounds 15
bench -python venv/bin/python -markdown benchmarks.md`,
	Default: config{Rounds: 9, Seconds: 0.5},
	Presets: map[string]func(*config){
		"full":  func(*config) {},
		"quick": func(c *config) { c.Rounds, c.Seconds = 3, 0.1 },
	},
	Run: bench,
}

func main() { cli.Main(verb) }

func bench(ctx context.Context, c *config, stream *cli.IO) error {
	chosen, err := choose(c.Only)
	if err != nil {
		return err
	}
	machine := describeMachine()
	b := newBed(c.Python, string(c.Backend.Backend), c.Seed)
	defer b.close()
	var results []result
	progress := stream.Progress("bench")
	for i, w := range chosen {
		progress(i, len(chosen), w.name)
		rows, err := b.measure(ctx, w, c)
		if err != nil {
			return err
		}
		results = append(results, rows...)
	}
	progress(len(chosen), len(chosen), "")
	if c.Markdown != "" {
		machine.finish(b, c.Remark)
		err := run.WriteFile(c.Markdown, func(w io.Writer) error { return writeMarkdown(w, machine, c, results) })
		if err != nil {
			return err
		}
	}
	return print(stream, c.Format.Format, c.Clock, results)
}

// choose returns the workloads with one of the names, or in one of the groups,
// in their usual order; no names mean all.
func choose(names []string) ([]workload, error) {
	if len(names) == 0 {
		return workloads, nil
	}
	wanted := make([]bool, len(workloads))
	for _, name := range names {
		known := false
		for i, w := range workloads {
			if w.name == name || w.group == name {
				wanted[i], known = true, true
			}
		}
		if !known {
			return nil, cli.Usagef("-only: %q is not one of %s", name, strings.Join(workloadNames(), ", "))
		}
	}
	var chosen []workload
	for i, w := range workloads {
		if wanted[i] {
			chosen = append(chosen, w)
		}
	}
	return chosen, nil
}

// workloadNames lists groups and workloads, each once.
func workloadNames() []string {
	var names []string
	for _, w := range workloads {
		for _, name := range []string{w.group, w.name} {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}
