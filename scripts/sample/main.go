// Command sample writes the bundled SYNTHETIC sample anew, or checks that it
// is what its generator makes.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"vaefolio/data"
	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/run"
)

type config struct {
	Days  int    `flag:"days" range:"[1,1000000]" help:"the number of daily returns to draw"`
	Out   string `flag:"out" unit:"DIR" default:"data" help:"the folder of the files, which are replaced"`
	Check bool   `flag:"check" help:"write nothing, and compare the files with what would be written"`
	cli.Common
}

var verb = cli.Verb[config]{
	Name:    "sample",
	Summary: "write the bundled SYNTHETIC prices, their sectors and the truth behind them",
	Example: "sample -check",
	Default: config{Days: data.Days, Common: cli.Common{Seed: data.Seed}},
	Run:     sample,
}

func main() { cli.Main(verb) }

func sample(ctx context.Context, c *config, stream *cli.IO) error {
	drawn, err := data.Generate(c.Seed, c.Days)
	if err != nil {
		return err
	}
	files, err := drawn.Files()
	if err != nil {
		return err
	}
	names := []string{data.Close, data.Sectors, data.Truths}
	if !c.Check {
		// Of a process that was killed; the folder may be missing as yet.
		if err := run.RemoveLeftovers(c.Out, names...); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, name := range names {
		path, text := filepath.Join(c.Out, name), files[name]
		if err := ctx.Err(); err != nil {
			return err
		}
		if c.Check {
			err = compare(path, text)
		} else {
			err = run.WriteFile(path, func(w io.Writer) error {
				_, err := w.Write(text)
				return err
			})
		}
		if err != nil {
			return err
		}
		stream.Note("%s: %d bytes", path, len(text))
	}
	return nil
}

// compare returns an error unless the file holds the text.
func compare(path string, text []byte) error {
	have, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(have, text) {
		return fmt.Errorf("%s differs from what the generator makes: write it anew without -check", path)
	}
	return nil
}
