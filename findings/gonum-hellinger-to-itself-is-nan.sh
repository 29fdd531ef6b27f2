#!/usr/bin/env bash
# gonum v0.17.0: stat.Hellinger of a portfolio and itself is NaN, 0 or 1e-8, by how its
# weights round.
#
# It is the root of one less the sum of the roots of products, and where the weights, added
# in float64, have a sum of 1.0000000000000002, that is the root of a negative number. One
# would have guessed 0: the text asks for sums of 1, and so do equal weights of 9, 11, 18,
# 20, 25, 50 or 100 assets, all of them NaN, as are 39 of the 99 numbers of assets up to
# 100; 49 others are 1e-8 and more. The form without the subtraction, the root of half the
# sum of squares of differences of roots, is 0 for all. A portfolio that is held from one
# day to the next is what a table of daily distances has most of: its mean is NaN, and a
# comparison with a threshold (distance > 0.05) is false without an error.
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
	nan, zero, small := 0, 0, 0
	for assets := 2; assets <= 100; assets++ {
		weights := make([]float64, assets)
		for i := range weights {
			weights[i] = 1 / float64(assets)
		}
		switch distance := stat.Hellinger(weights, weights); {
		case math.IsNaN(distance):
			nan++
		case distance == 0:
			zero++
		default:
			small++
		}
		if assets == 9 || assets == 10 || assets == 16 || assets == 20 {
			fmt.Printf("%d assets: %.0e\n", assets, stat.Hellinger(weights, weights))
		}
	}
	fmt.Println("equal weights of 2 to 100 assets: NaN", nan, "zero", zero, "small", small)
}
GO
go mod init finding >/dev/null 2>&1
go get gonum.org/v1/gonum/stat@v0.17.0 >/dev/null 2>&1
got=$(go run .)
printf '%s\n' "$got"
[[ $got == '9 assets: NaN
10 assets: 1e-08
16 assets: 0e+00
20 assets: NaN
equal weights of 2 to 100 assets: NaN 39 zero 11 small 49' ]]
