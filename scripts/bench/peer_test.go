package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// behaviour is the environment variable that makes the test's own program a
// fake peer.
const behaviour = "BENCH_FAKE_PEER"

func TestMain(m *testing.M) {
	if how := os.Getenv(behaviour); how != "" {
		fakePeer(how)
		return
	}
	os.Exit(m.Run())
}

// fakePeer speaks the protocol, and then does what it was made for.
func fakePeer(how string) {
	switch how {
	case "missing":
		fmt.Println(`{"missing": "No module named 'fake'"}`)
		return
	case "silent":
		select {}
	case "nameless":
		fmt.Println(`{}`)
	case "stillborn":
		fmt.Fprintln(os.Stderr, "Traceback:\nfake: cannot open shared object")
		os.Exit(1)
	default:
		fmt.Println(`{"version": "fake 1.0"}`)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		var q request
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			panic(err)
		}
		switch {
		case q.Op == "prepare":
			fmt.Println(`{"answer": [1, 2]}`)
		case how == "rubbish":
			fmt.Println("Warning: 3 units in 2 s")
		case how == "endless":
			fmt.Println(strings.Repeat("x", maxReply+1))
		case how == "dies":
			fmt.Fprintln(os.Stderr, "MemoryError")
			os.Exit(3)
		case how == "falls silent":
			fmt.Fprintln(os.Stderr, "closing time")
			os.Stdout.Close()
		case how == "complains":
			fmt.Println(`{"error": "ValueError:\n singular matrix"}`)
		case how == "zero":
			fmt.Println(`{"units": 0, "wall": 1, "cpu": 1}`)
		case how == "hangs":
			select {}
		default:
			fmt.Printf("{\"units\": 30, \"wall\": %v, \"cpu\": 5}\n", q.Seconds)
		}
	}
}

func startFake(t *testing.T, ctx context.Context, how string) *peer {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(ctx, program)
	command.Env = append(os.Environ(), behaviour+"="+how)
	p := startPeer(ctx, "Fake", command)
	t.Cleanup(p.stop)
	return p
}

func TestPeer(t *testing.T) {
	p := startFake(t, t.Context(), "works")
	if p.failed != nil || p.version != "fake 1.0" {
		t.Fatalf("version %q, error %v", p.version, p.failed)
	}
	for range 2 {
		answer, err := p.prepare(t.Context(), "task", map[string]any{"rows": make([]float64, 1e5)})
		if err != nil || !slices.Equal(answer, []float64{1, 2}) {
			t.Errorf("answer %v, error %v", answer, err)
		}
		s, err := p.turn(t.Context(), "task", 0.5)
		if err != nil || s != (span{30, 0.5, 5}) {
			t.Errorf("span %v, error %v", s, err)
		}
	}
	p.stop()
	if err := p.failed; err != nil {
		t.Errorf("after a good end: %v", err)
	}
}

func TestPeerThatFails(t *testing.T) {
	for how, want := range map[string]string{
		"rubbish":      `Fake: it wrote "Warning: 3 units in 2 s" instead of a reply`,
		"endless":      "Fake: it wrote a line that is too long for a reply",
		"dies":         "Fake: it ended early: MemoryError",
		"falls silent": "Fake: it ended early: closing time",
		"complains":    "Fake: ValueError: singular matrix",
		"zero":         "Fake: its turn of 0 units in 1 s, 1 of the CPU, is no measurement",
	} {
		t.Run(how, func(t *testing.T) {
			p := startFake(t, t.Context(), how)
			if _, err := p.prepare(t.Context(), "task", nil); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the same error ever after
				if _, err := p.turn(t.Context(), "task", 0.1); err == nil || err.Error() != want {
					t.Errorf("error %v, want %s", err, want)
				}
			}
		})
	}
}

func TestPeerThatDoesNotStart(t *testing.T) {
	for how, want := range map[string]string{
		"nameless":  "Fake: its first line tells no version",
		"stillborn": "Fake: it ended early: fake: cannot open shared object",
		"missing":   "Fake: not installed (No module named 'fake')",
	} {
		if p := startFake(t, t.Context(), how); p.failed == nil || p.failed.Error() != want {
			t.Errorf("%s: error %v, want %s", how, p.failed, want)
		}
	}
	p := startPeer(t.Context(), "Fake", exec.Command("no-such-program-anywhere"))
	if p.failed == nil || !strings.Contains(p.failed.Error(), "no-such-program-anywhere") {
		t.Errorf("error %v, want one that names the program", p.failed)
	}
	p.stop()
}

// A context that ends, or a peer that takes too long, kills the process.
func TestPeerIsKilled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := startFake(t, ctx, "hangs")
	if _, err := p.prepare(ctx, "task", nil); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := p.turn(ctx, "task", 0.1); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
	<-p.ended

	p = startFake(t, t.Context(), "hangs")
	if _, err := p.ask(t.Context(), request{Op: "turn"}, time.Millisecond); err == nil || !strings.Contains(err.Error(), "no answer within 1ms") {
		t.Errorf("error %v, want one of the time limit", err)
	}
	<-p.ended
}

func TestFindPython(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("PATH", "")
	if path, problem := findPython(""); path != "" || !strings.Contains(problem, "-python") {
		t.Errorf("found %q, problem %q", path, problem)
	}
	if path, problem := findPython("no/python"); path != "" || !strings.Contains(problem, "no/python is no program") {
		t.Errorf("found %q, problem %q", path, problem)
	}
	if err := os.MkdirAll(".venv/bin", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(".venv/bin/python", []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if path, problem := findPython(""); path != ".venv/bin/python" {
		t.Errorf("found %q, problem %q", path, problem)
	}
}

// Every library's program is Python that compiles.
func TestProgramsCompile(t *testing.T) {
	python, problem := findPython("")
	if problem != "" {
		t.Skip(problem)
	}
	for _, l := range []library{numpy, jax, torch, clarabel, pypfopt, skfolio} {
		command := exec.Command(python, "-c", "import ast, sys; ast.parse(sys.stdin.read())")
		command.Stdin = strings.NewReader(l.program())
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", l.name, err, out)
		}
	}
}
