#!/usr/bin/env bash
# hmmlearn 0.3.3: the volatilities of GaussianHMM, fitted to returns as they are,
# are too large, by a factor of six for returns of 0.1 %.
#
# Its default covars_prior=0.01 adds 0.01 to each state's sum of squares, which is
# nothing for numbers about 1 and a lot for returns: 250 daily ones of 1 % have a
# sum of 0.025. One would have guessed the maximum of the likelihood, as fit of
# one state is the standard deviation. Scaling the returns by 100 or
# covars_prior=0 gives that. Whoever tells calm from stormy markets by daily or
# hourly returns gets a calm state that isn't calm.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check hmmlearn==0.3.3 numpy==2.3.5 scikit-learn==1.9.1 scipy==1.17.1
got=$(env/bin/python - 2>/dev/null <<'PY'
import numpy as np
from hmmlearn.hmm import GaussianHMM


def volatility(returns, **options):
    return float(np.sqrt(GaussianHMM(1, random_state=0, **options).fit(returns).covars_.ravel()[0]))


z = np.random.default_rng(1).normal(size=(250, 1))
z /= z.std()
for name, sd in ("daily ", 0.01), ("hourly", 0.001):
    r = sd * z
    print("%s true %.3f %%, fitted %.3f %%, from percents %.3f %%, without prior %.3f %%" % (
        name, 100 * sd, 100 * volatility(r), volatility(100 * r), 100 * volatility(r, covars_prior=0)))
PY
)
printf '%s\n' "$got"
[[ $got == 'daily  true 1.000 %, fitted 1.183 %, from percents 1.000 %, without prior 1.000 %
hourly true 0.100 %, fitted 0.640 %, from percents 0.100 %, without prior 0.100 %' ]]
