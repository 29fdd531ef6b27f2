package trained

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vaefolio/vaelib/conditional"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/learnt"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/mixture"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/track"
	"vaefolio/vaelib/vae"
)

// Names in the folder of a model, beside those of packages vae and track.
const (
	networkFile     = "model.json" // of package vae, as parametersFile: what makes a folder a model's
	parametersFile  = "model.safetensors"
	aggregateFile   = "aggregate.json"
	twoStageFolder  = "two-stage"
	constraintsFile = "constraints.json"
	donorsFile      = "donors.json"
	conditionalFile = "conditional.json"
	neighboursFile  = "neighbours.json"
	ordersFile      = "orders.json"
	marketFile      = "market.json"
	timesFile       = "times.json"
	healthFile      = "health.json"
)

// innerFolder is where the folder of a larger run has its model.
const innerFolder = "model"

// Model is a trained network with what belongs to it.
type Model struct {
	Network   *vae.Model
	Aggregate *mixture.Mixture   // of the training codes, whatever the conditions; nil: none was fitted
	Second    *generate.TwoStage // a second VAE of them; nil: none was fitted
	// Given is the density of codes under conditions of a conditional model; nil: an
	// older folder, or another model.
	Given *conditional.Mixture
	// Near is another, by the posteriors of the training portfolios, from which a
	// conditional model draws; nil: an older folder, which draws from Given, or another
	// model.
	Near *conditional.Neighbours
	// Orders are how a conditional model's orders compare with held-out portfolios;
	// nil: it wasn't studied.
	Orders []conditional.Score
	Set    *simplex.Set     // that the training portfolios lie in; nil: unknown
	Donors *generate.Donors // of a conditional model; nil otherwise
	Market *corpus.Market   // how conditions of the market follow from returns; nil: it is told none
	// TrainedTo is the end of the last period of the prices that the portfolios were
	// made of, held-out ones included; zero: it isn't known.
	TrainedTo time.Time
	// Health is the verdict on the model by held-out rows; nil: nobody has judged it.
	Health *Health
	// Curves say to which server the training curves of a model that has just been
	// made went; zero: to none.
	Curves track.Options
	// Dir is the folder that the model was opened from or saved in last.
	Dir string

	over *SetModel // that the model was placed by; nil: none
	hash string    // of a model over sets, which has no file of this universe; "": none
}

// Names of the densities of codes that a model has.
const (
	Aggregate = "aggregate" // the Gaussian mixture fitted to the codes of the training portfolios, under conditions
	Prior     = "prior"     // N(0, I)
	TwoStage  = "two-stage" // the second VAE fitted to them
)

// Density returns a density of the model's codes by its name, of a conditional
// model one that draws under the conditions that a generator is under. It returns
// an error for one that the model lacks.
func (m *Model) Density(name string) (generate.Density, error) {
	lacks := func(what, remedy string) error {
		return fmt.Errorf("%s has no %s: train the model %s, or draw from another density", m.Dir, what, remedy)
	}
	switch {
	case name == Prior:
		return generate.Prior{}, nil
	case name == Aggregate && m.given() != nil:
		return m.given(), nil
	case name == Aggregate && m.Conditional():
		return nil, lacks(conditionalFile, "again by the train verb")
	case name == Aggregate && m.Aggregate != nil:
		return m.Aggregate, nil
	case name == Aggregate:
		return nil, lacks(aggregateFile, "by the train verb")
	case name == TwoStage && m.Second != nil && m.Conditional() && !m.Second.Conditional():
		return nil, lacks("second stage that knows of conditions", "again by the train verb with -two-stage")
	case name == TwoStage && m.Second != nil:
		return m.Second, nil
	case name == TwoStage:
		return nil, lacks("second stage", "by the train verb with -two-stage")
	}
	return nil, fmt.Errorf("unknown density %q: choose %s, %s or %s", name, Aggregate, Prior, TwoStage)
}

// given is the density of codes under conditions that a conditional model draws
// from; nil: it has none.
func (m *Model) given() generate.Density {
	switch {
	case m.Near != nil:
		return m.Near
	case m.Given != nil:
		return m.Given
	}
	return nil
}

// Symbols returns the names of the network's assets, in its order.
func (m *Model) Symbols() []string { return m.Network.Symbols() }

// ExplainSymbol adds to the error for a symbol that prices lack that the model
// holds it, which a suggestion of another symbol alone would hide.
func (m *Model) ExplainSymbol(err error) error {
	var unknown *market.SymbolError
	if !errors.As(err, &unknown) || !slices.Contains(m.Symbols(), unknown.Symbol) {
		return err
	}
	return fmt.Errorf("the model in %s holds %s, which the prices lack: give prices of all that it holds (%s): %w",
		m.Dir, unknown.Symbol, strings.Join(m.Symbols(), ", "), err)
}

// Files are the slashed names of the files that a training may write in a folder
// that lies at dir below that of a run; "" is the run's own.
func Files(dir string) []string {
	var names []string
	for _, name := range []string{
		networkFile, parametersFile, "training.safetensors", aggregateFile, constraintsFile, donorsFile, marketFile,
		conditionalFile, neighboursFile, ordersFile, timesFile, healthFile, track.EventFile,
		twoStageFolder + "/" + networkFile, twoStageFolder + "/" + parametersFile,
	} {
		names = append(names, path.Join(dir, name))
	}
	return names
}

// Hash returns the SHA-256 of the network's parameters as they lie in the folder.
func (m *Model) Hash() (string, error) {
	if m.hash != "" {
		return m.hash, nil
	}
	return run.HashFile(filepath.Join(m.Dir, parametersFile))
}

// Save writes the model into a folder, which it makes. A constraint set without
// symbols gets the network's.
func (m *Model) Save(dir string) error {
	m.Dir = dir
	if m.Set != nil && m.Set.Symbols == nil {
		named := *m.Set
		named.Symbols = m.Symbols()
		m.Set = &named
	}
	if err := m.Network.Save(dir); err != nil {
		return err
	}
	if m.Second != nil {
		if err := m.Second.Save(filepath.Join(dir, twoStageFolder)); err != nil {
			return err
		}
	}
	for _, part := range []struct {
		name string
		has  bool
		it   any
	}{
		{aggregateFile, m.Aggregate != nil, m.Aggregate},
		{constraintsFile, m.Set != nil, m.Set},
		{donorsFile, m.Donors != nil, m.Donors},
		{conditionalFile, m.Given != nil, m.Given},
		{neighboursFile, m.Near != nil, m.Near},
		{ordersFile, m.Orders != nil, m.Orders},
		{marketFile, m.Market != nil, m.Market},
		{timesFile, !m.TrainedTo.IsZero(), times{m.TrainedTo}},
	} {
		if part.has {
			if err := run.WriteJSON(filepath.Join(dir, part.name), part.it); err != nil {
				return err
			}
		}
	}
	return m.SaveHealth()
}

// locate returns the folder with the files of a model of one universe: dir itself, or the
// one inside it of a run of pipeline.
func locate(dir string) (string, error) {
	if exists(dir, setFile) {
		return "", fmt.Errorf("%s holds a model over sets of assets, which generate and train take: give a model of "+
			"one universe, which train -weights makes", dir)
	}
	if learnt.In(dir) {
		return "", fmt.Errorf("%s holds a learnt rule, which gives one portfolio and has no codes: optimize, "+
			"backtest and lab take it with -rule", dir)
	}
	if exists(dir, networkFile) {
		return dir, nil
	}
	if inner := filepath.Join(dir, innerFolder); exists(inner, networkFile) {
		return inner, nil
	}
	return "", fmt.Errorf("%s holds no model (%s): give a folder that train or pipeline has written", dir, networkFile)
}

// Open reads a model from its folder, or from that of a run that has it in a
// folder of its own, as a pipeline's. A part of it that an older folder lacks is
// nil; of a conditional model there have to be donors. It returns an error that
// names the file for one that is damaged or doesn't belong to the network.
func Open(backend *vae.Backend, dir string) (*Model, error) {
	m := &Model{}
	var err error
	if m.Dir, err = locate(dir); err != nil {
		return nil, err
	}
	if m.Network, err = vae.Load(backend, m.Dir); err != nil {
		if exists(m.Dir, decoderFile) {
			return nil, fmt.Errorf("%s is an export, for other programs: give the folder that it was made from", m.Dir)
		}
		return nil, err
	}
	if m.Symbols() == nil {
		return nil, fmt.Errorf("%s: the model has no symbols: train it again by the train verb", m.Dir)
	}
	if err := errors.Join(m.openAggregate(), m.openSet(), m.openTimes(), m.openHealth()); err != nil {
		return nil, err
	}
	if exists(m.Dir, twoStageFolder, networkFile) {
		if m.Second, err = generate.LoadTwoStage(backend, filepath.Join(m.Dir, twoStageFolder)); err != nil {
			return nil, err
		}
	}
	if len(m.Network.Config().Conditions) == 0 {
		return m, nil
	}
	if m.Donors, err = generate.ReadDonors(filepath.Join(m.Dir, donorsFile), m.Network.Config()); err != nil {
		return nil, err
	}
	if m.Market, err = corpus.ReadMarket(filepath.Join(m.Dir, marketFile)); err != nil {
		return nil, err
	}
	return m, errors.Join(m.openGiven(), m.openOrders())
}

// openGiven reads the densities of codes under conditions.
func (m *Model) openGiven() error {
	path := filepath.Join(m.Dir, conditionalFile)
	var given conditional.Mixture
	found, err := readJSON(path, &given)
	if err != nil || !found {
		return err
	}
	if err := given.Check(m.Network); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	m.Given = &given
	path = filepath.Join(m.Dir, neighboursFile)
	var near conditional.Neighbours
	if found, err = readJSON(path, &near); err != nil || !found {
		return err
	}
	if err := near.Check(m.Network); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	m.Near = &near
	return nil
}

// openOrders reads the study of the model's orders.
func (m *Model) openOrders() error {
	path := filepath.Join(m.Dir, ordersFile)
	var study []conditional.Score
	found, err := readJSON(path, &study)
	if err != nil || !found {
		return err
	}
	if len(study) == 0 {
		return fmt.Errorf("%s: a study without scores: train again", path)
	}
	m.Orders = study
	return nil
}

// exists says whether there is a file.
func exists(path ...string) bool {
	_, err := os.Stat(filepath.Join(path...))
	return err == nil
}

// openAggregate reads the mixture.
func (m *Model) openAggregate() error {
	var a mixture.Mixture
	found, err := readJSON(filepath.Join(m.Dir, aggregateFile), &a)
	if err != nil || !found {
		return err
	}
	if d := m.Network.Config().Latent; a.Dim() != d {
		return fmt.Errorf("%s: a mixture of %d dimensions for codes of %d",
			filepath.Join(m.Dir, aggregateFile), a.Dim(), d)
	}
	m.Aggregate = &a
	return nil
}

// openSet reads the constraint set.
func (m *Model) openSet() error {
	path := filepath.Join(m.Dir, constraintsFile)
	var s simplex.Set
	found, err := readJSON(path, &s)
	if err != nil || !found {
		return err
	}
	if err := sameAssets(&s, m.Symbols()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	m.Set = &s
	return nil
}

// readJSON decodes a file, and says whether there is one.
func readJSON(path string, to any) (found bool, err error) {
	text, err := run.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(text, to); err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	return true, nil
}

// times are what a model knows of the time of its data.
type times struct {
	To time.Time `json:"to"`
}

func (m *Model) openTimes() error {
	path := filepath.Join(m.Dir, timesFile)
	data, err := run.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var t times
	if err == nil {
		err = json.Unmarshal(data, &t)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	m.TrainedTo = t.To
	return nil
}
