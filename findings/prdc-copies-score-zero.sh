#!/usr/bin/env bash
# prdc 0.2: a perfect copy of the real points has precision, recall, density and
# coverage of 0, if each point occurs more often than there are neighbours.
#
# A point is inside a ball only where its distance is less than the radius, and
# the radius around a point that has k twins is 0. One would have guessed 1 for
# two sets that are equal. Portfolios are like this where constraints bind: the
# single-asset corners, or the few vertices that a cap leaves, come up again and
# again. With distances that are at most the radius (as Kynkäänniemi et al. 2019
# define it) the copy has 1; points that don't repeat have 1 in prdc too.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check prdc==0.2 numpy==2.3.5 scikit-learn==1.9.1 scipy==1.17.1
got=$(env/bin/python - <<'PY'
import numpy as np
from prdc import compute_prdc

corners = np.repeat(np.eye(10), 10, axis=0)  # each of ten portfolios ten times
inside = np.random.default_rng(1).dirichlet(np.ones(10), 100)
for name, x in ("corners", corners), ("inside ", inside):
    scores = compute_prdc(x, x.copy(), nearest_k=5)
    print(name, {key: round(float(score), 3) for key, score in scores.items()})
PY
)
got=$(grep -v '^Num real' <<<"$got")
printf '%s\n' "$got"
[[ $got == "corners {'precision': 0.0, 'recall': 0.0, 'density': 0.0, 'coverage': 0.0}
inside  {'precision': 1.0, 'recall': 1.0, 'density': 1.0, 'coverage': 1.0}" ]]
