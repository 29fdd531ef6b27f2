#!/usr/bin/env bash
# empyrical-reloaded 0.7.1: annual_return of an asset that was listed a year ago, in a
# table of returns of three years, is 26 % where the price has doubled in that year.
#
# The growth is that of the returns that are there, but the years are the rows divided
# by 252, with the rows of NaN among them. One would have guessed the 100 % that the
# same returns have without the NaN: annual_volatility, sharpe_ratio, max_drawdown and
# cum_returns_final of the same column pass them over, and so does
# conditional_value_at_risk, which says so. calmar_ratio, which divides the one by the
# other, is worse the later an asset was listed. A pandas table of assets that were
# listed at different times looks like this.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check empyrical-reloaded==0.7.1 pandas==3.1.1 numpy==2.4.6
got=$(env/bin/python - 2>/dev/null <<'PY'
import empyrical
import numpy as np
import pandas as pd

year = 100 * np.cumprod(np.r_[1, np.tile([1.02, 0.9858], 126)])  # 253 closes, from 100 to 200
closes = pd.Series(np.r_[np.full(504, np.nan), year], index=pd.bdate_range("2021-01-04", periods=757))
for name, r in ("in the table", closes.pct_change()), ("without NaN ", closes.pct_change().dropna()):
    print("%s: %d rows, total %.0f %%," % (name, len(r), 100 * empyrical.cum_returns_final(r)),
          "annual %.0f %%," % (100 * empyrical.annual_return(r)),
          "volatility %.0f %%," % (100 * empyrical.annual_volatility(r)),
          "Sharpe %.1f, drawdown %.1f %%," % (empyrical.sharpe_ratio(r), 100 * empyrical.max_drawdown(r)),
          "Calmar %.0f" % empyrical.calmar_ratio(r))
PY
)
printf '%s\n' "$got"
[[ $got == 'in the table: 757 rows, total 100 %, annual 26 %, volatility 27 %, Sharpe 2.7, drawdown -1.4 %, Calmar 18
without NaN : 252 rows, total 100 %, annual 100 %, volatility 27 %, Sharpe 2.7, drawdown -1.4 %, Calmar 70' ]]
