#!/usr/bin/env bash
# onnxslim 0.1.98 and onnxsim 0.8.1: simplifying a graph that draws random numbers
# makes its draws depend on each other, and one of them makes them constants.
#
# Two RandomNormal nodes without a seed are two draws, whose difference is not 0.
# Both tools take the second for a copy of the first, as their attributes are
# equal, so that the difference is 0 in each run; onnxslim goes on to compute a
# RandomNormal whose shape is fixed and stores what came out: each run of the
# sampler gives the same numbers. One would have guessed that nodes which differ
# from run to run are left alone, as onnxruntime's own optimiser leaves them;
# onnxsim reports that its check has passed. A generator with its noise inside
# the file, z and the scatter about what is decoded, loses what it is for.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check onnxslim==0.1.98 onnxsim==0.8.1 onnx==1.23.2 onnxruntime==1.32.0 \
	numpy==2.3.5
got=$(env/bin/python - 2>/dev/null <<'PY'
import numpy as np
import onnx
import onnxruntime
import onnxsim
import onnxslim
from onnx import TensorProto, helper

x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [3]) for name in "xy")


def draws(*nodes):
    graph = helper.make_graph(nodes, "g", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    return model


normal = [helper.make_node("RandomNormal", [], [name], shape=[3]) for name in "ab"]
models = {
    "x + a    ": draws(normal[0], helper.make_node("Add", ["x", "a"], ["y"])),
    "x + a - b": draws(*normal, helper.make_node("Sub", ["a", "b"], ["d"]), helper.make_node("Add", ["x", "d"], ["y"])),
}
for name, model in models.items():
    for tool, simplified in (("as it is", model), ("onnxslim", onnxslim.slim(model)), ("onnxsim ", onnxsim.simplify(model)[0])):
        session = onnxruntime.InferenceSession(simplified.SerializeToString(), providers=["CPUExecutionProvider"])
        first, second = (session.run(None, {"x": np.zeros(3, np.float32)})[0] for _ in range(2))
        print(name, tool, "runs differ:", not np.array_equal(first, second), "all 0:", not first.any())
PY
)
printf '%s\n' "$got"
[[ $got == 'x + a     as it is runs differ: True all 0: False
x + a     onnxslim runs differ: False all 0: False
x + a     onnxsim  runs differ: True all 0: False
x + a - b as it is runs differ: True all 0: False
x + a - b onnxslim runs differ: False all 0: False
x + a - b onnxsim  runs differ: False all 0: True' ]]
