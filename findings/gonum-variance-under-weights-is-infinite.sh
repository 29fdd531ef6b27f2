#!/usr/bin/env bash
# gonum v0.17.0: stat.Variance and stat.CovarianceMatrix under weights that sum to
# 1 are infinite, and under weights that sum to less, negative.
#
# Weights are counts there, and the divisor is their sum less 1. One would have
# guessed that their scale doesn't matter, as for stat.Mean, and for numpy.cov with
# aweights: exponentially weighted returns, scenarios with probabilities and
# draws with importance come with weights that sum to 1. stat.StdDev of weights that
# sum to 0.9 is NaN, and ten weights of 0.1, whose sum is rounded, give a variance
# of -7.4e16. stat.PopVariance doesn't mind the scale. The text of
# Variance names the divisor, and tells to use a biased estimator then; that of
# CovarianceMatrix doesn't. Nothing is refused.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

func main() {
	x := []float64{1, 2, 3, 4}
	fmt.Println("without weights", stat.Variance(x, nil))
	for _, w := range []float64{1, 0.5, 0.25, 0.225} {
		weights := []float64{w, w, w, w}
		var covariance mat.SymDense
		stat.CovarianceMatrix(&covariance, mat.NewDense(4, 1, x), weights)
		fmt.Printf("weights of %g: mean %.3f, variance %.3f, covariance %.3f, deviation %.3f, PopVariance %.3f\n", w,
			stat.Mean(x, weights), stat.Variance(x, weights), covariance.At(0, 0), stat.StdDev(x, weights),
			stat.PopVariance(x, weights))
	}
	ten, tenth := make([]float64, 10), make([]float64, 10)
	for i := range ten {
		ten[i], tenth[i] = float64(i), 0.1
	}
	fmt.Printf("ten weights of 0.1: variance %.1e\n", stat.Variance(ten, tenth))
}
GO
go mod init finding >/dev/null 2>&1
go get gonum.org/v1/gonum/stat@v0.17.0 >/dev/null 2>&1
got=$(go run .)
printf '%s\n' "$got"
[[ $got == 'without weights 1.6666666666666667
weights of 1: mean 2.500, variance 1.667, covariance 1.667, deviation 1.291, PopVariance 1.250
weights of 0.5: mean 2.500, variance 2.500, covariance 2.500, deviation 1.581, PopVariance 1.250
weights of 0.25: mean 2.500, variance +Inf, covariance +Inf, deviation +Inf, PopVariance 1.250
weights of 0.225: mean 2.500, variance -11.250, covariance -11.250, deviation NaN, PopVariance 1.250
ten weights of 0.1: variance -7.4e+16' ]]
