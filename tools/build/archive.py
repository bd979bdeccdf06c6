"""Zip the rendered book, and the notebooks with all that they need to run; both work offline.

The maps from minified scripts to their sources stay out: megabytes that only a debugger reads.
"""

import zipfile
from pathlib import Path

from chapters import ROOT

BUILD = ROOT / "_build"
PAGES, NOTEBOOKS = (BUILD / f"bayesian-lmm-book-{kind}.zip" for kind in ("html", "notebooks"))
# All that `make lab`, `make book` and the other ways of README's part "Run" read.
NEEDED = ("notebooks/*.ipynb", "notebooks/*.md", "data/*", "src/**/*.py", "src/**/*.html", "*.md")
NEEDED += ("tools/build/*", "_static/*", "Makefile", "_config.yml", "_toc.yml", "pyproject.toml")
NEEDED += ("requirements.lock", "environment.yml", "postBuild", ".python-version")
NEEDED += ("LICENSE*", "CITATION.cff")


def write_archive(archive: Path, folder: Path, files: list[Path]) -> None:
    """Zip ``files`` under their paths relative to ``folder``, inside a folder named as the archive."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as whole:
        for path in sorted(files):
            whole.write(path, Path(archive.stem) / path.relative_to(folder))
    print(f"{archive.relative_to(ROOT)}: {archive.stat().st_size / 1e6:.1f} MB")


def main() -> None:
    html = BUILD / "html"
    rendered = [path for path in html.rglob("*") if path.is_file() and path.suffix != ".map"]
    write_archive(PAGES, html, rendered)
    needed = [path for pattern in NEEDED for path in ROOT.glob(pattern) if path.is_file()]
    write_archive(NOTEBOOKS, ROOT, needed)


if __name__ == "__main__":
    main()
