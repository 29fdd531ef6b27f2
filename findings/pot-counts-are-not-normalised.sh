#!/usr/bin/env bash
# POT 0.9.7.post1: wasserstein_1d and sliced_wasserstein_distance take weights as they
# are, so that weights whose sums differ give a distance hundreds of times too
# large, and counts one that is multiplied by their number.
#
# One would have guessed that weights are divided by their sum, as scipy's
# wasserstein_distance does, or the refusal which emd2_1d of the same library has
# ("a and b vector must have the same sum"). Both quantile functions are read at
# the cumulated weights of both samples: beyond the smaller sum one of them has no
# value, and its last point is taken. Exponentially weighted returns, importance
# weights and histograms of two periods come like this; the distance of a sample to
# itself under other weights of the same shape is not 0.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check pot==0.9.7.post1 scipy==1.17.1 numpy==2.4.6
got=$(env/bin/python - 2>warnings.log <<'PY'
import numpy as np
import ot
from scipy.stats import wasserstein_distance

rng = np.random.default_rng(1)
u, v = rng.normal(0, 0.01, 500), rng.normal(0.001, 0.012, 500)
one, decay = np.ones(500), 0.99 ** np.arange(500)
for name, a, b in (("sums of 1     ", one / 500, decay / decay.sum()),
                   ("sums of 1,000 ", 2 * one, 1000 * decay / decay.sum()),
                   ("sums of 1, 99 ", one / 500, decay)):
    print(name, "POT %.4f, scipy %.4f" % (ot.wasserstein_1d(u, v, a, b, p=1), wasserstein_distance(u, v, a, b)),
          "sliced %.4f" % ot.sliced_wasserstein_distance(u[:, None], v[:, None], a, b, p=1, n_projections=2, seed=1))
print("with itself, weights of 1/500 and 1/250: %.4f" % ot.wasserstein_1d(u, u, one / 500, one / 250, p=1))
try:
    ot.emd2_1d(u, v, one / 500, decay)
except AssertionError as refused:
    print("emd2_1d refuses:", "same sum" in str(refused))
PY
)
[[ ! -s warnings.log ]]
printf '%s\n' "$got"
[[ $got == 'sums of 1      POT 0.0039, scipy 0.0039 sliced 0.0039
sums of 1,000  POT 3.8849, scipy 0.0039 sliced 3.8849
sums of 1, 99  POT 3.0217, scipy 0.0039 sliced 2.8670
with itself, weights of 1/500 and 1/250: 0.0314
emd2_1d refuses: True' ]]
