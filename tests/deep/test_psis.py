"""PSIS agrees with exact leave-one-out."""

import arviz as az
import numpy as np
import pytest

from helpers import fits, models
from helpers.exact import loo


@pytest.mark.parametrize("name", models.MODELS)
def test_psis_agrees_with_the_exact_answer(name, visits):
    """In total and by visit, within four and five times the Monte Carlo error that PSIS states."""
    extend = ("posterior_predictive", "log_likelihood", "log_prior")
    tree = fits.fit_once(name, visits, draws=2000, extend=extend)
    estimate = az.loo(tree, pointwise=True)
    answer = loo.leave_one_out(name, visits)
    difference = estimate.elpd_i.values - answer["elpd"].to_numpy()
    moves = loo.psis_moves(estimate, tree["log_likelihood"]["bounce_time"])
    assert abs(difference.sum()) < 4 * float(az.mcse(moves.sum("obs")))
    assert (np.abs(difference) < 5 * az.mcse(moves).values).all()
