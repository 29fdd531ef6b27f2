package market

import (
	"fmt"
	"math"

	"vaefolio/vaelib/tabular"
)

// typedRows walks the rows of such a file, a batch at a time.
type typedRows struct {
	file    string
	columns *tabular.Columns
	n, i    int // rows in the batch, and the current one
	line    int // number of the current row, from 1
	dates   DateOrder
	err     error
}

func (r *typedRows) next() bool {
	if r.err != nil {
		return false
	}
	if r.i++; r.i >= r.n {
		var err error
		if r.n, err = r.columns.Next(); err != nil {
			r.err = r.errorf(0, "could not be read: %v", err)
			return false
		}
		if r.i = 0; r.n == 0 {
			return false
		}
	}
	r.line++
	return true
}

func (r *typedRows) failure() error { return r.err }
func (r *typedRows) expected() int  { return r.columns.Rows }
func (r *typedRows) row() int       { return r.line }
func (r *typedRows) goTo(row int)   { r.line = row }
func (r *typedRows) width() int     { return len(r.columns.List) }

// value is the number of a field; null and NaN are none.
func (r *typedRows) value(field int, name string) (v float64, ok bool, err error) {
	c := &r.columns.List[field]
	switch c.Kind {
	case tabular.Numbers:
		v = c.Numbers[r.i]
	case tabular.Texts:
		if isGap(c.Texts[r.i]) {
			return 0, false, nil
		}
		if v, ok = (dialect{decimal: '.'}).number(c.Texts[r.i]); !ok {
			return 0, false, r.errorf(field+1, "%s %s is not a number: correct it, or delete the row",
				name, excerpt(c.Texts[r.i]))
		}
	default:
		return 0, false, r.errorf(field+1,
			"%s is a column of times, of lists or of a type that is not read: write it as float64", name)
	}
	if math.IsInf(v, 0) {
		return 0, false, r.errorf(field+1, "%s %v is not a finite number: correct it, or delete the row", name, v)
	}
	return v, v == v, nil
}

func (r *typedRows) amount(field int, name string) (v float64, ok bool, err error) {
	return r.value(field, name)
}

// moment reads a column of times, or numbers and text that stand for times.
func (r *typedRows) moment(fields []int) (moment, error) {
	field := fields[0]
	c := &r.columns.List[field]
	if c.Kind != tabular.Times {
		at, msg := r.dates.parse(r.text(field))
		if msg != "" {
			return at, r.errorf(field+1, "%s", msg)
		}
		return at, nil
	}
	v := c.Numbers[r.i]
	if v != v {
		return moment{}, r.errorf(field+1, "time is null: put one in, or delete the row")
	}
	at := moment{ms: int64(v), offset: unzoned}
	if c.Zone != nil {
		_, offset := millis(at.ms).In(c.Zone).Zone()
		at.offset = int32(offset)
	}
	return at, nil
}

// text spells a field.
func (r *typedRows) text(field int) []byte { return r.columns.List[field].Text(r.i) }

func (r *typedRows) excerpt(field int) string { return excerpt(r.text(field)) }

func (r *typedRows) errorf(column int, format string, args ...any) error {
	return &DataError{File: r.file, Line: r.line, Column: column, Msg: fmt.Sprintf(format, args...)}
}

// head spells the first rows, from which the layout is told. They are read
// again afterwards.
func (r *typedRows) head(s *tabular.File, name string, folder bool) (*head, error) {
	h := &head{folder: folder, typed: true, source: s, notes: []string{string(s.Kind)},
		dialect: dialect{separator: ',', decimal: '.'}}
	h.stem, h.ending = stem(name)
	names := make([]string, len(r.columns.List))
	for i, c := range r.columns.List {
		names[i] = c.Name
	}
	h.lines, h.number = [][]string{names}, []int{0}
	if !r.next() {
		r.n = 0
	}
	for ; r.i < min(r.n, mostHeadLines); r.i++ {
		fields := make([]string, len(r.columns.List))
		for i := range fields {
			fields[i] = string(r.text(i))
		}
		h.lines, h.number = append(h.lines, fields), append(h.number, r.i+1)
	}
	for i, c := range r.columns.List {
		if c.Kind == tabular.Times {
			h.times = append(h.times, i)
		}
	}
	r.i, r.line = -1, 0
	return h, r.err
}

// keep leaves out columns that a plan has no use for, from the next batch on.
func (r *typedRows) keep(p *plan) {
	used := map[int]bool{}
	for _, fields := range [][]int{p.times, p.columns,
		{p.asset, p.close, p.split, p.raw, p.factor, p.earned, p.open, p.high, p.low, p.volume, p.turnover}} {
		for _, i := range fields {
			used[i] = true
		}
	}
	for i := range r.columns.List {
		r.columns.List[i].Unread = !used[i]
	}
}

// openRows looks at the start of a file. The rows are nil where it is text, which
// is read once its layout is known.
func openRows(s *tabular.File, name string, folder bool) (*head, *typedRows, error) {
	if s.Kind == tabular.Text {
		h, err := headOf(s, name, folder)
		return h, nil, err
	}
	columns, err := s.Columns()
	if err != nil {
		return nil, nil, err
	}
	r := &typedRows{file: s.Shown, columns: columns}
	h, err := r.head(s, name, folder)
	return h, r, err
}
