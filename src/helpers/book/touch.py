"""A picture to touch that only one page needs."""

import html
import math
from importlib import resources

import numpy as np
from IPython.display import HTML

from helpers.flipbook.widget import fill_template

TEMPLATE = resources.files("helpers.book") / "shrinkage.html"


def make_shrinkage_widget(
    own: float, population: float, sigma: float, *, n: int, tau: float, group: str, unit: str = "s"
) -> HTML:
    """Sliders for n and tau, and the partially pooled mean that follows them.

    Parameters
    ----------
    own, population
        What the group's own data say alone, and the mean that groups are drawn towards.
    sigma
        Residual sd, held fixed.
    n, tau
        Where the sliders stand at first: rows of the group, and the sd between groups.
    group
        The group's name.
    unit
        Of everything but ``n``.

    Raises
    ------
    ValueError
        If ``n`` is below 1, ``tau`` is negative or ``sigma`` is not above 0.
    """
    own, population, sigma, tau = map(float, (own, population, sigma, tau))
    n = int(n) if n == n // 1 else float(n)
    if not (
        n >= 1 and tau >= 0 and sigma > 0 and np.isfinite([own, population, sigma, tau, n]).all()
    ):
        raise ValueError(
            f"n must be 1 or more, tau 0 or more and sigma above 0, not {n}, {tau} and {sigma}."
        )
    weight = n * tau**2 / (n * tau**2 + sigma**2)
    estimate = population + weight * (own - population)
    most = {"n": max(150, n), "tau": max(30, math.ceil(tau))}  # where the sliders end
    data = {"own": own, "population": population, "sigma": sigma, "n": n, "tau": tau, "most": most}
    sentence = (
        f"With n = {n} and \u03c4 = {tau:.1f} {unit}, {group}'s own data have the weight {weight:.2f}. "
        f"Alone they say {own:.1f} {unit}; the population mean is {population:.1f} {unit}, the estimate "
        f"{estimate:.1f} {unit}."
    )
    return fill_template(
        TEMPLATE,
        title=f"{group}: how far do you trust its own data?",
        data=data | {"group": group, "unit": unit},
        still=f"<p>{html.escape(sentence)}</p>",
    )
