//go:build !cgo || noxla

package vae

import (
	"errors"

	"github.com/gomlx/compute"
)

// errNoXLA says why this binary can't run XLA.
var errNoXLA = errors.New("this binary was built without XLA: " +
	"build it with cgo (CGO_ENABLED=1, a C compiler) and without the tag noxla")

func loadXLA(string) (compute.Backend, error) { return nil, errNoXLA }
