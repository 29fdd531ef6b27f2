#!/usr/bin/env bash
# pyportfolioopt 1.6.0: CLA.efficient_frontier(points=N) divides N by the number of
# corners, rounded down, so that of N points few or none come back.
#
# The points are called rough; one would have guessed about N, from the portfolio of
# least variance to that of the largest mean. With 20 assets capped at 0.15 the frontier has
# 21 corners: asked for 20 points the three lists are empty, asked for 50 they have 21,
# asked for 100 they have 61. No warning is given, and a chart of the answer is blank.
# Asking for some twenty times as many points as there are assets helps.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check pyportfolioopt==1.6.0 cvxpy==1.9.3 pandas==3.1.1 numpy==2.4.6 \
	scikit-learn==1.9.1 packaging==26.4
env/bin/python - >got 2>warnings.log <<'PY' || { cat warnings.log; exit 1; }
import numpy as np
from pypfopt import CLA

assets, cap = 20, 0.15
rng = np.random.default_rng(1)
loadings = rng.normal(size=(assets, 3))
covariance = 0.01 * loadings @ loadings.T + np.diag(0.01 + 0.03 * rng.random(assets))
means = 0.02 + 0.1 * rng.random(assets)
for points in (20, 50, 100, 400):
    line = CLA(means, covariance, weight_bounds=(0, cap))
    returns, risks, weights = line.efficient_frontier(points=points)
    print("%d corners, %d points asked for, %d there" % (len(line.w), points, len(returns)))
PY
cat got warnings.log
[[ ! -s warnings.log ]]
[[ $(<got) == '21 corners, 20 points asked for, 0 there
21 corners, 50 points asked for, 21 there
21 corners, 100 points asked for, 61 there
21 corners, 400 points asked for, 361 there' ]]
