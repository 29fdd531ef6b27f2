package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"vaefolio/vaelib/tabular"
)

// plainly is the text of an error with a remedy in place of what the system and Go's
// packages say of files, JSON and numbers.
func plainly(err error) string {
	said := err.Error()
	for _, cause := range causes(err) {
		words := wordsOf(cause)
		if words == "" {
			continue
		}
		said = strings.Replace(said, cause.Error(), words, 1)
		if path := new(fs.PathError); errors.As(cause, &path) { // whose place was said before, often
			twice := path.Path + ": " + path.Path + ": "
			said = strings.Replace(said, twice, path.Path+": ", 1)
		}
	}
	said = strings.ReplaceAll(said, "json: unknown field", "unknown field")
	if letters := []rune(said); len(letters) > longestSaid {
		said = string(letters[:longestSaid]) + "..."
	}
	return said
}

// longestSaid bounds the line of an error, which may quote what a file holds.
const longestSaid = 1000

// causes are the errors in err, outer ones first.
func causes(err error) []error {
	all := []error{err}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			all = append(all, causes(inner)...)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			all = append(all, causes(inner)...)
		}
	}
	return all
}

// wordsOf are ours for an error of Go's packages; "" of any other.
func wordsOf(err error) string {
	switch e := err.(type) {
	case *fs.PathError:
		if reason := reasonOf(e.Err, e.Path, writes(e.Op)); reason != "" {
			return e.Path + ": " + reason
		}
	case *os.LinkError:
		if reason := reasonOf(e.Err, e.New, true); reason != "" {
			return e.New + ": " + reason
		}
	case syscall.Errno:
		return reasonOf(e, "", false)
	case *json.SyntaxError:
		return fmt.Sprintf("no sound JSON (byte %d): it was cut short or altered", e.Offset)
	case *json.UnmarshalTypeError:
		what := "there is"
		if e.Field != "" {
			what = strconv.Quote(e.Field) + " is"
		}
		return fmt.Sprintf("%s a %s, which can't stand there: it was altered, or another program wrote it",
			what, e.Value)
	case *strconv.NumError:
		return strconv.Quote(e.Num) + " is no such number"
	}
	if err == io.ErrUnexpectedEOF {
		return "it ends too early: it was cut short"
	}
	return ""
}

func writes(op string) bool { return op != "open" && op != "stat" && op != "lstat" && op != "read" }

// reasonOf says what the system has against a path, and what helps.
func reasonOf(err error, path string, writing bool) string {
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		return "a part of the path is a file: give a folder"
	case errors.Is(err, fs.ErrNotExist):
		return "no such file or folder" + neighbour(path)
	case errors.Is(err, syscall.EISDIR):
		return "is a folder: give a file"
	case errors.Is(err, syscall.ELOOP):
		return "its links lead in a circle: give the file itself"
	case errors.Is(err, syscall.ENAMETOOLONG):
		return "the name is too long: give a shorter one"
	case errors.Is(err, syscall.ENOSPC):
		return "no space left on the disk: free some, and give the same command again"
	case errors.Is(err, syscall.EROFS):
		return "nothing can be written to this disk (read-only file system): choose another folder"
	case errors.Is(err, fs.ErrPermission) && writing:
		return "you may not write there (permission denied): choose another folder"
	case errors.Is(err, fs.ErrPermission):
		return "you may not go there (permission denied): ask its owner, or choose another"
	}
	return ""
}

// neighbour asks whether a missing path was mistyped.
func neighbour(path string) string {
	if path == "" {
		return ""
	}
	if no := tabular.NoPath(path); no != "" {
		return no
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return suggest(filepath.Base(path), names)
}
