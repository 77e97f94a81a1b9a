"""How often a nominal 95 % interval holds the truth, for 2 to 91 speakers who differ as those of the committed rows do.

One row: its true UAR over all speakers that there could be; of one training, the models as they are and, with
retraining, over all trainings; of three seeds, over all trainings. Two equal rows: a difference of zero. Beside the
intervals that serbench gives stand two that it does not (percentiles of resampled speakers), or only where speakers are
unknown (utterances).

    OMP_NUM_THREADS=1 python benchmarks/statistics/coverage.py
"""

from __future__ import annotations

import argparse

import numpy as np
from speakers import Effects, draw, measure

from serbench.reporting.text_tables import to_markdown
from serbench.scoring.intervals import LEVEL, SPEAKER, intervals
from serbench.scoring.margins import margin_uar
from serbench.scoring.paired import RowPredictions, difference_of

# Speakers, folds, utterances of each class by each speaker, and the suite whose speakers they resemble.
SHAPES = {
    "TESS": (2, 2, 200, "emodb"),
    "SAVEE": (4, 4, 10, "ravdess"),
    "EMO-DB": (10, 10, 8, "emodb"),
    "RAVDESS": (24, 6, 8, "ravdess"),
    "CREMA-D": (91, 5, 13, "ravdess"),
}
# The UAR of RAVDESS' six folds then differs by 1.2 points between trainings, as a public report of an LSTM says.
RETRAINING = 0.012
NEEDED = 0.93


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boards", type=int, default=1000, help="simulated data sets for each entry")
    boards = parser.parse_args().boards
    effects = {suite: measure(suite) for suite in ("ravdess", "emodb")}
    for suite, found in effects.items():
        print(f"{suite}: spread {found.spread:.2f}, common {found.common:.2f}, shared by rows {found.shared:.2f}")
    columns = ["row", "row, retrained", "3 seeds, retrained", "difference", "difference, 3 seeds, retrained"]
    columns += ["(percentiles)", "(utterances)"]
    lines = []
    for name, (speakers, folds, utterances, suite) in SHAPES.items():
        shape = {"speakers": speakers, "folds": folds, "utterances": utterances}
        held = coverage(effects[suite], shape, boards)
        lines.append([f"{name}: {speakers} speakers", *(f"{share:.3f}" for share in held)])
    print(to_markdown(["like", *columns], lines))
    print(f"{boards} data sets for each; at {NEEDED} or less a row must say otherwise (two standard errors: "
          f"{2 * np.sqrt(LEVEL * (1 - LEVEL) / boards):.3f})")  # fmt: skip


def coverage(effects: Effects, shape: dict[str, int], boards: int) -> list[float]:
    """Share of the intervals of each kind that hold the truth."""
    generator = np.random.default_rng(1)
    # Where it moves a speaker's recall as far as its spread goes, a standard deviation moves the mean by about 0.26.
    retraining = 6 * (RETRAINING / 0.26) ** 2
    held = []
    for _ in range(boards):
        hits, trials, truth = draw(effects, generator, **shape)
        once, _, once_truth = draw(effects, generator, **shape, retraining=retraining)
        thrice, _, thrice_truth = draw(effects, generator, **shape, seeds=3, retraining=retraining)
        pair, _, _ = draw(effects, generator, **shape, rows=2)
        seeded, _, _ = draw(effects, generator, **shape, rows=2, seeds=3, retraining=retraining)
        held.append(
            [
                holds(hits[0], trials, truth),
                holds(once[0], trials, once_truth),
                holds(thrice[0], trials, thrice_truth),
                differs_by_nothing(pair, trials),
                differs_by_nothing(seeded, trials),
                percentiles_hold(hits[0, 0], trials, truth, generator),
                utterances_hold(hits[0, 0], trials, truth, generator),
            ]
        )
    return list(np.mean(held, axis=0))


def holds(hits: np.ndarray, trials: np.ndarray, truth: float) -> bool:
    """Whether the interval of a row holds the truth; hits of shape (seeds, speakers, K)."""
    statistics = np.stack([hits, np.broadcast_to(trials, hits.shape)], axis=-2)
    found = intervals(statistics, {"uar": margin_uar}, SPEAKER)["uar"]
    return found.low <= truth <= found.high


def differs_by_nothing(hits: np.ndarray, trials: np.ndarray) -> bool:
    """Whether the interval of the difference of two rows holds zero; hits of shape (2, seeds, speakers, K)."""
    one, two = (answered(row, trials) for row in hits)
    found = difference_of(one, two)
    return found["low"] <= 0 <= found["high"]


def answered(hits: np.ndarray, trials: np.ndarray) -> RowPredictions:
    """A row whose right answers come first among the utterances of a class."""
    seeds, speakers, classes = hits.shape
    each = int(trials[0, 0])
    place = np.arange(speakers * classes * each)
    right = (np.arange(each) < hits[..., None]).reshape(seeds, -1)
    names = np.array([f"s{number}" for number in range(speakers)], dtype=object)[place // (classes * each)]
    return RowPredictions(
        utterances=place,
        speakers=names,
        truth=place // each % classes,
        hits=right.sum(axis=0).astype(float),
        trials=np.full(len(place), float(seeds)),
        labels=tuple(range(classes)),
        seed_uars=tuple(hits.sum(axis=1).mean(axis=-1) / (speakers * each)),
    )


def percentiles_hold(hits: np.ndarray, trials: np.ndarray, truth: float, generator: np.random.Generator) -> bool:
    """The same from percentiles of 1,000 resamples of speakers."""
    speakers = len(hits)
    drawn = generator.multinomial(speakers, np.full(speakers, 1 / speakers), size=1000)
    low, high = np.quantile(((drawn @ hits) / (drawn @ trials)).mean(axis=1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return low <= truth <= high


def utterances_hold(hits: np.ndarray, trials: np.ndarray, truth: float, generator: np.random.Generator) -> bool:
    """The same from utterances, as where speakers are unknown: normal, since there are many."""
    recalls = hits.sum(axis=0) / trials.sum(axis=0)
    error = np.sqrt((recalls * (1 - recalls) / trials.sum(axis=0)).sum()) / len(recalls)
    return abs(recalls.mean() - truth) <= 1.96 * error


if __name__ == "__main__":
    main()
