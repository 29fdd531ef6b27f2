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


serve(
    version("pyportfolioopt"),
    {
        "min-variance": frontier(lambda o, data: o.min_volatility()),
        "mean-variance": frontier(lambda o, data: o.max_quadratic_utility(data["risk_aversion"])),
        "max-sharpe": frontier(lambda o, data: o.max_sharpe(risk_free_rate=0)),
        "hrp": hrp,
        "min-cvar": min_cvar,
    },
)
