#!/usr/bin/env bash
# sdmetrics 0.32.0: NewRowSynthesis scores .97 to 1, where 1 is "all rows are new", for
# copies of portfolios to six digits, if the portfolios have weights of 0.
#
# Its tolerance of 0.01 is 1 % of each number that was made, and 1 % of a weight of
# 1e-7 doesn't reach to 0. The documentation scales numbers by the smallest and the
# largest real one first, which the code doesn't do: with 100 added to all numbers,
# rows that are new score 0. One would have guessed 1 % of that range, or that what
# differs by a millionth is a match: numbers that are 0.9 % off in each weight are
# one. A softmax leaves small numbers where a weight is 0, so that a generator which
# has learnt its training set by heart passes for wholly original, where the same
# copies, clipped at 1e-6, score 0. Most weights of an optimised portfolio are 0.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check sdmetrics==0.32.0 pandas==2.3.3 numpy==2.4.6
got=$(env/bin/python - 2>/dev/null <<'PY'
import numpy as np
import pandas as pd
from sdmetrics.single_table import NewRowSynthesis

rng = np.random.default_rng(1)
for assets in 4, 8:
    names = ["asset%d" % i for i in range(assets)]
    metadata = {"columns": {name: {"sdtype": "numerical"} for name in names}}
    dense = rng.dirichlet(np.ones(assets), 30)
    sparse = dense * (dense == dense.max(axis=1, keepdims=True)) + dense * (rng.random(dense.shape) < 0.4)
    sparse /= sparse.sum(axis=1, keepdims=True)
    anew = rng.dirichlet(np.ones(assets), 30)
    soft = 0.999999 * sparse + 0.000001 / assets  # as a softmax leaves them
    for name, real, made in (("0.9 % off, no zeros   ", dense, dense * rng.choice([0.991, 1.009], dense.shape)),
                             ("softmax of sparse ones", sparse, soft),
                             ("clipped at 1e-6       ", sparse, soft * (soft > 1e-6)),
                             ("drawn anew            ", dense, anew),
                             ("drawn anew, all + 100 ", 100 + dense, 100 + anew)):
        frames = (pd.DataFrame(x, columns=names) for x in (real, made))
        print(assets, "assets,", name, "score %.2f," % NewRowSynthesis.compute(*frames, metadata),
              "largest difference of a weight", "%.0e" % abs(real - made).max() if "drawn" not in name else "-")
PY
)
printf '%s\n' "$got"
[[ $got == '4 assets, 0.9 % off, no zeros    score 0.00, largest difference of a weight 7e-03
4 assets, softmax of sparse ones score 0.97, largest difference of a weight 7e-07
4 assets, clipped at 1e-6        score 0.00, largest difference of a weight 7e-07
4 assets, drawn anew             score 1.00, largest difference of a weight -
4 assets, drawn anew, all + 100  score 0.00, largest difference of a weight -
8 assets, 0.9 % off, no zeros    score 0.00, largest difference of a weight 6e-03
8 assets, softmax of sparse ones score 1.00, largest difference of a weight 8e-07
8 assets, clipped at 1e-6        score 0.00, largest difference of a weight 8e-07
8 assets, drawn anew             score 1.00, largest difference of a weight -
8 assets, drawn anew, all + 100  score 0.00, largest difference of a weight -' ]]
