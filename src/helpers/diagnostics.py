"""The gate: which fits may be printed."""

import arviz as az
import pandas as pd
import xarray as xr

R_HAT_LIMIT = 1.01
ESS_LIMIT = 400
E_BFMI_LIMIT = 0.3


class FitRejected(RuntimeError):
    """A fit did not pass the gate; ``failures`` is the table of what failed."""

    def __init__(self, failures: pd.DataFrame):
        self.failures = failures
        super().__init__(
            "This fit must not be read, because\n\n"
            f"{failures.to_string(index=False)}\n\n"
            "Draw more (parameter `draws`), take smaller steps (`target_accept`), or write the model "
            "in another form; the chapter on diagnostics says which when."
        )


def find_failures(tree: xr.DataTree) -> pd.DataFrame:
    """List what speaks against reading a fit.

    Parameters
    ----------
    tree
        A fit with the groups ``posterior`` and ``sample_stats``.

    Returns
    -------
    DataFrame with a row for each failure: ``parameter``, ``diagnostic``, ``value`` and ``limit``. Rank
    normalized split R-hat may be at most 1.01, bulk and tail ESS at least 400 each (Vehtari et al.
    2021). After warm-up no draw may have diverged or stopped at the maximal tree depth, and each
    chain's E-BFMI must be at least 0.3 (Betancourt 2016). No row means that nothing was found.
    """
    summary = _convergence(tree)
    too_high = summary[["R-hat"]].gt(R_HAT_LIMIT) | summary[["R-hat"]].isna()
    too_low = summary[["bulk ESS", "tail ESS"]].lt(ESS_LIMIT)
    limits = {
        "R-hat": f"<= {R_HAT_LIMIT}",
        "bulk ESS": f">= {ESS_LIMIT}",
        "tail ESS": f">= {ESS_LIMIT}",
    }
    rows = [
        (label, diagnostic, round(summary.loc[label, diagnostic], 4), limits[diagnostic])
        for diagnostic, failed in {**too_high, **too_low}.items()
        for label in summary.index[failed]
    ]
    rows += _sampler_failures(tree["sample_stats"].to_dataset())
    return pd.DataFrame(rows, columns=["parameter", "diagnostic", "value", "limit"])


def require_converged(tree: xr.DataTree) -> str:
    """Let a good fit pass and stop at a bad one.

    Returns
    -------
    One line of verdict to print.

    Raises
    ------
    FitRejected
        With the table of ``find_failures`` if that has any row.
    """
    failures = find_failures(tree)
    if len(failures):
        raise FitRejected(failures)
    summary = _convergence(tree)
    smallest_ess = summary[["bulk ESS", "tail ESS"]].min(axis=None)
    worst_r_hat = summary["R-hat"].max()
    return f"Fit passed: R-hat <= {worst_r_hat:.3f}, ESS >= {smallest_ess:,.0f}, no divergences."


def _convergence(tree: xr.DataTree) -> pd.DataFrame:
    """R-hat, bulk and tail ESS of every scalar, one row each."""
    posterior = tree["posterior"].to_dataset()
    columns = {
        "R-hat": az.rhat(posterior),
        "bulk ESS": az.ess(posterior, method="bulk"),
        "tail ESS": az.ess(posterior, method="tail"),
    }
    return pd.DataFrame({name: dict(_entries(values)) for name, values in columns.items()})


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


def _entries(dataset: xr.Dataset | xr.DataTree) -> list[tuple[str, float]]:
    """Label and value of every scalar in a dataset, such as ("group_intercept[Kent]", 1.002)."""
    entries = []
    for name, array in dataset.data_vars.items():
        if array.ndim == 0:
            entries.append((name, float(array)))
        else:
            series = array.to_series()
            entries += [
                (f"{name}[{_label(index)}]", float(value)) for index, value in series.items()
            ]
    return entries


def _label(index: object) -> str:
    return ", ".join(map(str, index)) if isinstance(index, tuple) else str(index)
