package main

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"vaefolio/scripts/internal/clitest"
)

// The returns of days and of stretches are those of the prices, the weights restored.
func TestDays(t *testing.T) {
	prices := clitest.File(t, "closes.csv", "date,A,B\n2024-01-01,100,50\n2024-01-02,110,50\n2024-01-03,99,55\n2024-01-04,99,55\n")
	weights := clitest.File(t, "weights.csv", "A,B\n0.5,0.5\n1,0\n")
	args := []string{"-prices", prices, "-weights", weights, "-quiet"}
	code, stdout, stderr := execute(t, append(args, "-format", "json", "-days", "2024-01-03,2024-01-02:2024-01-04")...)
	var rows []map[string]any
	if err := json.Unmarshal([]byte(stdout), &rows); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v\n%s", code, err, stderr)
	}
	for name, want := range map[string][]float64{
		"return_2024-01-03":            {0, -0.1},
		"return_2024-01-02:2024-01-04": {0.05, -0.01},
	} {
		for i, v := range want {
			if got, _ := rows[i][name].(float64); math.Abs(got-v) > 1e-12 {
				t.Errorf("%s of portfolio %d is %v, not %v", name, i+1, rows[i][name], v)
			}
		}
	}
	for text, want := range map[string]string{
		"2024-01-01":            "no return ends on 2024-01-01: those of the prices end from 2024-01-02 to 2024-01-04",
		"2024-01-03:2024-01-02": "ends before it begins",
		"yesterday":             "is no day such as",
	} {
		code, stdout, stderr := execute(t, append(args, "-days", text)...)
		if code == 0 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit code %d\n%s", text, code, stderr)
		}
	}
	args = args[:4] // without -quiet
	for text, beyond := range map[string]bool{
		"2024-01-01:2024-01-04": false, "2023-12-31:2024-01-03": true, "2024-01-03:2024-01-05": true,
	} {
		code, _, stderr := execute(t, append(args, "-days", text)...)
		if said := strings.Contains(stderr, "goes beyond the prices, which are from 2024-01-01 to 2024-01-04"); code != 0 ||
			said != beyond {
			t.Errorf("%s: exit code %d\n%s", text, code, stderr)
		}
	}
	dated := clitest.File(t, "dated.csv", "date,A,B\n2024-01-01,0.5,0.5\n2024-01-03,1,0\n")
	if code, _, stderr := execute(t, "-prices", prices, "-weights", dated); code != 0 ||
		!strings.Contains(stderr, "each is a portfolio of its own here, held from the first price to the last") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
	if code, _, _ := execute(t, append(args, "-days", "yesterday")...); code != 2 {
		t.Errorf("exit code %d", code)
	}
}
