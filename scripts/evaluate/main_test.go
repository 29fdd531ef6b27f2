package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"vaefolio/internal/sharedtest"
	"vaefolio/scripts/internal/clitest"
)

func TestMain(m *testing.M) {
	clitest.BecomeCommand(main)
	os.Exit(m.Run())
}

// execute returns exit code, stdout and stderr of the verb.
func execute(t *testing.T, args ...string) (int, string, string) {
	t.Helper()
	return clitest.Execute(t, verb, args...)
}

// results are the objects of the json that the verb prints.
func results(t *testing.T, args ...string) []map[string]any {
	t.Helper()
	code, stdout, stderr := execute(t, append(args, "-format=json", "-quiet")...)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	var objects []map[string]any
	if err := json.Unmarshal([]byte(stdout), &objects); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	return objects
}

// near says whether a figure is within the reference's tolerance.
func near(got any, want, relative, absolute float64) bool {
	x, ok := got.(float64)
	return ok && math.Abs(x-want) <= max(relative*math.Abs(want), absolute)
}

// TestReference compares with figures of 30 portfolios of 12 coins, which
// skfolio 1.12.2, empyrical-reloaded 0.7.1 and numpy computed.
func TestReference(t *testing.T) {
	weights := sharedtest.Path(t, "cases", "metrics", "core12_weights.csv")
	prices := sharedtest.Path(t, "cases", "data", "core12_close.csv")
	var reference struct {
		Std        float64 `json:"trial_sr_std"`
		Trials     int     `json:"n_trials"`
		Portfolios []struct {
			ID       int
			Expected map[string]any
			Library  map[string]map[string]any
		}
	}
	sharedtest.JSON(t, &reference, "cases", "metrics", "core12_expected.json")
	if len(reference.Portfolios) != 30 {
		t.Fatalf("%d portfolios, want 30", len(reference.Portfolios))
	}
	inputs := []string{"-prices", prices, "-weights", weights}
	compare := func(t *testing.T, got map[string]any, name string, expected map[string]any, key string) {
		t.Helper()
		if want, ok := expected[key].(float64); !ok || !near(got[name], want, 1e-9, 1e-12) {
			t.Errorf("portfolio %v: %s is %v, want %v", got["id"], name, got[name], expected[key])
		}
	}
	t.Run("default", func(t *testing.T) {
		objects := results(t, append(inputs, "-risk-contributions", "-trials", fmt.Sprint(reference.Trials), "-trial-sr-std", fmt.Sprint(reference.Std))...)
		if len(objects) != 30 {
			t.Fatalf("%d results, want 30", len(objects))
		}
		for i, p := range reference.Portfolios {
			got := objects[i]
			if got["id"] != strconv.Itoa(p.ID) || len(got["notes"].(map[string]any)) != 0 {
				t.Errorf("result %d has id %v and notes %v", i, got["id"], got["notes"])
			}
			for name, key := range map[string]string{
				"annual_return": "annual_return", "cagr": "cagr", "volatility": "volatility", "sharpe": "sharpe",
				"sortino": "sortino", "max_drawdown": "max_drawdown", "calmar": "calmar_cagr", "var95": "var95",
				"cvar95": "cvar95", "diversification_ratio": "diversification_ratio",
				"effective_assets": "effective_number", "psr": "psr0", "dsr": "dsr",
			} {
				compare(t, got, name, p.Expected, key)
			}
			shares, want := got["risk_contributions"].([]any), p.Expected["risk_contributions"].([]any)
			for j := range want {
				if !near(shares[j], want[j].(float64), 0, 1e-10) {
					t.Errorf("portfolio %d: risk contribution %d is %v, want %v", i, j, shares[j], want[j])
				}
			}
		}
	})
	for convention, keys := range map[string]map[string]string{
		"skfolio":   {"annual_return": "annual_return", "sharpe": "sharpe", "sortino": "sortino", "calmar": "calmar", "cvar95": "cvar95"},
		"empyrical": {"cagr": "cagr", "sortino": "sortino", "calmar": "calmar_cagr", "var95": "var95", "cvar95": "cvar95"},
	} {
		t.Run(convention, func(t *testing.T) {
			objects := results(t, append(inputs, "-convention", convention)...)
			for i, p := range reference.Portfolios {
				if p.Library == nil && i >= 5 {
					continue // the libraries were asked about the first five only
				}
				for name, key := range keys {
					compare(t, objects[i], name, p.Library[convention], key)
				}
			}
		})
	}
	t.Run("csv equals json", func(t *testing.T) {
		objects := results(t, inputs...)
		_, stdout, _ := execute(t, append(inputs, "-format=csv", "-quiet")...)
		rows, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
		if err != nil || len(rows) != 31 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		for i, row := range rows[1:] {
			for j, name := range rows[0] {
				if name == "id" || name == "notes" {
					continue
				}
				if x, err := strconv.ParseFloat(row[j], 64); err != nil || x != objects[i][name] {
					t.Errorf("row %d: %s is %s in csv, %v in json", i, name, row[j], objects[i][name])
				}
			}
		}
	})
}

const (
	prices = "date,A,B\n2024-01-01,100,50\n2024-01-02,90,55\n2024-01-03,99,44\n2024-01-04,108.9,66\n"
	even   = "id,B,A\nhalf,0.5,0.5\nshort,-1,2\n"
)

// The columns of the weights may stand in any order; the contributions keep
// that of the file.
func TestOrderOfColumns(t *testing.T) {
	closes := clitest.File(t, "p.csv", prices)
	first := results(t, "-prices", closes, "-weights", clitest.File(t, "w.csv", "id,B,A\nx,0.75,0.25\n"), "-risk-contributions")[0]
	second := results(t, "-prices", closes, "-weights", clitest.File(t, "w.csv", "A,B\n0.25,0.75\n"), "-risk-contributions")[0]
	if first["id"] != "x" || second["id"] != "1" {
		t.Errorf("ids are %v and %v", first["id"], second["id"])
	}
	for name, x := range first {
		if y := second[name]; name != "id" && name != "notes" && name != "risk_contributions" && x != y {
			t.Errorf("%s is %v in one order and %v in the other", name, x, y)
		}
	}
	b, a := first["risk_contributions"].([]any), second["risk_contributions"].([]any)
	if b[0] != a[1] || b[1] != a[0] || math.Abs(b[0].(float64)+b[1].(float64)-1) > 1e-12 {
		t.Errorf("risk contributions are %v and %v", b, a)
	}
}

// Figures without a value are null, with the reason.
func TestUndefined(t *testing.T) {
	flat := clitest.File(t, "p.csv", "date,A,B\n2024-01-01,1,1\n2024-01-02,1,2\n2024-01-03,1,4\n2024-01-04,1,8\n")
	weights := clitest.File(t, "w.csv", "A,B\n1,0\n0,1\n")
	objects := results(t, "-prices", flat, "-weights", weights, "-risk-contributions", "-trials=5", "-trial-sr-std=0.1")
	for i, names := range [][]string{
		{"sharpe", "sortino", "calmar", "diversification_ratio", "psr", "dsr", "risk_contributions"},
		{"sharpe", "sortino", "calmar", "diversification_ratio", "psr", "dsr", "risk_contributions"},
	} {
		notes := objects[i]["notes"].(map[string]any)
		for _, name := range names {
			value, present := objects[i][name]
			if reason, _ := notes[name].(string); !present || value != nil || reason == "" {
				t.Errorf("portfolio %d: %s is %v with the reason %q", i, name, value, reason)
			}
		}
		if len(notes) != len(names) || objects[i]["max_drawdown"] != 0.0 {
			t.Errorf("portfolio %d: notes %v, drawdown %v", i, notes, objects[i]["max_drawdown"])
		}
	}
	code, stdout, _ := execute(t, "-prices", flat, "-weights", weights, "-format=csv", "-quiet")
	if code != 0 || !strings.Contains(stdout, "sharpe: the return is the same in every period") {
		t.Errorf("csv is %s", stdout)
	}
}

func TestMessages(t *testing.T) {
	closes, weights := clitest.File(t, "p.csv", prices), clitest.File(t, "w.csv", even)
	code, stdout, stderr := execute(t, "-prices", closes, "-weights", weights, "-level=0.9")
	if code != 0 || !strings.HasPrefix(stdout, "id ") || !strings.Contains(stdout, "var90") {
		t.Errorf("exit code %d, stdout %q", code, stdout)
	}
	for _, want := range []string{"symbols 2", "periods per year: 252", "cvar90 is a mean of the worst 0.3 of 3 periods"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("stderr %q lacks %q", stderr, want)
		}
	}
	sample := clitest.File(t, "w.csv", "ALDER,BIRCH,CEDAR,BROOK,CREEK,FJORD,BASALT,GRANITE,SLATE,FINCH,HERON,WREN\n1,0,0,0,0,0,0,0,0,0,0,0\n")
	if code, _, stderr := execute(t, "-weights", sample); code != 0 || !strings.Contains(stderr, "SYNTHETIC") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}

func TestBadInput(t *testing.T) {
	closes, weights := clitest.File(t, "p.csv", prices), clitest.File(t, "w.csv", even)
	file := func(text string) string { return clitest.File(t, "bad.csv", text) }
	var stopped strings.Builder
	stopped.WriteString("date,A,B\n2024-01-01,1,2\n2024-01-02,1.1,2.2\n")
	for day := range 20 {
		fmt.Fprintf(&stopped, "2024-01-%02d,%d,\n", 3+day, 1+day%3)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no weights", nil, 2, "-weights FILE is missing"},
		{"leftover", []string{"-weights", weights, "more"}, 2, `leftover argument "more"`},
		{"unknown flag", []string{"-wieghts", weights}, 2, "unknown flag -wieghts: did you mean weights?"},
		{"unknown format", []string{"-weights", weights, "-format=xml"}, 2, "table, csv, json"},
		{"level", []string{"-weights", weights, "-level=1"}, 2, "-level: 1 lies outside (0,1)"},
		{"trials alone", []string{"-weights", weights, "-trials=5"}, 2, "-trials needs -trial-sr-std"},
		{"deviation alone", []string{"-weights", weights, "-trial-sr-std=0"}, 2, "-trial-sr-std goes with -trials N"},
		{"missing weights", []string{"-weights", "none.csv"}, 1, "none.csv: no such file"},
		{"folder of weights", []string{"-weights", t.TempDir()}, 1, "folder"},
		{"empty weights", []string{"-weights", file("")}, 1, "bad.csv"},
		{"header alone", []string{"-weights", file("A,B\n")}, 1, "bad.csv"},
		{"binary weights", []string{"-weights", file("\x00\x01")}, 1, "bad.csv:1"},
		{"text in a weight", []string{"-weights", file("A,B\n1,zero\n")}, 1, "bad.csv:2"},
		{"NaN", []string{"-weights", file("A,B\n1,NaN\n")}, 1, "bad.csv:2"},
		{"ragged", []string{"-weights", file("A,B\n1\n")}, 1, "bad.csv:2"},
		{"sum", []string{"-weights", file("id,A,B\np1,1,0\np2,0.5,0.4\n")}, 1, "bad.csv:3: row p2 "},
		{"repeated symbol", []string{"-weights", file("A,A\n1,0\n")}, 1, "A is repeated"},
		{"unknown symbol", []string{"-weights", file("A,C\n1,0\n")}, 1, "unknown symbol C"},
		{"other prices", []string{"-weights", file("C,D\n1,0\n")}, 1, "none of its symbols, such as C, is in the prices, which have A and the like: give the portfolios' own prices by -prices"},
		{"a symbol unlike any", []string{"-weights", file("A,B,XOM\n1,0,0\n")}, 1, "unknown symbol XOM, which the prices that -prices and -symbols choose have not: take it out, or give its prices"},
		{"small letters", []string{"-weights", file("a,B\n1,0\n")}, 1, "unknown symbol a, which the prices that -prices and -symbols choose have not: is A meant?"},
		{"missing symbol", []string{"-weights", file("A\n1\n")}, 1, "no column for symbol B"},
		{"stopped", []string{"-weights", weights, "-listings=as-it-was", "-prices", clitest.File(t, "stopped.csv", stopped.String())}, 1, "B has stopped, so that -listings leaves it out"},
		{"missing prices", []string{"-weights", weights, "-prices", "none.csv"}, 1, "none.csv"},
		{"bad price", []string{"-weights", weights, "-prices", file("date,A,B\n2024-01-01,1,-2\n")}, 1, "bad.csv:2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := execute(t, append([]string{"-prices", closes}, c.args...)...)
			lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
			if last := lines[len(lines)-1]; code != c.code || !strings.HasPrefix(last, "evaluate: ") || !strings.Contains(last, c.want) {
				t.Errorf("exit code %d, stderr %q; want %d, %q", code, stderr, c.code, c.want)
			}
			if stdout != "" {
				t.Errorf("stdout %q", stdout)
			}
		})
	}
}

// TestProcess checks what a shell sees of the command.
func TestProcess(t *testing.T) {
	if testing.Short() {
		t.Skip("starts several processes: without -short")
	}
	closes, weights := clitest.File(t, "p.csv", prices), clitest.File(t, "w.csv", even)
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{"-h"}, 0},
		{[]string{"-prices", closes, "-weights", weights}, 0},
		{[]string{"-prices", closes, "-weights", "none.csv"}, 1},
		{[]string{"-prices", closes}, 2},
	} {
		cmd := clitest.Command(c.args...)
		if err := cmd.Run(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != c.code {
			t.Errorf("evaluate %v: %v, want exit code %d", c.args, err, c.code)
		}
	}

	many := clitest.File(t, "many.csv", "ALDER,BIRCH,CEDAR,BROOK,CREEK,FJORD,BASALT,GRANITE,SLATE,FINCH,HERON,WREN\n"+
		strings.Repeat("0.25,0.25,0,0,0.25,0,0.25,0,0,0,0,0\n", 300000))
	var stdout *bytes.Buffer
	var stderr *os.File
	cmd := clitest.Interrupted(t, syscall.SIGINT, func() *exec.Cmd {
		var err error
		if stderr, err = os.Create(filepath.Join(t.TempDir(), "stderr")); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { stderr.Close() })
		stdout = &bytes.Buffer{}
		cmd := clitest.Command("-format=json", "-weights", many)
		cmd.Stdout, cmd.Stderr = stdout, stderr
		return cmd
	}, func() bool { // the prices are there, the evaluation is still to come
		info, err := stderr.Stat()
		return err == nil && info.Size() > 0
	})
	said, err := os.ReadFile(stderr.Name())
	if code := cmd.ProcessState.ExitCode(); code != 130 || err != nil {
		t.Errorf("interrupted: exit code %d, want 130 (%v)", code, err)
	}
	if !strings.HasSuffix(string(said), "evaluate: interrupted\n") || stdout.Len() != 0 {
		t.Errorf("interrupted: stderr %q, %d bytes of stdout", said, stdout.Len())
	}
}
