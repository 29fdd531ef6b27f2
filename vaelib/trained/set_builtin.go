package trained

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path/filepath"

	"vaefolio/vaelib/run"
	"vaefolio/vaelib/vae"
)

//go:embed builtin
var builtin embed.FS

// BuiltIn returns the model that is part of the program. It was trained on simulated
// markets alone: docs/universe.md has the commands, and what it is worth.
func BuiltIn(backend *vae.Backend) (*SetModel, error) {
	m := &SetModel{Name: "the built-in model"}
	data, err := ReadSet("")
	if err != nil {
		return nil, err
	}
	if m.Network, err = vae.ParseSet(backend, data); err != nil {
		return nil, fmt.Errorf("%s: %w", m.Name, err)
	}
	if m.hash, err = hashSet(""); err != nil {
		return nil, err
	}
	text, err := fs.ReadFile(builtin, "builtin/"+aggregateFile)
	if err != nil {
		return nil, err
	}
	return m, m.read(text)
}

// ReadSet returns the contents of the network's file of a model over sets, by its
// folder; "" is [BuiltIn].
func ReadSet(dir string) ([]byte, error) {
	if dir != "" {
		return run.ReadFile(filepath.Join(dir, setFile))
	}
	return fs.ReadFile(builtin, "builtin/"+setFile)
}

// hashSet returns the SHA-256 of what [ReadSet] does.
func hashSet(dir string) (string, error) {
	data, err := ReadSet(dir)
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), err
}
