package vae

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"vaefolio/vaelib/run"
)

// checkpointVersion 2 had no state of a random generator any more: what a step draws
// depends on the seed and the step. Version 3 has a checksum.
const checkpointVersion = 3

// Checkpoint is the whole state of an unfinished training: step, parameters,
// moments, sums and history. Train hands it to
// [TrainOptions].Checkpoint and continues from it as [TrainOptions].Resume.
type Checkpoint struct {
	document                         checkpointDocument
	theta, first, second, sums, rate []float32
	best                             []float32 // nil without patience
}

// checkpointDocument is the JSON text in the file's metadata. The whole
// checkpoint is one file, so that a crash never leaves halves of two.
type checkpointDocument struct {
	Version   int        `json:"version"`
	Config    Config     `json:"config"`
	Set       *SetConfig `json:"set,omitempty"` // of a model over sets, which has no Config
	Schedule  Schedule   `json:"schedule"`
	Backend   string     `json:"backend"`
	DataHash  string     `json:"data_hash"`
	Step      int        `json:"step"`
	Evaluated int        `json:"evaluated"` // step of the last evaluation
	Stale     int        `json:"stale"`     // evaluations since the smallest validation loss
	BestLoss  float64    `json:"best_loss"` // that loss; 0 before the first
	Points    []Point    `json:"points"`
	Seconds   float64    `json:"seconds"`
}

// Step returns the number of steps done.
func (c *Checkpoint) Step() int { return c.document.Step }

// Save writes the checkpoint into a folder, which it makes, as one file that
// replaces an earlier one whole.
func (c *Checkpoint) Save(dir string) error {
	text, err := json.Marshal(c.document)
	if err != nil {
		return err
	}
	var tensors []tensor
	for _, v := range c.vectors() {
		if *v.values != nil {
			tensors = append(tensors, tensor{name: v.name, shape: []int{len(*v.values)}, values: *v.values})
		}
	}
	return run.WriteFile(filepath.Join(dir, checkpointFile), func(w io.Writer) error {
		return writeTensors(w, map[string]string{"checkpoint": string(text), "sha256": c.checksum(string(text))},
			tensors)
	})
}

// checksum is the SHA-256 of the document's text and of all vectors: a state with one
// flipped bit would go on to another model.
func (c *Checkpoint) checksum(document string) string {
	sum := sha256.New()
	part := func(name string, data []byte) {
		fmt.Fprintf(sum, "%s %d\n", name, len(data))
		sum.Write(data)
	}
	part("checkpoint", []byte(document))
	for _, v := range c.vectors() {
		data := make([]byte, 0, dtypeSize*len(*v.values))
		for _, x := range *v.values {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
		}
		part(v.name, data)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

type namedVector struct {
	name   string
	values *[]float32
}

func (c *Checkpoint) vectors() []namedVector {
	return []namedVector{
		{"parameters", &c.theta}, {"first_moments", &c.first}, {"second_moments", &c.second},
		{"sums", &c.sums}, {"rate", &c.rate}, {"best_parameters", &c.best},
	}
}

// LoadCheckpoint reads the checkpoint in a folder. Without one, and for one that
// the open run in whose folder it lies has not made, the error wraps
// [io/fs.ErrNotExist]; a damaged one is a *[FileError].
func LoadCheckpoint(dir string) (*Checkpoint, error) {
	path := filepath.Join(dir, checkpointFile)
	if !run.IsOwn(path) { // left by another training, of which nobody knows which
		return nil, &FileError{Path: path, Err: fs.ErrNotExist}
	}
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	c, err := parseCheckpoint(data)
	if err != nil {
		return nil, fileError(path, err)
	}
	return c, nil
}

// parseCheckpoint reads the bytes of a checkpoint's file.
func parseCheckpoint(data []byte) (*Checkpoint, error) {
	metadata, tensors, err := readTensors(data)
	if err != nil && metadata == nil {
		return nil, err
	}
	c := new(Checkpoint)
	version := func() int { return c.document.Version }
	if err := decodeDocument([]byte(metadata["checkpoint"]), &c.document, version, checkpointVersion); err != nil {
		return nil, err
	}
	if err != nil { // not before the version, which can be why
		return nil, err
	}
	if err := c.document.check(); err != nil {
		return nil, err
	}
	if err := c.take(tensors); err != nil {
		return nil, err
	}
	if c.checksum(metadata["checkpoint"]) != metadata["sha256"] {
		return nil, errors.New(
			"is damaged: its contents are not those of its checksum; -force begins the training anew")
	}
	return c, nil
}

// RemoveCheckpoint removes the checkpoint in a folder, if there is one.
func RemoveCheckpoint(dir string) error {
	err := os.Remove(filepath.Join(dir, checkpointFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func (d *checkpointDocument) check() error {
	if d.Set != nil {
		if err := d.Set.Validate(); err != nil {
			return err
		}
	} else if err := d.Config.Validate(); err != nil {
		return err
	}
	if err := d.Schedule.Validate(); err != nil {
		return err
	}
	if d.Step < 0 || d.Step > d.Schedule.Steps || d.Evaluated < 0 || d.Evaluated > d.Step || d.Stale < 0 {
		return fmt.Errorf("step %d, last evaluated at %d, does not fit %d steps", d.Step, d.Evaluated, d.Schedule.Steps)
	}
	last := 0
	for _, p := range d.Points {
		if p.Step <= last || p.Step > d.Evaluated || (d.Schedule.Patience > 0 && p.Validation == nil) {
			return fmt.Errorf("history point at step %d is out of place", p.Step)
		}
		last = p.Step
	}
	if last != d.Evaluated {
		return fmt.Errorf("history ends at step %d, want %d", last, d.Evaluated)
	}
	return nil
}

// size is the number of parameters.
func (d *checkpointDocument) size() int {
	if d.Set != nil {
		return newSetNetwork(*d.Set).size
	}
	return newNetwork(d.Config).size
}

// matches returns a *[MismatchError] where the checkpoint belongs to another training.
func (d *checkpointDocument) matches(s Schedule, backend, dataHash string, config MismatchError) error {
	for _, pair := range []MismatchError{
		config, {"schedule", d.Schedule, s}, {"backend", d.Backend, backend},
		{"hash of the rows", d.DataHash, dataHash},
	} {
		if !reflect.DeepEqual(pair.Have, pair.Want) {
			return &pair
		}
	}
	return nil
}

// take moves the tensors in, after checking their shapes.
func (c *Checkpoint) take(tensors []tensor) error {
	size := c.document.size()
	want := map[string]int{"parameters": size, "first_moments": size, "second_moments": size,
		"sums": sumSize, "rate": 2}
	if c.document.Schedule.Patience > 0 && len(c.document.Points) > 0 {
		want["best_parameters"] = size
	}
	for _, v := range c.vectors() {
		length, needed := want[v.name]
		i := slices.IndexFunc(tensors, func(t tensor) bool { return t.name == v.name })
		switch {
		case i < 0 && !needed:
			continue
		case i < 0:
			return &tensorError{v.name, errors.New("missing")}
		case len(tensors[i].values) != length || len(tensors[i].shape) != 1:
			return &tensorError{v.name, fmt.Errorf("has shape %v, want [%d]", tensors[i].shape, length)}
		}
		if err := checkFinite(tensors[i].values); err != nil {
			return &tensorError{v.name, err}
		}
		*v.values = tensors[i].values
	}
	return nil
}
