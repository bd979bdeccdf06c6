"""Calibration: does a back end give the truth back, on average over the prior?

Simulation-based calibration (Talts et al. 2018): draw parameters from the prior, simulate data from
them, and count how many posterior draws lie below each true value. If prior, simulation and
posterior belong together, these ranks are uniform. ``tools/study/calibrate.py`` runs the long
study, whose results ``load_study`` reads; ``tools/study/calibrate_yes_no.py`` that of ``load_yes_no``.
Frames are the book's visits, with ``std_age``, ``county`` and the outcome: ``bounce_time``, or where
the parameters have no ``sigma``, the yes (1) or no (0) of a Bernoulli model on the scale of log odds.
"""

import json
from functools import cache

import numpy as np
import pandas as pd
import xarray as xr
from scipy import special, stats

from helpers.book.visits import data_file
from helpers.diagnostics import label_entries
from helpers.priors import MODELS, Priors, check_choice

REPEATS = 20_000  # simulated sets of ranks behind each band


def draw_from_prior(
    name: str, labels: list[str], rng: np.random.Generator, priors: Priors = Priors()
) -> xr.Dataset:
    """Draw the parameters of one of the three models from its prior, in plain numpy.

    ``labels`` are the counties. The Dataset names the parameters as ``models.fit`` does: scalars,
    and the deviations by county. A ``ValueError`` refuses an unknown model.
    """
    check_choice("model", name, MODELS)
    drawn = {
        "intercept": rng.normal(*priors.intercept),
        "slope": rng.normal(*priors.slope),
        "sigma": abs(rng.normal(0, priors.sigma)),
    }
    z = rng.normal(size=(2, len(labels)))
    if name != "pooled":
        drawn["group_sd"] = abs(rng.normal(0, priors.group_sd))
        drawn["group_intercept"] = ("county", drawn["group_sd"] * z[0])
    if name == "random_slope":
        drawn["slope_sd"] = abs(rng.normal(0, priors.slope_sd))
        rho = 0.0
        if priors.lkj_eta is not None:
            rho = drawn["rho"] = 2 * rng.beta(priors.lkj_eta, priors.lkj_eta) - 1
        correlated = rho * z[0] + np.sqrt(1 - rho**2) * z[1]
        drawn["group_slope"] = ("county", drawn["slope_sd"] * correlated)
    return xr.Dataset(drawn, coords={"county": list(labels)})


def simulate_outcome(
    parameters: xr.Dataset, frame: pd.DataFrame, rng: np.random.Generator
) -> np.ndarray:
    """Simulate a bounce time (s), or a yes or no, for each visit, from its age and county and one draw
    of the parameters.
    """
    line = _expected(parameters, frame)
    if "sigma" not in parameters:
        return (rng.uniform(size=len(frame)) < special.expit(line.values)).astype(int)
    return rng.normal(line, float(parameters["sigma"]))


def log_likelihood(
    parameters: xr.Dataset, frame: pd.DataFrame, outcome: str = "bounce_time"
) -> xr.DataArray:
    """Log density, or log probability, of all outcomes of ``frame`` given the parameters, for each draw.

    A quantity to rank besides the parameters: it alone notices a posterior that has not looked at
    the data (Modrák et al. 2025).
    """
    observed = xr.DataArray(frame[outcome].to_numpy(), dims="obs")
    line = _expected(parameters, frame)
    if "sigma" not in parameters:
        return -np.logaddexp(0, (1 - 2 * observed) * line).sum("obs")
    sigma = parameters["sigma"]
    squares = ((observed - line) ** 2).sum("obs")
    return -squares / (2 * sigma**2) - len(frame) * np.log(sigma * np.sqrt(2 * np.pi))


def add_densities(tree: xr.DataTree, frame: pd.DataFrame, priors: Priors) -> xr.DataTree:
    """Exact draws with the groups that power-scaling needs, ``log_prior`` and ``log_likelihood``.

    ``tree`` is what ``exact_posterior`` returns for a model with groups on ``frame`` under
    ``priors``. ``log_prior`` holds the top-level parameters only; the log likelihood is that of all
    rows together.
    """
    posterior = tree["posterior"].to_dataset()
    log_prior = {
        name: posterior[name].copy(data=prior.logpdf(posterior[name]))
        for name, prior in priors.distributions().items()
        if name in posterior
    }
    likelihood = log_likelihood(posterior, frame).to_dataset(name="bounce_time")
    groups = {"posterior": posterior, "log_prior": xr.Dataset(log_prior)}
    return xr.DataTree.from_dict({**groups, "log_likelihood": likelihood})


def rank_truth(
    truth: xr.Dataset, posterior: xr.Dataset, frame: pd.DataFrame, outcome: str = "bounce_time"
) -> pd.Series:
    """Count the posterior draws that lie below the truth.

    Parameters
    ----------
    truth
        One draw from the prior.
    posterior
        L (nearly) independent draws, with the dimensions ``chain`` and ``draw``.
    frame, outcome
        The visits with the outcomes that were simulated from ``truth``, and the outcomes' column.

    Returns
    -------
    Series of whole numbers from 0 to L, indexed by the quantity: every scalar, such as "slope" or
    "group_intercept[Kent]", and "log_likelihood".
    """
    truth = truth.assign(log_likelihood=log_likelihood(truth, frame, outcome))
    posterior = posterior.assign(log_likelihood=log_likelihood(posterior, frame, outcome))
    below = (posterior < truth[list(posterior.data_vars)]).sum(["chain", "draw"])
    return pd.Series(dict(label_entries(below)), dtype=int).rename_axis("quantity")


def ecdf_difference(ranks: np.ndarray, draws: int) -> np.ndarray:
    """How much more than their share of the ranks lies at or below each k, for k = 0 ... L - 1.

    ``ranks`` lie between 0 and L, one a data set; ``draws`` is L, among how many posterior draws
    each truth was ranked. Array (L,): the ranks' empirical distribution function minus (k + 1) / (L
    + 1).
    """
    counts = np.bincount(np.asarray(ranks, dtype=int), minlength=draws + 1)
    return counts.cumsum()[:-1] / counts.sum() - _shares(draws)


def ecdf_band(number: int, draws: int, prob: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Limits (L,), (L,) of the ``ecdf_difference`` of uniform ranks that hold with a probability.

    With ``prob`` all of the curve of ``number`` ranks lies between them: pointwise limits are
    binomial, and how far out they must be to hold jointly is found by simulation (Säilynoja et al.
    2022).
    """
    tail = np.quantile(_smallest_tails(number, draws), 1 - prob) / 2
    shares = _shares(draws)
    lower, upper = stats.binom.ppf([[tail], [1 - tail]], number, shares) / number - shares
    return lower, upper


def uniformity_p_value(ranks: np.ndarray, draws: int) -> float:
    """Share of uniform sets of ranks that leave their binomial limits at least as far as these do.

    Below 0.05 the ranks lie somewhere outside of the 95 % band of ``ecdf_band``. The smallest
    possible value is 1 / (``REPEATS`` + 1).
    """
    counts = np.bincount(np.asarray(ranks, dtype=int), minlength=draws + 1)[None]
    smallest = _smallest_tail(counts, len(ranks), draws)[0]
    simulated = _smallest_tails(len(ranks), draws)
    return (1 + np.sum(simulated <= smallest * (1 + 1e-9))) / (1 + REPEATS)


def load_study() -> tuple[pd.DataFrame, pd.DataFrame, dict]:
    """Read the stored study that ``make calibrate`` wrote: ranks, coverage and record.

    ``ranks`` has one row a rank: ``study`` ("exact", "NUTS" or "wrong prior"), ``model``,
    ``quantity``, ``data_set`` and ``rank``. ``coverage`` has one row an interval: ``model``,
    ``world`` (seed of ``simulate_bounce_times``), and ``mean``, ``lower`` and ``upper`` of the
    slope in seconds per decade. ``record`` says what the study was run with, from
    ``data/calibration.json``.
    """
    ranks, coverage = map(pd.read_csv, map(data_file, ("calibration.csv.gz", "coverage.csv.gz")))
    return ranks, coverage, _load_record("calibration.json")


def load_yes_no() -> tuple[pd.DataFrame, dict]:
    """Ranks of the stored study of a Bernoulli model, as those of ``load_study``, and its record.

    ``study`` is "NUTS", or "wrong prior": the same fits, with draws weighted as another scale of the
    prior of ``group_sd`` would have them.
    """
    return pd.read_csv(data_file("calibration_families.csv.gz")), _load_record(
        "calibration_families.json"
    )


def load_forgotten_factor() -> tuple[pd.DataFrame, dict]:
    """Intervals of the effect of warmth on simulated wines, with and without bottles, and their record.

    One row a fit: ``model`` ("judges only", "judges and bottles"), ``data_set``, and ``mean``,
    ``lower``, ``upper`` and ``truth`` of the coefficient, in marks.
    """
    table = pd.read_csv(data_file("forgotten_factor.csv"))
    return table, _load_record("forgotten_factor.json")


def _load_record(name: str) -> dict:
    return json.loads(data_file(name).read_text(encoding="utf-8"))


def _expected(parameters: xr.Dataset, frame: pd.DataFrame) -> xr.DataArray:
    """Expected bounce time (s), or log odds of a yes, of each visit (``obs``), for each draw."""
    x = xr.DataArray(frame["std_age"].to_numpy(), dims="obs")
    county = xr.DataArray(list(frame["county"]), dims="obs")
    line = [parameters["intercept"], parameters["slope"]]
    for k, effect in enumerate(("group_intercept", "group_slope")):
        if effect in parameters:
            line[k] = line[k] + parameters[effect].sel(county=county).drop_vars("county")
    return line[0] + line[1] * x


def _shares(draws: int) -> np.ndarray:
    """Which share of uniform ranks lies at or below k, for k = 0 ... L - 1."""
    return np.arange(1, draws + 1) / (draws + 1)


def _smallest_tail(counts: np.ndarray, number: int, draws: int) -> np.ndarray:
    """For each row of counts (sets, L + 1) the smallest two-sided binomial tail of its ECDF."""
    below = counts.cumsum(axis=1)[:, :-1]
    return _tails(number, draws)[below, np.arange(draws)].min(axis=1)


@cache
def _tails(number: int, draws: int) -> np.ndarray:
    """Two-sided binomial tails (number + 1, L) of every count at or below every k."""
    count, shares = np.arange(number + 1)[:, None], _shares(draws)
    at_most = stats.binom.cdf(count, number, shares)
    at_least = stats.binom.sf(count - 1, number, shares)
    return np.minimum(1, 2 * np.minimum(at_most, at_least))


@cache
def _smallest_tails(number: int, draws: int) -> np.ndarray:
    """``_smallest_tail`` of ``REPEATS`` sets of uniform ranks, always the same."""
    rng = np.random.default_rng(0)
    shares = np.full(draws + 1, 1 / (draws + 1))
    parts = [rng.multinomial(number, shares, size=1000) for _ in range(REPEATS // 1000)]
    return np.concatenate([_smallest_tail(counts, number, draws) for counts in parts])
