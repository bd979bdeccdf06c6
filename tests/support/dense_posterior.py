"""The same posterior by n x n matrices of the table's rows; how far two posteriors are apart."""

import numpy as np
import pandas as pd
from scipy import stats


def dense_posterior(frame, priors, sigma, group_sd=0.0, slope_sd=0.0, rho=0.0):
    """By n x n matrices, for sds of shape (K,): log density of all rows (K,), and conditional means
    (K, 2 + 2 J) and covariances of the line, the deviations in intercept, and those in slope."""
    sigma, group_sd, slope_sd, rho = np.broadcast_arrays(
        *(np.reshape(value, (-1, 1, 1)) for value in (sigma, group_sd, slope_sd, rho))
    )
    x, y = frame["std_age"].to_numpy(), frame["bounce_time"].to_numpy()
    member = pd.get_dummies(frame["county"]).to_numpy(float)
    design = np.column_stack([np.ones_like(x), x, member, member * x[:, None]])
    J, (n, p) = member.shape[1], design.shape
    first, second = np.diag(np.arange(p - 2) < J), np.diag(np.arange(p - 2) >= J)
    both = np.eye(p - 2, k=J) + np.eye(p - 2, k=-J)
    prior_cov = np.zeros((len(sigma), p, p))
    prior_cov[:, :2, :2] = np.diag([priors.intercept[1] ** 2, priors.slope[1] ** 2])
    prior_cov[:, 2:, 2:] = first * group_sd**2 + second * slope_sd**2
    prior_cov[:, 2:, 2:] += both * rho * group_sd * slope_sd
    prior_mean = np.append([priors.intercept[0], priors.slope[0]], np.zeros(p - 2))
    V = design @ prior_cov @ design.T + sigma**2 * np.eye(n)
    error = y - design @ prior_mean
    roots = np.linalg.cholesky(V)
    density = [
        stats.multivariate_normal.logpdf(error, cov=stats.Covariance.from_cholesky(root))
        for root in roots
    ]
    gain = np.swapaxes(np.linalg.solve(V, design @ prior_cov), 1, 2)
    return np.array(density), prior_mean + gain @ error, prior_cov - gain @ design @ prior_cov


def largest_difference(tree, other):
    """Between two ``exact`` groups, in posterior sds of the first."""
    one, two = tree["exact"].to_dataset(), other["exact"].to_dataset()
    difference = abs(one - two) / one.sel(statistic="sd")
    return max(float(array.max()) for array in difference.data_vars.values())
