package tabular

import (
	"archive/zip"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// unpack finds out by the first bytes whether and how a file is packed, and goes on
// with what is in it. What is packed in a way that isn't read is an error that names
// the way.
func (s *File) unpack() error {
	first := s.Lines.Peek(6)
	for _, p := range []struct {
		mark, name string
		open       func() (io.Reader, error)
	}{
		{"\x1f\x8b", "gzip", func() (io.Reader, error) { return gzip.NewReader(s.Lines) }},
		{"\x28\xb5\x2f\xfd", "zstd", s.zstd},
		{"BZh9", "bzip2", func() (io.Reader, error) { return bzip2.NewReader(s.Lines), nil }},
		{"PK\x03\x04", "zip", s.zip},
		{"\xfd7zXZ\x00", "xz", nil},
		{"7z\xbc\xaf\x27\x1c", "7-Zip", nil},
		{"Rar!", "RAR", nil},
		{"\x89HDF", "HDF5", nil},
		{"\x93NUMPY", "numpy", nil},
		{"\xd0\xcf\x11\xe0", "an old Excel workbook", nil},
		{"SQLite", "a database", nil},
	} {
		switch {
		case !bytes.HasPrefix(first, []byte(p.mark)):
			continue
		case p.open == nil:
			return &Error{File: s.Shown, Msg: fmt.Sprintf("is a file of the kind %s, which isn't read: save the table "+
				"as CSV or Parquet", p.name)}
		}
		r, err := p.open()
		if err != nil {
			if asError, ok := err.(*Error); ok {
				return asError
			}
			return &Error{File: s.Shown, Msg: "is no sound " + p.name + " file: " + err.Error(), Err: err}
		}
		s.Notes, s.Lines = append(s.Notes, p.name), NewLines(r)
		return nil
	}
	if len(first) > 1 && first[0] == 0x80 && first[1] <= 5 {
		return &Error{File: s.Shown, Msg: "is a pickle of Python, which may do anything where it is read: save the " +
			"table as CSV or Parquet"}
	}
	return nil
}

// zstd unpacks within the memory that its own program needs at its defaults.
func (s *File) zstd() (io.Reader, error) {
	d, err := zstd.NewReader(s.Lines, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
	if err != nil {
		return nil, err
	}
	s.packed = d.IOReadCloser()
	return d, nil
}

// zip unpacks the one file of an archive, as Binance and Kaggle give them.
func (s *File) zip() (io.Reader, error) {
	size, err := s.Size()
	if err != nil {
		return nil, err
	}
	at, ok := s.raw.(io.ReaderAt)
	if !ok {
		return nil, &Error{File: s.Shown, Msg: "is a zip file inside another: unpack it"}
	}
	archive, err := zip.NewReader(at, size)
	if err != nil {
		return nil, &Error{File: s.Shown, Msg: "is no sound zip file or Excel workbook: unpack it, or save the sheet " +
			"as CSV", Err: err}
	}
	var files []*zip.File
	for _, f := range archive.File {
		switch name := path.Base(f.Name); {
		case f.Name == "[Content_Types].xml":
			return nil, &Error{File: s.Shown, Msg: "is an Excel workbook: save the sheet as CSV"}
		case f.Mode()&fs.ModeType != 0, strings.HasPrefix(name, "."), strings.HasPrefix(f.Name, "__MACOSX/"),
			strings.HasSuffix(name, ".CHECKSUM"):
		default:
			files = append(files, f)
		}
	}
	if len(files) != 1 {
		return nil, &Error{File: s.Shown, Msg: fmt.Sprintf("is a zip of %d files, and of one alone it would be read: "+
			"unpack it into a folder", len(files))}
	}
	member, err := files[0].Open()
	if err != nil {
		return nil, err
	}
	s.packed = member
	return member, nil
}
