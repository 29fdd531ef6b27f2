package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"vaefolio/vaelib/sweep"
)

func TestBoard(t *testing.T) {
	now := sweep.Progress{
		Runs: 10, There: 2, Done: 3, Failed: 1, Elsewhere: 1, Steps: 450, AllSteps: 800, Left: 95 * time.Second,
		Workers: []sweep.WorkerState{{Run: "beta=1 seed=2", Done: 50, Total: 100, Note: "loss 4.2"}, {}},
	}
	want := []string{
		"5 of 10 runs, 1 failed, 1 in another process, 1m35s left",
		"   1  beta=1 seed=2  ██████████··········  50 %  loss 4.2",
		"   2  waits",
	}
	if got := table(now); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("table\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	var terminal bytes.Buffer
	b := &board{terminal: &terminal, width: 12}
	b.now = now
	b.draw()
	first := terminal.String()
	for line := range strings.Lines(first) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n >= 12 {
			t.Errorf("line %q is as wide as the terminal, %d", line, n)
		}
	}
	b.draw()
	if again := strings.TrimPrefix(terminal.String(), first); again != "\x1b[3A\x1b[J"+first {
		t.Errorf("drawn again as %q, want it over the three lines", again)
	}
	now.Left = -1
	if strings.Contains(summary(now), "left") {
		t.Errorf("%q tells a time that is unknown", summary(now))
	}
}
