// Command xla says which XLA plugins are there and work, and installs one.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/vae"
)

type config struct {
	Command    string  `arg:"command" choice:"status|install" required:"true" help:"status or install"`
	Plugin     string  `flag:"plugin" choice:"cpu|cuda12|cuda13" default:"cpu" only:"command=install" help:"the plugin to install; the CUDA plugins need NVIDIA's libraries (CUDA, cuDNN) in the folder ../nvidia beside theirs, or where the system finds them, and cuda12 is UNTESTED"`
	Dir        string  `flag:"dir" unit:"DIR" only:"command=install" help:"the folder to install in; without it the one that is searched first where PJRT_PLUGIN_LIBRARY_PATH is not set"`
	Wheel      string  `flag:"wheel" unit:"FILE" only:"command=install" help:"a wheel downloaded on another machine, to install from instead of by pip; its hash is checked the same"`
	DryRun     bool    `flag:"dry-run" only:"command=install" help:"say what install would do, and do nothing"`
	Force      bool    `flag:"force" only:"command=install" help:"replace another file of the plugin's name"`
	Timeout    float64 `flag:"timeout" unit:"seconds" range:"(0,inf)" default:"900" only:"command=install" help:"the longest time that the download may take"`
	Quiet      bool    `flag:"quiet" help:"print no messages, only errors"`
	cli.Format `title:"Output" only:"command=status"`
}

var verb = cli.Verb[config]{
	Name:    "xla",
	Summary: "say which XLA plugins are there and work, or install one by pip, pinned by its SHA-256",
	Example: `xla status                        # what was found, and what -backend auto would use
xla install -dry-run
xla install                       # the CPU plugin, for linux/amd64
xla install -wheel FILE           # without network
xla install -plugin cuda13        # for NVIDIA's GPUs`,
	Run: work,
}

// openVariable makes a process of this program open the plugin that it names
// and exit: a plugin that crashes takes only that process with it.
const openVariable = "VAEFOLIO_OPEN_PLUGIN"

func main() {
	openAndExit()
	cli.Main(verb)
}

func openAndExit() {
	path := os.Getenv(openVariable)
	if path == "" {
		return
	}
	backend, err := vae.Open("xla:" + path)
	if err == nil {
		err = backend.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func work(ctx context.Context, c *config, io *cli.IO) error {
	if c.Command == "status" {
		return status(ctx, c, io)
	}
	in := installer{
		release: releases[c.Plugin], dir: c.Dir, wheel: c.Wheel, force: c.Force,
		timeout: time.Duration(c.Timeout * float64(time.Second)), say: io.Note,
	}
	if in.dir == "" {
		var err error
		if in.dir, err = defaultFolder(); err != nil {
			return err
		}
	}
	if c.DryRun {
		_, err := fmt.Fprint(io.Stdout, in.plan())
		return err
	}
	if !builtIn {
		return errNotBuiltIn
	}
	path, err := in.install(ctx)
	if err != nil {
		return err
	}
	if err := tryOpen(ctx, path); err != nil {
		return fmt.Errorf("%s is installed, but does not open: %w", path, err)
	}
	io.Note("%s opens", path)
	return nil
}
