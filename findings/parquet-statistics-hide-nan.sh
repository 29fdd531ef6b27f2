#!/usr/bin/env bash
# pyarrow 26.0.1 and DuckDB 2.0.1: a row of NaN in a Parquet file that pyarrow
# wrote is found or not by what else stands in its row group.
#
# The statistics of a column leave NaN out: [1, NaN] has a minimum and a maximum
# of 1. A reader that skips row groups by them concludes that all values are 1, and
# pyarrow.dataset finds no row with is_nan(close), or close != 1, or
# not close <= 1, where the same table in memory has one. DuckDB, for which NaN is
# above all numbers, counts no close > 100 and has 1 as the maximum, where the table
# has NaN. One would have guessed equal answers of a table and its file. With
# [1, 2, NaN] pyarrow finds the NaN again: a halted asset's flat price hides it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check pyarrow==26.0.1 duckdb==2.0.1 numpy==2.3.5
got=$(env/bin/python - <<'PY'
import duckdb
import pyarrow
import pyarrow.compute as pc
import pyarrow.dataset
import pyarrow.parquet

nan, close = float("nan"), pc.field("close")
for values in [1.0, nan], [1.0, 2.0, nan]:
    closes = pyarrow.table({"close": values})
    pyarrow.parquet.write_table(closes, "close.parquet")
    print(values)
    for name, source in ("table", closes), ("file ", "close.parquet"):
        dataset = pyarrow.dataset.dataset(source)
        rows = [dataset.to_table(filter=f).num_rows for f in (pc.is_nan(close), close != 1.0, ~(close <= 1.0))]
        where = "closes" if source is closes else "'close.parquet'"
        above = duckdb.sql(f"select count(*) from {where} where close > 100").fetchall()[0][0]
        largest = duckdb.sql(f"select max(close) from {where}").fetchall()[0][0]
        print(" ", name, "is_nan, != 1, not <= 1:", rows, "DuckDB > 100:", above, "maximum:", largest)
PY
)
printf '%s\n' "$got"
[[ $got == '[1.0, nan]
  table is_nan, != 1, not <= 1: [1, 1, 1] DuckDB > 100: 1 maximum: nan
  file  is_nan, != 1, not <= 1: [0, 0, 0] DuckDB > 100: 0 maximum: 1.0
[1.0, 2.0, nan]
  table is_nan, != 1, not <= 1: [1, 2, 2] DuckDB > 100: 1 maximum: nan
  file  is_nan, != 1, not <= 1: [1, 2, 2] DuckDB > 100: 0 maximum: 2.0' ]]
