"""Clarabel called directly, from moments (minimum CVaR: from returns) to weights."""

np, sparse, clarabel = load("numpy", "scipy.sparse", "clarabel")


def solve(quadratic, linear, rows, right, cones):
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    solver = clarabel.DefaultSolver(
        sparse.csc_matrix(np.triu(quadratic)), linear, sparse.csc_matrix(rows), right, cones, settings
    )
    solution = solver.solve()
    if solution.status != clarabel.SolverStatus.Solved:
        raise RuntimeError(f"status {solution.status}")
    return np.array(solution.x)


def long_only(quadratic, linear, total, right):
    """min x'Qx/2 + q'x with total.x = right and x >= 0, scaled to the solver's
    tolerances."""
    n = len(linear)
    scale = n / np.trace(quadratic)
    return solve(
        scale * quadratic,
        scale * linear,
        np.vstack([total, -np.eye(n)]),
        np.concatenate([[right], np.zeros(n)]),
        [clarabel.ZeroConeT(1), clarabel.NonnegativeConeT(n)],
    )


def min_variance(data, mean, cov):
    return long_only(cov, np.zeros(len(mean)), np.ones(len(mean)), 1.0)


def mean_variance(data, mean, cov):
    return long_only(data["risk_aversion"] * cov, -mean, np.ones(len(mean)), 1.0)


def max_sharpe(data, mean, cov):
    y = long_only(cov, np.zeros(len(mean)), mean / mean.max(), 1.0)
    return y / y.sum()


def risk_parity(data, mean, cov):
    """min y'Sy/2 - sum log y, each logarithm in an exponential cone."""
    n = len(mean)
    scale = np.trace(cov) / n
    quadratic = np.zeros((2 * n, 2 * n))
    quadratic[:n, :n] = cov / scale
    rows, right = np.zeros((3 * n, 2 * n)), np.zeros(3 * n)
    for i in range(n):  # (log, 1, y)
        rows[3 * i, n + i] = -1.0
        right[3 * i + 1] = 1.0
        rows[3 * i + 2, i] = -1.0
    linear = np.concatenate([np.zeros(n), -np.ones(n)])
    y = solve(quadratic, linear, rows, right, [clarabel.ExponentialConeT()] * n)[:n]
    return y / y.sum()


def min_cvar(data, mean, cov):
    """Rockafellar & Uryasev: variables weights, VaR, excess losses."""
    returns, level = data["array"], data["level"]
    t, n = returns.shape
    linear = np.concatenate([np.zeros(n), [1.0], np.full(t, 1 / ((1 - level) * t))])
    size = n + 1 + t
    rows = np.zeros((1 + n + 2 * t, size))
    rows[0, :n] = 1.0
    rows[1 : 1 + n, :n] = -np.eye(n)
    rows[1 + n : 1 + n + t, n + 1 :] = -np.eye(t)
    rows[1 + n + t :, :n] = -returns
    rows[1 + n + t :, n] = -1.0
    rows[1 + n + t :, n + 1 :] = -np.eye(t)
    right = np.zeros(1 + n + 2 * t)
    right[0] = 1.0
    cones = [clarabel.ZeroConeT(1), clarabel.NonnegativeConeT(n + 2 * t)]
    return solve(np.zeros((size, size)), linear, rows, right, cones)[:n]


def task(allocate):
    def prepare(data):
        data = dict(data, array=np.array(data["returns"]))
        mean, cov = np.array(data["mean"]), np.array(data["cov"])

        def work():
            allocate(data, mean, cov)
            return 1

        return work, allocate(data, mean, cov).tolist()

    return prepare


def projection(data):
    """The point nearest to each: only the linear term differs, so that the solver is
    set up once."""
    points, shares = np.array(data["points"]), np.array(data["shares"])
    n = points.shape[1]
    rows = sparse.csc_matrix(np.vstack([np.ones(n), -np.eye(n), np.eye(n), shares]))
    right = np.concatenate([[1.0], np.zeros(n), np.full(n, data["cap"]), np.full(len(shares), data["limit"])])
    cones = [clarabel.ZeroConeT(1), clarabel.NonnegativeConeT(2 * n + len(shares))]
    settings = clarabel.DefaultSettings()
    settings.verbose = settings.presolve_enable = False
    solver = clarabel.DefaultSolver(sparse.eye(n, format="csc"), -points[0], rows, right, cones, settings)

    def project(point):
        solver.update(q=-point)
        return solver.solve().x

    def work():
        for point in points:
            project(point)
        return len(points)

    return work, np.concatenate([project(point) for point in points]).tolist()


def frontier(data):
    """The least variance for each mean: only a limit differs."""
    mean, cov = np.array(data["mean"]), np.array(data["cov"])
    n, scale = len(mean), len(mean) / np.trace(cov)
    rows = sparse.csc_matrix(np.vstack([np.ones(n), -np.eye(n), np.eye(n), -mean / mean.max()]))
    right = np.concatenate([[1.0], np.zeros(n), np.full(n, data["cap"]), [0.0]])
    cones = [clarabel.ZeroConeT(1), clarabel.NonnegativeConeT(2 * n + 1)]
    settings = clarabel.DefaultSettings()
    settings.verbose = settings.presolve_enable = False
    quadratic = sparse.csc_matrix(np.triu(scale * cov))
    solver = clarabel.DefaultSolver(quadratic, np.zeros(n), rows, right, cones, settings)

    def solve(least):
        right[-1] = -(least - 1e-9 * abs(least)) / mean.max()
        solver.update(b=right)
        return 2 * solver.solve().obj_val / scale

    def work():
        for least in data["means"]:
            solve(least)
        return 1

    return work, [solve(least) for least in data["means"]]


serve(
    version("clarabel"),
    {
        "frontier": frontier,
        "project-sectors": projection,
        "min-variance": task(min_variance),
        "mean-variance": task(mean_variance),
        "max-sharpe": task(max_sharpe),
        "risk-parity": task(risk_parity),
        "min-cvar": task(min_cvar),
    },
)
