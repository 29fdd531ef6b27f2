package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vaefolio/scripts/internal/timeless"
	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// checkAgain makes the files of the run again from its configuration, its prices and
// its trained network, and compares their bytes: portfolios, tables, pictures and
// report follow from these. The network alone is taken as it is, with the history of
// its training.
func (f *folder) checkAgain(ctx context.Context) error {
	files := []string{"config.toml", "history.csv", f.inModel("model.json"), f.inModel("model.safetensors")}
	m := f.manifest
	what := fmt.Sprint("again ", m.Commit, m.Go, m.GOOS, m.GOARCH, m.Modules) // which the report has, too
	made, err := recall(f, what, files, func() (map[string][]byte, error) { return f.again(ctx) })
	if err != nil {
		return err
	}
	return f.compareFiles(made, again)
}

// comparing says which files are left out, and what of others.
type comparing struct {
	skipped func(name string) bool
	equal   func(name string, a, b []byte) bool
}

// again are files that were made again in this program.
var again = comparing{
	skipped: func(name string) bool {
		base := filepath.Base(name)
		return name == "config.toml" || strings.HasPrefix(base, "events.out.") || isProfile(name)
	},
	equal: equalButForTimes,
}

// isProfile says whether a file is one of those that -profile adds.
func isProfile(name string) bool { return name == "cpu.pprof" || name == "heap.pprof" }

// compareFiles compares the files of the run with those that were made again.
func (f *folder) compareFiles(made map[string][]byte, by comparing) error {
	names := slices.Collect(maps.Keys(f.manifest.Files))
	for name := range made {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if by.skipped(name) {
			continue
		}
		want, ok := made[name]
		got, err := f.read(name)
		switch {
		case err != nil:
			f.add(name, "made again", differs, nil, sha(want))
		case !ok:
			f.add(name, "made again", differs, sha(got), nil)
		case by.equal(name, got, want):
			f.add(name, "made again", same, sha(got), sha(got))
		default:
			f.add(name, "made again", differs, sha(got), sha(want)+difference(got, want))
		}
	}
	return nil
}

// difference tells of the first line in which texts differ.
func difference(a, b []byte) string {
	if bytes.IndexByte(a, 0) >= 0 || bytes.IndexByte(b, 0) >= 0 {
		return ""
	}
	x, y := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf(" (line %d)", i+1)
		}
	}
	return fmt.Sprintf(" (%d lines, %d recomputed)", len(x), len(y))
}

// equalButForTimes compares the bytes of a file, of summary.json those of all but the
// times: these the history has that all is made of.
func equalButForTimes(name string, a, b []byte) bool {
	switch filepath.Base(name) {
	case "summary.json":
		return timeless.EqualSummaries(a, b)
	case "report.html":
		return timeless.EqualReports(a, b)
	}
	return bytes.Equal(a, b)
}

// again runs the pipeline in a folder of its own, with the trained network.
func (f *folder) again(ctx context.Context) (map[string][]byte, error) {
	in, err := f.inputs()
	if err != nil {
		return nil, err
	}
	c := in.config
	history, err := f.history("history.csv", c.Schedule.Patience)
	if err != nil {
		return nil, err
	}
	backend, err := vae.Open(f.manifest.Backend)
	if err != nil {
		return nil, fmt.Errorf("the run was made on %s, which isn't here: %w", f.manifest.Backend, err)
	}
	defer backend.Close()
	network, err := vae.Load(backend, f.path("model"))
	if err != nil {
		return nil, err
	}
	settings, err := c.Figures.Settings(f.io, in.data.Window, 0)
	if err != nil {
		return nil, err
	}
	input := experiment.Input{
		Window: in.data.Window, Cleaning: in.data.Cleaning, Dropped: in.data.Dropped, Sectors: in.sectors, Set: in.set,
		Metrics: settings, Seed: c.Seed, Backend: backend, Source: c.Prices.Source(),
		Notes: slices.Concat(in.data.Notes, c.Told(in.data.Window)), Synthetic: in.data.Synthetic,
		Repeat: []string{in.command},
		Made:   experiment.Made{Training: &trained.Training{Network: network, History: history}, Manifest: f.manifest},
	}
	return f.inFolder(func(folder *run.Run) error {
		_, err := experiment.Pipeline(ctx, folder, input, c.Settings)
		return err
	})
}

// inFolder makes files in a folder of their own, and returns them by their names.
func (f *folder) inFolder(do func(folder *run.Run) error) (files map[string][]byte, err error) {
	dir, err := os.MkdirTemp("", "verify-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	config, err := f.read("config.toml")
	if err != nil {
		return nil, err
	}
	m := f.manifest
	folder, err := run.Open(filepath.Join(dir, "run"), run.Spec{
		Verb: m.Verb, Config: config, Data: m.Data, Seed: m.Seed, Backend: m.Backend,
	}, false)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	if err := do(folder); err != nil {
		return nil, err
	}
	if err := folder.Finish(); err != nil {
		return nil, err
	}
	made, err := run.ReadManifest(folder.Dir())
	if err != nil {
		return nil, err
	}
	return contents(folder.Dir(), made)
}
