"""Every chapter as it was executed once, alone, from cold: what it says, what it checks, what it leaves behind."""

import ast
import re

import nbformat
import papermill
import pytest

from captions import SENTENCES
from chapters import list_chapters, list_pages
from executed import read_executed, tagged

CHAPTERS = list_chapters()
PARAMETERS = {"draws", "tune", "chains", "seed"}
OWN_TABLE = "18_your_own_table"
OWN_PARAMETERS = {
    "17_large_tables": {"rows"},
    OWN_TABLE: {"source", "formula", "low", "high", "unit", "per", "reach", "gain", "cost"}
    | {"drop_missing", "how", "family"},
}
LOADS = {
    OWN_TABLE: "reading.read_table(path",
    "19_two_grouping_factors": 'pd.read_csv(data_file("tables/wine.csv"))',
    "20_other_outcomes": "load_next_visits()",
}
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=[path.stem for path in CHAPTERS])


def read(path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def code(notebook: nbformat.NotebookNode) -> list[str]:
    """Python of each cell; the first cell speaks to Colab and holds commands of IPython."""
    return [
        cell.source
        for cell in notebook.cells
        if cell.cell_type == "code" and "colab" not in cell.metadata.get("tags", [])
    ]


def printed(cell: nbformat.NotebookNode) -> str:
    return "".join(output.get("text", "") for output in cell.get("outputs", []))


# What the run shows


@each_chapter
def test_every_chapter_runs_alone_and_says_nothing_stray(chapter):
    """No warning, no log line, no bare repr of an object, no progress bar."""
    assert find_stray(read_executed(chapter)) == []


def test_the_start_page_shows_the_whole_in_ten_lines_and_the_sign_flips():
    start = read_executed(list_pages()[0])
    assert find_stray(start) == []
    hidden = tagged(start, "remove-input")
    open_code = "\n".join(
        c.source for c in start.cells if c.cell_type == "code" and c not in hidden
    )
    lines = [line for line in open_code.splitlines() if line and not line.startswith("import ")]
    assert len(lines) <= 10 and max(map(len, lines)) <= 84
    assert "helpers" not in open_code
    (said,) = [out.data["text/markdown"] for out in hidden[-1].outputs]
    more, less = re.search(r"with ([\d.]+) s more .* with ([\d.]+) s less", said).groups()
    assert 3.8 < float(more) < 4.3 and 1.7 < float(less) < 2.1


def find_stray(executed: nbformat.NotebookNode) -> list[str]:
    stray = []
    for output in [output for cell in executed.cells for output in cell.get("outputs", [])]:
        data = output.get("data", {})
        text = data.get("text/plain", "") if set(data) == {"text/plain"} else output.get("text", "")
        bare = re.search(r"<[\w.]+ (object )?at 0x|^<(Axes|Figure|seaborn)|np\.float64", text)
        if bare or output.get("name") == "stderr" or output.output_type == "error":
            stray.append(text or str(output))
    return stray


@pytest.mark.parametrize(
    "output",
    [
        nbformat.v4.new_output("stream", name="stderr", text="UserWarning: mind"),
        nbformat.v4.new_output("execute_result", data={"text/plain": "<Axes: >"}),
        nbformat.v4.new_output("stream", text="np.float64(1.0)"),
        nbformat.v4.new_output("error", ename="ValueError"),
    ],
    ids=["warning", "object", "numpy", "error"],
)
def test_what_is_stray_would_be_seen(output):
    cells = [nbformat.v4.new_code_cell("1", outputs=[output])]
    assert find_stray(nbformat.v4.new_notebook(cells=cells))


@each_chapter
def test_a_check_says_right_of_its_own_solution_and_waits_where_the_reader_is_asked(chapter):
    for cell in tagged(read_executed(chapter), "self-check"):
        if "solution" in cell.metadata.tags:
            assert printed(cell) == "Right.\n", cell.id
        else:
            said = "There is no answer yet: put yours in the place of the dots.\n"
            assert printed(cell) == said, cell.id


@each_chapter
def test_every_figure_has_a_text_in_its_place(chapter):
    for cell in read_executed(chapter).cells:
        drawn = ["image/png" in output.get("data", {}) for output in cell.get("outputs", [])]
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        assert not any(drawn) or len(alt) > 40, cell.id
        # The first sentence is the caption; the others are the text.
        caption, *rest = SENTENCES.split(alt)
        assert not any(drawn) or (len(caption) > 30 and len(" ".join(rest)) >= 40), cell.id


def test_the_report_is_written_beside_its_chapter():
    (chapter,) = [path for path in CHAPTERS if "reporting" in path.stem]
    said = "".join(map(printed, read_executed(chapter).cells))
    name = re.search(r"^(\S+\.md): [\d,]+ words", said, re.MULTILINE)[1]
    text = (chapter.parent / name).read_text(encoding="utf-8")
    sections = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert sections[0] == "Question" and sections[-1] == "Reproduction" and len(sections) == 11
    assert not re.search(r"\bnan\b", text)


# What too few draws would show


def test_a_chapter_with_a_bad_fit_stops(run_chapter):
    """Ten draws are not a posterior: the run must end in FitRejected and not in a table."""
    (chapter,) = [path for path in CHAPTERS if "pooled" in path.stem]
    with pytest.raises(papermill.PapermillExecutionError, match="FitRejected"):
        run_chapter(chapter, draws=10, tune=10)


# What the chapter in git holds


@each_chapter
def test_a_chapter_in_git_has_no_outputs_and_the_kernel_of_any_machine(chapter):
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    assert read(chapter).metadata.kernelspec == kernel
    for cell in read(chapter).cells:
        assert not cell.get("outputs") and not cell.get("execution_count")


@each_chapter
def test_every_chapter_has_the_same_frame_and_parameters(chapter):
    cells = read(chapter).cells
    frame = (
        r"# .*> \*\*In this chapter\*\*.*> \*\*Questions\*\*.*> \*\*Objectives\*\*.*> \*\*Minutes:"
    )
    assert re.match(frame, cells[0].source, re.DOTALL)
    assert cells[-1].source.startswith("## Key points\n\n- ")
    (cell,) = tagged(read(chapter), "parameters")
    own = OWN_PARAMETERS.get(chapter.stem, set())
    assert set(re.findall(r"^(\w+) =", cell.source, re.MULTILINE)) == PARAMETERS | own
    loads = LOADS.get(chapter.stem, "load_bounce_times()")
    assert loads in "\n".join(code(read(chapter)))


@each_chapter
def test_the_exercises_take_the_minutes_that_the_chapter_says(chapter):
    exercises = tagged(read(chapter), "exercise")
    assert len(exercises) >= (2 if chapter.stem.startswith("r") else 3)
    each = [re.match(r"### Exercise .* \((\d+) minutes?\)\n", cell.source)[1] for cell in exercises]
    opening = read(chapter).cells[0].source
    (said,) = re.findall(r"\*\*Minutes:\*\*.* (\d+) for the exercises", opening)
    assert sum(map(int, each)) == int(said)


# A posterior is judged before it is read

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
    assert not find_unjudged(code(read(chapter)))


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
