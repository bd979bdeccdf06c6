"""The gate: which fits may be printed, and how far they are from the exact answer."""

import arviz as az
import pandas as pd
import xarray as xr

from helpers.priors import INTERVAL, LOWER, PARAMETERS, UPPER

R_HAT_LIMIT = 1.01
ESS_LIMIT = 400
E_BFMI_LIMIT = 0.3
# Monte Carlo standard errors. Those of quantiles are themselves off by a fifth: of all numbers of a fit,
# perfect draws had one up to 4.0 from the answer in 300 fits, good chains one up to 5.0 in hundreds.
DISTANCE_LIMIT = 6


class FitRejected(RuntimeError):
    """A fit did not pass the gate; ``failures`` is the table of what failed."""

    def __init__(self, failures: pd.DataFrame):
        self.failures = failures
        super().__init__(
            "This fit must not be read, because\n\n"
            f"{failures.to_string(index=False)}\n\n"
            "Draw more (parameter `draws`), take smaller steps (`target_accept`), or write the\n"
            "model in another form; the chapter on diagnostics says which when."
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
    """
    rows = _convergence_failures(_convergence(tree))
    rows += _sampler_failures(tree["sample_stats"].to_dataset())
    if exact is not None:
        rows += _distance_failures(compare_with_exact(tree, exact)["difference"])
    # Numbers as objects, so that each prints with its own digits: counts and ESS as whole numbers.
    return pd.DataFrame(rows, columns=["parameter", "diagnostic", "value", "limit"], dtype=object)


def require_converged(tree: xr.DataTree, exact: xr.DataTree | None = None) -> str:
    """Let a good fit pass with one line of verdict to print, and stop at a bad one.

    What comes from the exact back end passes: its draws are independent, and ``exact_posterior``
    has judged its own accuracy. Raises ``FitRejected`` with the table of what ``find_failures``
    found, if it is not empty.
    """
    if "exact" in tree.children:
        nodes = tree["exact"].attrs["nodes"]
        return f"Exact answer from {nodes:,} nodes; the draws are independent."
    failures = find_failures(tree, exact)
    if len(failures):
        raise FitRejected(failures)
    summary = _convergence(tree)
    smallest_ess = summary[["bulk ESS", "tail ESS"]].min(axis=None)
    worst_r_hat = summary["R-hat"].max()
    verdict = f"Fit passed: R-hat <= {worst_r_hat:.3f}, ESS >= {smallest_ess:,.0f}, no divergences"
    if exact is None:
        return f"{verdict}."
    farthest = compare_with_exact(tree, exact)["difference"].abs().max()
    return f"{verdict},\nno number farther than {farthest:.1f} Monte Carlo errors from the exact answer."


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
    errors = monte_carlo_errors(tree)
    dims, tail = ["chain", "draw"], (1 - INTERVAL) / 2
    sampled = {
        "mean": posterior.mean(dims),
        "sd": posterior.std(dims, ddof=1),
        LOWER: posterior.quantile(tail, dims),
        UPPER: posterior.quantile(1 - tail, dims),
    }
    parts = {}
    for statistic, values in sampled.items():
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


def monte_carlo_errors(tree: xr.DataTree | xr.Dataset) -> dict[str, xr.Dataset]:
    """Monte Carlo standard errors of mean, sd and the limits of the 95 % interval, in that order.

    Computed by ArviZ after Vehtari et al. (2021).
    """
    posterior = tree["posterior"].to_dataset() if isinstance(tree, xr.DataTree) else tree
    tail = (1 - INTERVAL) / 2
    return {
        "mean": az.mcse(posterior, method="mean"),
        "sd": az.mcse(posterior, method="sd"),
        LOWER: az.mcse(posterior, method="quantile", prob=tail),
        UPPER: az.mcse(posterior, method="quantile", prob=1 - tail),
    }


def _convergence(tree: xr.DataTree) -> pd.DataFrame:
    """R-hat, bulk and tail ESS of every scalar, one row each."""
    posterior = tree["posterior"].to_dataset()
    columns = {
        "R-hat": az.rhat(posterior),
        "bulk ESS": az.ess(posterior, method="bulk"),
        "tail ESS": az.ess(posterior, method="tail"),
    }
    return pd.DataFrame({name: dict(label_entries(values)) for name, values in columns.items()})


def _convergence_failures(summary: pd.DataFrame) -> list[tuple]:
    """R-hat above, or an ESS below its limit, of each kind the worst first; a NaN is worst of all."""
    r_hat = summary["R-hat"].sort_values(ascending=False, na_position="first")
    rows = [
        (label, "R-hat", round(value, 4), f"<= {R_HAT_LIMIT}")
        for label, value in r_hat.items()
        if not value <= R_HAT_LIMIT
    ]
    for kind in ("bulk ESS", "tail ESS"):
        low = summary[kind][summary[kind] < ESS_LIMIT].sort_values()
        rows += [(label, kind, int(value), f">= {ESS_LIMIT}") for label, value in low.items()]
    return rows


def _distance_failures(differences: pd.Series) -> list[tuple]:
    """Numbers too far from the exact answer, in Monte Carlo standard errors."""
    far, limit = "{}, distance from exact in MCSE", f"<= {DISTANCE_LIMIT}"
    return [
        (label, far.format(statistic), round(distance, 1), limit)
        for (label, statistic), distance in differences.items()
        if not abs(distance) <= DISTANCE_LIMIT
    ]


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
