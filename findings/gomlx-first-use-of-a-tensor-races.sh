#!/usr/bin/env bash
# gomlx v0.28.2 with compute v0.1.2 (its pure Go backend): two goroutines that give
# one tensor to calls of one graph.Exec race, if the tensor has not been used before.
#
# Exec is documented for concurrent use, and a tensor has a mutex. But a tensor moves
# to the device at its first use, under that mutex, while the check that precedes it
# reads the same fields without it. One would have guessed that arguments which are
# only read may be shared. They may be, once Tensor.MaterializeOnDevice has put them
# where they are computed with: then the race detector is silent.
set -euo pipefail
[[ $(go env CGO_ENABLED) == 1 ]] || { echo "the race detector needs cgo"; exit 0; }
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat >main.go <<'GO'
package main

import (
	"os"
	"sync"

	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

func main() {
	backend, err := gobackend.New("")
	check(err)
	exec, err := graph.NewExec(backend, func(x *graph.Node) *graph.Node { return graph.AddScalar(x, 1) })
	check(err)
	for range 20 {
		x := tensors.FromFlatDataAndDimensions(make([]float32, 1000), 1000)
		if len(os.Args) > 1 {
			check(x.MaterializeOnDevice(backend, true, 0))
		}
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				_, err := exec.Call(x)
				check(err)
			})
		}
		wait.Wait()
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/gomlx/gomlx@v0.28.2 github.com/gomlx/compute@v0.1.2 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
# The backend makes pointers from addresses, which -race would refuse too.
go build -race -gcflags=github.com/gomlx/compute/...=-d=checkptr=0 -o main .
# races ARGUMENT...: whether the race detector saw something.
races() { ./main "$@" >log 2>&1 || true; if grep -q 'WARNING: DATA RACE' log; then echo yes; else echo no; fi; }
got="first use at once: $(races); put on the device before: $(races before)"
printf '%s\n' "$got"
[[ $got == 'first use at once: yes; put on the device before: no' ]]
