"""Figures and projections of many portfolios, as fast as numpy does them."""

import math

(np,) = load("numpy")

CHUNK = 64  # portfolios whose returns fit the cache


def six_figures(weights, returns, periods=365.0, level=0.95):
    """Annual return, volatility, Sharpe, Sortino, maximum drawdown and CVaR of
    the rows of weights (N x n) over returns (n x T, transposed), N x 6."""
    figures = np.empty((len(weights), 6))
    for start in range(0, len(weights), CHUNK):
        r = weights[start : start + CHUNK] @ returns
        out = figures[start : start + CHUNK]
        count = r.shape[1]
        mean = r.mean(axis=1)
        out[:, 0] = mean * periods
        out[:, 1] = r.std(axis=1, ddof=1) * math.sqrt(periods)
        out[:, 2] = out[:, 0] / out[:, 1]
        below = np.minimum(r, 0.0)
        downside = np.sqrt(np.einsum("ij,ij->i", below, below) / count * periods)
        out[:, 3] = out[:, 0] / downside
        tail = (1 - level) * count
        whole = int(tail)
        worst = np.partition(r, whole, axis=1)
        out[:, 5] = -(worst[:, :whole].sum(axis=1) + (tail - whole) * worst[:, whole]) / tail
        wealth = np.cumprod(np.add(r, 1.0, out=r), axis=1)
        peak = np.maximum(np.maximum.accumulate(wealth, axis=1), 1.0)
        out[:, 4] = (1.0 - wealth / peak).max(axis=1)
    return figures


def project(points, cap):
    """The nearest rows with sum 1 and entries from 0 to cap: the threshold lies
    between two of the sorted breakpoints v and v - cap (Held, Wolfe & Crowder
    1974)."""
    n = points.shape[1]
    breaks = np.concatenate([points, points - cap], axis=1)
    order = np.argsort(breaks, axis=1)[:, ::-1]
    breaks = np.take_along_axis(breaks, order, axis=1)
    # Below v an entry grows as the threshold falls, below v - cap no longer.
    slope = np.cumsum(np.where(order < n, 1.0, -1.0), axis=1)
    mass = np.zeros_like(breaks)
    np.cumsum(slope[:, :-1] * -np.diff(breaks, axis=1), axis=1, out=mass[:, 1:])
    last = np.count_nonzero(mass < 1.0, axis=1, keepdims=True) - 1
    at = lambda a: np.take_along_axis(a, last, axis=1)
    threshold = at(breaks) - (1.0 - at(mass)) / at(slope)
    return np.clip(points - threshold, 0.0, cap)
