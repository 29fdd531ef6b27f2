package sweep

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
)

func TestSweepSurvivesKills(t *testing.T) {
	trainsMuch(t)
	if runtime.GOOS != "linux" {
		t.Skip("finds the workers' processes in /proc, which only Linux has")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for kills := 0; kills < 20; {
		dir := t.TempDir()
		for ended := false; !ended && kills < 20; {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), sweepVariable+"="+dir)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			for range 1 + rng.IntN(8) { // a random moment: after so many reports
				lines.Scan()
			}
			if kills%2 == 0 { // a worker, whose run fails, and then the parent
				if workers := children(t, cmd.Process.Pid); len(workers) > 0 {
					kill(t, workers[rng.IntN(len(workers))])
				}
				lines.Scan()
			}
			_ = cmd.Process.Kill() // it may have ended
			_ = cmd.Wait()
			if ended = cmd.ProcessState.Exited(); !ended {
				kills++
			}
		}
		s := openSweep(t, dir, tiny(t), false)
		runSweep(t, s, Options{Workers: 2}) // workers of a killed parent end soon after it, and hold their runs until then
		wantReference(t, results(t, dir))
	}
}

func TestSweepSaysThatAWorkerDied(t *testing.T) {
	trainsMuch(t)
	if runtime.GOOS != "linux" {
		t.Skip("finds the worker's process in /proc, which only Linux has")
	}
	dir := t.TempDir()
	s := openSweep(t, dir, tiny(t), false)
	var once sync.Once
	var notes []string
	outcome, err := s.Run(context.Background(), Options{
		Workers: 1, Backend: "go", Note: func(text string) { notes = append(notes, text) },
		Progress: func(p Progress) {
			if p.Done == 1 && p.Steps > tinySteps {
				once.Do(func() {
					for _, pid := range children(t, os.Getpid()) {
						kill(t, pid)
					}
				})
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if outcome.Done != 5 || len(outcome.Failures) != 1 || !strings.Contains(outcome.Failures[0].Reason, "killed") {
		t.Errorf("outcome %+v, want 5 done and one whose worker was killed", outcome)
	}
	if last := notes[len(notes)-1]; !strings.Contains(last, "worker 1 died (signal: killed)") {
		t.Errorf("last note %q, want it to tell of the death", last)
	}
	runSweep(t, s, Options{Workers: 1})
	wantReference(t, results(t, dir))
}

func TestTwoProcessesRaceOnOneFolder(t *testing.T) {
	trainsMuch(t)
	dir := t.TempDir()
	var processes [2]*exec.Cmd
	var out [2]strings.Builder
	for i := range processes {
		processes[i] = exec.Command(os.Args[0])
		processes[i].Env = append(os.Environ(), sweepVariable+"="+dir)
		processes[i].Stdout = &out[i]
		processes[i].Stderr = &out[i]
		if err := processes[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	done := 0
	for i, cmd := range processes {
		if err := cmd.Wait(); err != nil {
			t.Fatalf("process %d: %v\n%s", i, err, out[i].String())
		}
		_, text, ok := strings.Cut(out[i].String(), "outcome ")
		var outcome Outcome
		if err := json.Unmarshal([]byte(text), &outcome); !ok || err != nil {
			t.Fatalf("process %d said %q", i, out[i].String())
		}
		if outcome.There+outcome.Done != 6 || len(outcome.Failures) > 0 {
			t.Errorf("process %d: outcome %+v, want 6 runs without failure", i, outcome)
		}
		done += outcome.Done
	}
	if done != 6 {
		t.Errorf("%d runs made by both, want each of the 6 once", done)
	}
	wantReference(t, results(t, dir))
}

// children lists the processes that a process has started.
func children(t *testing.T, parent int) []int {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, path := range tasks {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the thread has ended
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

func kill(t *testing.T, pid int) {
	t.Helper()
	p, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
}
