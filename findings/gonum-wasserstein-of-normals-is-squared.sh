#!/usr/bin/env bash
# gonum v0.17.0: distmv.Wasserstein{}.DistNormal returns the square of the distance.
#
# The type's text defines W as a root, and the method is said to return the distance,
# above a formula for d^2. One would have guessed d, which is a metric: two normal
# distributions with means 5 apart and one covariance are 5 apart, and not 25, and
# Hellinger, in the same file, takes its root. The square breaks the triangle inequality,
# has other units than the data, and makes near things nearer: means of daily returns
# that differ by .002, a fifth of their deviation, are said to be .000004 apart, and a
# generator that is ten times as far off as another looks a hundred times as bad.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distmv"
)

func main() {
	normal := func(x, y, variance float64) *distmv.Normal {
		n, _ := distmv.NewNormal([]float64{x, y}, mat.NewSymDense(2, []float64{variance, 0, 0, variance}), nil)
		return n
	}
	var w distmv.Wasserstein
	origin, middle, end := normal(0, 0, 1), normal(1.5, 2, 1), normal(3, 4, 1)
	fmt.Printf("from end to end %.4f, by way of the middle %.4f\n",
		w.DistNormal(origin, end), w.DistNormal(origin, middle)+w.DistNormal(middle, end))
	fmt.Printf("deviations of 1 and 3, two assets: %.4f\n", w.DistNormal(origin, normal(0, 0, 9)))
	fmt.Printf("daily returns: %.6f\n", w.DistNormal(normal(0, 0, 1e-4), normal(0.002, 0, 1e-4)))
}
GO
go mod init finding >/dev/null 2>&1
go get gonum.org/v1/gonum/stat/distmv@v0.17.0 >/dev/null 2>&1
got=$(go run .)
printf '%s\n' "$got"
[[ $got == 'from end to end 25.0000, by way of the middle 12.5000
deviations of 1 and 3, two assets: 8.0000
daily returns: 0.000004' ]]
