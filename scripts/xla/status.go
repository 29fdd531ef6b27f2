package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/vae"
)

const pathVariable = "PJRT_PLUGIN_LIBRARY_PATH"

// folders are those that vae.Open searches, in its order.
func folders() []string {
	if list, ok := os.LookupEnv(pathVariable); ok {
		return slices.DeleteFunc(filepath.SplitList(list), func(s string) bool { return s == "" })
	}
	var all []string
	if first, err := defaultFolder(); err == nil {
		all = append(all, first)
	}
	return append(all, "/usr/local/lib/go-xla")
}

func defaultFolder() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", errors.New("no home folder: choose a folder with -dir, and name it in " + pathVariable)
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(home, "Library", "Application Support", "go-xla"), nil
	}
	return filepath.Join(home, ".local", "lib", "go-xla"), nil
}

// plugins are the files of a folder that have a plugin's name.
func plugins(folder string) []string {
	entries, _ := os.ReadDir(folder) // one that can't be read holds none that can be used
	var paths []string
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), filepath.Ext(e.Name()))
		if strings.HasPrefix(name, "pjrt_c_api_") && strings.HasSuffix(name, "_plugin") ||
			strings.HasPrefix(name, "pjrt_plugin_") || strings.HasPrefix(name, "pjrt-plugin-") {
			paths = append(paths, filepath.Join(folder, e.Name()))
		}
	}
	return paths
}

// status prints a row for each thing that decides which backend is used.
func status(ctx context.Context, c *config, io *cli.IO) error {
	table := io.Table(c.Format.Format, cli.Column{Name: "what"}, cli.Column{Name: "value"}, cli.Column{Name: "bytes"},
		cli.Column{Name: "release"}, cli.Column{Name: "sha256"}, cli.Column{Name: "result"})
	row := func(what, value, result string) error { return table.Row(what, value, nil, nil, nil, result) }
	built := "XLA is built in"
	if !builtIn {
		built = errNotBuiltIn.Error()
	}
	search, searched := "the default folders are searched", os.Getenv(pathVariable)
	if _, ok := os.LookupEnv(pathVariable); ok {
		search = "replaces the default folders"
	}
	flags := "none"
	if os.Getenv("XLA_FLAGS") != "" {
		flags = "checked with each plugin below"
	}
	if err := errors.Join(row("program", runtime.GOOS+"/"+runtime.GOARCH, built),
		row(pathVariable, searched, search), row("XLA_FLAGS", os.Getenv("XLA_FLAGS"), flags)); err != nil {
		return err
	}
	for _, folder := range folders() {
		found := plugins(folder)
		result := fmt.Sprintf("plugins: %d", len(found))
		if _, err := os.Stat(folder); err != nil {
			result = "no such folder"
		}
		if err := row("folder", folder, result); err != nil {
			return err
		}
		for _, path := range found {
			if err := describe(ctx, table, path, c.Format.Format == "table"); err != nil {
				return err
			}
		}
	}
	value, result := "go", ""
	if backend, err := openAuto(ctx); err != nil {
		result = "no plugin opens"
		io.Note("%v", err)
	} else {
		value, result = backend, "works"
	}
	if err := row("backend auto", value, result); err != nil {
		return err
	}
	return table.Close()
}

// describe prints the row of a plugin.
func describe(ctx context.Context, table *cli.Table, path string, short bool) error {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return table.Row("plugin", path, nil, nil, nil, "is no file")
	}
	hash, err := run.HashFile(path)
	if err != nil {
		return table.Row("plugin", path, int(info.Size()), nil, nil, err.Error())
	}
	name := "unknown"
	for _, r := range releases {
		if r.pluginHash == hash {
			name = r.distribution + " " + r.version
		}
	}
	result := "opens"
	if err := tryOpen(ctx, path); err != nil {
		result = err.Error()
	}
	if short {
		hash = hash[:12]
	}
	return table.Row("plugin", path, int(info.Size()), name, hash, result)
}

// openAuto returns what auto comes to, and the reason where that is not XLA.
func openAuto(ctx context.Context) (string, error) {
	var path string
	for _, folder := range folders() {
		found := plugins(folder)
		if len(found) == 0 {
			continue
		}
		path = found[0]
		for _, p := range found {
			if strings.Contains(strings.ToLower(filepath.Base(p)), "cpu") {
				path = p
				break
			}
		}
		break
	}
	if path != "" {
		if err := tryOpen(ctx, path); err != nil {
			return "", err // opening it here could end this process
		}
	}
	backend, err := vae.Open("auto")
	if err != nil {
		return "", err
	}
	defer backend.Close()
	if backend.Plugin() == "" {
		return "", errors.New(backend.Advice())
	}
	return "xla:" + backend.Plugin(), nil
}

// openLimit is how long a plugin may take to open and run an addition.
const openLimit = 2 * time.Minute

// tryOpen opens a plugin in a child process.
func tryOpen(ctx context.Context, path string) error {
	if !builtIn {
		return errNotBuiltIn
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, openLimit)
	defer cancel()
	child := exec.CommandContext(limited, self)
	child.Env = append(os.Environ(), openVariable+"="+path, "TF_CPP_MIN_LOG_LEVEL=2")
	var stderr strings.Builder
	child.Stderr = &stderr
	child.WaitDelay = time.Second
	if err := child.Run(); err != nil {
		switch lines := strings.Split(strings.TrimSpace(stderr.String()), "\n"); {
		case ctx.Err() != nil:
			return ctx.Err()
		case limited.Err() != nil:
			return fmt.Errorf("did not open in %v", openLimit)
		case lines[len(lines)-1] != "":
			return errors.New(lines[len(lines)-1])
		}
		return fmt.Errorf("ended the process: %w", err)
	}
	return nil
}
