"""The look of figures, and figures of any grouped table and its fits that are too long for a cell.

``lines`` draws lines by group, ``shrinkage`` and ``forest`` what a fit says of groups; ``subject``
reads what they are given, ``least_squares`` is what they compare with, ``look`` is what they share.

Of few groups each is drawn and named. Of more than ``NAMED`` all are drawn and only the outermost
named; small multiples show a sample of ``PANELS`` groups, and say so. Axes are called what
``frames.label_of`` says of a column.
"""

from helpers.plots.forest import plot_deviations, plot_slopes
from helpers.plots.least_squares import fit_lines, no_pooling_intercepts
from helpers.plots.lines import choose_groups, plot_group_lines, plot_within_between
from helpers.plots.look import (
    LINES,
    NAMED,
    PANELS,
    QUANTILES,
    WIDTH,
    fit_legend,
    group_colors,
    label_panels,
    make_panels,
    use_book_style,
    write_label,
    write_labels,
)
from helpers.plots.shrinkage import plot_shrinkage

__all__ = [
    "LINES",
    "NAMED",
    "PANELS",
    "QUANTILES",
    "WIDTH",
    "choose_groups",
    "fit_legend",
    "fit_lines",
    "group_colors",
    "label_panels",
    "make_panels",
    "no_pooling_intercepts",
    "plot_deviations",
    "plot_group_lines",
    "plot_shrinkage",
    "plot_slopes",
    "plot_within_between",
    "use_book_style",
    "write_label",
    "write_labels",
]
