package sweep

import (
	"fmt"
	"net"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// claims is what the names of the sockets begin with that claim cores.
var claims = "@vaefolio-core"

// startPinned starts a command that is to have a core alone. unpin gives the
// core back.
//
// A core is claimed by a socket of its name, which the system takes back with the
// process and which leaves no file, so that two sweeps on one machine, tasks of one
// Slurm array for instance, don't meet on it. Where none is left, and under a
// quota of processor time (as containers have), where the cores are shared with
// others who can't be seen, the command runs where the system puts it.
func startPinned(cmd *exec.Cmd) (unpin func(), err error) {
	var allowed unix.CPUSet
	// This thread's affinity is what the child inherits.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if unix.SchedGetaffinity(0, &allowed) != nil || runtime.GOMAXPROCS(0) < allowed.Count() {
		return func() {}, cmd.Start()
	}
	core, claim := claimCore(&allowed)
	if claim == nil {
		return func() {}, cmd.Start()
	}
	var one unix.CPUSet
	one.Set(core)
	if unix.SchedSetaffinity(0, &one) == nil {
		defer func() { _ = unix.SchedSetaffinity(0, &allowed) }()
	}
	if err := cmd.Start(); err != nil {
		_ = claim.Close()
		return func() {}, err
	}
	return func() { _ = claim.Close() }, nil
}

// claimCore takes the first allowed core that no other process has claimed.
func claimCore(allowed *unix.CPUSet) (core int, claim net.Listener) {
	left := allowed.Count()
	for core := 0; left > 0; core++ {
		if !allowed.IsSet(core) {
			continue
		}
		left--
		if claim, err := net.Listen("unix", fmt.Sprintf("%s-%d", claims, core)); err == nil {
			return core, claim
		}
	}
	return 0, nil
}
