#!/usr/bin/env bash
# onnxruntime 1.32.0: all sessions of one process draw the same numbers from a
# RandomNormal that has no seed.
#
# The operator's text says that a seed is generated where none is given. Each
# process has another one, and the nodes of a graph and the runs of a session
# differ. But a second session begins where the first began: one would have
# guessed that it goes on, or has a seed of its own. A pool of sessions that
# samples portfolios in four threads gives each portfolio four times, and what is
# counted as 4,000 independent draws are 1,000.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.3.5
cat >draw.py <<'PY'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper

nodes = [helper.make_node("RandomNormal", [], [name], shape=[1000]) for name in "ab"]
outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1000]) for name in "ab"]
model = helper.make_model(helper.make_graph(nodes, "g", [], outputs),
                          opset_imports=[helper.make_opsetid("", 21)], ir_version=10).SerializeToString()
one, other = (onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]) for _ in range(2))
first, second = one.run(None, {}), one.run(None, {})
print("nodes alike:", np.array_equal(*first), "runs alike:", np.array_equal(first, second),
      "sessions alike:", np.array_equal(first, other.run(None, {})))
np.save("draw.npy", first)
PY
got=$(env/bin/python draw.py 2>/dev/null)
mv draw.npy before.npy
env/bin/python draw.py >/dev/null 2>&1
got+=$(env/bin/python -c 'import numpy as np; print(" processes alike:", np.array_equal(np.load("draw.npy"), np.load("before.npy")))')
printf '%s\n' "$got"
[[ $got == 'nodes alike: False runs alike: False sessions alike: True processes alike: False' ]]
