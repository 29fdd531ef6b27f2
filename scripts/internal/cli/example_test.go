package cli_test

import (
	"context"
	"os"

	"vaefolio/scripts/internal/cli"
)

func Example() {
	type config struct {
		Count int    `flag:"count" range:"[1,9]" default:"2" help:"how many"`
		Side  string `flag:"side" choice:"left|right" default:"left" help:"where"`
		cli.Format
		cli.Common
	}
	verb := cli.Verb[config]{
		Name:    "list",
		Summary: "numbers and where they are",
		Example: "list -count 3 -format json",
		Run: func(_ context.Context, c *config, io *cli.IO) error {
			table := io.Table(c.Format.Format, cli.Column{Name: "number"}, cli.Column{Name: "side"})
			for i := range c.Count {
				if err := table.Row(i+1, c.Side); err != nil {
					return err
				}
			}
			return table.Close()
		},
	}
	verb.Execute(context.Background(), []string{"-side", "right"}, os.Stdout, os.Stdout)
	verb.Execute(context.Background(), []string{"-count=1", "-format=json"}, os.Stdout, os.Stdout)
	verb.Execute(context.Background(), []string{"-side", "rigth"}, os.Stdout, os.Stdout)
	// Output:
	// number   side
	// 1       right
	// 2       right
	// [
	//   {"number": 1, "side": "left"}
	// ]
	// list: -side: "rigth" is not one of left, right: did you mean right? (list -h lists all flags)
}
