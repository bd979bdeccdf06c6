"""Answers of "Quick diagnostics"."""

import arviz as az
import numpy as np

from .shared import Answer


def r_hat_of_drift() -> Answer:
    """Split R-hat of four equal chains that rise from 0 to 99, by ArviZ."""
    chains = np.tile(np.arange(100.0), (4, 1))
    split, whole = (float(az.rhat(chains, method=method)) for method in ("split", "identity"))
    uncut = "The chains were not cut: whole chains that drift together look as if they agreed."
    all_draws = (
        "Not the variance of all draws: to that within add the variance of the pieces' means."
    )
    ranked = "This is the rank-normalized R-hat; take the draws themselves."
    slips = {
        uncut: whole,
        "The square root is missing: this is a ratio of variances.": split**2,
        all_draws: float(np.sqrt(chains.var() / np.arange(50).var())),
        ranked: float(az.rhat(chains)),
    }
    return Answer(split, "R-hat, without unit", error=0.01, slips=slips)


ANSWERS = {
    "qd-draws": Answer(  # the error falls with the root of the ESS, and the ESS grows fourfold
        1 / np.sqrt(4),
        "the new MCSE divided by the old one",
        error=0.1,
        slips={
            "This is the factor of the ESS; the error goes with its square root.": 4.0,
            "The error goes with the square root of the ESS, not with the ESS.": 1 / 4,
            "This is the factor of the posterior sd: the data stay, the draws do not.": 1.0,
            "This is the old one divided by the new one.": 2.0,
        },
    ),
    "qd-form": Answer(  # many visits know each county's intercept well
        "centred",
        "a form",
        slips={
            "This form suits groups about which the data say little. Is that so here?": "non-centred"
        },
    ),
    "qd-rhat": r_hat_of_drift,
}
