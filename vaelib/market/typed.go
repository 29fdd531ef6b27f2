package market

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// columnKind is what a column of a Parquet or Arrow file holds.
type columnKind int

const (
	numberColumn columnKind = iota
	timeColumn
	textColumn
	otherColumn // lists, structures and the like, which no layout wants
)

// typedColumn is a column of a file that knows the types of its columns, and
// the values of some of its rows.
type typedColumn struct {
	name    string
	kind    columnKind
	zone    *time.Location // of times that are instants; nil: they have none
	numbers []float64      // NaN: null; of times Unix milliseconds
	texts   [][]byte       // of text; nil: null
	unread  bool           // not wanted
}

// typedRows walks the rows of such a file, a batch at a time.
type typedRows struct {
	file    string
	columns []typedColumn
	fill    func() (n int, err error) // the next rows into the columns; 0: there are no more
	n, i    int                       // rows in the batch, and the current one
	line    int                       // number of the current row, from 1
	rows    int                       // in the file; 0: not known
	dates   DateOrder
	err     error
}

func (r *typedRows) next() bool {
	if r.err != nil {
		return false
	}
	if r.i++; r.i >= r.n {
		var err error
		if r.n, err = r.fill(); err != nil {
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
func (r *typedRows) expected() int  { return r.rows }
func (r *typedRows) row() int       { return r.line }
func (r *typedRows) goTo(row int)   { r.line = row }
func (r *typedRows) width() int     { return len(r.columns) }

// value is the number of a field; null and NaN are none.
func (r *typedRows) value(field int, name string) (v float64, ok bool, err error) {
	c := &r.columns[field]
	switch c.kind {
	case numberColumn:
		v = c.numbers[r.i]
	case textColumn:
		if isGap(c.texts[r.i]) {
			return 0, false, nil
		}
		if v, ok = (dialect{decimal: '.'}).number(c.texts[r.i]); !ok {
			return 0, false, r.errorf(field+1, "%s %s is not a number: correct it, or delete the row", name, excerpt(c.texts[r.i]))
		}
	default:
		return 0, false, r.errorf(field+1, "%s is a column of times or of lists, not of numbers", name)
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
	c := &r.columns[field]
	if c.kind != timeColumn {
		at, msg := r.dates.parse(r.text(field))
		if msg != "" {
			return at, r.errorf(field+1, "%s", msg)
		}
		return at, nil
	}
	v := c.numbers[r.i]
	if v != v {
		return moment{}, r.errorf(field+1, "time is null: put one in, or delete the row")
	}
	at := moment{ms: int64(v), offset: unzoned}
	if c.zone != nil {
		_, offset := millis(at.ms).In(c.zone).Zone()
		at.offset = int32(offset)
	}
	return at, nil
}

// text spells a field.
func (r *typedRows) text(field int) []byte {
	c := &r.columns[field]
	switch c.kind {
	case textColumn:
		return c.texts[r.i]
	case timeColumn:
		if v := c.numbers[r.i]; v == v {
			at := millis(int64(v))
			if c.zone == nil {
				return at.AppendFormat(nil, "2006-01-02 15:04:05.999")
			}
			return at.In(c.zone).AppendFormat(nil, "2006-01-02 15:04:05.999Z07:00")
		}
	case numberColumn:
		if v := c.numbers[r.i]; v == v {
			return strconv.AppendFloat(nil, v, 'f', -1, 64)
		}
	}
	return nil
}

func (r *typedRows) excerpt(field int) string { return excerpt(r.text(field)) }

func (r *typedRows) errorf(column int, format string, args ...any) error {
	return &DataError{File: r.file, Line: r.line, Column: column, Msg: fmt.Sprintf(format, args...)}
}

// head spells the first rows, from which the layout is told. They are read
// again afterwards.
func (r *typedRows) head(s *source, name, container string, folder bool) (*head, error) {
	h := &head{folder: folder, typed: true, source: s, notes: []string{container}, dialect: dialect{separator: ',', decimal: '.'}}
	h.stem, h.ending = stem(name)
	names := make([]string, len(r.columns))
	for i, c := range r.columns {
		names[i] = c.name
	}
	h.lines, h.number = [][]string{names}, []int{0}
	for more := r.next(); more && r.i < min(r.n, mostHeadLines); r.i++ {
		fields := make([]string, len(r.columns))
		for i := range fields {
			fields[i] = string(r.text(i))
		}
		h.lines, h.number = append(h.lines, fields), append(h.number, r.i+1)
	}
	for i, c := range r.columns {
		if c.kind == timeColumn {
			h.times = append(h.times, i)
		}
	}
	r.i, r.line = -1, 0
	return h, r.err
}

// keep leaves out columns that a plan has no use for, from the next batch on.
func (r *typedRows) keep(p *plan) {
	used := map[int]bool{}
	for _, fields := range [][]int{p.times, p.columns, {p.asset, p.close, p.raw, p.open, p.high, p.low, p.volume, p.turnover}} {
		for _, i := range fields {
			used[i] = true
		}
	}
	for i := range r.columns {
		r.columns[i].unread = !used[i]
	}
}

// readerAt gives access to any part of a file, which is read into memory where
// it has none.
func (s *source) readerAt() (io.ReaderAt, int64, error) {
	info, err := s.raw.Stat()
	if err != nil {
		return nil, 0, openError(s.file, err)
	}
	if at, ok := s.raw.(io.ReaderAt); ok {
		return at, info.Size(), nil
	}
	return nil, 0, openError(s.file, fs.ErrInvalid)
}

// open looks at the start of a file. The rows are nil where it is text, which is
// read once its layout is known.
func (s *source) open(name string, folder bool) (h *head, r *typedRows, err error) {
	if s.kind == text {
		return headOf(s, name, folder), nil, nil
	}
	defer func() { // libraries of formats panic at files that are broken on purpose
		if fault := recover(); fault != nil {
			err = &DataError{File: s.file, Msg: fmt.Sprintf("is no sound file of its kind: %v", fault)}
		}
	}()
	container := "Parquet"
	if s.kind == parquetFile {
		r, err = openParquet(s)
	} else {
		container = "Arrow"
		r, err = openArrow(s)
	}
	if err != nil {
		return nil, nil, err
	}
	fill := r.fill
	r.fill = func() (n int, err error) {
		defer func() {
			if fault := recover(); fault != nil {
				n, err = 0, fmt.Errorf("is no sound file of its kind: %v", fault)
			}
		}()
		return fill()
	}
	h, err = r.head(s, name, container, folder)
	return h, r, err
}

// OpenText opens any file that prices may be in as the text of a CSV: gzip is
// unpacked, UTF-16 and Latin-1 are decoded, and the tables of Parquet and Arrow
// are written out, columns of text and times first, since pandas stores its
// index last. It is how other files, of weights or returns, are read.
func OpenText(path string) (io.ReadCloser, error) {
	s, err := openSource(os.DirFS(filepath.Dir(path)), filepath.Base(path), path)
	if err != nil {
		return nil, err
	}
	if s.kind == text {
		return struct {
			io.Reader
			io.Closer
		}{s.lines, s}, nil
	}
	_, r, err := s.open(filepath.Base(path), false)
	if err != nil {
		s.Close()
		return nil, err
	}
	w := &typedText{rows: r, Closer: s}
	for _, first := range []bool{true, false} {
		for i, c := range r.columns {
			if c.kind != otherColumn && (c.kind != numberColumn) == first {
				w.order = append(w.order, i)
			}
		}
	}
	for k, i := range w.order {
		w.field(k, []byte(r.columns[i].name))
	}
	w.text = append(w.text, '\n')
	return w, nil
}

// typedText spells the rows of a typed file as a CSV.
type typedText struct {
	io.Closer
	rows  *typedRows
	order []int // of the columns
	text  []byte
	done  int // bytes of the text that are handed on
}

func (w *typedText) Read(p []byte) (int, error) {
	if w.done == len(w.text) {
		w.text, w.done = w.text[:0], 0
		if !w.rows.next() {
			if w.rows.err != nil {
				return 0, w.rows.err
			}
			return 0, io.EOF
		}
		for k, i := range w.order {
			w.field(k, w.rows.text(i))
		}
		w.text = append(w.text, '\n')
	}
	n := copy(p, w.text[w.done:])
	w.done += n
	return n, nil
}

func (w *typedText) field(k int, field []byte) {
	if k > 0 {
		w.text = append(w.text, ',')
	}
	if !bytes.ContainsAny(field, "\",\n\r") {
		w.text = append(w.text, field...)
		return
	}
	w.text = append(w.text, '"')
	w.text = append(w.text, bytes.ReplaceAll(field, []byte{'"'}, []byte(`""`))...)
	w.text = append(w.text, '"')
}
