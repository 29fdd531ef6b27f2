#!/usr/bin/env bash
# safetensors 0.8.0 (Python) with numpy 2.3.5: save_file writes a transposed
# array in the order of its memory under the shape of the view, so that what is
# read back is another matrix, without a warning on either side.
#
# One would have guessed that the values of w.T come back as w.T, or an error,
# which the same library raises for torch tensors that aren't contiguous.
# Layers kept as (in, out) in one framework and (out, in) in another are
# transposed on their way out just like this; numpy.ascontiguousarray helps.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check safetensors==0.8.0 numpy==2.3.5
got=$(env/bin/python - <<'PY'
import numpy as np
from safetensors.numpy import load_file, save_file

w = np.arange(6, dtype=np.float32).reshape(2, 3)
save_file({"view": w.T, "copy": np.ascontiguousarray(w.T)}, "t.safetensors")
back = load_file("t.safetensors")
print("written", w.T.tolist())
print("view   ", back["view"].tolist())
print("copy   ", back["copy"].tolist())
PY
)
printf '%s\n' "$got"
[[ $got == 'written [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
view    [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
copy    [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]' ]]
