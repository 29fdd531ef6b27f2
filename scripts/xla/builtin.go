package main

import "errors"

var errNotBuiltIn = errors.New(
	"this program is built without XLA and could not open a plugin: build it with cgo (CGO_ENABLED=1, a C compiler) " +
		"and without the tag noxla")
