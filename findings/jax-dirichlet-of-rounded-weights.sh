#!/usr/bin/env bash
# jax 0.10.2: jax.scipy.stats.dirichlet.logpdf is -inf for most portfolios of 100
# assets whose weights have six decimals, and for all that hold nothing of an asset.
#
# A row counts as a point of the simplex only if its sum is within 1e-6 of 1 and
# all of its weights are above 0; else the density is taken for 0, without a word.
# Six decimals of 100 weights add up to an error of about 3e-6. One would have guessed
# a density that is the same to six digits, or scipy's refusal ("The input vector
# 'x' must lie within the normal simplex"), and for a weight of 0 under
# concentrations of 1, which is the uniform density, its logarithm, as scipy has it.
# The likelihood of a training set that went through a CSV is -inf, and its gradient
# is that of the rows which are left, or NaN for the assets of which a row holds none.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check jax==0.10.2 jaxlib==0.10.2 scipy==1.17.1 numpy==2.4.6
got=$(env/bin/python - 2>/dev/null <<'PY'
import jax
import numpy as np
import scipy.stats
from jax.scipy.stats import dirichlet

rng = np.random.default_rng(1)
for assets in 5, 20, 100:
    exact = rng.dirichlet(np.ones(assets), 1000)
    shares = []
    for weights in exact, exact.round(6), exact.round(6) / exact.round(6).sum(axis=1, keepdims=True):
        concentration = np.full(assets, 2.0)
        density = jax.vmap(lambda w: dirichlet.logpdf(w, concentration))(np.float32(weights))
        shares.append("%.0f %%" % (100 * np.isneginf(density).mean()))
    print(assets, "assets: -inf for %s as drawn, %s with six decimals, %s divided by their sum again" % tuple(shares))
corner, ones = np.array([0.5, 0.5, 0.0]), np.ones(3)
print("a weight of 0, concentrations of 1: jax %.3f, scipy %.3f" % (
    dirichlet.logpdf(corner, ones), scipy.stats.dirichlet.logpdf(corner, ones)))
for weights in np.array([0.5, 0.5, 0.000002]), corner:
    print("gradient at", weights, jax.grad(lambda c: dirichlet.logpdf(np.float32(weights), c))(np.float32(ones)))
PY
)
printf '%s\n' "$got"
[[ $got == '5 assets: -inf for 0 % as drawn, 14 % with six decimals, 0 % divided by their sum again
20 assets: -inf for 0 % as drawn, 40 % with six decimals, 0 % divided by their sum again
100 assets: -inf for 0 % as drawn, 69 % with six decimals, 1 % divided by their sum again
a weight of 0, concentrations of 1: jax -inf, scipy 0.693
gradient at [5.e-01 5.e-01 2.e-06] [0. 0. 0.]
gradient at [0.5 0.5 0. ] [ 0.  0. nan]' ]]
