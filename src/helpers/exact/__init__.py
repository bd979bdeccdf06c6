"""Exact answers for the three models.

Posteriors by quadrature (``quadrature``), on closed forms given the sds (``gaussian``), and
leave-one-out from the same grid (``loo``).
"""

from helpers.exact.gaussian import log_marginal_likelihood
from helpers.exact.quadrature import QuadratureFailed, exact_posterior
from helpers.exact.statistics import sufficient_statistics

__all__ = [
    "QuadratureFailed",
    "exact_posterior",
    "log_marginal_likelihood",
    "sufficient_statistics",
]
