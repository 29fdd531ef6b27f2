#!/usr/bin/env bash
# DuckDB 2.0.1 and polars 2.1.0 reading closes of an asset that was listed later
# than the rows they look at: the column is text, and its largest close is 99.9,
# although it ended at 101.5.
#
# DuckDB looks at 20,480 rows, two weeks of minutes, and polars at 100. One would
# have guessed an error when the numbers come, or that they are numbers, as for
# pyarrow 26.0.1 and for an asset that is listed early enough. As text they are
# compared letter by letter: the largest and the order are wrong without a word.
# sample_size=-1 and infer_schema_length=None look at all rows.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check duckdb==2.0.1 polars==2.1.0 pyarrow==26.0.1
got=$(env/bin/python - <<'PY'
import duckdb
import polars
import pyarrow.compute
import pyarrow.csv

for empty in 99, 100, 20_000, 20_500:
    with open("closes.csv", "w") as f:
        print("minute,OAK,NEW", file=f)
        for i in range(empty + 31):
            print(f"{i},185.5,{98.5 + 0.1 * (i - empty):.1f}" if i >= empty else f"{i},185.5,", file=f)
    kind, largest = duckdb.sql("select any_value(typeof(NEW)), max(NEW) from 'closes.csv'").fetchall()[0]
    p = polars.read_csv("closes.csv")["NEW"]
    a = pyarrow.csv.read_csv("closes.csv")["NEW"]
    print(empty, "empty: DuckDB", kind, largest, "polars", p.dtype, p.max(), "pyarrow", a.type, pyarrow.compute.max(a))
PY
)
printf '%s\n' "$got"
[[ $got == '99 empty: DuckDB DOUBLE 101.5 polars Float64 101.5 pyarrow double 101.5
100 empty: DuckDB DOUBLE 101.5 polars String 99.9 pyarrow double 101.5
20000 empty: DuckDB DOUBLE 101.5 polars String 99.9 pyarrow double 101.5
20500 empty: DuckDB VARCHAR 99.9 polars String 99.9 pyarrow double 101.5' ]]
