"""Answers of "Two grouping factors", from sums of squares: both tables are balanced."""

import numpy as np
import pandas as pd
from scipy import special, stats

from helpers.book.visits import data_file

from .shared import Answer, share

BATCHES, CASKS, TESTS = 10, 3, 2


def parts_of_paste(power: float = 1.0) -> tuple[float, float, float]:
    """Posterior mean shares of batches, casks and tests in the variance, summed over a plain grid.

    ``power`` 0.5 gives shares in the sum of the sds, which nobody should ask for.

    The sums of squares between batches, between casks of a batch and within casks are independent, and
    each over its mean square is chi-squared; the sds have half-normal priors of scale 5.
    """
    pastes = pd.read_csv(data_file("tables/pastes.csv"))
    of_cask = pastes.groupby(["batch", "cask"])["strength"].transform("mean")
    of_batch = pastes.groupby("batch")["strength"].transform("mean")
    distances = of_batch - of_batch.mean(), of_cask - of_batch, pastes["strength"] - of_cask
    squares = [float(d @ d) for d in distances]
    free = BATCHES - 1, BATCHES * (CASKS - 1), BATCHES * CASKS * (TESTS - 1)
    axes = np.linspace(0.01, 9, 120), np.linspace(0.3, 9, 120), np.linspace(0.4, 2, 80)
    batch, cask, test = (axis**2 for axis in np.meshgrid(*axes, indexing="ij"))
    expected = CASKS * TESTS * batch + TESTS * cask + test, TESTS * cask + test, test
    log_weight = -(batch + cask + test) / (2 * 5**2)
    for square, mean_square, df in zip(squares, expected, free, strict=True):
        log_weight += stats.chi2.logpdf(square / mean_square, df) - np.log(mean_square)
    weight, parts = special.softmax(log_weight), [part**power for part in (batch, cask, test)]
    return tuple(float((weight * part / sum(parts)).sum()) for part in parts)


def correlation_within_a_cask() -> Answer:
    batch, cask, test = parts_of_paste()
    slips = {
        "This is the casks' share; two tests of one cask come from one batch as well.": cask,
        "This is the correlation of two casks of one batch.": batch,
        "This is what tests of one cask do not share.": test,
        "These are shares of sds: take variances.": 1 - parts_of_paste(0.5)[2],
    }
    return share(batch + cask, error=0.012, slips=slips)


def smallest_circle() -> Answer:
    """Lower end (mm) for sample F on a new plate, with the variances that mean squares give."""
    table = pd.read_csv(data_file("tables/penicillin.csv")).pivot(
        index="plate", columns="sample", values="diameter"
    )
    plates, samples = table.shape
    mean = table.to_numpy().mean()
    of_plate, of_sample = table.mean(axis=1), table.mean(axis=0)
    rest = table.to_numpy() - np.add.outer(of_plate.to_numpy(), of_sample.to_numpy()) + mean
    residual = (rest**2).sum() / ((plates - 1) * (samples - 1))
    plate = of_plate.var() - residual / samples
    sample = of_sample.var() - residual / plates
    error = (plate + residual) / plates  # of the sample's own mean

    def lower(middle: float, variance: float) -> float:
        return float(middle - 1.96 * np.sqrt(variance))

    f = float(of_sample["F"])
    right = lower(f, plate + residual + error)
    slips = {
        "This is the upper end.": 2 * f - right,
        "This is the middle of the prediction.": f,
        "This is for a mean plate: a new one has an effect of its own.": lower(f, residual + error),
        "This is the mean of the new plate; a single circle scatters too.": lower(f, plate + error),
        "This is for a new sample too; F is known.": lower(mean, plate + residual + sample * 7 / 6),
    }
    return Answer(right, "mm", 0.12, {"cm": 0.1}, slips)


def floor_of_eight_bottles() -> Answer:
    """Two means of four bottles each, if judges without end have tasted them (marks)."""
    both = float(np.sqrt(5.0**2 / 4 + 5.0**2 / 4))
    slips = {
        "The difference has the errors of two means: this is that of one.": 5 / 2,
        "This is the variance: take its root.": both**2,
        "This is the sd with nine judges.": float(np.sqrt(both**2 + 2 * 12**2 / 36)),
        "This is the sd with eighteen judges.": float(np.sqrt(both**2 + 2 * 12**2 / 72)),
        "Judges never average the bottles out.": 0.0,
    }
    return Answer(both, "marks", 0.02, slips=slips)


ANSWERS = {
    "tg-casks": correlation_within_a_cask,
    "tg-plate": smallest_circle,
    "tg-design": floor_of_eight_bottles,
}
