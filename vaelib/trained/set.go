package trained

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/market"
	"vaefolio/vaelib/mixture"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

// setFile is the network of a model over sets of assets, beside aggregateFile.
const setFile = "set.safetensors"

// SetModel is a trained model over sets of assets with the density of its codes:
// what [Model] is for one universe.
type SetModel struct {
	Network   *vae.SetModel
	Aggregate *mixture.Mixture // of the training codes
	// Name is the folder that the model was opened from or saved in last, or says
	// that it is the built-in one.
	Name string
	hash string // SHA-256 of the network's file
}

// OverSets says whether the model in a folder is one over sets of assets, as the built-in
// one is, which "" stands for. It is an error where there is no model that [Open] or
// [OpenSet] would take, before a backend is opened for it.
func OverSets(dir string) (bool, error) {
	if dir == "" || exists(dir, setFile) {
		return true, nil
	}
	_, err := locate(dir)
	return false, err
}

// CheckSet returns an error unless a folder holds a model over sets, as [OverSets] says,
// before a backend is opened for it.
func CheckSet(dir string) error {
	over, err := OverSets(dir)
	if err == nil && !over {
		err = fmt.Errorf("the model in %s has assets of its own: give one over sets of assets, "+
			"which train -corpus makes", dir)
	}
	return err
}

// SetFiles are the names of the files that [MakeSet] may write in a run's folder.
func SetFiles() []string { return []string{setFile, aggregateFile, "training.safetensors"} }

// OpenSet reads a model over sets from its folder; "" is [BuiltIn].
func OpenSet(backend *vae.Backend, dir string) (*SetModel, error) {
	if dir == "" {
		return BuiltIn(backend)
	}
	m := &SetModel{Name: dir}
	var err error
	if m.Network, err = vae.LoadSet(backend, filepath.Join(dir, setFile)); err != nil {
		return nil, err
	}
	if m.hash, err = hashSet(dir); err != nil {
		return nil, err
	}
	text, err := run.ReadFile(filepath.Join(dir, aggregateFile))
	if err != nil {
		return nil, err
	}
	return m, m.read(text)
}

// read takes over the density of the codes.
func (m *SetModel) read(text []byte) error {
	m.Aggregate = new(mixture.Mixture)
	if err := json.Unmarshal(text, m.Aggregate); err != nil {
		return fmt.Errorf("%s: %s: %w", m.Name, aggregateFile, err)
	}
	if d := m.Network.Config().Latent; m.Aggregate.Dim() != d {
		return fmt.Errorf("%s: %s is a mixture of %d dimensions for codes of %d", m.Name, aggregateFile,
			m.Aggregate.Dim(), d)
	}
	return nil
}

// Save writes the model into a folder, which it makes.
func (m *SetModel) Save(dir string) (err error) {
	m.Name = dir
	if err := m.Network.Save(filepath.Join(dir, setFile)); err != nil {
		return err
	}
	if m.hash, err = hashSet(dir); err != nil {
		return err
	}
	return run.WriteJSON(filepath.Join(dir, aggregateFile), m.Aggregate)
}

// Hash returns the SHA-256 of the network's file.
func (m *SetModel) Hash() string { return m.hash }

// Of returns the model of one universe, which need not be one that it has seen, as
// any other trained model. Its portfolios keep the universe's largest weight.
func (m *SetModel) Of(u *universe.Universe) (*Model, error) {
	network, err := m.Network.Of(u)
	if err != nil {
		return nil, err
	}
	return &Model{Network: network, Aggregate: m.Aggregate, Dir: m.Name, hash: m.hash, over: m}, nil
}

// Place returns the model of the universe of a window under a constraint set, whose
// largest upper bound is the universe's largest weight. The set becomes the model's.
// Its errors are those of [universe.New].
func (m *SetModel) Place(w *market.Window, set simplex.Set) (*Model, error) {
	largest := 1.0
	if set.Upper != nil {
		largest = min(1, slices.Max(set.Upper))
	}
	u, err := universe.New(w.Symbols, w.Returns, largest)
	if err != nil {
		return nil, err
	}
	model, err := m.Of(u)
	if err != nil {
		return nil, err
	}
	model.Set = &set
	return model, nil
}

// SetSettings say how [MakeSet] makes a model. Zeros stand for the defaults of
// package vae.
type SetSettings struct {
	Config   vae.SetConfig
	Schedule vae.Schedule
	From     *SetModel // to go on from; its network decides but for beta, seed and whether it is told. Nil: none
}

// EnsureDefaults gives the fields that are zero their defaults.
func (s *SetSettings) EnsureDefaults() {
	c, d := vae.DefaultSetConfig(), vae.DefaultSetSchedule()
	if s.From != nil {
		c = s.From.Network.Config()
		s.Config.Latent, s.Config.Conditional = c.Latent, c.Conditional || s.Config.Conditional
	}
	s.Config.Latent, s.Config.Width = cmp.Or(s.Config.Latent, c.Latent), cmp.Or(s.Config.Width, c.Width)
	s.Config.Heads, s.Config.Blocks = cmp.Or(s.Config.Heads, c.Heads), cmp.Or(s.Config.Blocks, c.Blocks)
	s.Schedule.Steps, s.Schedule.Batch = cmp.Or(s.Schedule.Steps, d.Steps), cmp.Or(s.Schedule.Batch, d.Batch)
	s.Schedule.LearningRate = cmp.Or(s.Schedule.LearningRate, d.LearningRate)
	s.Schedule.EnsureDefaults()
}

// ReadExamples reads the universes of a corpus from its folder, and returns the SHA-256
// of their file too.
func ReadExamples(dir string) (all []*universe.Example, hash string, err error) {
	path := filepath.Join(dir, universe.File)
	file, err := run.OpenFile(path)
	if err != nil {
		return nil, "", fmt.Errorf("no corpus of universes in %s: %w", dir, err)
	}
	defer file.Close()
	if err := universe.Read(file, func(e *universe.Example) error {
		all = append(all, e)
		return nil
	}); err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	hash, err = run.HashFile(path)
	return all, hash, err
}

// MakeSet trains a model over sets and keeps it in a folder, as [Make] does a model
// of one universe.
func MakeSet(
	ctx context.Context, b *vae.Backend, examples []*universe.Example, s SetSettings, dir string, reports Reports,
) (*SetModel, *vae.History, error) {
	s.EnsureDefaults()
	options := vae.TrainOptions{
		Progress: reports.begin("training"), CheckpointEvery: max(1, s.Schedule.Steps/checkpoints),
		Checkpoint: func(c *vae.Checkpoint) error { return c.Save(dir) },
	}
	if s.From != nil {
		options.From = s.From.Network
	}
	switch c, err := vae.LoadCheckpoint(dir); {
	case err == nil:
		options.Resume = c
	case !errors.Is(err, fs.ErrNotExist):
		return nil, nil, err
	}
	network, history, err := vae.TrainSet(ctx, b, s.Config, s.Schedule, examples, options)
	if err != nil {
		return nil, nil, fmt.Errorf("training: %w", err)
	}
	m := &SetModel{Network: network}
	if err := m.Fit(ctx, examples, s.Config.Seed, reports.begin("mixture fitted to the codes")); err != nil {
		return nil, nil, err
	}
	if err := m.Save(dir); err != nil {
		return nil, nil, err
	}
	return m, history, vae.RemoveCheckpoint(dir)
}

// How many universes at most the density of the codes is fitted to, and by how many
// normals.
const (
	fittedUniverses   = 1000
	fittedConditional = 250 // each of whose portfolios is asked for by itself
	setComponents     = 10
)

// Fit makes the mixture of codes drawn for the portfolios of universes to learn from the
// model's density. It returns the context's error, and that of codes that have no mixture.
func (m *SetModel) Fit(ctx context.Context, examples []*universe.Example, seed uint64,
	progress func(done, total int, note string), // nil: no reports
) (err error) {
	var learn []*universe.Example
	most := fittedUniverses
	if m.Network.Config().Conditional {
		most = fittedConditional
	}
	for _, e := range examples {
		if !e.HeldOut && len(learn) < most {
			learn = append(learn, e)
		}
	}
	rng := stream.New(seed, "trained.set", 0)
	var codes []float64
	d := m.Network.Config().Latent
	for i, e := range learn {
		mean, logvar, err := m.posteriors(ctx, e, rng)
		if err != nil {
			return err
		}
		rows, _ := mean.Dims()
		for r := range rows {
			for k := range d {
				codes = append(codes, mean.At(r, k)+math.Exp(logvar.At(r, k)/2)*rng.NormFloat64())
			}
		}
		if progress != nil && (i+1)%100 == 0 {
			progress(i+1, len(learn), "universes")
		}
	}
	components := max(1, min(setComponents, len(codes)/d/50))
	fitted := mat.NewDense(len(codes)/d, d, codes)
	m.Aggregate, err = mixture.Fit(ctx, fitted, mixture.Settings{Components: components}, rng)
	return err
}

// posteriors are those of the codes of an example's portfolios, of a conditional model
// each under some of what it has.
func (m *SetModel) posteriors(ctx context.Context, e *universe.Example, rng *rand.Rand) (mean, logvar *mat.Dense,
	err error) {
	if !m.Network.Config().Conditional {
		network, err := m.Network.Of(&e.Universe)
		if err != nil {
			return nil, nil, err
		}
		return network.EncodeContext(ctx, e.Weights)
	}
	rows, n := e.Weights.Dims()
	d := m.Network.Config().Latent
	mean, logvar = mat.NewDense(rows, d, nil), mat.NewDense(rows, d, nil)
	for i := range rows {
		network, err := m.Network.Asked(&e.Universe, e.Ask(e.Weights.RawRowView(i), rng))
		if err != nil {
			return nil, nil, err
		}
		one, variance, err := network.EncodeContext(ctx, e.Weights.Slice(i, i+1, 0, n).(*mat.Dense))
		if err != nil {
			return nil, nil, err
		}
		mean.SetRow(i, one.RawRowView(0))
		logvar.SetRow(i, variance.RawRowView(0))
	}
	return mean, logvar, nil
}
