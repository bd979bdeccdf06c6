"""One typeset PDF of the whole book: the chapters on one page of HTML, printed by Chromium, twice: what
the first print tells of pages goes into the contents of the second.
"""

import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path

import pikepdf
import yaml
from pikepdf import Array, Dictionary, Name, NameTree, PdfImage
from PIL import Image
from playwright.sync_api import Browser, Page

from browser import find_chromium, open_chromium
from chapters import ROOT
from version_and_minutes import tell_version

HERE = Path(__file__).parent
FOLDER = ROOT / "_build" / "singlehtml"
PDF = ROOT / "_build" / "bayesian-lmm-book.pdf"
LARGEST = (1024, 1500)  # pixels of a figure, whose 130 mm pdf.css has; 200 an inch
COLOURS = 48
NUMBER = """pages => Object.fromEntries([...document.querySelectorAll(".contents a")].map(link => {
  link.lastChild.textContent = pages[decodeURIComponent(link.hash.slice(1))] ?? "";
  return [link.firstChild.textContent, link.lastChild.textContent];
}))"""


def main() -> None:
    program = find_chromium()
    if program is None:
        sys.exit("There is no Chromium on the PATH; install it (Debian: apt-get install chromium).")
    build = [Path(sys.executable).parent / "jupyter-book", "build", ".", "--builder", "singlehtml"]
    subprocess.run([*build, "-q"], cwd=ROOT, check=True)
    # Its addresses are written for a page at the top, whatever folder the first page is in.
    page_file = (FOLDER / "notebooks" / "index.html").replace(FOLDER / "book.html")
    with open_chromium(program) as browser:
        print_page(browser, page_file, list_parts(), PDF)
    print(f"The PDF is at {PDF}: {PDF.stat().st_size / 1e6:.1f} MB")


def print_page(
    browser: Browser, page_file: Path, parts: list[tuple], target: Path
) -> dict[str, str]:
    """Print a page of HTML with title, contents, running heads and bookmarks.

    Returns
    -------
    The page of each line of the contents.
    """
    page = browser.new_page()
    page.goto(page_file.as_uri())
    arrange(page, parts)
    settings = {"prefer_css_page_size": True, "print_background": True, "outline": True}
    with pikepdf.open(BytesIO(page.pdf(**settings, tagged=True))) as first:
        contents = page.evaluate(NUMBER, find_pages(first))
    with pikepdf.open(BytesIO(page.pdf(**settings, tagged=True))) as last:
        lighten(last)
        together = pikepdf.ObjectStreamMode.generate
        last.save(target, object_stream_mode=together, recompress_flate=True)
    return contents


def arrange(page: Page, parts: list[tuple]) -> None:
    """Make the one page of HTML ready for paper."""
    page.emulate_media(media="print", color_scheme="light")
    page.add_style_tag(path=HERE / "pdf.css")
    script = (HERE / "pdf.js").read_text(encoding="utf-8")
    page.evaluate(script, {"parts": parts, "about": describe()})


def list_parts() -> list[tuple[str, list[str]]]:
    """Each part's caption, and the anchors of its pages."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [
        (part["caption"], [f"document-{chapter['file']}" for chapter in part["chapters"]])
        for part in toc["parts"]
    ]


def describe() -> list[tuple[str, str]]:
    """Lines of the title page, and the class of each."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    left_out = "Code that the pages fold away, mostly that of figures, is left out here: see the notebooks."
    return [
        ("Bayesian linear mixed models in Python and R, hands on", ""),
        (f"By {config['author']}", ""),
        (tell_version(), ""),
        (left_out, "small"),
    ]


def find_pages(pdf: pikepdf.Pdf) -> dict[str, int]:
    """The page of each place that a link leads to."""
    numbers = {page.objgen: number for number, page in enumerate(pdf.pages, start=1)}
    places = NameTree(pdf.Root.Names.Dests) if Name.Names in pdf.Root else pdf.Root.Dests
    found = {}
    for name, place in places.items():
        place = place.D if isinstance(place, Dictionary) else place
        found[str(name).lstrip("/")] = numbers[place[0].objgen]
    return found


def lighten(pdf: pikepdf.Pdf) -> None:
    """Keep figures at few dots and in few colours of their own: Chromium writes three bytes a pixel."""
    for page in pdf.pages:
        for image in page.get_images().values():
            if image.get(Name.Filter) == Name.FlateDecode and image.ColorSpace[0] == Name.ICCBased:
                picture = PdfImage(image).as_pil_image().convert("RGB")
                picture.thumbnail(LARGEST)
                picture = picture.quantize(COLOURS, dither=Image.Dither.NONE)
                palette = bytes(picture.getpalette())
                last = len(palette) // 3 - 1
                image.ColorSpace = Array([Name.Indexed, Name.DeviceRGB, last, palette])
                image.Width, image.Height = picture.size
                image.write(zlib.compress(picture.tobytes(), 9), filter=Name.FlateDecode)


if __name__ == "__main__":
    main()
