package market

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Cleaning says what loading did to the files: what it dropped, sorted and
// ignored, and what it found odd and kept. Its String is for people, its
// fields are for reports.
type Cleaning struct {
	Source string `json:"source"`
	Layout string `json:"layout"` // one of [Layouts]
	Rows   int    `json:"rows"`   // read, over all files, the header aside
	Times  int    `json:"times"`  // of the panel

	Recognised string `json:"recognised"` // what the files were taken for: layout, marks, adjusted closes, zone

	Outside    int `json:"outside"`    // rows before From or after To, dropped
	Empty      int `json:"empty"`      // rows without any price, dropped
	Duplicates int `json:"duplicates"` // rows that repeated another number for number, dropped
	Sorted     int `json:"sorted"`     // rows that stood behind a later one, put in place
	Filled     int `json:"filled"`     // holes filled by the price before them
	Holed      int `json:"holed"`      // rows dropped since an asset had a hole in them
	Unfinished int `json:"unfinished"` // last closes whose interval had not ended, dropped

	Below        int       `json:"below,omitempty"`        // lines of text below the rows, passed over
	BelowAt      string    `json:"below_at,omitempty"`     // file:line of the first, and how it begins
	DuplicateAt  string    `json:"duplicate_at,omitempty"` // file:line of the first duplicate, and its time
	UnfinishedAt time.Time `json:"unfinished_at,omitzero"` // start of the interval that had not ended

	IgnoredColumns []string `json:"ignored_columns"` // sorted
	IgnoredFiles   []string `json:"ignored_files"`   // of the folder
	Unpriced       []string `json:"unpriced"`        // symbols without a price in the range, dropped

	Notes []string `json:"notes,omitempty"` // what joining the files means

	Spans    []Span   `json:"spans"` // in the order of the panel's symbols
	Gaps     []Gap    `json:"gaps"`
	Odd      int      `json:"odd"`      // rows of kline files with a sound close and another number that is not, kept
	Oddities []Oddity `json:"oddities"` // of these, the first hundred of each file
	Doubts   []Doubt  `json:"doubts"`
}

// Span is the life of a symbol in a panel.
type Span struct {
	Symbol string    `json:"symbol"`
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
	Prices int       `json:"prices"` // closes from First to Last
	Holes  int       `json:"holes"`  // times of the panel between them without one
}

// Gap is a stretch that lacks rows, judged by the rhythm of the others. It is
// kept as it is: the return over it spans it.
type Gap struct {
	Symbol  string    `json:"symbol"` // "" in a wide file: all of them
	After   time.Time `json:"after"`  // the row before the gap
	Before  time.Time `json:"before"` // the row after it
	Missing int       `json:"missing"`
}

// Oddity is a row that is kept, since its close is sound, though another of
// its numbers is not: an open of 0 on the day of a listing, say.
type Oddity struct {
	File   string    `json:"file"`
	Line   int       `json:"line"`
	Symbol string    `json:"symbol"`
	Time   time.Time `json:"time"`
	Note   string    `json:"note"`
}

// add takes the counts of one file in.
func (c *Cleaning) add(f *Cleaning) {
	c.Rows += f.Rows
	c.Outside += f.Outside
	c.Duplicates += f.Duplicates
	if c.DuplicateAt == "" {
		c.DuplicateAt = f.DuplicateAt
	}
	c.Sorted += f.Sorted
	c.Empty += f.Empty
	c.Below, c.BelowAt = c.Below+f.Below, cmp.Or(c.BelowAt, f.BelowAt)
	c.Odd += f.Odd
	c.IgnoredColumns = append(c.IgnoredColumns, f.IgnoredColumns...)
	c.Gaps = append(c.Gaps, f.Gaps...)
	c.Oddities = append(c.Oddities, f.Oddities...)
	c.Doubts = append(c.Doubts, f.Doubts...)
}

// duplicate counts a row that repeats another.
func (c *Cleaning) duplicate(file string, line int, ms int64) {
	if c.Duplicates++; c.Duplicates == 1 {
		c.DuplicateAt = fmt.Sprintf("%s:%d of %s", file, line, stampMillis(ms))
	}
}

// findGaps notes the gaps of rising times.
func (c *Cleaning) findGaps(symbol string, ms []int64) {
	times := allMillis(ms)
	rhythm := calendarOf(times)
	for i := 1; i < len(times); i++ {
		if n := rhythm.missing(times[i-1], times[i]); n > 0 {
			c.Gaps = append(c.Gaps, Gap{Symbol: symbol, After: times[i-1], Before: times[i], Missing: n})
		}
	}
}

// The layouts that most files have.
const (
	wideLayout  = "wide"
	klineLayout = "klines"
)

// recognise notes what a file of a folder was taken for.
func (c *Cleaning) recognise(text string) {
	switch {
	case c.Recognised == "":
		c.Recognised = text
	case !slices.Contains(strings.Split(c.Recognised, "; "), text):
		if strings.Count(c.Recognised, ";") > 4 {
			text = "and others"
			if strings.HasSuffix(c.Recognised, text) {
				return
			}
		}
		c.Recognised += "; " + text
	}
}

// noteZones says that daily files of several zones are joined by local date.
func (c *Cleaning) noteZones(files []*priceFile) {
	var zones []string
	for _, f := range files {
		if f.table.daily && f.table.zone != nil && !slices.Contains(zones, f.table.zone.String()) {
			zones = append(zones, f.table.zone.String())
		}
	}
	if len(zones) > 1 {
		slices.Sort(zones)
		c.Notes = append(c.Notes, fmt.Sprintf(
			"daily files of %s meet by local date: their closes are hours apart, which weakens correlations of a day",
			enumerate(zones)))
	}
}

// oddest is how many oddities of a file are kept in words: a hostile file has
// nothing else.
const oddest = 100

// complete leaves no list nil, so that JSON has empty ones.
func (c *Cleaning) complete() {
	slices.Sort(c.IgnoredColumns)
	c.IgnoredColumns = append([]string{}, slices.Compact(c.IgnoredColumns)...)
	c.IgnoredFiles = append([]string{}, c.IgnoredFiles...)
	c.Unpriced = append([]string{}, c.Unpriced...)
	c.Gaps = append([]Gap{}, c.Gaps...)
	c.Oddities = append([]Oddity{}, c.Oddities...)
	c.Doubts = append([]Doubt{}, c.Doubts...)
}

// String says it in a few lines; long lists are cut short.
func (c *Cleaning) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: symbols %d, times %s, rows %s", c.Source, len(c.Spans), count(c.Times), count(c.Rows))
	if len(c.Spans) > 0 {
		first, last := c.Spans[0].First, c.Spans[0].Last
		for _, s := range c.Spans {
			if s.First.Before(first) {
				first = s.First
			}
			if s.Last.After(last) {
				last = s.Last
			}
		}
		fmt.Fprintf(&b, ", %s to %s", stamp(first), stamp(last))
	}
	b.WriteByte('\n')
	if c.Recognised != "" {
		fmt.Fprintf(&b, "  read as: %s\n", c.Recognised)
	}
	for _, line := range []struct {
		n           int
		text, where string
	}{
		{c.Outside, "rows outside the range, dropped", ""},
		{c.Empty, "rows without a price, dropped", ""},
		{c.Below, "lines below the rows that are none, passed over", c.below()},
		{c.Duplicates, "rows that repeated another, dropped", ", the first " + c.DuplicateAt},
		{c.Sorted, "rows out of order, sorted", ""},
		{c.Filled, "holes filled with the price before them", ""},
		{c.Holed, "rows with a hole, dropped", ""},
		{c.Unfinished, "last closes of an unfinished interval, dropped", ", that of " + stamp(c.UnfinishedAt)},
	} {
		if line.n > 0 {
			fmt.Fprintf(&b, "  %s: %s%s\n", line.text, count(line.n), line.where)
		}
	}
	for _, line := range []struct {
		names []string
		text  string
	}{
		{c.IgnoredColumns, "ignored columns"},
		{c.IgnoredFiles, "ignored files"},
		{c.Unpriced, "symbols without a price in the range, dropped"},
	} {
		if len(line.names) > 0 {
			fmt.Fprintf(&b, "  %s: %s\n", line.text, enumerate(line.names))
		}
	}
	if c.Layout == klineLayout && c.Unfinished == 0 && len(c.Spans) > 0 {
		b.WriteString(
			"  last candles: kept as finished by the clock (where files were made on that very day, end the range " +
				"before it)\n")
	}
	for _, note := range c.Notes {
		fmt.Fprintf(&b, "  %s\n", note)
	}
	c.writePlaces(&b)
	for _, warning := range c.Warnings() {
		fmt.Fprintf(&b, "  WARNING: %s\n", warning)
	}
	return b.String()
}

// writePlaces tells where there are gaps and odd rows, the first of each.
func (c *Cleaning) writePlaces(b *strings.Builder) {
	const most = 5
	for i, g := range c.Gaps {
		if i == most {
			fmt.Fprintf(b, "  %s more gaps: kept\n", count(len(c.Gaps)-most))
			break
		}
		name := g.Symbol
		if name == "" {
			name = "all symbols"
		}
		fmt.Fprintf(b, "  gap of %s: %s missing between %s and %s: kept\n",
			name, count(g.Missing), stamp(g.After), stamp(g.Before))
	}
	for i, o := range c.Oddities {
		if i == most {
			fmt.Fprintf(b, "  %s more odd rows: kept\n", count(c.Odd-most))
			break
		}
		fmt.Fprintf(b, "  %s:%d: %s on %s: %s: kept, its close is sound\n",
			o.File, o.Line, o.Symbol, stamp(o.Time), o.Note)
	}
}
