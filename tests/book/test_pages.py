"""The rendered book as files: links that lead somewhere, addresses that stay, words for search and previews."""

import functools
import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
import yaml
from bs4 import BeautifulSoup

from chapters import ROOT, list_chapters, list_pages, read_executable

REPOSITORY = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]
OWNER, NAME = REPOSITORY["url"].rsplit("/", 2)[1:]
ADDRESS = f"https://{OWNER.lower()}.github.io/{NAME}/"
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
    assert len(pages) == len(list_pages()) + 4  # the front door, the index, search, and not found
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
        target = html / path.removeprefix(f"/{NAME}/") if path[:1] == "/" else page.parent / path
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
        link = read(html / "notebooks" / f"{name}.html").find("link", rel="canonical")
        assert link["href"] == f"{ADDRESS}notebooks/{name}.html"


def test_an_address_that_does_not_exist_leads_back(html):
    soup = read(html / "404.html")
    assert soup.find("h1")
    assert soup.find("a", href=f"/{NAME}/notebooks/index.html")


def test_a_chapter_can_be_run_fetched_and_changed(html):
    """Binder, Colab, source, a suggestion, the file with and without outputs; labels."""
    url, branch = REPOSITORY["url"], REPOSITORY["branch"]
    for page in list_chapters():
        path = f"notebooks/{page.name}"
        wanted = {
            f"https://mybinder.org/v2/gh/{OWNER}/{NAME}/{branch}?urlpath=lab/tree/{path}",
            f"https://colab.research.google.com/github/{OWNER}/{NAME}/blob/{branch}/{path}",
            f"{url}/blob/{branch}/{path}?plain=1",
            f"{url}/edit/{branch}/{path}",
            f"../_sources/{path}",
            f"../_executed/{page.name}",
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


def test_what_is_no_notebook_offers_no_launch(html):
    for page in {path.stem for path in list_pages()} - {path.stem for path in list_chapters()}:
        soup = read(html / "notebooks" / f"{page}.html")
        assert not soup.select("header a[href*=colab], header a[href*=mybinder]"), page
        assert not soup.select(".dropdown-launch-buttons"), page


def test_pages_are_sent_light(html):
    """Figures as WebP, and of half a megabyte of icons those that are shown; a browser weighs the whole."""
    assert {path.suffix for path in (html / "_images").iterdir()} == {".webp"}
    assert (html / "_static" / "scripts" / "fontawesome.js").stat().st_size < 100_000


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
    assert tags["og:title"] and tags["og:url"] == ADDRESS + address
    assert (html / tags["og:image"].removeprefix(ADDRESS)).is_file()
    assert tags["og:image:alt"]
    description = soup.find("meta", attrs={"name": "description"})["content"]
    assert description == tags["og:description"]
    return description


def test_the_front_door_leads_in_and_says_where(html):
    soup, first = read(html / "index.html"), "notebooks/index.html"
    assert soup.find("meta", attrs={"http-equiv": "refresh"})["content"].endswith(f"url={first}")
    assert soup.find("a", href=first).text
    for wanted in ({"name": "description"}, {"property": "og:title"}, {"property": "og:image"}):
        tag, model = (page.find("meta", attrs=wanted) for page in (soup, read(html / first)))
        assert tag["content"] == model["content"]
    assert soup.html["lang"] == "en" and soup.title.text


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
