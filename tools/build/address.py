"""Say where the book is published: ``python tools/build/address.py https://github.com/me/book``.

The address stands in ``_config.yml``. This writes it there and into what repeats it: the first code cell of each
chapter, which installs the book in Colab, the README and the citation. While its owner is ``OWNER``, nothing repeats
it and no page leads to it; the same command with ``OWNER`` in it takes it out again.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import yaml
from nbformat.v4 import new_code_cell

from chapters import ROOT, list_chapters, read_tags

PLACEHOLDER = "OWNER"
FORM = re.compile(r"https://github\.com/([\w-]+)/([\w.-]+?)(?:\.git)?/?")
# What the line of a build without an address promises.
HIDDEN = "buttons to Binder, Colab and the repository, canonical links, pictures in previews"
COLAB = """\
# Installs the book's packages where they are missing, as in Colab
import importlib.util

if importlib.util.find_spec("helpers") is None:
    book = "github.com/{0.owner}/{0.name}"
    lock = "https://raw.githubusercontent.com/{0.owner}/{0.name}/{0.branch}/requirements.lock"
    %pip install -q --require-hashes -r {{lock}}
    %pip install -q --no-deps --no-build-isolation git+https://{{book}}@{0.branch}
    raise SystemExit(
        "Installed. Restart the session (menu Runtime), then run all cells."
    )"""
HIDE = {"jupyter": {"source_hidden": True}, "tags": ["colab", "remove-cell"]}


@dataclass(frozen=True)
class Address:
    """The repository on GitHub, and the branch whose pages GitHub Pages shows."""

    owner: str
    name: str
    branch: str = "main"

    @property
    def is_set(self) -> bool:
        return self.owner != PLACEHOLDER

    @property
    def repository(self) -> str:
        return f"https://github.com/{self.owner}/{self.name}"

    @property
    def path(self) -> str:
        """Where the pages begin on their host; a repository named as the host itself is its top."""
        host = f"{self.owner.lower()}.github.io"
        return "/" if self.name.lower() == host else f"/{self.name}/"

    @property
    def pages(self) -> str:
        return f"https://{self.owner.lower()}.github.io{self.path}"


def parse_address(url: str, branch: str = "main") -> Address:
    """Take ``https://github.com/me/book`` apart.

    Raises
    ------
    SystemExit
        If the address has another form.
    """
    if not (found := FORM.fullmatch(url)):
        said = f"{url!r} is no such address" if url else "The address is missing"
        sys.exit(f"{said}: make address URL=https://github.com/me/book")
    return Address(*found.groups(), branch)


def read_address() -> Address:
    """The address in ``_config.yml``."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]
    return parse_address(config["url"], config["branch"])


def write_address(address: Address) -> None:
    """Write the address wherever it stands; where it only repeats ``_config.yml``, take out a placeholder."""
    lead, cite = (
        f"Read it online: <{address.pages}>\n\n",
        f'repository-code: "{address.repository}"\n',
    )
    cite += f'url: "{address.pages}"\n'
    if not address.is_set:
        lead = cite = ""
    rewrite("_config.yml", r"(?<=\nrepository:\n  url: ).*", address.repository)
    rewrite("README.md", r"(?<=\n## Read\n\n)(?:Read it online: .*\n\n)?", lead)
    rewrite("CITATION.cff", r"(?:repository-code: .*\n)?(?:url: .*\n)?(?=license:)", cite)
    for chapter in list_chapters():
        write_colab(chapter, address)


def rewrite(name: str, pattern: str, text: str) -> None:
    """Put ``text`` for the one place of a file that ``pattern`` finds."""
    path = ROOT / name
    before = path.read_text(encoding="utf-8")
    path.write_text(re.sub(pattern, lambda _: text, before, count=1), encoding="utf-8")


def write_colab(chapter: Path, address: Address) -> None:
    """Let the first code cell install the book in Colab, or leave it out."""
    notebook = nbformat.read(chapter, as_version=4)
    cells = [cell for cell in notebook.cells if "colab" not in read_tags(cell)]
    if address.is_set:
        first = next(place for place, cell in enumerate(cells) if cell.cell_type == "code")
        cells.insert(first, new_code_cell(COLAB.format(address), id="colab", metadata=HIDE))
    nbformat.write(nbformat.from_dict({**notebook, "cells": cells}), chapter)


def main() -> None:
    address = parse_address(*sys.argv[1:2] or [""], read_address().branch)
    write_address(address)
    if address.is_set:
        print(f"The book is published at {address.pages}; make book renders it for there.")
    else:
        print("The book has no address now.")


if __name__ == "__main__":
    main()
