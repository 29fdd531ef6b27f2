"""cvxpy: points onto a simplex with caps of weights and of sectors, the point a parameter."""

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


serve(version("cvxpy"), {"project-sectors": projection})
