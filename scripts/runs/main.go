// Command runs says what a folder of runs holds.
package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/compare"
	"vaefolio/vaelib/number"
)

type config struct {
	Command    string `arg:"command" choice:"list" required:"true" help:"what to do: list the runs"`
	Dir        string `arg:"folder" unit:"DIR" required:"true" help:"the folder in which runs lie, at any depth"`
	cli.Format `title:"Output"`
	Quiet      bool   `flag:"quiet" record:"-" help:"print no progress and no messages, only errors"`
	Config     string `flag:"config" unit:"FILE" record:"-" help:"a TOML file with values for flags, whose keys are their names; flags overrule it"`
	Preset     string `flag:"preset" record:"-" help:"a set of defaults"`
}

var verb = cli.Verb[config]{
	Name:    "runs",
	Summary: "list the runs in a folder: what each is, whether it finished, its configuration and its key figures",
	Example: `
		runs list runs
		runs list runs -format json`,
	Run: list,
}

func main() { cli.Main(verb) }

func list(_ context.Context, c *config, io *cli.IO) error {
	entries, err := compare.List(c.Dir)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		io.Note("%s: no runs in it", c.Dir)
	}
	hash := func(text string) string {
		if c.Format.Format == "table" && len(text) > 12 {
			return text[:12]
		}
		return text
	}
	table := io.Table(c.Format.Format, cli.Column{Name: "run"}, cli.Column{Name: "verb", Left: true},
		cli.Column{Name: "state", Left: true},
		cli.Column{Name: "config_hash", Short: "configuration"}, cli.Column{Name: "data_hash", Short: "data"},
		cli.Column{Name: "seed"}, cli.Column{Name: "backend", Left: true},
		cli.Column{Name: "started", Left: true}, cli.Column{Name: "seconds"},
		cli.Column{Name: "figures", Left: true}, cli.Column{Name: "note", Left: true})
	for _, e := range entries {
		started := any(nil)
		if !e.Started.IsZero() {
			started = e.Started.UTC().Format(time.RFC3339)
		}
		err := table.Row(e.Path, e.Verb, e.State, hash(e.ConfigHash), hash(e.Data), e.Seed, e.Backend, started,
			e.Seconds, figures(e.Figures, c.Format.Format), e.Note)
		if err != nil {
			return err
		}
	}
	return table.Close()
}

// figures spells the key figures, as an object in json.
func figures(v number.Values, format string) any {
	if format == "json" {
		return v
	}
	var words []string
	const most = 5 // on a screen
	for i, name := range v.Names {
		digits := -1
		if format == "table" {
			if digits = 4; i == most {
				words = append(words, "...")
				break
			}
		}
		words = append(words, strings.ReplaceAll(name, " ", ":")+"="+strconv.FormatFloat(v.Numbers[i], 'g', digits, 64))
	}
	return strings.Join(words, " ")
}
