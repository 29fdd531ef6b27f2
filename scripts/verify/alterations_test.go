package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"vaefolio/scripts/internal/timeless"
	"vaefolio/vaelib/run"
)

// alteration is one change of a file of a run.
type alteration struct {
	file, what string
	change     func(text []byte) []byte // nil: the file is removed
	add        bool                     // the file isn't the run's
}

// scalar is a number, text, truth or null of a JSON text, with its place in it.
type scalar struct {
	path     string
	from, to int
}

// scalars are those of a JSON text; of an array the first and the last.
func scalars(t *testing.T, text []byte) []scalar {
	t.Helper()
	var found []scalar
	var walk func(from int, path string) int
	skip := func(at int) int {
		for strings.ContainsRune(" \n\t\r,:", rune(text[at])) {
			at++
		}
		return at
	}
	literal := regexp.MustCompile(`^("(?:[^"\\]|\\.)*"|[^,\s\]}]+)`)
	walk = func(at int, path string) int {
		at = skip(at)
		switch text[at] {
		case '{':
			for at = skip(at + 1); text[at] != '}'; at = skip(at) {
				key := literal.Find(text[at:])
				at = walk(at+len(key), path+"."+strings.Trim(string(key), `"`))
			}
			return at + 1
		case '[':
			before, i := len(found), 0
			for at = skip(at + 1); text[at] != ']'; at = skip(at) {
				at = walk(at, fmt.Sprintf("%s[%d]", path, i))
				i++
			}
			if len(found) > before+2 {
				found = append(found[:before+1], found[len(found)-1])
			}
			return at + 1
		}
		value := literal.Find(text[at:])
		found = append(found, scalar{strings.TrimPrefix(path, "."), at, at + len(value)})
		return at + len(value)
	}
	walk(0, "")
	return found
}

// altered is another value of the same kind.
func altered(value string) string {
	switch {
	case value == "true":
		return "false"
	case value == "false":
		return "true"
	case value == "null" || value == "":
		return "0.5"
	case value[0] == '"':
		if _, err := strconv.ParseInt(strings.Trim(value, `"`), 16, 64); err == nil || len(value) == 66 {
			return `"` + strings.Map(func(r rune) rune {
				if r == 'f' {
					return '0'
				}
				return r
			}, "f"+value[2:])
		}
		return value[:len(value)-1] + `x"`
	}
	if n, err := strconv.Atoi(value); err == nil {
		return strconv.Itoa(n + 1)
	}
	x, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return value + "x"
	}
	return strconv.FormatFloat(x*1.001+1e-4, 'g', -1, 64)
}

func splice(text []byte, from, to int, value string) []byte {
	return slices.Concat(text[:from], []byte(value), text[to:])
}

// ofJSON alters each value of a JSON file.
func ofJSON(t *testing.T, dir, file string) (all []alteration) {
	text := contentsOf(t, dir, file)
	for _, s := range scalars(t, text) {
		to := altered(string(text[s.from:s.to]))
		if timeless.IsTime(strings.SplitN(s.path, ".", 2)[0]) {
			to = "77.7" // clocks say nothing of less than a moment
		}
		all = append(all, alteration{file: file, what: s.path, change: func(text []byte) []byte {
			return splice(text, s.from, s.to, to)
		}})
	}
	return all
}

// ofCSV alters a cell of each column, and the rows.
func ofCSV(t *testing.T, dir, file string) (all []alteration) {
	lines := strings.Split(string(contentsOf(t, dir, file)), "\n")
	cell := regexp.MustCompile(`("[^"]*"|[^,\n]*)(,|$)`)
	at := min(2, len(lines)-2)
	for k, name := range strings.Split(lines[0], ",") {
		all = append(all, alteration{file: file, what: "column " + name, change: func(text []byte) []byte {
			lines := strings.Split(string(text), "\n")
			place := cell.FindAllStringSubmatchIndex(lines[at], -1)[k]
			before := lines[at][place[2]:place[3]]
			to := altered(before)
			if timeless.IsTime(name) {
				to = "0.5" // clocks say nothing of less than a moment
			}
			lines[at] = string(splice([]byte(lines[at]), place[2], place[3], to))
			return []byte(strings.Join(lines, "\n"))
		}})
	}
	rows := func(what string, change func(lines []string) []string) {
		all = append(all, alteration{file: file, what: what, change: func(text []byte) []byte {
			return []byte(strings.Join(change(strings.Split(string(text), "\n")), "\n"))
		}})
	}
	rows("a row left out", func(lines []string) []string { return slices.Delete(lines, at, at+1) })
	rows("a row twice", func(lines []string) []string { return slices.Insert(lines, at, lines[at]) })
	rows("two rows exchanged", func(lines []string) []string {
		lines[1], lines[2] = lines[2], lines[1]
		return lines
	})
	rows("a column renamed", func(lines []string) []string {
		lines[0] += "x"
		return lines
	})
	return all
}

// shifted moves a little weight from one asset to another in each row, one after the
// other: it keeps the sum.
func shifted(t *testing.T, dir, file string, rows int) (all []alteration) {
	lines := strings.Split(strings.TrimSpace(string(contentsOf(t, dir, file))), "\n")
	for i := 1; i < min(len(lines), rows+1); i++ {
		all = append(all, alteration{file: file, what: "weights of " + strings.SplitN(lines[i], ",", 2)[0],
			change: func(text []byte) []byte {
				lines := strings.Split(string(text), "\n")
				cells := strings.Split(lines[i], ",")
				var held []int
				for k, cell := range cells[1:] {
					if x, _ := strconv.ParseFloat(cell, 64); x > 0.03 && x < 0.29 {
						held = append(held, k+1)
					}
				}
				for k, by := range map[int]float64{held[0]: 0.001, held[1]: -0.001} {
					x, _ := strconv.ParseFloat(cells[k], 64)
					cells[k] = strconv.FormatFloat(x+by, 'g', -1, 64)
				}
				lines[i] = strings.Join(cells, ",")
				return []byte(strings.Join(lines, "\n"))
			}})
	}
	return all
}

// ofConfig alters each value of the configuration, to one that the flag may have.
func ofConfig(t *testing.T, dir string) (all []alteration) {
	other := map[string]string{
		"closes": `"paid"`, "listings": `"as-it-was"`, "convention": `"empyrical"`, "source": `"dirichlet"`,
		"measured": `"rolling"`, "likelihood": `"gaussian-sigma"`, "head": `"sparsemax"`, "activation": `"relu"`,
		"backend": `"auto"`, "prices": `"prices.csv"`, "layout": `"wide"`, "from": `"2020-02-01"`, "to": `"2024-01-01"`,
		"as-of": `"2025-01-01"`, "funding": `"funding.csv"`, "sectors": `"sectors.csv"`, "symbols": `["ALDER", "BIRCH"]`,
		"sector-cap": `["L1=0.5"]`, "lookbacks": `[40, 61]`, "hidden": `[17]`, "max-weight": "0.31", "min-weight": "0.021",
		"lower": "0.01", "split": "0.76", "embargo": "59", "validation": "0.25", "warmup": "0.3", "head-cap": "0.31",
		"rf": "0.01", "mar": "0.01",
	}
	line := regexp.MustCompile(`(?m)^([a-z0-9-]+) = (.*)$`)
	for _, m := range line.FindAllSubmatch(contentsOf(t, dir, "config.toml"), -1) {
		name, value := string(m[1]), string(m[2])
		to := other[name]
		if to == "" {
			to = altered(value)
			if strings.Contains(value, ".") && !strings.Contains(to, ".") {
				to += ".0"
			}
		}
		all = append(all, alteration{file: "config.toml", what: name, change: func(text []byte) []byte {
			return bytes.Replace(text, []byte("\n"+name+" = "+value+"\n"), []byte("\n"+name+" = "+to+"\n"), 1)
		}})
	}
	return append(all, alteration{file: "config.toml", what: "a comment", change: func(text []byte) []byte {
		return bytes.Replace(text, []byte("# the largest weight"), []byte("# the smallest weight"), 1)
	}})
}

// replaced alters a text at its first occurrence.
func replaced(file, what, from, to string) alteration {
	return alteration{file: file, what: what, change: func(text []byte) []byte {
		return bytes.Replace(text, []byte(from), []byte(to), 1)
	}}
}

// flipped alters one bit.
func flipped(file string, at int) alteration {
	return alteration{file: file, what: fmt.Sprintf("a bit of byte %d", at), change: func(text []byte) []byte {
		text = slices.Clone(text)
		text[(at+len(text))%len(text)] ^= 4
		return text
	}}
}

// ofPictures alters a bit of each picture, and exchanges it for another one.
func ofPictures(t *testing.T, dir string) (all []alteration) {
	pictures, err := filepath.Glob(filepath.Join(dir, "figures", "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range pictures {
		name := "figures/" + filepath.Base(path)
		before := contentsOf(t, dir, "figures/"+filepath.Base(pictures[(i+1)%len(pictures)]))
		all = append(all, flipped(name, -200), alteration{file: name, what: "another picture",
			change: func([]byte) []byte { return before }})
	}
	return all
}

// ofEvents alters a number of the events, with its checksum.
func ofEvents() alteration {
	return alteration{file: "model/events.out.tfevents.0.vaefolio", what: "a number and its checksum",
		change: func(text []byte) []byte {
			text = slices.Clone(text)
			length := binary.LittleEndian.Uint64(text)
			second := text[16+length:]
			message := second[12 : 12+binary.LittleEndian.Uint64(second)]
			message[len(message)-3] ^= 8
			binary.LittleEndian.PutUint32(second[12+len(message):], masked(message))
			return text
		}}
}

// ofFolder are changes of what is there.
func ofFolder() []alteration {
	return []alteration{
		{file: "notes.txt", what: "a file more", add: true, change: func([]byte) []byte { return []byte("mine") }},
		{file: "figures/more.png", what: "a file more", add: true, change: func([]byte) []byte { return []byte("mine") }},
		{file: "model/training.safetensors", what: "a file more", add: true, change: func([]byte) []byte { return nil }},
		{file: "weights.csv", what: "removed"}, {file: "figures/wealth.png", what: "removed"},
		{file: "model/aggregate.json", what: "removed"}, {file: "report.html", what: "removed"},
	}
}

// ofReport alters what a report says.
func ofReport(t *testing.T, dir string) (all []alteration) {
	const file = "report.html"
	text := string(contentsOf(t, dir, file))
	pictureless := regexp.MustCompile(`base64,[^"]*`).ReplaceAllString(text, "")
	number := regexp.MustCompile(`<dd>([0-9][0-9.,]*)</dd>|<td[^>]*>([0-9][0-9.,]* ?%?)</td>`)
	found := number.FindAllString(pictureless, -1)
	for i := 0; i < len(found); i += max(1, len(found)/12) {
		digit := regexp.MustCompile(`[0-9]</`).FindString(found[i])
		if digit == "" {
			digit = regexp.MustCompile(`[0-9] ?%?</`).FindString(found[i])
		}
		to := strings.Replace(found[i], digit, string('0'+(digit[0]-'0'+1)%10)+digit[1:], 1)
		all = append(all, replaced(file, fmt.Sprintf("number %d, %s", i+1, found[i]), found[i], to))
	}
	first := regexp.MustCompile(`<img[^>]*base64,[^"]*"`).FindString(text)
	return append(all, replaced(file, "a word", " not ", " now "), replaced(file, "a picture", first, ""),
		replaced(file, "the command", "-components 2", "-components 3"), replaced(file, "a style", "<style>", "<style>/**/"),
		replaced(file, "a script", "</body>", "<script>1</script></body>"))
}

// ofManifest alters each field of the manifest.
func ofManifest(t *testing.T, dir string) (all []alteration) {
	text := contentsOf(t, dir, manifestFile)
	other := map[string]string{
		"goarch": `"arm64"`, "goos": `"darwin"`, "go": `"go1.26.1"`, "verb": `"train"`, "plugin": `"PJRT"`,
		"backend": `"xla"`, "commit": `"0123456789abcdef0123456789abcdef01234567"`, "commit_from": `"unknown: no idea"`,
	}
	modules := 0
	for _, s := range scalars(t, text) {
		if strings.HasPrefix(s.path, "modules.") {
			if modules++; modules > 1 {
				continue
			}
		}
		if strings.HasPrefix(s.path, "files.") || s.path == "checksum" {
			continue // hashes made to fit would be right again
		}
		to := other[s.path]
		switch {
		case strings.HasPrefix(s.path, "modules."):
			to = `"v9.9.9"`
		case strings.HasPrefix(s.path, "timings."):
			to = "77.7"
		case s.path == "started" || s.path == "finished":
			to = regexp.MustCompile(`T2?(\d\d)`).ReplaceAllStringFunc(string(text[s.from:s.to]), func(hour string) string {
				n, _ := strconv.Atoi(hour[1:])
				return fmt.Sprintf("T%02d", (n+23)%24)
			})
		case to == "":
			to = altered(string(text[s.from:s.to]))
		}
		all = append(all, alteration{file: manifestFile, what: s.path, change: func(text []byte) []byte {
			return splice(text, s.from, s.to, to)
		}})
	}
	return append(all, replaced(manifestFile, "a field more", `  "verb"`, "  \"approved\": true,\n  \"verb\""))
}

func contentsOf(t *testing.T, dir, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// owner is the folder of the run that a file belongs to, and the file's name there; of
// a sweep's or a laboratory's own files there is none.
func owner(dir, file string) (of, name string) {
	of, name = dir, file
	for {
		if _, err := os.Stat(filepath.Join(of, manifestFile)); err == nil {
			return of, name
		}
		first, rest, inside := strings.Cut(name, "/")
		if !inside {
			return "", ""
		}
		of, name = filepath.Join(of, first), rest
	}
}

// apply alters a run, with the hashes made to fit on wish, and returns what puts it
// back.
func (a alteration) apply(t *testing.T, dir string, fit bool) (undo func()) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(a.file))
	of, name := owner(dir, a.file)
	var before, manifest []byte
	if of != "" {
		manifest = contentsOf(t, of, manifestFile)
	}
	if !a.add {
		before = contentsOf(t, dir, a.file)
	}
	put := func(path string, text []byte) {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if a.change == nil {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	} else {
		text := a.change(before)
		if bytes.Equal(text, before) && !a.add {
			t.Fatalf("%s, %s: nothing was altered", a.file, a.what)
		}
		put(path, text)
	}
	if fit && of != "" {
		inner := a
		inner.file = name
		refit(t, of, inner)
	}
	return func() {
		if a.add {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		} else {
			put(path, before)
		}
		if of != "" {
			put(filepath.Join(of, manifestFile), manifest)
		}
	}
}

// refit makes all hashes of the manifest fit an altered run, and the one that a
// model has of its parameters; a file that was added or removed it leaves to be found.
func refit(t *testing.T, dir string, a alteration) {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(contentsOf(t, dir, manifestFile), &m); err != nil {
		return // found anyway
	}
	set := func(name string, value any) {
		raw, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		text := contentsOf(t, dir, manifestFile)
		pattern := regexp.MustCompile(fmt.Sprintf(`(?m)^( +%q: )(".*?"|[^,\n]+)`, name))
		text = pattern.ReplaceAll(text, append([]byte("${1}"), raw...))
		if err := os.WriteFile(filepath.Join(dir, manifestFile), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if a.file != manifestFile && a.change != nil && !a.add {
		sum, err := run.HashFile(filepath.Join(dir, filepath.FromSlash(a.file)))
		if err != nil {
			t.Fatal(err)
		}
		set(a.file, sum)
	}
	var identity [6]string
	for i, name := range []string{"verb", "config_hash", "data_hash", "seed", "backend", "goarch"} {
		identity[i] = strings.Trim(string(m[name]), `"`)
	}
	if a.file == "config.toml" {
		identity[1] = sha([]byte(strings.Join(append(lines(contentsOf(t, dir, "config.toml")), ""), "\n")))
		set("config_hash", identity[1])
	}
	if a.what != "hash" {
		set("hash", sha([]byte(strings.Join(identity[:], "\n"))))
	}
	set("checksum", "")
	set("checksum", sha(contentsOf(t, dir, manifestFile)))
}

// Each kind of alteration is found, with the manifest's hashes as they were and with
// all of them made to fit; those that are out of reach are the ones that docs/verify.md
// lists, and a repetition of the run finds these too.
func TestAlterations(t *testing.T) {
	skipWhenShort(t)
	dir := copied(t, finished(t, "pipeline", "pipeline", smallRun...))
	all := slices.Concat(
		ofJSON(t, dir, "summary.json"), ofCSV(t, dir, "metrics.csv"), ofCSV(t, dir, "weights.csv"),
		shifted(t, dir, "weights.csv", 4), shifted(t, dir, "baselines.csv", 9), ofCSV(t, dir, "fidelity.csv"),
		ofCSV(t, dir, "history.csv"), ofJSON(t, dir, "model/model.json"), ofJSON(t, dir, "model/aggregate.json"),
		ofJSON(t, dir, "model/constraints.json"), ofJSON(t, dir, "model/times.json"), ofPictures(t, dir),
		[]alteration{flipped("model/model.safetensors", 30), flipped("model/model.safetensors", -3),
			flipped("model/model.safetensors", 2001), ofEvents(), flipped("model/events.out.tfevents.0.vaefolio", 100)},
		ofReport(t, dir), ofConfig(t, dir), ofFolder(), ofManifest(t, dir))
	known := memo{}
	if said := first(t, dir, known, ""); said != "" {
		t.Fatalf("before any alteration: %s", said)
	}
	missed := map[string]alteration{}
	for _, a := range all {
		for _, fit := range []bool{false, true} {
			undo := a.apply(t, dir, fit)
			said := first(t, dir, maps.Clone(known), "")
			undo()
			switch {
			case said == "" && fit:
				missed[a.file+": "+a.what] = a
			case said == "":
				t.Errorf("%s: %s, hashes as they were: not found", a.file, a.what)
			}
		}
	}
	names := slices.Sorted(maps.Keys(missed))
	t.Logf("%d alterations, %d of them out of reach when all hashes are made to fit: %q", len(all), len(names), names)
	if len(all) < 150 {
		t.Errorf("only %d alterations", len(all))
	}
	if want := outOfReach(t, dir); !slices.Equal(names, want) {
		t.Errorf("out of reach are %q, and docs/verify.md says %q", names, want)
	}
	for _, name := range names {
		undo := missed[name].apply(t, dir, true)
		if said := first(t, dir, known, programs(t)); said == "" {
			t.Errorf("%s: not found by a repetition", name)
		}
		undo()
	}
}

// outOfReach are the alterations that docs/verify.md lists for the run in a folder:
// which one of the manifest it is depends on whether the program knew its commit.
func outOfReach(t *testing.T, dir string) (names []string) {
	t.Helper()
	var manifest struct{ Commit string }
	said, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(said, &manifest); err != nil {
		t.Fatal(err)
	}
	other := "manifest.json: modified" // of a program whose commit is known
	if manifest.Commit != "" {
		other = "manifest.json: commit_from"
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "verify.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, list, found := strings.Cut(string(text), "\n## Out of reach\n")
	if !found {
		t.Fatal("docs/verify.md has no section Out of reach")
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(list, -1) {
		if m[1] != other {
			names = append(names, m[1])
		}
	}
	slices.Sort(names)
	return names
}
