"""What a report is asked for: read from the command line, and checked before anything runs."""

import argparse
import math
import os
import shlex
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlparse

from helpers.priors import Plausible

EXAMPLE = 'python -m helpers report table.csv "y ~ x + (x | g)" --range 0 600 --unit s'


@dataclass(frozen=True)
class Request:
    """A table, a formula and what is known about the outcome; ``settings`` are further parameters of
    the page, such as ``{"per": 10, "seed": 7}``. ``html`` is the file that becomes the report."""

    source: str
    formula: str
    low: float
    high: float
    unit: str
    html: Path
    settings: dict = field(default_factory=dict)
    with_code: bool = False
    command: str = ""

    @property
    def folder(self) -> Path:
        return self.html.parent

    @property
    def markdown(self) -> Path:
        return self.html.with_suffix(".md")

    @property
    def title(self) -> str:
        """The table's name, such as "sleepstudy.csv"."""
        return _name(self.source)

    def parameters(self) -> dict:
        """What papermill sets at the top of the page."""
        given = {"source": self.source, "formula": self.formula, "unit": self.unit}
        return given | {"low": self.low, "high": self.high} | self.settings


def read_arguments(arguments: list[str]) -> Request:
    """Read the command line; argparse ends the program at what it cannot read, with exit code 2.

    Raises
    ------
    ValueError
        If something is missing; one sentence says what, with an example.
    """
    options = _make_parser().parse_args(arguments)
    if not (options.table.strip() and options.formula.strip()):
        raise ValueError(f"Name a table and a formula, as in: {EXAMPLE}")
    if options.family:
        from helpers.families import find_family  # seconds

        find_family(options.family)
    is_chance = options.family == "bernoulli"  # has no unit
    for name, given in {"range": options.range, "unit": options.unit}.items():
        if given is None and not (name == "unit" and is_chance):
            raise ValueError(f"Say with --{name} {_WHY[name]}, as in: {EXAMPLE}")
    low, high = map(_as_whole, options.range)
    source, settings = _absolute(options.table), {}
    for name in ("per", "gain", "cost", "draws", "tune", "chains", "seed"):
        if getattr(options, name) is not None:
            settings[name] = _as_whole(getattr(options, name))
    if options.reach:
        settings["reach"] = dict(map(_read_reach, options.reach))
    how = {name: getattr(options, name) for name in ("decimal", "missing", "text")}
    if any(how.values()):
        settings["how"] = {name: given for name, given in how.items() if given}
    if options.drop_missing:
        settings["drop_missing"] = True
    if options.family:
        settings["family"] = options.family
    html = _place(options.out, source)
    command = shlex.join(["python", "-m", "helpers", "report", *arguments])
    formula, unit = options.formula, options.unit or ""
    return Request(source, formula, low, high, unit, html, settings, options.with_code, command)


_WHY = {
    "range": "what a single outcome can plausibly be, the lowest and the highest value",
    "unit": "the outcome's unit (a yes or no has none: --family bernoulli)",
}


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m helpers report",
        description="Fit, check and report a mixed model of your own table.",
        epilog=f"Example: {EXAMPLE}",
    )
    add = parser.add_argument
    add("table", help="path or address of a CSV file")
    add("formula", help='in the language of Bambi: "y ~ x + (x | g)"')
    add("--range", nargs=2, type=float, metavar=("LOW", "HIGH"), help="needed: " + _WHY["range"])
    add("--unit", help="needed: the outcome's unit, such as s; not for --family bernoulli")
    add(
        "--family",
        metavar="NAME",
        help="of outcomes, if not gaussian: bernoulli (0 or 1; the range is of "
        "a row's chance), poisson, negativebinomial (counts), gamma; the range is of a row's mean",
    )
    add("--per", type=float, metavar="N", help="tell slopes for N units of the predictor")
    add("--reach", nargs=3, action="append", metavar=("COLUMN", "LOW", "HIGH"),
        help="how far a predictor reaches, if not as in the table; once for each")  # fmt: skip
    add("--gain", type=float, help="what one unit of the outcome is worth, for a decision")
    add("--cost", type=float, help="what a change of the predictor by N costs")
    add("--drop-missing", action="store_true", help="leave out rows that miss a value")
    add("--decimal", choices=[",", "."], help="the decimal sign, where the file leaves it open")
    add("--missing", action="append", metavar="WORD", help="what means missing; once for each")
    add("--text", action="append", metavar="COLUMN", help="a column of labels; once for each")
    for name in ("draws", "tune", "chains", "seed"):
        add(f"--{name}", type=int, metavar="N", help=f"the sampler's {name}")
    add("--out", default="", metavar="PLACE", help="folder, or file.html; else the current folder")
    add("--with-code", action="store_true", help="show the code of the page in the HTML file")
    return parser


def _read_reach(given: list[str]) -> tuple[str, list[float]]:
    column, *limits = given
    try:
        return column, [_as_whole(float(limit)) for limit in limits]
    except ValueError:
        raise ValueError(
            f"--reach takes a column and two numbers, such as --reach {shlex.quote(column)} 0 10; "
            f"{' and '.join(map(repr, limits))} are not both numbers."
        ) from None


def _as_whole(number: float) -> float | int:
    """600 for 600.0, as a reader wrote it."""
    return int(number) if float(number).is_integer() else number


def is_address(source: str) -> bool:
    return urlparse(source).scheme in ("http", "https")


def _absolute(source: str) -> str:
    """A path that holds from any folder; addresses stay."""
    return source if is_address(source) else os.path.abspath(os.path.expanduser(source))


def _name(source: str) -> str:
    return Path(unquote(urlparse(source).path) if is_address(source) else source).name or "table"


def _place(out: str, source: str) -> Path:
    """The HTML file: as asked, or named after the table in the folder asked for."""
    place = Path(out).expanduser().absolute()
    if place.suffix.lower() in (".html", ".htm"):
        return place
    return place / f"{Path(_name(source)).stem}-report.html"


# Checks that cost seconds, before a run that costs minutes


def check(request: Request) -> None:
    """Refuse in one sentence what cannot become a report; nothing is written.

    Raises
    ------
    ValueError or OSError
        If numbers contradict each other, the table cannot be read, or the formula cannot be read or
        asks of the table what the page has no answer to.
    """
    _check_numbers(request)
    from helpers import frames, own  # seconds

    try:
        question = own.ask(
            request.formula,
            _read(request),
            Plausible(request.low, request.high, request.unit),
            drop_missing=request.settings.get("drop_missing", False),
            family=request.settings.get("family", "gaussian"),
        )
    except ValueError as error:
        raise ValueError(str(error).replace("drop_missing=True", "--drop-missing")) from None
    used = [frames.original_column(question.table, name) for name in question.terms.used.columns]
    _check_reach(request.settings.get("reach", {}), used)


def _read(request: Request):
    """The table; a refusal that names a way out of ``read_table`` names the command's, too."""
    from helpers import reading

    try:
        return reading.read_table(request.source, **request.settings.get("how", {}))
    except ValueError as error:
        if "read_table(" not in str(error):
            raise
        ways = "--decimal SIGN, --missing WORD and --text COLUMN are what the command calls these"
        raise ValueError(f"{str(error).rstrip('.')}; {ways}.") from None


def make_folder(folder: Path) -> None:
    """Make the folder for the report; a ``ValueError`` says so if it cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ValueError(
            f"The report cannot be written to {folder} ({error.strerror}); choose another folder "
            "with --out."
        ) from None


def _check_numbers(request: Request) -> None:
    _check_order("--range", request.low, request.high)
    settings = request.settings
    for name in ("draws", "tune", "chains", "per"):
        if not settings.get(name, 1) > 0:
            raise ValueError(f"--{name} is {settings[name]}, but must be above 0.")
    if ("gain" in settings) != ("cost" in settings):
        raise ValueError("A decision needs both: give --gain and --cost, or neither of them.")


def _check_order(option: str, low: float, high: float) -> None:
    if not (low < high and math.isfinite(high - low)):
        raise ValueError(
            f"{option} is {low} to {high}, but takes two numbers of which the first is the lower one."
        )


def _check_reach(reach: dict, columns: Iterable[str]) -> None:
    for column, (low, high) in reach.items():
        if column not in columns:
            raise ValueError(
                f"--reach names {column!r}, which is no column of the formula; it has "
                f"{', '.join(columns)}."
            )
        _check_order(f"--reach {column}", low, high)
