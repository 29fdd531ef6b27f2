"""numpy: figures, the matrix product alone, projections."""


def evaluate(data):
    weights, returns = np.array(data["weights"]), np.array(data["returns"]).T.copy()

    def work():
        six_figures(weights, returns)
        return len(weights)

    return work, six_figures(weights, returns).ravel().tolist()


def product(data):
    weights, returns = np.array(data["weights"]), np.array(data["returns"]).T.copy()
    out = np.empty((CHUNK, returns.shape[1]))

    def work():
        for start in range(0, len(weights), CHUNK):
            np.matmul(weights[start : start + CHUNK], returns, out=out)
        return len(weights)

    return work, (weights[0] @ returns).tolist()


def projection(data):
    points, cap = np.array(data["points"]), data["cap"]

    def work():
        project(points, cap)
        return len(points)

    return work, project(points, cap).ravel().tolist()


serve(version("numpy"), {"evaluate": evaluate, "product": product, "project": projection})
