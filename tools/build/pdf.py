"""One typeset PDF of the whole book: the chapters on one page of HTML, printed by Chromium."""

import subprocess
import sys
from pathlib import Path

from browser import find_chromium, open_chromium
from chapters import ROOT

FOLDER = ROOT / "_build" / "singlehtml"
PDF = ROOT / "_build" / "bayesian-lmm-book.pdf"

# Solutions move to the end, each under the title of its exercise; what only a screen can do goes.
ARRANGE = """async () => {
  await MathJax.startup.promise;
  const article = document.querySelector("article");
  const end = document.createElement("section");
  end.innerHTML = "<h1>Solutions</h1>";
  document.querySelectorAll(".solution").forEach(solution => end.append(solution));
  article.append(end);
  document.querySelectorAll(".cell_input details").forEach(e => e.querySelector("summary").remove());
  document.querySelectorAll("article a[href*='index.html#']").forEach(e => e.href = e.hash);
  document.querySelectorAll(".toggle-hidden").forEach(e => e.classList.remove("toggle-hidden"));
  document.querySelectorAll("details").forEach(e => e.open = true);
  const images = [...document.images];
  images.forEach(image => image.loading = "eager");
  await Promise.allSettled(images.map(image => image.decode()));
}"""
PRINT = """
.bd-header, .bd-sidebar-primary, .bd-sidebar-secondary, .bd-header-article, .prev-next-footer, footer,
.toggle-button, .copybtn, .headerlink, .skip-link { display: none !important; }
.bd-main .bd-content .bd-article-container { max-width: none; padding: 0; }
.toctree-wrapper > section, article > section:last-child { break-before: page; }
.toctree-wrapper > section > h2 { font-size: 2.2em; }
h1, h2, h3, h4, p:has(+ .cell), dt { break-after: avoid; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
pre, .cell_input, .cell_output img, figure, tr, .admonition-title, mjx-container { break-inside: avoid; }
img, table { max-width: 100%; }
.cell_output .output, .cell_output .text_html { overflow: visible; }
"""


def main() -> None:
    program = find_chromium()
    if program is None:
        sys.exit("There is no Chromium on the PATH; install it (Debian: apt-get install chromium).")
    build = [Path(sys.executable).parent / "jupyter-book", "build", ".", "--builder", "singlehtml"]
    subprocess.run([*build, "-q"], cwd=ROOT, check=True)
    # Its addresses are written for a page at the top, whatever folder the first page is in.
    print_page(program, (FOLDER / "notebooks" / "index.html").replace(FOLDER / "book.html"))
    print(f"The PDF is at {PDF}")


def print_page(program: str, page_file: Path) -> None:
    with open_chromium(program) as browser:
        page = browser.new_page()
        page.goto(page_file.as_uri())
        page.evaluate(ARRANGE)
        page.add_style_tag(content=PRINT)
        page.emulate_media(media="print", color_scheme="light")
        margin = dict.fromkeys(("top", "bottom", "left", "right"), "18mm")
        numbers = "<div style='font-size:8px;width:100%;text-align:center'><span class=pageNumber></span></div>"
        page.pdf(
            path=PDF,
            format="A4",
            margin=margin,
            scale=0.75,
            **dict.fromkeys(("outline", "tagged", "print_background"), True),
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=numbers,
        )


if __name__ == "__main__":
    main()
