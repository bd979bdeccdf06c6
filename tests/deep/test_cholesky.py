"""The form for more than two effects, which no page samples, has the posterior of the form for two."""

import pymc as pm
import xarray as xr

from helpers import diagnostics, exact
from helpers.priors import SEED
from lkj_cholesky import build_with_cholesky


def test_the_cholesky_form_agrees_with_the_exact_answer(visits):
    tree = pm.sample(
        2000,
        tune=1000,
        chains=4,
        random_seed=SEED,
        nuts_sampler="nutpie",
        target_accept=0.99,
        progressbar=False,
        model=build_with_cholesky(),
    )
    posterior = tree["posterior"].to_dataset().drop_vars(["factor", "z"])
    stats = tree["sample_stats"].to_dataset()
    fit = xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats})
    answer = exact.exact_posterior("random_slope", visits, draws=100)
    assert "in agreement" in diagnostics.require_converged(fit, answer)
