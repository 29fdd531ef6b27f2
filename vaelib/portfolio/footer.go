package portfolio

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// footer is what vendors and spreadsheets write below a table, such as a source or a
// disclaimer: it is passed over, and said.
type footer struct {
	line  int    // of its first line; 0: there is none
	text  string // how that begins
	lines int
}

// note says in words what is passed over.
func (f *footer) note() string {
	lines := fmt.Sprintf("%d lines of text below the table are", f.lines)
	if f.lines == 1 {
		lines = "a line of text below the table is"
	}
	return fmt.Sprintf("%s passed over, from line %d, %s", lines, f.line, f.text)
}

// isBelow says whether the current line is text below the rows. Where it isn't, but one
// before it was, that is an error.
func (t *table) isBelow() (bool, error) {
	width, first := t.width(), bytes.TrimSpace(t.fields[0])
	switch f := &t.footer; {
	case f.line > 0 && len(t.fields) == width && t.hasWeight(t.fields):
		return false, t.refuse(0, fmt.Errorf("stands below line %d, %s, which is no row: delete what is none", f.line,
			f.text))
	case f.line == 0 && (!t.hasRows() || t.hasWeight(t.fields) || !isProse(first)):
		return false, nil
	case f.line == 0:
		*f = footer{line: t.line, text: excerpt(string(first))}
		fallthrough
	default:
		f.lines++
		return true, nil
	}
}

// hasRows says whether there is a row, or a line of a listing.
func (t *table) hasRows() bool {
	return len(t.lines) > 0 || t.listing != nil && len(t.listing.symbols) > 0
}

// width is the number of fields of a row.
func (t *table) width() int {
	switch {
	case t.listing != nil:
		return t.listing.fields
	case t.withIDs:
		return len(t.names) + 1
	}
	return len(t.names)
}

// hasWeight says whether there is a number where rows have weights.
func (t *table) hasWeight(fields [][]byte) bool {
	for i, field := range fields {
		if t.listing == nil && i == 0 && t.withIDs || t.listing != nil && !slices.Contains(t.listing.weights, i) {
			continue
		}
		if _, err := weight(field); err == nil {
			return true
		}
	}
	return false
}

// openings are the words by which such text begins.
var openings = strings.Fields("source sources data note notes copyright disclaimer generated exported downloaded " +
	"created report as past this the all total totals sum quelle quellen stand hinweis fuente fonte avertissement")

// isProse says whether a first field begins as text does, and not as the name of a row whose
// end is missing: by a mark, by one of the words for it, or with a colon or many words.
func isProse(first []byte) bool {
	bare := bytes.TrimLeft(first, "*#(†‡©<-=_/ ")
	if len(bare) == 0 || len(bare) < len(first) {
		return len(first) > 2
	}
	words := strings.FieldsFunc(strings.ToLower(string(first)), func(r rune) bool { return r == ' ' || r == ':' })
	switch {
	case len(words) == 0:
		return false
	case len(words) == 1 && slices.Contains(totalWords, words[0]):
		return true
	case slices.Contains(openings, words[0]):
		return len(words) > 1 || len(words[0]) < len(first)
	}
	return len(words) > 5 || len(words) > 1 && bytes.IndexByte(first, ':') > 0
}
