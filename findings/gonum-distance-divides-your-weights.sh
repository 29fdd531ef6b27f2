#!/usr/bin/env bash
# gonum v0.17.0: stat.WassersteinDistance and WassersteinDistanceND divide the weights that
# they are given by their sum, in the caller's own slice.
#
# The other functions of the package read their arguments, but for those named Sort, and
# the text says nothing: one would have guessed a copy, as the values are copied there for
# sorting. Weights that count (days, trades, copies of a portfolio) are frequencies after a
# first distance, and Variance, whose divisor is their sum less 1, is infinite then, or of
# any size and sign where the sum is rounded: the column beside the distance in a table
# goes by which of the two was computed first. slices.Clone before the call helps.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
)

func main() {
	returns, model := []float64{-0.02, 0, 0.01, 0.03}, []float64{-0.01, 0, 0.01, 0.02}
	days := []float64{3, 10, 12, 5}
	percent := func() float64 { return 100 * math.Sqrt(stat.Variance(returns, days)) }
	fmt.Printf("days %v, deviation %.2f %%\n", days, percent())
	fmt.Printf("distance %.4f\n", stat.WassersteinDistance(returns, model, days, nil))
	fmt.Printf("days %.3f, deviation %.2f %%\n", days, percent())
}
GO
go mod init finding >/dev/null 2>&1
go get gonum.org/v1/gonum/stat@v0.17.0 >/dev/null 2>&1
got=$(go run .)
printf '%s\n' "$got"
[[ $got == 'days [3 10 12 5], deviation 1.37 %
distance 0.0057
days [0.100 0.333 0.400 0.167], deviation +Inf %' ]]
