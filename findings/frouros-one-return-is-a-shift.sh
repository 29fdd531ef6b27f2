#!/usr/bin/env bash
# frouros 0.9.0: PSI finds a large shift in 87 of 100 pairs of samples from one and the same
# distribution with tails; and BhattacharyyaDistance has no logarithm.
#
# A bin in which one sample has nothing counts as 2.2e-308, the smallest float there is, so
# that a single return among 1,000 adds .001 times 701, or .70, where .25 is the customary
# sign of a large shift. The bins are even steps from the smallest to the largest number of
# both samples, and the outer ones of a sample with tails hold one or two. One would have
# guessed a floor that goes by the size of the sample, such as half a row: then none of
# the pairs is above .25, and the largest is .03. The returns of one market in two periods,
# or of a market and a model of it, are said to have nothing in common for one worst day.
#
# The other is 1 less the sum of roots, the square of the Hellinger distance beside it, and
# can't exceed 1; one would have guessed the logarithm of the sum, by which it is defined
# (Bhattacharyya 1943), and which is infinite for samples that don't overlap.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check frouros==0.9.0 numpy==2.1.3 scipy==1.14.1
got=$(env/bin/python - <<'PY'
import numpy as np
from frouros.detectors.data_drift import PSI, BhattacharyyaDistance, HellingerDistance


def distance(detector, reference, sample):
    detector.fit(X=reference)
    return float(detector.compare(X=sample)[0].distance)


def with_floor(reference, sample, floor):
    edges = np.histogram(np.hstack((reference, sample)), bins=10)[1]
    p, q = (np.maximum(np.histogram(x, edges)[0], floor) / 1000 for x in (reference, sample))
    return float(((p - q) * np.log(p / q)).sum())


random = np.random.default_rng(1)
pairs = [0.01 * random.standard_t(4, size=(2, 1000)) for _ in range(100)]
psi = [distance(PSI(), *pair) for pair in pairs]
floor = [with_floor(*pair, 0.5) for pair in pairs]
print("of 100 pairs", sum(x > 0.25 for x in psi), "have a PSI above .25, the median is %.2f" % np.median(psi))
print("with half a row in empty bins", sum(x > 0.25 for x in floor), "have, the largest is %.3f" % max(floor))
low, high = random.uniform(0, 1, 1000), random.uniform(2, 3, 1000)
print("apart: Bhattacharyya %.2f, Hellinger %.2f" % (
    distance(BhattacharyyaDistance(), low, high), distance(HellingerDistance(), low, high)))
PY
)
printf '%s\n' "$got"
[[ $got == 'of 100 pairs 87 have a PSI above .25, the median is 1.42
with half a row in empty bins 0 have, the largest is 0.031
apart: Bhattacharyya 1.00, Hellinger 1.00' ]]
