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
	Command string  `arg:"command" choice:"status|install" required:"true" help:"status or install"`
	Plugin  string  `flag:"plugin" choice:"cpu|cuda12|cuda13" default:"cpu" help:"what to install; the CUDA plugins need NVIDIA's libraries (CUDA, cuDNN) in the folder ../nvidia beside theirs, or where the system finds them, and cuda12 is UNTESTED"`
	Dir     string  `flag:"dir" unit:"DIR" help:"where to install; without it the folder that is searched first where PJRT_PLUGIN_LIBRARY_PATH is not set"`
	Wheel   string  `flag:"wheel" unit:"FILE" help:"install from this wheel, downloaded on another machine, instead of by pip; its hash is checked the same"`
	DryRun  bool    `flag:"dry-run" help:"only say what install would do"`
	Force   bool    `flag:"force" help:"replace another file of the plugin's name"`
	Timeout float64 `flag:"timeout" unit:"seconds" range:"(0,inf)" default:"900" help:"limit of the download's time"`
	Quiet   bool    `flag:"quiet" help:"no messages, only errors"`
	cli.Format
}

// Validate refuses what the command doesn't take.
func (c *config) Validate() error {
	if c.Command == "status" && (c.Dir != "" || c.Wheel != "" || c.DryRun || c.Force) {
		return fmt.Errorf("-dir, -wheel, -dry-run and -force go with install only")
	}
	return nil
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
