"""skfolio, from returns to weights."""

np, skfolio, optimization, cluster, warnings = load(
    "numpy", "skfolio", "skfolio.optimization", "skfolio.cluster", "warnings"
)
warnings.simplefilter("ignore")

Goal, Risk = optimization.ObjectiveFunction, skfolio.RiskMeasure


def task(make):
    def prepare(data):
        returns = np.array(data["returns"])

        def work():
            make(data).fit(returns)
            return 1

        return work, make(data).fit(returns).weights_.tolist()

    return prepare


def mean_risk(goal, risk, **options):
    return optimization.MeanRisk(objective_function=goal, risk_measure=risk, **options)


serve(
    version("skfolio"),
    {
        "min-variance": task(lambda data: mean_risk(Goal.MINIMIZE_RISK, Risk.VARIANCE)),
        # Its utility leaves out the half before the risk aversion.
        "mean-variance": task(
            lambda data: mean_risk(Goal.MAXIMIZE_UTILITY, Risk.VARIANCE, risk_aversion=data["risk_aversion"] / 2)
        ),
        "max-sharpe": task(lambda data: mean_risk(Goal.MAXIMIZE_RATIO, Risk.VARIANCE)),
        "risk-parity": task(lambda data: optimization.RiskBudgeting(risk_measure=Risk.VARIANCE)),
        "hrp": task(
            lambda data: optimization.HierarchicalRiskParity(
                hierarchical_clustering_estimator=cluster.HierarchicalClustering(
                    linkage_method=cluster.LinkageMethod.SINGLE
                )
            )
        ),
        "min-cvar": task(lambda data: mean_risk(Goal.MINIMIZE_RISK, Risk.CVAR, cvar_beta=data["level"])),
    },
)
