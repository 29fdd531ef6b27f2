#!/usr/bin/env bash
# cvxpy 1.9.3 with OSQP 1.1.3 (its default for quadratic programmes), Clarabel
# 0.11.1 and SCS 3.3.1: the portfolio of least variance of returns by the minute is
# "optimal" at nearly equal weights.
#
# The solvers stop at absolute differences of 1e-8 to 1e-4, and the variance of a
# minute, 1e-8, is smaller. One would have guessed that units don't matter, or a
# status of optimal_inaccurate: the programme is convex and tiny, and the same one
# with returns in percent has a volatility that is a fifth lower. SCS misses it
# by daily returns too. No warning is given.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check cvxpy==1.9.3 osqp==1.1.3 clarabel==0.11.1 scs==3.3.1 numpy==2.4.6
got=$(env/bin/python - 2>volatilities <<'PY'
import sys

import cvxpy as cp
import numpy as np

factors = np.random.default_rng(1).normal(size=(10, 10))
shape = factors @ factors.T / 10 + 0.2 * np.eye(10)
shape /= np.trace(shape) / 10
equal = np.full(10, 0.1)


def solve(deviation, solver):
    w = cp.Variable(10)
    problem = cp.Problem(cp.Minimize(cp.quad_form(w, cp.psd_wrap(deviation**2 * shape))), [cp.sum(w) == 1, w >= 0])
    problem.solve(solver=solver)
    volatility = (w.value @ shape @ w.value / (equal @ shape @ equal)) ** 0.5
    print(name, solver, "%.3f" % volatility, file=sys.stderr)
    far = "the best" if volatility < 0.785 else "nearly equal weights" if volatility > 0.92 else "neither"
    return problem.status + " at " + far


for name, deviation in ("percents", 1), ("days    ", 1e-2), ("minutes ", 1e-4):
    print(name, ", ".join(solver + " " + solve(deviation, solver) for solver in ("OSQP", "CLARABEL", "SCS")))
PY
)
printf '%s\n' "$got"
cat volatilities # beside that of equal weights
[[ $(wc -l <volatilities) == 9 ]]
[[ $got == 'percents OSQP optimal at the best, CLARABEL optimal at the best, SCS optimal at the best
days     OSQP optimal at the best, CLARABEL optimal at the best, SCS optimal at neither
minutes  OSQP optimal at nearly equal weights, CLARABEL optimal at nearly equal weights, SCS optimal at nearly equal weights' ]]
