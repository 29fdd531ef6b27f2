#!/usr/bin/env bash
# onnxruntime 1.32.0 on a CPU: ReduceMax and ReduceMin of [NaN, 1] are NaN, and of
# [1, NaN] they are 1. ArgMax of both is 0.
#
# One would have guessed NaN for both, as numpy and the reference evaluator of
# onnx 1.23.2 give, or 1 for both: that it depends on the place is worse than
# either. A guard in the graph, such as "the largest deviation is at most 1e-6",
# passes where the NaN stands anywhere but first. ReduceSum is NaN for both.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.3.5
got=$(env/bin/python - 2>/dev/null <<'PY'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

for op in "ReduceMax", "ReduceMin", "ReduceSum", "ArgMax":
    arg = op == "ArgMax"
    node = helper.make_node(op, ["x"], ["y"], axis=1) if arg else helper.make_node(op, ["x", "axes"], ["y"])
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", "n"])],
        [helper.make_tensor_value_info("y", TensorProto.INT64 if arg else TensorProto.FLOAT, ["rows", 1])],
        [] if arg else [numpy_helper.from_array(np.array([1], np.int64), "axes")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    reference = ReferenceEvaluator(model)
    for row in [np.nan, 1], [1, np.nan], [1] * 50 + [np.nan]:
        x = {"x": np.array([row], np.float32)}
        values = [each.run(None, x)[0].item() for each in (session, reference)]
        print(op, "NaN at %d of %d:" % (np.isnan(row).argmax(), len(row)), "onnxruntime %g, reference %g" % tuple(values))
PY
)
printf '%s\n' "$got"
[[ $got == 'ReduceMax NaN at 0 of 2: onnxruntime nan, reference nan
ReduceMax NaN at 1 of 2: onnxruntime 1, reference nan
ReduceMax NaN at 50 of 51: onnxruntime 1, reference nan
ReduceMin NaN at 0 of 2: onnxruntime nan, reference nan
ReduceMin NaN at 1 of 2: onnxruntime 1, reference nan
ReduceMin NaN at 50 of 51: onnxruntime 1, reference nan
ReduceSum NaN at 0 of 2: onnxruntime nan, reference nan
ReduceSum NaN at 1 of 2: onnxruntime nan, reference nan
ReduceSum NaN at 50 of 51: onnxruntime nan, reference nan
ArgMax NaN at 0 of 2: onnxruntime 0, reference 0
ArgMax NaN at 1 of 2: onnxruntime 0, reference 1
ArgMax NaN at 50 of 51: onnxruntime 0, reference 50' ]]
