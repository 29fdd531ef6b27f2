#!/usr/bin/env bash
# gonum v0.17.0: a distmv.Normal made by NewNormalChol, from a Cholesky factor instead
# of a covariance matrix, has a covariance matrix of zeros.
#
# The factor is kept, and Rand, LogProb and Entropy go by it and are right; the matrix
# is kept by NewNormal alone, and CovarianceMatrix copies what isn't there into a
# matrix of the right size. One would have guessed L L^T, which the factor gives by its
# ToSym, or a panic, as its conditional and marginal distributions have it. The
# constructor is for covariances whose factor is known (shrinkage, a decoder that puts
# out a factor); the risk of a portfolio under it, w^T S w, is 0, and each Sharpe
# ratio is infinite, without an error.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distmv"
)

func main() {
	mean := []float64{0.0004, 0.0006}
	covariance := mat.NewSymDense(2, []float64{4e-4, 1e-4, 1e-4, 9e-4})
	var factor mat.Cholesky
	factor.Factorize(covariance)
	byMatrix, _ := distmv.NewNormal(mean, covariance, nil)
	weights := mat.NewVecDense(2, []float64{0.5, 0.5})
	for i, n := range []*distmv.Normal{byMatrix, distmv.NewNormalChol(mean, &factor, nil)} {
		var c mat.SymDense
		n.CovarianceMatrix(&c)
		fmt.Printf("%s: log-density %.3f, entropy %.3f, variances %.4f %.4f, volatility of a portfolio %.4f\n",
			[]string{"NewNormal", "NewNormalChol"}[i], n.LogProb(mean), n.Entropy(), c.At(0, 0), c.At(1, 1),
			math.Sqrt(mat.Inner(weights, &c, weights)))
	}
}
GO
go mod init finding >/dev/null 2>&1
go get gonum.org/v1/gonum/stat/distmv@v0.17.0 >/dev/null 2>&1
got=$(go run .)
printf '%s\n' "$got"
[[ $got == 'NewNormal: log-density 5.595, entropy -4.595, variances 0.0004 0.0009, volatility of a portfolio 0.0194
NewNormalChol: log-density 5.595, entropy -4.595, variances 0.0000 0.0000, volatility of a portfolio 0.0000' ]]
