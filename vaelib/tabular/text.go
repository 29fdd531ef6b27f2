package tabular

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// OpenText opens any file that tables come in as the text of a CSV: gzip is
// unpacked, UTF-16 and Latin-1 are decoded, and the tables of Parquet and Arrow
// are written out, columns of text and times first, since pandas stores its
// index last. Everything that is wrong with the file is a *[Error].
func OpenText(path string) (io.ReadCloser, error) {
	return OpenTextFS(os.DirFS(filepath.Dir(path)), filepath.Base(path), path)
}

// OpenTextFS is [OpenText] for a file of fsys, which errors call shown.
func OpenTextFS(fsys fs.FS, name, shown string) (io.ReadCloser, error) {
	s, err := Open(fsys, name, shown)
	if err != nil {
		return nil, err
	}
	if start := bytes.TrimSpace(s.Lines.Peek(HeadSize)); s.Kind == Text && isJSON.Match(start) {
		s.Close()
		return nil, &Error{File: shown, Line: 1, Msg: "is JSON, and no table: write it as CSV or Parquet",
			Err: ErrNoTable}
	}
	if s.Kind == Text {
		return struct {
			io.Reader
			io.Closer
		}{&bounded{lines: s.Lines, file: shown, line: 1}, s}, nil
	}
	c, err := s.Columns()
	if err != nil {
		s.Close()
		return nil, err
	}
	w := &spelled{columns: c, file: shown, Closer: s}
	for _, first := range []bool{true, false} {
		for i, column := range c.List {
			if column.Kind != Other && (column.Kind != Numbers) == first {
				w.order = append(w.order, i)
			}
		}
	}
	for k, i := range w.order {
		w.field(k, []byte(c.List[i].Name))
	}
	w.text = append(w.text, '\n')
	return w, nil
}

// isJSON matches how objects and arrays begin, as no line of names does.
var isJSON = regexp.MustCompile(`^(\{\s*["}]|\[\s*[{\[])`)

// spelled is the rows of a Parquet or Arrow file as a CSV.
type spelled struct {
	io.Closer
	columns *Columns
	file    string
	order   []int // of the columns
	i, n    int   // row of the batch, and rows in it
	row     int   // from 1
	text    []byte
	done    int // bytes of the text that are handed on
}

func (w *spelled) Read(p []byte) (int, error) {
	if w.done == len(w.text) {
		w.text, w.done = w.text[:0], 0
		if w.i++; w.i >= w.n {
			var err error
			if w.n, err = w.columns.Next(); err != nil {
				return 0, &Error{File: w.file, Line: w.row, Msg: fmt.Sprintf("could not be read: %v", err)}
			}
			if w.i = 0; w.n == 0 {
				return 0, io.EOF
			}
		}
		w.row++
		for k, i := range w.order {
			w.field(k, w.columns.List[i].Text(w.i))
		}
		w.text = append(w.text, '\n')
	}
	n := copy(p, w.text[w.done:])
	w.done += n
	return n, nil
}

func (w *spelled) field(k int, field []byte) {
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

// bounded reads text, of which no line is longer than [LongestLine]: a reader of
// lines would otherwise keep all that an endless one holds. Lines end in LF, or CRLF.
type bounded struct {
	lines *Lines
	file  string
	line  int
	long  int // bytes of the line so far
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.lines.Read(p)
	for i := range p[:n] {
		if b.lines.cr && p[i] == '\r' {
			p[i] = '\n'
		}
	}
	if last := bytes.LastIndexByte(p[:n], '\n'); last >= 0 {
		b.line += bytes.Count(p[:n], []byte{'\n'})
		b.long = n - last - 1
	} else if b.long += n; b.long > LongestLine {
		why := fmt.Sprintf("is longer than %d bytes: this is no table of text", LongestLine)
		return 0, &Error{File: b.file, Line: b.line, Msg: why}
	}
	return n, err
}
