package sweep

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestWorkersGetCoresOfTheirOwn(t *testing.T) {
	var allowed unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		t.Fatal(err)
	}
	if runtime.GOMAXPROCS(0) < allowed.Count() {
		t.Skip("this process has a quota of processor time, under which nothing is pinned")
	}
	// Claims of its own, as other sweeps on this machine have some of the usual name.
	usual := claims
	defer func() { claims = usual }()
	claims = fmt.Sprintf("@vaefolio-test-%d", os.Getpid())
	cores := func() (string, func()) {
		cmd := exec.Command("grep", "Cpus_allowed_list", "/proc/self/status")
		var out strings.Builder
		cmd.Stdout = &out
		unpin, err := startPinned(cmd)
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(strings.TrimPrefix(out.String(), "Cpus_allowed_list:")), unpin
	}
	seen := map[string]bool{}
	var first func()
	for i := range allowed.Count() {
		list, unpin := cores()
		if seen[list] || strings.ContainsAny(list, ",-") {
			t.Errorf("process %d runs on cores %s, after %v: want another one each", i, list, seen)
		}
		seen[list] = true
		if first == nil {
			first = unpin
		} else {
			defer unpin()
		}
	}
	free, unpin := cores()
	unpin()
	if allowed.Count() > 1 && !strings.ContainsAny(free, ",-") {
		t.Errorf("with every core taken a process is held to core %s", free)
	}
	first()
	again, unpin := cores()
	defer unpin()
	if !seen[again] {
		t.Errorf("a core given back is not taken again: cores %s", again)
	}
	var after unix.CPUSet
	if err := unix.SchedGetaffinity(0, &after); err != nil || after != allowed {
		t.Errorf("the parent's own cores changed: %v", err)
	}
}
