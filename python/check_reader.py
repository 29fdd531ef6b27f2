"""Compares vaefolio_reader, on exports, with what Go computed.

Usage: check_reader.py FOLDER, whose folders hold exports with expected.json each, or
with expected-sets.json those of models over sets of assets.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
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


def check_sets(folder, runtime):
    print(folder.name, runtime)
    want = json.loads((folder / "expected-sets.json").read_text())
    over = reader.load(folder, runtime)
    for name, values in load_file(folder / "model.safetensors").items():
        assert np.array_equal(values, over.tensors[name]), name
    for universe in want["universes"]:
        returns, cap, z, x = (np.array(universe[name]) for name in ("returns", "cap", "z", "weights"))
        n = returns.shape[1]
        print(f"  {n} assets, {len(returns)} periods, cap {cap}")
        asked = universe["asked"] or {}
        covariance = np.cov(returns, rowvar=False)
        near("tokens", over.tokens(returns.mean(axis=0), covariance, len(returns), asked.get("groups", [])), universe["tokens"], 1e-8)
        model = over.place(returns, float(cap), asked=asked)
        assert (model.scatter is None) == (universe["scatter"] is None)
        if asked:
            near("scatter", model.scatter / universe["scatter"], np.ones(n), 1e-4)
        near("decode", model.decode(z), universe["decoded"], want["weights_near"])
        for what, got in zip(("mean", "logvar"), model.encode(x)):
            near(what, got, universe[what], want["codes_near"])
        sample = model.sample(200, seed=1)
        assert model.violation(sample).max() <= 1e-9 and sample.std() > 0.01
        order = np.random.default_rng(1).permutation(n)
        asked = dict(asked, groups=[(np.array(g)[order], share) for g, share in asked.get("groups", [])])
        near("permuted", over.place(returns[:, order], float(cap), asked=asked).decode(z), np.array(universe["decoded"])[:, order], want["weights_near"])
        assert model.decode(np.empty((0, model.latent))).shape == (0, n)
        assert model.encode(np.empty((0, n)))[0].shape == (0, model.latent)
    still = returns.copy()
    still[:, 1] = 0.01
    refused("an asset that does not move", lambda: over.place(still))
    refused("a cap without room", lambda: over.place(returns, 1 / n))
    refused("one period", lambda: over.place(returns[:1]))
    refused("a gap", lambda: over.place(np.where(returns == returns[3, 1], np.nan, returns)))
    refused("something unknown", lambda: over.place(returns, asked={"luck": 1}))
    if "asked" not in over.features:
        refused("a wish", lambda: over.place(returns, asked={"volatility": 0.01}))
    refused("too few symbols", lambda: over.place(returns, symbols=["A"]))
    refused("NaN", lambda: model.decode([[np.nan] * model.latent]))
    if runtime == "onnxruntime":
        check_graphs(folder, over, model, z, x)


def check_graphs(folder, over, model, z, x):
    """Checks the graphs of a model over sets where the reader doesn't lead them."""
    for name in "universe", "decoder", "encoder":
        onnx.checker.check_model(onnx.load(folder / f"{name}.onnx"), full_check=True)
    placed = {"offset": model.offset, "slopes": model.slopes}
    caps = np.linspace(1.2 / x.shape[1], 1, len(z))[:, None]
    weights = model._run("decoder", z=z, cap=caps, **placed)
    for row, cap in zip(range(len(z)), caps[:, 0]):  # each row has a cap of its own
        alone = model._run("decoder", z=z[row:row + 1], cap=caps[row:row + 1], **placed)
        want = reader._onto_simplex(z[row:row + 1] @ model.slopes.T + model.offset, 0, cap)
        assert np.abs(weights[row] - want[0]).max() < 1e-5 and np.abs(alone - want).max() < 1e-5
    caps[1] = 0.9 / x.shape[1]
    z = z.copy()
    z[2, 0] = np.nan
    weights = model._run("decoder", z=z, cap=caps, **placed)
    assert np.isnan(weights[1:3]).all() and np.isfinite(weights[3:]).all()
    for name in model.universe:  # what isn't finite makes no portfolio and no code
        bad = dict(model.universe, **{name: np.full_like(model.universe[name], np.nan, dtype=float)})
        assert np.isnan(np.hstack([v.ravel() for v in model._run("universe", all_outputs=True, **bad)])).all(), name
        assert np.isnan(model._run("encoder", all_outputs=True, weights=x, **bad)).all(), name
    one = x.copy()
    one[1, 0] = np.inf
    mean, _ = model._run("encoder", all_outputs=True, weights=one, **model.universe)
    assert np.isnan(mean[1]).all() and np.isfinite(mean[2:]).all()


folders = sorted(path.parent for path in pathlib.Path(sys.argv[1]).glob("*/expected*.json"))
assert folders, "nothing to check"
for folder in folders:
    for runtime in "numpy", "onnxruntime":
        (check if (folder / "expected.json").exists() else check_sets)(folder, runtime)
refused("another runtime", lambda: reader.load(folders[0], "torch"))
(folders[0] / "model.safetensors").write_bytes(b"other")
refused("another file", lambda: reader.load(folders[0]))
