package tabular

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// Kind is how the rows of a file are held.
type Kind string

// The kinds of files.
const (
	Text    Kind = "text"
	Parquet Kind = "Parquet"
	Arrow   Kind = "Arrow"
)

// File is an open file: packed or plain, in whichever encoding, text is read as
// lines of UTF-8.
type File struct {
	Shown string // as errors call it
	Kind  Kind
	Lines *Lines   // of text
	Notes []string // what was unpacked or decoded, for people

	raw    fs.File
	packed io.Closer // what unpacks it; nil: nothing that has to be closed
}

// Open opens a file and finds out what it is by its first bytes; shown is what
// errors call it. Everything that is wrong with it is a *[Error].
func Open(fsys fs.FS, name, shown string) (*File, error) {
	raw, err := fsys.Open(name)
	if err != nil {
		return nil, OpenError(shown, err)
	}
	if info, err := raw.Stat(); err == nil && info.IsDir() {
		raw.Close()
		return nil, &Error{File: shown, Msg: "is a folder, not a file"}
	}
	s := &File{Shown: shown, Kind: Text, raw: raw}
	if err := s.recognise(); err != nil {
		s.Close()
		return nil, err
	}
	if info, err := raw.Stat(); err == nil && !info.Mode().IsRegular() && s.Kind == Text {
		s.Lines.piped = &piped{file: shown}
	} else if err == nil && !info.Mode().IsRegular() {
		s.Close()
		return nil, &Error{File: shown, Msg: fmt.Sprintf(
			"is a pipe, and files of %s are not read from front to back: save it in a file, and give that", s.Kind)}
	}
	return s, nil
}

// Close closes the file.
func (s *File) Close() error {
	if s.packed != nil {
		s.packed.Close()
	}
	return s.raw.Close()
}

// Size is the number of bytes of the file as it lies there.
func (s *File) Size() (int64, error) {
	info, err := s.raw.Stat()
	if err != nil {
		return 0, OpenError(s.Shown, err)
	}
	return info.Size(), nil
}

// lfsPointer begins what stands for a file that Git LFS keeps.
const lfsPointer = "version https://git-lfs.github.com/"

// isPage matches how pages of the web begin.
var isPage = regexp.MustCompile(`(?i)^[\x{feff}\s]*<(!doctype html|html|table|body)`)

// recognise looks for the marks of packed files, Parquet, Arrow and UTF-16, and
// takes text that isn't UTF-8 for Windows-1252, which holds Latin-1.
func (s *File) recognise() error {
	s.Lines = NewLines(s.raw)
	if err := s.unpack(); err != nil {
		return err
	}
	first := s.Lines.Peek(4)
	switch {
	case bytes.HasPrefix(s.Lines.Peek(len(lfsPointer)), []byte(lfsPointer)):
		return &Error{File: s.Shown, Msg: "is a pointer of Git LFS, not the file itself: give git lfs pull"}
	case isPage.Match(s.Lines.Peek(64)):
		return &Error{File: s.Shown, Msg: "is a page of the web, not a table: save the table itself"}
	case bytes.HasPrefix(first, []byte("FEA1")):
		return &Error{File: s.Shown, Msg: "is Feather of the first version: write it as the second, or as Parquet"}
	case bytes.HasPrefix(first, []byte("PAR1")):
		s.Kind = Parquet
	case bytes.HasPrefix(first, []byte("ARRO")), bytes.HasPrefix(first, []byte("\xff\xff\xff\xff")):
		s.Kind = Arrow
	case bytes.HasPrefix(first, []byte("\xff\xfe")), len(first) == 4 && first[1] == 0 && first[3] == 0:
		s.decode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "UTF-16")
	case bytes.HasPrefix(first, []byte("\xfe\xff")), len(first) == 4 && first[0] == 0 && first[2] == 0:
		s.decode(unicode.UTF16(unicode.BigEndian, unicode.UseBOM), "UTF-16")
	case !validStart(s.Lines.Peek(HeadSize)):
		s.decode(charmap.Windows1252, "Latin-1")
	}
	if s.Kind != Text && len(s.Notes) > 0 {
		return &Error{File: s.Shown, Msg: "is a Parquet or Arrow file inside " + s.Notes[0] + ": unpack it first"}
	}
	head := s.Lines.Peek(HeadSize)
	s.Lines.cr = bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0
	return nil
}

func (s *File) decode(e encoding.Encoding, name string) {
	s.Lines = NewLines(e.NewDecoder().Reader(s.Lines))
	s.Notes = append(s.Notes, name)
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
