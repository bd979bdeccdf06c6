"""How people write numbers: minus, thousands, decimals, units."""

import re

SPACES = " \u00a0\u2009\u202f"
APOSTROPHES = "'\u2019"
MINUS = "\u2212\u2013-"
MONEY = r"[€$£¥₹]|EUR|USD|GBP|CHF"
# Units that may touch their number ("12s"), and those that stand apart ("12 years").
CLOSE = rf"{MONEY}|[%‰°]|°[CF]|ms|s|min|h|kg|mg|g|km|cm|mm|m|ml|l"
APART = (
    "sec|secs|seconds?|hrs?|hours?|d|days?|y|yrs?|years?|t|µg|μg|µm|L|mL|cl|K|Hz|kHz|bpm|mmHg|k?Pa|hPa"
    "|k?J|kcal|k?W|k?V|A|N|Jahre?|Tage?|Std|Sek"
)
WRITTEN = re.compile(
    rf"[{APOSTROPHES}]?(?P<sign>[+{MINUS}]?)(?P<money>(?:{MONEY})?)[{SPACES}]*(?P<later>[+{MINUS}]?)[{SPACES}]?"
    rf"(?P<body>[0-9.,][0-9.,{APOSTROPHES}{SPACES}]*?(?:[eE][+{MINUS}]?[0-9]+)?)"
    rf"(?:[{SPACES}]*(?P<close>{CLOSE})|[{SPACES}]+(?P<apart>[^\W\d_]\S{{0,9}}))?"
)
KNOWN = re.compile(f"{CLOSE}|{APART}")
INFINITE = re.compile(r"([+-]?)inf(?:inity)?", re.IGNORECASE)


def _grammar(decimal: str, group: str) -> re.Pattern:
    """Numbers without sign: groups of three digits, or digits in a row that may have an exponent."""
    groups = rf"[1-9][0-9]{{0,2}}([{group}{SPACES}{APOSTROPHES}])[0-9]{{3}}(?:\1[0-9]{{3}})*(?:{decimal}[0-9]+)?"
    exponent = rf"(?:[eE][+{MINUS}]?[0-9]+)?"
    return re.compile(rf"{groups}|(?:[0-9]*{decimal})?[0-9]+{exponent}|inf")


GRAMMARS = {".": _grammar(r"\.", ","), ",": _grammar(",", r"\.")}


def split_number(text: str) -> tuple[str, str] | None:
    """Part what is written into a number (with "-" as its minus) and a unit; None if it is none.

    An apostrophe before the number, by which spreadsheets mark text, is dropped.
    """
    infinite = INFINITE.fullmatch(text)
    if infinite:
        return infinite.group(1) + "inf", ""
    found = WRITTEN.fullmatch(text)
    if not found or not decimals_of(found["body"]) or (found["sign"] and found["later"]):
        return None
    negative = (found["sign"] + found["later"]).replace("+", "")
    unit = found["money"] or found["close"] or found["apart"] or ""
    return ("-" if negative else "") + found["body"], unit


def decimals_of(number: str) -> str:
    """Which of "." and "," can be the decimal sign of a number: ".,", ".", "," or ""."""
    body = number.lstrip("-")
    return "".join(sign for sign, grammar in GRAMMARS.items() if grammar.fullmatch(body))


def as_python(number: str, decimal: str) -> str:
    """A number as Python writes it, without thousands signs.

    >>> as_python("-1.205,5", ",")
    '-1205.5'
    """
    bare = re.sub(_groups(decimal), "", number).replace(decimal, ".")
    return re.sub(rf"[{MINUS}]", "-", bare)


def has_groups(number: str, decimal: str) -> bool:
    """Whether a number has signs between thousands."""
    return re.search(_groups(decimal), number) is not None


def group_sign(number: str, decimal: str) -> str:
    """The sign between thousands; "" if a number has none."""
    found = re.search(_groups(decimal), number)
    return found.group() if found else ""


def _groups(decimal: str) -> str:
    return rf"[{'.' if decimal == ',' else ','}{SPACES}{APOSTROPHES}]"


def is_ambiguous(number: str) -> bool:
    """Whether a number has two values, as "1.205" has."""
    return len(decimals_of(number)) == 2 and as_python(number, ".") != as_python(number, ",")
