"""Zip the rendered book, and the notebooks with all that they need to run; both work offline.

The maps from minified scripts to their sources stay out: megabytes that only a debugger reads.
"""

import zipfile
from pathlib import Path

from chapters import ROOT

BUILD = ROOT / "_build"
PAGES, NOTEBOOKS = (BUILD / f"bayesian-lmm-book-{kind}.zip" for kind in ("html", "notebooks"))
# Helpers, data, versions, licences; with postBuild, what is unpacked runs on Binder.
TO_RUN = (
    "data/**/*",
    "r/*.R",
    "src/**/*.py",
    "src/**/*.html",
    "README.md",
    "LICENSE*",
    "CITATION.cff",
)
TO_RUN += ("pyproject.toml", "requirements.lock", "environment.yml", ".python-version", "postBuild")
# With these all that `make lab`, `make book` and the other ways of README's part "Run" read.
NEEDED = ("notebooks/*.ipynb", "notebooks/*.md", "CONTRIBUTING.md", "tools/build/*", "r/README.md")
NEEDED += ("_static/**/*", "_templates/*", "Makefile", "_config.yml", "_toc.yml")
NEEDED += ("requirements-spark.lock", "CHANGELOG.md")


def list_files(patterns: tuple[str, ...]) -> list[Path]:
    return [path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()]


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
    write_archive(NOTEBOOKS, ROOT, list_files(TO_RUN + NEEDED))


if __name__ == "__main__":
    main()
