"""The gate: which fits may be printed."""

import arviz as az
import pandas as pd
import xarray as xr

R_HAT_LIMIT = 1.01
ESS_LIMIT = 400


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
    2021), and no draw after warm-up may have diverged. No row means that nothing was found.
    """
    posterior = tree["posterior"].to_dataset()
    checks = (
        ("R-hat", az.rhat(posterior), lambda value: value <= R_HAT_LIMIT, f"<= {R_HAT_LIMIT}"),
        (
            "bulk ESS",
            az.ess(posterior, method="bulk"),
            lambda value: value >= ESS_LIMIT,
            f">= {ESS_LIMIT}",
        ),
        (
            "tail ESS",
            az.ess(posterior, method="tail"),
            lambda value: value >= ESS_LIMIT,
            f">= {ESS_LIMIT}",
        ),
    )
    rows = [
        (label, diagnostic, round(value, 4), limit)
        for diagnostic, values, passes, limit in checks
        for label, value in _entries(values)
        if not passes(value)
    ]
    divergences = int(tree["sample_stats"]["diverging"].sum())
    if divergences:
        rows.append(("all", "divergences", divergences, "0"))
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
    posterior = tree["posterior"].to_dataset()
    worst_r_hat = max(value for _, value in _entries(az.rhat(posterior)))
    smallest_ess = min(
        value
        for method in ("bulk", "tail")
        for _, value in _entries(az.ess(posterior, method=method))
    )
    return f"Fit passed: R-hat <= {worst_r_hat:.3f}, ESS >= {smallest_ess:,.0f}, no divergences."


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
