"""No result is typed: a number in the words of a chapter is a setting, and stands where it is decided.

Each number is looked for at three places. It is one of the code of its own section, an exercise's with its
solution (`draws = 30`, "with 30 draws"); or a fact about the data, the priors or the gate, in a sentence that
names what it is a fact of; or arithmetic and examples in a sentence that is listed here.
"""

import ast
import re
from collections.abc import Iterator

import nbformat
import pandas as pd
import pytest

from chapters import list_chapters
from helpers import diagnostics, tables
from helpers.book import truth
from helpers.book.visits import AGE_RANGE, AGE_SD, COUNTIES, REFERENCE_AGE, SIGMA, data_file
from helpers.priors import Plausible, Priors

CHAPTERS = list_chapters()
NUMBER = re.compile(r"(?<![\w.])[-+\u2212]?\d[\d,]*(?:\.\d+)?")
PRIORS = Priors()
PERCENT = 100 * tables.INTERVAL
WINE, PASTES, PENICILLIN = (
    pd.read_csv(data_file(f"tables/{name}.csv")) for name in ("wine", "pastes", "penicillin")
)

# What a sentence must say (a regular expression) so that it may state a number.
FACTS = [
    *[(visits, county) for county, visits in COUNTIES["visits"].items()],
    (COUNTIES["visits"].sum(), r"613 (visits|fits)"),
    (len(COUNTIES), r"\b8 counties|instead of 8"),
    *[(age, "16 to 90 years") for age in AGE_RANGE],
    (AGE_SD, r"mean age.*, 9\)"),
    (REFERENCE_AGE, "aged 45|mean age"),
    (SIGMA, r"time.*, 8\)"),
    (truth.load_truth()["slope_per_decade"], r"answer is|truth|s per decade"),
    (diagnostics.R_HAT_LIMIT, "R-hat|chains agree"),
    (diagnostics.ESS_LIMIT, "ESS|effective"),
    (diagnostics.E_BFMI_LIMIT, "E-BFMI"),
    (PERCENT, r"\b95 (%|percent)"),
    (100 - PERCENT, r"\b5 % and 95 %"),
    (0, r"\b0 and 1\b|\bto 0\b|\bfrom 0 to\b|less than 0 s"),
    (1, r"\b0 and 1\b|(near|below|above|about|exactly|to|of) 1\b"),
    (Plausible().high, "implausible|ground is blue"),
    *[(number, r"Intercept:.*\(200, 25\)") for number in PRIORS.intercept],
    (PRIORS.intercept[0], "times of around 200 s|intercept of 200"),
    (PRIORS.intercept[1], "sd of 25 s"),
    (PRIORS.slope[1], "slope of 10"),
    (PRIORS.sigma, r"Residual sd:.*scale 20 s"),
    (PRIORS.group_sd, "sd of the intercepts:.*scale 20 s"),
    ((WINE["temperature"] == "warm").sum(), "36 warm tastings"),
    (len(WINE), "72 tastings"),
    (WINE["bottle"].max(), "bottle 8"),
    (PASTES["cask"].nunique(), "not 3 casks"),
    (PASTES.groupby(["batch", "cask"]).ngroups, "but 30,"),
    (PENICILLIN["plate"].nunique(), "24 plates"),
]
# Arithmetic, rules of others and examples: words that state a number which nothing here decides.
WORDS = [
    "from 0 to 120",
    "3:31 means 211 s",
    r"\sqrt{22/7}",
    "for the random intercept is 5",
    "from 0.01 to 100 s per sd",
    "peaks near 8",
    "10 s per *year*, 100 s per decade",
    "of age 0",
    "beyond 2 is rare",
    "10 s are many standard errors",
    "a factor of nearly 3",
    "an sd of 3, for one of 20",
    "0.95 to 0.99",
    "printed as 1.00 or 0.00",
    "near 0 or 1",
    "elow about 4",
    "power of 2",
    "with 20 s more",
    "PyMC 6",
    "before you look at 4",
    "50 instead of 5",
    "8 instead of 10",
    r"$m / 16{,}000$ beyond 4",
    "0, \\dots, L",
    "200 worlds of NUTS",
    "first 200 of the exact study",
    "scale 20 s for `group_sd`",
    "has scale 10 s",
    "95 % and 93 %",
    "predictor is 0",
    "no row is near 0",
    "one time in 8",
    "random intercept of chapter 6",
    "ended at 0 and 100",
    "one in 8",
]


def sections_of(notebook: nbformat.NotebookNode) -> list[list[nbformat.NotebookNode]]:
    """Cells under each heading; an exercise keeps its solution."""
    sections = [[]]
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and re.match("##{1,2} ", cell.source):
            sections.append([])
        sections[-1].append(cell)
    return sections


# What says how a figure looks or how many digits are shown: functions, and options of others.
LOOKS = re.compile(r"(round|subplots|legend|suptitle|set_\w+|text|annotate)$")
STYLE = re.compile("figsize|height|aspect|alpha|s|x|y|size|fontsize|linewidth|lw|fliersize|zorder")


def settings_in(node: ast.AST) -> Iterator[float]:
    """Numbers of code, but those that only say how a figure looks or how many digits are shown."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield abs(float(node.value))
    elif isinstance(node, ast.Call) and LOOKS.search(ast.unparse(node.func)):
        yield from settings_in(node.func)
    elif not (isinstance(node, ast.keyword) and STYLE.fullmatch(node.arg or "")):
        for part in ast.iter_child_nodes(node):
            yield from settings_in(part)


NOT_LOOKED_AT = [
    (r"(?s)```.*?```", ""),
    (r"`[^`]+`", ""),
    (r"\*\*Minutes:\*\*.*", ""),
    (r"^### Exercise \w+\.\d+:|\(\d+ minutes?\)$|\[Exercise \w+\.\d+\]\([^)]*\)", ""),
    (r"\[[^\]]*\]\(bibliography\.md[^)]*\)", ""),  # years
    (r"\[(?:\d+\. |[Cc]hapter \d+)(?=[^\]]*\]\(\w+\.ipynb[#\w-]*\))", "["),  # of chapters
    (r"\]\([^)]*\)", "]"),
    (r"^(?:# |[> ]*)\d+\. ", ""),  # of titles and lists
    (r"(?i)\b(step|question|row)s?\*{0,2} \d+(, \d+)*( and \d+)?", ""),
]


def sentences_in(cell: nbformat.NotebookNode) -> list[str]:
    """Words of a cell and of its figure's text, without what is listed above."""
    text = cell.source if cell.cell_type == "markdown" else ""
    text += "\n\n" + cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
    for words in WORDS:
        text = re.sub(flexible(words), "", text)
    for pattern, instead in NOT_LOOKED_AT:
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
    # Whole numbers to 10 within a formula are algebra.
    algebra = r"(?<![\d.,])-?(10|\d)(?![\d.])"
    text = re.sub(r"\$\$?[^$]+\$", lambda formula: re.sub(algebra, "", formula[0]), text)
    text = text.replace("*", "")
    return [" ".join(part.split()) for part in re.split(r"(?<=[.?!])\s|\n\n|\n[-|>]", text)]


def flexible(words: str) -> str:
    """A regular expression for words that a line may break."""
    return re.escape(words).replace(r"\ ", r"\s+")


def find_typed(notebook: nbformat.NotebookNode) -> list[str]:
    """Numbers that are decided at none of the three places, each with its sentence."""
    typed = []
    for cells in sections_of(notebook):
        code = [cell for cell in cells if cell.cell_type == "code" and cell.id != "colab"]
        settings = {n for cell in code for n in settings_in(ast.parse(cell.source))}
        for sentence in [sentence for cell in cells for sentence in sentences_in(cell)]:
            told = settings | {number for number, words in FACTS if re.search(words, sentence)}
            for number in NUMBER.findall(sentence):
                value = float(number.replace(",", "").replace("\u2212", "-"))
                if not {value, abs(value)} & told:
                    typed.append(f"{number} in: {sentence}")
    return typed


@pytest.mark.parametrize("chapter", CHAPTERS, ids=[path.stem for path in CHAPTERS])
def test_no_result_is_typed(chapter):
    typed = find_typed(nbformat.read(chapter, as_version=4))
    assert not typed, "\n".join(["compute these, or say where they are decided:", *typed])


@pytest.mark.parametrize(
    ("sentence", "decided_in"),
    [
        ("The slope is -1.87 s.", []),
        ("An ESS of 5,148.", []),
        ("about 13 s", []),
        ("sd of 25", ["## Step by step in PyMC", "## Almost the same model in Bambi"]),
        ("70 of them", ["### Exercise 7.2: Move the zero (10 minutes)"]),
    ],
)
def test_a_typed_result_would_be_seen_where_it_is_no_setting(sentence, decided_in):
    (chapter,) = [path for path in CHAPTERS if "random_slope" in path.stem]
    unseen = []
    for cells in sections_of(nbformat.read(chapter, as_version=4))[1:]:
        planted = nbformat.v4.new_notebook(cells=[*cells, nbformat.v4.new_markdown_cell(sentence)])
        if not find_typed(planted):
            unseen.append(cells[0].source.splitlines()[0])
    assert unseen == decided_in


def test_words_that_are_listed_are_still_said():
    text = "\n".join(path.read_text(encoding="utf-8") for path in CHAPTERS)
    text = text.replace("\\\\", "\\")
    text = re.sub(r'\\n",\n +"', " ", text)  # a line of a cell
    assert [words for words in WORDS if not re.search(flexible(words), text)] == []
