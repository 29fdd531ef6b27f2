package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/run"
)

// checkCorpora makes the training sets again, and compares their bytes.
func (f *folder) checkCorpora(ctx context.Context) error {
	p, err := f.plan()
	if err != nil {
		return err
	}
	var seen []string
	for _, r := range p.Runs {
		if slices.Contains(seen, r.Corpus) || !f.done(r) {
			continue
		}
		seen = append(seen, r.Corpus)
		s, err := f.sweptIn(r)
		if err != nil {
			return err
		}
		name := path.Join("corpora", r.Corpus)
		if err := f.inside(ctx, name, &decided{seed: s.seed}, corpusChecks); err != nil {
			return err
		}
		config, err := f.read(path.Join(name, "config.toml"))
		if err != nil {
			return err
		}
		f.equal(path.Join(name, "config.toml"), "id", string(config), fmt.Sprintf("id = %q\n", s.corpus))
		made, err := recall(f, "corpus", []string{inRuns(r.ID, "config.toml")}, func() (map[string][]byte, error) {
			return s.makeCorpus(ctx)
		})
		if err != nil {
			return err
		}
		for _, file := range slices.Sorted(maps.Keys(made)) {
			if err := f.sameBytes(path.Join(name, file), made[file]); err != nil {
				return err
			}
		}
	}
	return nil
}

// makeCorpus makes the training set again in a folder of its own.
func (s *swept) makeCorpus(ctx context.Context) (map[string][]byte, error) {
	config := s.config.Corpus
	config.Seed, config.PeriodsPerYear = s.seed, s.perYear
	made, err := corpus.Build(ctx, s.in, s.set, s.sectors, config, nil)
	if err != nil {
		return nil, err
	}
	return written(made.Write)
}

// written are the files that write makes in a folder of their own.
func written(write func(dir string) error) (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "verify-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := write(dir); err != nil {
		return nil, err
	}
	return filesIn(dir)
}

// filesIn are the files of a folder and of those in it, by their names.
func filesIn(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	entries, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return nil, err
	}
	for _, at := range entries {
		name := filepath.Base(at)
		info, err := os.Stat(at)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			if files[name], err = run.ReadFile(at); err != nil {
				return nil, err
			}
			continue
		}
		inner, err := filesIn(at)
		if err != nil {
			return nil, err
		}
		for file, text := range inner {
			files[path.Join(name, file)] = text
		}
	}
	return files, nil
}

// sweptMarket is a file of what models are judged on.
type sweptMarket struct {
	Symbols        []string        `json:"symbols"`
	In             [][]float64     `json:"in"`
	Out            [][]float64     `json:"out"`
	Times          []string        `json:"times"`
	PeriodsPerYear float64         `json:"periods_per_year"`
	Set            json.RawMessage `json:"set"`
	Bound          any             `json:"bound"`
}

// market is the file, without the bound.
func (s *swept) market() *sweptMarket {
	set, _ := json.Marshal(s.set) // of plain numbers and names
	m := &sweptMarket{Symbols: s.in.Symbols, In: returns(s.in), Out: returns(s.out), PeriodsPerYear: s.perYear,
		Set: set}
	for _, at := range s.out.Times {
		m.Times = append(m.Times, at.Format("2006-01-02T15:04:05.999999999Z07:00"))
	}
	return m
}

// marketFile is its name, by its contents.
func (s *swept) marketFile() string {
	text, _ := json.Marshal(s.market())
	return path.Join("markets", hashParts(text)[:idLength]+".json")
}

// checkMarkets compares the returns that models are judged on with the prices.
func (f *folder) checkMarkets(ctx context.Context) error {
	p, err := f.plan()
	if err != nil {
		return err
	}
	for _, r := range p.Runs {
		if !f.done(r) {
			continue
		}
		s, err := f.sweptIn(r)
		if err != nil {
			return err
		}
		var m sweptMarket
		file := s.marketFile()
		if err := f.json(file, &m); err != nil {
			return err
		}
		if err := f.checkBound(ctx, file, m.Bound, s); err != nil {
			return err
		}
		var worth struct {
			Worth *worth `json:"worth"`
		}
		if err := f.json(inRuns(r.ID, "result.json"), &worth); err != nil {
			return err
		}
		if worth.Worth != nil {
			f.equal(inRuns(r.ID, "result.json"), "sharpe_bound", worth.Worth.Bound, m.Bound)
		}
		m.Bound = nil
		f.equal(file, "all", &m, s.market())
	}
	return nil
}
