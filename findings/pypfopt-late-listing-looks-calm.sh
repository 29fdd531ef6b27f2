#!/usr/bin/env bash
# pyportfolioopt 1.6.0: CovarianceShrinkage takes the returns before an asset's
# listing for 0, so that what was listed late looks calm.
#
# Four assets over 1,000 days, the last of which is listed on day 900 and is twice
# as volatile as the others: sample_cov, which leaves out what isn't there, has
# 31 % a year for it and gives it 8 % of the portfolio of least variance; Ledoit and
# Wolf's shrinkage has 10 %, and gives it nearly half. One would have guessed the
# same rule for both, or a refusal. No warning is given; dropping the rows before
# the listing, or the asset, helps.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check pyportfolioopt==1.6.0 cvxpy==1.9.3 pandas==3.1.1 numpy==2.4.6 \
	scikit-learn==1.9.1 packaging==26.4
env/bin/python - >got 2>warnings.log <<'PY' || { cat warnings.log; exit 1; }
import numpy as np
import pandas as pd
from pypfopt import EfficientFrontier, risk_models

returns = np.random.default_rng(1).normal(0, 0.01, (1000, 4)) * [1, 1, 1, 2]
prices = pd.DataFrame(100 * np.exp(returns.cumsum(axis=0)), columns=["OAK", "ELM", "ASH", "NEW"],
                      index=pd.bdate_range("2020-01-01", periods=1000))
prices.iloc[:900, 3] = np.nan
for name, covariance in (("sample_cov ", risk_models.sample_cov(prices)),
                         ("ledoit_wolf", risk_models.CovarianceShrinkage(prices).ledoit_wolf()),
                         ("since then ", risk_models.CovarianceShrinkage(prices.dropna()).ledoit_wolf())):
    weights = EfficientFrontier(None, covariance).min_volatility()
    print("%s volatility of NEW %.2f, weight %.2f" % (name, covariance.loc["NEW", "NEW"] ** 0.5, weights["NEW"]))
PY
cat got warnings.log
[[ ! -s warnings.log ]]
[[ $(<got) == 'sample_cov  volatility of NEW 0.31, weight 0.08
ledoit_wolf volatility of NEW 0.10, weight 0.46
since then  volatility of NEW 0.30, weight 0.10' ]]
