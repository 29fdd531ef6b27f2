#!/usr/bin/env bash
# quantstats 0.0.86: prices that stay below 1 are taken for returns.
#
# Its functions take prices or returns, and tell them apart by whether the
# largest number is above 1. A coin that goes from 0.44 to 0.22 and back to 0.50
# is a series of gains of 44 %, 22 %, 50 %: no drawdown, and a worst day of 22 %.
# One would have guessed the answers of the same prices in cents, which are -50 %
# and -50 %. Many coins cost less than 1, and a table of them beside dearer ones
# is read by both rules at once.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check quantstats==0.0.86 pandas==3.1.1 numpy==2.3.5
got=$(env/bin/python - 2>/dev/null <<'PY'
import pandas as pd
import quantstats as qs

prices = pd.Series([0.40, 0.44, 0.22, 0.33, 0.50], index=pd.date_range("2024-01-01", periods=5))
for name, p in ("in dollars", prices), ("in cents  ", prices * 100):
    print("%s largest drawdown %.0f %%, worst day %.0f %%" % (
        name, 100 * qs.stats.max_drawdown(p), 100 * qs.stats.worst(p)))
PY
)
printf '%s\n' "$got"
[[ $got == 'in dollars largest drawdown 0 %, worst day 22 %
in cents   largest drawdown -50 %, worst day -50 %' ]]
