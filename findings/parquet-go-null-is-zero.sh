#!/usr/bin/env bash
# parquet-go v0.32.0 reading what pandas 3.1.1 and DuckDB 2.0.1 write: into a
# struct with a plain float64 field a null is 0, a DECIMAL is its unscaled
# integer, and a column that isn't in the file is 0. None is an error.
#
# One would have guessed an error for the decimal (or 1.5) and for the missing
# column, and an error or NaN for the null: pandas writes NaN, the sign of "not
# listed yet" in a table of prices, as null, so that a price of 0 comes out.
# A field of type *float64 tells null; decimals and names have to be looked up
# in the file's schema.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check pandas==3.1.1 pyarrow==26.0.1 duckdb==2.0.1
env/bin/python - <<'PY'
import duckdb, pandas

pandas.DataFrame({"close": [1.5, float("nan")]}).to_parquet("pandas.parquet")
duckdb.sql("copy (select 1.5 as close) to 'duckdb.parquet'")
PY
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/parquet-go/parquet-go"
)

func main() {
	type row struct {
		Close  float64 `parquet:"close"`
		Volume float64 `parquet:"volume"`
	}
	for _, file := range []string{"pandas.parquet", "duckdb.parquet"} {
		rows, err := parquet.ReadFile[row](file)
		fmt.Println(file, rows, err)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/parquet-go/parquet-go@v0.32.0 >/dev/null 2>&1
got=$(go run .)
printf '%s\n' "$got"
[[ $got == 'pandas.parquet [{1.5 0} {0 0}] <nil>
duckdb.parquet [{15 0}] <nil>' ]]
