package hostile

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// slot is where a verb reads a file: a file itself, or one in a folder.
type slot struct {
	args  string // parted by blanks; ␣ stands for a blank
	sound string // the sound file, or folder
	file  string // in the folder; "": sound is the file
	kinds [][]damage
	fine  []string // damages that are no defect here
}

var slots = []slot{
	{"optimize -objective min-variance -prices IN", "prices.csv", "", [][]damage{anything, tables, closes}, nil},
	{"evaluate -prices IN -weights SOUND/weights.csv", "prices.csv", "", [][]damage{anything}, nil},
	{"backtest -train 100 -prices IN -out OUT", "prices.csv", "", [][]damage{anything, closes}, nil},
	{"corpus -prices IN -out OUT", "prices.csv", "", [][]damage{anything, closes}, nil},
	{"pipeline -prices IN -out OUT -backend go", "prices.csv", "", [][]damage{anything}, nil},
	{"sweep run -grid beta=1 -prices IN -out OUT", "prices.csv", "", [][]damage{anything}, nil},
	{"lab -source bootstrap -n 4 -prices IN -out OUT", "prices.csv", "", [][]damage{anything}, nil},
	{"export -prices IN -out OUT", "prices.csv", "", [][]damage{anything}, nil},
	{"generate -prices IN -out OUT", "prices.csv", "", [][]damage{anything}, nil},
	{"optimize -objective min-variance -prices IN", "prices.csv.gz", "", [][]damage{packed}, nil},
	{"optimize -objective min-variance -prices IN", "prices.parquet", "", [][]damage{packed}, nil},
	{"evaluate -prices SOUND/prices.csv -weights IN", "weights.csv", "", [][]damage{anything, tables, sums}, nil},
	{"project -weights IN", "weights.csv", "", [][]damage{anything, tables}, nil},
	{"train -weights IN -out OUT -backend go", "weights.csv", "", [][]damage{anything, tables, sums}, nil},
	{"generate -model SOUND/model -mode interpolate -from-weights IN -backend go", "weights.csv", "", [][]damage{anything, sums}, nil},
	{"generate -model SOUND/model -mode outcomes -horizon 5 -prices SOUND/prices.csv -from-weights IN -backend go", "weights.csv",
		"", [][]damage{anything}, nil},
	{"optimize -objective min-variance -prices SOUND/prices.csv -turnover-charge 0.1 -previous IN", "previous.csv", "", [][]damage{anything}, nil},
	{"train -weights SOUND/corpus/weights.csv -conditions IN -out OUT -backend go", "corpus/conditions.csv", "",
		[][]damage{anything, tables}, nil},
	{"optimize -objective min-variance -prices SOUND/prices.csv -sector-cap X=0.5 -sectors IN", "sectors.csv", "", [][]damage{anything, tables}, nil},
	{"optimize -objective min-variance -prices SOUND/prices.csv -limits IN", "limits.csv", "", [][]damage{anything, tables}, nil},
	{"optimize -config IN -prices SOUND/prices.csv", "config.toml", "", [][]damage{anything, flags}, nil},
	{"compare IN", "backtest/returns.csv", "", [][]damage{anything, tables}, nil},
	{"optimize -objective min-variance -prices IN", "candles", "CCC.csv", [][]damage{anything, tables}, nil},
	{"train -weights IN/weights.csv -out OUT -backend go", "corpus", "provenance.csv", [][]damage{anything}, nil},
	{"train -weights IN/weights.csv -conditions IN/conditions.csv -out OUT -backend go", "corpus", "measures.json",
		[][]damage{anything, objects}, []string{"list"}}, // no condition has a closed form
	{"train -weights IN/weights.csv -conditions IN/conditions.csv -out OUT -backend go", "corpus", "corpus.json",
		[][]damage{anything, objects}, nil},
	{"train -corpus IN -out OUT -backend go", "universes", "universes.jsonl", [][]damage{anything}, nil},
	{"generate -model IN -backend go -n 5", "model", "model.json", [][]damage{anything, objects}, nil},
	{"generate -model IN -backend go -n 5", "model", "model.safetensors", [][]damage{anything, tensors}, nil},
	{"generate -model IN -backend go -n 5", "model", "aggregate.json", [][]damage{anything, objects}, nil},
	{"generate -model IN -backend go -n 5", "model", "constraints.json", [][]damage{anything, objects}, nil},
	{"generate -model IN -mode condition -wish max_weight=0.5 -backend go -n 5", "conditional", "donors.json",
		[][]damage{anything, objects}, nil},
	{"generate -model IN -mode condition -wish max_weight=0.5 -backend go -n 5", "conditional", "conditional.json",
		[][]damage{anything, objects}, nil},
	{"export -model IN -out OUT", "model", "model.json", [][]damage{anything, objects}, nil},
	{"export -model IN -out OUT", "model", "model.safetensors", [][]damage{tensors}, nil},
	{"live -model IN -replay SOUND/candles -interval D -lookback 50 -backend go -out OUT", "model", "times.json",
		[][]damage{anything}, nil},
	{"live -model SOUND/model -replay IN -interval D -lookback 50 -backend go -out OUT", "candles", "CCC.csv",
		[][]damage{anything, tables}, nil},
	{"verify IN", "pipeline", "manifest.json", [][]damage{anything, objects}, nil},
	{"verify IN", "pipeline", "config.toml", [][]damage{anything}, nil},
	{"compare IN", "backtest", "manifest.json", [][]damage{anything, objects}, []string{"nulls for numbers"}}, // of times
	{"compare IN", "backtest", "returns.csv", [][]damage{anything, tables}, nil},
	{"sweep merge -out IN", "sweep", "sweep.json", [][]damage{anything, objects}, nil},
	{"lab -out IN", "lab", "lab.json", [][]damage{anything, objects}, nil},
}

// closes are damages of prices.
var closes = []damage{cell("0"), cell("-5"), cell("1e-400"), cell("12%")}

// sums are damages of weights that sum to 1.
var sums = []damage{cell("1e308"), cell("-1e308"), cell("100"), cell("1e-320"), cell("12%"), cell("")}

// packed are damages of a file with a form of its own.
var packed = []damage{cut(0.1), cut(0.5), cut(0.95), flipped(50), flipped(200)}

// flags are damages of a file of flags.
var flags = []damage{
	text("unknown key", "objektive = \"hrp\"\n"), text("no value", "objective =\n"),
	text("value twice", "objective = \"hrp\"\nobjective = \"hrp\"\n"), text("other type", "objective = 1\n"),
	text("table", "[objective]\nname = \"hrp\"\n"), text("huge", "max-weight = 1e999\n"), text("not a number", "max-weight = nan\n"),
	text("infinite", "max-weight = inf\n"), text("time", "max-weight = 2024-01-01\n"), text("config", "config = \"a.toml\"\n"),
	text("list", "max-weight = [0.5]\n"), text("long number", "seed = 99999999999999999999999\n"),
	text("open text", "objective = \"hrp\n"), text("many brackets", "objective = "+strings.Repeat("[", 50_000)+"\n"),
}

// special are things in the place of a file that are none.
var special = []struct {
	name string
	make func(b *bench, in string) error
}{
	{"missing", nil},
	{"folder", func(_ *bench, in string) error { return os.Mkdir(in, 0o777) }},
	{"link to nothing", func(_ *bench, in string) error { return os.Symlink("nowhere", in) }},
	{"link to itself", func(_ *bench, in string) error { return os.Symlink(in, in) }},
	{"device", func(_ *bench, in string) error { return os.Symlink("/dev/zero", in) }},
	{"endless pipe", func(_ *bench, in string) error { return endless(in, "", strings.Repeat("x", 1<<16)) }},
	{"endless lines", func(_ *bench, in string) error {
		return endless(in, "", strings.Repeat("2022-01-01,1,2,3,4,5\n", 1<<10))
	}},
}

// endless makes a pipe that somebody writes to for ever, the same after a start.
func endless(in, start, again string) error {
	return endlessly(in, start, func() string { return again })
}

// endlessTable makes a pipe that gives a sound table and then its last line for ever,
// where there are ids with another one each time.
func endlessTable(in, from string) error {
	sound, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	text := strings.TrimSuffix(string(sound), "\n")
	last := text[strings.LastIndexByte(text, '\n')+1:] + "\n"
	if !strings.HasPrefix(text, "id,") {
		return endless(in, text+"\n", strings.Repeat(last, 1000))
	}
	id := 0
	return endlessly(in, text+"\n", func() string {
		var lines strings.Builder
		for range 1000 {
			fmt.Fprintf(&lines, "more%d%s", id, last[strings.IndexByte(last, ','):])
			id++
		}
		return lines.String()
	})
}

func endlessly(in, start string, more func() string) error {
	if err := syscall.Mkfifo(in, 0o666); err != nil {
		return err
	}
	go func() {
		pipe, err := os.OpenFile(in, os.O_WRONLY, 0)
		if err == nil {
			_, err = pipe.WriteString(start)
		}
		for err == nil {
			_, err = pipe.WriteString(more())
		}
		if pipe != nil {
			pipe.Close()
		}
	}()
	return nil
}

// cases are all bad inputs.
func cases() []hostile {
	var all []hostile
	for _, s := range slots {
		args := fields(s.args)
		where := args[0] + " " + strings.TrimSuffix(s.sound+" "+s.file, " ")
		for _, d := range slices.Concat(s.kinds...) {
			if slices.Contains(s.fine, d.name) {
				continue
			}
			name := where + ", " + d.name
			all = append(all, hostile{name, args, func(b *bench, in string) error {
				bad := func(sound []byte) []byte { return d.do(seeded(name), sound) }
				from := filepath.Join(b.sound, s.sound)
				if s.file != "" {
					return copyWith(from, in, s.file, bad)
				}
				sound, err := os.ReadFile(from)
				if err == nil {
					err = os.WriteFile(in, bad(sound), 0o666)
				}
				return err
			}})
		}
		if s.file != "" {
			all = append(all, hostile{where + ", endless pipe", args, func(b *bench, in string) error {
				if err := copyWith(filepath.Join(b.sound, s.sound), in, s.file, bytes.Clone); err != nil {
					return err
				}
				in = filepath.Join(in, s.file)
				if err := os.Remove(in); err != nil {
					return err
				}
				return endless(in, "", strings.Repeat("x", 1<<16))
			}})
			continue
		}
		for _, x := range special {
			all = append(all, hostile{where + ", " + x.name, args, x.make})
		}
		if strings.HasSuffix(s.sound, ".csv") {
			all = append(all, hostile{where + ", endless and sound", args, func(b *bench, in string) error {
				return endlessTable(in, filepath.Join(b.sound, s.sound))
			}})
		}
	}
	for _, line := range lines {
		args := fields(line)
		name := line
		if len(name) > 100 {
			name = name[:100]
		}
		all = append(all, hostile{name, args, nil})
	}
	for name := range answers {
		for _, args := range []string{
			"fetch -symbols AAAUSDT -from 2024-01-01 -to 2024-01-10 -base-url SERVER/%s -out OUT",
			"fetch -top 3 -from 2024-01-01 -to 2024-01-10 -base-url SERVER/%s -out OUT",
		} {
			args = fmt.Sprintf(args, name)
			all = append(all, hostile{args, fields(args), nil})
		}
	}
	return all
}

// answers are those of exchanges that none should be like.
var answers = map[string]func(w http.ResponseWriter, r *http.Request){
	"empty":   func(http.ResponseWriter, *http.Request) {},
	"page":    says("<html><body>\x1b[31mblocked\x1b[0m</body></html>"),
	"null":    says("null"),
	"list":    says("[]"),
	"nested":  says(strings.Repeat("[", 200_000)),
	"text":    says(`{"retCode":"0","result":[]}`),
	"code":    says("{\"retCode\":10001,\"retMsg\":\"no \\u001b[2J\\u202e\"}"),
	"nothing": says(`{"retCode":0,"retMsg":"OK","result":{}}`),
	"other":   says(`{"retCode":0,"retMsg":"OK","result":{"category":"spot","symbol":"ZZZ","list":[["1","1","1","1","1","1","1"]]}}`),
	"short":   says(`{"retCode":0,"retMsg":"OK","result":{"category":"linear","symbol":"AAAUSDT","list":[["1","1"]]}}`),
	"cut":     says(`{"retCode":0,"retMsg":"OK","result":{"category":"linear","li`),
	"moved": func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://elsewhere.example/v5/", http.StatusFound)
	},
	"circle":  func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) },
	"missing": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
	"refused": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
	"endless": func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				return
			}
		}
	},
}

func says(text string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(text)) // the verb may have closed the connection
	}
}
