package main

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"runtime/pprof"
	"sync"

	"vaefolio/vaelib/run"
)

// Files that -profile adds to the folder.
const (
	cpuFile  = "cpu.pprof"
	heapFile = "heap.pprof"
)

// profile records where the processor's time goes.
type profile struct {
	samples bytes.Buffer
	stop    func() // may be called again
}

func startProfile() (*profile, error) {
	p := &profile{stop: sync.OnceFunc(pprof.StopCPUProfile)}
	if err := pprof.StartCPUProfile(&p.samples); err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	return p, nil
}

// write ends the recording and writes it, and what memory is in use now, into
// the folder.
func (p *profile) write(folder *run.Run) error {
	p.stop()
	err := run.WriteFile(folder.Path(cpuFile), func(w io.Writer) error {
		_, err := p.samples.WriteTo(w)
		return err
	})
	if err != nil {
		return err
	}
	runtime.GC() // a heap profile is of the last collection
	return run.WriteFile(folder.Path(heapFile), pprof.WriteHeapProfile)
}
