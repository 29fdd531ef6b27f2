package main

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"vaefolio/internal/sharedtest"
	"vaefolio/scripts/internal/clitest"
)

// execute returns exit code, stdout and stderr of the verb.
func execute(t *testing.T, args ...string) (int, string, string) {
	t.Helper()
	return clitest.Execute(t, verb, args...)
}

// rows reads weights as a user would: the header, and the numbers of each row
// after the given number of other columns.
func rows(t *testing.T, text string, skip int) (header []string, weights [][]float64) {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range records[1:] {
		var w []float64
		for _, field := range record[skip:] {
			x, err := strconv.ParseFloat(field, 64)
			if err != nil {
				t.Fatal(err)
			}
			w = append(w, x)
		}
		weights = append(weights, w)
	}
	return records[0], weights
}

// TestReference compares with exact projections onto capped simplices, whose
// file has the input v and the projection w of each case in turn.
func TestReference(t *testing.T) {
	for _, name := range []string{"n5.csv", "n12.csv"} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(sharedtest.Path(t, "cases", "projection", name))
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(string(text)), "\n")
			inputs, expected := map[string][]string{}, map[string][]string{} // by cap
			var caps []string
			for _, line := range lines[1:] {
				fields := strings.SplitN(line, ",", 4) // id, kind, cap, numbers
				to := inputs
				if fields[1] == "w" {
					to = expected
				}
				if len(inputs[fields[2]]) == 0 {
					caps = append(caps, fields[2])
				}
				to[fields[2]] = append(to[fields[2]], fields[3])
			}
			header := strings.SplitN(lines[0], ",", 4)[3] + "\n"
			cases := 0
			for _, limit := range caps {
				raw := clitest.File(t, "raw.csv", header+strings.Join(inputs[limit], "\n")+"\n")
				code, stdout, stderr := execute(t, "-quiet", "-weights", raw, "-max-weight", limit)
				if code != 0 || stderr != "" {
					t.Fatalf("cap %s: exit code %d, stderr %q", limit, code, stderr)
				}
				_, got := rows(t, stdout, 0)
				_, want := rows(t, header+strings.Join(expected[limit], "\n")+"\n", 0)
				if len(got) != len(want) {
					t.Fatalf("cap %s: %d rows, want %d", limit, len(got), len(want))
				}
				for i := range got {
					cases++
					for j := range got[i] {
						if math.Abs(got[i][j]-want[i][j]) > 1e-12 {
							t.Errorf("cap %s, row %d, column %d: %v, want %v", limit, i, j, got[i][j], want[i][j])
						}
					}
				}
			}
			if cases != 200 {
				t.Errorf("%d cases, want 200", cases)
			}
		})
	}
}

const (
	symbols = "A,B,C,D,E,F"
	sectors = "symbol,sector,share\nA,x,1\nB,x,1\nC,x,0.5\nC,y,0.5\nD,y,1\nE,z,1\n"
)

// Towards a target no more is traded than may be.
func TestMaxTurnover(t *testing.T) {
	target, held := clitest.File(t, "target.csv", "A,B,C\n0.6,0.4,0\n"), clitest.File(t, "held.csv", "B,C\n0.5,0.5\n")
	code, stdout, stderr := execute(t, "-weights", target, "-holdings", held, "-max-turnover=0.4", "-quiet")
	_, got := rows(t, stdout, 0)
	if code != 0 || len(got) != 1 {
		t.Fatalf("exit code %d, %s%s", code, stdout, stderr)
	}
	for j, want := range []float64{0.2, 0.5, 0.3} {
		if math.Abs(got[0][j]-want) > 1e-12 {
			t.Errorf("%v, want to move a fifth from C to A alone", got[0])
		}
	}
	for want, args := range map[string][]string{
		"limits nothing without -max-turnover": {"-holdings", held}, "it takes 0.4 from": {"-holdings", held, "-max-turnover=0.1", "-max-weight=0.4"},
	} {
		if code, stdout, stderr := execute(t, append(args, "-weights", target)...); code == 0 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d, %s, want %q", args, code, stderr, want)
		}
	}
}

// What stands in the file, parsed again, misses no constraint by more than
// 1e-12.
func TestWrittenWeightsAreFeasible(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var raw strings.Builder
	raw.WriteString("id," + symbols + "\n")
	const count = 300
	for i := range count {
		fmt.Fprintf(&raw, "p%d", i)
		for range 6 {
			fmt.Fprintf(&raw, ",%v", rng.NormFloat64()*math.Pow(10, float64(i%5-2)))
		}
		raw.WriteString("\n")
	}
	code, stdout, stderr := execute(t, "-weights", clitest.File(t, "raw.csv", raw.String()), "-max-weight=0.4", "-min-weight=0.05",
		"-sectors", clitest.File(t, "s.csv", sectors), "-sector-cap=x=0.5", "-sector-cap=y=0.1:0.3")
	if code != 0 || !strings.Contains(stderr, "300 rows; the furthest moved by ") {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	header, got := rows(t, stdout, 1)
	if strings.Join(header, ",") != "id,"+symbols || len(got) != count || !strings.Contains(stdout, "\np299,") {
		t.Fatalf("header %v, %d rows", header, len(got))
	}
	for i, w := range got {
		var sum float64
		for _, x := range w {
			sum += x
			if x != 0 && x < 0.05-1e-12 || x > 0.4+1e-12 {
				t.Errorf("row %d: weight %v", i, x)
			}
		}
		x, y := w[0]+w[1]+0.5*w[2], 0.5*w[2]+w[3]
		if math.Abs(sum-1) > 1e-12 || x > 0.5+1e-12 || y < 0.1-1e-12 || y > 0.3+1e-12 {
			t.Errorf("row %d: sum %v, x %v, y %v", i, sum, x, y)
		}
	}
}

// A file without ids comes back without ids, feasible rows as they are.
func TestFeasibleStays(t *testing.T) {
	const text = "A,B\n0.25,0.75\n1,0\n"
	if code, stdout, stderr := execute(t, "-quiet", "-weights", clitest.File(t, "w.csv", text)); code != 0 || stdout != text || stderr != "" {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	short := "A,B\n1.5,-0.5\n"
	if code, stdout, _ := execute(t, "-quiet", "-weights", clitest.File(t, "w.csv", short), "-lower=-0.5", "-max-weight=1.5"); code != 0 || stdout != short {
		t.Errorf("with short positions: exit code %d, stdout %q", code, stdout)
	}
}

func TestBadInput(t *testing.T) {
	weights := clitest.File(t, "w.csv", symbols+"\n1,0,0,0,0,0\n")
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no weights", nil, 2, "-weights FILE is missing"},
		{"missing file", []string{"-weights", "none.csv"}, 1, "none.csv"},
		{"infinite", []string{"-weights", clitest.File(t, "bad.csv", "A,B\n1,Inf\n")}, 1, "bad.csv:2"},
		{"infeasible", []string{"-weights", weights, "-max-weight=0.1"}, 1, "0.1"},
		{"infeasible minimum", []string{"-weights", weights, "-min-weight=0.45", "-max-weight=0.45"}, 1, "0.45"},
		{"unknown sector", []string{"-weights", weights, "-sectors", clitest.File(t, "s.csv", sectors), "-sector-cap=w=1"}, 1, "w"},
		{"no sectors", []string{"-weights", weights, "-sector-cap=x=1"}, 2, "-sectors FILE"},
		{"no cap", []string{"-weights", weights, "-sectors", clitest.File(t, "s.csv", sectors)}, 2, "-sectors bounds nothing without -sector-cap"},
		{"percent", []string{"-weights", clitest.File(t, "percent.csv", "A,B\n62.5,37.5\n20,80.02\n")}, 1, "percent.csv: row 1 sums to 100: percent? divide the weights by 100"},
		{"money", []string{"-weights", clitest.File(t, "money.csv", "id,A,B\nmine,62500,37500\n")}, 1, "money.csv: row mine sums to 100000: amounts? divide each by the sum"},
		{"unknown flag", []string{"-weights", weights, "-max-wieght=1"}, 2, "did you mean max-weight?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := execute(t, c.args...)
			if code != c.code || stdout != "" || !strings.HasPrefix(stderr, "project: ") || !strings.Contains(stderr, c.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit code %d, stdout %q, stderr %q; want %d, %q", code, stdout, stderr, c.code, c.want)
			}
		})
	}
}

// Rows of any other sum are projected, and it is said what that keeps.
func TestRowsFarFromOne(t *testing.T) {
	code, stdout, stderr := execute(t, "-weights", clitest.File(t, "raw.csv", "A,B\n3,2.5\n0.5,0.5\n-4,-4\n"))
	if code != 0 || !strings.HasPrefix(stdout, "A,B\n0.75,0.25\n0.5,0.5\n0.5,0.5\n") || !strings.Contains(stderr, "WARNING: row 1 sums to 5.5 (and 1 more are far from 1)") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}
