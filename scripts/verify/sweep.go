package main

import (
	"context"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"vaefolio/vaelib/run"
)

var wholeSweepChecks = []check{
	{"sweep.json", (*folder).checkPlan},
	{"sweep.json", (*folder).checkSweepFiles},
	{"runs", (*folder).checkSweptRuns},
	{"results.csv", (*folder).checkResults},
	{"timings.csv", (*folder).checkTimings},
	{"corpora", (*folder).checkCorpora},
	{"markets", (*folder).checkMarkets},
	{"report.html", (*folder).checkMerged},
}

// sweepPlan is sweep.json.
type sweepPlan struct {
	Kind      string       `json:"kind"`
	Synthetic bool         `json:"synthetic"`
	Axes      []string     `json:"axes"`
	Runs      []plannedRun `json:"runs"`
}

type plannedRun struct {
	ID     string   `json:"id"`
	Point  []string `json:"point"`
	Corpus string   `json:"corpus"`
	Seed   uint64   `json:"seed"`
}

// sweepEngine is backend.json.
type sweepEngine struct {
	Backend string `json:"backend"`
	Plugin  string `json:"plugin"`
	GOARCH  string `json:"goarch"`
}

func (f *folder) plan() (*sweepPlan, error) {
	p := new(sweepPlan)
	return p, f.json("sweep.json", p)
}

// done says whether a run is finished.
func (f *folder) done(r plannedRun) bool {
	m, err := run.ReadManifest(f.path(inRuns(r.ID, "")))
	return err == nil && m.Finished != nil
}

// sweptIn is what a run of the sweep was made from.
func (f *folder) sweptIn(r plannedRun) (*swept, error) {
	p := &folder{dir: f.path(inRuns(r.ID, "")), io: f.io, memo: f.memo, manifest: &run.Manifest{Verb: "sweep"}}
	return p.swept()
}

// checkPlan compares the list of runs with their configurations. A grid, with axes
// that go together and seeds, has each value of an axis as often as its others: a run
// that is left out is missed.
func (f *folder) checkPlan(context.Context) error {
	const file = "sweep.json"
	p, err := f.plan()
	if err != nil {
		return err
	}
	f.equal(file, "kind", p.Kind, "vaefolio sweep")
	var e sweepEngine
	if err := f.json("backend.json", &e); err != nil {
		return err
	}
	synthetic := false
	counts := make([]map[string]int, len(p.Axes))
	for k := range counts {
		counts[k] = map[string]int{}
	}
	for _, r := range p.Runs {
		if len(r.Point) != len(p.Axes) || r.ID == "" || path.Base(r.ID) != r.ID {
			return fmt.Errorf("%s: run %q has %d values on %d axes", file, r.ID, len(r.Point), len(p.Axes))
		}
		for k, value := range r.Point {
			counts[k][value]++
		}
		if !f.done(r) {
			continue
		}
		s, err := f.sweptIn(r)
		if err != nil {
			return err
		}
		synthetic = synthetic || s.data.Synthetic
		f.equal(file, "seed of "+r.ID, r.Seed, s.config.Seed)
		f.equal(file, "corpus of "+r.ID, r.Corpus, s.corpus)
		if err := f.checkPoint(p, r); err != nil {
			return err
		}
		m, err := run.ReadManifest(f.path(inRuns(r.ID, "")))
		if err != nil {
			return err
		}
		f.equal("backend.json", "that of "+r.ID, e, sweepEngine{m.Backend, m.Plugin, m.GOARCH})
	}
	f.equal(file, "synthetic", p.Synthetic, synthetic)
	for k, axis := range p.Axes {
		often := slices.Collect(maps.Values(counts[k]))
		f.equal(file, "every value of "+axis+" as often as its others", slices.Max(often), slices.Min(often))
	}
	return nil
}

// checkPoint compares a run's place on the axes with its configuration.
func (f *folder) checkPoint(p *sweepPlan, r plannedRun) error {
	config, err := f.read(inRuns(r.ID, "config.toml"))
	if err != nil {
		return err
	}
	for k, axis := range p.Axes {
		m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(axis) + ` = (.*)$`).FindSubmatch(config)
		if m == nil {
			return fmt.Errorf("%s has no %s", inRuns(r.ID, "config.toml"), axis)
		}
		f.equal("sweep.json", axis+" of "+r.ID, plainValue(r.Point[k]), plainValue(string(m[1])))
	}
	return nil
}

// plainValue is a value of a flag, or of a configuration, in one form for both.
func plainValue(text string) string {
	text = strings.NewReplacer("[", "", "]", "", `"`, "", " ", "").Replace(text)
	parts := strings.Split(text, ",")
	for i, part := range parts {
		if x, err := strconv.ParseFloat(part, 64); err == nil {
			parts[i] = strconv.FormatFloat(x, 'g', -1, 64)
		}
	}
	return strings.Join(parts, ",")
}

// checkSweepFiles compares what is in the folder with what belongs to it.
func (f *folder) checkSweepFiles(context.Context) error {
	p, err := f.plan()
	if err != nil {
		return err
	}
	listed := []string{"sweep.json", "backend.json", "results.csv", "timings.csv", "returns.csv", "report.html",
		"figures/sharpe.png", "figures/faithful.png", ".sweep.lock"}
	for _, r := range p.Runs {
		listed = append(listed, inRuns(r.ID, "")[:len("runs/")+len(r.ID)])
		if corpus := "corpora/" + r.Corpus; !slices.Contains(listed, corpus) {
			listed = append(listed, corpus)
		}
		if s, err := f.sweptIn(r); err == nil {
			listed = append(listed, s.marketFile())
		}
	}
	return f.checkOnly(listed, "sweep.json")
}

// checkSweptRuns looks at every run.
func (f *folder) checkSweptRuns(ctx context.Context) error {
	p, err := f.plan()
	if err != nil {
		return err
	}
	var e sweepEngine
	if err := f.json("backend.json", &e); err != nil {
		return err
	}
	for _, r := range p.Runs {
		name := path.Join("runs", r.ID)
		if !f.has(path.Join(name, manifestFile)) {
			f.add(name, "whole", unchecked, nil, "the run is missing: sweep run makes it")
			continue
		}
		if err := f.inside(ctx, name, &decided{r.Seed, e.Backend}, sweptChecks); err != nil {
			return err
		}
	}
	return nil
}
