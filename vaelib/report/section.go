package report

import (
	"fmt"
	"time"

	"vaefolio/vaelib/number"
)

// Section is a part of the page: a heading, blocks in their order, then
// pictures.
type Section struct {
	ID       string // of the heading, for links; unique on the page
	Title    string
	Blocks   []Block
	Pictures []Picture
}

// Block is one of: a paragraph, a warning, a list, named facts, words explained, a
// table, or preformatted text under a summary line. Fields that are empty are left
// out.
type Block struct {
	Text    string
	Warning string
	List    []string
	Facts   []Fact
	Terms   []Fact // words of what stands above, and what they mean
	Table   *Table
	Code    string
	Summary string // of Code, which then opens on demand
}

// Table has a caption and a heading for each column; the first cell of a row
// is its heading.
type Table struct {
	Caption string
	Fold    int  // rows that show; the others open on demand. 0: all show
	Closed  bool // the whole table opens on demand
	Dense   bool // small type, for many columns
	Columns []Column
	Rows    []Row
}

// Shown are the rows that show without being asked for.
func (t Table) Shown() []Row {
	if t.Fold == 0 || t.Fold >= len(t.Rows) {
		return t.Rows
	}
	return t.Rows[:t.Fold]
}

// Rest is the table of the other rows, nil where there is none.
func (t Table) Rest() *Table {
	if len(t.Shown()) == len(t.Rows) {
		return nil
	}
	rest := t
	rest.Rows, rest.Fold = t.Rows[t.Fold:], 0
	rest.Caption = fmt.Sprintf("%s: the other %d", t.Caption, len(rest.Rows))
	return &rest
}

// Column is the heading of a column.
type Column struct {
	Name   string
	Number bool // aligned right
}

// Row is a row of a table, with a cell for each column.
type Row struct {
	Strong bool   // the row that the table is about
	Note   string // under the heading
	Cells  []Cell
}

// Cell is text, or the reason why there is none.
type Cell struct {
	Text   string
	Reason string
	Number bool    // aligned right
	Fixed  bool    // not to be broken into lines
	Bar    float64 // percent of the cell's width to shade
}

// TextCell returns a cell with text.
func TextCell(s string) Cell { return Cell{Text: s} }

// NumberCell returns a cell with a number, or with the reason why there is
// none.
func NumberCell(v number.Value, f Format) Cell {
	x, known := v.Float()
	if !known {
		return Cell{Reason: v.Reason(), Number: true}
	}
	return Cell{Text: f.write(x), Number: true}
}

// CountCell returns a cell with a whole number.
func CountCell(n int) Cell { return Cell{Text: grouped(int64(n)), Number: true} }

// DateCell returns a cell with a day, by UTC; a dash for the zero time.
func DateCell(t time.Time) Cell { return Cell{Text: date(t), Fixed: true} }

// headings returns columns: the first is of text, the others are of numbers.
func headings(names ...string) []Column {
	columns := make([]Column, len(names))
	for i, name := range names {
		columns[i] = Column{Name: name, Number: i > 0}
	}
	return columns
}
