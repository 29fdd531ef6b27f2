//go:build cgo && !noxla

package vae

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/gomlx/core/graph"
)

// errNoXLA says why this binary can't run XLA; nil: it can.
var errNoXLA error

// probeVariable makes a process of this program load the plugin that it names
// and exit: see probe.
const probeVariable = "VAEFOLIO_PROBE_PLUGIN"

func init() {
	xla.EnableAutoInstall(false)
	if path := os.Getenv(probeVariable); path != "" {
		engine, err := newXLA(path)
		if err == nil {
			_, err = graph.CallOnce(engine, func(x *graph.Node) *graph.Node { return graph.AddScalar(x, 1) },
				float32(1))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, firstLine(err.Error()))
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// loadXLA opens the plugin at an absolute path.
func loadXLA(path string) (compute.Backend, error) {
	if strings.Contains(path, ",") {
		return nil, fmt.Errorf("plugin %q: a path with a comma can't be given to XLA: rename it", path)
	}
	if err := checkLibrary(path); err != nil {
		return nil, err
	}
	if flags := os.Getenv("XLA_FLAGS"); flags != "" {
		if err := probe(path); err != nil {
			return nil, fmt.Errorf("plugin %q does not accept XLA_FLAGS=%q (%w): correct or unset XLA_FLAGS",
				path, flags, err)
		}
	}
	engine, err := newXLA(path)
	if err != nil {
		return nil, fmt.Errorf("plugin %q does not load: %v", path, err)
	}
	return engine, nil
}

func newXLA(path string) (engine compute.Backend, err error) {
	config := path
	if !isCPU(path) {
		// go-xla looks for "cpu" in the whole path, folders included. And on CUDA it
		// would round the factors of matrix products to TF32's 10 bits, with which
		// one model decodes to other portfolios than on a CPU.
		config += ",noshared_buffers,notf32"
	}
	err = guard(func() (err error) {
		engine, err = xla.New(config)
		return err
	})
	return engine, err
}

// checkLibrary returns an error for a file that the dynamic linker would
// refuse, or, where it is cut short, crash on.
func checkLibrary(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("plugin %q: %w", path, errors.Unwrap(err))
	}
	if info.IsDir() {
		return fmt.Errorf("plugin %q is a folder: name the library in it", path)
	}
	if runtime.GOOS != "linux" {
		return nil
	}
	file, err := elf.Open(path)
	if err != nil || file.Type != elf.ET_DYN {
		return fmt.Errorf("plugin %q is not a shared library, or cut short", path)
	}
	defer file.Close()
	symbols, err := file.DynamicSymbols()
	if err != nil || !slices.ContainsFunc(symbols, func(s elf.Symbol) bool { return s.Name == "GetPjrtApi" }) {
		return fmt.Errorf("plugin %q is a library, but no PJRT plugin: it has no GetPjrtApi", path)
	}
	return nil
}

// probe loads the plugin in a child process: on a flag that it doesn't know,
// a plugin ends the process it is loaded into, and only the plugin knows which
// flags it knows.
func probe(path string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, self)
	child.Env = append(os.Environ(), probeVariable+"="+path, "TF_CPP_MIN_LOG_LEVEL=2")
	var stderr strings.Builder
	child.Stderr = &stderr
	if err := child.Run(); err != nil {
		for line := range strings.Lines(stderr.String()) {
			if _, text, ok := strings.Cut(line, "] "); ok && strings.Contains(text, "flag") {
				return errors.New(strings.TrimSpace(text)) // without time, thread and line of the log
			}
		}
		return err
	}
	return nil
}
