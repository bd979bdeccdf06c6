"""What a fit leaves: distances of outcomes from their means, of groups from the population."""

import numpy as np
import xarray as xr

from helpers import predictions
from helpers.own.candidates import Candidate
from helpers.own.draws import flatten, thin
from helpers.own.question import Question

MOST_CELLS = 8_000_000  # draws times rows that memory bears
FEWEST_DRAWS = 100


def sum_by(code: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sums (S, G) of values (S, n) over the rows of each group; of one row (n,) of them (1, G)."""
    return np.array([np.bincount(code, row) for row in np.atleast_2d(values)])


class Residuals:
    """Draws (S, n) of rows' means and residuals (in sds), and the parts (S, G) of groups in them."""

    def __init__(
        self,
        question: Question,
        candidate: Candidate,
        tree: xr.DataTree,
        most: int | None = None,
    ):
        """``most`` are the draws of ``tree`` that are used at most; by default all that memory bears."""
        fitting = max(FEWEST_DRAWS, MOST_CELLS // len(candidate.table))
        self.tree = thin(tree, min(fitting, most or fitting))
        self.question, self.candidate, self.terms = question, candidate, candidate.terms
        table, posterior = candidate.table, self.tree["posterior"]
        fit = self.tree, candidate.formula, table
        self.mean = flatten(predictions.predict(*fit, table), "row")
        without = table.drop(columns=candidate.group)
        self.of_population = flatten(predictions.predict(*fit, without), "row")
        self.sigma = flatten(posterior["sigma"])[:, None]
        self.residuals = (question.values - self.mean) / self.sigma
        labels = table[candidate.group].cat
        self.code, self.groups = labels.codes.to_numpy(), labels.categories
        self.sizes = np.bincount(self.code)
        names = list(self.terms.by_group)
        self.columns = [self.terms.columns_by_group(name, table)[:, 0] for name in names]
        self.spreads = [posterior[f"{name}_sigma"].values.reshape(-1, 1) for name in names]
        self.rho = flatten(posterior["rho"])[:, None] if "rho" in posterior else None

    def mean_by_group(self, values: np.ndarray) -> np.ndarray:
        return sum_by(self.code, values) / self.sizes

    def sds_of_levels(self) -> np.ndarray:
        """Sds (S, G) of the levels of groups where each has its rows."""
        pairs = zip(self.spreads, self.columns, strict=True)
        parts = [spread * self.mean_by_group(column) for spread, column in pairs]
        variance = sum(part**2 for part in parts)
        if self.rho is not None:
            variance = variance + 2 * self.rho * parts[0] * parts[1]
        return np.sqrt(variance)

    def log_density_of_groups(self) -> np.ndarray:
        """Log densities (S, G) of the rows of each group around the population's line, with the group's
        effects integrated out."""
        errors = self.question.values - self.of_population
        spread, number = np.hstack(self.spreads), len(self.spreads)
        precision = 1 / self.sigma**2
        # Effects counted in their sds, which have the covariance R with ones on its diagonal.
        pulls = np.stack([sum_by(self.code, errors * z) for z in self.columns], -1)
        pulls = pulls * spread[:, None]
        products = np.array(
            [[sum_by(self.code, z * w)[0] for w in self.columns] for z in self.columns]
        )
        squares = np.einsum("sk,sl,klg->sgkl", spread, spread, products)
        r = np.tile(np.eye(number), (len(spread), 1, 1))
        if self.rho is not None:
            r[:, 0, 1] = r[:, 1, 0] = self.rho[:, 0]
        inner = np.linalg.inv(r)[:, None] + precision[..., None, None] * squares
        fitted = np.einsum("sgk,sgk->sg", pulls, np.linalg.solve(inner, pulls[..., None])[..., 0])
        quadratic = precision * sum_by(self.code, errors**2) - precision**2 * fitted
        log_det = np.linalg.slogdet(inner)[1] + np.linalg.slogdet(r)[1][:, None]
        return -(quadratic + log_det) / 2 - self.sizes * np.log(self.sigma)
