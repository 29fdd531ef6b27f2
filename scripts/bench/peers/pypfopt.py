"""PyPortfolioOpt, from moments (HRP and minimum CVaR: from returns) to weights."""

np, pd, pypfopt = load("numpy", "pandas", "pypfopt")


def frontier(choose):
    def prepare(data):
        mean, cov = np.array(data["mean"]), np.array(data["cov"])

        def allocate():
            optimizer = pypfopt.EfficientFrontier(mean, cov)
            choose(optimizer, data)
            return optimizer.weights

        return repeated(allocate)

    return prepare


def repeated(allocate):
    def work():
        allocate()
        return 1

    return work, np.asarray(allocate()).tolist()


def hrp(data):
    returns = pd.DataFrame(data["returns"])

    def allocate():
        weights = pypfopt.HRPOpt(returns).optimize()
        return [weights[i] for i in returns.columns]

    return repeated(allocate)


def min_cvar(data):
    mean, returns = np.array(data["mean"]), pd.DataFrame(data["returns"])

    def allocate():
        optimizer = pypfopt.EfficientCVaR(mean, returns, beta=data["level"])
        optimizer.min_cvar()
        return optimizer.weights

    return repeated(allocate)


def critical_line(data):
    """Corners, and portfolios between them; the answer is at equally spaced means."""
    mean, cov = np.array(data["mean"]), np.array(data["cov"])

    def solve():
        line = pypfopt.CLA(mean, cov, weight_bounds=(0, data["cap"]))
        line.efficient_frontier(points=len(data["means"]))
        return line

    def work():
        solve()
        return 1

    corners = np.array([np.ravel(w) for w in solve().w])
    corners = corners[np.argsort(corners @ mean)]
    weights = np.array([np.interp(data["means"], corners @ mean, corners[:, j]) for j in range(len(mean))])
    return work, np.einsum("ik,ij,jk->k", weights, cov, weights).tolist()


serve(
    version("pyportfolioopt"),
    {
        "frontier": critical_line,
        "min-variance": frontier(lambda o, data: o.min_volatility()),
        "mean-variance": frontier(lambda o, data: o.max_quadratic_utility(data["risk_aversion"])),
        "max-sharpe": frontier(lambda o, data: o.max_sharpe(risk_free_rate=0)),
        "hrp": hrp,
        "min-cvar": min_cvar,
    },
)
