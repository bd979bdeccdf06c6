from pathlib import Path

import pytest

from helpers.book.truth import priors_in_stan, write_data
from helpers.book.visits import data_file, load_bounce_times, simulate_bounce_times
from helpers.priors import Priors

HEADER = "bounce_time,age,county\n"
TWO = HEADER + "201.50,34,Kent\n190.25,51,Essex\n"


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "visits.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_the_generator_gives_back_the_committed_files_byte_for_byte(tmp_path):
    write_data(tmp_path)
    names = ["bounce_times.csv", "next_truth.json", "next_visits.csv", "priors.csv", "truth.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for name in names:
        assert (tmp_path / name).read_bytes() == data_file(name).read_bytes()


def test_another_prior_would_be_another_file_in_stans_words():
    written = priors_in_stan(Priors(slope=(-1.5, 2.5), sigma=0.5, lkj_eta=None))
    found = dict(zip(written["parameter"], written["prior"], strict=True))
    assert found["slope"] == "normal(-1.5, 2.5)"
    assert found["sigma"] == "normal(0, 0.5)"
    assert "rho" not in found


def test_the_data_are_as_the_book_describes_them_and_another_seed_gives_others(visits):
    assert sorted(visits["county"].value_counts()) == [7, 22, 37, 75, 90, 112, 120, 150]
    assert visits["bounce_time"].between(150, 250).all()
    assert visits["age"].between(16, 90).all()
    assert not simulate_bounce_times(1).equals(simulate_bounce_times(2))


@pytest.mark.parametrize(
    "text",
    [
        TWO,
        "\ufeff" + TWO,
        TWO.replace("\n", "\r\n"),
        TWO.replace("\n", "\r"),
        "bounce_time;age;county\n201,50;34;Kent\n190,25;51;Essex\n",
        "bounce_time\tage\tcounty\n201.50\t34\tKent\n190.25\t51\tEssex\n",
        '"bounce_time", "age" ,"county"\n201.50, 34 ," Kent"\n\n190.25,51.0,Essex\n,,\n',
    ],
    ids=["plain", "BOM", "CRLF", "CR", "semicolon", "tab", "quoted, blanks, empty lines"],
)
def test_what_spreadsheets_write_is_read(tmp_path, text):
    frame = load_bounce_times(write(tmp_path, text))
    assert frame["bounce_time"].tolist() == [201.5, 190.25]
    assert frame["age"].tolist() == [34, 51]
    assert frame["county"].tolist() == ["Kent", "Essex"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "visits.csv has no column names"),
        (HEADER, "visits.csv has column names but no rows"),
        ("time,age,county\n1,2,Kent\n", "no column 'bounce_time'; it has time, age"),
        (HEADER + "1,2,Kent\n3,4,Kent\n", "one county only in column 'county'"),
        (HEADER + "201,50,34,Kent\n190,25,51,Essex\n", "row 2 has more entries than .* commas"),
        (HEADER + "1,2,Kent\n1,2,Essex,3\n", "row 3 has more entries than there are column names"),
        *(
            (f"{HEADER}1,2,Kent\n{row}\n", f"row 3, column {message}")
            for row, message in (
                ("long,3,Essex", "'bounce_time': 'long' is not a number"),
                (",3,Essex", "'bounce_time': the value is missing"),
                ("inf,3,Essex", "'bounce_time': inf is not finite"),
                ("1,130,Essex", "'age': 130.0 cannot be an age"),
                ("1,-2,Essex", "'age': -2.0 cannot be an age"),
                ("1,2.5,Essex", "'age': 2.5 is not a whole number"),
                ("1,NA,Essex", "'age': the value is missing"),
                ("1,2,", "'county': the value is missing"),
            )
        ),
        (HEADER + "1,2,Kent\n\n-1,3,Essex\n", "row 4, column 'bounce_time': -1.0 is negative"),
    ],
)
def test_an_unusable_table_is_refused_in_one_sentence(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as refusal:
        load_bounce_times(write(tmp_path, text))
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).startswith("visits.csv")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv"):
        load_bounce_times(tmp_path / "nowhere.csv")
