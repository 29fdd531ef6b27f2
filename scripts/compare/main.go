// Command compare sets runs, or tracks of returns, side by side.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/compare"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
)

type config struct {
	Inputs           []string `arg:"run" unit:"PATH" required:"true" help:"the folders of runs, or files of returns with one column a strategy and perhaps a first column date"`
	Tracks           []string `flag:"tracks" unit:"A,B" help:"the tracks to compare, in this order; without it all"`
	Log              string   `flag:"trial-log" unit:"DIR" help:"a folder of runs, all of whose tracks over the same periods count as trials, whatever became of them"`
	compare.Settings `title:"Comparison"`
	cli.Figures
	cli.Format `title:"Output"`
	Of         string `flag:"of" choice:"rows|pairs|against|differences" default:"rows" only:"format=csv|parquet" record:"-" help:"what csv and parquet list: the tracks, every two of them, each beside the one of -against, or in what the runs differ; json has all"`
	cli.Common
}

var verb = cli.Verb[config]{
	Name:    "compare",
	Summary: "runs or tracks of returns side by side: figures with intervals, tests of every difference, skill or luck",
	Example: `
		compare runs/backtest
		compare runs/a runs/b -format json
		compare returns.csv other.csv -against equal-weight -pbo 16 -format json`,
	Default: config{Settings: compare.DefaultSettings()},
	Run:     sideBySide,
}

func main() { cli.Main(verb) }

// Validate returns an error for a list that there is nothing for.
func (c *config) Validate() error {
	if c.Of == "against" && c.Against == "" {
		return errors.New("-of against lists the tracks beside that of -against NAME: give it")
	}
	return nil
}

func sideBySide(ctx context.Context, c *config, io *cli.IO) error {
	tracks, folders, err := read(c.Inputs)
	if err != nil {
		return err
	}
	var trials []*compare.Tracks
	for _, f := range folders {
		if f.Trials != nil {
			trials = append(trials, f.Trials)
		}
	}
	result := &compare.Result{Rows: []compare.Row{}, Pairs: []compare.Pair{}, Notes: []string{}}
	if len(tracks) > 0 {
		if result, err = compareTracks(ctx, c, io, tracks, trials); err != nil {
			return err
		}
	} else if c.Blocks > 0 {
		return fmt.Errorf("-pbo: none of the runs has a returns.csv, from which overfitting could be told: give runs " +
			"of backtest, or files of returns")
	}
	for _, f := range folders {
		result.Notes = append(result.Notes, f.Notes...)
		if f.Tracks == nil {
			result.Notes = append(result.Notes, f.Dir+": no returns.csv: only configuration and figures are compared")
		}
	}
	if len(folders) > 1 {
		result.Config, result.Data, result.Summary = compare.Differences(folders)
		if len(result.Config) == 0 && len(result.Data) == 0 && len(result.Summary) == 0 {
			result.Notes = append(result.Notes, "the runs have the same configuration, data and figures")
		}
	}
	if len(folders) == 1 && len(tracks) == 0 {
		return fmt.Errorf("%s has no returns, so that there is nothing to compare: give a second run, whose settings "+
			"and figures it is set beside", folders[0].Dir)
	}
	for i, path := range c.Inputs {
		if slices.Contains(c.Inputs[:i], path) {
			result.Notes = append(result.Notes, path+" is given twice: it is compared with itself")
		}
	}
	for _, note := range result.Notes {
		io.Note("%s", note)
	}
	return print(c, io, result, folders)
}

// read reads the inputs: the tracks of all, and those that are folders.
func read(inputs []string) (tracks []*compare.Tracks, folders []*compare.Folder, err error) {
	for _, path := range inputs {
		info, err := os.Stat(path)
		if err != nil || !info.IsDir() {
			t, err := compare.ReadTracks(path)
			if err != nil {
				return nil, nil, err
			}
			tracks = append(tracks, t)
			continue
		}
		f, err := compare.ReadFolder(path)
		if err != nil {
			return nil, nil, err
		}
		if folders = append(folders, f); f.Tracks != nil {
			tracks = append(tracks, f.Tracks)
		}
	}
	return tracks, folders, nil
}

// compareTracks compares the tracks of all inputs; trials are what their runs
// looked at besides.
func compareTracks(ctx context.Context, c *config, io *cli.IO, all, trials []*compare.Tracks) (*compare.Result,
	error) {
	tracks, err := compare.Join(all)
	if err != nil {
		return nil, err
	}
	whole := tracks
	if len(c.Tracks) > 0 {
		if tracks, err = tracks.Choose(c.Tracks); err != nil {
			return nil, cli.Usagef("-tracks: %w", err)
		}
	}
	settings, note, err := annual(c, io, tracks)
	if err != nil {
		return nil, err
	}
	logged, err := logged(c.Log)
	if err != nil {
		return nil, err
	}
	others := []*compare.Tracks{whole}
	for _, t := range append(trials, logged...) {
		if cut, ok := t.Over(tracks); ok {
			others = append(others, cut)
		}
	}
	s := c.Settings
	s.Seed = c.Common.Seed
	io.Progress("comparing")
	result, err := compare.Run(ctx, tracks, settings, s, others...)
	if err == nil && note != "" {
		result.Notes = append(result.Notes, note)
	}
	return result, err
}

// annual says how figures are computed, and how the year was found where neither
// a flag nor a time tells.
func annual(c *config, io *cli.IO, t *compare.Tracks) (settings metrics.Settings, note string, err error) {
	figures := c.Figures
	window := &market.Window{Times: t.Times}
	if figures.PeriodsPerYear == 0 {
		switch {
		case t.PeriodsPerYear > 0:
			figures.PeriodsPerYear = t.PeriodsPerYear
			note = fmt.Sprintf("periods per year: %v (as the run has it)", t.PeriodsPerYear)
		case t.Times == nil:
			figures.PeriodsPerYear = 1
			note = "periods per year: 1 (the returns have no dates): all figures are per period; " +
				"-periods-per-year overrules"
		default:
			settings, err = figures.Settings(io, window, c.Level)
			return settings, "", err
		}
	}
	return metrics.Settings{
		PeriodsPerYear: figures.PeriodsPerYear, RiskFree: figures.RiskFree, MAR: figures.MAR, Level: c.Level,
		Convention: figures.Convention,
	}, note, nil
}

// logged reads the tracks of all runs in a folder.
func logged(dir string) ([]*compare.Tracks, error) {
	if dir == "" {
		return nil, nil
	}
	entries, err := compare.List(dir)
	if err != nil {
		return nil, fmt.Errorf("-trial-log: %w", err)
	}
	var all []*compare.Tracks
	for _, e := range entries {
		f, err := compare.ReadFolder(filepath.Join(dir, filepath.FromSlash(e.Path)))
		if err != nil {
			return nil, fmt.Errorf("-trial-log: %w", err)
		}
		for _, t := range []*compare.Tracks{f.Tracks, f.Trials} {
			if t != nil {
				all = append(all, t)
			}
		}
	}
	return all, nil
}

func print(c *config, io *cli.IO, r *compare.Result, folders []*compare.Folder) error {
	dirs := []string{}
	for _, f := range folders {
		dirs = append(dirs, f.Dir)
	}
	switch format := c.Format.Format; {
	case format == "json":
		return io.JSON(r)
	case format != "table" && c.Of == "pairs":
		return printPairs(io, format, r.Pairs)
	case format != "table" && c.Of == "against":
		return printAgainst(io, format, r.Rows)
	case format != "table" && c.Of == "differences":
		return printDifferences(io, format, dirs, slices.Concat(r.Config, r.Data))
	case format != "table":
		return printRows(io, format, r.Rows)
	}
	if len(r.Rows) > 0 {
		if err := printRows(io, "table", r.Rows); err != nil {
			return err
		}
	}
	if pairs := few(r); len(pairs) > 0 {
		fmt.Fprintln(io.Stdout)
		if err := printPairs(io, "table", pairs); err != nil {
			return err
		}
	}
	if c.Against != "" && len(r.Rows) > 1 {
		fmt.Fprintf(io.Stdout, "\nagainst %s\n", c.Against)
		if err := printAgainst(io, "table", r.Rows); err != nil {
			return err
		}
	}
	printVerdicts(io, r)
	if len(folders) > 1 {
		fmt.Fprintln(io.Stdout)
		return printDifferences(io, "table", dirs, slices.Concat(r.Config, r.Data, spelled(r.Summary)))
	}
	return nil
}
