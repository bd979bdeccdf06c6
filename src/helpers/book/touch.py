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

    ``own`` is what the group's own data say alone, ``population`` the mean that groups are drawn
    towards, ``sigma`` the residual sd, held fixed. ``n`` rows of the group and the sd ``tau``
    between groups are where the sliders stand at first. ``unit`` is that of everything but ``n``. A
    ``ValueError`` refuses an ``n`` below 1, a negative ``tau`` and a ``sigma`` not above 0.
    """
    own, population, sigma, tau = map(float, (own, population, sigma, tau))
    n = int(n) if n == n // 1 else float(n)
    finite = np.isfinite([own, population, sigma, tau, n]).all()
    if not (finite and n >= 1 and tau >= 0 and sigma > 0):
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
