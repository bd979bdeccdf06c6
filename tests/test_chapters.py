"""Every chapter, re-run by papermill from a folder that is not its own."""

import ast
import re

import nbformat
import papermill
import pytest

from chapters import list_chapters
from conftest import ROOT
from helpers import diagnostics, flipbook, models, tables
from helpers.book.truth import load_truth
from helpers.book.visits import AGE_RANGE, AGE_SD, COUNTIES, REFERENCE_AGE, SIGMA
from helpers.exercises import answers

CHAPTERS = list_chapters()
PARAMETERS = {"draws", "tune", "chains", "seed", "data_path"}
IDS = [path.stem for path in CHAPTERS]
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=IDS)


def read(path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def tagged(notebook: nbformat.NotebookNode, tag: str) -> list:
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def markdown(notebook: nbformat.NotebookNode) -> str:
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


@pytest.fixture(scope="module", params=CHAPTERS, ids=IDS)
def executed(request, run_chapter):
    """A chapter after a run with its own parameters, somewhere else."""
    return run_chapter(request.param)


def outputs(notebook: nbformat.NotebookNode) -> list:
    return [out for cell in notebook.cells for out in cell.get("outputs", [])]


def test_every_chapter_runs_alone_and_says_nothing_stray(executed):
    """No warning, no log line, no bare repr of an object, no progress bar."""
    stray = [
        out for out in outputs(executed) if out.output_type == "stream" and out.name == "stderr"
    ]
    assert not stray, stray[0].text
    for out in outputs(executed):
        data = out.get("data", {})
        text = data.get("text/plain", "") if set(data) == {"text/plain"} else out.get("text", "")
        assert not re.search(r"<[\w.]+ (object )?at 0x|^<(Axes|Figure|seaborn)", text), text
        assert "np.float64" not in text, text


@each_chapter
def test_notebooks_have_no_outputs_in_git(chapter):
    for cell in read(chapter).cells:
        assert not cell.get("outputs")
        assert not cell.get("execution_count")


@each_chapter
def test_every_chapter_has_the_same_frame(chapter):
    text = markdown(read(chapter))
    for part in ("**Questions**", "**Objectives**", "**Minutes:**", "Key points"):
        assert part in text, part
    labels = re.findall(r"\{exercise\}.*\n:label: (\S+)", text)
    assert len(labels) >= 3
    for label in labels:
        assert re.search(rf"\{{solution(-start)?\}} {label}\n:class: dropdown", text), label


@each_chapter
def test_the_exercises_take_the_minutes_that_the_chapter_says(chapter):
    text = markdown(read(chapter))
    each = re.findall(r"```\{exercise\} .* \((\d+) minutes?\)\n", text)
    (said,) = re.findall(r"\*\*Minutes:\*\*.* (\d+) for the exercises", text)
    assert len(each) == text.count("```{exercise}")
    assert sum(map(int, each)) == int(said)


def test_a_check_says_right_of_its_own_solution(executed):
    for cell in tagged(executed, "self-check"):
        assert "".join(output.text for output in cell.outputs) == "Right.\n", cell.source


def test_every_exercise_with_an_answer_has_its_check_in_a_chapter():
    text = "\n".join(path.read_text(encoding="utf-8") for path in CHAPTERS)
    for label in answers.ANSWERS:
        assert text.count(f'answers.check(\\"{label}\\"') == 1, label


@each_chapter
def test_every_chapter_takes_the_same_parameters(chapter):
    cells = tagged(read(chapter), "parameters")
    assert len(cells) == 1
    assert set(re.findall(r"^(\w+) =", cells[0].source, re.MULTILINE)) == PARAMETERS
    code = "\n".join(cell.source for cell in read(chapter).cells if cell.cell_type == "code")
    assert "load_bounce_times(data_path)" in code


@each_chapter
def test_a_kernel_of_any_machine_runs_the_chapter(chapter):
    metadata = read(chapter).metadata
    assert metadata.kernelspec == {
        "name": "python3",
        "language": "python",
        "display_name": "Python 3",
    }


GATE = {"diagnostics.require_converged", "diagnostics.find_failures"}
# The two chapters that show bad fits on purpose sample by a function of their own.
SAMPLERS = {"pm.sample", "nutpie.sample", "models.fit", "fits.fit_once"}


def is_sampling(call: ast.Call) -> bool:
    """Whether a call draws from a posterior by a sampler; the exact back end judges itself."""
    options = {option.arg: ast.unparse(option.value) for option in call.keywords}
    by_bambi = ast.unparse(call.func).endswith(".fit") and "draws" in options
    is_exact = options.get("backend", "").strip("'") == "exact"
    return (by_bambi or ast.unparse(call.func) in SAMPLERS) and not is_exact


def find_unjudged(sources: list[str]) -> list[str]:
    """Cells that sample although neither they nor one of the next two cells call the gate.

    A function of the chapter that calls the gate counts as the gate.
    """
    trees = [ast.parse(source) for source in sources]
    judges = {
        part.name
        for tree in trees
        for part in ast.walk(tree)
        if isinstance(part, ast.FunctionDef) and any(gate in ast.unparse(part) for gate in GATE)
    }
    calls = [[part for part in ast.walk(tree) if isinstance(part, ast.Call)] for tree in trees]
    judged = [any(ast.unparse(call.func) in GATE | judges for call in cell) for cell in calls]
    return [
        sources[number]
        for number, cell in enumerate(calls)
        if any(map(is_sampling, cell)) and not any(judged[number : number + 3])
    ]


@each_chapter
def test_a_posterior_is_judged_before_it_is_read(chapter):
    assert not find_unjudged([c.source for c in read(chapter).cells if c.cell_type == "code"])


@pytest.mark.parametrize(
    "call",
    [
        "pm.sample(draws)",
        "fits.fit_once('pooled', visits)",
        "model.fit(draws=draws)",
        "sampled = {k: models.fit(k, visits, backend='bambi') for k in names}",
    ],
)
def test_a_posterior_that_nobody_judges_would_be_seen(call):
    read_at_once = [call, "a = 1", "b = 2", "print(diagnostics.require_converged(fit))"]
    assert find_unjudged(read_at_once) == [call]
    assert not find_unjudged([call, "print(diagnostics.require_converged(fit))"])
    assert not find_unjudged(["models.fit('pooled', visits, backend='exact')"])


def test_the_report_is_written_beside_its_chapter(run_chapter, chapters_folder):
    chapter = next(path for path in CHAPTERS if "reporting" in path.stem)
    run_chapter(chapter)
    (report,) = chapters_folder.glob(f"{chapter.stem}-None/report/*.md")
    text = report.read_text(encoding="utf-8")
    sections = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert sections[0] == "Question" and sections[-1] == "Reproduction" and len(sections) == 11
    assert not re.search(r"\bnan\b", text)


@each_chapter
def test_every_figure_has_alt_text(chapter):
    for cell in read(chapter).cells:
        draws = re.search(r"plots\.plot_|\.subplots\(|sns\.\w+plot\(|az\.plot_", cell.source)
        if cell.cell_type == "code" and draws and "def " not in cell.source:
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            assert len(alt) > 40, cell.source


# Numbers that a page may state because they are not results. Each comes from where it is decided.
PRIORS = models.Priors()
STATED = {
    "the visits": [613, *COUNTIES["visits"], *AGE_RANGE],
    "their simulation": [
        REFERENCE_AGE,
        AGE_SD,
        SIGMA,
        load_truth()["slope_per_decade"],
    ],
    "the priors of lines": [*PRIORS.intercept, *PRIORS.slope],
    "the priors of spreads": [PRIORS.sigma, PRIORS.group_sd, PRIORS.slope_sd, PRIORS.lkj_eta],
    "the generic priors": [0, 100, 1],
    "the gate": [diagnostics.R_HAT_LIMIT, 1.00, diagnostics.ESS_LIMIT, diagnostics.E_BFMI_LIMIT],
    "the interval": [100 * tables.INTERVAL, tables.INTERVAL, 2.5, 97.5],
    "the plausible range": [flipbook.IMPLAUSIBLE],
    "settings of the sampler": [0.99],
    "examples": [211, 31, -2, -1],
    "settings of exercises": [0.01, 0.98, 1.5, 1.96, 19, 20.5, 30, 50, 60, 70, 93, 1000],
    "counting": range(11),
}
ALLOWED = {float(number) for numbers in STATED.values() for number in numbers}


def numbers_in(text: str) -> list[float]:
    """Numbers in prose: code, formulas' names, labels and directives' options do not count."""
    text = re.sub(
        r"```\{(?!exercise|solution|admonition|note|warning)[^}]*\}.*?```",
        "",
        text,
        flags=re.DOTALL,
    )
    text = re.sub(r"^:\w+:.*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"(?<!`)`[^`]+`(?!`)", "", text)
    text = re.sub(r"\(\d+ minutes?\)", "", text)  # of an exercise
    found = re.findall(r"(?<![\w.])[-+\u2212]?\d[\d,]*(?:\.\d+)?", text)
    return [float(number.replace(",", "").replace("\u2212", "-")) for number in found]


@each_chapter
def test_no_result_is_typed(chapter):
    notebook = read(chapter)
    text = re.sub(r"\*\*Minutes:\*\*.*", "", markdown(notebook))
    alts = [
        cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "") for cell in notebook.cells
    ]
    typed = [number for number in numbers_in("\n".join([text, *alts])) if number not in ALLOWED]
    assert not typed, f"compute these on the page, or say where they are decided: {typed}"


@pytest.mark.parametrize("sentence", ["The slope is -1.87 s.", "An ESS of 5,148.", "about 13 s"])
def test_a_typed_result_would_be_seen(sentence):
    assert not set(numbers_in(sentence)) <= ALLOWED


def test_a_chapter_with_a_bad_fit_stops(tmp_path):
    """Ten draws are not a posterior: the run must end in FitRejected and not in a table."""
    chapter = next(path for path in CHAPTERS if "random_intercept" in path.stem)
    with pytest.raises(papermill.PapermillExecutionError, match="FitRejected"):
        papermill.execute_notebook(
            chapter,
            tmp_path / "bad.ipynb",
            parameters={"draws": 10, "tune": 10},
            cwd=tmp_path,
            progress_bar=False,
        )


def test_a_chapter_runs_on_a_readers_own_file(tmp_path):
    own = tmp_path / "my visits.csv"
    text = (ROOT / "data" / "bounce_times.csv").read_text(encoding="utf-8")
    own.write_text(text.replace("Cumbria", "Surrey"), encoding="utf-8")
    chapter = next(path for path in CHAPTERS if "exploring" in path.stem)
    executed = papermill.execute_notebook(
        chapter,
        tmp_path / "own.ipynb",
        parameters={"data_path": str(own)},
        cwd=tmp_path,
        progress_bar=False,
    )
    assert "Surrey" in str(outputs(executed))
