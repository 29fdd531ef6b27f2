#!/usr/bin/env bash
# torch 2.15.0: draws of distributions.LogisticNormal with a location of 0 and one
# scale for all coordinates are not alike in their coordinates: of ten, the first
# has a mean of .20 and the last of .04, under a scale of 2.
#
# The normal numbers go through stick-breaking, whose offsets give equal shares to a
# number of 0, but not to a spread of them: each stick that follows is broken off
# what is left. One would have guessed the softmax of normal numbers, as the name has
# it since Aitchison and Shen (1980), where the coordinates may be exchanged, and
# all means are a tenth. As a prior of portfolios, or as noise about one, it prefers
# the assets that come first in the file.
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
    broken = torch.distributions.LogisticNormal(torch.zeros(9), torch.full((9,), scale)).sample((400_000,)).mean(dim=0)
    soft = (scale * torch.randn(400_000, 10)).softmax(dim=-1).mean(dim=0)
    print("scale %.1f: first, fifth, last %.2f %.2f %.2f, of softmax %.2f %.2f %.2f" % (
        scale, *broken[[0, 4, 9]], *soft[[0, 4, 9]]))
PY
)
printf '%s\n' "$got"
[[ $got == 'scale 0.5: first, fifth, last 0.11 0.10 0.09, of softmax 0.10 0.10 0.10
scale 1.0: first, fifth, last 0.13 0.10 0.07, of softmax 0.10 0.10 0.10
scale 2.0: first, fifth, last 0.20 0.10 0.04, of softmax 0.10 0.10 0.10' ]]
