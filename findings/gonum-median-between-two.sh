#!/usr/bin/env bash
# gonum v0.17.0: stat.Quantile(0.5, stat.LinInterp, x, nil) is not the median.
#
# LinInterp interpolates the empirical distribution function (type 4 of Hyndman
# and Fan 1996), which puts the median of {1, 2} at 1 and the median of
# {1, 2, 3, 4} at 2. One would have guessed 1.5 and 2.5, as numpy, R, Excel and
# every textbook have it (type 7, or the mean of the two middle values). Whoever
# takes a median or a VaR from it gets a value that is biased downwards by half
# a step, without an error.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"

	"gonum.org/v1/gonum/stat"
)

func main() {
	for _, x := range [][]float64{{1, 2}, {1, 2, 3, 4}, {1, 2, 3}} {
		fmt.Println(x, stat.Quantile(0.5, stat.LinInterp, x, nil))
	}
}
GO
go mod init finding >/dev/null 2>&1
go get gonum.org/v1/gonum@v0.17.0 >/dev/null 2>&1
got=$(go run .)
printf '%s\n' "$got"
[[ $got == '[1 2] 1
[1 2 3 4] 2
[1 2 3] 1.5' ]]
