#!/usr/bin/env bash
# go-talib v0.0.0-20250114000313-ec55a20c902f (a port of TA-Lib to Go): Correl of
# a series of small returns with itself is 0, and averages begin with zeros.
#
# Correl gives 0 where a product of two sums of squares is below 1e-14. A window
# of 30 returns of 0.005 % is there (exchange rates and stablecoins by the
# minute), and so is any pair whose deviations multiply to less than 3e-9. One
# would have guessed 1, as TA-Lib 0.8.2 in Python and the same numbers times 100
# give; a matrix of such correlations says that nothing hangs together. And one
# would have guessed NaN, which Python's TA-Lib writes, where the window isn't
# full yet: the 0 of Sma is taken for a mean, far below any price.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"
	"math/rand/v2"

	talib "github.com/markcheno/go-talib"
)

func main() {
	r := rand.New(rand.NewPCG(1, 2))
	small, large := make([]float64, 60), make([]float64, 60)
	for i := range small {
		small[i] = 5e-5 * r.NormFloat64()
		large[i] = 100 * small[i]
	}
	fmt.Printf("correlation with itself: %.3f, times 100: %.3f\n", talib.Correl(small, small, 30)[59],
		talib.Correl(large, large, 30)[59])
	fmt.Println(talib.Sma([]float64{101, 102, 103, 104, 105}, 3))
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/markcheno/go-talib@v0.0.0-20250114000313-ec55a20c902f >/dev/null 2>&1
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check TA-Lib==0.8.2 numpy==2.3.5
got=$(go run . && env/bin/python - <<'PY'
import numpy as np
import talib

small = 5e-5 * np.random.default_rng(1).normal(size=60)
print("TA-Lib: %.3f" % talib.CORREL(small, small, 30)[-1])
print(talib.SMA(np.array([101.0, 102, 103, 104, 105]), 3))
PY
)
printf '%s\n' "$got"
[[ $got == 'correlation with itself: 0.000, times 100: 1.000
[0 0 102 103 104]
TA-Lib: 1.000
[ nan  nan 102. 103. 104.]' ]]
