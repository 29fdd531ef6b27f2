#!/usr/bin/env bash
# polars 2.1.0: rolling_corr of two Float32 columns of prices has values of several
# hundred and of several hundred below 0, where correlations are .4 to .8.
#
# It is computed from the mean of products less the product of means, in the type of
# the columns: about 60,000 both are 3.6e9, of which Float32 keeps steps of 256, and
# the prices differ by 1. One would have guessed numbers between -1 and 1:
# rolling_std of the same columns is right, as is pandas 3.1.1, and so is corr over
# a group. Float32 is what large price files are kept in; there is no warning, and
# the other windows, more than half of them, are 0 to the last digit, which passes
# for "not correlated". Returns, or a cast to Float64 before, help.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check polars==2.1.0 pandas==3.1.1 numpy==2.4.6
got=$(env/bin/python - <<'PY'
import numpy as np
import pandas as pd
import polars as pl

rng = np.random.default_rng(1)
noise = rng.normal(size=(300, 2)) @ [[1, 1], [0, 1]]
for level in 0, 1_000, 60_000:
    prices = pl.DataFrame(level + noise, schema={"BTC": pl.Float32, "WBTC": pl.Float32})
    rolling = prices.select(pl.rolling_corr("BTC", "WBTC", window_size=30)).to_series().drop_nulls().to_numpy()
    btc, wbtc = (pd.Series(prices[name].to_numpy()) for name in ("BTC", "WBTC"))
    truth = btc.rolling(30).corr(wbtc).dropna().to_numpy()
    print("about %d: pandas .%.0f to .%.0f," % (level, 100 * truth.min(), 100 * truth.max()),
          "polars outside -1 to 1: %s," % ("none" if (abs(rolling) < 1).all() else "some"),
          "off by more than 100: %s," % ("none" if (abs(rolling - truth) < 100).all() else "some"),
          "exactly 0: %s," % ("none" if rolling.all() else "some" if (rolling == 0).mean() < 0.5 else "most"),
          "rolling_std right: %s" % np.allclose(prices["BTC"].rolling_std(30).drop_nulls(), btc.rolling(30).std().dropna(),
                                                rtol=1e-4),
          "corr: .%.0f" % (100 * prices.select(pl.corr("BTC", "WBTC")).item()))
PY
)
printf '%s\n' "$got"
[[ $got == 'about 0: pandas .44 to .83, polars outside -1 to 1: none, off by more than 100: none, exactly 0: none, rolling_std right: True corr: .68
about 1000: pandas .44 to .83, polars outside -1 to 1: none, off by more than 100: none, exactly 0: none, rolling_std right: True corr: .68
about 60000: pandas .44 to .83, polars outside -1 to 1: some, off by more than 100: some, exactly 0: most, rolling_std right: True corr: .68' ]]
