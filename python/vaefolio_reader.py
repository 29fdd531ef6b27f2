"""Reads a model that `go run ./scripts/export -model MODEL -out FOLDER` has written.

It needs numpy alone; with onnxruntime, load(folder, runtime="onnxruntime") runs
the exported graphs instead. Copy this file wherever it is wanted:

    import vaefolio_reader

    model = vaefolio_reader.load("runs/export")
    weights = model.sample(1000, seed=1)            # portfolios that meet the constraints, one a row
    mean, logvar = model.encode(weights)            # their latent codes
    again = model.decode(mean)                      # what the network makes of codes
    calm = model.condition("volatility=0.6,sector.L1<=0.35")  # of a conditional model
    weights = calm.sample(1000, seed=1)

An export of a model over sets of assets for any universe (-universe any) is placed in
one first, by the returns of its assets (periods x n) and a largest weight:

    over = vaefolio_reader.load("runs/export")
    model = over.place(returns, max_weight=0.25, symbols=["A", "B", "C", "D", "E"])
    weights = model.sample(1000, seed=1)            # as above

Results of decode, encode, project, log_density and under are those of the Go library
but for roundings. Draws follow the same distributions with numpy's random numbers, so
they are other draws. docs/model-folder.md describes the files.
"""

import base64
import copy
import hashlib
import json
import pathlib
import re
import struct

import numpy as np

VERSION = 1
# How far above what training portfolios had a cap was asked for, on average, in
# standard deviations: 0.25 and half of the mean of |N(0, 1)|.
CAP_SLACK = 0.25 + 0.5 * np.sqrt(2 / np.pi)


def load(folder, runtime="numpy"):
    """Returns the Model in the folder of an export, or the SetModel of one for any
    universe."""
    folder = pathlib.Path(folder)
    document = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    if document.get("format") not in ("vaefolio-export", "vaefolio-set-export"):
        raise ValueError(f"{folder} is no export: write one by go run ./scripts/export -model {folder} -out FOLDER")
    if document["version"] != VERSION:
        raise ValueError(f"{folder} has version {document['version']}, this reader reads version {VERSION}")
    for name, digest in document["files"].items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            raise ValueError(f"{folder / name} does not belong to the model.json beside it: export the model again")
    if runtime not in ("numpy", "onnxruntime"):
        raise ValueError(f"unknown runtime {runtime!r}: choose numpy or onnxruntime")
    sessions = None
    if runtime == "onnxruntime":
        import onnxruntime

        sessions = {name[:-len(".onnx")]: onnxruntime.InferenceSession(str(folder / name), providers=["CPUExecutionProvider"])
                    for name in document["files"] if name.endswith(".onnx")}
    kind = Model if document["format"] == "vaefolio-export" else SetModel
    return kind(document, read_safetensors(folder / "model.safetensors"), sessions)


def read_safetensors(path):
    """Returns the tensors of a safetensors file of float32, by name."""
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    values = data[8 + length:]
    return {name: np.frombuffer(values[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
            for name, entry in header.items() if name != "__metadata__"}


class Model:
    """A trained model: symbols (n), latent (the dimension d of codes), conditions
    (k, each with name, kind, levels, mean and sd), constraints, and given, the
    conditions that it is under (k values, or None)."""

    def __init__(self, document, tensors, sessions=None):
        self.document, self.sessions = document, sessions
        self.tensors = {name: values.astype(float) for name, values in tensors.items()}
        self.network, self.symbols = document["network"], document["symbols"]
        self.latent, self.conditions = document["network"]["latent"], document["conditions"]
        self.constraints = document["constraints"] or {"assets": len(self.symbols)}
        self.given = None

    def decode(self, z, c=None):
        """Returns what the network makes of codes z (N x d): weights (N x n), before
        the constraints. c (N x k) are conditions row by row, of a conditional model
        that is under none."""
        z = self._rows("codes", z, self.latent)
        c = self._conditions(c, len(z))
        if self.sessions:
            return self._finish(self._run("decoder", z=z, c=c))
        y = self._layers("decoder", np.hstack([z, self._expand(c, len(z))]))
        if self.network["head"] == "softmax":
            n = len(self.symbols)
            if self.network["outputs"] > n:  # the rest tells which weights are present
                presence = y[:, n:]
                least = np.minimum(presence.max(axis=1, keepdims=True), 0)
                y = np.where(presence >= least, y[:, :n], -np.inf)
            y = np.exp(y - y.max(axis=1, keepdims=True))
        return self._finish(y)

    def encode(self, weights, c=None):
        """Returns mean and log variance (N x d each) of the codes of weights (N x n)."""
        weights = self._rows("weights", weights, len(self.symbols))
        c = self._conditions(c, len(weights))
        if self.sessions:
            return tuple(self._run("encoder", all_outputs=True, weights=weights, c=c))
        if self.network["of_set"]:
            raise ValueError('the encoder of a model over sets of assets is a graph: load(folder, runtime="onnxruntime")')
        scaling = self.document["scaling"]
        rows = (weights - scaling["mean"]) / np.sqrt(scaling["variance"])
        y = self._layers("encoder", np.hstack([rows, self._expand(c, len(rows))]))
        return y[:, :self.latent], y[:, self.latent:]

    def condition(self, wish):
        """Returns the model under the conditions of the training portfolio nearest to
        a wish such as "volatility=0.6,max_weight<=0.3", with the wish's terms put in.
        Terms that constraints can hold become constraints. Upper bounds that the wish
        leaves open are raised by CAP_SLACK standard deviations, the mean of the random
        slack that the Go library adds."""
        if not self.conditions:
            raise ValueError("the model knows no conditions")
        names = [c["name"] for c in self.conditions]
        terms = self._parse(wish, names)
        donors = np.array(self.document["donors"]["rows"])
        spread = donors.std(axis=0, ddof=1) if len(donors) > 1 else np.zeros(len(names))
        misses = np.zeros(len(donors))
        for j, relation, value in terms:
            misses += (_miss(donors[:, j], relation, value) / (spread[j] if spread[j] > 0 else 1)) ** 2
        given = donors[np.argmin(misses)].copy()
        for j, c in enumerate(self.conditions):
            if c["kind"] == "cap":
                given[j] += CAP_SLACK * c["sd"]
        for j, relation, value in terms:
            if relation == "=" or self.conditions[j]["kind"] == "cap" and relation == "<=" \
                    or _miss(given[j], relation, value) > 0:
                given[j] = value
        model = copy.copy(self)
        model.given = given
        model.constraints = self._hold(terms, names)
        model._conditions(given[None], 1)  # levels that there are
        return model

    def codes(self, n, density=None, seed=None):
        """Draws n codes (n x d): of "aggregate", the mixture of normals fitted to the
        codes of the training portfolios; under conditions, of "neighbours", the smoothed
        posteriors of those training portfolios whose conditions are nearest, from which
        the Go library draws, or of "conditional", a mixture of codes and conditions; or of
        "prior", N(0, I). Without a choice it is the first of neighbours and conditional
        that a model under conditions has, the aggregate of any other, and the prior where
        there is none."""
        rng = np.random.default_rng(seed)
        noise = rng.standard_normal((n, self.latent))
        mixture = self._mixture(density)
        if mixture is None:
            return noise
        weights, means, factors = mixture
        component = rng.choice(len(weights), size=n, p=weights / weights.sum())
        z = means[component]
        for k in np.unique(component):
            z[component == k] += noise[component == k] @ factors[k].T
        return z

    def under(self, given=None):
        """Returns the density "neighbours" under conditions (k), those that the model is
        under without any, as normals without correlations: their weights (m), which sum to
        1, means and variances (m x d), that of the nearest portfolio first."""
        density = self.document["densities"].get("neighbours")
        if not density:
            raise ValueError("the export holds no posteriors of neighbours: train a conditional model, and export it")
        if given is None and self.given is None:
            raise ValueError("the model is under no conditions: give some, or ask for a wish by condition()")
        given = self._conditions(np.array([self.given if given is None else given]), 1)[0]
        known, means, deviations = (
            np.frombuffer(base64.b64decode(density[part]), "<f4").reshape(density["rows"], -1).astype(float)
            for part in ("given", "means", "deviations"))
        squares = ((known - _beside(given, density["conditions"])) ** 2).sum(axis=1)
        last = np.sort(squares)[:density["nearest"]][-1]
        rows = np.flatnonzero(squares <= last)
        rows = rows[np.argsort(squares[rows], kind="stable")]
        width = 2 * density["bandwidth"] ** 2 * last
        weights = np.exp((squares[rows[0]] - squares[rows]) / width) if width > 0 else np.ones(len(rows))
        weights /= weights.sum()
        means = means[rows]
        middle = weights @ means
        spread = np.maximum(weights @ means ** 2 - middle ** 2, 0)
        return weights, means, deviations[rows] ** 2 + density["smoothing"] ** 2 * spread

    def log_density(self, z, density=None):
        """Returns the logarithm of a density of codes at z (N x d), in nats."""
        z = self._rows("codes", z, self.latent)
        mixture = self._mixture(density)
        if mixture is None:
            mixture = np.ones(1), np.zeros((1, self.latent)), np.eye(self.latent)[None]
        logs = []
        for weight, mean, factor in zip(*mixture):
            if weight == 0:  # a component far from the conditions
                continue
            white = np.linalg.solve(factor, (z - mean).T)
            logs.append(np.log(weight) - np.log(np.diag(factor)).sum() - 0.5 * (white ** 2).sum(axis=0))
        largest = np.max(logs, axis=0)
        return largest + np.log(np.exp(logs - largest).sum(axis=0)) - 0.5 * self.latent * np.log(2 * np.pi)

    def sample(self, n, density=None, seed=None):
        """Draws n portfolios (n x assets) that meet the constraints."""
        return self.project(self.decode(self.codes(n, density, seed)))

    def project(self, weights):
        """Returns the nearest weights (N x n) that meet the constraints."""
        y = self._rows("weights", weights, len(self.symbols))
        if self.constraints.get("min_weight"):
            raise ValueError("the constraints have a smallest weight, which this reader can't hold: "
                             "project by go run ./scripts/project -min-weight")
        lower, upper = self._bounds()
        groups = self.constraints.get("groups", [])
        # Dykstra's method: onto each set in turn, taking back what it moved before.
        w, moved = y.copy(), np.zeros((len(groups) + 1,) + y.shape)
        rows = np.arange(len(y))  # those that still move
        for _ in range(20000 if groups else 1):
            now, before = w[rows], moved[:, rows]
            after = np.empty_like(before)
            for k, group in enumerate(groups):
                share = np.array(group["share"])
                start = now + before[k]
                held = start @ share
                over = held - np.clip(held, group.get("lo", -np.inf), group.get("hi", np.inf))
                now = start - np.outer(over / max(share @ share, 1e-300), share)
                after[k] = start - now
            start = now + before[-1]
            now = _onto_simplex(start, lower, upper)
            after[-1] = start - now
            w[rows], moved[:, rows] = now, after
            rows = rows[np.abs(after - before).max(axis=(0, 2), initial=0) > 1e-14]
            if len(rows) == 0:
                break
        if self.violation(w).max(initial=0) > 1e-9:
            raise ValueError("the constraints are not met: do they exclude each other?")
        return w

    def violation(self, weights):
        """Returns by how much each row misses the constraints: 0 for a member."""
        w = self._rows("weights", weights, len(self.symbols))
        lower, upper = self._bounds()
        worst = np.maximum(np.abs(w.sum(axis=1) - 1), np.maximum(lower - w, w - upper).max(axis=1, initial=0))
        least = self.constraints.get("min_weight", 0)
        worst = np.maximum(worst, np.where(w < least, np.minimum(np.abs(w), least - w), 0).max(axis=1, initial=0))
        for group in self.constraints.get("groups", []):
            held = w @ np.array(group["share"])
            worst = np.maximum(worst, np.maximum(group.get("lo", -np.inf) - held, held - group.get("hi", np.inf)))
        return worst

    def measure(self, weights):
        """Returns, by name, those conditions of weights (N x n) that follow from the
        weights alone."""
        w = self._rows("weights", weights, len(self.symbols))
        forms = {
            "linear": lambda m: w @ np.array(m["vector"]),
            "norm": lambda m: np.linalg.norm(w @ np.array(m["matrix"]), axis=1),
            "effective": lambda m: 1 / (w ** 2).sum(axis=1),
            "largest": lambda m: w.max(axis=1),
        }
        return {m["name"]: forms[m["form"]](m) for m in self.document.get("donors", {}).get("measures") or []}

    def _layers(self, stack, x):
        activation = {"relu": lambda x: np.maximum(x, 0), "tanh": np.tanh, "silu": lambda x: x / (1 + np.exp(-x))}
        for i in range(len(self.network["hidden"]) + 1):
            if i > 0:
                with np.errstate(over="ignore"):
                    x = activation[self.network["activation"]](x)
            x = x @ self.tensors[f"{stack}.{i}.weight"] + self.tensors[f"{stack}.{i}.bias"]
        return x

    def _finish(self, y):
        """Makes weights of sum 1 of what the network gives, unless its head is linear."""
        if self.network["head"] == "linear":
            return y
        if self.network["head"] == "softmax":
            return y / y.sum(axis=1, keepdims=True)
        return _onto_simplex(y, 0, self.network["max_weight"] or 1)

    def _run(self, graph, all_outputs=False, **inputs):
        inputs = {name: v.astype(np.float32) for name, v in inputs.items() if v is not None}
        outputs = [v.astype(float) for v in self.sessions[graph].run(None, inputs)]
        return outputs if all_outputs else outputs[0]

    def _rows(self, what, x, columns):
        x = np.asarray(x, dtype=float)
        if x.ndim != 2 or x.shape[1] != columns:
            raise ValueError(f"{what} have the shape {x.shape}, want rows of {columns}")
        if not np.isfinite(x).all():
            raise ValueError(f"{what}: row {np.argwhere(~np.isfinite(x))[0][0] + 1} holds a number that is not finite")
        return x

    def _conditions(self, c, rows):
        if not self.conditions:
            if c is not None:
                raise ValueError("the model knows no conditions")
            return None
        if c is None and self.given is None:
            raise ValueError("the model is conditional: give c, or ask for a wish by condition()")
        c = self._rows("conditions", np.tile(self.given, (rows, 1)) if c is None else c, len(self.conditions))
        if len(c) != rows:
            raise ValueError(f"{len(c)} rows of conditions for {rows}")
        for j, condition in enumerate(self.conditions):
            levels = len(condition.get("levels", []))
            if levels and not np.isin(c[:, j], np.arange(levels)).all():
                raise ValueError(f"condition {condition['name']} is the number of a level, 0 to {levels - 1}")
        return c

    def _expand(self, c, rows):
        """Returns conditions as the network sees them: numbers standardised, levels as
        columns of 0 and 1."""
        columns = [np.empty((rows, 0))]
        for j, condition in enumerate(self.conditions):
            if condition["kind"] == "category":
                columns.append(c[:, j, None] == np.arange(len(condition["levels"])))
            else:
                columns.append((c[:, j, None] - condition["mean"]) / condition["sd"])
        return np.hstack(columns)

    def _mixture(self, density):
        """Returns weights, means and Cholesky factors of a density; None is the prior."""
        have = {name: m for name, m in self.document["densities"].items() if m}
        if self.given is None:
            have = {name: m for name, m in have.items() if name == "aggregate"}
        if density is None:
            wanted = ["aggregate"] if self.given is None else ["neighbours", "conditional"]
            density = next((name for name in wanted if name in have), "prior")
        if density == "prior":
            return None
        if density not in have:
            raise ValueError(f"no density {density!r}: choose {' or '.join(['prior', *have])}")
        if density == "conditional":
            return self._under(have[density])
        if density == "neighbours":
            weights, means, variances = self.under()
            return weights, means, np.sqrt(variances)[:, :, None] * np.eye(self.latent)
        return _read_mixture(have[density])

    def _under(self, conditional):
        """Returns the mixture of codes under the conditions, in closed form."""
        weights, means, factors = _read_mixture(conditional["mixture"])
        given = _beside(self.given, conditional["conditions"])
        d, k = self.latent, len(given)
        logs, moved, left = [], [], []
        for weight, mean, factor in zip(weights, means, factors):
            turned = np.roll(factor @ factor.T, (k, k), axis=(0, 1))  # what is given comes first
            block = np.linalg.cholesky(turned)
            white = np.linalg.solve(block[:k, :k], given - mean[d:])
            logs.append(np.log(weight) - np.log(np.diag(block)[:k]).sum() - 0.5 * white @ white)
            moved.append(mean[:d] + block[k:, :k] @ white)
            left.append(block[k:, k:])
        shares = np.exp(np.array(logs) - max(logs))
        return shares / shares.sum(), np.array(moved), np.array(left)

    def _bounds(self):
        n = len(self.symbols)
        lower = np.array(self.constraints.get("lower", np.zeros(n)), dtype=float)
        return lower, np.array(self.constraints.get("upper", np.ones(n)), dtype=float)

    def _parse(self, wish, names):
        terms, parts = [], wish.split(",")
        for i, part in enumerate(parts):
            if i + 1 < len(parts) and part.strip().startswith("sector.") and not re.search("[<>=]", part):
                parts[i + 1] = part + "," + parts[i + 1]  # commas of a sector's name
                continue
            match = re.fullmatch(r"\s*([^<>=]*?)\s*(<=|>=|=)\s*([^<>=]*?)\s*", part)
            if not match or match[1] not in names:
                raise ValueError(f"term {part.strip()!r}: write it like {names[0]}=0.4; there are {', '.join(names)}")
            j = names.index(match[1])
            levels = [level.replace(",", "") for level in self.conditions[j].get("levels", [])]
            try:
                value = float(levels.index(match[3]) if match[3] in levels else match[3])
            except ValueError:
                raise ValueError(f"term {part.strip()!r}: {match[3]!r} is no number" +
                                 (f", nor one of {', '.join(levels)}" if levels else "")) from None
            terms.append((j, match[2], value))
        return terms

    def _hold(self, terms, names):
        """Returns the constraints with those terms that constraints can hold."""
        constraints = copy.deepcopy(self.constraints)
        measures = {m["name"]: m for m in self.document["donors"]["measures"] or []}
        for j, relation, value in terms:
            measure = measures.get(names[j])
            if measure and measure["form"] == "largest" and relation == "<=":
                constraints["upper"] = np.minimum(constraints.get("upper", np.ones(len(self.symbols))), value).tolist()
            elif measure and measure["form"] == "linear" and names[j].startswith("sector."):
                group = {"name": names[j], "share": measure["vector"]}
                if relation != "<=":
                    group["lo"] = value
                if relation != ">=":
                    group["hi"] = value
                constraints.setdefault("groups", []).append(group)
        return constraints


def _beside(given, scales):
    """Returns conditions (k) as they stand beside codes."""
    return np.concatenate([value == np.arange(s["levels"]) if s.get("levels") else [(value - s["mean"]) / s["sd"]]
                           for value, s in zip(given, scales)]).astype(float)


class SetModel:
    """A model over sets of assets, for any universe: latent is the dimension d of codes."""

    def __init__(self, document, tensors, sessions=None):
        self.document, self.sessions = document, sessions
        self.tensors = {name: values.astype(float) for name, values in tensors.items()}
        self.network, self.latent = document["network"], document["network"]["latent"]
        self.features = document["features"]

    def place(self, returns, max_weight=1.0, symbols=None, asked=None):
        """Returns the Model of the universe of the assets whose returns are given (periods x
        n, simple, without gaps), under a largest weight. Its constraints are that weight, and
        symbols are numbers without names for them. Put assets in alphabetical order, as the
        verbs do, for results without roundings that depend on their order.

        A conditional model can be asked for portfolios: asked is a dict with any of
        volatility and return (per period), effective_assets, max_weight, and groups, a list
        of members (n numbers in [0, 1]) and the share of the weights that they are to hold."""
        returns = np.asarray(returns, dtype=float)
        if returns.ndim != 2 or len(returns) < 2:
            raise ValueError(f"returns have the shape {returns.shape}, want two periods or more x assets")
        if not np.isfinite(returns).all():
            raise ValueError(f"returns: period {np.argwhere(~np.isfinite(returns))[0][0] + 1} holds a number that is not finite")
        covariance = np.atleast_2d(np.cov(returns, rowvar=False))
        covariance[np.ptp(returns, axis=0) == 0] = 0  # without roundings
        return self.place_moments(returns.mean(axis=0), covariance, len(returns), max_weight, symbols, asked)

    def place_moments(self, mean, covariance, periods, max_weight=1.0, symbols=None, asked=None):
        """Returns the Model of a universe by the mean (n) and the covariance (n x n) of its
        returns, and the number of periods that these are of."""
        n = len(mean)
        symbols = [str(i + 1) for i in range(n)] if symbols is None else list(symbols)
        asked = dict(asked or {})
        ordered = bool(asked)
        groups = asked.pop("groups", [])
        tokens = self.tokens(mean, covariance, periods, groups)
        facts = self._asked(asked, covariance, periods)
        if groups and facts is None:
            raise ValueError("the model isn't conditional: nothing can be asked")
        if len(symbols) != n:
            raise ValueError(f"{len(symbols)} symbols for {n} assets")
        if not (max_weight * n > 1 and max_weight <= 1):
            raise ValueError(f"a largest weight of {max_weight} for {n} assets: it must be above 1/{n}, with which "
                             "nothing is left to choose, and at most 1")
        return PlacedModel(self, tokens, periods, max_weight, symbols, facts, ordered)

    def _asked(self, asked, covariance, periods):
        """Returns what the network is told of what is asked; None of a model that isn't conditional."""
        if "asked" not in self.features:
            if asked:
                raise ValueError("the model isn't conditional: nothing can be asked")
            return None
        n, unit = len(covariance), np.exp(np.log(np.diag(covariance)).mean() / 2)
        forms = {
            "volatility": lambda x: np.log(x / unit), "return": lambda x: x / unit * np.sqrt(periods),
            "effective_assets": lambda x: np.log(x / n) + 1, "max_weight": lambda x: np.log(n * x) - 1.5,
        }
        unknown = set(asked) - set(forms)
        if unknown:
            raise ValueError(f"unknown {', '.join(sorted(unknown))}: ask for {', '.join(forms)} or groups")
        facts = []
        for feature in self.features["asked"]:
            name = feature["name"]
            if name.startswith("asked."):
                facts.append(float(name[len("asked."):] in asked))
            else:
                x = forms[name](asked[name]) if name in asked else 0.0
                facts.append(feature["bound"] * np.tanh(x / feature["bound"]) if "bound" in feature else x)
        return np.array(facts)

    def tokens(self, mean, covariance, periods, groups=()):
        """Returns what the network is told of each asset (n x features), as
        document["features"]["assets"] defines it."""
        m, c = np.asarray(mean, dtype=float), np.asarray(covariance, dtype=float)
        n, variances = len(m), np.diag(c)
        if n < 2 or periods < 2 or c.shape != (n, n) or not np.isfinite(c).all() or not np.isfinite(m).all():
            raise ValueError("a universe has at least 2 assets and 2 periods, and as many finite means as covariances")
        if not (variances > 0).all():
            raise ValueError(f"asset {np.argmin(variances) + 1} does not move: leave it out, or take a longer window")
        s, root = np.sqrt(variances), np.sqrt(periods)
        t, r = m / s * root, c / np.outer(s, s)
        basket = c.mean(axis=1)
        beta = basket / np.maximum(basket.mean(), 1e-12 * variances)
        rest = variances - beta * basket
        moved = rest > 1e-9 * variances
        values, vectors = np.linalg.eigh(r)
        vectors = vectors * np.copysign(np.sqrt(np.maximum(values, 0)), (vectors ** 3).sum(axis=0))
        columns = []
        for feature in self.features["assets"]:
            name, ridge = feature["name"], feature.get("ridge", 0) * np.eye(n)
            if name == "volatility":
                x = np.log(s) - np.log(s).mean()
            elif name == "mean":
                x = t
            elif name == "beta":
                x = beta - 1
            elif name == "alpha":
                x = np.where(moved, (m - beta * m.mean()) / np.sqrt(np.where(moved, rest, 1)) * root, 0)
            elif name.startswith("loading."):
                k = int(name.split(".")[1])
                x = vectors[:, n - k] if k <= n else np.zeros(n)
            elif name.startswith("tangency."):
                h = np.linalg.solve(r + ridge, t)
                x = h / np.sqrt(np.mean(h ** 2)) if np.any(h) else np.zeros(n)
            elif name == "least_variance":
                g = np.linalg.solve(r + ridge, 1 / s) / s
                x = n * g / g.sum() - 1 if g.sum() > 0 else np.zeros(n)
            elif name == "asked.group":
                x = sum((np.array(g) for g, _ in groups), np.zeros(n))
            elif name == "asked.part":
                x = sum((np.array(g) * np.mean(g) for g, _ in groups), np.zeros(n))
            elif name == "asked.share":
                x = sum((np.array(g) * (share - np.mean(g)) for g, share in groups), np.zeros(n))
            else:
                raise ValueError(f"the network is told of {name!r}, which this reader can't compute")
            columns.append(feature["bound"] * np.tanh(x / feature["bound"]) if "bound" in feature else x)
        return np.stack(columns, axis=1)

    def _facts(self, n, periods, max_weight):
        known = {"periods": np.log(periods / 120), "cap": np.log(n * max_weight) - 1.5, "assets": np.log(n / 16)}
        return np.array([known[feature["name"]] for feature in self.features["universe"]])

    def _dense(self, layer, x):
        return x @ self.tensors[layer + ".weight"] + self.tensors[layer + ".bias"]

    def _stack(self, name, x):
        """Passes x (... x n x in) through a stack of attention, up to its features (... x n x H)."""
        x = self._dense(name + ".input", x)
        for i in range(self.network["blocks"]):
            x = x + self._dense(f"{name}.{i}.mix", self._attend(self._dense(f"{name}.{i}.attention", _normalised(x))))
            up = self._dense(f"{name}.{i}.up", _normalised(x))
            with np.errstate(over="ignore"):
                x = x + self._dense(f"{name}.{i}.down", up / (1 + np.exp(-up)))
        return _normalised(x)

    def _attend(self, x):
        heads, width = self.network["heads"], self.network["width"]
        parts = x.reshape(x.shape[:-1] + (3, heads, width // heads))  # ... x n x 3 x heads x H/heads
        queries, keys, values = (np.swapaxes(parts[..., i, :, :], -3, -2) for i in range(3))  # ... x heads x n x H/heads
        logits = _normalised(queries) @ np.swapaxes(_normalised(keys), -1, -2) / np.sqrt(queries.shape[-1])
        shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
        seen = np.swapaxes(shares / shares.sum(axis=-1, keepdims=True) @ values, -3, -2)
        return seen.reshape(seen.shape[:-2] + (width,))


class PlacedModel(Model):
    """A SetModel in one universe: decode gives P(offset + slopes z), P the projection on
    {sum w = 1, 0 <= w <= max_weight}."""

    def __init__(self, over, tokens, periods, max_weight, symbols, asked=None, ordered=False):
        n = len(symbols)
        super().__init__({
            "symbols": symbols, "conditions": [], "densities": over.document["densities"],
            "constraints": {"assets": n, "symbols": symbols, "upper": [max_weight] * n},
            "network": {"latent": over.latent, "head": "capped", "max_weight": max_weight, "of_set": True},
        }, {}, over.sessions)
        self.over, self.universe = over, {"tokens": tokens, "periods": np.array([periods]), "cap": np.array([max_weight])}
        self.ordered = ordered  # whether something is asked
        self.scatter = None  # of a conditional model, variances of weights about what is decoded
        if asked is not None:
            self.universe["asked"] = asked
        if self.sessions:
            self.offset, self.slopes, *scatter = self._run("universe", all_outputs=True, **self.universe)
            self.scatter = scatter[0] if scatter else None
            return
        self.deviation = np.sqrt(over.network["scale"] * (max_weight - 1 / n) / n)
        facts = np.append(over._facts(n, periods, max_weight), [] if asked is None else asked)
        self.known = np.hstack([tokens, np.tile(facts, (n, 1))])
        self.seen = over._stack("decoder", self.known)
        read = self.deviation * over._dense("decoder.readout", self.seen)
        self.offset, self.slopes = 1 / n + read[:, 0], read[:, 1:1 + self.latent]
        if asked is not None:
            self.scatter = self.deviation ** 2 * np.exp(7 * np.tanh(read[:, -1] / self.deviation / 7))

    def sample(self, n, density=None, seed=None):
        """Draws n portfolios (n x assets) that meet the constraints, about what is decoded where
        something is asked."""
        decoded = self.decode(self.codes(n, density, seed))
        if self.ordered:
            noise = np.random.default_rng(None if seed is None else [seed, 1]).standard_normal(decoded.shape)
            decoded = decoded + noise * np.sqrt(self.scatter)
        return self.project(decoded)

    def decode(self, z, c=None):
        z = self._rows("codes", z, self.latent)
        self._conditions(c, len(z))
        if self.sessions:
            cap = np.full((len(z), 1), self.network["max_weight"])
            return self._finish(self._run("decoder", z=z, offset=self.offset, slopes=self.slopes, cap=cap))
        return self._finish(z @ self.slopes.T + self.offset)

    def encode(self, weights, c=None):
        weights = self._rows("weights", weights, len(self.symbols))
        self._conditions(c, len(weights))
        if self.sessions:
            return tuple(self._run("encoder", all_outputs=True, weights=weights, **self.universe))
        codes = [np.empty((0, 2 * self.latent))]
        for rows in np.array_split(weights, len(weights) // 256 + 1):  # attention takes memory
            own = ((rows - 1 / len(self.symbols)) / self.deviation)[..., None]
            known = np.hstack([self.known, self.seen])
            known = np.broadcast_to(known, (len(rows),) + known.shape)
            y = self.over._stack("encoder", np.concatenate([own, known], axis=2))
            codes.append(self.over._dense("encoder.readout", np.hstack([y.mean(axis=1), (y * own).mean(axis=1)])))
        codes = np.vstack(codes)
        return codes[:, :self.latent], codes[:, self.latent:]


def _normalised(x):
    """Returns x over its root mean square along the last axis."""
    return x / np.sqrt((x ** 2).mean(axis=-1, keepdims=True) + 1e-6)


def _read_mixture(document):
    d = document["dimension"]
    return (np.array(document["weights"]), np.array(document["means"]).reshape(-1, d),
            np.array(document["cholesky"]).reshape(-1, d, d))


def _miss(values, relation, wanted):
    """Returns how far values are from meeting a term of a wish."""
    if relation == "<=":
        return np.maximum(values - wanted, 0)
    if relation == ">=":
        return np.maximum(wanted - values, 0)
    return np.abs(values - wanted)


def _onto_simplex(y, lower, upper):
    """Returns the nearest rows to y (N x n) with sum 1 and lower <= w <= upper: they are
    y - tau within the bounds, for a tau found by Newton's method between two bounds."""
    lower, upper = np.broadcast_to(lower, y.shape[1:]), np.broadcast_to(upper, y.shape[1:])
    low = (y - upper).min(axis=1, keepdims=True)   # all at their upper bounds
    high = (y - lower).max(axis=1, keepdims=True)  # all at their lower bounds
    tau = low
    for _ in range(200):
        w = y - tau
        inside = (w > lower) & (w < upper)
        w = np.clip(w, lower, upper)
        over = w.sum(axis=1, keepdims=True) - 1
        low, high = np.where(over >= 0, tau, low), np.where(over <= 0, tau, high)
        free = np.maximum(inside.sum(axis=1, keepdims=True), 1)
        step = tau + over / free
        between = (step > low) & (step < high)
        moved = np.where(between, step, low + (high - low) / 2)
        if (np.abs(over) <= 1e-15).all() or (moved == tau).all():
            break
        tau = np.where(np.abs(over) <= 1e-15, tau, moved)
    return w + inside * -over / free
