#!/usr/bin/env bash
# gonum v0.17.0 on linux/amd64: floats.Sum of the same numbers depends on where
# in memory they lie.
#
# Its assembly adds numbers one by one up to an address that is a multiple of 16
# and goes on in lanes from there, so that a slice which begins 8 bytes later
# is summed in other groups and ends in other last bits. One would have guessed
# a pure function of the values. Whoever promises equal bytes for equal runs
# sums in a plain loop: the two sums below differ, the two loops don't.
set -euo pipefail
[[ $(go env GOARCH) == amd64 ]] || { echo "this is about amd64's assembly"; exit 0; }
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
)

func loop(x []float64) (sum float64) {
	for _, v := range x {
		sum += v
	}
	return sum
}

func main() {
	r := rand.New(rand.NewPCG(1, 2))
	sums, loops := 0, 0
	for range 100 {
		here := make([]float64, 1001)
		for i := range here[:1000] {
			here[i] = r.NormFloat64()
		}
		there := make([]float64, 1001)
		copy(there[1:], here[:1000])
		if floats.Sum(here[:1000]) != floats.Sum(there[1:]) {
			sums++
		}
		if loop(here[:1000]) != loop(there[1:]) {
			loops++
		}
	}
	fmt.Println("sums that differ:", sums > 50, "loops that differ:", loops)
}
GO
go mod init finding >/dev/null 2>&1
go get gonum.org/v1/gonum/floats@v0.17.0 >/dev/null 2>&1
got=$(go run .)
printf '%s\n' "$got"
[[ $got == 'sums that differ: true loops that differ: 0' ]]
