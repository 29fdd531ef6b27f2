#!/usr/bin/env bash
# skfolio 1.12.2: of four assets alike, of which one was delisted three fifths through the
# history, the delisted one gets 38 % of the portfolio of least variance, and 91 % where
# 205 days are fitted of which it traded on the first five.
#
# prices_to_returns carries the last price forward, by its default fill_nan=True, into a
# return of 0 for each day to the end. One would have guessed NaN behind the last price, as
# pandas' pct_change of the same table has it, or a word about it. Nothing is warned of until
# the whole window is zeros, which is refused: a portfolio that is fitted again each month
# moves into what can't be bought any more. fill_nan=False leaves out the 200 days after the
# delisting for all assets, by drop_inceptions_nan, which is said to drop "observations at the
# beginning"; with both False the NaN stay.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check skfolio==1.12.2 numpy==2.4.6 pandas==3.1.1 scikit-learn==1.9.1
got=$(env/bin/python - <<'PY'
import warnings

import numpy as np
import pandas as pd
from skfolio.optimization import MeanRisk
from skfolio.preprocessing import prices_to_returns

warnings.simplefilter("error")
days = pd.date_range("2024-01-01", periods=500)
moves = np.random.default_rng(1).normal(0, 0.02, (500, 4))
prices = pd.DataFrame(100 * np.cumprod(1 + moves, axis=0), index=days, columns=["A", "B", "GONE", "D"])
prices.loc[days[300:], "GONE"] = np.nan

returns = prices_to_returns(prices)
print("returns of 0:", int((returns["GONE"] == 0).sum()), "of", len(returns))
print("pandas has NaN there:", int(prices.pct_change(fill_method=None)["GONE"].iloc[1:].isna().sum()))
for name, rows in ("all days", returns), ("the last 205", returns.iloc[-205:]):
    weights = MeanRisk().fit(rows).weights_
    print("least variance of", name + ":", " ".join("%s %.2f" % pair for pair in zip(returns.columns, weights)))
for settings in {"fill_nan": False}, {"fill_nan": False, "drop_inceptions_nan": False}:
    kept = prices_to_returns(prices, **settings)
    print(*settings, "False:", len(kept), "days,", int(kept["GONE"].isna().sum()), "NaN")
PY
)
printf '%s\n' "$got"
[[ $got == 'returns of 0: 200 of 499
pandas has NaN there: 200
least variance of all days: A 0.22 B 0.19 GONE 0.38 D 0.21
least variance of the last 205: A 0.02 B 0.04 GONE 0.91 D 0.03
fill_nan False: 299 days, 0 NaN
fill_nan drop_inceptions_nan False: 499 days, 200 NaN' ]]
