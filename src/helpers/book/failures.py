"""Failures on purpose: small models with one thing wrong, their cures, and the checks that tell.

The appendix with the gallery of failures shows them, and its tests ask that each is caught.
"""

import numpy as np
import nutpie
import pandas as pd
import pymc as pm
import xarray as xr
from scipy import stats

from helpers.book.visits import COUNTIES, SIGMA
from helpers.priors import INTERVAL, LOWER, SEED, UPPER


def simulate_counties(rows: int, group_sd: float, seed: int = SEED) -> pd.DataFrame:
    """Simulate as many visits (``rows``) in each of the eight counties.

    DataFrame with ``bounce_time`` (s), ``std_age`` and ``county``. The population's intercept is
    200 s, its slope -2 s per sd of age, the residual sd that of the book's visits; the counties'
    true intercepts have exactly the root mean square ``group_sd`` (s) around the population's.
    """
    rng = np.random.default_rng(seed)
    county = np.repeat(COUNTIES.index, rows)
    deviation = rng.normal(size=len(COUNTIES))
    deviation = (deviation - deviation.mean()) / deviation.std() * group_sd
    x = rng.normal(size=len(county))
    y = rng.normal(200 + np.repeat(deviation, rows) - 2 * x, SIGMA)
    return pd.DataFrame({"bounce_time": y, "std_age": x, "county": pd.Categorical(county)})


def sample(
    model: pm.Model,
    like: object = None,
    *,
    draws: int = 2000,
    tune: int = 1000,
    chains: int = 4,
    seed: int = SEED,
    target_accept: float = 0.8,
) -> xr.DataTree:
    """Sample with nutpie, and without compiling if a model with the same lines was compiled before.

    Parameters
    ----------
    model
        A model whose data are ``pm.Data``.
    like
        What ``nutpie.compile_pymc_model`` made of a model that differs in its data or labels only.
    draws, tune, chains, seed, target_accept
        As in ``models.fit``; 0.8 is the default of ``pm.sample``.

    Returns
    -------
    DataTree with ``posterior`` and ``sample_stats``, labelled by the coordinates of ``model``.
    """
    compiled = nutpie.compile_pymc_model(model) if like is None else like
    tree = nutpie.sample(
        compiled.with_data(**{data.name: data.get_value() for data in model.data_vars}),
        draws=draws,
        tune=tune,
        chains=chains,
        seed=seed,
        target_accept=target_accept,
        progress_bar=False,
        save_warmup=False,
    )
    labels = {name: list(values) for name, values in model.coords.items()}
    posterior = tree["posterior"].to_dataset().assign_coords(labels)
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": tree["sample_stats"]})


def centred(frame: pd.DataFrame, names=None) -> pm.Model:
    """The random-intercept model of the book, centred; ``names`` are the labels of the counties in
    their order, by default the right ones."""
    x, y, county, labels = _arrays(frame)
    labels = labels if names is None else names
    with pm.Model(coords={"county": labels}) as model:
        x, y = pm.Data("x", x), pm.Data("y", y)
        county = pm.Data("county_of_visit", county)
        intercept = pm.Normal("intercept", 200, 25)
        slope = pm.Normal("slope", 0, 10)
        sigma = pm.HalfNormal("sigma", 20)
        group_sd = pm.HalfNormal("group_sd", 20)
        own = pm.Normal("own_intercept", intercept, group_sd, dims="county")
        pm.Deterministic("group_intercept", own - intercept, dims="county")
        pm.Normal("bounce_time", own[county] + slope * x, sigma, observed=y)
    return model


def non_centred(frame: pd.DataFrame, county=None) -> pm.Model:
    """The random-intercept model of the book, non-centred; ``county`` is the index of each visit's
    county, by default the right one."""
    x, y, own, labels = _arrays(frame)
    with pm.Model(coords={"county": labels}) as model:
        x, y = pm.Data("x", x), pm.Data("y", y)
        county = pm.Data("county_of_visit", own if county is None else county)
        intercept = pm.Normal("intercept", 200, 25)
        slope = pm.Normal("slope", 0, 10)
        sigma = pm.HalfNormal("sigma", 20)
        group_sd = pm.HalfNormal("group_sd", 20)
        z = pm.Normal("z", 0, 1, dims="county")
        u = pm.Deterministic("group_intercept", group_sd * z, dims="county")
        mean = intercept + u[county] + slope * x
        pm.Normal("bounce_time", mean, sigma, observed=y)
    return model


def own_slopes(frame: pd.DataFrame, predictor: str) -> pm.Model:
    """Independent random intercepts and slopes, with priors that suit a standardized predictor."""
    x, y, county, labels = _arrays(frame, predictor)
    with pm.Model(coords={"county": labels}) as model:
        x, y = pm.Data("x", x), pm.Data("y", y)
        intercept = pm.Normal("intercept", 200, 25)
        slope = pm.Normal("slope", 0, 10)
        sigma = pm.HalfNormal("sigma", 20)
        group_sd = pm.HalfNormal("group_sd", 20)
        slope_sd = pm.HalfNormal("slope_sd", 5)
        own = pm.Normal("own_intercept", intercept, group_sd, dims="county")
        z_slope = pm.Normal("z_slope", 0, 1, dims="county")
        pm.Deterministic("group_intercept", own - intercept, dims="county")
        v = pm.Deterministic("group_slope", slope_sd * z_slope, dims="county")
        mean = own[county] + (slope + v[county]) * x
        pm.Normal("bounce_time", mean, sigma, observed=y)
    return model


def simulate_curve(frame: pd.DataFrame, curve: float = 2.0, seed: int = SEED + 1) -> pd.DataFrame:
    """New times (s) for the ages and counties of ``frame``: own heights, and one curve for all.

    ``curve`` is the coefficient of squared age, in s per squared sd of age. All counties share it and
    the slope at the mean age, -2 s per sd: slopes do not vary. The heights have the rms 10 s.
    """
    rng = np.random.default_rng(seed)
    code, x = frame["county"].cat.codes.to_numpy(), frame["std_age"].to_numpy()
    heights = 10 * rng.permutation(np.linspace(-1.5, 1.5, code.max() + 1))
    mean = 200 + heights[code] - 2 * x + curve * x**2
    return frame.assign(bounce_time=rng.normal(mean, SIGMA))


def simulate_visitors(
    people: int = 6, times: int = 6, seed: int = SEED, *, slope: float
) -> pd.DataFrame:
    """Simulate visitors who come back: ``people`` in each of the eight counties, ``times`` visits each.

    DataFrame with ``bounce_time`` (s), ``std_age``, which is constant within a visitor, ``county`` and
    ``visitor``. ``slope`` is in s per sd of age, intercept and residual sd are those of
    ``simulate_counties``; counties differ by an sd of 5 s, and the visitors of one county by 10 s.
    """
    rng = np.random.default_rng(seed)
    counties = len(COUNTIES)
    who = np.repeat(np.arange(counties * people), times)
    county = who // people
    x = rng.normal(size=counties * people)[who]
    level = 200 + rng.normal(0, 5, counties)[county] + rng.normal(0, 10, counties * people)[who]
    names = COUNTIES.index[county]
    return pd.DataFrame(
        {
            "bounce_time": rng.normal(level + slope * x, SIGMA),
            "std_age": x,
            "county": pd.Categorical(names),
            "visitor": [
                f"{name} {number % people + 1}" for name, number in zip(names, who, strict=True)
            ],
        }
    )


def squared_age(frame: pd.DataFrame) -> np.ndarray:
    """Squared age (sds) less the best straight line of its county through it: what no line follows."""
    square = frame["std_age"] ** 2
    for _, age in frame.groupby("county", observed=True)["std_age"]:
        line = np.polynomial.Polynomial.fit(age, age**2, 1)
        square[age.index] -= line(age)
    return square.to_numpy()


def check_shape(
    tree: xr.DataTree, frame: pd.DataFrame, predictor: str = "std_age", seed: int = SEED
) -> pd.Series:
    """Posterior predictive check of a random-slope fit: how often it makes at least as much.

    The statistics are of the visits' times in all counties, but for ``uneven``, the sd of the
    counties' log sds, and ``bend``, the coefficient of squared age (``squared_age``).
    """
    draws = tree["posterior"].to_dataset().stack(sample=["chain", "draw"])
    draws = draws.isel(sample=slice(None, None, 8)).transpose("sample", ...)
    code, x = frame["county"].cat.codes.to_numpy(), frame[predictor].to_numpy()
    slope = draws["slope"] + draws["group_slope"].transpose("sample", ...)
    level = draws["intercept"] + draws["group_intercept"].transpose("sample", ...)
    mean = level.values[:, code] + slope.values[:, code] * x
    if "covariate_slope" in draws:
        columns = frame[list(draws["covariate"].values)].to_numpy()
        mean = mean + draws["covariate_slope"].transpose("sample", ...).values @ columns.T
    noise = np.random.default_rng(seed).normal(size=mean.shape)
    made = mean + draws["sigma"].values[:, None] * noise
    square = squared_age(frame)

    def describe(times: np.ndarray) -> dict[str, np.ndarray]:
        of_county = [times[:, code == one].std(axis=1) for one in np.unique(code)]
        return {
            "largest": times.max(axis=1),
            "smallest": times.min(axis=1),
            "median": np.median(times, axis=1),
            "sd": times.std(axis=1),
            "skewness": stats.skew(times, axis=1),
            "uneven": np.log(of_county).std(axis=0),
            "bend": times @ square / (square @ square),
        }

    seen = describe(frame["bounce_time"].to_numpy()[None])
    return pd.Series({name: (of >= seen[name]).mean() for name, of in describe(made).items()})


def join_effects(tree: xr.DataTree) -> xr.Dataset:
    """The draws of a random-slope fit as ``pm.LKJCholeskyCov`` lays them out.

    ``line`` holds what all counties share, by effect; ``own_line`` the counties' deviations, by
    county and effect.
    """
    draws = tree["posterior"].to_dataset()
    effect = pd.Index(["intercept", "slope"], name="effect")
    line = xr.concat([draws["intercept"], draws["slope"]], effect)
    own = xr.concat([draws["group_intercept"], draws["group_slope"]], effect)
    return xr.Dataset(
        {
            "line": line.transpose("chain", "draw", "effect"),
            "own_line": own.transpose("chain", "draw", "county", "effect"),
        }
    )


def wrong_names(frame: pd.DataFrame) -> pm.Model:
    """Counties counted in the order of the alphabet, and named in the order of appearance."""
    return centred(frame, names=list(frame["county"].unique()))


def wrong_rows(frame: pd.DataFrame) -> pm.Model:
    """The counties of a sorted table beside the ages and times of the table as it was."""
    by_age = frame.sort_values("std_age")
    return non_centred(frame, county=by_age["county"].cat.codes.to_numpy())


def forgotten_county(frame: pd.DataFrame) -> pm.Model:
    """Group-level effects with all their priors, which the likelihood does not use."""
    x, y, _, labels = _arrays(frame)
    with pm.Model(coords={"county": labels}) as model:
        x, y = pm.Data("x", x), pm.Data("y", y)
        intercept = pm.Normal("intercept", 200, 25)
        slope = pm.Normal("slope", 0, 10)
        sigma = pm.HalfNormal("sigma", 20)
        group_sd = pm.HalfNormal("group_sd", 20)
        z = pm.Normal("z", 0, 1, dims="county")
        pm.Deterministic("group_intercept", group_sd * z, dims="county")
        pm.Normal("bounce_time", intercept + slope * x, sigma, observed=y)
    return model


def two_kinds(times: np.ndarray) -> pm.Model:
    """A mixture of two kinds of visits that may trade places: nothing tells them apart."""
    with pm.Model(coords={"kind": [0, 1]}) as model:
        y = pm.Data("y", times)
        share = pm.Beta("share", 5, 5)
        mean = pm.Normal("mean", 200, 25, dims="kind")
        sigma = pm.HalfNormal("sigma", 20)
        first = pm.math.log(share) + pm.logp(pm.Normal.dist(mean[0], sigma), y)
        second = pm.logp(pm.Normal.dist(mean[1], sigma), y)
        second += pm.math.log(1 - share)
        # The density of pm.NormalMixture, which compiles twice as long.
        pm.Potential("bounce_time", pm.math.logaddexp(first, second).sum())
    return model


def order_kinds(tree: xr.DataTree) -> xr.DataTree:
    """Name the kinds of ``two_kinds`` by their order in each draw: the second stays longer.

    The posterior is the same for both namings, so the sorted draws are draws of the same model with
    the order in its prior: ``mean``, and ``share`` of the first kind, are renamed where the first
    mean was the larger.
    """
    posterior = tree["posterior"].to_dataset()
    mean, share = posterior["mean"], posterior["share"]
    turned = mean.sel(kind=0) > mean.sel(kind=1)
    exchanged = mean.isel(kind=[1, 0]).assign_coords(kind=mean["kind"])
    posterior["mean"] = exchanged.where(turned, mean)
    posterior["share"] = (1 - share).where(turned, share)
    sample_stats = tree["sample_stats"]
    groups = {"posterior": posterior, "sample_stats": sample_stats}
    return xr.DataTree.from_dict(groups)


def check_counties(
    tree: xr.DataTree, model: pm.Model, frame: pd.DataFrame, seed: int = SEED, by: str = "county"
) -> pd.DataFrame:
    """Posterior predictive check of each county's mean time (s), by the model's own likelihood.

    ``tree`` is a fit of ``model``; the column ``by`` of ``frame``, the visits that it saw, says
    which belong together. DataFrame indexed by county: ``observed``, the limits of the 95 %
    interval of the replicated means, and ``outside``: whether the observed mean is not between
    them.
    """
    thinned = tree.isel(draw=slice(None, None, 10))
    with model:
        replicated = pm.sample_posterior_predictive(thinned, random_seed=seed, progressbar=False)
    return check_replicated(replicated["posterior_predictive"]["bounce_time"], frame, by)


def check_replicated(times: xr.DataArray, frame: pd.DataFrame, by: str) -> pd.DataFrame:
    """The same check, of replicated ``times`` (chain, draw, visit) and groups of any kind."""
    drawn = times.stack(sample=["chain", "draw"]).transpose(..., "sample")
    by_visit = pd.DataFrame(drawn.values, index=frame.index)
    return _compare(by_visit.groupby(frame[by], observed=True).mean(), frame, by)


def check_names(tree: xr.DataTree, frame: pd.DataFrame, seed: int = SEED) -> pd.DataFrame:
    """The same check, with each county's replicates made from the parameters that bear its name."""
    posterior = tree["posterior"].to_dataset()
    groups = frame.groupby("county", observed=True)
    x = groups["std_age"].mean().to_xarray()
    own = posterior["group_intercept"].sel(county=x["county"])
    mean = posterior["intercept"] + own + posterior["slope"] * x
    error = posterior["sigma"] / np.sqrt(groups.size().to_xarray())
    means = mean + error * np.random.default_rng(seed).normal(size=mean.shape)
    table = means.stack(sample=["chain", "draw"]).transpose("county", "sample")
    return _compare(pd.DataFrame(table.values, index=x["county"].values), frame)


def _compare(replicated: pd.DataFrame, frame: pd.DataFrame, by: str = "county") -> pd.DataFrame:
    """Observed mean time by group beside replicated ones (group, sample)."""
    tail = (1 - INTERVAL) / 2
    table = replicated.quantile([tail, 1 - tail], axis="columns").T
    table.columns = [LOWER, UPPER]
    observed = frame.groupby(by, observed=True)["bounce_time"].mean()
    table.insert(0, "observed", observed[table.index])
    return table.assign(outside=~table["observed"].between(table[LOWER], table[UPPER]))


def _arrays(frame: pd.DataFrame, predictor: str = "std_age"):
    """Predictor, outcome, index of the county and labels of the counties."""
    county = frame["county"].cat
    x, y = (frame[column].to_numpy(dtype=float) for column in (predictor, "bounce_time"))
    return x, y, county.codes.to_numpy(), list(county.categories)
