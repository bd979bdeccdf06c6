import arviz as az
import pytest

from helpers import exact
from helpers.book import figures, large
from helpers.diagnostics import ESS_LIMIT, R_HAT_LIMIT
from helpers.priors import MODELS, PARAMETERS_OF


def test_axes_say_their_units(visits):
    ax = figures.plot_paradox(visits)
    assert [ax.get_xlabel(), ax.get_ylabel()] == ["Age (years)", "Bounce time (s)"]


@pytest.mark.parametrize("name", MODELS)
def test_a_plate_diagram_names_every_parameter_of_its_model(name):
    (ax,) = figures.plot_plates(name).axes
    texts = [text for text in ax.texts if text.get_family() == ["monospace"]]
    named = {part.strip() for text in texts for part in text.get_text().split(",")}
    wanted = {*PARAMETERS_OF[name], "std_age", "bounce_time"} - {"covariate_slope"}
    assert named == wanted
    frames = [text.get_text() for text in ax.texts if text.get_text()[:1].isdigit()]
    assert frames == ["613 visits", "8 counties"][: 1 + (name != "pooled")]


def test_of_three_steps_only_the_middle_one_mixes_and_finds_its_normal_distribution():
    for step, mixes in zip(figures.STEPS, (False, True, False), strict=True):
        draws = figures.walk_randomly(step, 1000)
        good = az.rhat(draws) <= R_HAT_LIMIT and az.ess(draws) >= ESS_LIMIT
        assert bool(good) == mixes, step
    draws = figures.walk_randomly(2.5, 20_000)
    assert [float(draws.mean()), float(draws.std())] == pytest.approx([0, 1], abs=0.05)


def test_each_step_is_drawn_with_its_verdict():
    titles = [ax.get_title(loc="left") for ax in figures.plot_step_sizes(200).axes]
    assert [title.split(":")[0] for title in titles] == ["Step 0.05", "Step 2.5", "Step 40"]
    assert all("accepted, R-hat" in title and "of 800" in title for title in titles)


def test_figures_of_large_tables_are_on_log_axes_with_a_line_for_each_route():
    study, _ = large.load_study()
    for figure, lines in (
        (figures.plot_costs(study), (3, 4)),
        (figures.plot_precision(study, 0.4), (3, 3)),
    ):
        assert tuple(len(ax.get_lines()) for ax in figure.axes) == lines
        assert all(ax.get_xscale() == ax.get_yscale() == "log" for ax in figure.axes)
        assert all(ax.get_xlabel() for ax in figure.axes)


def test_a_county_with_fewer_visits_borrows_more(visits):
    """What the table and the formula of partial pooling say, too: 1 - weight times the distance."""
    tree = exact.exact_posterior("random_intercept", visits, draws=1000)
    first_two = visits.groupby("county", observed=True).cumcount() < 2
    fewer = visits[(visits["county"] != "Rutland") | first_two]
    fit = exact.exact_posterior("random_intercept", fewer, draws=1000)
    borrowed = figures.count_borrowed(visits, tree)["borrowed"]
    moved = figures.count_borrowed(fewer, fit).loc["Rutland"]
    assert borrowed.idxmax() == "Rutland"
    assert moved["visits"] == 2 and moved["borrowed"] > 1.5 * borrowed["Rutland"]
    figure = figures.plot_borrowing(visits, tree, {"Rutland": (fewer, fit)})
    words = [text.get_text() for text in figure.axes[1].texts]
    assert "Rutland, had it sent 2 visits" in words and len(words) == 4
    assert all(ax.get_ylabel().endswith("(s)") for ax in figure.axes)
