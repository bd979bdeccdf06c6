"""The flip-book: data sets simulated from a prior, one after another, beside the observed one.

``simulation`` draws them, ``pages`` puts them on paper and on the screen, ``widget`` holds what
every picture to touch needs.
"""

from helpers.flipbook.pages import make_flipbook, plot_data_sets, present_shares
from helpers.flipbook.simulation import simulate

__all__ = ["make_flipbook", "plot_data_sets", "present_shares", "simulate"]
