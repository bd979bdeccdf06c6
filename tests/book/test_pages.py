"""The rendered book as files: links that lead somewhere, addresses that stay, words for search and previews."""

import functools
import re
import tomllib
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from bs4 import BeautifulSoup

from address import read_address
from chapters import (
    ROOT,
    list_chapters,
    list_pages,
    list_parts,
    read_executable,
    read_title,
)

ADDRESS = read_address()
# Others have linked to these. A page that moves leaves a page behind that leads to its new place.
PUBLISHED = """
index 01_data_and_question 02_exploring_is_modelling 03_candidate_models 04_choosing_priors
05_pooled_regression 06_random_intercept 07_random_slope 08_quick_diagnostics 09_what_we_learned
10_posterior_predictive_checks 11_model_comparison 12_prior_sensitivity 13_within_and_between
14_expanding_the_model 15_the_answer 16_reporting 17_large_tables 18_your_own_table
19_two_grouping_factors 20_other_outcomes 21_next_steps
r1_explore_and_priors r2_three_models r3_trust_and_answers a1_exact_answer
a2_agreement a3_how_do_we_know a4_gallery_of_failures t1_instructor_guide t2_schedules t3_setup glossary formulas bibliography about
"""
each_page = pytest.mark.parametrize("name", PUBLISHED.split())
OUTSIDE = re.compile(r'<(?:script|img|iframe|source)\b[^>]*\bsrc="(?:https?:)?//[^"]+')
SHEET = re.compile(r'<link\b[^>]*rel="(?:stylesheet|preload)"[^>]*>')


@functools.cache
def read(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def rendered_pages(html: Path) -> list[Path]:
    return sorted(path for path in html.rglob("*.html") if "_static" not in path.parts)


# Links


def test_every_link_leads_somewhere(html):
    pages = rendered_pages(html)
    assert len(pages) == len(list_pages()) + 3  # the front door, search, and not found
    assert {page.name: dead for page in pages if (dead := dead_links(page, html))} == {}


def dead_links(page: Path, html: Path) -> list[str]:
    """Addresses within the book that name no file, or no place on it."""
    dead = []
    for address in addresses(read(page)):
        parts = urlparse(address)
        if parts.scheme or parts.netloc:
            continue
        path = unquote(parts.path)
        # Only the page for what is not found is read at any address, so it counts from the top.
        target = html / path.removeprefix(ADDRESS.path) if path[:1] == "/" else page.parent / path
        target = target if path else page
        place = unquote(parts.fragment) if target.suffix == ".html" else ""
        if not target.is_file() or (place and place not in places(target)):
            dead.append(address)
    return dead


def addresses(soup: BeautifulSoup) -> list[str]:
    return [tag[name] for name in ("href", "src") for tag in soup.find_all(attrs={name: True})]


@functools.cache
def places(page: Path) -> set[str]:
    return {tag["id"] for tag in read(page).find_all(id=True)}


def test_a_dead_link_is_seen(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        '<p id="here"><a href="#here">1</a><a href="page.html#here">2</a><a href="#gone">3</a>'
        '<a href="gone.ipynb">4</a><img src="gone.webp"></p>',
        encoding="utf-8",
    )
    assert dead_links(page, tmp_path) == ["#gone", "gone.ipynb", "gone.webp"]


def test_published_addresses_stay(html):
    assert {path.stem for path in (html / "notebooks").glob("*.html")} == set(PUBLISHED.split())
    for name in PUBLISHED.split():
        links = read(html / "notebooks" / f"{name}.html").find_all("link", rel="canonical")
        wanted = [f"{ADDRESS.pages}notebooks/{name}.html"] if ADDRESS.is_set else []
        assert [link["href"] for link in links] == wanted


def test_an_address_that_does_not_exist_leads_back(html):
    soup = read(html / "404.html")
    assert soup.find("h1")
    assert soup.find("a", href=f"{ADDRESS.path}notebooks/index.html")


def test_a_chapter_can_be_run_fetched_and_changed(html):
    """The file with and without outputs; Binder, Colab, source, a suggestion where it is published; labels."""
    url, branch = ADDRESS.repository, ADDRESS.branch
    for page in list_chapters():
        path = f"notebooks/{page.name}"
        wanted = {f"../_sources/{path}", f"../_executed/{page.name}"}
        if ADDRESS.is_set:
            at = f"{ADDRESS.owner}/{ADDRESS.name}"
            wanted |= {
                f"https://mybinder.org/v2/gh/{at}/{branch}?urlpath=lab/tree/{path}",
                f"https://colab.research.google.com/github/{at}/blob/{branch}/{path}",
                f"{url}/blob/{branch}/{path}?plain=1",
                f"{url}/edit/{branch}/{path}",
            }
        rendered = html / "notebooks" / f"{page.stem}.html"
        assert wanted <= set(addresses(read(rendered))), page.stem
        assert (html / "_sources" / path).read_bytes() == page.read_bytes()
        cells = read_executable(page).cells
        executed = read_executable(html / "_executed" / page.name).cells
        assert [cell.source for cell in executed] == [cell.source for cell in cells]
        assert any(cell.get("outputs") for cell in executed)
        labels = {cell.id for cell in cells if "exercise" in cell.metadata.get("tags", [])}
        assert labels and labels <= places(rendered), page.stem


def test_no_page_leads_to_an_address_that_is_not_set(html):
    pages = [] if ADDRESS.is_set else rendered_pages(html)
    assert [page.name for page in pages if "OWNER/" in page.read_text("utf-8")] == []


def test_what_is_no_notebook_offers_no_launch(html):
    for page in {path.stem for path in list_pages()} - {path.stem for path in list_chapters()}:
        soup = read(html / "notebooks" / f"{page}.html")
        assert not soup.select("header a[href*=colab], header a[href*=mybinder]"), page
        assert not soup.select(".dropdown-launch-buttons"), page


def test_pages_are_sent_light(html):
    """Figures as WebP, and of half a megabyte of icons those that are shown; a browser weighs the whole."""
    assert {path.suffix for path in (html / "_images").iterdir()} == {".webp"}
    assert (html / "_static" / "scripts" / "fontawesome.js").stat().st_size < 100_000


def test_every_figure_of_a_chapter_has_a_caption_with_its_number(html):
    """In order, and each can be linked to."""
    for page in list_chapters():
        number = read_title(page).partition(".")[0]
        soup = read(html / "notebooks" / f"{page.stem}.html")
        figures = soup.select(".cell_output figure:not(.to-touch)")
        names = [f"{number}.{count}" for count in range(1, len(figures) + 1)]
        captions = [figure.figcaption.text.split() for figure in figures]
        assert [words[:2] for words in captions] == [["Figure", f"{name}."] for name in names]
        assert all(len(words) > 6 for words in captions), page.stem
        ids = [f"fig-{name.lower().replace('.', '-')}" for name in names]
        assert [figure["id"] for figure in figures] == ids
        drawn = [cell for cell in soup.select(".cell_output") if cell.select("img[src*=_images]")]
        assert [figure.find_parent(class_="cell_output") for figure in figures] == drawn


def test_what_python_draws_is_as_wide_as_the_text(html):
    """R's figures have their own widths."""
    width = re.compile(r'<img [^>]*src="../_images/[^>]*style="width: (\d+)px')
    pages = [name for name in PUBLISHED.split() if not name.startswith("r")]
    widths = {
        name: set(width.findall((html / "notebooks" / f"{name}.html").read_text("utf-8")))
        for name in pages
    }
    assert sum(map(bool, widths.values())) > 20
    assert {name: found for name, found in widths.items() if found - {"704"}} == {}


# What others read: hosts, previews, screen readers


def test_nothing_comes_from_another_host(html):
    assert not [page for page in rendered_pages(html) if foreign(page.read_text("utf-8"))]


def foreign(text: str) -> list[str]:
    """What a page would fetch from another host."""
    sheets = [sheet for sheet in SHEET.findall(text) if re.search(r'href="(?:https?:)?//', sheet)]
    return OUTSIDE.findall(text) + sheets


def test_another_host_is_seen():
    for tag in (
        'script async src="https:',
        'img alt="" src="',
        'link rel="stylesheet" href="https:',
    ):
        assert foreign(f'<p><{tag}//example.org/x"></p>'), tag


def test_every_page_says_what_it_is_about(html):
    """Title, description and picture, for search and for previews of a link; no two pages the same."""
    said = [description_of(html, f"notebooks/{name}.html") for name in PUBLISHED.split()]
    assert len(set(said)) == len(said)
    assert min(map(len, said)) > 80
    assert not [words for words in said if "settings" in words]


def description_of(html: Path, address: str) -> str:
    soup = read(html / address)
    tags = {tag["property"]: tag["content"] for tag in soup.find_all("meta", property=True)}
    assert soup.html["lang"] == "en" and soup.title.text
    assert tags["og:title"]
    if ADDRESS.is_set:
        assert tags["og:url"] == ADDRESS.pages + address and tags["og:image:alt"]
        assert (html / tags["og:image"].removeprefix(ADDRESS.pages)).is_file()
    description = soup.find("meta", attrs={"name": "description"})["content"]
    assert description == tags["og:description"]
    return description


def test_the_front_door_leads_in_and_says_where(html):
    soup, first = read(html / "index.html"), "notebooks/index.html"
    assert soup.find("meta", attrs={"http-equiv": "refresh"})["content"].endswith(f"url={first}")
    assert soup.find("a", href=first).text
    picture = [{"property": "og:image"}] if ADDRESS.is_set else []
    for wanted in ({"name": "description"}, {"property": "og:title"}, *picture):
        tag, model = (page.find("meta", attrs=wanted) for page in (soup, read(html / first)))
        assert tag["content"] == model["content"]
    assert soup.html["lang"] == "en" and soup.title.text


@each_page
def test_every_page_says_version_and_day_of_the_book(html, name):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    said = read(html / "notebooks" / f"{name}.html").select_one("footer.bd-footer-content").text
    assert re.search(rf"Version {project['version']}, built on \d+ \w+ \d{{4}}\.", said)


def test_the_first_page_leads_to_chapter_1_and_maps_all_pages_with_their_minutes(html):
    soup = read(html / "notebooks" / "index.html")
    start, *_ = [link for link in soup.select("article a") if link.text.startswith("Start")]
    assert start["href"] == f"{list_chapters()[0].stem}.html"
    found = soup.select(".parts .sd-card")
    cards = {card.select_one(".sd-card-title").text.strip(): card for card in found}
    assert list(cards) == list(list_parts())
    for part, pages in list_parts().items():
        lines = [item.text.replace("\u00a0", " ").strip() for item in cards[part].select("li")]
        assert lines == [line_of(page) for page in pages]
        assert [a["href"] for a in cards[part].select("a")] == [f"{p.stem}.html" for p in pages]


def line_of(page: Path) -> str:
    """A page's title, and the minutes that a chapter states."""
    if page.suffix != ".ipynb":
        return read_title(page)
    said = read_executable(page).cells[0].source.partition("**Minutes:**")[2]
    first, second, *_ = re.findall(r"\d+", said)
    return f"{read_title(page)}, {first} + {second} min"


def test_the_page_about_the_build_lists_chapters_by_title_and_how_long_they_ran(html):
    table = read(html / "notebooks" / "about.html").find_all("table")[-1]
    rows = [[cell.text.strip() for cell in row.select("td")] for row in table.select("tbody tr")]
    executed = [page for page in list_pages() if read_executable(page)]
    assert [title for title, _ in rows] == [read_title(page) for page in executed]
    assert all(re.fullmatch(r"\d+:\d\d", time) for _, time in rows)


@each_page
def test_a_page_can_be_heard(html, name):
    """Headings go down by one level, tables have headers, and a figure's text says what it shows."""
    text = (html / "notebooks" / f"{name}.html").read_text(encoding="utf-8")
    article = text[text.index("<article") : text.index("</article>")]
    levels = [int(level) for level in re.findall(r"<h([1-6])\b", article)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert headless_tables(article) == []
    for image in re.findall(r"<img [^>]*>", article):
        assert not is_placeholder(image), image


def headless_tables(article: str) -> list[str]:
    tables = re.findall(r"<table.*?</table>", article, re.DOTALL)
    return [table for table in tables if not re.search(r"<th\b", table)]


def is_placeholder(image: str) -> bool:
    """Whether the text of a picture is missing, a file's name, or too short to say anything."""
    found = re.search(r'\balt="([^"]*)"', image)
    said = found[1] if found else ""
    return len(said) < 40 or bool(re.search(r"_images|\.(png|svg|webp)\b|^(figure|image)\b", said))


def test_what_cannot_be_heard_is_seen():
    assert headless_tables("<table><thead><tr><td>1</td></tr></thead></table>")
    for alt in ("", ' alt=""', ' alt="figure 1"', f' alt="../_images/{50 * "d"}.png"'):
        assert is_placeholder(f'<img{alt} src="x.png">')
