#!/usr/bin/env bash
# parquet-go v0.32.0 reading LZ4_RAW, as pyarrow 26.0.1 and polars 2.1.0 write with
# compression="lz4": a column of numbers that repeat is read, one of 2,000 random
# numbers, which LZ4 can't make smaller, fails with "decoding level expected 2000
# values but got only 0" or "unexpected EOF". pyarrow reads both.
#
# One would have guessed that the codec matters and the numbers don't: prices with
# few digits pass a test, and the first column of full-precision returns fails.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check pyarrow==26.0.1
env/bin/python - <<'PY'
import random

import pyarrow
import pyarrow.parquet

random.seed(1)
for name, numbers in ("steps", [float(i % 7) for i in range(2000)]), ("random", [random.random() for i in range(2000)]):
    table = pyarrow.table({"close": numbers})
    pyarrow.parquet.write_table(table, name + ".parquet", compression="lz4")
    assert pyarrow.parquet.read_table(name + ".parquet").equals(table)
PY
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/parquet-go/parquet-go"
)

func main() {
	type row struct {
		Close float64 `parquet:"close"`
	}
	for _, file := range []string{"steps.parquet", "random.parquet"} {
		rows, err := parquet.ReadFile[row](file)
		fmt.Println(file, len(rows), err != nil)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/parquet-go/parquet-go@v0.32.0 >/dev/null 2>&1
got=$(go run .)
printf '%s\n' "$got"
[[ $got == 'steps.parquet 2000 false
random.parquet 0 true' ]]
