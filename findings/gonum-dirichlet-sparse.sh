#!/usr/bin/env bash
# gonum v0.17.0: distmv.Dirichlet returns NaN for sparse concentrations.
#
# With alpha = 1e-4 in each of 10 coordinates, a valid parameter that gives
# portfolios of one asset, about half of the draws are NaN in every coordinate:
# all gamma draws underflow to 0, and 0/0 is divided without a look. One would
# have guessed points near the corners of the simplex, which a draw of the
# gamma's logarithm gives.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distmv"
)

func main() {
	for _, a := range []float64{1, 1e-2, 1e-4} {
		alpha := make([]float64, 10)
		for i := range alpha {
			alpha[i] = a
		}
		d := distmv.NewDirichlet(alpha, rand.NewPCG(1, 2))
		bad := 0
		for range 1000 {
			if math.IsNaN(d.Rand(nil)[0]) {
				bad++
			}
		}
		fmt.Println(a, "NaN in", bad, "of 1000 draws")
	}
}
GO
go mod init finding >/dev/null 2>&1
go get gonum.org/v1/gonum/stat/distmv@v0.17.0 >/dev/null 2>&1
got=$(go run .)
printf '%s\n' "$got"
[[ $(sed -n 1p <<<"$got") == '1 NaN in 0 of 1000 draws' ]]
bad=$(sed -n 's/^0.0001 NaN in \([0-9]*\) .*/\1/p' <<<"$got")
((bad > 300))
