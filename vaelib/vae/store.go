package vae

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
)

// modelDocument is model.json.
type modelDocument struct {
	Version  int       `json:"version"`
	Config   Config    `json:"config"`
	Symbols  []string  `json:"symbols"`
	Mean     []float64 `json:"mean"`                       // mean training row
	Variance float64   `json:"variance"`                   // v: mean per-coordinate variance of the training rows
	Scales   []scale   `json:"condition_scales,omitempty"` // of each condition in the training rows
	DataHash string    `json:"data_hash"`                  // of the training and validation rows, conditions and measures
	Backend  string    `json:"backend"`                    // that trained it
	Tensors  string    `json:"tensors_hash"`               // SHA-256 of model.safetensors
}

// WriteTensors writes the parameters in the safetensors format: one weight (in x
// out) and one bias (out) a layer, encoder.0 first, and those that the likelihood
// learns. Of a model of one universe (see [SetModel.Of]) they are those of the
// decoder alone.
func (m *Model) WriteTensors(w io.Writer) error {
	if m.placed != nil {
		return writeTensors(w, nil, m.placed.tensors())
	}
	var tensors []tensor
	for _, l := range m.programs.network.layers() {
		tensors = append(tensors,
			tensor{name: l.name + ".weight", shape: []int{l.in, l.out}, values: m.theta[l.offset:l.biasOffset()]},
			tensor{name: l.name + ".bias", shape: []int{l.out}, values: m.theta[l.biasOffset():l.end()]})
	}
	if own := m.own(); len(own) > 0 {
		tensors = append(tensors, tensor{name: likelihoods[m.config.Likelihood].tensor, shape: []int{len(own)},
			values: own})
	}
	return writeTensors(w, nil, tensors)
}

// Save writes the model into a folder, which it makes: model.json with all
// but the parameters, and model.safetensors by [Model.WriteTensors]. Each file is
// written whole; Load notices files that don't belong together.
func (m *Model) Save(dir string) error {
	if m.placed != nil {
		return errors.New("the model of one universe is not kept: save the model over sets that it comes from")
	}
	var buffer bytes.Buffer
	if err := m.WriteTensors(&buffer); err != nil {
		return err
	}
	sum := sha256.Sum256(buffer.Bytes())
	document, err := json.MarshalIndent(modelDocument{
		Version: schemaVersion, Config: m.config, Symbols: m.symbols,
		Mean: m.scaling.mean, Variance: m.scaling.variance, Scales: m.scaling.conditions,
		DataHash: m.dataHash, Backend: m.trainedOn, Tensors: hex.EncodeToString(sum[:]),
	}, "", "  ")
	if err != nil {
		return err
	}
	if err := writeBytes(filepath.Join(dir, tensorsFile), buffer.Bytes()); err != nil {
		return err
	}
	return writeBytes(filepath.Join(dir, modelFile), append(document, '\n'))
}

// Load reads a model that [Model.Save] wrote, to run it on a backend, which
// need not be the one that trained it. A file that is damaged, of another
// version or of another shape is a *[FileError].
func Load(b *Backend, dir string) (*Model, error) {
	path := filepath.Join(dir, modelFile)
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	var d modelDocument
	if err := decodeDocument(data, &d, func() int { return d.Version }, schemaVersion); err != nil {
		return nil, &FileError{Path: path, Err: err}
	}
	if err := d.check(); err != nil {
		return nil, &FileError{Path: path, Err: err}
	}
	path = filepath.Join(dir, tensorsFile)
	if data, err = readFile(path); err != nil {
		return nil, err
	}
	_, tensors, err := readTensors(data)
	if err != nil {
		return nil, fileError(path, err)
	}
	theta, err := newNetwork(d.Config).assemble(tensors)
	if err != nil {
		return nil, fileError(path, err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != d.Tensors {
		err := fmt.Errorf("does not belong to the %s beside it: train or copy the model again", modelFile)
		return nil, &FileError{Path: path, Err: err}
	}
	return newModel(b, d.Config, scaling{d.Mean, d.Variance, d.Scales}, d.Symbols, d.DataHash, d.Backend, theta)
}

func (d *modelDocument) check() error {
	if err := d.Config.Validate(); err != nil {
		return err
	}
	if len(d.Mean) != d.Config.Assets {
		return fmt.Errorf("mean has %d entries for %d assets", len(d.Mean), d.Config.Assets)
	}
	if d.Symbols != nil && len(d.Symbols) != d.Config.Assets {
		return fmt.Errorf("%d symbols for %d assets", len(d.Symbols), d.Config.Assets)
	}
	if !(d.Variance > 0) {
		return fmt.Errorf("variance is %v, want more than 0", d.Variance)
	}
	if len(d.Scales) != len(d.Config.Conditions) {
		return fmt.Errorf("%d scales for %d conditions", len(d.Scales), len(d.Config.Conditions))
	}
	for i, s := range d.Scales {
		if !(s.SD >= leastScale) {
			return fmt.Errorf("standard deviation of condition %s is %v, want at least %v",
				d.Config.Conditions[i].Name, s.SD, leastScale)
		}
	}
	return nil
}

// assemble builds the parameter vector from the tensors of all layers.
func (n *network) assemble(tensors []tensor) ([]float32, error) {
	return assemble(n.layers(), tensors, likelihoods[n.config.Likelihood].tensor, n.size-n.own)
}

// assemble builds a parameter vector from the tensors of layers, and of one more of a
// length; 0: none.
func assemble(layers []layer, tensors []tensor, more string, length int) ([]float32, error) {
	byName := map[string]tensor{}
	for _, t := range tensors {
		byName[t.name] = t
	}
	var theta []float32
	take := func(name string, shape ...int) error {
		t, ok := byName[name]
		if !ok {
			return &tensorError{name, errors.New("missing")}
		}
		delete(byName, name)
		if !slices.Equal(t.shape, shape) {
			return &tensorError{name, fmt.Errorf("has shape %v, want %v", t.shape, shape)}
		}
		if err := checkParameters(t.values); err != nil {
			return &tensorError{name, err}
		}
		theta = append(theta, t.values...)
		return nil
	}
	for _, l := range layers {
		if err := take(l.name+".weight", l.in, l.out); err != nil {
			return nil, err
		}
		if err := take(l.name+".bias", l.out); err != nil {
			return nil, err
		}
	}
	if length > 0 {
		if err := take(more, length); err != nil {
			return nil, err
		}
	}
	for _, t := range tensors {
		if _, left := byName[t.name]; left {
			return nil, &tensorError{t.name, errors.New("is not part of this network")}
		}
	}
	return theta, nil
}
