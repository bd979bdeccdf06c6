"""What the scripts of r/ gave, as ``make r`` stored it: code and output of their sections, and draws."""

import hashlib
import json
import re
from functools import cache
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from IPython.display import Image, Markdown, display
from PIL import Image as Picture

from helpers.book.visits import data_file

SCRIPTS = ("setup", "02_explore", "04_priors", "05_pooled", "06_random_intercept")
SCRIPTS += ("07_random_slope", "08_diagnostics", "10_checks", "15_answers")
SCRIPTS += ("19_two_factors", "20_outcomes", "exercises")
# What the scripts read: the visits, the priors, further outcomes, other people's tables.
DATA = ("bounce_times.csv", "priors.csv", "next_visits.csv")
DATA += ("tables/wine.csv", "tables/pastes.csv", "tables/sleepstudy.csv")
HEAD = re.compile(r"^# (.+) ----$", re.MULTILINE)
WIDE = 720  # px of a figure on a page
# brms's names of the parameters, and the book's.
NAMES = {
    "b_Intercept": "intercept",
    "b_std_age": "slope",
    "sigma": "sigma",
    "sd_county__Intercept": "group_sd",
    "sd_county__std_age": "slope_sd",
    "cor_county__Intercept__std_age": "rho",
}
# How a summary of brms calls them in its rows.
ROWS = {
    "Intercept": "intercept",
    "std_age": "slope",
    "sigma": "sigma",
    "sd(Intercept)": "group_sd",
    "sd(std_age)": "slope_sd",
    "cor(Intercept,std_age)": "rho",
}
EFFECTS = {"Intercept": "group_intercept", "std_age": "group_slope"}
# The same of the wine, whose parameters have Bambi's names, and dimensions of factors.
NAMES_OF_WINE = {
    "b_Intercept": "Intercept",
    "b_temperaturewarm": "temperature",
    "b_contactyes": "contact",
    "sigma": "sigma",
    "sd_judge__Intercept": "1|judge_sigma",
    "sd_bottle__Intercept": "1|bottle_sigma",
}


def script_file(name: str) -> Path:
    """A script of r/: inside an installed wheel, or at the top of a checkout."""
    installed = data_file("r-scripts") / f"{name}.R"
    return installed if installed.exists() else data_file("r").parents[1] / "r" / f"{name}.R"


def read_sections(name: str) -> dict[str, str]:
    """Code of the sections of a script, by their names as parts of an address."""
    _, *parts = HEAD.split(script_file(name).read_text(encoding="utf-8"))
    titles, codes = parts[::2], parts[1::2]
    return {slug(title): code.strip() for title, code in zip(titles, codes, strict=True)}


def slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


@cache
def load_record() -> dict:
    """Printed output and figures by script and section, with versions, minutes and a fingerprint."""
    return json.loads((data_file("r") / "record.json").read_text(encoding="utf-8"))


def read_lines(name: str, section: str = "what-it-says") -> list[str]:
    """What R printed in a section of a script, line by line."""
    return load_record()["sections"][name][section]["text"].splitlines()


def read_table(lines: list[str]) -> pd.DataFrame:
    """A table that R printed, from its lines, with the labels of its rows as the index."""
    return pd.read_csv(StringIO("\n".join(lines)), sep=r"\s+")


def read_summary(name: str) -> dict[str, tuple[str, str]]:
    """Estimate and its error by parameter, as brms's summary printed them in a script."""
    rows = [line.split() for line in read_lines(name)]
    columns = 8  # the label, two numbers, two limits, R-hat, two ESS
    return {ROWS[r[0]]: (r[1], r[2]) for r in rows if len(r) == columns and r[0] in ROWS}


def show(name: str, section: str, *, code: bool = True, output: bool = True) -> None:
    """Show a section of a script with what R printed and drew.

    ``name`` is a script of r/ without its ending, ``section`` the title of a section in small letters
    with hyphens. A ``KeyError`` says if there is no such section.
    """
    parts = [f"```r\n{read_sections(name)[section]}\n```"] if code else []
    found = load_record()["sections"][name][section]
    if output and found["text"].strip():
        parts.append(f"```text\n{found['text'].rstrip()}\n```")
    if parts:
        display(Markdown("\n\n".join(parts)))
    for figure in found["figures"] if output else ():
        display(_as_png(data_file("r") / figure))


def _as_png(file: Path) -> Image:
    with Picture.open(file) as picture, BytesIO() as buffer:
        picture.save(buffer, "PNG")
        return Image(buffer.getvalue(), width=WIDE)


def fingerprint() -> dict[str, str]:
    """SHA-256 of what the results depend on: the scripts, the tables that they read, the priors."""
    files = {f"r/{name}.R": script_file(name) for name in SCRIPTS}
    files |= {f"data/{name}": data_file(name) for name in DATA}
    content = {name: file.read_text(encoding="utf-8") for name, file in files.items()}
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in content.items()}


def load_fit(model: str) -> xr.DataTree:
    """Draws of a model of the visits by brms, thinned, with the names that ``models.fit`` gives.

    ``model`` is one of the three, "returned" or "pages".
    """
    draws = pd.read_csv(data_file("r") / f"{model}.csv.gz")
    shape = draws[".chain"].nunique(), -1
    found = {
        ours: (("chain", "draw"), draws[theirs].to_numpy().reshape(shape))
        for theirs, ours in (NAMES | {"shape": "alpha"}).items()
        if theirs in draws
    }
    counties = sorted({re.split(r"[\[,]", column)[1] for column in draws if "[" in column})
    for effect, ours in EFFECTS.items():
        columns = [f"r_county[{county},{effect}]" for county in counties]
        if counties and columns[0] in draws:
            values = draws[columns].to_numpy().reshape(*shape, len(counties))
            found[ours] = (("chain", "draw", "county"), values)
    coords = {"county": counties} if counties else {}
    return xr.DataTree.from_dict({"posterior": xr.Dataset(found, coords=coords)})


def load_two_factors() -> xr.DataTree:
    """Draws of the wine's model by brms, thinned, with the names that ``models.fit`` gives a formula's."""
    draws = pd.read_csv(data_file("r") / "two_factors.csv.gz")
    shape = draws[".chain"].nunique(), -1
    found, coords = {}, {"temperature_dim": ["warm"], "contact_dim": ["yes"]}
    for theirs, ours in NAMES_OF_WINE.items():
        dims = [dim for dim in coords if dim == f"{ours}_dim"]
        values = draws[theirs].to_numpy().reshape(*shape, *(1 for _ in dims))
        found[ours] = (("chain", "draw", *dims), values)
    for factor in ("judge", "bottle"):
        columns = [column for column in draws if column.startswith(f"r_{factor}[")]
        coords[f"{factor}__factor_dim"] = [re.split(r"[\[,]", column)[1] for column in columns]
        values = draws[columns].to_numpy().reshape(*shape, len(columns))
        found[f"1|{factor}"] = (("chain", "draw", f"{factor}__factor_dim"), values)
    return xr.DataTree.from_dict({"posterior": xr.Dataset(found, coords=coords)})


def load_lme4() -> pd.DataFrame:
    """Estimates (REML) and standard errors of lme4, by model and parameter."""
    table = pd.read_csv(data_file("r") / "lme4.csv")
    return table.set_index(["model", "parameter"]).astype(np.float64)
