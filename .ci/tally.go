// Command tally reads what go test -json prints and says what matters: the
// output of failed tests, why tests were skipped, the time of each package,
// and, in its last line, how many passed, failed and were skipped. It exits
// with 1 where anything failed, or where there was no test at all.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// event is one line of go test -json.
type event struct {
	Action     string
	Package    string
	ImportPath string // of a build's output
	Test       string
	Elapsed    float64
	Output     string
}

// tally counts tests and subtests; a package that fails without a failing
// test, as when it doesn't compile, is one failure.
type tally struct {
	passed, failed, skipped int

	output  map[string]*strings.Builder // by test, package or build, until it has ended
	broken  map[string]bool             // packages with a failing test
	reasons map[string][]string         // skipped tests by reason
}

func main() {
	t := &tally{output: map[string]*strings.Builder{}, broken: map[string]bool{}, reasons: map[string][]string{}}
	decoder := json.NewDecoder(os.Stdin)
	for {
		var e event
		if err := decoder.Decode(&e); err == io.EOF {
			break
		} else if err != nil {
			fmt.Fprintln(os.Stderr, "tally: input is not from go test -json:", err)
			os.Exit(1)
		}
		t.take(e)
	}
	t.report()
	if t.failed > 0 || t.passed == 0 {
		os.Exit(1)
	}
}

func (t *tally) take(e event) {
	key := e.Package + " " + e.Test
	if e.ImportPath != "" {
		key = "build"
	}
	switch e.Action {
	case "output", "build-output":
		if t.output[key] == nil {
			t.output[key] = &strings.Builder{}
		}
		t.output[key].WriteString(e.Output)
		return
	case "pass":
		if e.Test != "" {
			t.passed++
		} else {
			fmt.Printf("ok    %6.1f s  %s\n", e.Elapsed, e.Package)
		}
	case "skip":
		if e.Test != "" {
			t.skipped++
			reason := t.reason(key)
			t.reasons[reason] = append(t.reasons[reason], e.Package+"."+e.Test)
		}
	case "fail":
		if e.Test != "" {
			t.failed++
			t.broken[e.Package] = true
			fmt.Printf("FAIL %s.%s\n%s", e.Package, e.Test, t.text(key))
		} else if !t.broken[e.Package] {
			t.failed++
			fmt.Printf("FAIL  %6.1f s  %s\n%s%s%s", e.Elapsed, e.Package, t.text("build"), t.unfinished(e.Package),
				t.text(key))
			delete(t.output, "build")
		} else {
			fmt.Printf("FAIL  %6.1f s  %s\n", e.Elapsed, e.Package)
		}
	default:
		return
	}
	delete(t.output, key)
}

// unfinished is the output of the tests that were running when the package's
// process died: the reason of its death is there.
func (t *tally) unfinished(pkg string) string {
	var names []string
	for key := range t.output {
		if name, ok := strings.CutPrefix(key, pkg+" "); ok && name != "" {
			names = append(names, key)
		}
	}
	slices.Sort(names)
	var b strings.Builder
	for _, key := range names {
		b.WriteString(t.text(key))
	}
	return b.String()
}

func (t *tally) text(key string) string {
	if t.output[key] == nil {
		return ""
	}
	return t.output[key].String()
}

// reason is what a test said when it skipped itself: the last line that is not
// the frame of the test's output, without its place in the source.
func (t *tally) reason(key string) string {
	reason := "no reason given"
	for line := range strings.Lines(t.text(key)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "---") || strings.HasPrefix(line, "===") || line == "" {
			continue
		}
		if place, rest, ok := strings.Cut(line, ": "); ok && strings.Contains(place, ".go:") {
			line = rest
		}
		reason = line
	}
	return reason
}

func (t *tally) report() {
	reasons := make([]string, 0, len(t.reasons))
	for reason := range t.reasons {
		reasons = append(reasons, reason)
	}
	slices.Sort(reasons)
	for _, reason := range reasons {
		tests := t.reasons[reason]
		fmt.Printf("skipped %d: %s\n", len(tests), reason)
		for _, name := range tests {
			fmt.Printf("    %s\n", name)
		}
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", t.passed, t.failed, t.skipped)
}
