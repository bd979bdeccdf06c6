"""One typeset PDF of the whole book: the chapters on one page of HTML, printed by Chromium."""

import shutil
import subprocess
import sys
from pathlib import Path

from chapters import ROOT
from playwright.sync_api import sync_playwright

FOLDER = ROOT / "_build" / "singlehtml"
PDF = ROOT / "_build" / "bayesian-lmm-book.pdf"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]

# Solutions move to the end, each under the title of its exercise; what only a screen can do goes.
ARRANGE = """async () => {
  await MathJax.startup.promise;
  const article = document.querySelector("article");
  const end = document.createElement("section");
  end.innerHTML = "<h1>Solutions</h1>";
  document.querySelectorAll(".solution").forEach(solution => end.append(solution));
  article.append(end);
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
h1 { break-before: page; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
.cell_output img, figure, table { break-inside: avoid; max-width: 100%; }
.cell_output .output, .cell_output .text_html { overflow: visible; }
"""


def main() -> None:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if browser is None:
        sys.exit("There is no Chromium on the PATH; install it (Debian: apt-get install chromium).")
    build = [
        str(Path(sys.executable).parent / "jupyter-book"),
        "build",
        ".",
        "--builder",
        "singlehtml",
    ]
    subprocess.run([*build, "-q"], cwd=ROOT, check=True)
    print_page(browser, next(FOLDER.rglob("index.html")))
    print(f"The PDF is at {PDF}")


def print_page(browser: str, page_file: Path) -> None:
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=browser, args=FLAGS).new_page()
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
            outline=True,
            tagged=True,
            print_background=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=numbers,
        )


if __name__ == "__main__":
    main()
