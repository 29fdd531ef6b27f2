package vae

import (
	"errors"
	"fmt"
	"strings"
)

// guard runs f, which calls GoMLX, and returns its error or what it panics
// with, as graph functions do on errors, as an error of one line.
func guard(f func() error) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case error:
			err = r
		default:
			err = fmt.Errorf("%v", r)
		}
		if err != nil {
			err = errors.New(firstLine(err.Error()))
		}
	}()
	return f()
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
