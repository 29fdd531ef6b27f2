package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"

	"vaefolio/vaelib/vae"
)

// workload is one thing to measure, done by several contenders.
type workload struct {
	group, name string
	unit        string // what a rate counts
	contenders  func(ctx context.Context, b *bed) ([]contender, error)
}

// workloads are all there are, in the order of the table.
var workloads = slices.Concat(
	[]workload{
		{"train", "train-128", "samples", trainers(small, 128)},
		{"train", "train-1024", "samples", trainers(small, 1024)},
		{"train", "train-8192", "samples", trainers(small, 8192)},
		{"train", "train-large-128", "samples", trainers(large, 128)},
		{"train", "train-large-1024", "samples", trainers(large, 1024)},
		{"train", "train-large-8192", "samples", trainers(large, 8192)},
		{"train", "train-sets-128", "samples", setTrainers},
	},
	[]workload{
		{"evaluate", "evaluate", "portfolios", evaluators},
		{"project", "project-40", "projections", projectors(40, 256)},
		{"project", "project-500", "projections", projectors(500, 32)},
		{"project", "project-sectors-12", "projections", sectorProjector(12, 3, 128)},
		{"project", "project-sectors-40", "projections", sectorProjector(40, 8, 128)},
		{"project", "project-sectors-200", "projections", sectorProjector(200, 20, 32)},
	},
	solvers(),
	[]workload{{"solve", "frontier-40", "frontiers", frontiers(40)}},
	[]workload{{"generate", "generate", "portfolios", generators}},
)

// contender is one way to do a workload.
type contender struct {
	name   string
	versus string // the contender that the ratio refers to; "" means the first
	// missing says why it takes no part.
	missing string
	// answer is what it computes, to be compared with that of versus; nil where
	// there is nothing to compare.
	answer []float64
	turn   turn
}

// result is what came out for one contender.
type result struct {
	workload, unit, contender string
	rounds                    int
	rate                      summary // units a second; NaN without rounds
	versus                    string  // "" where there is no ratio
	ratio                     summary
	difference                float64 // of its answer from that of versus; NaN: nothing to compare
	note                      string
}

// bed is what the workloads share: the seed, the backends and the peers.
type bed struct {
	seed     uint64
	python   string // path, or "" where there is none
	noPython string // why there is none
	peers    map[string]*peer

	backend  string // as given by the user
	goEngine *vae.Backend
	gomlx    compute.Backend // the same engine, for GoMLX's own training loop
	xla      *vae.Backend    // nil where there is none
	noXLA    string          // why
}

func newBed(python, backend string, seed uint64) *bed {
	b := &bed{seed: seed, backend: backend, peers: map[string]*peer{}}
	b.python, b.noPython = findPython(python)
	return b
}

func (b *bed) close() {
	for _, p := range b.peers {
		p.stop()
	}
	for _, e := range []*vae.Backend{b.goEngine, b.xla} {
		if e != nil {
			_ = e.Close() // the process ends
		}
	}
	if b.gomlx != nil {
		b.gomlx.Finalize()
	}
}

// versions lists what the peers said of themselves, in order.
func (b *bed) versions() []string {
	var versions []string
	for _, p := range b.peers {
		if p.version != "" {
			versions = append(versions, p.version)
		}
	}
	slices.Sort(versions)
	return versions
}

// measure lets the contenders of a workload take turns. A contender that fails
// is left out from then on, and its result says why.
func (b *bed) measure(ctx context.Context, w workload, c *config) ([]result, error) {
	contenders, err := w.contenders(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", w.name, err)
	}
	rates := make([][]float64, len(contenders))
	for round := range c.Rounds {
		for i := range contenders {
			i = (i + round) % len(contenders)
			contender := &contenders[i]
			if contender.missing != "" {
				continue
			}
			runtime.GC()
			s, err := contender.turn(ctx, c.Seconds)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				contender.missing = err.Error()
				continue
			}
			rates[i] = append(rates[i], s.rate(c.Clock))
		}
	}
	return judge(w, contenders, rates), nil
}

// judge turns the rates of the rounds into results.
func judge(w workload, contenders []contender, rates [][]float64) []result {
	results := make([]result, len(contenders))
	for i, c := range contenders {
		r := result{workload: w.name, unit: w.unit, contender: c.name, rate: nothing, ratio: nothing,
			difference: nothing.median, note: c.missing}
		if c.missing == "" {
			r.rounds, r.rate = len(rates[i]), summarise(rates[i])
			if against := opponent(contenders, i); against != i {
				r.versus, r.ratio = contenders[against].name, summarise(ratios(rates[i], rates[against]))
				if c.answer != nil && contenders[against].answer != nil {
					r.difference = difference(c.answer, contenders[against].answer)
				}
			}
		}
		results[i] = r
	}
	return results
}

// opponent is the index of the contender that i is compared with: the one it
// names where that took part, else the first that did.
func opponent(contenders []contender, i int) int {
	first := i
	for j, c := range contenders {
		if c.missing != "" {
			continue
		}
		if c.name == contenders[i].versus {
			return j
		}
		first = min(first, j)
	}
	return first
}

// engines opens the Go backend and, where it is wanted and there is one, XLA.
func (b *bed) engines() error {
	if b.goEngine != nil {
		return nil
	}
	var err error
	if b.goEngine, err = vae.Open("go"); err != nil {
		return err
	}
	if b.gomlx, err = gobackend.New("ops_sequential"); err != nil {
		return err
	}
	name := b.backend
	switch name {
	case "go":
		b.noXLA = "left out: -backend go"
		return nil
	case "auto":
		name = "xla"
	}
	if b.xla, err = vae.Open(name); err != nil {
		b.noXLA = err.Error()
		if b.backend != "auto" {
			return err
		}
	}
	return nil
}
