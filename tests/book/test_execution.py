"""The one execution: what is stale, what a run leaves behind, what it says when it fails."""

import nbformat
import pytest
from jupyter_cache import get_cache
from nbformat.v4 import new_code_cell, new_markdown_cell

import chapters
from chapters import ROOT
from execute import DIED, FIRST, execute, forget_others, keep, needs_execution

FIT = """import xarray as xr
mean = xr.DataArray([[1.0, 2.0]], dims=("chain", "draw"))
tree = xr.DataTree.from_dict({"posterior": xr.Dataset({"mean": mean})})
few = {"first": tree}"""


def write(page, *cells):
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), page)
    return page


def fit_cell(source=FIT):
    return new_code_cell(source, id="fit-here", metadata={"tags": ["fit"]})


def test_the_contents_name_every_page_once_in_reading_order():
    pages = chapters.list_pages()
    files = (ROOT / "notebooks").iterdir()
    assert sorted(pages) == sorted(path for path in files if path.suffix in (".ipynb", ".md"))
    assert {page.stem for page in pages} >= set(FIRST)
    numbers = [path.stem[:2] for path in chapters.list_chapters()]
    parts = ("0", "1", "2", "r", "a")  # those in R stand before the appendices
    assert numbers == sorted(numbers, key=lambda number: (parts.index(number[0]), number))


def test_outputs_are_stale_after_an_edit(tmp_path, monkeypatch):
    """Of a helper in whatever folder, of the data, of the lock; not of what no output depends on."""
    monkeypatch.setattr(chapters, "ROOT", tmp_path)
    files = "src/helpers/models.py src/helpers/flipbook/page.html data/a.csv requirements.lock"
    files += " data/tables/b.csv r/c.R"
    for name in (*files.split(), "data/README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("before", encoding="utf-8")
    seen = {chapters.fingerprint()}
    for name in files.split():
        (tmp_path / name).write_text("after", encoding="utf-8")
        seen.add(chapters.fingerprint())
    assert len(seen) == 7
    (tmp_path / "data" / "README.md").write_text("after", encoding="utf-8")
    assert chapters.fingerprint() in seen


def test_a_chapter_runs_again_only_after_an_edit_or_without_its_posteriors(tmp_path):
    page, stored = write(tmp_path / "page.ipynb", fit_cell()), tmp_path / "stored"
    cache = get_cache(str(tmp_path / "cache"))
    assert needs_execution(cache, page, stored)
    executed, seconds, error = execute(page, stored)
    assert error is None and seconds > 0
    keep(cache, page, executed, seconds)
    assert not needs_execution(cache, page, stored)
    assert needs_execution(cache, page, tmp_path / "nothing stored")
    write(page, fit_cell(FIT + "\n1"))
    assert needs_execution(cache, page, stored)


def test_a_run_stores_posteriors_and_leaves_no_trace_of_it_in_the_notebook(tmp_path):
    shown = new_code_cell("[name for name in globals() if 'store' in name.lower()]")
    page = write(tmp_path / "page.ipynb", new_markdown_cell("# Title"), fit_cell(), shown)
    executed, _, error = execute(page, tmp_path / "stored")
    assert error is None
    assert [path.stem for path in (tmp_path / "stored").glob("*.txt")] == ["fit-here"]
    assert [cell.source for cell in executed.cells] == ["# Title", FIT, shown.source]
    assert [cell.execution_count for cell in executed.cells[1:]] == [1, 2]
    assert executed.cells[2].outputs[0].data["text/plain"] == "[]"
    assert executed.cells[2].outputs[0].execution_count == 2
    assert "papermill" not in executed.metadata


def test_what_is_stored_is_what_the_cell_assigned(tmp_path):
    from helpers.workshop import stored

    page = write(tmp_path / "page.ipynb", new_code_cell(FIT), fit_cell("again, n = tree, 1"))
    assert execute(page, tmp_path / "stored")[2] is None
    assert list(stored.load("fit-here", tmp_path / "stored")) == ["again"]


def test_a_cell_that_fills_a_dict_of_another_cell_is_stored_too(tmp_path):
    from helpers.workshop import stored

    first = new_code_cell(FIT + "\nfitted = {'noisy': {}}")
    page = write(tmp_path / "page.ipynb", first, fit_cell("fitted['noisy'][1] = tree"))
    assert execute(page, tmp_path / "stored")[2] is None
    assert list(stored.load("fit-here", tmp_path / "stored")["fitted"]["noisy"]) == [1]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import os; os._exit(1)", DIED),
        ("n = 1  # no posterior", "fit-here"),
    ],
)
def test_a_page_that_fails_says_why(tmp_path, code, said):
    page = write(tmp_path / "page.ipynb", fit_cell(code))
    assert said in execute(page, tmp_path / "stored")[2]


def test_a_chapter_without_outputs_is_told_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(chapters, "CACHES", tmp_path)
    with pytest.raises(SystemExit, match=r"01_data_and_question\.ipynb has no outputs .*make book"):
        chapters.read_executed(chapters.list_chapters()[0])


def test_what_belongs_to_other_helpers_is_forgotten(tmp_path):
    for name in ("before", "now"):
        (tmp_path / name).mkdir()
    forget_others(tmp_path / "now")
    assert [path.name for path in tmp_path.iterdir()] == ["now"]
