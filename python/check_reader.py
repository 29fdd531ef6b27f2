"""Compares vaefolio_reader, on exports, with what Go computed.

Usage: check_reader.py FOLDER, whose folders hold exports with expected.json each.
"""

import json
import pathlib
import sys

import numpy as np
from safetensors.numpy import load_file

import vaefolio_reader as reader


def near(what, got, want, tolerance):
    got, want = np.asarray(got, dtype=float), np.asarray(want, dtype=float)
    assert got.shape == want.shape, f"{what}: shape {got.shape}, want {want.shape}"
    apart = np.abs(got - want).max(initial=0)
    assert apart <= tolerance, f"{what} differs by {apart}, at most {tolerance} is allowed"
    print(f"  {what}: {apart:.1e}")


def refused(what, call):
    try:
        call()
    except ValueError as error:
        assert "\n" not in str(error)
    else:
        raise AssertionError(f"{what} is not refused")


def check_draws(codes, want):
    """Compares codes under the wish with their density, and with codes that Go drew."""
    under = want["under"][0]
    weights, means, variances = (np.array(under[part]) for part in ("weights", "means", "variances"))
    middle = weights @ means
    spread = weights @ (variances + means ** 2) - middle ** 2
    assert np.all(np.abs(codes.mean(axis=0) - middle) < 5 * np.sqrt(spread / len(codes)))
    assert np.all(np.abs(codes.var(axis=0) / spread - 1) < 5 * np.sqrt(2 / len(codes)) * 2)
    for mine, go in zip(codes.T, np.array(want["drawn"]).T):
        grid = np.sort(np.concatenate([mine, go]))
        apart = np.abs(np.searchsorted(np.sort(mine), grid, "right") / len(mine)
                       - np.searchsorted(np.sort(go), grid, "right") / len(go)).max()
        # The level .001 of the test of Kolmogorov and Smirnov.
        assert apart < 1.95 * np.sqrt(1 / len(mine) + 1 / len(go)), f"the draws differ by {apart}"


def check(folder, runtime):
    print(folder.name, runtime)
    want = json.loads((folder / "expected.json").read_text())
    model = reader.load(folder, runtime)
    for name, values in load_file(folder / "model.safetensors").items():
        assert np.array_equal(values, model.tensors[name]), name
    z, x, c = want["z"], want["weights"], want["c"]
    near("decode", model.decode(z, c), want["decoded"], want["weights_near"])
    for what, got in zip(("mean", "logvar"), model.encode(x, c)):
        near(what, got, want[what], want["codes_near"])
    near("log density", model.log_density(z, "aggregate"), want["log_density"]["aggregate"], 1e-9)
    near("log density of the prior", model.log_density(z, "prior"),
         [-0.5 * (np.square(row).sum() + len(row) * np.log(2 * np.pi)) for row in z], 1e-12)
    near("projection", model.project(want["outside"]), want["projected"], 1e-9)
    near("violation", model.violation(want["outside"]), want["violation"], 1e-12)
    if c:
        refused("decoding without conditions", lambda: model.decode(z))
        refused("an unknown level", lambda: model.decode(z[:1], [[0.3, 4, 0.5]]))
        for wish in "sector.B=0.2", "leader=fourth", "sector.A", "sector.A=0.2=3":
            refused(wish, lambda: model.condition(wish))
        given = model.condition(want["wish"])
        near("conditions of a wish", given.given, want["given"], 1e-12)
        near("projection under a wish", given.project(want["outside"]), want["projected_with_wish"], 1e-9)
        for name, values in model.measure(x).items():
            near(name, values, want["measured"][name], 1e-12)
        near("log density under the wish", given.log_density(z, "conditional"), want["log_density"]["conditional"], 1e-8)
        mine = [model.under(under["given"]) for under in want["under"]]
        for k, what in enumerate(("weights", "means", "variances")):
            near(f"{what} of neighbours", [m[k] for m in mine], [under[what] for under in want["under"]], 1e-9)
        refused("neighbours of no conditions", model.under)
        open_cap = model.condition("sector.A=0.25").given[2]
        assert 0.25 <= open_cap <= 1.2, open_cap
        model = given
    else:
        refused("a condition", lambda: model.condition("sector.A=0.2"))
    for density in ["prior", "aggregate"] + ["conditional", "neighbours"] * bool(c):
        codes = model.codes(20000, density, seed=1)
        sample = model.sample(500, density, seed=2)
        assert model.violation(sample).max() <= 1e-9 and sample.std() > 0.01
        assert np.array_equal(sample, model.sample(500, density, seed=2))
        if density == "aggregate":
            mixture = model.document["densities"]["aggregate"]
            middle = np.average(mixture["means"], axis=0, weights=mixture["weights"])
            assert np.abs(codes.mean(axis=0) - middle).max() < 5 * codes.std() / np.sqrt(20000)
        if density == "neighbours":
            check_draws(codes, want)
            assert np.array_equal(codes, model.codes(20000, seed=1)), "it is not the one without a choice"
    assert model.decode(np.empty((0, model.latent))).shape == (0, len(model.symbols))
    assert model.sample(0).shape == (0, len(model.symbols))
    refused("NaN", lambda: model.decode([[np.nan] * model.latent]))
    refused("a code too short", lambda: model.decode([[1.0]]))
    refused("another density", lambda: model.codes(1, "luck"))


folders = sorted(path.parent for path in pathlib.Path(sys.argv[1]).glob("*/expected.json"))
assert folders, "nothing to check"
for folder in folders:
    for runtime in "numpy", "onnxruntime":
        check(folder, runtime)
refused("another runtime", lambda: reader.load(folders[0], "torch"))
(folders[0] / "model.safetensors").write_bytes(b"other")
refused("another file", lambda: reader.load(folders[0]))
