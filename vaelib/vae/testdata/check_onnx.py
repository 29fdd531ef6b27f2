"""Runs the ONNX graphs of a folder and compares them with what Go computed.

Usage: check_onnx.py FOLDER TOLERANCE_OF_WEIGHTS TOLERANCE_OF_CODES

In the folder lie, of each case, NAME.decoder.onnx, NAME.encoder.onnx and
NAME.safetensors with inputs (z, weights, c) and outputs (decoded, mean, logvar).
"""
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file

onnxruntime.set_default_logger_severity(3)
folder, by_weights, by_codes = pathlib.Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
cases = sorted(folder.glob("*.safetensors"))
assert cases, "no cases"
worst = {"weights": 0.0, "mean": 0.0, "logvar": 0.0}
for case in cases:
    tensors = load_file(case)
    for graph, inputs in ("decoder", ["z"]), ("encoder", ["weights"]):
        path = str(case.with_suffix("")) + f".{graph}.onnx"
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        assert model.ir_version == 10 and model.opset_import[0].version == 21
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        inputs = inputs + ["c"] if "c" in tensors else inputs
        names = [o.name for o in session.get_outputs()]
        assert [i.name for i in session.get_inputs()] == inputs, (path, inputs)
        assert names == (["weights"] if graph == "decoder" else ["mean", "logvar"]), (path, names)
        rows = len(tensors["z"])
        whole = session.run(None, {i: tensors[i] for i in inputs})
        for name, got in zip(names, whole):
            want = tensors["decoded" if name == "weights" else name]
            apart = np.abs(got - want).max()
            assert got.shape == want.shape and apart <= (by_weights if graph == "decoder" else by_codes), \
                f"{path}: {name} differs by {apart}"
            worst[name] = max(worst[name], float(apart))
        for count in 0, 1, 2:
            part = session.run(None, {i: tensors[i][rows - count:] for i in inputs})
            for got, all_rows in zip(part, whole):
                assert got.shape == (count, all_rows.shape[1])
                np.testing.assert_allclose(got, all_rows[rows - count:], rtol=0, atol=1e-6, err_msg=path)
        # What isn't finite, and a level that there isn't, makes no portfolio.
        for i in inputs:
            for wrong in [np.nan, np.inf] + ([99] if i == "c" and "levels" in tensors else []):
                bad = {k: tensors[k][:3].copy() for k in inputs}
                bad[i][1, -1] = wrong
                for got, all_rows in zip(session.run(None, bad), whole):
                    assert np.isnan(got[1]).all(), f"{path}: {wrong} in {i} gives {got[1]}"
                    np.testing.assert_allclose(got[[0, 2]], all_rows[[0, 2]], rtol=0, atol=1e-6)
print(f"{len(cases)} networks, {rows} rows: furthest from Go {worst}")
