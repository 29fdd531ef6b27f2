#!/usr/bin/env bash
# npyio v0.6.0 (Go): an array that came out of pandas 3.1.1 is read into a []float64 asset
# by asset, and one that came out of numpy 2.4.6 row by row.
#
# DataFrame.to_numpy gives the columns as they lie in memory, numpy.save keeps that and
# notes fortran_order, and npyio undoes it for a *mat.Dense, as it says, but not for a
# slice. One would have guessed the order of the array's rows in both, or a refusal: the
# header has the same shape, and the same numbers in another order pass every check. Cut
# into days by the shape, the first day has two prices of the first asset and one of the
# second, and the returns are -79 to -99 %; a test whose array was typed in numpy passes.
# The header's Descr.Fortran tells them apart; so does gonpy's ColumnMajor.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check pandas==3.1.1 numpy==2.4.6
env/bin/python - <<'PY'
import io

import numpy as np
import pandas as pd

table = pd.read_csv(io.StringIO("OAK,ELM,ASH\n100,20,1\n101,21,1.1\n"), dtype=float)
typed = np.array([[100, 20, 1], [101, 21, 1.1]])
assert (table.to_numpy() == typed).all()
np.save("pandas.npy", table.to_numpy())
np.save("numpy.npy", typed)
PY
cat >main.go <<'GO'
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/sbinet/npyio"
	"gonum.org/v1/gonum/mat"
)

func read(name string, into any) {
	f, err := os.Open(name)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	if err := npyio.Read(f, into); err != nil {
		log.Fatal(err)
	}
}

func main() {
	for _, name := range []string{"numpy.npy", "pandas.npy"} {
		var prices []float64
		var matrix mat.Dense
		read(name, &prices)
		read(name, &matrix)
		fmt.Printf("%-10s slice %v, rows of the matrix %v %v\n", name, prices, matrix.RawRowView(0), matrix.RawRowView(1))
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/sbinet/npyio@v0.6.0 gonum.org/v1/gonum/mat@v0.17.0 >/dev/null 2>&1
got=$(go run .)
printf '%s\n' "$got"
[[ $got == 'numpy.npy  slice [100 20 1 101 21 1.1], rows of the matrix [100 20 1] [101 21 1.1]
pandas.npy slice [100 101 20 21 1 1.1], rows of the matrix [100 20 1] [101 21 1.1]' ]]
