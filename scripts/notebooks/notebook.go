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
	"strconv"
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

// Names of the stamp's parts, in the saved notebook's metadata under vaefolio.
const (
	sourceKey  = "source_sha256"  // hash of the source
	contentKey = "content_sha256" // hash of all that was saved, but for this and the next
	libraryKey = "library"        // commit of the library whose packages the cells called
)

// unknownHash holds the place of the content's hash until it is known.
var unknownHash = strings.Repeat("0", sha256.Size*2)

// state says how the saved notebook stands to its source.
type state string

const (
	current state = "current" // saved from this source
	edited  state = "edited"  // changed after it was saved
	stale   state = "stale"   // saved from another version of the source
	cleared state = "cleared" // saved without outputs
	missing state = "missing" // not saved
)

func (s state) meaning() string {
	return map[state]string{
		current: "they are of this source",
		edited:  "a cell, an output or a parameter was changed after they were saved",
		stale:   "the source has changed since",
		cleared: "they were taken out",
		missing: "there is no such file",
	}[s]
}

// A document is a saved notebook as JSON, with numbers as they are written.
type document map[string]any

func parse(text []byte) (document, error) {
	var d document
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return d, decoder.Decode(&d)
}

// stamp is the project's own part of the metadata; nil: there is none.
func (d document) stamp() map[string]any {
	metadata, _ := d["metadata"].(map[string]any)
	stamp, _ := metadata["vaefolio"].(map[string]any)
	return stamp
}

// sourceOf is a cell's source.
func sourceOf(cell map[string]any) string { return linesOf(cell["source"]) }

// linesOf is a text that a file may have in lines.
func linesOf(text any) string {
	switch text := text.(type) {
	case string:
		return text
	case []any:
		var b strings.Builder
		for _, line := range text {
			line, _ := line.(string)
			b.WriteString(line)
		}
		return b.String()
	}
	return ""
}

// contentHash is the hash of cells, outputs and metadata, however they are laid out
// in the file.
func (d document) contentHash() (string, error) {
	stamp := d.stamp()
	content, library := stamp[contentKey], stamp[libraryKey]
	delete(stamp, contentKey)
	delete(stamp, libraryKey)
	text, err := json.Marshal(d)
	if stamp != nil {
		stamp[contentKey], stamp[libraryKey] = content, library
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// stampContent puts the content's hash in its place.
func stampContent(executed string) (string, error) {
	d, err := parse([]byte(executed))
	if err != nil {
		return "", err
	}
	hash, err := d.contentHash()
	key := strconv.Quote(contentKey) + ": "
	return strings.Replace(executed, key+strconv.Quote(unknownHash), key+strconv.Quote(hash), 1), err
}

func (n notebook) state() (state, error) {
	text, err := os.ReadFile(n.saved)
	if errors.Is(err, fs.ErrNotExist) {
		return missing, nil
	}
	if err != nil {
		return "", err
	}
	saved, err := parse(text)
	if err != nil {
		return "", fmt.Errorf("%s is not a notebook: %w: make it anew with 'notebooks run %s'", n.saved, err, n.name)
	}
	stamp := saved.stamp()
	source, _ := stamp[sourceKey].(string)
	if source == "" {
		return cleared, nil
	}
	content, err := saved.contentHash()
	if err != nil {
		return "", err
	}
	if stamp[contentKey] != content {
		return edited, nil
	}
	hash, err := n.hash()
	if err != nil {
		return "", err
	}
	if source != hash {
		return stale, nil
	}
	return current, nil
}

// library is the commit whose packages made the saved outputs. It is an error where
// these are not as they were saved.
func (n notebook) library() (string, error) {
	now, err := n.state()
	if err != nil {
		return "", err
	}
	if now != current && now != stale {
		return "", fmt.Errorf("outputs of %s are %s: %s; make them with 'notebooks run %s'",
			filepath.Base(n.saved), now, now.meaning(), n.name)
	}
	text, err := os.ReadFile(n.saved)
	if err != nil {
		return "", err
	}
	saved, err := parse(text)
	library, _ := saved.stamp()[libraryKey].(string)
	return library, err
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
	saved, err := parse(text)
	if err != nil {
		return false, fmt.Errorf("%s: %w", n.saved, err)
	}
	cells, _ := saved["cells"].([]any)
	for _, item := range cells {
		if cell, ok := item.(map[string]any); ok && cell["cell_type"] == "code" {
			cell["outputs"], cell["execution_count"] = []any{}, nil
		}
	}
	for _, key := range []string{sourceKey, contentKey, libraryKey} {
		delete(saved.stamp(), key) // state found it there
	}
	return true, run.WriteFile(n.saved, func(w io.Writer) error {
		encoder := json.NewEncoder(w) // keys sorted and one space, as Jupyter writes
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", " ")
		return encoder.Encode(saved)
	})
}
