package experiment

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"vaefolio/vaelib/backtest"
	"vaefolio/vaelib/run"
)

// BacktestFiles are the names of the files that [Backtest] writes, figures by a
// pattern.
func BacktestFiles() []string {
	return []string{ReturnsFile, "trials.csv", "paths.csv", "choices.csv", BenchmarkFile, WeightsFile, SummaryFile,
		ReportFile, FiguresFolder + "/*.png", DecisionsFolder + "/*.json"}
}

// writeTracks writes the files of returns and of weights, and leaves of the first path the
// strategies' own tracks.
func writeTracks(folder *run.Run, paths []*backtest.Result, settings *BacktestSettings) error {
	all := *paths[0]
	paths[0].Tracks = all.Tracks[:len(settings.Strategies)]
	further := slices.Clone(all.Tracks[len(settings.Strategies):])
	for name, write := range map[string]func(io.Writer) error{
		ReturnsFile:  func(w io.Writer) error { return writeReturns(w, paths[0]) },
		"trials.csv": func(w io.Writer) error { return writeReturns(w, &all) },
		WeightsFile:  func(w io.Writer) error { return writeRebalances(w, paths[0]) },
	} {
		if err := run.WriteFile(folder.Path(name), write); err != nil {
			return err
		}
	}
	if settings.Groups > 0 {
		all := joined(paths)
		err := run.WriteFile(folder.Path("paths.csv"), func(w io.Writer) error { return writeReturns(w, all) })
		if err != nil {
			return err
		}
		for k, track := range all.Tracks {
			if k%len(paths) > 0 {
				further = append(further, track)
			}
		}
	}
	return writeChoices(folder, paths[0].Symbols, further)
}

// joined puts the strategies of all paths beside each other.
func joined(paths []*backtest.Result) *backtest.Result {
	all := *paths[0]
	all.Tracks = nil
	for k := range paths[0].Tracks {
		for p, path := range paths {
			track := path.Tracks[k]
			track.Name = fmt.Sprintf("%s path %d", track.Name, p+1)
			all.Tracks = append(all.Tracks, track)
		}
	}
	return &all
}

func writeReturns(w io.Writer, result *backtest.Result) error {
	header := []string{"date"}
	for _, track := range result.Tracks {
		header = append(header, track.Name)
	}
	return run.WriteCSV(w, header, func(write func(cells ...string)) {
		for t, end := range result.Times {
			record := []string{stamp(end)}
			for _, track := range result.Tracks {
				record = append(record, strconv.FormatFloat(track.Returns[t], 'g', -1, 64))
			}
			write(record...)
		}
	})
}

func writeRebalances(w io.Writer, result *backtest.Result) error {
	return writeWeights(w, result, func(*backtest.Track, int) bool { return true })
}

// writeChoices writes choices.csv where there are tracks besides the strategies' own:
// those of their rebalances that are not to the weights of the one before.
func writeChoices(folder *run.Run, symbols []string, tracks []backtest.Track) error {
	if len(tracks) == 0 {
		return nil
	}
	further := &backtest.Result{Symbols: symbols, Tracks: tracks}
	return run.WriteFile(folder.Path("choices.csv"), func(w io.Writer) error {
		return writeWeights(w, further, func(t *backtest.Track, i int) bool {
			return i == 0 || !slices.Equal(t.Rebalances[i].Weights, t.Rebalances[i-1].Weights)
		})
	})
}

func writeWeights(w io.Writer, result *backtest.Result, has func(t *backtest.Track, i int) bool) error {
	header := append([]string{"strategy", "date"}, result.Symbols...)
	return run.WriteCSV(w, header, func(write func(cells ...string)) {
		for k := range result.Tracks {
			track := &result.Tracks[k]
			for i, r := range track.Rebalances {
				if !has(track, i) {
					continue
				}
				record := []string{track.Name, stamp(r.Time)}
				for _, x := range r.Weights {
					record = append(record, strconv.FormatFloat(x, 'g', -1, 64))
				}
				write(record...)
			}
		}
	})
}

// stamp writes a time as prices files do: a date where it is one.
func stamp(t time.Time) string {
	t = t.UTC()
	if t.Equal(t.Truncate(24 * time.Hour)) {
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339)
}
