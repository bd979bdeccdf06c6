"""Files as spreadsheets write them: each is read as it was meant, with what was decided told, or is
refused in one sentence that names file, column, row and the way out."""

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pandas as pd
import pytest

from helpers import reading

NBSP, NARROW, THIN = "\u00a0", "\u202f", "\u2009"
MISSING = None  # in what is expected


def write(folder, content, name="table.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def values_of(frame):
    """Columns as lists, with None for what is missing."""
    return {
        name: frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in frame
    }


# What is in the file; what is read; parts of what is told.
READ = {
    "decimal points between commas": ("t,g\n1.5,a\n2,b\n", {"t": [1.5, 2], "g": ["a", "b"]}, []),
    "three decimals between commas": ("t\n1.205\n", {"t": [1.205]}, []),
    "German thousands beside German decimals": (
        "t;g\n1.205;a\n201,5;b\n",
        {"t": [1205, 201.5], "g": ["a", "b"]},
        ["Decimals are written with commas in 't'", "'1.205' (row 2) is 1205"],
    ),
    "both German signs in one number": (
        "t;n\n-1.205,5;1\n7;2\n",
        {"t": [-1205.5, 7], "n": [1, 2]},
        [],
    ),
    "German millions": ("t;n\n1.205.300;1\n1.205;2\n", {"t": [1205300, 1205], "n": [1, 2]}, []),
    "a comma before three digits beside a comma before one": (
        "t;n\n1,205;1\n201,5;2\n",
        {"t": [1.205, 201.5], "n": [1, 2]},
        [],
    ),
    "thousands that another column decides": (
        "t;u\n1.205;1,5\n1.300;2,5\n",
        {"t": [1205, 1300], "u": [1.5, 2.5]},
        ["'1.205' (row 2) is 1205", "with commas in column 'u'"],
    ),
    "decimals that another column decides": (
        "t;u\n1.205;1.5\n1.300;2.5\n",
        {"t": [1.205, 1.3], "u": [1.5, 2.5]},
        ["with points in column 'u'"],
    ),
    "a zero before the point, which no thousand has": (
        "t;n\n0.125;1\n0.250;2\n",
        {"t": [0.125, 0.25], "n": [1, 2]},
        [],
    ),
    "English thousands beside decimals": (
        't,n\n"1,205",1\n201.5,2\n',
        {"t": [1205, 201.5], "n": [1, 2]},
        ["'1,205' (row 2) is 1205; thousands signs"],
    ),
    "English thousands alone": (
        't,n\n"1,205",1\n3,2\n',
        {"t": [1205, 3], "n": [1, 2]},
        ["is 1205"],
    ),
    "spaces of all kinds between thousands": (
        f"t;n\n1 205,5;1\n1{NBSP}205;2\n1{NARROW}205{NARROW}300;3\n1{THIN}205;4\n",
        {"t": [1205.5, 1205, 1205300, 1205], "n": [1, 2, 3, 4]},
        ["'1 205,5' (row 2) is 1205.5"],
    ),
    "apostrophes between thousands": (
        "t;n\n1'205.5;1\n1\u2019205;2\n",
        {"t": [1205.5, 1205], "n": [1, 2]},
        ["is 1205.5; thousands"],
    ),
    "a first line that says the separator": (
        "sep=;\nt;g\n1,5;a\n2,5;b\n",
        {"t": [1.5, 2.5], "g": ["a", "b"]},
        ["parted by semicolons, as the first line says"],
    ),
    "tabs with decimal commas": (
        "t\tg\n1,5\tDoe, J.\n2,5\tRoe, J.\n",
        {"t": [1.5, 2.5], "g": ["Doe, J.", "Roe, J."]},
        ["parted by tabs", "commas in 't'"],
    ),
    "semicolons around many decimal commas": (
        "a;b;c\n1,5;2,5;3,5\n4,5;5,5;6,5\n",
        {"a": [1.5, 4.5], "b": [2.5, 5.5], "c": [3.5, 6.5]},
        ["commas in 'a', 'b', 'c'"],
    ),
    "percent signs": (
        "t;n\n12 %;1\n13,5%;2\n",
        {"t": [12, 13.5], "n": [1, 2]},
        ["percent signs are taken off, so that 12 means 12 %"],
    ),
    "one unit behind all": (
        "t,n\n12 s,1\n9.5s,2\n",
        {"t": [12, 9.5], "n": [1, 2]},
        ["the unit 's'"],
    ),
    "one unit that no list has": (
        "t,n\n12 furlongs,1\n9 furlongs,2\n",
        {"t": [12, 9], "n": [1, 2]},
        ["'furlongs'"],
    ),
    "one currency before all": (
        "t;n\n€ 5;1\n-€6,50;2\n€ -7;3\n",
        {"t": [5, -6.5, -7], "n": [1, 2, 3]},
        ["the unit '€'"],
    ),
    "typographic minus and plus": (
        "t,n\n\u22123,1\n\u20134.5,2\n+5,3\n",
        {"t": [-3, -4.5, 5], "n": [1, 2, 3]},
        ["'\u2212' before a number is read as a minus"],
    ),
    "exponents": ("t;n\n1,2E+03;1\n1e-3;2\n", {"t": [1200, 0.001], "n": [1, 2]}, []),
    "ids that a spreadsheet has rounded": (
        "id,n\n1.23457E+11,1\n1.23458E+11,2\n",
        {"id": [1.23457e11, 1.23458e11], "n": [1, 2]},
        ["'1.23457E+11' is read as a number; if it was a longer id"],
    ),
    "numbers that apostrophes made text": (
        "t,n\n'12,1\n'13,2\n",
        {"t": [12, 13], "n": [1, 2]},
        ["apostrophes before numbers"],
    ),
    "ids with zeros before them": (
        "id,n\n007,1\n12,2\n",
        {"id": ["007", "12"], "n": [1, 2]},
        ["'007' (row 2) begins with a zero"],
    ),
    "ids of 63 and 64 bits": (
        f"a,b\n{2**63 - 1},{2**64 - 1}\n{-(2**62) - 1},1\n",
        {"a": [2**63 - 1, -(2**62) - 1], "b": [2**64 - 1, 1]},
        [],
    ),
    "long ids with a gap": (
        f"id,n\n{2**62 + 1},1\n,2\n",
        {"id": [2**62 + 1, MISSING], "n": [1, 2]},
        [],
    ),
    "ids of more than 64 bits": (
        f"id,n\n{2**64},1\n7,2\n",
        {"id": [str(2**64), "7"], "n": [1, 2]},
        ["'id' stays text"],
    ),
    "whole numbers with a gap": ("t,n\n3,1\n,2\n", {"t": [3.0, MISSING], "n": [1, 2]}, []),
    "words for missing among numbers": (
        "t,u,n\n1,-,1\nNA,.,2\nn/a,3,3\n#N/A,missing,4\n2.5,,5\n",
        {"t": [1, None, None, None, 2.5], "u": [None, None, 3, None, None], "n": [1, 2, 3, 4, 5]},
        [
            "'t': 'NA' counts as missing (row 3)",
            "'t': '#N/A' counts",
            "'u': '.' counts as missing (row 3)",
        ],
    ),
    "Namibia, and labels like None and nan": (
        "t,land,g\n1,NA,None\n2,DE,nan\n3,NA,b\n",
        {"t": [1, 2, 3], "land": ["NA", "DE", "NA"], "g": ["None", "nan", "b"]},
        ["'land': 'NA' is kept as a label (rows 2, 4)", "missing=['NA']", "'g': 'nan' is kept"],
    ),
    "a spreadsheet's own word for missing among labels": (
        "g,n\na,1\n#N/A,2\n",
        {"g": ["a", MISSING], "n": [1, 2]},
        ["'#N/A' counts as missing (row 3)"],
    ),
    "infinite": ("t,n\n1,1\n-Inf,2\n", {"t": [1, -np.inf], "n": [1, 2]}, []),
    "truth": ("b,c\nTRUE,WAHR\nfalse,\n", {"b": [True, False], "c": [True, MISSING]}, []),
    "ISO dates": (
        "d,n\n2024-02-01,1\n2024-12-31 10:30,2\n",
        {"d": [pd.Timestamp("2024-02-01"), pd.Timestamp("2024-12-31 10:30")], "n": [1, 2]},
        ["'d' holds dates, year first"],
    ),
    "German dates": (
        "d;n\n1.2.2024;1\n3.12.2024;2\n",
        {"d": [pd.Timestamp("2024-02-01"), pd.Timestamp("2024-12-03")], "n": [1, 2]},
        ["'d' holds dates, day first"],
    ),
    "American dates that a day tells": (
        "d,n\n2/1/2024,1\n12/31/2024,2\n",
        {"d": [pd.Timestamp("2024-02-01"), pd.Timestamp("2024-12-31")], "n": [1, 2]},
        ["'d' holds dates, month first"],
    ),
    "dates that nothing tells": (
        "d,n\n2/1/2024,1\n3/4/2024,2\n",
        {"d": ["2/1/2024", "3/4/2024"], "n": [1, 2]},
        ["day and month cannot be told apart"],
    ),
    "a day that is none": (
        "d,n\n2024-02-30,1\n2024-02-01,2\n",
        {"d": ["2024-02-30", "2024-02-01"], "n": [1, 2]},
        ["'2024-02-30' is no date (row 2)"],
    ),
    "a month that is none": (
        "d,n\n13/2/2024,1\n2/13/2024,2\n",
        {"d": ["13/2/2024", "2/13/2024"], "n": [1, 2]},
        ["'13/2/2024' is no date (row 2)"],
    ),
    "a German month that is none": (
        "d;n\n12.31.2024;1\n1.2.2024;2\n",
        {"d": ["12.31.2024", "1.2.2024"], "n": [1, 2]},
        ["'12.31.2024' is no date (row 2)"],
    ),
    "German dates with times": (
        "d;n\n1.2.2024 9:30;1\n3.12.2024;2\n",
        {"d": [pd.Timestamp("2024-02-01 09:30"), pd.Timestamp("2024-12-03")], "n": [1, 2]},
        [],
    ),
    "classes of a school, in which the letter is no unit": (
        "g,n\n7 a,1\n7 b,2\n8 a,3\n",
        {"g": ["7 a", "7 b", "8 a"], "n": [1, 2, 3]},
        [],
    ),
    "labels of which half are numbers": (
        "g,n\n10A,1\n11,2\n12B,3\n13,4\n14,5\n",
        {"g": ["10A", "11", "12B", "13", "14"], "n": [1, 2, 3, 4, 5]},
        ["'g' stays text: 2 of its values are no numbers, such as '10A' (rows 2, 4)"],
    ),
    "a mark at the beginning, and CRLF": (
        "\ufefft,g\r\n1,a\r\n2,b\r\n",
        {"t": [1, 2], "g": ["a", "b"]},
        [],
    ),
    "CR alone": ("t,g\r1,a\r2,b\r", {"t": [1, 2], "g": ["a", "b"]}, []),
    "UTF-16": ("t\tg\n1\tZoë\n".encode("utf-16"), {"t": [1], "g": ["Zoë"]}, []),
    "UTF-16 without its mark": ("t\tg\n1\tZoë\n".encode("utf-16-be"), {"t": [1], "g": ["Zoë"]}, []),
    "Windows-1252": (
        "t;g\n1;Zoë\n2;5 €\n".encode("cp1252"),
        {"t": [1, 2], "g": ["Zoë", "5 €"]},
        ["is not UTF-8 text (byte 8, in line 2)", "Windows-1252, in which 'Zoë' stands there"],
    ),
    "separators at the end of rows": ("a;b\n1;2;\n3;4;;\n", {"a": [1, 3], "b": [2, 4]}, []),
    "separators at the end of all lines": ("a,b,,\n1,2,,\n3,4,,\n", {"a": [1, 3], "b": [2, 4]}, []),
    "an index that pandas wrote": (
        ",t,g\n0,1.5,a\n5,2.5,b\n",
        {"t": [1.5, 2.5], "g": ["a", "b"]},
        ["counts rows, so it is left out"],
    ),
    "an index that pandas wrote beside one column": (",t\n0,1.5\n1,2.5\n", {"t": [1.5, 2.5]}, []),
    "an index that pandas wrote twice": ("Unnamed: 0,t\n0,1.5\n1,2.5\n", {"t": [1.5, 2.5]}, []),
    "row names that R wrote": (
        '"","t"\n"Mazda",1.5\n"Fiat",2.5\n',
        {"column 1": ["Mazda", "Fiat"], "t": [1.5, 2.5]},
        ["here it is called 'column 1'"],
    ),
    "a cell with a line break": ('g,n\n"a\nb",1\nc,2\n', {"g": ["a\nb", "c"], "n": [1, 2]}, []),
    "quotation marks and separators in cells": (
        'g,n\n"a ""b"", c",1\n d ,2\n',
        {"g": ['a "b", c', "d"], "n": [1, 2]},
        [],
    ),
    "names with spaces, signs and line breaks": (
        '"Reaction\ntime (ms)", Größe in % ,x$y\n1,2,3\n',
        {"Reaction time (ms)": [1], "Größe in %": [2], "x$y": [3]},
        [],
    ),
    "one column with a long name": (
        "Reaction time in ms\n1.5\n2\n",
        {"Reaction time in ms": [1.5, 2]},
        [],
    ),
    "years as names": ("g,2019,2020\na,1,2\n", {"g": ["a"], "2019": [1], "2020": [2]}, []),
    "a group that is called Total in many rows": (
        "g,n\na,1\nTotal,2\nTotal,3\n",
        {"g": ["a", "Total", "Total"], "n": [1, 2, 3]},
        [],
    ),
    "an empty column": ("t,e\n1,\n2,\n", {"t": [1, 2], "e": [MISSING, MISSING]}, ["'e' is empty"]),
}


@pytest.mark.parametrize("name", READ)
def test_what_a_spreadsheet_writes_is_read_as_it_was_meant(tmp_path, name):
    content, expected, told = READ[name]
    frame = reading.read_table(write(tmp_path, content))
    assert values_of(frame) == expected
    said = " ".join(frame.attrs["reading"])
    assert [part for part in told if part not in said] == []


MERGED = "Column 'g': {} is read as 'Kent'; spaces around labels are taken off."


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("g,n\nKent,1\nKent ,2\nKent ,3\n", ["'Kent ' (row 3)"]),
        ("n,g\n1, Kent\n2,Kent\n3,\u00a0Kent\n", ["' Kent' (row 2)", "'\\xa0Kent' (row 4)"]),
        ('Results,\n\ng,n\n"Kent ",1\n,\nKent,2\n', ["'Kent ' (row 4)"]),
        ('g,n\nKent ,1\n"Kent", "2"\n', ["'Kent ' (row 2)"]),
        ("g,n\nKent ,1\nKent ,2\n", []),
        ("n,g\n1, Kent\n2, Essex\n", []),
        ("g,n\nKent ,1\nEssex,2\n", []),
        ("n,g\n1 ,Kent\n1,Kent\n 1,Essex\n", []),
        ('n, "g"\n1, "Kent"\n2, "Kent"\n', []),
    ],
)
def test_labels_that_are_one_without_the_spaces_around_them_are_told(tmp_path, text, told):
    frame = reading.read_table(write(tmp_path, text))
    assert set(frame["g"]) <= {"Kent", "Essex"}
    said = [sentence for sentence in frame.attrs["reading"] if "spaces around" in sentence]
    assert said == [MERGED.format(what) for what in told]


def test_the_line_that_says_the_separator_is_no_row_and_may_say_any_sign(tmp_path):
    frame = reading.read_table(write(tmp_path, "SEP=~\r\nt~g\r\n1,5~a\r\n2~b\r\n"))
    assert values_of(frame) == {"t": [1.5, 2], "g": ["a", "b"]}
    assert frame.index.tolist() == [2, 3]


def test_columns_have_their_types_and_gaps_cost_no_digit(tmp_path):
    text = f"i,f,g,b,d,u,id,gap\n1,1.5,a,TRUE,2024-01-01,{2**64 - 1},{2**62 + 1},3\n2,2,b,FALSE,2024-01-02,1,,\n"
    frame = reading.read_table(write(tmp_path, text))
    assert frame.dtypes.astype(str).str.replace(r"\[.*", "", regex=True).to_dict() == {
        **{"i": "int64", "f": "float64", "g": "str", "b": "bool", "d": "datetime64", "u": "uint64"},
        **{"id": "Int64", "gap": "float64"},
    }


def test_rows_are_counted_as_a_spreadsheet_does_and_what_is_no_row_is_left_out(tmp_path):
    text = 'Results;;\n;;\nt;g;n\n1,5;"a\nb";1\n\n2,5;b;2\n;;\nTotal;;3\n\nSource: our own;;\nSeen in 2020\n'
    frame = reading.read_table(write(tmp_path, text))
    assert values_of(frame) == {"t": [1.5, 2.5], "g": ["a\nb", "b"], "n": [1, 2]}
    assert frame.index.tolist() == [4, 6]
    assert frame.attrs["reading"] == [
        "Columns are parted by semicolons.",
        "Row 1 above the column names is left out: 'Results'.",
        "Row 8 below the table is left out: 'Total, 3'.",
        "Row 10 below the table is left out: 'Source: our own'.",
        "Row 11 below the table is left out: 'Seen in 2020'.",
        "Decimals are written with commas in 't'.",
    ]


REFUSED = {
    "thousands or decimals": (
        "t;n\n1.205;1\n1.300;2\n",
        r"row 2, column 't': '1\.205' may be 1205 or 1\.205.*decimal=','",
    ),
    "thousands or decimals where the others differ": (
        "t;u;v\n1.205;1,5;1.5\n",
        r"row 2, column 't': '1\.205' may be.*the other columns do not show which",
    ),
    "decimal comma and point": (
        "t;n\n1,5;1\n2.5;2\n",
        r"row 2, column 't': '1,5' has a decimal comma, but '2\.5' in row 3.*text=\['t'\]",
    ),
    "a unit behind one number": (
        "t,n\n12,1\n13,2\n14 s,3\n",
        r"row 4, column 't': '14 s' has the unit 's' but others have no unit; write",
    ),
    "two units": (
        "t,n\n12 s,1\n13 s,2\n2 min,3\n",
        r"row 4, column 't': '2 min' has the unit 'min'",
    ),
    "a currency before one number": ("t,n\n12,1\n13,2\n$ 4,3\n", r"row 4, column 't': '\$ 4' has"),
    "a division by zero": ("t,n\n1,1\n#DIV/0!,2\n", r"row 3, column 't': '#DIV/0!' is an error"),
    "a lost reference": ("g,n\na,1\n#BEZUG!,2\n", r"row 3, column 'g': '#BEZUG!' is an error"),
    "a column that was too narrow": (
        "t,n\n####,1\n2,2\n",
        r"row 2, column 't': '####' is an error",
    ),
    "a word among numbers": (
        "t,n\n1,1\n2,2\nlong,3\n",
        r"row 4, column 't': 'long' is not a number; repair it, or read_table\(\.\.\., text=\['t'\]\)",
    ),
    "a number that became a date": (
        "t;n\n3,5;1\nMrz 05;2\n4,5;3\n",
        r"row 3, column 't': 'Mrz 05' is a date, into which a spreadsheet may have turned a number",
    ),
    "a number that became a whole date": (
        "t;n\n3,5;1\n2,5;2\n01.05.2024;3\n",
        r"row 4, column 't': '01\.05\.2024' is a date",
    ),
    "more cells than names": (
        "t,g\n1,5,a\n2,5,b\n",
        "row 2 has more entries than there are column.*commas",
    ),
    "fewer cells than names": ("t,g,n\n1,a,1\n2,b\n3,c,3\n", "row 3 has fewer entries.*2 and 3"),
    "names twice": ("t,g,t\n1,a,2\n", "has two columns 't'; rename"),
    "names once more": ("t,g\n1,a\nt,g\n2,b\n", "row 3: the column names stand here once more"),
    "no names": ("1,2\n3,4\n", "row 1 holds the number '1' where a column name"),
    "no names, but labels": ("201.5,34,Kent\n190,51,Essex\n", "row 1 holds the number '201.5'"),
    "one column with decimal commas": (
        "t\n1,5\n2,5\n",
        "row 2 holds the number '1' where a column name",
    ),
    "values without a name": (
        "a,,c\n1,,3\n1,2,3\n",
        "row 3, column 2: '2' stands in a column without",
    ),
    "names only": ("t,g\n", "has column names but no rows below"),
    "nothing": ("", "has no column names: it is empty"),
    "empty lines": ("\r\n\r\n", "has no column names: it is empty"),
    "a quotation mark that never closes": (
        't,g\n1,a\n2,"b\n3,c\n',
        "row 3: a quotation mark opens",
    ),
    "rows between quotation marks": ('"t,g"\n"1,a"\n', "row 1: all names stand in one cell, 't,g'"),
    "spaces between columns": (
        "t g n\n1 a 2\n3 b 4\n",
        "row 1: all names stand in one cell, 't g n'",
    ),
    "an Excel workbook": (b"PK\x03\x04\x14\x00", "is an Excel workbook.*save it as 'CSV UTF-8'"),
    "an old Excel workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1", "is an old Excel workbook.*'CSV UTF-8'"),
    "a packed file": (b"\x1f\x8b\x08\x00", "is compressed, no text; unpack"),
    "a web page": ("\n<!DOCTYPE html>\n<html>", r"is a web page.*'Raw'"),
    "neither UTF-8 nor Windows-1252": (
        b"t,g\n1,\x81\n",
        r"not UTF-8 text \(byte 6, in line 2\) and not Win",
    ),
    "UTF-8 in parts": ("t,g\n1,é\n".encode() + b"2,\xe9\n", "not UTF-8.*though in parts it is"),
    "broken UTF-16": (b"\xff\xfet\x00,\x00g", "is broken UTF-16 text; save"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_without_a_guess_is_refused_in_one_sentence(tmp_path, name):
    content, message = REFUSED[name]
    with pytest.raises(ValueError, match=message) as refusal:
        reading.read_table(write(tmp_path, content))
    said = str(refusal.value)
    assert said.startswith("table.csv") and said.endswith(".") and "\n" not in said
    assert ". " not in said.replace("table.csv", "")


WISHES = {
    "decimal point": ("t;n\n1.205;1\n", {"decimal": "."}, {"t": [1.205], "n": [1]}),
    "decimal comma": ("t;n\n1.205;1\n", {"decimal": ","}, {"t": [1205], "n": [1]}),
    "labels": ("g,n\n1,1\n2,2\n3a,3\n", {"text": ["g"]}, {"g": ["1", "2", "3a"], "n": [1, 2, 3]}),
    "labels of dates and truth": (
        "g,h\n2024-01-01,TRUE\n",
        {"text": ["g", "h"]},
        {"g": ["2024-01-01"], "h": ["TRUE"]},
    ),
    "numbers with zeros before them": (
        "t,n\n05,1\n12,2\n",
        {"numeric": "t"},
        {"t": [5, 12], "n": [1, 2]},
    ),
    "a word for missing": (
        "g,t\nNA,-999\nb,2\n",
        {"missing": ["NA", "-999"]},
        {"g": [None, "b"], "t": [None, 2]},
    ),
    "only some columns": (
        "t,u,v\n1,#REF!,1.5\n2,7,x\n3,8,2.5\n",
        {"columns": ["t"]},
        {"t": [1, 2, 3], "u": ["#REF!", "7", "8"], "v": ["1.5", "x", "2.5"]},
    ),
}


@pytest.mark.parametrize("name", WISHES)
def test_a_reader_can_say_what_a_file_leaves_open(tmp_path, name):
    text, wishes, expected = WISHES[name]
    assert values_of(reading.read_table(write(tmp_path, text), **wishes)) == expected


def test_a_column_that_is_not_needed_stays_text_and_the_reason_is_told(tmp_path):
    path = write(tmp_path, "t,u\n1,#REF!\n2,7\n")
    told = reading.read_table(path, ["t"]).attrs["reading"]
    assert told[-1].startswith(
        "Column 'u' stays text: table.csv, row 2, column 'u': '#REF!' is an error"
    )
    with pytest.raises(ValueError, match="'#REF!'"):
        reading.read_table(path, ["t", "u"])


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        (
            {"columns": ["Time"]},
            r"no column 'Time'; it has time, g \(do you mean 'time'\?\), so rename",
        ),
        ({"numeric": ["g"]}, r"row 2, column 'g': 'a' is not a number; repair it\."),
        ({"decimal": ","}, r"column 'time': '1\.5' has no decimal ','"),
        ({"decimal": ";"}, r"decimal is ';'"),
    ],
)
def test_a_wish_that_the_file_does_not_meet_is_refused(tmp_path, wishes, message):
    with pytest.raises(ValueError, match=message):
        reading.read_table(write(tmp_path, "time,g\n1.5,a\n2,b\n"), **wishes)


def test_a_file_that_is_not_there_a_folder_and_a_table_in_memory_are_refused(tmp_path):
    write(tmp_path, "a\n1\n", "mine.csv")
    with pytest.raises(
        FileNotFoundError, match=r"There is no file .*nowhere\.csv; Python looks from"
    ):
        reading.read_table(tmp_path / "nowhere.csv")
    with pytest.raises(ValueError, match=r"is a folder, and it holds mine\.csv; give"):
        reading.read_table(str(tmp_path))
    with pytest.raises(ValueError, match="no path and no address but a DataFrame"):
        reading.read_table(pd.DataFrame({"a": [1]}))


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def address(tmp_path):
    """A web server for a folder with one file."""
    write(tmp_path, "t;g\n1,5;a\n", "web.csv")
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_table_is_read_from_an_address_and_an_address_that_fails_is_named(address):
    frame = reading.read_table(f"{address}/web.csv")
    assert values_of(frame) == {"t": [1.5], "g": ["a"]}
    with pytest.raises(
        ValueError, match=r"http://.*/no\.csv cannot be read \(.*404.*\); check"
    ) as refusal:
        reading.read_table(f"{address}/no.csv")
    assert "\n" not in str(refusal.value)
    with pytest.raises(ValueError, match=r"http://127\.0\.0\.1:1/x\.csv cannot be read"):
        reading.read_table("http://127.0.0.1:1/x.csv")


def test_the_look_says_what_each_column_holds():
    frame = pd.DataFrame(
        {
            "t": [1.5, None, 2.5],
            "n": [3, 1, 2],
            "gap": [3.0, None, 2.0],
            "g": ["b", "a", "b"],
            "b": [True, False, True],
            "d": pd.to_datetime(["2024-01-02", "2024-01-01", None]),
            "e": [None] * 3,
        }
    )
    look = reading.describe(frame).set_index("name")
    assert look["kind"].to_dict() == {
        **{"t": "number", "n": "whole number", "gap": "whole number", "g": "text", "b": "yes-no"},
        **{"d": "date", "e": "empty"},
    }
    assert look["missing"].tolist() == [1, 0, 1, 0, 0, 1, 3]
    assert look["distinct"].tolist() == [2, 3, 2, 2, 2, 2, 0]
    assert look.loc[["t", "n", "d"], "smallest"].tolist() == [1.5, 1, pd.Timestamp("2024-01-01")]
    assert look.loc[["t", "n", "d"], "largest"].tolist() == [2.5, 3, pd.Timestamp("2024-01-02")]
    assert look.loc["g", ["smallest", "largest", "examples"]].tolist() == [None, None, "b, a"]


AGES = [20, 31, 42, 53, 64, 75]
TROUBLES = {
    "case and spaces": (
        {"g": ["Kent", "kent ", "Kent", f"New{NBSP}York", "New York", "New York"], "n": range(6)},
        [
            "Column 'g': 'kent ' (row 3) may be meant as 'Kent' (rows 2 and 1 more).",
            f"Column 'g': {f'New{NBSP}York'!r} (row 5) may be meant as 'New York' (rows 6 and 1 more).",
        ],
    ),
    "an empty column": ({"e": [None] * 12, "g": list("abcdefghijkl")}, ["Column 'e' is empty."]),
    "a nearly empty column": (
        {"e": [None] * 11 + [5], "g": list("abcdefghijkl")},
        ["Column 'e' is nearly empty; it has values in row 13."],
    ),
    "one value": ({"c": [5, 5], "g": ["a", "b"]}, ["Column 'c' has one value only, 5."]),
    "rows twice": (
        {"t": [1, 2, 1, 1], "g": ["a", "b", "a", "b"]},
        ["1 of 4 rows repeats an earlier row in all columns: row 4."],
    ),
    "words": (
        {"g": ["NA", "b", "none", "b"], "t": [1, 2, 3, 4]},
        [
            "Column 'g': 'NA' (row 2) may mean that the value is missing.",
            "Column 'g': 'none' (row 4) may mean that the value is missing.",
        ],
    ),
    "labels that became dates": (
        {"g": ["5-Mar", "SEPT2", "2-Sep"], "t": [1, 2, 3]},
        [
            "Column 'g': '5-Mar' (row 2) may be a number or a label that a spreadsheet took for a date.",
            "Column 'g': '2-Sep' (row 4) may be a number or a label that a spreadsheet took for a date.",
        ],
    ),
    "garbled letters": (
        {"g": ["ZoÃ«", "Zoë"], "t": [1, 2]},
        ["Column 'g': 'ZoÃ«' (row 2) has letters garbled by a wrong encoding."],
    ),
    "-999": (
        {"age": [*AGES, -999, -999]},
        [
            "Column 'age': -999 (rows 8, 9) may be a code for a missing value; the other values go from "
            "20 to 75; if it is, read_table(..., missing=['-999']) says so.",
            "1 of 8 rows repeats an earlier row in all columns: row 9.",
        ],
    ),
    "99": (
        {"age": [*AGES, 99]},
        [
            "Column 'age': 99 (row 8) may be a code for a missing value; the other values go from 20 to "
            "75; if it is, read_table(..., missing=['99']) says so."
        ],
    ),
    "99 among such numbers": ({"age": [*AGES, 90, 98, 99]}, []),
    "-1 among such numbers": ({"warmth": [-20, -5.5, -1, 0, 3, 8]}, []),
    "infinite": ({"t": [1.0, np.inf, 2.0]}, ["Column 't' is infinite in row 3."]),
    "nothing": ({"t": [1.5, 2.5, 3], "g": ["a", "b", "a"]}, []),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_what_looks_wrong_is_named_with_its_rows(name):
    columns, expected = TROUBLES[name]
    frame = pd.DataFrame(columns)
    frame.index += 2
    assert reading.find_troubles(frame) == expected


def test_groups_with_one_row_and_nearly_as_many_groups_as_rows_are_named():
    frame = pd.DataFrame({"g": list("aabbccd"), "id": [1, 2, 3, 4, 5, 6, 6], "t": range(7)})
    frame.index += 2
    assert reading.find_troubles(frame) == []
    assert reading.find_troubles(frame, "g") == [
        "Column 'g': 1 of 4 groups have one row only (row 8)."
    ]
    assert reading.find_troubles(frame, ["g", "id"])[1:] == [
        "Column 'id' has 6 groups in 7 rows; groups should have several rows."
    ]
    with pytest.raises(ValueError, match="no column 'h'"):
        reading.find_troubles(frame, groups="h")


def test_a_table_that_was_read_shows_its_troubles_with_the_rows_of_the_file(tmp_path):
    text = "t;g\n1,5;Kent\n2,5;kent\n-999;Kent\n1,7;Essex\n1,9;Essex\n"
    frame = reading.read_table(write(tmp_path, text))
    troubles = reading.find_troubles(frame, groups="g")
    assert [sentence.split(" may")[0] for sentence in troubles] == [
        "Column 't': -999 (row 4)",
        "Column 'g': 'kent' (row 3)",
        "Column 'g': 1 of 3 groups have one row only (row 3).",
    ]


@pytest.mark.parametrize(
    ("text", "encoding", "given", "names"),
    [
        ("a;b\n1,5;x\n2,5;y\n", "utf-8-sig", {}, ["sep", "decimal"]),
        ("a;b\n1.205,5;x\n2,5;y\n", "utf-8", {}, ["sep", "decimal", "thousands"]),
        ("sep=;\na;b\n1,5;ö\n2,5;y\n", "cp1252", {}, ["sep", "encoding", "skiprows", "decimal"]),
        ("T\n\na;b\n1;x\n2;y\n\nTotal;3\n", "utf-8", {}, ["sep", "skiprows", "nrows"]),
        ("a,b\n1,x\n\n2,y\n,\n,\n", "utf-8", {}, ["nrows"]),
        ("a,b\n1.5,x\n-999,y\n", "utf-8", {"missing": ["-999"]}, ["na_values"]),
        ("a,b\n1.5,x\n2,y\n", "utf-8", {}, []),
    ],
)
def test_pandas_reads_the_same_with_what_was_decided(tmp_path, text, encoding, given, names):
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode(encoding))
    frame = reading.read_table(path, **given)
    arguments = frame.attrs["read_csv"]
    assert [*arguments] == names
    plain = pd.read_csv(path, **arguments)
    pd.testing.assert_frame_equal(frame.reset_index(drop=True), plain, check_dtype=False)
