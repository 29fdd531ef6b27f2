#!/usr/bin/env bash
# gonum v0.17.0: stat.Kendall counts pairs that are equal as concordant or discordant, so
# that it depends on the order of the rows, and a constant is correlated with all.
#
# It compares the sign bits of two differences, and that of 0 is a plus: where one is
# tied, the pair is concordant if the other number rises along the file, and where both
# are tied, always. The text names Tau-a, which counts ties as neither: one would have
# guessed that, or tau-b, as scipy 1.17.1 has it (-.45 for the weights below, NaN beside
# a constant), and in any case the same number for the same rows turned round. Weights
# of 0 are ties: two assets that are never held together have -.16 or -.24 by the order,
# where Tau-a is -.27. A halted or pegged price has a tau of 1 with one that rises, and of
# -1 with one that falls, so that a tree of assets by rank correlation joins them.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/stat"
)

func main() {
	oak := []float64{0, 0, 0.25, 0, 0.10, 0, 0, 0.40, 0, 0.20}
	elm := []float64{0.30, 0, 0, 0.15, 0, 0, 0.25, 0, 0, 0}
	var tauA float64
	for i := range oak {
		for j := range i {
			if d := (oak[i] - oak[j]) * (elm[i] - elm[j]); d > 0 {
				tauA++
			} else if d < 0 {
				tauA--
			}
		}
	}
	fmt.Printf("weights: %.3f, ", stat.Kendall(oak, elm, nil))
	slices.Reverse(oak)
	slices.Reverse(elm)
	fmt.Printf("from the last row to the first: %.3f, Tau-a: %.3f\n", stat.Kendall(oak, elm, nil), tauA/45)
	pegged, rising, falling := []float64{1, 1, 1, 1}, []float64{5, 6, 7, 8}, []float64{8, 7, 6, 5}
	fmt.Printf("pegged and rising: %.0f, pegged and falling: %.0f\n",
		stat.Kendall(pegged, rising, nil), stat.Kendall(pegged, falling, nil))
}
GO
go mod init finding >/dev/null 2>&1
go get gonum.org/v1/gonum/stat@v0.17.0 >/dev/null 2>&1
got=$(go run .)
printf '%s\n' "$got"
[[ $got == 'weights: -0.244, from the last row to the first: -0.156, Tau-a: -0.267
pegged and rising: 1, pegged and falling: -1' ]]
