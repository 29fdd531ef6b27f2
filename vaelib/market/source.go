package market

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// container is how the rows of a file are packed.
type container int

const (
	text container = iota
	parquetFile
	arrowFile
)

// source is an open file: packed or plain, in whichever encoding, it is read as
// UTF-8 lines.
type source struct {
	file  string // as errors call it
	kind  container
	raw   fs.File
	lines *lineReader // of text
	notes []string    // what was unpacked or decoded, for people
}

// openSource opens a file and finds out what it is by its first bytes.
func openSource(fsys fs.FS, name, shown string) (*source, error) {
	raw, err := fsys.Open(name)
	if err != nil {
		return nil, openError(shown, err)
	}
	s := &source{file: shown, raw: raw}
	if err := s.unpack(); err != nil {
		raw.Close()
		return nil, err
	}
	return s, nil
}

// Close closes the file.
func (s *source) Close() error { return s.raw.Close() }

// unpack looks for the marks of gzip, Parquet, Arrow and UTF-16, and takes text
// that isn't UTF-8 for Windows-1252, which holds Latin-1.
func (s *source) unpack() error {
	s.lines = newLineReader(s.raw)
	first := s.lines.peek(4)
	if bytes.HasPrefix(first, []byte("\x1f\x8b")) {
		unzipped, err := gzip.NewReader(s.lines)
		if err != nil {
			return &DataError{File: s.file, Msg: "is no sound gzip file: " + err.Error(), Err: err}
		}
		s.notes = append(s.notes, "gzip")
		s.lines = newLineReader(unzipped)
		first = s.lines.peek(4)
	}
	switch {
	case bytes.HasPrefix(first, []byte("PK\x03\x04")):
		return &DataError{File: s.file, Msg: "is a zip file or an Excel workbook: unpack it, or save the sheet as CSV"}
	case bytes.HasPrefix(first, []byte("FEA1")):
		return &DataError{File: s.file, Msg: "is Feather of the first version: write it as the second, or as Parquet"}
	case bytes.HasPrefix(first, []byte("PAR1")):
		s.kind = parquetFile
	case bytes.HasPrefix(first, []byte("ARRO")), bytes.HasPrefix(first, []byte("\xff\xff\xff\xff")):
		s.kind = arrowFile
	case bytes.HasPrefix(first, []byte("\xff\xfe")), len(first) == 4 && first[1] == 0 && first[3] == 0:
		s.decode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "UTF-16")
	case bytes.HasPrefix(first, []byte("\xfe\xff")), len(first) == 4 && first[0] == 0 && first[2] == 0:
		s.decode(unicode.UTF16(unicode.BigEndian, unicode.UseBOM), "UTF-16")
	case !validStart(s.lines.peek(headSize)):
		s.decode(charmap.Windows1252, "Latin-1")
	}
	if s.kind != text && len(s.notes) > 0 {
		return &DataError{File: s.file, Msg: "is a Parquet or Arrow file inside gzip: unpack it first"}
	}
	head := s.lines.peek(headSize)
	s.lines.cr = bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0
	return nil
}

func (s *source) decode(e encoding.Encoding, name string) {
	s.lines = newLineReader(e.NewDecoder().Reader(s.lines))
	s.notes = append(s.notes, name)
}

// validStart says whether text that may be cut off inside a character is UTF-8.
func validStart(text []byte) bool {
	for i := len(text) - 1; i >= 0 && i > len(text)-utf8.UTFMax; i-- {
		if utf8.RuneStart(text[i]) {
			if !utf8.FullRune(text[i:]) {
				text = text[:i]
			}
			break
		}
	}
	return utf8.Valid(text)
}

// headSize is how much of a file its layout is told from.
const headSize = 32 << 10

// lineReader walks lines that end in LF, CRLF or, in old files, CR alone. What
// is looked at beforehand isn't lost.
type lineReader struct {
	r        io.Reader
	buffer   []byte
	from, to int // of the bytes not yet taken
	cr       bool
	err      error // of the reader
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{r: r, buffer: make([]byte, headSize)}
}

// peek returns the next n bytes, fewer at the end.
func (l *lineReader) peek(n int) []byte {
	for l.to-l.from < n && l.fill() {
	}
	return l.buffer[l.from:min(l.to, l.from+n)]
}

// fill reads more; false at the end.
func (l *lineReader) fill() bool {
	if l.err != nil {
		return false
	}
	if l.from > 0 {
		copy(l.buffer, l.buffer[l.from:l.to])
		l.from, l.to = 0, l.to-l.from
	}
	if l.to == len(l.buffer) {
		if len(l.buffer) >= longestLine {
			l.err = bufio.ErrTooLong
			return false
		}
		l.buffer = append(l.buffer, make([]byte, len(l.buffer))...)
	}
	for range 100 {
		n, err := l.r.Read(l.buffer[l.to:])
		l.to += n
		if l.err = err; n > 0 || err != nil {
			return n > 0
		}
	}
	l.err = io.ErrNoProgress
	return false
}

// end is the byte that ends a line.
func (l *lineReader) end() byte {
	if l.cr {
		return '\r'
	}
	return '\n'
}

// line returns the next line without its end, which is valid until the next
// call; false after the last, or at an error.
func (l *lineReader) line() ([]byte, bool) {
	searched := 0
	for {
		if i := bytes.IndexByte(l.buffer[l.from+searched:l.to], l.end()); i >= 0 {
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
		return line, len(line) > 0 && l.failed() == nil
	}
}

// failed is the error that ended the lines early, if there is one.
func (l *lineReader) failed() error {
	if l.err == io.EOF {
		return nil
	}
	return l.err
}

// Read hands on the bytes, to an unpacker.
func (l *lineReader) Read(p []byte) (int, error) {
	if l.from == l.to && !l.fill() {
		return 0, l.err
	}
	n := copy(p, l.buffer[l.from:l.to])
	l.from += n
	return n, nil
}

// stem is a file's name without its folder and the endings that say how it is
// packed, and ending is the last of them, in lower case, without gz.
func stem(name string) (stem, ending string) {
	name = name[strings.LastIndexByte(name, '/')+1:]
	if n := len(name) - len(".gz"); n > 0 && strings.EqualFold(name[n:], ".gz") {
		name = name[:n]
	}
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		return name[:i], strings.ToLower(name[i+1:])
	}
	return name, ""
}
