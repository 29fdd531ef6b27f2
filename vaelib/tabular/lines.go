package tabular

import (
	"bufio"
	"bytes"
	"io"
)

// LongestLine bounds the memory that one line can take: 4 MiB are about 400,000
// prices.
const LongestLine = 4 << 20

// HeadSize is how much of a file its layout is told from.
const HeadSize = 32 << 10

// Lines walks lines that end in LF, CRLF or, in old files, CR alone. What
// is looked at beforehand isn't lost.
type Lines struct {
	r        io.Reader
	buffer   []byte
	from, to int // of the bytes not yet taken
	cr       bool
	piped    *piped // nil: a plain file
	err      error  // of the reader
}

// NewLines walks the lines of a text in UTF-8.
func NewLines(r io.Reader) *Lines {
	return &Lines{r: r, buffer: make([]byte, HeadSize)}
}

// Peek returns the next n bytes, fewer at the end.
func (l *Lines) Peek(n int) []byte {
	for l.to-l.from < n && l.fill() {
	}
	return l.buffer[l.from:min(l.to, l.from+n)]
}

// fill reads more; false at the end.
func (l *Lines) fill() bool {
	if l.err != nil {
		return false
	}
	if l.from > 0 {
		copy(l.buffer, l.buffer[l.from:l.to])
		l.from, l.to = 0, l.to-l.from
	}
	if l.to == len(l.buffer) {
		if len(l.buffer) >= LongestLine {
			l.err = bufio.ErrTooLong
			return false
		}
		l.buffer = append(l.buffer, make([]byte, len(l.buffer))...)
	}
	for range 100 {
		n, err := l.r.Read(l.buffer[l.to:])
		if l.piped != nil && err == nil {
			if err = l.piped.take(l.buffer[l.to : l.to+n]); err != nil {
				n = 0
			}
		}
		l.to += n
		if l.err = err; n > 0 || err != nil {
			return n > 0
		}
	}
	l.err = io.ErrNoProgress
	return false
}

// End is the byte that ends a line.
func (l *Lines) End() byte {
	if l.cr {
		return '\r'
	}
	return '\n'
}

// Line returns the next line without the byte that ends it (of CRLF, the CR
// stays), which is valid until the next call; false after the last, or at an
// error.
func (l *Lines) Line() ([]byte, bool) {
	searched := 0
	for {
		if i := bytes.IndexByte(l.buffer[l.from+searched:l.to], l.End()); i >= 0 {
			line := l.buffer[l.from : l.from+searched+i]
			l.from += searched + i + 1
			return line, true
		}
		searched = l.to - l.from
		if l.fill() {
			continue
		}
		line := l.buffer[l.from:l.to]
		l.from = l.to
		return line, len(line) > 0 && l.Err() == nil
	}
}

// Err is the error that ended the lines early, if there is one.
func (l *Lines) Err() error {
	if l.err == io.EOF {
		return nil
	}
	return l.err
}

// Read hands on the bytes, to an unpacker.
func (l *Lines) Read(p []byte) (int, error) {
	if l.from == l.to && !l.fill() {
		return 0, l.err
	}
	n := copy(p, l.buffer[l.from:l.to])
	l.from += n
	return n, nil
}
