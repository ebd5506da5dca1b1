"""What the statistics are held against. Each is imported when a test first asks it, which takes seconds."""

from typing import Any


def ols(values: Any, regressors: Any) -> Any:
    import statsmodels.api

    return statsmodels.api.OLS(values, regressors)


def proportion_confint(*arguments: Any, **settings: Any) -> Any:
    from statsmodels.stats import proportion

    return proportion.proportion_confint(*arguments, **settings)


def confint_proportions_2indep(*arguments: Any, **settings: Any) -> Any:
    from statsmodels.stats import proportion

    return proportion.confint_proportions_2indep(*arguments, **settings)


def multipletests(*arguments: Any, **settings: Any) -> Any:
    from statsmodels.stats import multitest

    return multitest.multipletests(*arguments, **settings)


def cohens_kappa(table: Any) -> Any:
    from statsmodels.stats import inter_rater

    return inter_rater.cohens_kappa(table)
