#!/usr/bin/env bash
# gonum v0.17.0: the Survival of distuv.Normal, LogNormal, Logistic and F is 0 or a
# rounding in the tail, where that of the other distributions is right.
#
# It is 1 - CDF there, of which nothing is left from 1e-16 on: a normal statistic of
# 9 has a p-value of 0, and an F of 50 with (3, 100) degrees one of 1.1e-16, 1,400
# times too much. One would have guessed what a function of its own is for, and what
# StudentsT, ChiSquared, Gamma and Beta give: CDF(-9) is 1.1e-19, as in scipy. Whoever
# corrects p-values for many trials, or takes their logarithm, needs the tail.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"

	"gonum.org/v1/gonum/stat/distuv"
)

func main() {
	normal := distuv.UnitNormal
	fmt.Printf("normal beyond 9: %.2g, below -9: %.2g\n", normal.Survival(9), normal.CDF(-9))
	logistic := distuv.Logistic{S: 1}
	fmt.Printf("logistic beyond 50: %.2g, below -50: %.2g\n", logistic.Survival(50), logistic.CDF(-50))
	f, inverse := distuv.F{D1: 3, D2: 100}, distuv.F{D1: 100, D2: 3}
	fmt.Printf("F beyond 50: %.2g, its inverse below 1/50: %.2g\n", f.Survival(50), inverse.CDF(1.0/50))
	student, square := distuv.StudentsT{Sigma: 1, Nu: 200}, distuv.ChiSquared{K: 5}
	fmt.Printf("Student beyond 12: %.2g, chi squared beyond 100: %.2g\n", student.Survival(12), square.Survival(100))
}
GO
go mod init finding >/dev/null 2>&1
go get gonum.org/v1/gonum/stat/distuv@v0.17.0 >/dev/null 2>&1
got=$(go run .)
printf '%s\n' "$got"
[[ $got == 'normal beyond 9: 0, below -9: 1.1e-19
logistic beyond 50: 0, below -50: 1.9e-22
F beyond 50: 1.1e-16, its inverse below 1/50: 7.9e-20
Student beyond 12: 1.2e-25, chi squared beyond 100: 5.3e-20' ]]
