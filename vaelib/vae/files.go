package vae

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"vaefolio/vaelib/run"
)

// The files of a model folder and of a training under way, and the version of
// their schema.
const (
	modelFile      = "model.json"
	tensorsFile    = "model.safetensors"
	checkpointFile = "training.safetensors"
	schemaVersion  = 1
)

// FileError says what is wrong with a file of a model or a checkpoint.
type FileError struct {
	Path   string
	Tensor string // "" where the fault is not one tensor's
	Err    error
}

func (e *FileError) Error() string {
	if e.Tensor == "" {
		return fmt.Sprintf("%s: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("%s: tensor %q: %v", e.Path, e.Tensor, e.Err)
}

// Unwrap returns the reason.
func (e *FileError) Unwrap() error { return e.Err }

func fileError(path string, err error) error {
	var t *tensorError
	if errors.As(err, &t) {
		return &FileError{Path: path, Tensor: t.name, Err: t.err}
	}
	return &FileError{Path: path, Err: err}
}

// maxFile bounds what is read into memory.
const maxFile = 4 << 30

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, &FileError{Path: path, Err: errors.Unwrap(err)}
	}
	if !info.Mode().IsRegular() {
		return nil, &FileError{Path: path, Err: errors.New("not a file")}
	}
	if info.Size() > maxFile {
		return nil, &FileError{Path: path, Err: fmt.Errorf("%d bytes are too large for a model", info.Size())}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, &FileError{Path: path, Err: errors.Unwrap(err)}
	}
	return data, nil
}

// decodeDocument decodes JSON strictly, except that another version is
// reported before an unknown field.
func decodeDocument(data []byte, document any, version func() int, want int) error {
	if err := json.Unmarshal(data, document); err != nil {
		return fmt.Errorf("not a readable JSON document: %w", err)
	}
	if v := version(); v != want {
		return fmt.Errorf("has version %d, this program reads version %d", v, want)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	return decoder.Decode(document)
}

func writeBytes(path string, data []byte) error {
	return run.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// mostParameter is far beyond what a training comes to. With more, layers overflow,
// and heads make the same portfolio of every code.
const mostParameter = 1e9

// checkParameters returns an error for parameters that no model has.
func checkParameters(v []float32) error {
	for i, x := range v {
		if x > mostParameter || x < -mostParameter {
			return fmt.Errorf("entry %d is %v: no trained model has such a parameter", i, x)
		}
	}
	return checkFinite(v)
}

func checkFinite(v []float32) error {
	for i, x := range v {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return fmt.Errorf("entry %d is %v", i, x)
		}
	}
	return nil
}
