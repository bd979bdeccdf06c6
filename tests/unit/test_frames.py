import json
import re

import numpy as np
import pandas as pd
import pytest

from helpers import frames


def test_standardizing_keeps_what_leads_back_to_seconds_per_year(visits, scale):
    z = visits["std_age"]
    assert [z.mean(), z.std()] == pytest.approx([0, 1])
    np.testing.assert_allclose(z * scale.sd + scale.mean, visits["age"])
    slope_per_year = np.polyfit(visits["age"], visits["bounce_time"], 1)[0]
    slope_per_sd = np.polyfit(z, visits["bounce_time"], 1)[0]
    assert scale.per_unit(slope_per_sd) == pytest.approx(slope_per_year)


def test_standardizing_leaves_the_given_table_alone_and_its_result_can_be_saved():
    frame = pd.DataFrame({"age": [20, 30, 40]})
    standardized = frames.standardize(frame, "age")
    assert list(frame) == ["age"]
    with pytest.raises(ValueError, match="call standardize"):
        frames.scale_of(frame, "age")
    assert json.loads(json.dumps(standardized.attrs)) == standardized.attrs


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"age": [0.1] * 3}), "'age' is constant"),
        (pd.DataFrame({"age": ["a", "b"]}), "'age' is not numeric"),
        (pd.DataFrame({"age": [30.0, None]}), "'age' is missing or not finite in row 1"),
        (pd.DataFrame({"years": [30, 31]}), "no column 'age'"),
    ],
)
def test_what_cannot_be_standardized_is_refused(frame, message):
    with pytest.raises(ValueError, match=message):
        frames.standardize(frame, "age")


def test_an_axis_is_called_by_its_label_or_else_by_its_column(visits):
    assert frames.label_of(visits, "age") == "Age (years)"
    assert frames.label_of(visits, "std_age") == "std_age"
    assert frames.original_column(visits, "std_age") == "age"
    assert frames.original_column(visits, "bounce_time") == "bounce_time"


TEXTS = {
    "percent": (["71.59%", " 3 %"], [71.59, 3]),
    "comma": (["1,5", "2"], [1.5, 2]),
    "both": (["1,5 %", "2 %"], [1.5, 2]),
    "thousands": (["1,500", "2,000.5"], [1500, 2000.5]),
    "plain": (["1", "2.5"], [1, 2.5]),
    "category": (pd.Categorical(["1", "2"]), [1, 2]),
    "mixed": ([1, "2%"], [1, 2]),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_the_advice_for_a_column_of_text_makes_numbers_of_it(kind):
    given, meant = TEXTS[kind]
    frame = pd.DataFrame({"dose": given})
    with pytest.raises(ValueError, match=r"'dose' is not numeric but") as refusal:
        frames.check_numeric(frame, "dose")
    advice = re.search(r"pd\.to_numeric\(.*\)(?= converts it)", str(refusal.value)).group()
    assert eval(advice, {"pd": pd, "frame": frame}).tolist() == meant
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["low", "high", "low"], "'low' in row 'a' is no number; pick another column.*factor"),
        (pd.Categorical(["low", "high", "low"]), "'low' in row 'a' is no number.*factor"),
        (["1"] * 20 + ["?"], "'\\?' in row 20 is no number; repair or drop the row"),
        (pd.to_datetime(["2020-01-01"] * 3), "count the time since"),
        (pd.to_timedelta([1, 2, 3], unit="h"), "total_seconds"),
        ([1j, 2, 3], "complex"),
    ],
)
def test_a_column_that_holds_no_numbers_is_called_so_with_the_first_row(values, message):
    frame = pd.DataFrame({"dose": values})
    frame = frame.set_axis(["a", "b", "c"]) if len(frame) == 3 else frame
    with pytest.raises(ValueError, match=message):
        frames.check_numeric(frame, "dose")


def test_what_is_split_within_and_between_groups_adds_up_again(visits):
    split = frames.split_within_between(visits, "age", "county")
    within, between = split["age_within"], split["age_county_mean"]
    scale, of_means = frames.scale_of(split, "age"), frames.scale_of(split, "age_county_mean")
    whole = within * scale.sd + between * of_means.sd + of_means.mean
    np.testing.assert_allclose(whole, visits["age"])
    assert within.groupby(visits["county"], observed=True).mean().abs().max() < 1e-12
    counted_once = between.groupby(visits["county"], observed=True).first()
    assert [counted_once.mean(), counted_once.std()] == pytest.approx([0, 1])
    assert "age_within" not in visits


def test_groups_that_do_not_differ_in_a_column_are_not_split():
    frame = pd.DataFrame({"day": [1, 2, 3] * 2, "subject": list("aaabbb")})
    with pytest.raises(ValueError, match="'subject' have the same mean of 'day'"):
        frames.split_within_between(frame, "day", "subject")


@pytest.fixture
def gappy():
    frame = pd.DataFrame(
        {"y": [1.0, None, 3.0, 4.0], "x": [1, 2, 3, 4], "g": ["a", None, "b", None]},
        index=[2, 3, 4, "last"],
    )
    frame.attrs["labels"] = {"y": "Height (cm)"}
    return frame


def test_rows_that_miss_a_value_are_counted_and_named_with_the_way_out(gappy):
    with pytest.raises(ValueError) as refusal:
        frames.complete_rows(gappy, ["y", "g", "y"])
    assert str(refusal.value) == (
        "2 of 4 rows miss a value: row 3 ('y', 'g'), row 'last' ('g'); fill them in, or "
        "drop_missing=True leaves them out."
    )
    assert frames.complete_rows(gappy, ["x"]) is gappy


def test_rows_that_miss_a_value_are_left_out_when_that_is_asked_for_and_the_table_says_so(gappy):
    complete = frames.complete_rows(gappy, ["y", "g"], drop=True)
    assert complete.index.tolist() == [2, 4]
    assert complete.attrs == {
        "labels": {"y": "Height (cm)"},
        "left_out": "Left out: 2 of 4 rows miss a value: row 3 ('y', 'g'), row 'last' ('g').",
    }
    assert "left_out" not in gappy.attrs


def test_of_many_rows_that_miss_a_value_five_are_named():
    frame = pd.DataFrame({"y": [None] * 7 + [1.0]})
    with pytest.raises(ValueError, match=r"7 of 8 .*row 4 \('y'\) and 2 more rows; fill"):
        frames.complete_rows(frame, ["y"])


def test_a_table_without_a_complete_row_or_without_the_column_is_refused(gappy):
    with pytest.raises(ValueError, match=r"Every row misses a value in one of y; row 0 \('y'\)"):
        frames.complete_rows(pd.DataFrame({"y": [None, None]}), ["y"], drop=True)
    with pytest.raises(ValueError, match="no column 'z'"):
        frames.complete_rows(gappy, ["y", "z"], drop=True)
