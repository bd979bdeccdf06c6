"""Draw the README's figure from the data, with the data's checksum in its metadata."""

import hashlib

import matplotlib.pyplot as plt

from chapters import ROOT
from helpers import plots
from helpers.book import figures
from helpers.book.visits import load_bounce_times

FIGURE = ROOT / "_static" / "paradox.png"


def data_checksum() -> str:
    return hashlib.sha256((ROOT / "data" / "bounce_times.csv").read_bytes()).hexdigest()


def main() -> None:
    plots.use_book_style()
    ax = figures.plot_paradox(load_bounce_times())
    ax.set_title("One line rises, and every county's own line falls")
    plt.savefig(FIGURE, dpi=130, metadata={"Description": f"data sha256 {data_checksum()}"})


if __name__ == "__main__":
    main()
