#!/usr/bin/env bash
# quantstats 0.0.86: cvar is not the mean of the worst returns.
#
# Here it is the expected shortfall of a normal distribution with the sample's
# mean and standard deviation, 2.06 standard deviations below the mean at 95 %,
# worse than any return that ever happened. skfolio, empyrical and textbooks
# mean the returns themselves: one would have guessed the mean of the worst 5 %.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check quantstats==0.0.86
got=$(env/bin/python - 2>/dev/null <<'PY'
import numpy as np, pandas as pd, quantstats as qs

r = pd.Series([0.01, -0.01] * 50, index=pd.date_range("2024-01-01", periods=100))
worst = np.sort(r)[:5].mean()
print("worst 5 %%: %.4f" % worst)
print("cvar:      %.4f" % qs.stats.cvar(r))
PY
)
printf '%s\n' "$got"
[[ $got == 'worst 5 %: -0.0100
cvar:      -0.0207' ]]
