"""The printing of the PDF, on a small page: contents, running heads, bookmarks, figures."""

import base64
from io import BytesIO

import numpy as np
import pikepdf
import pytest
from PIL import Image

import pdf

PARTS = [("First part", ["document-one", "document-two"])]


@pytest.fixture(scope="module")
def picture() -> str:
    noise = np.random.default_rng(1).integers(0, 255, (1200, 1200, 3), dtype=np.uint8)
    buffer = BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture(scope="module")
def printed(chromium, picture, tmp_path_factory):
    """Two chapters of which the first is three pages long, and its solution."""
    folder = tmp_path_factory.mktemp("pdf")
    long = "".join(f"<p>Line {number}</p>" for number in range(120))
    page = folder / "book.html"
    page.write_text(
        f"""<html data-theme="light"><article><section><h1>A book</h1><p>See <a href="#place">it</a>.</p>
        <div class="toctree-wrapper">
        <span id="document-one"></span><section><h2>1. Long</h2>{long}<p id="place">Here</p>
        <div class="cell_output"><img src="data:image/png;base64,{picture}"></div>
        <details class="above-input"><summary>Show</summary><p>Folded code</p></details>
        <div class="solution">A solution</div></section>
        <span id="document-two"></span><section><h2>2. Short</h2><p>The end</p></section>
        </div></section></article></html>"""
    )
    contents = pdf.print_page(chromium, page, PARTS, folder / "book.pdf")
    with pikepdf.open(folder / "book.pdf") as opened:
        yield contents, opened


def test_contents_name_the_pages_where_chapters_begin(printed):
    """Title, contents and the first page stand before them; a long chapter moves the next."""
    contents, opened = printed
    pages = pdf.find_pages(opened)
    assert contents["1. Long"] == "4"
    assert pages["document-two"] >= pages["place"] + 1 >= 6
    assert pages["solutions"] == len(opened.pages)
    assert contents == {
        "1. Long": str(pages["document-one"]),
        "2. Short": str(pages["document-two"]),
        "Solutions": str(pages["solutions"]),
    }


def test_bookmarks_lead_to_chapters(printed):
    with printed[1].open_outline() as outline:
        titles = [child.title for item in outline.root for child in [item, *item.children]]
    assert {"1. Long", "2. Short", "Solutions"} <= set(titles)


def test_figures_keep_few_colours_and_dots(printed, picture):
    """Noise, which nothing packs: three bytes a pixel would be larger than what it was made from."""
    images = [
        image
        for page in printed[1].pages
        for image in page.get_images().values()
        if image.Width > 99
    ]
    (image,) = images
    assert str(image.ColorSpace[0]) == "/Indexed"
    assert (image.Width, image.Height) == (pdf.LARGEST[0], pdf.LARGEST[0])
    assert len(image.read_raw_bytes()) < len(picture) / 4
