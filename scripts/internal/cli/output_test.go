package cli

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTable(t *testing.T) {
	columns := []Column{{Name: "id"}, {Name: "annual_return", Short: "return"}, {Name: "shares"}, {Name: "notes"}}
	rows := [][]any{
		{"a", 0.1, []float64{0.5, math.NaN()}, map[string]string{"x": "no <data>"}},
		{`b,"`, math.NaN(), nil, map[string]string{}},
		{"c", -1e-300, []float64{}, nil},
	}
	for _, c := range []struct{ format, want, empty string }{
		{
			"json", `[
  {"id": "a", "annual_return": 0.1, "shares": [0.5, null], "notes": {"x":"no <data>"}},
  {"id": "b,\"", "annual_return": null, "shares": null, "notes": {}},
  {"id": "c", "annual_return": -1e-300, "shares": [], "notes": null}
]
`, "[]\n",
		},
		{
			"csv", `id,annual_return,shares,notes
a,0.1,0.5;,x: no <data>
"b,""",,,
c,-1e-300,,
`, "id,annual_return,shares,notes\n",
		},
		{
			"table", `id   return   shares         notes
a    0.1000  0.5000;  x: no <data>
b,"       -        -             -
c    0.0000        -             -
`, "id  return  shares  notes\n",
		},
	} {
		var b bytes.Buffer
		table := newTable(&b, c.format, columns)
		for _, row := range rows {
			if err := table.Row(row...); err != nil {
				t.Fatal(err)
			}
		}
		if err := table.Close(); err != nil || b.String() != c.want {
			t.Errorf("%s is\n%s, want\n%s (%v)", c.format, &b, c.want, err)
		}
		b.Reset()
		if err := newTable(&b, c.format, columns).Close(); err != nil || b.String() != c.empty {
			t.Errorf("empty %s is %q, want %q (%v)", c.format, &b, c.empty, err)
		}
	}
}

// Every finite number comes back to the bit from json and csv.
func TestTablePrecision(t *testing.T) {
	for _, x := range []float64{0.1, 1.0 / 3, math.Pi * 1e21, 5e-324, math.MaxFloat64, 123456789, 1e-5} {
		line, err := appendJSON(nil, x)
		if err != nil {
			t.Fatal(err)
		}
		var got float64
		if err := json.Unmarshal(line, &got); err != nil || got != x {
			t.Errorf("%v comes back from %s as %v (%v)", x, line, got, err)
		}
		if text := plain(x, -1); text != string(line) {
			t.Errorf("csv has %s, json has %s", text, line)
		}
	}
}

// Rows after the first thousand are written as they come, at its widths.
func TestTableStreams(t *testing.T) {
	var b bytes.Buffer
	table := newTable(&b, "table", []Column{{Name: "a"}, {Name: "b"}})
	for i := range rowsForWidths {
		if i == rowsForWidths-1 && b.Len() != 0 {
			t.Fatal("rows were written before the widths were settled")
		}
		if err := table.Row("x", i); err != nil {
			t.Fatal(err)
		}
	}
	written := b.Len()
	if written == 0 {
		t.Fatal("nothing was written after the widths were settled")
	}
	if err := table.Row("y", 7); err != nil || b.String()[written:] != "y    7\n" {
		t.Errorf("row is %q (%v)", b.String()[written:], err)
	}
	if err := table.Close(); err != nil || strings.Count(b.String(), "\n") != rowsForWidths+2 {
		t.Errorf("%d lines (%v)", strings.Count(b.String(), "\n"), err)
	}
}

func TestProgressLines(t *testing.T) {
	var stderr bytes.Buffer
	now := time.Unix(0, 0)
	io := newIO("try", nil, &stderr)
	io.now = func() time.Time { return now }
	report := io.Progress("training")
	for i := range 12 {
		now = now.Add(time.Second)
		report(i+1, 12, "loss 0.5")
	}
	want := "training: 5 of 12, 5s, loss 0.5\ntraining: 10 of 12, 10s, loss 0.5\n"
	if stderr.String() != want {
		t.Errorf("stderr %q, want %q", &stderr, want)
	}
	other := io.Progress("sampling")
	now = now.Add(time.Minute)
	report(12, 12, "late")
	other(1, 2, "")
	if want += "sampling: 1 of 2, 1m0s\n"; stderr.String() != want {
		t.Errorf("stderr %q, want %q", &stderr, want)
	}
	io.quiet = true
	quiet := io.Progress("more")
	now = now.Add(time.Minute)
	quiet(1, 2, "")
	io.Note("hush")
	if stderr.String() != want {
		t.Errorf("stderr %q with -quiet", &stderr)
	}
}

func TestProgressBar(t *testing.T) {
	var stderr bytes.Buffer
	io := newIO("try", nil, &stderr)
	io.terminal = true
	report := io.Progress("training")
	var workers sync.WaitGroup
	for i := range 4 {
		workers.Go(func() { report(i, 10, "") })
	}
	workers.Wait()
	io.Note("half way")
	report(10, 10, "")
	io.endProgress()
	if got := stderr.String(); !strings.Contains(got, "training") || !strings.Contains(got, "half way\n") {
		t.Errorf("stderr %q has no bar or no note", got)
	}
}
