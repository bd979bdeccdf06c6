"""The gate: which fits may be printed, and how far they are from the exact answer."""

import arviz as az
import pandas as pd
import xarray as xr
from scipy import stats

from helpers import convergence
from helpers.priors import INTERVAL, LOWER, PARAMETERS, UPPER

R_HAT_LIMIT = 1.01
ESS_LIMIT = 400
E_BFMI_LIMIT = 0.3
# Monte Carlo standard errors. Those of quantiles are themselves off by a fifth: of all numbers of a fit,
# perfect draws had one up to 4.0 from the answer in 300 fits, good chains one up to 5.0 in hundreds.
DISTANCE_LIMIT = 6
# Of a parameter with many numbers, one a group, some are off by chance. Most must keep to the limits
# above, as one in a hundred need not, and the worst to limits which grow with their number.
CROWD = 100  # numbers
SHARE = 0.01  # of them
ALARM = 0.01  # how often chance may stop a sound fit, for one diagnostic of one parameter
CROWD_ESS = 1000  # effective draws of a sound fit
CROWD_DISTANCE = 4  # of most; of independent draws one number in a thousand lies beyond
LOWEST_ESS = 200  # of the worst: estimates of 500 had one of 230 among 3,000
ERROR_DF = 20  # distances in estimated errors scatter like Student's t
WORST = 5  # failures of a kind in a message


class FitRejected(RuntimeError):
    """A fit did not pass the gate; ``failures`` is the table of what failed."""

    def __init__(self, failures: pd.DataFrame):
        self.failures = failures
        shown = failures.groupby("diagnostic", sort=False).head(WORST)
        more = len(failures) - len(shown)
        rest = f"\n\nand {more:,} more, all in `failures`." if more else ""
        super().__init__(
            "This fit must not be read, because\n\n"
            f"{shown.to_string(index=False)}{rest}\n\n"
            "In this order: standardize the predictor (`frames.standardize`), draw more (`draws`), take\n"
            'smaller steps (`target_accept`), or ask for the exact answer (`backend="exact"`); the\n'
            "chapter on diagnostics says which when."
        )


def find_failures(tree: xr.DataTree, exact: xr.DataTree | None = None) -> pd.DataFrame:
    """List what speaks against reading a fit, a tree with ``posterior`` and ``sample_stats``.

    DataFrame with a row for each failure, of each kind the worst first: ``parameter``,
    ``diagnostic``, ``value`` and ``limit``; no row means that nothing was found. Rank normalized
    split R-hat may be at most 1.01, bulk and tail ESS at least 400 each (Vehtari et al. 2021).
    After warm-up no draw may have diverged or stopped at the maximal tree depth, and each chain's
    E-BFMI must be at least 0.3 (Betancourt 2016). Beside the exact answer for the same model and
    data, no mean, sd or limit of an interval may lie more than 6 Monte Carlo standard errors from
    it.

    Of a parameter with 100 numbers or more, one in a hundred may break these limits, and none those
    that chance does not reach: ``r_hat_limit``, an ESS of 200, ``distance_limit``. Then also no more
    than one distance in a hundred may be above 4.
    """
    compared = None if exact is None else compare_with_exact(tree, exact)["difference"]
    return _find_failures(tree, _convergence(tree), compared)


def require_converged(tree: xr.DataTree, exact: xr.DataTree | None = None) -> str:
    """Let a good fit pass with one line of verdict to print, and stop at a bad one.

    What comes from the exact back end passes: its draws are independent, and ``exact_posterior``
    has judged its own accuracy. Raises ``FitRejected`` with the table of what ``find_failures``
    found, if it is not empty.
    """
    if "exact" in tree.children:
        nodes = tree["exact"].attrs["nodes"]
        return f"Exact answer from {nodes:,} nodes; the draws are independent."
    summary = _convergence(tree)
    compared = None if exact is None else compare_with_exact(tree, exact)["difference"]
    failures = _find_failures(tree, summary, compared)
    if len(failures):
        raise FitRejected(failures)
    smallest_ess = summary[["bulk ESS", "tail ESS"]].min(axis=None)
    worst_r_hat = summary["R-hat"].max()
    verdict = f"Fit passed: R-hat <= {worst_r_hat:.3f}, ESS >= {smallest_ess:,.0f}, no divergences"
    return f"{verdict}." if compared is None else f"{verdict}, in agreement with the exact answer."


def r_hat_limit(numbers: int, chains: int = 4) -> float:
    """What the largest R-hat of so many numbers stays below by chance: 1.01 for fewer than 100.

    Chains cut in two are M pieces. If they agree, R-hat - 1 is M / (2 ESS) times F - 1, with F
    nearly chi-squared over its M - 1 degrees of freedom. The limit is exceeded by one of ``numbers``
    in one of a hundred fits with an ESS of 1,000.
    """
    if numbers < CROWD:
        return R_HAT_LIMIT
    pieces = 2 * chains
    largest = stats.chi2.isf(ALARM / numbers, pieces - 1) / (pieces - 1)
    return max(R_HAT_LIMIT, 1 + pieces / (2 * CROWD_ESS) * (largest - 1))


def distance_limit(numbers: int) -> float:
    """What the largest distance from the exact answer stays below by chance: 6 for fewer than 100.

    In estimated Monte Carlo standard errors, four a number. The limit is exceeded in one of a
    hundred sound fits.
    """
    if numbers < CROWD:
        return DISTANCE_LIMIT
    return max(DISTANCE_LIMIT, stats.t.isf(ALARM / (4 * numbers) / 2, ERROR_DF))


def compare_with_exact(tree: xr.DataTree, exact: xr.DataTree) -> pd.DataFrame:
    """Set what a sampler found beside the exact answer, in Monte Carlo standard errors.

    ``tree`` is a fit, ``exact`` a result of ``exact_posterior`` for the same model.

    Returns
    -------
    DataFrame indexed by ``parameter`` and ``statistic`` (mean, sd, 2.5 % and 97.5 % quantile), with
    ``sampled``, ``exact``, ``mcse`` (the Monte Carlo standard error of that statistic) in the
    parameter's units, and ``difference``: sampled minus exact, in MCSE.

    Raises
    ------
    ValueError
        If only one of the two has a parameter, for instance ``rho``, or the groups differ.
        Variables of the fit that are no parameters of the book's models are left out.
    """
    answer = exact["exact"].to_dataset()
    posterior = tree["posterior"].to_dataset()
    differing = [name for name in PARAMETERS if (name in posterior) != (name in answer)]
    if differing:
        raise ValueError(f"Only one of fit and exact answer has the parameter {differing[0]!r}.")
    posterior = posterior[list(answer.data_vars)]
    errors, parts = monte_carlo_errors(posterior), {}
    for statistic, values in find_statistics(posterior).items():
        found = {"sampled": values, "exact": answer.sel(statistic=statistic)}
        found["mcse"] = errors[statistic][list(posterior.data_vars)]
        parts[statistic] = pd.DataFrame({name: dict(label_entries(found[name])) for name in found})
    table = pd.concat(parts, names=["statistic", "parameter"]).swaplevel()
    if table.isna().any(axis=None):
        alone = table.index[table.isna().any(axis=1)][0][0]
        raise ValueError(
            f"Only one of fit and exact answer has the parameter {alone!r}, or it is NaN."
        )
    return table.assign(difference=(table["sampled"] - table["exact"]) / table["mcse"])


def find_statistics(posterior: xr.Dataset) -> dict[str, xr.Dataset]:
    """Mean, sd and the limits of the 95 % interval of draws, in that order."""
    tail, dims = (1 - INTERVAL) / 2, ["chain", "draw"]
    limits = posterior.quantile([tail, 1 - tail], dims)
    return {
        "mean": posterior.mean(dims),
        "sd": posterior.std(dims, ddof=1),
        LOWER: limits.isel(quantile=0, drop=True),
        UPPER: limits.isel(quantile=1, drop=True),
    }


def monte_carlo_errors(tree: xr.DataTree | xr.Dataset) -> dict[str, xr.Dataset]:
    """Monte Carlo standard errors of what ``find_statistics`` finds, in its order.

    As ArviZ computes them after Vehtari et al. (2021).
    """
    posterior = tree["posterior"].to_dataset() if isinstance(tree, xr.DataTree) else tree
    tail = (1 - INTERVAL) / 2
    return {
        "mean": convergence.mcse_mean(posterior),
        "sd": convergence.mcse_sd(posterior),
        LOWER: convergence.mcse_quantile(posterior, tail),
        UPPER: convergence.mcse_quantile(posterior, 1 - tail),
    }


def _find_failures(
    tree: xr.DataTree, summary: pd.DataFrame, differences: pd.Series | None
) -> pd.DataFrame:
    """``find_failures`` from what ``_convergence`` and ``compare_with_exact`` found."""
    rows = _convergence_failures(summary, tree["posterior"].sizes["chain"])
    rows += _sampler_failures(tree["sample_stats"].to_dataset())
    if differences is not None:
        rows += _distance_failures(differences)
    # Numbers as objects, so that each prints with its own digits: counts and ESS as whole numbers.
    return pd.DataFrame(rows, columns=["parameter", "diagnostic", "value", "limit"], dtype=object)


def _convergence(tree: xr.DataTree) -> pd.DataFrame:
    """R-hat, bulk and tail ESS of every scalar, one row each."""
    columns = convergence.judge(tree["posterior"].to_dataset())
    return pd.DataFrame({name: dict(label_entries(values)) for name, values in columns.items()})


def _name_of(label: str) -> str:
    """The parameter that an entry belongs to."""
    return label.partition("[")[0]


def _beyond(values: pd.Series, usual: float, crowd: float, last: float) -> list[tuple]:
    """Entries of one parameter above its limits, with the limit that each broke; NaN is above all.

    ``usual`` holds for few numbers, ``crowd`` for most of many, and ``last`` for all of many.
    """
    many = len(values) >= CROWD
    above = values[~(values <= (crowd if many else usual))]
    if not many:
        return [(label, value, usual, "") for label, value in above.items()]
    if len(above) > SHARE * len(values):
        share = f" for {100 * (1 - SHARE):.0f} % of its {len(values):,} numbers"
        return [(label, value, crowd, share) for label, value in above.items()]
    return [(label, value, last, "") for label, value in above.items() if not value <= last]


def _convergence_failures(summary: pd.DataFrame, chains: int) -> list[tuple]:
    """R-hat above, or an ESS below its limit, of each kind the worst first; a NaN is worst of all."""
    rows = []
    found = []
    for _, values in summary["R-hat"].groupby(_name_of, sort=False):
        found += _beyond(values, R_HAT_LIMIT, R_HAT_LIMIT, r_hat_limit(len(values), chains))
    for label, value, limit, share in sorted(found, key=_badness):
        rows.append((label, "R-hat", round(value, 4), f"<= {limit:.4g}{share}"))
    for kind in ("bulk ESS", "tail ESS"):
        found = []
        for _, values in (-summary[kind].dropna()).groupby(_name_of, sort=False):
            found += _beyond(values, -ESS_LIMIT, -ESS_LIMIT, -LOWEST_ESS)
        for label, value, limit, share in sorted(found, key=_badness):
            rows.append((label, kind, int(-value), f">= {-limit}{share}"))
    return rows


def _badness(failure: tuple) -> tuple[bool, float]:
    """Sorts NaN first, then the largest value."""
    value = failure[1]
    return (value == value, -value if value == value else 0.0)


def _distance_failures(differences: pd.Series) -> list[tuple]:
    """Numbers too far from the exact answer, in Monte Carlo standard errors."""
    rows = []
    names = [_name_of(label) for label in differences.index.get_level_values("parameter")]
    statistics = differences.index.get_level_values("statistic")
    for _, values in differences.groupby([names, statistics], sort=False):
        limits = DISTANCE_LIMIT, CROWD_DISTANCE, distance_limit(len(values))
        for (label, statistic), _, limit, share in _beyond(values.abs(), *limits):
            distance = round(values[label, statistic], 1)
            kind = f"{statistic}, distance from exact in MCSE"
            rows.append((label, kind, distance, f"<= {limit:.3g}{share}"))
    return rows


def _sampler_failures(stats: xr.Dataset) -> list[tuple]:
    """What the sampler itself reports: divergences, tree depth (its name differs), energy."""
    rows = []
    if divergences := int(stats["diverging"].sum()):
        rows.append(("all", "divergences", divergences, "0"))
    for name in ("maxdepth_reached", "reached_max_treedepth"):
        if name in stats and (stopped := int(stats[name].sum())):
            rows.append(("all", "draws at maximal tree depth", stopped, "0"))
    if "energy" in stats:
        e_bfmi = float(az.bfmi(stats["energy"]).min())
        if not e_bfmi >= E_BFMI_LIMIT:
            rows.append(("all", "E-BFMI", round(e_bfmi, 4), f">= {E_BFMI_LIMIT}"))
    return rows


def label_entries(dataset: xr.Dataset | xr.DataTree) -> list[tuple[str, float]]:
    """Label and value of every scalar in a dataset, such as ("group_intercept[Kent]", 1.002)."""
    entries = []
    for name, array in dataset.data_vars.items():
        if array.ndim == 0:
            entries.append((name, float(array)))
            continue
        for index, value in array.to_series().items():
            label = ", ".join(map(str, index)) if isinstance(index, tuple) else index
            entries.append((f"{name}[{label}]", float(value)))
    return entries
