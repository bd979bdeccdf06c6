import numpy as np
import pymc as pm
import pytest

from helpers import models
from helpers.priors import Priors


def test_priors_as_scipy_writes_them_are_those_of_the_model(visits):
    priors = Priors((150.0, 30.0), (1.0, 4.0), 11.0, 12.0, 3.0, 1.5)
    model = models.build("random_slope", visits, priors=priors)
    written = priors.distributions()
    unit = written.pop("rho")  # the model has it as 2 Beta - 1
    for name, prior in written.items():
        assert float(pm.logp(model[name], 7.0).eval()) == pytest.approx(prior.logpdf(7.0))
    density = float(pm.logp(model["rho_unit"], 0.7).eval())
    assert density == pytest.approx(unit.logpdf(0.4) + np.log(2))
    assert "rho" not in Priors(lkj_eta=None).distributions()


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"sigma": -1.0}, "sigma"),
        ({"group_sd": 0}, "group_sd"),
        ({"intercept": (0, -5)}, "intercept"),
        ({"slope": 5}, "slope"),
        ({"slope_sd": np.nan}, "slope_sd"),
        ({"lkj_eta": 0}, "lkj_eta"),
        ({"covariate_slope": (0, -1)}, "covariate_slope"),
        ({"covariate_slope": ((0, 1), (0, 0))}, r"covariate_slope\[1\]"),
        ({"covariate_slope": ((0, 1), 3)}, "covariate_slope"),
    ],
)
def test_a_prior_that_is_none_is_refused_where_it_is_written(given, name):
    with pytest.raises(ValueError, match=f"The prior of '{name}'"):
        Priors(**given)


def test_covariates_share_a_prior_or_have_one_each():
    assert Priors(covariate_slope=(1.0, 2.0)).of_covariates(3) == [(1.0, 2.0)] * 3
    assert Priors(covariate_slope=((1.0, 2.0), (3.0, 4.0))).of_covariates(2)[1] == (3.0, 4.0)
    with pytest.raises(ValueError, match="given for 2 covariates, but there are 3"):
        Priors(covariate_slope=((1.0, 2.0), (3.0, 4.0))).of_covariates(3)
