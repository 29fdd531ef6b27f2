"""cvxpy: points onto a simplex with caps of weights and of sectors, the point a parameter;
efficient frontiers, the mean a parameter."""

np, cp = load("numpy", "cvxpy")


def projection(data):
    points, shares = np.array(data["points"]), np.array(data["shares"])
    weights, point = cp.Variable(points.shape[1]), cp.Parameter(points.shape[1])
    limits = [cp.sum(weights) == 1, weights >= 0, weights <= data["cap"], shares @ weights <= data["limit"]]
    problem = cp.Problem(cp.Minimize(cp.sum_squares(weights - point)), limits)

    def project(given):
        point.value = given
        problem.solve(solver=cp.CLARABEL)
        return weights.value.copy()

    def work():
        for given in points[:8]:
            project(given)
        return 8

    return work, np.concatenate([project(given) for given in points]).tolist()


def frontier(data):
    """The least variance for each mean, which is a parameter."""
    mean, cov = np.array(data["mean"]), np.array(data["cov"])
    scale = len(mean) / np.trace(cov)
    weights, target = cp.Variable(len(mean)), cp.Parameter()
    limits = [cp.sum(weights) == 1, weights >= 0, weights <= data["cap"], (mean / mean.max()) @ weights >= target]
    problem = cp.Problem(cp.Minimize(cp.quad_form(weights, cp.psd_wrap(scale * cov))), limits)

    def solve(least):
        target.value = (least - 1e-9 * abs(least)) / mean.max()
        problem.solve(solver=cp.CLARABEL)
        return problem.value / scale

    def work():
        for least in data["means"]:
            solve(least)
        return 1

    return work, [solve(least) for least in data["means"]]


serve(version("cvxpy"), {"project-sectors": projection, "frontier": frontier})
