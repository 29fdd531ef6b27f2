package live

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"vaefolio/vaelib/bybit"
	"vaefolio/vaelib/number"
)

var start = time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)

func at(k int) time.Time { return start.Add(time.Duration(k) * time.Hour) }

// Rows are those of the openings that all symbols have, whatever the order in
// which the symbols' candles come.
func TestJoinerOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		symbols := []string{"A", "B", "C"}[:rapid.IntRange(1, 3).Draw(t, "symbols")]
		const hours = 12
		var has [3][hours]bool
		var next [3]int
		var want []Row
		for k := range hours {
			row := Row{Opening: at(k)}
			for i := range symbols {
				if has[i][k] = rapid.IntRange(0, 4).Draw(t, "has") > 0; has[i][k] {
					row.Close = append(row.Close, float64(100*i+k))
				}
			}
			if len(row.Close) == len(symbols) {
				want = append(want, row)
			}
		}
		var got []Row
		skipped := map[time.Time]bool{}
		j := NewJoiner(symbols)
		j.Skipped = func(opening time.Time, lacking string) {
			i, k := slices.Index(symbols, lacking), int(opening.Sub(start)/time.Hour)
			if skipped[opening] || i < 0 || has[i][k] {
				t.Fatalf("skipped %s because of %q", opening, lacking)
			}
			skipped[opening] = true
		}
		for left := len(symbols) * hours; left > 0; {
			i := rapid.IntRange(0, len(symbols)-1).Draw(t, "symbol")
			k := next[i]
			if k == hours {
				continue
			}
			next[i]++
			left--
			if !has[i][k] {
				continue
			}
			rows, err := j.Add(symbols[i], at(k), float64(100*i+k))
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, rows...)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestJoinerErrors(t *testing.T) {
	j := NewJoiner([]string{"A", "B"})
	if _, err := j.Add("A", at(1), 1); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		symbol string
		k      int
		want   string
	}{
		{"A", 1, "A: the candle of 2024-03-01T01:00:00Z comes after that of 2024-03-01T01:00:00Z"},
		{"A", 0, "A: the candle of 2024-03-01T00:00:00Z comes after"},
		{"C", 2, "C: a candle of a symbol that was not asked for"},
	} {
		if rows, err := j.Add(c.symbol, at(c.k), 1); err == nil || !strings.HasPrefix(err.Error(), c.want) || rows != nil {
			t.Errorf("%s %d: %v, %v", c.symbol, c.k, rows, err)
		}
	}
}

func TestJoinerLate(t *testing.T) {
	add := func(j *Joiner, order string) {
		next := map[rune]int{}
		for _, symbol := range order {
			if _, err := j.Add(string(symbol), at(next[symbol]), 1); err != nil {
				t.Fatal(err)
			}
			next[symbol]++
		}
	}
	for _, c := range []struct{ symbols, order, want string }{
		{"ABC", "AAAABBBB", ""}, // catching up
		{"ABC", "ABABAB", "C"},
		{"ABC", "ABAB", ""},
		{"ABC", "AABA", "C"},
		{"ABC", "ABCABAB", ""},
		{"AB", "AAA", "B"},
		{"A", "AAAA", ""},
	} {
		j := NewJoiner(strings.Split(c.symbols, ""))
		add(j, c.order)
		if got := strings.Join(j.Late(3), ""); got != c.want {
			t.Errorf("%s of %s: late are %q, want %q", c.order, c.symbols, got, c.want)
		}
	}
}

func TestDue(t *testing.T) {
	for _, c := range []struct {
		interval bybit.Interval
		every    int
		opening  string
		want     bool
	}{
		{"60", 1, "2024-03-01T05:00:00Z", true},
		{"60", 24, "2024-03-01T23:00:00Z", true}, // closes at midnight
		{"60", 24, "2024-03-02T00:00:00Z", false},
		{"15", 4, "2024-03-01T05:45:00Z", true},
		{"15", 4, "2024-03-01T05:30:00Z", false},
		{"D", 2, "1970-01-02T00:00:00Z", true},
		{"D", 2, "1970-01-03T00:00:00Z", false},
		{"M", 12, "2023-12-01T00:00:00Z", true},
		{"M", 3, "2024-02-01T00:00:00Z", false},
		{"W", 1, "2024-02-26T00:00:00Z", true},
	} {
		opening, err := time.Parse(time.RFC3339, c.opening)
		if err != nil {
			t.Fatal(err)
		}
		if got := due(c.interval, c.every, opening); got != c.want {
			t.Errorf("%s of %s every %d: due is %v", c.opening, c.interval, c.every, got)
		}
	}
	for interval, want := range map[bybit.Interval]float64{"1": 525600, "60": 8760, "D": 365, "W": 365. / 7, "M": 12} {
		if got := PeriodsPerYear(interval); got != want {
			t.Errorf("%s: %v periods per year, want %v", interval, got, want)
		}
	}
}

func TestSettings(t *testing.T) {
	sound := Settings{Interval: "60", Lookback: 30, Search: BySample, Portfolios: 1}
	for _, c := range []struct {
		name   string
		change func(*Settings)
		want   string
	}{
		{"sound", func(*Settings) {}, ""},
		{"lookback", func(s *Settings) { s.Lookback = 29 }, "a lookback of 29 periods is too short"},
		{"search", func(s *Settings) { s.Search = "guess" }, `search "guess" is not sample or latent`},
		{"portfolios", func(s *Settings) { s.Portfolios = 0 }, "no portfolios to choose from"},
	} {
		s := sound
		c.change(&s)
		_, err := NewEngine(nil, nil, s)
		if (err == nil) != (c.want == "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestStepOrder(t *testing.T) {
	e, err := NewEngine(nil, nil, Settings{Interval: "60", Lookback: 30, Search: BySample, Portfolios: 1})
	if err != nil {
		t.Fatal(err)
	}
	if line, err := e.Step(t.Context(), Row{at(1), []float64{1}}); line != nil || err != nil || e.Missing() != 30 {
		t.Errorf("first row: %v, %v, %d missing", line, err, e.Missing())
	}
	if _, err := e.Step(t.Context(), Row{at(1), []float64{1}}); err == nil || e.Missing() != 30 {
		t.Errorf("the same row again: %v, %d missing", err, e.Missing())
	}
}

// someLine is a line with every kind of value.
func someLine(k int) *Line {
	turnover := 0.1
	return &Line{
		Time: at(k + 1), Candle: at(k), Interval: "60",
		Weights: number.Values{Names: []string{"B", "A"}, Numbers: []float64{0.1, 0.9}}, Close: number.Values{Names: []string{"B", "A"}, Numbers: []float64{1e-9, 3e21}},
		Turnover: &turnover, Regime: &Regime{State: "calm", Probabilities: number.Values{Names: []string{"calm"}, Numbers: []float64{1}}},
		Features: number.Values{Names: []string{"a\"b", "undefined"}, Numbers: []float64{-0.5, math.NaN()}}, Objective: "sharpe", Value: 1. / 3, Seed: math.MaxUint64,
	}
}

func TestLineRoundTrip(t *testing.T) {
	text, err := json.Marshal(someLine(0))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"time":"2024-03-01T01:00:00Z","candle":"2024-03-01T00:00:00Z","interval":"60","weights":{"B":0.1,"A":0.9},"close":{"B":1e-9,"A":3e+21},"turnover":0.1,"regime":{"state":"calm","probabilities":{"calm":1}},"features":{"a\"b":-0.5,"undefined":null},"objective":"sharpe","value":0.3333333333333333,`; !strings.HasPrefix(string(text), want) {
		t.Errorf("line %s", text)
	}
	var line Line
	if err := json.Unmarshal(text, &line); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(&line)
	if err != nil || string(again) != string(text) {
		t.Errorf("%v: again %s", err, again)
	}
	if v, ok := line.Features.Get("undefined"); !ok || !math.IsNaN(v) {
		t.Errorf("undefined is %v, %v", v, ok)
	}
	if _, ok := line.Weights.Get("C"); ok {
		t.Error("there is a weight of C")
	}
	if _, err := json.Marshal(number.Values{Names: []string{"A"}, Numbers: []float64{math.Inf(1)}}); err == nil {
		t.Error("an infinite number is written")
	}
}

func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lines.jsonl")
	open := func() *Journal {
		t.Helper()
		j, err := OpenJournal(path)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	j := open()
	if j.Last() != nil || j.Torn() != 0 {
		t.Errorf("a new journal has a last line %v, torn %d", j.Last(), j.Torn())
	}
	if _, err := OpenJournal(path); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("a second one: %v", err)
	}
	for k := range 200 { // more than the first block that is read back
		if err := j.Append(someLine(k)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(whole), "\n")
	// Torn at every byte of the last line.
	last := lines[len(lines)-2]
	for cut := range len(last) {
		if err := os.WriteFile(path, whole[:len(whole)-cut], 0o600); err != nil {
			t.Fatal(err)
		}
		wantLast, wantTorn := 199, 0
		if cut > 0 {
			wantLast, wantTorn = 198, len(last)-cut
		}
		j := open()
		if !j.Last().Candle.Equal(at(wantLast)) || j.Torn() != wantTorn {
			t.Fatalf("cut %d bytes: last line %s, torn %d, want %d", cut, j.Last().Candle, j.Torn(), wantTorn)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() != int64(len(whole)-cut-wantTorn) {
			t.Fatalf("cut %d bytes: the file has %d: %v", cut, info.Size(), err)
		}
	}
}

// A file of something else stays as it is.
// A run that comes to no line leaves no file, and one that was there stays.
func TestJournalWithoutALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lines.jsonl")
	for _, there := range []bool{false, true} {
		if there {
			if err := os.WriteFile(path, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		j, err := OpenJournal(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); (err == nil) != there {
			t.Errorf("there before: %v, afterwards: %v", there, err)
		}
	}
}

func TestJournalOfOthers(t *testing.T) {
	for _, text := range []string{"a,b\n", "{}\n", "{\n  \"a\": 1\n}", `{"a":1}`, "x", "\n", `{"time":"2024-03-01T01:00:00Z"}` + "\n",
		`{"time":"2024-03-01T01:00:00Z"}`} {
		path := filepath.Join(t.TempDir(), "other")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenJournal(path); err == nil || !strings.Contains(err.Error(), "write to another file") {
			t.Errorf("%q: %v", text, err)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != text {
			t.Errorf("%q becomes %q: %v", text, after, err)
		}
	}
}

func ExampleJoiner() {
	joiner := NewJoiner([]string{"BTCUSDT", "ETHUSDT"})
	for _, c := range []struct {
		symbol string
		hour   int
		close  float64
	}{{"BTCUSDT", 0, 60000}, {"BTCUSDT", 1, 60100}, {"ETHUSDT", 0, 3000}, {"ETHUSDT", 1, 3010}} {
		rows, err := joiner.Add(c.symbol, at(c.hour), c.close)
		fmt.Println(c.symbol, c.hour, rows, err)
	}
	// Output:
	// BTCUSDT 0 [] <nil>
	// BTCUSDT 1 [] <nil>
	// ETHUSDT 0 [{2024-03-01 00:00:00 +0000 UTC [60000 3000]}] <nil>
	// ETHUSDT 1 [{2024-03-01 01:00:00 +0000 UTC [60100 3010]}] <nil>
}
