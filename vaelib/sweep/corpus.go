package sweep

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
)

// CorporaFolder holds a sweep's training sets, each in a folder named by what
// it is made from.
const CorporaFolder = "corpora"

// trainingSet is a training set before it is made.
type trainingSet struct {
	id      string // hash of all that shapes it
	note    string // which lookbacks are left out, if any
	window  *market.Window
	set     simplex.Set
	sectors *market.Sectors
	config  corpus.Config
}

// trainingSet says what training set the trial learns from.
func (t *Trial) trainingSet() (*trainingSet, error) {
	if t.Corpus.Validation == 0 {
		return nil, errors.New("nothing is held out, on which a model could be judged: give a validation share above 0")
	}
	seed := t.CorpusSeed
	if seed == 0 {
		seed = t.Seed
	}
	s := &trainingSet{set: t.Set, sectors: t.Sectors, config: t.Corpus}
	s.config.Seed, s.config.PeriodsPerYear = seed, t.PeriodsPerYear
	if err := s.reach(t); err != nil {
		return nil, fmt.Errorf("training set: %w", err)
	}
	embargo := t.Embargo
	if embargo < 0 {
		embargo = s.config.LongestLookback()
	}
	var err error
	if s.window, _, err = t.Window.Split(t.Split, embargo); err != nil {
		return nil, err
	}
	if err := s.config.Check(s.window, s.set); err != nil {
		return nil, fmt.Errorf("training set: %w", err)
	}
	identity := fmt.Sprintf("%s %+v %+v", s.window.Hash(), s.config, s.set)
	if s.sectors != nil {
		for _, sector := range s.sectors.Names {
			for _, symbol := range s.window.Symbols {
				identity += fmt.Sprintf(" %s %s %v", sector, symbol, s.sectors.Share(symbol, sector))
			}
		}
	}
	s.id = run.Hash([]byte(identity))[:idLength]
	return s, nil
}

// reach leaves out the lookbacks that the trial's in-sample part doesn't hold.
func (s *trainingSet) reach(t *Trial) error {
	in, _, err := t.Window.Split(t.Split, max(0, t.Embargo))
	if err != nil {
		return err
	}
	fitting := s.config // with defaults filled in, which are no part of the identity
	if s.note, err = fitting.Reach(len(in.Times), t.Embargo < 0); s.note != "" {
		s.config.Lookbacks = fitting.Lookbacks
	}
	return err
}

// lockPoll is how often a folder in which another process works is looked at.
const lockPoll = 100 * time.Millisecond

// make builds the training set in dir, unless it is there. Where another
// process builds it, make waits.
func (s *trainingSet) make(ctx context.Context, dir string, progress func(done, total int, note string)) error {
	spec := run.Spec{Verb: "corpus", Config: fmt.Appendf(nil, "id = %q\n", s.id), Data: s.window.Hash(),
		Funding: s.window.Funded, Seed: s.config.Seed}
	folder, err := openRun(ctx, dir, spec, true)
	var done *run.AlreadyDone
	if errors.As(err, &done) {
		return nil
	}
	if err != nil {
		return err
	}
	defer folder.Close()
	made, err := corpus.Build(ctx, s.window, s.set, s.sectors, s.config, progress)
	if err != nil {
		return fmt.Errorf("training set: %w", err)
	}
	if err := made.Write(dir); err != nil {
		return err
	}
	return folder.Finish()
}

// readTrainingSet reads the rows to learn from and those held out, and what a
// conditional model is told of them.
func readTrainingSet(dir string, symbols []string, s Settings) (*trained.Data, error) {
	options := trained.ReadOptions{Symbols: symbols}
	if s.Conditional {
		options.Conditions, options.Conditioning = filepath.Join(dir, corpus.ConditionsFile), s.Conditioning
	}
	path := filepath.Join(dir, corpus.WeightsFile)
	data, err := trained.ReadData(path, options)
	if err == nil && data.HeldOut == nil {
		return nil, fmt.Errorf("%s: fewer than 2 of its rows are held out: make more portfolios, or, where it has "+
			"no %s beside it, "+
			"remove the folder and run the sweep again", path, corpus.ProvenanceFile)
	}
	return data, err
}
