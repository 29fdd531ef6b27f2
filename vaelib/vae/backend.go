package vae

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gomlx/compute"

	"vaefolio/vaelib/cpu"
)

// Backend runs graphs. Open one a process and share it: it keeps what it has
// compiled, so that a second training of the same shape starts at once. It is
// safe for concurrent use.
type Backend struct {
	name, plugin, advice string
	stepsPerCall         int // training steps in one call of the compiled loop; 1 where loops don't run
	engine               compute.Backend

	mu       sync.Mutex
	programs map[string]*programs       // by the shape of the network
	sets     map[SetConfig]*setPrograms // likewise, of models over sets
}

// BackendError says why a backend could not be opened.
type BackendError struct {
	Name string // as given to Open
	Err  error
}

func (e *BackendError) Error() string { return fmt.Sprintf("backend %q: %v", e.Name, e.Err) }

// Unwrap returns the reason.
func (e *BackendError) Unwrap() error { return e.Err }

// Open opens a backend by name:
//
//	go                    pure Go, on any machine
//	xla                   XLA through the first plugin found
//	xla:/path/plugin.so   XLA through this plugin
//	auto                  xla where a plugin is found and loads, else go
//
// Plugins are looked for in the folders of the environment variable
// PJRT_PLUGIN_LIBRARY_PATH, or else in go-xla's own (~/.local/lib/go-xla,
// /usr/local/lib/go-xla), by the names pjrt_c_api_<name>_plugin.so,
// pjrt_plugin_<name>.so and pjrt-plugin-<name>.so, those with "cpu" in their
// name first. Nothing is downloaded. Every error is a *[BackendError].
func Open(name string) (*Backend, error) {
	b, err := open(name)
	if err != nil {
		return nil, &BackendError{Name: name, Err: err}
	}
	return b, nil
}

func open(name string) (*Backend, error) {
	kind, path, hasPath := strings.Cut(name, ":")
	switch {
	case name == "go":
		return openGo()
	case name == "auto":
		return openAuto()
	case name == "xla":
		path, err := findPlugin()
		if err != nil {
			return nil, err
		}
		return openXLA(path)
	case kind == "xla" && hasPath && filepath.IsAbs(path):
		return openXLA(path)
	case kind == "xla" && hasPath:
		return nil, errors.New("the plugin's path must be absolute, like xla:/usr/local/lib/pjrt_c_api_cpu_plugin.so")
	}
	return nil, errors.New("unknown name: want auto, go, xla or xla:/path/to/plugin.so")
}

// findPlugin returns the path of the plugin that is taken where none is named.
func findPlugin() (string, error) {
	if errNoXLA != nil {
		return "", errNoXLA
	}
	return firstPlugin()
}

func openGo() (*Backend, error) {
	engine, err := cpu.New()
	if err != nil {
		return nil, err
	}
	return &Backend{name: "go", engine: engine, stepsPerCall: 1, programs: map[string]*programs{}}, nil
}

// openAuto never fails for the lack of a plugin: the advice says what was
// missing.
func openAuto() (*Backend, error) {
	path, err := findPlugin()
	if err == nil {
		var b *Backend
		if b, err = openXLA(path); err == nil {
			return b, nil
		}
	}
	b, goErr := openGo()
	if goErr != nil {
		return nil, goErr
	}
	b.advice = fmt.Sprintf("no XLA, with which trainings over sets of assets take a quarter less time: %v", err)
	return b, nil
}

// loopSteps is how many training steps XLA runs in one call: long enough to
// hide the cost of a call, short enough to answer an interrupt at once.
const loopSteps = 100

func openXLA(path string) (*Backend, error) {
	engine, err := loadXLA(path)
	if err != nil {
		return nil, err
	}
	return &Backend{
		name: "xla", plugin: path, engine: engine, stepsPerCall: loopSteps, programs: map[string]*programs{},
	}, nil
}

// Name returns "go" or "xla".
func (b *Backend) Name() string { return b.name }

// Plugin returns the path of the XLA plugin, or "" for pure Go.
func (b *Backend) Plugin() string { return b.plugin }

// Advice returns one line on how to get the faster backend, or "" where this
// is the one that was asked for.
func (b *Backend) Advice() string { return b.advice }

// Description returns one line on what runs the graphs.
func (b *Backend) Description() string {
	if b.plugin == "" {
		return "GoMLX pure Go"
	}
	return "GoMLX XLA, plugin " + b.plugin
}

// Close frees what the backend holds. Models that use it must not be used
// afterwards.
func (b *Backend) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return guard(func() error {
		for _, p := range b.programs {
			p.finalize()
		}
		for _, p := range b.sets {
			p.finalize()
		}
		b.programs, b.sets = nil, nil
		b.engine.Finalize()
		return nil
	})
}

// program returns the programs of a configuration, made at the first call.
func (b *Backend) program(c Config) (*programs, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.programs == nil {
		return nil, fmt.Errorf("backend %s is closed", b.name)
	}
	key := c.shape()
	if p, ok := b.programs[key]; ok {
		return p, nil
	}
	var p *programs
	err := guard(func() (err error) {
		p, err = newPrograms(b.engine, newNetwork(c))
		return err
	})
	if err != nil {
		return nil, err
	}
	b.programs[key] = p
	return p, nil
}
