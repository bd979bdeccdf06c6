"""What the participants of a workshop get: derived from the chapters, complete, and it runs."""

import copy
import functools
import os
import re
import subprocess
import sys
import zipfile
from operator import itemgetter
from pathlib import Path
from urllib.parse import unquote

import nbformat
import numpy as np
import nutpie
import papermill
import pymc as pm
import pytest
import xarray as xr
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import plain_markdown
import workshop
from chapters import list_chapters
from conftest import ROOT, require
from helpers.exercises import answers
from helpers.workshop import precomputed

CHAPTERS = list_chapters()
MACHINE = re.compile(r"\*\*Minutes:\*\* .*, at most (\d+) of them the machine's")
NO_SWITCH = "a4_gallery_of_failures"  # its subject is the sampler
each_chapter = pytest.mark.parametrize("page", CHAPTERS, ids=[path.stem for path in CHAPTERS])


@functools.cache
def convert(page: Path, solved: bool = False) -> nbformat.NotebookNode:
    return workshop.convert(nbformat.read(page, as_version=4), solved)


def sources(notebook, kind: str) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == kind]


def solution_cells(page: Path) -> tuple[list[str], list[str]]:
    """Code and prose between the start and the end of solutions, found without the tool."""
    code, prose, inside = [], [], False
    for cell in nbformat.read(page, as_version=4).cells:
        if cell.cell_type == "code":
            is_check = "self-check" in cell.metadata.get("tags", [])
            code += [cell.source] if inside and not is_check else []
            continue
        for line in cell.source.splitlines():
            inside = "{solution-start}" in line or (inside and "{solution-end}" not in line)
            prose += [line] if inside and len(line) > 40 else []
    return code, prose


# The notebooks


@each_chapter
def test_a_notebook_for_participants_holds_no_solution(page):
    code, prose = solution_cells(page)
    cells = [cell.source for cell in convert(page).cells]
    assert code
    assert not set(code) & set(cells)
    assert not [line for line in prose if any(line in cell for cell in cells)]


@each_chapter
def test_every_exercise_has_one_empty_cell_with_its_minutes_and_its_hint(page):
    text = "\n".join(sources(nbformat.read(page, as_version=4), "markdown"))
    exercises = re.findall(r"```\{exercise\} ([^\n]*)\n:label: \S+\n(.*?)\n```", text, re.DOTALL)
    empty = [cell for cell in sources(convert(page), "code") if "\nask(" in cell]
    assert len(empty) == len(exercises) >= 3
    for (title, body), cell in zip(exercises, empty, strict=True):
        said = " ".join(line.removeprefix("# ") for line in cell.splitlines()[:-1])
        assert said.startswith(f"Exercise: {title}")
        hint = plain_markdown.replace_roles(body.partition("**Hint:**")[2].partition("\n\n")[0])
        assert hint and f"Hint: {' '.join(hint.split())}" in said
        assert f'ask("{re.sub(r" .[0-9]+ minutes.$", "", title)}")' in cell.splitlines()[-1]


@each_chapter
def test_the_solved_notebook_is_the_chapter(page):
    given = sources(nbformat.read(page, as_version=4), "code")
    made = sources(convert(page, solved=True), "code")
    if page.stem != NO_SWITCH:
        assert made.pop(1) == "%load_ext helpers.workshop.precomputed"
        made[0] = made[0].removesuffix(f"\n{workshop.SWITCH}")
    assert made == [plain_markdown.replace_roles(source) for source in given]


@pytest.mark.parametrize("solved", [False, True], ids=["empty", "solved"])
@each_chapter
def test_jupyterlab_can_show_every_cell(page, solved):
    """No directive, role or label of MyST is left, and nothing that belongs to the slides."""
    notebook = convert(page, solved)
    slides = [
        cell.source
        for cell in nbformat.read(page, as_version=4).cells
        if cell.cell_type == "markdown" and "remove-cell" in cell.metadata.get("tags", [])
    ]
    for cell in notebook.cells:
        assert not re.search(r"(`{3}|:{3})\{|\{(ref|term|cite:\w)\}+`", cell.source), cell.source
        assert not re.search(r"^\([\w-]+\)=$", cell.source, re.MULTILINE), cell.source
        assert cell.source not in slides
        assert not cell.get("outputs")


def test_every_link_leads_to_a_heading_that_is_there(tmp_path):
    workshop.write_notebooks(tmp_path / "notebooks", solved=False)
    headings = {}
    for path in (tmp_path / "notebooks").glob("*.ipynb"):
        lines = "\n".join(sources(nbformat.read(path, as_version=4), "markdown"))
        headings[path.name] = lines, re.findall(r"^#+ (.*)$", lines, re.MULTILINE)
    links = [
        link
        for text, _ in headings.values()
        for link in re.findall(r"\]\(([^)\s]+\.ipynb[^)\s]*)\)", text)
    ]
    assert len(links) > 100
    for link in links:
        name, _, anchor = link.partition("#")
        assert name in headings
        titles = [title.replace(" ", "-") for title in headings[name][1]]
        assert not anchor or unquote(anchor) in titles, link


def test_one_cell_may_end_a_solution_and_begin_the_next_exercise():
    def exercise(label, hint):
        return f"```{{exercise}} Do {label} (5 minutes)\n:label: {label}\n\nText.\n\n**Hint:** {hint}\n```"

    start = "```{{solution-start}} {}\n:class: dropdown\n```".format
    end = "```{solution-end}\n```"
    notebook = new_notebook(
        cells=[
            new_code_cell("seed = 1", metadata={"tags": ["parameters"]}),
            new_markdown_cell(f"Before.\n\n{exercise('a', 'Think.')}\n\n{start('a')}\n\nSecret."),
            new_code_cell("weight = 1"),
            new_code_cell('print(answers.check("a", weight))', metadata={"tags": ["self-check"]}),
            new_markdown_cell(f"Secret.\n\n{end}\n\n{exercise('b', 'Look.')}\n\n{start('b')}"),
            new_code_cell("2"),
            new_markdown_cell(f"{end}\n\nAfter."),
        ]
    )
    cells = [cell.source for cell in workshop.convert(notebook, solved=False).cells][2:]
    assert cells == [
        "Before.\n\n### Exercise: Do a (5 minutes)\n\nText.\n\n**Hint:** Think.",
        "# Exercise: Do a (5 minutes)\n# Hint: Think.\n# The check below reads: weight\n"
        'weight = ...\nask("Do a")  # replace this line by your code',
        'print(answers.check("a", weight))',
        "### Exercise: Do b (5 minutes)\n\nText.\n\n**Hint:** Look.",
        "# Exercise: Do b (5 minutes)\n# Hint: Look.\n"
        'ask("Do b")  # replace this line by your code',
        "After.",
    ]


@each_chapter
def test_a_check_reads_no_variable_that_the_chapter_has_used_before(page, capsys):
    """Until the reader answers, it says that there is no answer, also where the name had a value."""
    cells = sources(convert(page), "code")
    checks = [n for n, cell in enumerate(cells) if cell.startswith("print(answers.check(")]
    assert checks
    for n in checks:
        *before, question = cells[n - 1].splitlines()
        assert question.startswith("ask(")
        names = dict.fromkeys(workshop.read_answers(cells[n]), 1.0)
        exec("\n".join(before), names)
        exec(cells[n], names | {"answers": answers})
        assert "put yours in the place of the dots" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("myst", "plain"),
    [
        ("{ref}`the chapter\n<random-slope>`", "[the chapter](07_random_slope.ipynb)"),
        ("{ref}`random-slope`", "[Random intercept and slope](07_random_slope.ipynb)"),
        ("{ref}`bibliography`", "Bibliography"),
        ("{term}`Chains <chain>` of a {term}`sampler`", "Chains of a sampler"),
        ("so {cite:p}`gelman2006,mundlak1978`", "so (Gelman, 2006; Mundlak, 1978)"),
        ("{cite:t}`papaspiliopoulos2007` say", "Papaspiliopoulos et al. (2007) say"),
        ("(label)=\n# Title", "# Title"),
        ("```{warning}\nOf $a\n+ b$.\n```", "> **Warning**\n> \n> Of $a + b$.\n"),
        (":::{admonition} Words\nText.\n:::", "> **Words**\n> \n> Text.\n"),
        ("```python\n1\n```", "```python\n1\n```"),
    ],
)
def test_myst_becomes_plain_markdown(myst, plain):
    assert plain_markdown.to_plain(myst) == plain


@pytest.mark.parametrize("myst", ["```{mermaid}\na\n```", "{doc}`index`"])
def test_what_the_tool_does_not_know_is_refused(myst):
    with pytest.raises(ValueError, match="no plain Markdown is known"):
        plain_markdown.to_plain(myst)


def test_a_solution_without_an_end_is_refused():
    text = "```{exercise} A\n:label: a\n```\n\n```{solution-start} a\n```\n\nKey points"
    notebook = new_notebook(cells=[new_markdown_cell(text)])
    with pytest.raises(ValueError, match="the solution of 'A' has no end"):
        workshop.convert(notebook, solved=False)


def execute(notebook: nbformat.NotebookNode, folder: Path, **parameters) -> nbformat.NotebookNode:
    """Run a notebook in a folder; return it as far as it came."""
    nbformat.write(notebook, folder / "given.ipynb")
    done = folder / "done.ipynb"
    try:
        papermill.execute_notebook(
            folder / "given.ipynb", done, parameters, cwd=folder, progress_bar=False
        )
    except papermill.PapermillExecutionError as error:
        assert error.ename == "NotYetAnswered"
    return nbformat.read(done, as_version=4)


@each_chapter
def test_an_open_exercise_stops_the_notebook_with_one_sentence(page, tmp_path):
    """As a participant runs it whose laptop is slow: with the stored posteriors, if they are made."""
    notebook, parameters = convert(page), {}
    if workshop.ARCHIVE.exists():
        (tmp_path / "fits").symlink_to(workshop.WORKSHOP / "fits")
        parameters = {"precomputed": True}
    folder = tmp_path / "notebooks"
    folder.mkdir()
    executed = execute(notebook, folder, **parameters)
    cells = [cell for cell in executed.cells if cell.cell_type == "code"]
    first = next(n for n, cell in enumerate(cells) if "\nask(" in cell.source)
    (output,) = cells[first].outputs
    assert output.ename == "NotYetAnswered"
    assert output.traceback == [output.evalue]
    assert output.evalue.startswith("The exercise '")
    assert all(cell.execution_count for cell in cells[:first])
    assert not any(cell.execution_count for cell in cells[first + 1 :])


# Stored posteriors


@pytest.fixture
def calls(monkeypatch):
    """Calls of the sampler, which draws normal numbers about the mean of the data."""
    calls = []

    @functools.wraps(nutpie.sample)
    def sample(compiled_model, **settings):
        calls.append(settings)
        draws = np.random.default_rng(1).normal(compiled_model.mean, size=(2, 50))
        posterior = xr.Dataset({"mean": (("chain", "draw"), draws)})
        stats = xr.Dataset({"diverging": (("chain", "draw"), draws > 2)})
        return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats})

    monkeypatch.setattr(precomputed, "SAMPLE", sample)
    monkeypatch.setattr(precomputed, "COMPILE", Compiled)
    return calls


class Compiled:
    """What stands for nutpie's compiled model, which keeps the data that it was compiled with."""

    def __init__(self, model: pm.Model):
        self.mean = model["data"].get_value().mean()

    def with_data(self, data):
        other = copy.copy(self)
        other.mean = data.mean()
        return other


def build(prior=10.0, observed=(1.0, 2.0, 4.0), power=1) -> pm.Model:
    with pm.Model() as model:
        mean = pm.Normal("mean", 0, prior)
        pm.Deterministic("scaled", mean**power)
        pm.Normal("value", mean, 1, observed=pm.Data("data", np.array(observed)))
    return model


def sample_with(switch, folder, model=None, data=None, **settings):
    """What a notebook does whose switch is set so."""
    waiting = precomputed.compile_later(model or build())
    if data is not None:
        waiting = waiting.with_data(data=np.array(data))
    return precomputed.load_or_sample(lambda: switch, folder)(waiting, **{"seed": 1} | settings)


def test_a_stored_posterior_is_loaded_and_nothing_is_sampled(tmp_path, calls, capsys):
    first = sample_with(precomputed.RECORD, tmp_path, progress_bar=True)
    second = sample_with(True, tmp_path)
    assert len(calls) == 1
    assert first.identical(second)
    drawn = np.random.default_rng(1).normal(7 / 3, size=(2, 50))
    assert second["posterior"]["mean"].dtype == "float64"
    np.testing.assert_allclose(second["posterior"]["mean"], drawn, rtol=1e-6)
    np.testing.assert_array_equal(second["sample_stats"]["diverging"], drawn > 2)
    assert capsys.readouterr().out.count("nothing was sampled") == 2


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ({"prior": 5.0}, {}),
        ({"observed": (1.0, 2.0, 4.1)}, {}),
        ({"power": 2}, {}),
        ({}, {"data": (1.0, 2.0, 4.1)}),
        ({}, {"data": (1.0, 2.0)}),
        ({}, {"seed": 2}),
        ({}, {"target_accept": 0.9}),
    ],
    ids=["prior", "data", "deterministic", "exchanged data", "fewer data", "seed", "setting"],
)
def test_whoever_changes_the_model_or_a_setting_samples_and_is_told_so(
    tmp_path, calls, capsys, model, settings
):
    sample_with(precomputed.RECORD, tmp_path)
    sample_with(True, tmp_path, build(**model), **settings)
    assert len(calls) == 2
    assert capsys.readouterr().out.endswith("\nNot stored: sampling.\n")


def test_a_model_with_exchanged_data_is_the_model_of_these_data(tmp_path, calls):
    other = (5.0, 6.0, 7.0)
    stored = sample_with(precomputed.RECORD, tmp_path, data=other)
    assert sample_with(True, tmp_path, build(observed=other)).identical(stored)
    assert len(calls) == 1
    assert abs(float(stored["posterior"]["mean"].mean()) - 6) < 1


def test_a_model_keeps_the_data_that_it_was_compiled_with(tmp_path, calls):
    model = build()
    waiting = precomputed.compile_later(model)
    pm.set_data({"data": [9.0, 9.0, 9.0]}, model=model)
    tree = precomputed.load_or_sample(lambda: False, tmp_path)(waiting)
    assert abs(float(tree["posterior"]["mean"].mean()) - 7 / 3) < 1
    assert abs(waiting.mean - 7 / 3) < 1e-9  # whatever else is asked is asked of the compiled model


def test_the_switch_decides(tmp_path, calls):
    sample_with(precomputed.RECORD, tmp_path)
    sample_with(False, tmp_path)
    assert len(calls) == 2


@pytest.mark.parametrize("damage", ["missing", "cut", "overwritten"])
def test_a_stored_posterior_that_cannot_be_read_is_sampled(tmp_path, calls, damage):
    sample_with(precomputed.RECORD, tmp_path)
    (entry,) = tmp_path.glob("*.zip")
    content = entry.read_bytes()
    if damage == "missing":
        entry.unlink()
    elif damage == "cut":
        entry.write_bytes(content[: len(content) // 2])
    else:
        entry.write_bytes(content[:200] + b"x" * 200 + content[400:])
    tree = sample_with(True, tmp_path)
    assert len(calls) == 2
    assert "mean" in tree["posterior"]


# What `make workshop` made


@pytest.fixture(scope="module")
def archive():
    require(workshop.ARCHIVE.exists(), "run `make workshop` to test what it makes")
    return workshop.ARCHIVE


@pytest.fixture(scope="module")
def unpacked(archive, tmp_path_factory):
    folder = tmp_path_factory.mktemp("a folder")
    with zipfile.ZipFile(archive) as whole:
        whole.extractall(folder)
    return folder / archive.stem


def samples(page: Path) -> bool:
    """Whether a chapter or its solutions call a sampler, and not the exact back end only."""
    code = "\n".join(sources(nbformat.read(page, as_version=4), "code"))
    calls = re.findall(
        r"(?:pm|nutpie)\.sample\(|fit_once\(|models\.fit\([^)]*\)|\.fit\(\s*draws", code
    )
    return any('backend="exact"' not in call for call in calls)


def test_the_start_page_names_the_chapter_without_a_switch():
    own = [page.stem for page in CHAPTERS if workshop.NO_SWITCH in page.read_text("utf-8")]
    assert own == [NO_SWITCH]
    assert f"Page {NO_SWITCH.partition('_')[0]} is about the" in workshop.START


def environment(unpacked: Path) -> dict[str, str]:
    """Helpers of the zip, no fits that somebody kept, and no network to fall back on."""
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    cache = {"BOOK_FIT_CACHE": str(unpacked / "kept")}
    return {**os.environ, **nowhere, **cache, "no_proxy": "", "PYTHONPATH": str(unpacked / "src")}


@each_chapter
def test_every_solved_notebook_ran_to_its_end_with_the_posteriors_that_are_handed_out(
    page, archive
):
    """Each fit was loaded from its file when the chapter judged it; `make workshop` ran it so."""
    notebook = workshop.WORKSHOP / "solutions" / page.name
    assert nbformat.read(notebook, as_version=4) == convert(page, solved=True), "make it again"
    done = workshop.list_runs()[notebook]
    assert done.exists(), "run `make workshop` again: helpers or data have changed"
    executed = nbformat.read(done, as_version=4)
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code if cell.source)
    minutes = int(MACHINE.search("".join(sources(executed, "markdown")))[1])
    assert executed.metadata.papermill.duration < 60 * minutes
    assert bool(workshop.list_fits(done)) == (samples(page) and page.stem != NO_SWITCH)
    with zipfile.ZipFile(archive) as whole:
        names = {Path(name).name for name in whole.namelist() if "/fits/" in name}
    assert workshop.list_fits(done) <= names


@pytest.mark.parametrize("name", ["random_intercept", "expanding_the_model"])
def test_a_solved_notebook_loads_its_posteriors_and_samples_nothing(unpacked, monkeypatch, name):
    """Whether a page calls ``pm.sample``, Bambi or nutpie itself."""
    for key, value in environment(unpacked).items():
        monkeypatch.setenv(key, value)
    page = next(path for path in CHAPTERS if name in path.stem)
    notebook = nbformat.read(unpacked / "solutions" / page.name, as_version=4)
    refuse = "from helpers import precomputed\n\nprecomputed.COMPILE = lambda *_, **__: 1 / 0"
    notebook.cells.insert(0, new_code_cell(refuse))
    code = sources(execute(notebook, unpacked / "solutions", precomputed=True), "code")
    assert len(code) == len(sources(notebook, "code")) + 1  # papermill's own cell


def test_the_zip_works_from_a_folder_with_a_space(unpacked):
    """The check of the machine, the notebook to start with, and the first two chapters."""
    assert " " in str(unpacked)
    where = "import helpers; print(*helpers.__path__)"
    ask = [[sys.executable, "-c", where], [sys.executable, "-m", "helpers", "check"]]
    names = ["notebooks/00_start_here.ipynb"]
    names += [f"solutions/{path.name}" for path in CHAPTERS[:2]]
    run = [sys.executable, "-m", "papermill", "--no-progress-bar"]
    for name in names:
        place = str((unpacked / name).parent)
        done = str(unpacked / f"done-{Path(name).name}")
        ask.append([*run, str(unpacked / name), done, "--cwd", place])
    said = []
    for command in ask:
        done = subprocess.run(
            command, cwd=unpacked, env=environment(unpacked), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        said.append(done.stdout.strip())
    assert said[0] == str(unpacked / "src" / "helpers")
    for text in (said[1], show_outputs(unpacked / "done-00_start_here.ipynb")):
        assert text.splitlines()[-1] == "Ready."


def show_outputs(notebook: Path) -> str:
    cells = nbformat.read(notebook, as_version=4).cells
    return "".join(out.get("text", "") for cell in cells for out in cell.get("outputs", []))


def test_the_zip_holds_what_the_laptop_needs(unpacked):
    for name in ("START-HERE.md", "LICENSE", "LICENSE-text", "CITATION.cff", ".python-version"):
        assert (unpacked / name).exists(), name
    for name in ("pyproject.toml", "requirements.lock", "environment.yml", "data/truth.json"):
        assert (unpacked / name).exists(), name
    for name in ("postBuild", "notebooks/00_start_here.ipynb", "notebooks/glossary.ipynb"):
        assert (unpacked / name).exists(), name
    for folder in ("notebooks", "solutions"):
        assert {path.name for path in (unpacked / folder).glob("*_*.ipynb")} >= {
            path.name for path in CHAPTERS
        }
    assert list(unpacked.rglob("*.lock")) == [unpacked / "requirements.lock"]


def test_no_file_of_the_zip_names_this_machine(archive):
    places = {str(ROOT), str(Path.home()), sys.prefix}
    with zipfile.ZipFile(archive) as whole:
        for name in whole.namelist():
            content = whole.read(name)
            assert not [place for place in places if place.encode() in content], name


def test_the_zip_is_small_enough_and_too_large_a_one_is_refused(archive, tmp_path, monkeypatch):
    assert archive.stat().st_size <= workshop.LIMIT <= 30e6
    monkeypatch.setattr(workshop, "write_archive", lambda file, *_: file.write_bytes(b"x" * 2000))
    with pytest.raises(SystemExit, match=r"has 0\.0 MB and may have .* Largest: "):
        workshop.pack(tmp_path / "large.zip", 1000)


# What the teacher reads


def list_parts() -> dict[str, list[Path]]:
    """The chapters of each part of the book that has any."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    parts = {
        part["caption"]: [
            path
            for path in CHAPTERS
            if f"notebooks/{path.stem}" in map(itemgetter("file"), part["chapters"])
        ]
        for part in toc["parts"]
    }
    return {caption: pages for caption, pages in parts.items() if pages}


def test_the_guide_has_a_whole_section_for_every_chapter():
    text = (ROOT / "notebooks" / "t1_instructor_guide.md").read_text(encoding="utf-8")
    sections = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    assert len(sections) == len(CHAPTERS)
    for page, section in zip(CHAPTERS, sections, strict=True):
        title, label = (
            plain_markdown.find_title(plain_markdown.read_markdown(page)),
            re.search(r"^\(([\w-]+)\)=\n+# ", plain_markdown.read_markdown(page), re.MULTILINE)[1],
        )
        assert f"{{ref}}`{label}`" in section, title
        for part in ("The one idea.", "Where people stumble.", "Predict, then run."):
            assert f"**{part}**" in section, (title, part)
        for part in ("If you are late, skip", "show"):
            assert re.search(rf"\*\*[^*]*{part}\*\*", section), (title, part)
        asked = section.partition("**Predict, then run.**")[2]
        assert len(re.findall(r"^(?:\d\.|-) ", asked, re.MULTILINE)) >= 2, title


@pytest.mark.parametrize("part", list_parts())
def test_an_exercise_of_each_part_is_done_on_other_data(part):
    pages = list_parts()[part]
    exercises = [
        exercise
        for page in pages
        for exercise in plain_markdown.list_exercises(plain_markdown.read_markdown(page))
    ]
    assert any("grunfeld" in exercise.body for exercise in exercises)
