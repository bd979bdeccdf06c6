"""Exact answers for the three models, and for intercepts by two grouping factors (``crossed``).

Posteriors (``posterior``) of a model with its data (``problem``) by quadrature (``quadrature``), on
closed forms given the sds (``gaussian``), from sums that any table can give (``statistics``); and
leave-one-out (``loo``).
"""

from helpers.exact.gaussian import log_marginal_likelihood
from helpers.exact.posterior import exact_posterior
from helpers.exact.problem import QuadratureFailed
from helpers.exact.statistics import sufficient_statistics

__all__ = [
    "QuadratureFailed",
    "exact_posterior",
    "log_marginal_likelihood",
    "sufficient_statistics",
]
