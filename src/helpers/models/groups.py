"""The groups of a fit: those that are kept, and those that it can have besides."""

from collections.abc import Iterable

import pymc as pm
import xarray as xr

EXTENSIONS = ("prior", "prior_predictive", "posterior_predictive", "log_likelihood", "log_prior")
KEPT = ("posterior", "sample_stats", "observed_data", *EXTENSIONS)
PARAMETERS_IN = ("posterior", "prior")


def extend_fit(
    tree: xr.DataTree, model: pm.Model, extend: tuple[str, ...], draws: int, seed: int
) -> None:
    """Add the groups named in ``extend`` to a fit, in place."""
    with model:
        if "prior" in extend or "prior_predictive" in extend:
            prior = pm.sample_prior_predictive(draws=draws, random_seed=seed)
            tree.update(
                {name: prior[name] for name in ("prior", "prior_predictive") if name in extend}
            )
        if "posterior_predictive" in extend:
            tree.update(pm.sample_posterior_predictive(tree, random_seed=seed, progressbar=False))
        if "log_likelihood" in extend:
            pm.stats.compute_log_likelihood(tree, progressbar=False)
        if "log_prior" in extend:
            top = [rv.name for rv in model.free_RVs if rv.ndim == 0]
            pm.stats.compute_log_prior(tree, var_names=top, progressbar=False)


def keep_parameters(
    tree: xr.DataTree, names: Iterable[str], kept: tuple[str, ...] = KEPT
) -> xr.DataTree:
    """Drop what samplers draw and note besides the parameters with these names, and order what is left."""
    groups = {path: tree[path].to_dataset() for path in tree.children if path in kept}
    for path in {*PARAMETERS_IN} & {*groups}:
        groups[path] = groups[path][[name for name in names if name in groups[path]]]
    return xr.DataTree.from_dict(groups)
