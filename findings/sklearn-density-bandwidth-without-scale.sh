#!/usr/bin/env bash
# scikit-learn 1.9.1: KernelDensity(bandwidth="scott") and "silverman" don't look
# at the data, but at their number and dimension alone.
#
# 1,000 returns of 1 % give a bandwidth of 0.25, 25 standard deviations: what is
# sampled is 25 times as wide as what was fitted. Scott's and Silverman's rules
# multiply by the standard deviation, and scipy's gaussian_kde, which names them
# so too, does: one would have guessed the same. Weights and returns, which are
# far below 1, become a round cloud, and a density ratio or a rival to a generator
# that is made of it is worth nothing. Standardising before helps.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check scikit-learn==1.9.1 scipy==1.17.1 numpy==2.3.5
got=$(env/bin/python - <<'PY'
import numpy as np
from scipy.stats import gaussian_kde
from sklearn.neighbors import KernelDensity

returns = np.random.default_rng(1).normal(0, 0.01, 1000)
print("data %.3f" % returns.std())
for rule in "scott", "silverman":
    raw = KernelDensity(bandwidth=rule).fit(returns[:, None])
    scaled = KernelDensity(bandwidth=rule).fit(100 * returns[:, None])
    print(rule, "sklearn %.2f, of percents %.1f %%, scipy %.3f" % (
        raw.sample(100_000, random_state=1).std(), scaled.sample(100_000, random_state=1).std(),
        gaussian_kde(returns, rule).resample(100_000, seed=1).std()))
PY
)
printf '%s\n' "$got"
[[ $got == 'data 0.010
scott sklearn 0.25, of percents 1.0 %, scipy 0.010
silverman sklearn 0.27, of percents 1.0 %, scipy 0.010' ]]
