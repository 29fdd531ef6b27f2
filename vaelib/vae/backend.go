package vae

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
)

// Backend runs graphs. Open one a process and share it: it keeps what it has
// compiled, so that a second training of the same shape starts at once. It is
// safe for concurrent use.
type Backend struct {
	name, plugin, advice string
	stepsPerCall         int // training steps in one call of the compiled loop; 1 where loops don't run
	engine               compute.Backend

	mu       sync.Mutex
	programs map[string]*programs // by the shape of the network
}

// BackendError says why a backend could not be opened.
type BackendError struct {
	Name string // as given to Open
	Err  error
}

func (e *BackendError) Error() string { return fmt.Sprintf("backend %q: %v", e.Name, e.Err) }

// Unwrap returns the reason.
func (e *BackendError) Unwrap() error { return e.Err }

// pluginPathVariable is a list of folders that replaces the default ones.
const pluginPathVariable = "PJRT_PLUGIN_LIBRARY_PATH"

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

func openGo() (*Backend, error) {
	// Sequential: GoMLX 0.28's parallel mode can deadlock, and is slower here.
	engine, err := gobackend.New("ops_sequential")
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
	b.advice = fmt.Sprintf("training would be ten to twenty times as fast with XLA: %v", err)
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
	return &Backend{name: "xla", plugin: path, engine: engine, stepsPerCall: loopSteps, programs: map[string]*programs{}}, nil
}

// findPlugin returns the path of the first plugin in the search folders.
func findPlugin() (string, error) {
	if !xlaBuiltIn {
		return "", errNoXLA
	}
	folders := pluginFolders()
	for _, folder := range folders {
		var found []string
		for _, pattern := range []string{"pjrt_c_api_*_plugin", "pjrt_plugin_*", "pjrt-plugin-*"} {
			paths, err := filepath.Glob(filepath.Join(folder, pattern+libraryExtension()))
			if err != nil {
				return "", fmt.Errorf("folder %q of %s is not a valid pattern", folder, pluginPathVariable)
			}
			found = append(found, paths...)
		}
		slices.SortFunc(found, func(a, b string) int {
			if x, y := isCPU(a), isCPU(b); x != y {
				if x {
					return -1
				}
				return 1
			}
			return strings.Compare(a, b)
		})
		if len(found) > 0 {
			return filepath.Abs(found[0])
		}
	}
	return "", fmt.Errorf("no plugin pjrt_c_api_*_plugin%s in %s: set %s to a folder that holds one",
		libraryExtension(), quoted(folders), pluginPathVariable)
}

func quoted(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(q, ", ")
}

// isCPU says whether a plugin's file name is that of a CPU plugin.
func isCPU(path string) bool {
	return strings.Contains(strings.ToLower(filepath.Base(path)), "cpu")
}

func pluginFolders() []string {
	if list, ok := os.LookupEnv(pluginPathVariable); ok {
		return slices.DeleteFunc(filepath.SplitList(list), func(s string) bool { return s == "" })
	}
	var folders []string
	if home, err := os.UserHomeDir(); err == nil {
		if runtime.GOOS == "darwin" {
			folders = append(folders, filepath.Join(home, "Library", "Application Support", "go-xla"))
		} else {
			folders = append(folders, filepath.Join(home, ".local", "lib", "go-xla"))
		}
	}
	return append(folders, "/usr/local/lib/go-xla")
}

func libraryExtension() string {
	switch runtime.GOOS {
	case "darwin":
		return ".dylib"
	case "windows":
		return ".dll"
	}
	return ".so"
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
		b.programs = nil
		b.engine.Finalize()
		return nil
	})
}

// guard runs f, which calls GoMLX, and returns its error or what it panics
// with, as graph functions do on errors, as an error of one line.
func guard(f func() error) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case error:
			err = r
		default:
			err = fmt.Errorf("%v", r)
		}
		if err != nil {
			err = errors.New(firstLine(err.Error()))
		}
	}()
	return f()
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
