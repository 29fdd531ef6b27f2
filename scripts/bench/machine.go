package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// machine is what a measurement was made on.
type machine struct {
	date      string
	processor string
	cores     int
	system    string
	modules   []string // those whose speed it is
	plugin    string   // file name, "" without
	peers     []string // versions
	before    string   // load before and after, "" where the system doesn't tell
	after     string
	remark    string // by the user
}

func describeMachine() *machine {
	return &machine{
		date: time.Now().UTC().Format(time.DateOnly), processor: processor(), cores: runtime.NumCPU(),
		system: runtime.GOOS + "/" + runtime.GOARCH, modules: modules(), before: load(),
	}
}

// finish adds what is known only after the measurement.
func (m *machine) finish(b *bed, remark string) {
	m.peers, m.after, m.remark = b.versions(), load(), remark
	if b.xla != nil {
		m.plugin = filepath.Base(b.xla.Plugin())
	}
}

// lines describe the machine, one subject each.
func (m *machine) lines() []string {
	lines := []string{
		fmt.Sprintf("%s, %d cores, %s", m.processor, m.cores, m.system),
		runtime.Version() + ", " + strings.Join(m.modules, ", "),
	}
	if m.plugin != "" {
		lines = append(lines, "XLA plugin "+m.plugin)
	}
	if len(m.peers) > 0 {
		lines = append(lines, strings.Join(m.peers, ", "))
	}
	if m.before != "" {
		lines = append(lines, fmt.Sprintf("load averages over 1, 5 and 15 minutes: %s before, %s after",
			m.before, m.after))
	}
	if m.remark != "" {
		lines = append(lines, m.remark)
	}
	return lines
}

// processor is the name of the CPU, or of its architecture where the system
// doesn't tell.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo") // elsewhere than on Linux there is none
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH + " processor"
}

// load is the system's load averages.
func load() string {
	text, _ := os.ReadFile("/proc/loadavg") // elsewhere than on Linux there is none
	fields := strings.Fields(string(text))
	return strings.Join(fields[:min(3, len(fields))], " ")
}

// modules are the versions of the modules that do the work.
func modules() []string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	var found []string
	for _, d := range info.Deps {
		name := strings.TrimPrefix(strings.TrimPrefix(d.Path, "github.com/"), "gonum.org/v1/")
		if slices.Contains([]string{"gomlx/gomlx", "gomlx/compute", "gomlx/go-xla", "gonum"}, name) {
			found = append(found, name+" "+d.Version)
		}
	}
	return found
}
