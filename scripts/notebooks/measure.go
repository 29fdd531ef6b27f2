package main

import (
	"errors"
	"fmt"
	"html"
	"io/fs"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// measures say how a notebook reads: by its source, and by its saved outputs.
type measures struct {
	cells    int // with code
	median   int // lines of a cell
	longest  int
	imports  int      // lines of the cell that imports
	early    []string // names that a later cell declares
	saved    bool     // what follows is of the saved notebook
	pictures int
	bytes    int
	open     []string // numbers of the text that neither the code nor an output has, with the words before them
}

// What a notebook may have, so that it reads as a course.
const (
	mostMedian    = 18
	mostLines     = 50
	mostImports   = 20
	mostBytes     = 600_000
	leastPictures = 5
)

// faults are the limits that the notebook doesn't keep.
func (m measures) faults() []string {
	var faults []string
	for _, limit := range []struct {
		what      string
		has, most int
	}{
		{"lines in the median cell", m.median, mostMedian}, {"lines in the longest cell", m.longest, mostLines},
		{"lines in the cell of imports", m.imports, mostImports}, {"bytes", m.bytes, mostBytes},
	} {
		if limit.has > limit.most {
			faults = append(faults, fmt.Sprintf("%d %s, at most %d", limit.has, limit.what, limit.most))
		}
	}
	if m.saved && m.pictures < leastPictures {
		faults = append(faults, fmt.Sprintf("%d pictures, at least %d", m.pictures, leastPictures))
	}
	for _, name := range m.early {
		faults = append(faults, "a name that only a later cell declares: "+name)
	}
	for _, number := range m.open {
		faults = append(faults, "a number that no code and no output has: "+number)
	}
	return faults
}

// fence is a code cell of a source.
var fence = regexp.MustCompile("(?ms)^```go[^\n]*\n(.*?)\n```$")

// measure reads a notebook's source, and its outputs where they are saved.
func (n notebook) measure() (m measures, err error) {
	text, err := os.ReadFile(n.source)
	if err != nil {
		return m, err
	}
	var cells []string
	var lengths []int
	for _, cell := range fence.FindAllStringSubmatch(string(text), -1) {
		cells = append(cells, cell[1])
		lines := strings.Count(cell[1], "\n") + 1
		lengths = append(lengths, lines)
		if strings.Contains(cell[1], "import (") {
			m.imports = max(m.imports, lines)
		}
	}
	if m.cells = len(lengths); m.cells > 0 {
		slices.Sort(lengths)
		m.median, m.longest = lengths[m.cells/2], lengths[m.cells-1]
	}
	m.early = tooEarly(cells)
	saved, err := os.ReadFile(n.saved)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	m.saved, m.bytes = true, len(saved)
	d, err := parse(saved)
	if err != nil {
		return m, fmt.Errorf("%s: %w", n.saved, err)
	}
	for _, section := range d.sections() {
		m.pictures += section.pictures
	}
	m.open = openNumbers(d.sections())
	return m, nil
}

// A section of a saved notebook ends before the next heading of its rank. The first
// is all before the first of these headings.
type section struct {
	text     string // of markdown
	evidence string // code, and what the cells have put out
	pictures int
}

// heading begins a section.
var heading = regexp.MustCompile(`(?m)^## `)

func (d document) sections() []section {
	sections := make([]section, 1)
	cells, _ := d["cells"].([]any)
	for _, item := range cells {
		cell, _ := item.(map[string]any)
		source := sourceOf(cell)
		if cell["cell_type"] != "code" {
			from := 0
			for _, at := range heading.FindAllStringIndex(source, -1) {
				sections[len(sections)-1].text += source[from:at[0]] + "\n"
				sections, from = append(sections, section{}), at[0]
			}
			sections[len(sections)-1].text += source[from:] + "\n"
			continue
		}
		s := &sections[len(sections)-1]
		s.evidence += source + "\n"
		outputs, _ := cell["outputs"].([]any)
		for _, item := range outputs {
			output, _ := item.(map[string]any)
			s.evidence += linesOf(output["text"]) + "\n"
			data, _ := output["data"].(map[string]any)
			for kind, content := range data {
				if kind == "image/png" {
					s.pictures++
					continue
				}
				s.evidence += html.UnescapeString(tag.ReplaceAllString(linesOf(content), " ")) + "\n"
			}
		}
	}
	return sections
}

// tag is one of HTML.
var tag = regexp.MustCompile(`<[^>]*>`)

// figure is a number as a text writes it.
var figure = regexp.MustCompile(`(^|[^\w.,])([-−]?(?:\d[\d_]*(?:,\d{3})*(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?)`)

// apart is what a text has numbers in that no run makes: code, formulas, links, places
// of sections and notebooks, literature, comments.
var apart = regexp.MustCompile(strings.Join([]string{
	"(?s:```.*?```|~~~.*?~~~|\\$\\$.*?\\$\\$|<!--.*?-->)", "`[^`\n]*`", `\$[^$]*\$`, `\]\([^)]*\)`, `https?://\S+`,
	`(?m:^#+ .*$|^ *\d+\. )`, `\b(?:1[89]|20)\d\d\b`,
	`(?i:\b(?:sections?|notebooks?|chapters?|exercises?|equations?|steps?|table)\s+\d+(?:(?:,| and| to)? ?\d+)*)`,
	`§ ?\d+`, `\(\d\d\)`, `\d\d-[a-z]`, `\d\d:\d\d`, `S&P \d+`,
	`\d+(?: (?:to|and) \d+)? ?(?:s|seconds|minutes)\b`, // how long it takes
}, "|"))

// openNumbers lists the numbers in the text of a section that are neither in its code
// nor in its outputs, nor among the parameters, as they are or rounded, as shares or
// per cent. A section without cells, such as a summary, may have those of all. Small
// whole numbers, with which one counts, are free.
func openNumbers(sections []section) []string {
	var open []string
	all := ""
	for _, s := range sections {
		all += s.evidence
	}
	for i, s := range sections {
		if strings.HasPrefix(s.text, "## References") {
			continue
		}
		evidence := sections[0].evidence + s.evidence
		if s.evidence == "" || i == 0 {
			evidence = all
		}
		known := append(numbers(evidence), constants...)
		text := apart.ReplaceAllString(s.text, " ")
		for _, at := range figure.FindAllStringSubmatchIndex(text, -1) {
			written := text[at[4]:at[5]]
			value, decimals, err := number(written)
			if err != nil || decimals == 0 && math.Abs(value) <= 12 || isAmong(known, math.Abs(value), decimals) {
				continue
			}
			before := strings.Fields(text[max(0, at[4]-60):at[4]])
			open = append(open, strings.Join(append(before[max(0, len(before)-6):], written), " "))
		}
	}
	return open
}

// constants are numbers that need no run: of the calendar and of the clock, of whole
// shares, and the usual levels of intervals.
var constants = []float64{24, 60, 90, 95, 99, 100, 252, 365, 366, 8760}

// isAmong says whether a number of so many decimals is one that is known, rounded, as
// it is or as a share or per cent.
func isAmong(known []float64, value float64, decimals int) bool {
	half := 0.5001 * math.Pow(10, -float64(decimals))
	return slices.ContainsFunc(known, func(k float64) bool {
		return math.Abs(k-value) <= half || math.Abs(100*k-value) <= half || math.Abs(k/100-value) <= half
	})
}

// numbers are those of a text, without their signs.
func numbers(text string) (all []float64) {
	for _, found := range figure.FindAllStringSubmatch(text, -1) {
		if value, _, err := number(found[2]); err == nil {
			all = append(all, math.Abs(value))
		}
	}
	return all
}

// number is the value of a number as it is written, and how many decimals it has.
func number(written string) (value float64, decimals int, err error) {
	plain := strings.NewReplacer(",", "", "_", "", "−", "-").Replace(written)
	mantissa, exponent, _ := strings.Cut(plain, "e")
	if _, fraction, found := strings.Cut(mantissa, "."); found {
		decimals = len(fraction)
	}
	if shift, err := strconv.Atoi(exponent); err == nil {
		decimals -= shift
	}
	value, err = strconv.ParseFloat(plain, 64)
	return value, decimals, err
}
