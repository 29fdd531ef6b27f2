package cli

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"vaefolio/vaelib/run"
)

// Common are the flags of every verb.
type Common struct {
	Seed   uint64 `flag:"seed" default:"1" help:"the number that decides everything random"`
	Quiet  bool   `flag:"quiet" record:"-" help:"print no progress and no messages, only errors"`
	Config string `flag:"config" unit:"FILE" record:"-" help:"a TOML file with values for flags, whose keys are their names; flags overrule it"`
	Preset string `flag:"preset" record:"-" help:"a set of defaults"`
}

// Format is the flag of a verb with a result to print.
type Format struct {
	Format string `flag:"format" choice:"table|csv|json|parquet" default:"table" record:"-" help:"the form in which results are printed; csv, json and parquet have full precision"`
}

// Output are the flags of a verb that makes a folder.
type Output struct {
	Out   string `flag:"out" unit:"DIR" record:"-" help:"the folder for the results; an unfinished run of the same configuration in it is continued"`
	Force bool   `flag:"force" record:"-" help:"replace another run in the folder"`
}

// Usable says why the folder can't take a run, as far as is known of it, before
// anything is read or opened.
func (o *Output) Usable(spec run.Spec) error {
	if o.Out == "" {
		return nil
	}
	return run.Usable(o.Out, spec, o.Force)
}

// Backend is the flag of a verb that runs a model.
type Backend struct {
	Backend BackendName `flag:"backend" unit:"go|xla|auto|xla:PLUGIN" default:"auto" help:"what computes the model; auto is XLA where a plugin is found, else pure Go"`
}

// BackendName is the name of a backend, checked for its form alone: whether a plugin is
// there shows when it is opened.
type BackendName string

// UnmarshalText reads the name of a backend.
func (b *BackendName) UnmarshalText(text []byte) error {
	name := string(text)
	path, isPlugin := strings.CutPrefix(name, "xla:")
	known := slices.Contains([]string{"auto", "go", "xla"}, name)
	if !known && !(isPlugin && filepath.IsAbs(path)) {
		return fmt.Errorf("%q is not one of auto, go, xla and, with the whole path of a plugin, "+
			"xla:/path/to/plugin.so", name)
	}
	*b = BackendName(name)
	return nil
}

// MarshalText writes the name.
func (b BackendName) MarshalText() ([]byte, error) { return []byte(b), nil }

// Announce says what computes the model, and how to have it faster where that can be.
func (s *IO) Announce(backend interface {
	Description() string
	Advice() string
}) {
	s.Note("backend: %s", backend.Description())
	if advice := backend.Advice(); advice != "" {
		s.Note("%s", advice)
	}
}
