#!/usr/bin/env bash
# torch 2.15.0: draws of distributions.LogisticNormal with a location of 0 and one
# scale for all coordinates are not alike in their coordinates: of ten, the first
# has a mean of .20 and the last of .04, under a scale of 2.
#
# The normal numbers go through stick-breaking, which the documentation says, but
# not through the one whose formula it gives: log(x / (1 - x.cumsum())) is said to be
# normal about the location, and is so about the location less log 9, log 8, ... 0.
# These offsets give equal shares to a number of 0, but not to a spread of them, as
# each share is broken off what the ones before have left. One would have guessed
# that formula, or the softmax of normal numbers, as the name has it since Aitchison
# and Shen (1980), where the coordinates may be exchanged, and all means are a tenth.
# As a prior of portfolios it prefers the assets that come first in the file.
#
# Needs the network for pip (about 3 GB, since torch brings CUDA along).
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check torch==2.15.0 numpy==2.4.6
got=$(env/bin/python - 2>/dev/null <<'PY'
import torch

torch.manual_seed(1)
for scale in 0.5, 1.0, 2.0:
    drawn = torch.distributions.LogisticNormal(torch.zeros(9), torch.full((9,), scale)).sample((400_000,))
    broken, logits = drawn.mean(dim=0), (drawn / (1 - drawn.cumsum(dim=-1)))[:, [0, 4]].log().median(dim=0).values
    soft = (scale * torch.randn(400_000, 10)).softmax(dim=-1).mean(dim=0)
    print("scale %.1f: first, fifth, last %.2f %.2f %.2f," % (scale, *broken[[0, 4, 9]]),
          "of softmax %.2f %.2f %.2f; of the formula, first and fifth %.1f %.1f" % (*soft[[0, 4, 9]], *logits))
PY
)
printf '%s\n' "$got"
[[ $got == 'scale 0.5: first, fifth, last 0.11 0.10 0.09, of softmax 0.10 0.10 0.10; of the formula, first and fifth -2.2 -1.6
scale 1.0: first, fifth, last 0.13 0.10 0.07, of softmax 0.10 0.10 0.10; of the formula, first and fifth -2.2 -1.6
scale 2.0: first, fifth, last 0.20 0.10 0.04, of softmax 0.10 0.10 0.10; of the formula, first and fifth -2.2 -1.6' ]]
