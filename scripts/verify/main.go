// Command verify recomputes what a run says, from its folder and its inputs, by
// code of its own.
package main

import (
	"context"
	"fmt"
	"os"

	"vaefolio/scripts/internal/cli"
)

type config struct {
	Run        string  `arg:"RUN" required:"true" help:"the folder of a finished run of any verb"`
	Rerun      bool    `flag:"rerun" help:"repeat the run too, from its config.toml and in the folder of this call, and compare all bytes"`
	Programs   string  `flag:"programs" unit:"DIR" only:"rerun" help:"the folder of the verbs' programs, which repeat the run; without it that of this one, or go run in the module's root"`
	Tolerance  float64 `flag:"tolerance" range:"(0,1)" unit:"relative" help:"the largest difference of figures of returns that still counts as equal; what comes out of a network in float32 has its own, wider one"`
	cli.Format `title:"Output"`
	cli.Common
}

var verb = cli.Verb[config]{
	Name: "verify",
	Summary: "recompute what a run says, from its folder and its inputs, by separate and simple code; docs/verify.md " +
		"lists what is checked and how",
	Example: `
		verify runs/pipeline
		verify runs/backtest -rerun -format json`,
	Default: config{Tolerance: 1e-9},
	Run:     verify,
}

func main() { cli.Main(verb) }

func verify(ctx context.Context, c *config, io *cli.IO) error {
	f, err := open(c.Run, c.Tolerance, io)
	if err != nil {
		return err
	}
	if err := temporary(); err != nil {
		return err
	}
	checks := f.checks()
	if c.Rerun {
		checks = append(checks, check{"manifest.json", func(f *folder, ctx context.Context) error {
			return f.rerun(ctx, c.Programs)
		}})
	}
	for _, check := range checks {
		if err := ctx.Err(); err != nil {
			return err
		}
		f.look(ctx, check)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return print(c, io, f)
}

// temporary refuses to begin where nothing could be made again: that would look like
// a difference.
func temporary() error {
	dir, err := os.MkdirTemp("", "verify-")
	if err != nil {
		return fmt.Errorf("no folder for what is made again: %w: set TMPDIR to one", err)
	}
	return os.Remove(dir)
}

// print lists the findings: all of them for programs, for people those that are not
// as they should be, and how many are.
func print(c *config, io *cli.IO, f *folder) error {
	table := io.Table(c.Format.Format, cli.Column{Name: "file"}, cli.Column{Name: "item"},
		cli.Column{Name: "status"}, cli.Column{Name: "stored"}, cli.Column{Name: "recomputed"})
	counts := map[string]int{}
	for _, x := range f.findings {
		counts[x.Status]++
		if c.Format.Format == "table" && x.Status == same {
			continue
		}
		if err := table.Row(x.File, x.Item, x.Status, x.Stored, x.Recomputed); err != nil {
			return err
		}
	}
	if c.Format.Format == "table" {
		files, sound := f.sound()
		for _, file := range files {
			if n := sound[file]; n > 0 {
				if err := table.Row(file, fmt.Sprintf("%d items", n), same, nil, nil); err != nil {
					return err
				}
			}
		}
	}
	if err := table.Close(); err != nil {
		return err
	}
	io.Note("%d items are as they should be, %d differ, %d could not be checked", counts[same], counts[differs],
		counts[unchecked])
	if counts[differs] > 0 {
		return fmt.Errorf("%s: %d of %d items differ, the first is %s", c.Run, counts[differs], len(f.findings),
			f.first())
	}
	return nil
}
