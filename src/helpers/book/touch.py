"""A picture to touch that only one page needs."""

import html
from importlib import resources

from IPython.display import HTML

from helpers.flipbook.widget import fill_template

TEMPLATE = resources.files("helpers.book") / "shrinkage.html"


def make_shrinkage_widget(
    own: float, population: float, sigma: float, *, n: int, tau: float, group: str
) -> HTML:
    """Sliders for n and tau, and the partially pooled mean that follows them.

    ``own`` is what the group's own data say alone, ``population`` the mean that groups are drawn
    towards, ``sigma`` the residual sd, held fixed. ``n`` rows of the group (1 to 150) and the sd
    ``tau`` between groups (0 to 30) are where the sliders stand at first. All but ``n`` are in s.
    """
    weight = n * tau**2 / (n * tau**2 + sigma**2)
    estimate = population + weight * (own - population)
    sentence = (
        f"With n = {n} and \u03c4 = {tau:.1f} s, {group}'s own data have the weight {weight:.2f}. "
        f"Alone they say {own:.1f} s; the population mean is {population:.1f} s, the estimate "
        f"{estimate:.1f} s."
    )
    data = {"own": own, "population": population, "sigma": sigma, "n": n, "tau": tau}
    return fill_template(
        TEMPLATE,
        title=f"{group}: how far do you trust its own data?",
        data=data | {"group": group},
        still=f"<p>{html.escape(sentence)}</p>",
    )
