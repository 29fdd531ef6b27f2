#!/usr/bin/env bash
# vectorbt 1.2.0: the same target weights at the same prices give a return of 3 %, -12 % or
# something between, by the order of the table's columns.
#
# Portfolio.from_orders takes the orders of a row column by column. A purchase that comes
# before the sale which would pay for it is cut down to the cash there is, or left out, and
# the sale is made all the same: what should be invested in full holds cash until the next
# rebalancing. One would have guessed the weights that were asked for, as
# size_type="targetpercent" with cash_sharing=True reads; nothing is warned of, and an order
# that is filled in part is an order. call_seq="auto", sales first, gives one return in
# every order of the columns. What is compared by such backtests, when columns are sorted by
# name, is the alphabet.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check vectorbt==1.2.0 numpy==2.4.6 pandas==3.1.1 numba==0.68.1
got=$(env/bin/python - <<'PY'
import itertools
import warnings

import numpy as np
import pandas as pd
import vectorbt as vbt

warnings.simplefilter("error", UserWarning)
days = pd.date_range("2024-01-01", periods=60)
moves = np.random.default_rng(1).normal(0, 0.03, (60, 3))
close = pd.DataFrame(100 * np.cumprod(1 + moves, axis=0), index=days, columns=list("ABC"))
target = pd.DataFrame(np.nan, index=days, columns=close.columns)
target.iloc[0], target.iloc[20], target.iloc[40] = [0.2, 0.3, 0.5], [0.6, 0.3, 0.1], [0.1, 0.2, 0.7]

for order in itertools.permutations("ABC"):
    columns, told = list(order), []
    for sequence in ("default", "auto"):
        portfolio = vbt.Portfolio.from_orders(close[columns], target[columns], size_type="targetpercent",
                                              group_by=True, cash_sharing=True, call_seq=sequence, freq="D")
        weights = portfolio.asset_value(group_by=False).iloc[20] / portfolio.value().iloc[20]
        held = " ".join("%s %.2f" % (name, weights[name] + 0.0) for name in "ABC")
        told.append("%s: %s of .60 .30 .10, return %5.1f %%" % (sequence, held, 100 * portfolio.total_return()))
    print("".join(order), "; ".join(told))
PY
)
printf '%s\n' "$got"
[[ $got == 'ABC default: A 0.20 B 0.28 C 0.10 of .60 .30 .10, return -12.4 %; auto: A 0.60 B 0.30 C 0.10 of .60 .30 .10, return  -6.4 %
ACB default: A 0.20 B 0.30 C 0.10 of .60 .30 .10, return -11.2 %; auto: A 0.60 B 0.30 C 0.10 of .60 .30 .10, return  -6.4 %
BAC default: A 0.20 B 0.28 C 0.10 of .60 .30 .10, return -12.4 %; auto: A 0.60 B 0.30 C 0.10 of .60 .30 .10, return  -6.4 %
BCA default: A 0.60 B 0.28 C 0.10 of .60 .30 .10, return   2.0 %; auto: A 0.60 B 0.30 C 0.10 of .60 .30 .10, return  -6.4 %
CAB default: A 0.60 B 0.30 C 0.10 of .60 .30 .10, return   3.0 %; auto: A 0.60 B 0.30 C 0.10 of .60 .30 .10, return  -6.4 %
CBA default: A 0.60 B 0.30 C 0.10 of .60 .30 .10, return   3.0 %; auto: A 0.60 B 0.30 C 0.10 of .60 .30 .10, return  -6.4 %' ]]
