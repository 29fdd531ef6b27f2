"""OSQP: points onto a simplex with caps of weights and of sectors, warm-started."""

np, sparse, osqp = load("numpy", "scipy.sparse", "osqp")


def projection(data):
    points, shares = np.array(data["points"]), np.array(data["shares"])
    n = points.shape[1]
    rows = sparse.csc_matrix(np.vstack([np.ones(n), np.eye(n), shares]))
    low = np.concatenate([[1.0], np.zeros(n), np.full(len(shares), -np.inf)])
    high = np.concatenate([[1.0], np.full(n, data["cap"]), np.full(len(shares), data["limit"])])
    solver = osqp.OSQP()
    tolerances = {"eps_abs": data["tolerance"], "eps_rel": data["tolerance"], "max_iter": 100000}
    solver.setup(sparse.eye(n, format="csc"), -points[0], rows, low, high, verbose=False, **tolerances)

    def project(point):
        solver.update(q=-point)
        return solver.solve().x

    def work():
        for point in points:
            project(point)
        return len(points)

    return work, np.concatenate([project(point) for point in points]).tolist()


serve(version("osqp"), {"project-sectors": projection})
