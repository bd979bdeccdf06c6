import json

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
