package tabular_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"vaefolio/vaelib/tabular"
)

// pipeFS holds one file, a pipe that gives the same text for ever, after its start.
type pipeFS struct{ start, again string }

func (p pipeFS) Open(string) (fs.File, error) {
	plain, err := fstest.MapFS{"p": {Data: []byte{}, Mode: fs.ModeNamedPipe}}.Open("p")
	again := []byte(strings.Repeat(p.again, 1<<16/len(p.again)))
	return &endless{plain, strings.NewReader(p.start), again, 0}, err
}

type endless struct {
	fs.File
	start *strings.Reader
	again []byte
	at    int
}

func (e *endless) Read(to []byte) (int, error) {
	if e.start.Len() > 0 {
		return e.start.Read(to)
	}
	if e.at == len(e.again) {
		e.at = 0
	}
	n := copy(to, e.again[e.at:])
	e.at += n
	return n, nil
}

// What a pipe gives ends with an error, whatever it is, and however many bytes a line has.
func TestEndlessPipe(t *testing.T) {
	for name, p := range map[string]pipeFS{
		"short rows":  {"AAA\n", "1\n"},
		"short cells": {"AAA,BBB\n", "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n"},
		"long rows":   {"AAA\n", strings.Repeat("1", 1000) + "\n"},
		"blank lines": {"AAA\n", "\r\n"},
	} {
		file, err := tabular.OpenTextFS(p, "p", "p.csv")
		if err != nil {
			t.Fatal(name, err)
		}
		read, err := io.Copy(io.Discard, file)
		file.Close()
		if defect := new(tabular.Error); !errors.As(err, &defect) || !strings.Contains(defect.Msg, "save it in a file") {
			t.Errorf("%s: %v after %d bytes", name, err, read)
		}
		if read > 129<<20 || read < 1<<19 {
			t.Errorf("%s: refused after %d bytes", name, read)
		}
	}
}

// One that ends in time is read like a file; Parquet is not.
func TestPipe(t *testing.T) {
	text := "id,AAA\na,1\n"
	pipe := func(text string) fstest.MapFS {
		return fstest.MapFS{"p": {Data: []byte(text), Mode: fs.ModeNamedPipe}}
	}
	file, err := tabular.OpenTextFS(pipe(text), "p", "p.csv")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(file); err != nil || !bytes.Equal(got, []byte(text)) {
		t.Errorf("read as %q, %v", got, err)
	}
	if _, err := tabular.OpenTextFS(pipe("PAR1"), "p", "p.parquet"); err == nil || !strings.Contains(err.Error(), "is a pipe") {
		t.Errorf("Parquet: %v", err)
	}
}
