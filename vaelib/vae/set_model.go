package vae

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"vaefolio/vaelib/run"
	"vaefolio/vaelib/universe"
)

// SetModel is a trained VAE over sets of assets: one network for every universe.
// It takes the assets as a set, without names and in any number. [SetModel.Of] gives
// the model of one universe. It is immutable and safe for concurrent use; it works
// as long as its [Backend] is open.
type SetModel struct {
	document setDocument
	theta    []float32
	backend  *Backend
	programs *setPrograms
	device   *tensors.Tensor
}

// setDocument is the JSON text in the file's metadata.
type setDocument struct {
	Version  int       `json:"version"`
	Config   SetConfig `json:"config"`
	Scale    setScale  `json:"scale"`     // see setScale
	DataHash string    `json:"data_hash"` // of the examples
	Backend  string    `json:"backend"`   // that trained it
}

// setVersion is that of the file's schema, and of the features of an asset.
const setVersion = 1

func newSetModel(b *Backend, d setDocument, theta []float32) (*SetModel, error) {
	p, err := b.setProgram(d.Config)
	if err != nil {
		return nil, err
	}
	device, err := b.resident(theta)
	if err != nil {
		return nil, err
	}
	return &SetModel{document: d, theta: theta, backend: b, programs: p, device: device}, nil
}

// Config returns the configuration that the model was trained with.
func (m *SetModel) Config() SetConfig { return m.document.Config }

// DataHash identifies the examples that the model was trained on.
func (m *SetModel) DataHash() string { return m.document.DataHash }

// Parameters returns their number.
func (m *SetModel) Parameters() int { return len(m.theta) }

// continued returns the parameters for a training of the same network, or of one that is
// told what is asked besides.
func (m *SetModel) continued(c SetConfig) ([]float32, error) {
	own := m.document.Config
	own.Beta, own.Seed = c.Beta, c.Seed
	switch {
	case own == c:
		return slices.Clone(m.theta), nil
	case c.Conditional && !own.Conditional:
		if own.Conditional = true; own == c {
			return m.programs.network.told(newSetNetwork(c), m.theta), nil
		}
	}
	return nil, fmt.Errorf("the network to go on from is %+v, not %+v", own, c)
}

// Scale returns a number that says what the variance of a weight about 1/n is: it is
// that times (cap - 1/n)/n in a universe of n assets under a largest weight.
func (m *SetModel) Scale() float64 { return float64(m.document.Scale) }

// Save writes the model to a file, whole: safetensors with all else in its metadata.
func (m *SetModel) Save(path string) error {
	text, err := json.Marshal(m.document)
	if err != nil {
		return err
	}
	return run.WriteFile(path, func(w io.Writer) error {
		return writeTensors(w, map[string]string{"set": string(text)}, m.tensors())
	})
}

// WriteTensors writes the parameters in the form of safetensors, by the names of the
// layers.
func (m *SetModel) WriteTensors(w io.Writer) error { return writeTensors(w, nil, m.tensors()) }

func (m *SetModel) tensors() (all []tensor) {
	for _, l := range m.programs.network.layers {
		all = append(all,
			tensor{name: l.name + ".weight", shape: []int{l.in, l.out}, values: m.theta[l.offset:l.biasOffset()]},
			tensor{name: l.name + ".bias", shape: []int{l.out}, values: m.theta[l.biasOffset():l.end()]})
	}
	return all
}

// LoadSet reads a model that [SetModel.Save] wrote. Its error is a *[FileError].
func LoadSet(b *Backend, path string) (*SetModel, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	m, err := ParseSet(b, data)
	if err != nil {
		return nil, fileError(path, err)
	}
	return m, nil
}

// ParseSet is [LoadSet] of a file's contents.
func ParseSet(b *Backend, data []byte) (*SetModel, error) {
	metadata, all, err := readTensors(data)
	if err != nil {
		return nil, err
	}
	var d setDocument
	if metadata["set"] == "" {
		return nil, errors.New("holds no model over sets of assets")
	}
	if err := decodeDocument([]byte(metadata["set"]), &d, func() int { return d.Version }, setVersion); err != nil {
		return nil, err
	}
	if err := d.Config.Validate(); err != nil {
		return nil, err
	}
	if !(d.Scale > 0 && d.Scale <= 1) {
		return nil, fmt.Errorf("scale is %v, want a share above 0", d.Scale)
	}
	n := newSetNetwork(d.Config)
	theta, err := assemble(n.layers, all, "", 0)
	if err != nil {
		return nil, err
	}
	return newSetModel(b, d, theta)
}

// Of returns the model of one universe: one that encodes, decodes and is searched as
// any other is, with the universe's largest weight in its head. It draws on the same
// compiled graphs for all universes of a size, and no portfolio is decoded by them:
// the network writes a linear decoder, which runs in float64.
func (m *SetModel) Of(u *universe.Universe) (*Model, error) { return m.Asked(u, new(universe.Asked)) }

// Asked is [SetModel.Of] of a conditional model that is asked for portfolios that have
// something; another knows nothing of it.
func (m *SetModel) Asked(u *universe.Universe, a *universe.Asked) (*Model, error) {
	if m.document.Config.rule() {
		return nil, errors.New("a learnt rule makes one portfolio of a universe, and has no codes: give a model of " +
			"portfolios")
	}
	if err := u.Check(); err != nil {
		return nil, err
	}
	c, n := m.document.Config, u.Assets()
	p := &placed{of: m, universe: u, width: bucket(n)}
	row := m.document.Scale.placed(u, p.width)
	if c.Conditional {
		row = row.asking(a)
	}
	p.row = row
	b := newSetBatch(c, 1, 1, p.width)
	b.put(0, &row, nil)
	out, err := call(m.programs.read, append([]any{m.device}, b.inputs()[:4]...)...)
	if err != nil {
		return nil, err
	}
	variance := m.document.Scale.variance(n, u.Cap)
	out = append(out, nil) // of a model that isn't conditional
	if err := p.read(out[0], out[1], out[2], math.Sqrt(variance), c.Latent); err != nil {
		return nil, err
	}
	equal := make([]float64, n)
	for i := range equal {
		equal[i] = 1 / float64(n)
	}
	return &Model{
		config: Config{
			Assets: n, Latent: c.Latent, Hidden: []int{}, Beta: c.Beta, Likelihood: "gaussian", Head: "capped",
			MaxWeight: u.Cap, Activation: "silu", Seed: c.Seed,
		},
		scaling: scaling{mean: equal, variance: variance}, symbols: u.Symbols, dataHash: m.document.DataHash,
		trainedOn: m.document.Backend, backend: m.backend, placed: p,
	}, nil
}
