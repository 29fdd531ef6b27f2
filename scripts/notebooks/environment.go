package main

import (
	"context"
	"debug/buildinfo"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"vaefolio/vaelib/run"
)

// An environment holds the tools that notebooks need, all inside the project's
// .venv: Python with nbclient and jupytext, the Go kernel and goimports, and
// on request JupyterLab. Nothing is written to the home folder.
type environment struct {
	root string // of the repository
}

func (e environment) path(elem ...string) string {
	return filepath.Join(append([]string{e.root, ".venv"}, elem...)...)
}

// check says what to do where the environment is incomplete.
func (e environment) check() error {
	tools := []string{e.path("bin", "python"), e.path("bin", "gonb"), e.path("bin", "goimports"), e.kernelFile()}
	for _, tool := range tools {
		if _, err := os.Stat(tool); err != nil {
			return errors.New(
				"the notebooks' environment is missing or incomplete: make it with 'go run ./scripts/notebooks setup'")
		}
	}
	return nil
}

func (e environment) kernelFile() string {
	return e.path("share", "jupyter", "kernels", "gonb", "kernel.json")
}

// setup makes the environment, or completes it, with JupyterLab, what makes the
// book, and cells that can use XLA where these are asked for; say hears each step.
func (e environment) setup(ctx context.Context, lab, book, xla bool, say func(string)) error {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return errors.New("no go on the PATH: notebooks compile their cells, so the Go toolchain must be found there")
	}
	if _, err := os.Stat(e.path("bin", "pip")); err != nil {
		python, err := exec.LookPath("python3")
		if err != nil {
			return errors.New("no python3 on the PATH: install Python 3.11 or newer with its venv module")
		}
		say("python: making .venv")
		if err := e.do(ctx, python, "-m", "venv", "--clear", e.path()); err != nil {
			return fmt.Errorf("python's venv module failed (Debian keeps it in the package python3-venv): %w", err)
		}
	}
	for _, part := range []struct {
		wanted       bool
		requirements string
	}{{!lab && !book, "requirements.txt"}, {lab, "requirements-lab.txt"}, {book, "requirements-book.txt"}} {
		if !part.wanted {
			continue
		}
		say("python: installing " + part.requirements)
		if err := e.do(ctx, e.path("bin", "pip"), "install", "--quiet", "--disable-pip-version-check",
			"-r", filepath.Join(e.root, "notebooks", part.requirements)); err != nil {
			return err
		}
	}
	say("go: installing the kernel and goimports")
	err = e.do(ctx, goTool, "install", "github.com/janpfeifer/gonb", "golang.org/x/tools/cmd/goimports")
	if err != nil {
		return err
	}
	if lab && !e.hasGopls() {
		say("go: installing gopls, which answers Tab and Shift+Tab in cells")
		if err := e.do(ctx, goTool, "install", gopls); err != nil {
			say(fmt.Sprintf("gopls can't be installed, so that Tab and Shift+Tab won't answer: %v", err))
		}
	}
	variables := map[string]string{"PATH": e.path("bin") + ":" + filepath.Dir(goTool) + ":${PATH}"}
	if !xla {
		if err := quicken(ctx, goTool, variables); err != nil {
			return err
		}
	}
	if lab {
		if err := e.writeLabSettings(); err != nil {
			return err
		}
	}
	return e.writeKernel(variables)
}

// gopls is a module of its own, the last version for the Go of go.mod. The kernel
// finds it on its PATH, and goes without where it isn't.
const gopls = "golang.org/x/tools/gopls@v0.23.0"

// hasGopls says whether that version is installed; building it takes a minute.
func (e environment) hasGopls() bool {
	info, err := buildinfo.ReadFile(e.path("bin", "gopls"))
	return err == nil && info.Main.Path+"@"+info.Main.Version == gopls
}

// quicken sets what makes cells compile several times as fast: every cell is a
// program of its own, and most of its time goes into linking XLA's binding and
// debugging symbols. The user's own flags stay, but for those of the linker, of
// which the last count.
func quicken(ctx context.Context, goTool string, variables map[string]string) error {
	flags, err := exec.CommandContext(ctx, goTool, "env", "GOFLAGS").Output()
	if err != nil {
		return fmt.Errorf("go env GOFLAGS: %w", err)
	}
	variables["CGO_ENABLED"] = "0"
	variables["GOFLAGS"] = strings.TrimSpace(strings.TrimSpace(string(flags)) + " '-ldflags=-s -w'")
	return nil
}

// do runs a command in the repository; its error holds the last line that the
// command wrote to stderr.
func (e environment) do(ctx context.Context, name string, args ...string) error {
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = e.root
	command.Env = append(os.Environ(), "GOBIN="+e.path("bin"))
	var stderr strings.Builder
	command.Stderr = &stderr
	if err := command.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%s %s: %w: %s", filepath.Base(name), args[0], err, lastLine(stderr.String()))
	}
	return nil
}

// commit is that of the repository, with -dirty where files differ from it; empty
// where there is no git to ask.
func (e environment) commit(ctx context.Context) string {
	command := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
	command.Dir = e.root
	out, err := command.Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// writeKernel tells Jupyter of the Go kernel. The kernel finds goimports and go
// through its PATH; its log, which would fill every run's output, is off. Errors
// of the compiler come as text: as HTML they are missing from the logs of all that
// executes notebooks.
func (e environment) writeKernel(variables map[string]string) error {
	spec := map[string]any{
		"argv": []string{e.path("bin", "gonb"), "--kernel", "{connection_file}", "--raw_error",
			"--logtostderr=false", "--stderrthreshold=4", "--log_file=/dev/null"},
		"display_name":   "Go (gonb)",
		"language":       "go",
		"interrupt_mode": "message",
		"env":            variables,
	}
	return writeJSON(e.kernelFile(), spec)
}

// writeLabSettings keeps JupyterLab from asking the network for news and updates, and
// its reader whether it may. The reader's own settings go before these.
func (e environment) writeLabSettings() error {
	return writeJSON(e.path("share", "jupyter", "lab", "settings", "overrides.json"), map[string]any{
		"@jupyterlab/apputils-extension:notification": map[string]any{"fetchNews": "false", "checkForUpdates": false},
	})
}

func writeJSON(path string, content any) error {
	return run.WriteFile(path, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(content)
	})
}

//go:embed runner.py
var runner string

// job asks the runner to execute one notebook, or to put new text around its outputs.
type job struct {
	Source   string            `json:"source"`
	Folder   string            `json:"folder"` // where the cells run
	Small    bool              `json:"small"`
	Sections bool              `json:"sections"` // for faults alone, the cells of a section in one program
	Set      map[string]string `json:"set"`      // other parameters: Go expressions by name
	Timeout  float64           `json:"timeout"`  // seconds a cell
	Stamp    map[string]string `json:"stamp"`
	Saved    string            `json:"saved"` // a notebook of the same code whose outputs are taken; empty: cells are run
	// Solutions of all exercises, with which their cells run a second time; nil: they don't.
	Solutions map[string]string `json:"solutions"`
}

// event is what the runner reports.
type event struct {
	Event    string `json:"event"` // cell, done, failed or interrupted
	Done     int    `json:"done"`
	Total    int    `json:"total"`
	Cell     int    `json:"cell"`     // number of the cell that failed, from 1; 0 where it was none
	Text     string `json:"text"`     // what went wrong, in full
	Notebook string `json:"notebook"` // the executed notebook, when done
}

// cellError is a notebook's own fault.
type cellError struct {
	cell int
	text string
}

func (e *cellError) Error() string {
	place := ""
	if e.cell > 0 {
		place = fmt.Sprintf("cell %d: ", e.cell)
	}
	return place + e.headline()
}

// headline is the line of the text that says most: the first that is not the
// compiler's name of the package.
func (e *cellError) headline() string {
	for line := range strings.Lines(e.text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return line
		}
	}
	return strings.TrimSpace(e.text)
}

// execute runs a notebook's cells with a fresh kernel and returns the notebook
// with outputs. A fault of the notebook itself is a *cellError.
func (e environment) execute(ctx context.Context, j job, progress func(done, total int)) (string, error) {
	if j.Set == nil {
		j.Set = map[string]string{}
	}
	input, err := json.Marshal(j)
	if err != nil {
		return "", err
	}
	command := exec.CommandContext(ctx, e.path("bin", "python"), "-c", runner)
	// The runner ends its kernel when told to stop, so it is asked, not killed.
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 20 * time.Second
	command.Env = append(os.Environ(),
		"JUPYTER_RUNTIME_DIR="+e.path("run"),
		"JUPYTER_CONFIG_DIR="+e.path("config"),
		"JUPYTER_DATA_DIR="+e.path("data"))
	command.Stdin = strings.NewReader(string(input))
	var stderr strings.Builder
	command.Stderr = &stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := command.Start(); err != nil {
		return "", err
	}
	var last event
	for decoder := json.NewDecoder(stdout); ; {
		var next event
		if decoder.Decode(&next) != nil {
			break // the runner has ended
		}
		if last = next; last.Event == "cell" {
			progress(last.Done, last.Total)
		}
	}
	waitErr := command.Wait()
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case last.Event == "done":
		return last.Notebook, nil
	case last.Event == "failed":
		return "", &cellError{cell: last.Cell, text: last.Text}
	default:
		return "", fmt.Errorf("the runner ended early: %v: %s", waitErr, lastLine(stderr.String()))
	}
}
