"""Two grouping factors: Bambi's NUTS beside the exact answer, on published tables."""

import pandas as pd
import pytest

from helpers import diagnostics, models
from helpers.models.in_bambi import with_own_labels
from helpers.priors import SEED
from helpers.terms import read_terms
from real_tables import TABLES

CASES = {
    "penicillin": (
        "diameter ~ 1 + (1|plate) + (1|sample)",
        {"Intercept": (23, 10), "sigma": 2, "1|plate": 3, "1|sample": 5},
    ),
    "pastes": (
        "strength ~ 1 + (1|batch/cask)",
        {"Intercept": (60, 10), "sigma": 2, "1|batch": 3, "1|batch:cask": 5},
    ),
    "wine": (
        "bitterness ~ temperature + contact + (1|judge) + (1|bottle)",
        {"Intercept": (50, 30), "temperature": (0, 30), "contact": (0, 30), "sigma": 20}
        | {"1|judge": 20, "1|bottle": 20},
    ),
}
LIMIT = 4.5  # Monte Carlo errors: among 500 numbers chance puts none beyond


def sample(formula: str, frame: pd.DataFrame, priors: dict, noncentered: bool):
    """Bambi's fit in the form in which NUTS gets along with it: an sd that may be 0 asks for effects
    that are not centred."""
    model = models.build(formula, frame, priors=priors, backend="bambi")
    model.noncentered = noncentered
    model.build()
    nuts = models.nuts_settings(40, funnel=True)
    settings = {"draws": 4000, "tune": 2000, "chains": 4, "random_seed": SEED}
    tree = model.fit(inference_method="nutpie", nuts=nuts, progressbar=False, **settings)
    return with_own_labels(tree, read_terms(formula, frame))


@pytest.mark.parametrize("name", CASES)
def test_nuts_agrees_with_the_exact_answer(name):
    formula, priors = CASES[name]
    frame = pd.read_csv(TABLES / f"{name}.csv")
    answer = models.fit(formula, frame, priors=priors, backend="exact")
    tree = sample(formula, frame, priors, noncentered=name != "penicillin")
    diagnostics.require_converged(tree)
    compared = diagnostics.compare_with_exact(tree, answer)
    beyond = compared[compared["difference"].abs() > LIMIT]
    assert beyond.empty, beyond.to_string()
    wrong = priors | {"sigma": priors["sigma"] / 4}
    other = models.fit(formula, frame, priors=wrong, backend="exact")
    moved = diagnostics.compare_with_exact(tree, other)["difference"]
    assert moved.abs().max() > LIMIT
