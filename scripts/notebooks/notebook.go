package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"vaefolio/vaelib/run"
)

// A notebook is a text source, NAME.md, and what was made of it: NAME.ipynb,
// the same cells with their outputs, stamped with the hash of the source.
type notebook struct {
	name   string
	source string // path of NAME.md
	saved  string // path of NAME.ipynb
}

// sourceName tells a notebook from other markdown in the folder: 01-theory.md.
var sourceName = regexp.MustCompile(`^[0-9]{2}-[a-z0-9-]+\.md$`)

// find returns the named notebooks of a folder, or all of them, in order. A
// name may be given as a path and with its extension.
func find(folder string, names []string) ([]notebook, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var all []notebook
	var known []string
	for _, entry := range entries {
		if sourceName.MatchString(entry.Name()) {
			name := strings.TrimSuffix(entry.Name(), ".md")
			known = append(known, name)
			all = append(all, notebook{
				name:   name,
				source: filepath.Join(folder, name+".md"),
				saved:  filepath.Join(folder, name+".ipynb"),
			})
		}
	}
	if len(names) == 0 {
		return all, nil
	}
	var chosen []notebook
	for _, given := range names {
		name := filepath.Base(given)
		name = strings.TrimSuffix(strings.TrimSuffix(name, ".md"), ".ipynb")
		at := slices.Index(known, name)
		if at < 0 {
			return nil, &unknownNotebookError{name: given, known: known}
		}
		chosen = append(chosen, all[at])
	}
	return chosen, nil
}

type unknownNotebookError struct {
	name  string
	known []string
}

func (e *unknownNotebookError) Error() string {
	return fmt.Sprintf("unknown notebook %q: choose from %s", e.name, strings.Join(e.known, ", "))
}

// title is the first heading of the source.
func (n notebook) title() (string, error) {
	text, err := os.ReadFile(n.source)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if heading, ok := strings.CutPrefix(line, "# "); ok {
			return strings.TrimSpace(heading), nil
		}
	}
	return "", nil
}

// hash is the SHA-256 of the source, in hexadecimal digits.
func (n notebook) hash() (string, error) {
	text, err := os.ReadFile(n.source)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// stampKey names the hash of the source in the saved notebook's metadata.
const stampKey = "source_sha256"

// state says how the saved notebook stands to its source.
type state string

const (
	current state = "current" // saved from this source
	stale   state = "stale"   // saved from another version of the source
	cleared state = "cleared" // saved without outputs
	missing state = "missing" // not saved
)

func (n notebook) state() (state, error) {
	text, err := os.ReadFile(n.saved)
	if errors.Is(err, fs.ErrNotExist) {
		return missing, nil
	}
	if err != nil {
		return "", err
	}
	var saved struct {
		Metadata struct {
			Vaefolio map[string]any `json:"vaefolio"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(text, &saved); err != nil {
		return "", fmt.Errorf("%s is not a notebook: %w: make it anew with 'notebooks run %s'", n.saved, err, n.name)
	}
	stamp, _ := saved.Metadata.Vaefolio[stampKey].(string)
	if stamp == "" {
		return cleared, nil
	}
	hash, err := n.hash()
	if err != nil {
		return "", err
	}
	if stamp != hash {
		return stale, nil
	}
	return current, nil
}

// clean takes the outputs and the stamp out of the saved notebook, and says
// whether there were any.
func (n notebook) clean() (bool, error) {
	before, err := n.state()
	if err != nil || before == missing || before == cleared {
		return false, err
	}
	text, err := os.ReadFile(n.saved)
	if err != nil {
		return false, err
	}
	var saved map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&saved); err != nil {
		return false, fmt.Errorf("%s: %w", n.saved, err)
	}
	cells, _ := saved["cells"].([]any)
	for _, item := range cells {
		if cell, ok := item.(map[string]any); ok && cell["cell_type"] == "code" {
			cell["outputs"], cell["execution_count"] = []any{}, nil
		}
	}
	metadata := saved["metadata"].(map[string]any) // state found the stamp in it
	delete(metadata["vaefolio"].(map[string]any), stampKey)
	return true, run.WriteFile(n.saved, func(w io.Writer) error {
		encoder := json.NewEncoder(w) // keys sorted and one space, as Jupyter writes
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", " ")
		return encoder.Encode(saved)
	})
}
