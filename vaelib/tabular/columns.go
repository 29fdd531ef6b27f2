package tabular

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"time"
)

// Bounds of Parquet and Arrow files.
const (
	mostBatch   = 4096    // rows that are read at a time
	mostColumns = 65_000  // Parquet's library counts no more
	mostRows    = 1 << 28 // with or without numbers
	mostText    = 4096    // bytes of a text that are kept: no time, number or name has as many
)

// batchOf is how many rows are read at a time: fewer of very many columns.
func batchOf(columns []Column) int {
	return max(64, min(mostBatch, 1<<22/max(1, len(columns))))
}

// Content is what a column of a Parquet or Arrow file holds.
type Content int

// The contents of columns.
const (
	Numbers Content = iota
	Times
	Texts
	Other // lists, structures and the like, which no table of ours wants
)

// Column is a column of a file that knows the types of its columns, and the
// values of some of its rows.
type Column struct {
	Name    string
	Kind    Content
	Zone    *time.Location // of times that are instants; nil: they have none
	Numbers []float64      // NaN: null; of times Unix milliseconds
	Texts   [][]byte       // of text; nil: null
	Unread  bool           // not wanted: left out from the next batch on
}

// Text spells value i of the batch; null is nil.
func (c *Column) Text(i int) []byte {
	switch c.Kind {
	case Texts:
		return c.Texts[i]
	case Times:
		if v := c.Numbers[i]; v == v {
			at := time.UnixMilli(int64(v)).UTC()
			if c.Zone == nil {
				return at.AppendFormat(nil, "2006-01-02 15:04:05.999")
			}
			return at.In(c.Zone).AppendFormat(nil, "2006-01-02 15:04:05.999Z07:00")
		}
	case Numbers:
		if v := c.Numbers[i]; v == v {
			return strconv.AppendFloat(nil, v, 'f', -1, 64)
		}
	}
	return nil
}

// Columns are those of a Parquet or Arrow file, read a batch of rows at a time.
type Columns struct {
	List []Column
	Rows int // in the file; 0: not known

	fill func() (int, error)
	done int // rows
}

// day is a day in milliseconds.
const day = 24 * 3600 * 1000

// Columns reads the columns of a file that is no text; there are no values yet.
func (s *File) Columns() (c *Columns, err error) {
	defer func() { // libraries of formats panic at files that are broken on purpose
		if fault := recover(); fault != nil {
			err = &Error{File: s.Shown, Msg: fmt.Sprintf("is no sound file of its kind: %v", fault)}
		}
	}()
	if s.Kind == Parquet {
		return openParquet(s)
	}
	return openArrow(s)
}

// Next puts the next rows into the columns and returns their number, 0 after
// the last.
func (c *Columns) Next() (n int, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			n, err = 0, fmt.Errorf("is no sound file of its kind: %v", fault)
		}
	}()
	n, err = c.fill()
	if c.done += n; c.done > mostRows && err == nil {
		err = errors.New("more than 268,435,456 rows: write several files")
	}
	return n, err
}

// readerAt gives access to any part of a file.
func (s *File) readerAt() (io.ReaderAt, int64, error) {
	size, err := s.Size()
	if err != nil {
		return nil, 0, err
	}
	if at, ok := s.raw.(io.ReaderAt); ok {
		return at, size, nil
	}
	return nil, 0, OpenError(s.Shown, fs.ErrInvalid)
}
