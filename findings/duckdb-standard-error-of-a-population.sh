#!/usr/bin/env bash
# DuckDB 2.0.1: sem(x), the standard error of the mean, divides the deviation of the
# population by the root of the number, so that it is too small: by 13 % for four
# numbers, by 5 % for ten, and 0 for one.
#
# One would have guessed stddev(x) / sqrt(count(x)) of the same database, whose
# stddev is the sample's, and what pandas 3.1.1 and scipy 1.17.1 call sem: with one
# number there is none (NULL, NaN). A table of strategies with their mean monthly
# return and its error, by year, has intervals that are too narrow, and a year with
# one month is certain.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check duckdb==2.0.1 pandas==3.1.1 scipy==1.17.1 numpy==2.4.6
got=$(env/bin/python - 2>/dev/null <<'PY'
import duckdb
import pandas as pd
import scipy.stats

returns = [0.02, -0.01, 0.03, 0.01, -0.02, 0.04, 0.00, -0.03, 0.02, 0.01]
for n in 10, 4, 1:
    x = pd.DataFrame({"r": returns[:n]})
    sem, by_hand = duckdb.sql("select sem(r), stddev(r) / sqrt(count(r)) from x").fetchall()[0]
    print(n, "sem %.5f," % sem, "stddev by root" if by_hand is None else "stddev by root %.5f," % by_hand,
          "NULL," if by_hand is None else "", "pandas %.5f, scipy %.5f" % (x.r.sem(), scipy.stats.sem(x.r)))
PY
)
printf '%s\n' "$got"
[[ $got == '10 sem 0.00664, stddev by root 0.00700,  pandas 0.00700, scipy 0.00700
4 sem 0.00740, stddev by root 0.00854,  pandas 0.00854, scipy 0.00854
1 sem 0.00000, stddev by root NULL, pandas nan, scipy nan' ]]
