"""How long the intervals of a leaderboard row take, beside a plain bootstrap that scores resampled speakers anew.

Run: python benchmarks/speed/bootstrap.py
"""

from __future__ import annotations

import time

import numpy as np

from serbench.scoring.intervals import RESAMPLES, intervals
from serbench.scoring.margins import CONFUSION_SCORES, grouped_confusion, margin_uar, margins

SHAPES = {"ravdess_speech": (24, 1440, 8), "emodb": (10, 535, 7), "cremad": (91, 7442, 6)}
LOOP_RESAMPLES = 100


def main() -> None:
    print(f"one row, milliseconds; the loop over {RESAMPLES} resamples")
    print(f"{'corpus':16}{'UAR':>8}{'4 scores':>10}{'utterances':>12}{'naive loop':>12}{'ratio':>8}")
    for name, (speakers, utterances, classes) in SHAPES.items():
        truth, predicted, groups = _made_up(speakers, utterances, classes)
        statistics = margins(grouped_confusion(truth, predicted, groups, classes, speakers))[None]
        alone = margins(grouped_confusion(truth, predicted, np.arange(utterances), classes, utterances))[None]
        one = _milliseconds(lambda: intervals(statistics, {"uar": margin_uar}, "speaker"))  # noqa: B023
        four = _milliseconds(lambda: intervals(statistics, CONFUSION_SCORES, "speaker"))  # noqa: B023
        by_utterance = _milliseconds(lambda: intervals(alone, {"uar": margin_uar}, "utterance"))  # noqa: B023
        loop = _milliseconds(lambda: _loop(truth, predicted, groups, classes), 1)  # noqa: B023
        loop *= RESAMPLES / LOOP_RESAMPLES
        print(f"{name:16}{one:8.1f}{four:10.1f}{by_utterance:12.1f}{loop:12.0f}{loop / one:7.0f}x")


def _made_up(speakers: int, utterances: int, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, classes, utterances)
    predicted = np.where(generator.random(utterances) < 0.5, truth, generator.integers(0, classes, utterances))
    return truth, predicted, np.arange(utterances) % speakers


def _loop(truth: np.ndarray, predicted: np.ndarray, groups: np.ndarray, classes: int) -> np.ndarray:
    """Resample speakers one at a time and score the utterances anew, as is commonly done."""
    generator = np.random.default_rng(0)
    members = [np.flatnonzero(groups == speaker) for speaker in np.unique(groups)]
    values = []
    for _ in range(LOOP_RESAMPLES):
        chosen = np.concatenate([members[drawn] for drawn in generator.integers(0, len(members), len(members))])
        hits = truth[chosen] == predicted[chosen]
        values.append(np.mean([hits[truth[chosen] == label].mean() for label in range(classes)]))
    return np.quantile(values, [0.025, 0.975])


def _milliseconds(function, repeats: int = 5) -> float:
    spans = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        spans.append(time.perf_counter() - start)
    return 1000 * float(np.median(spans))


if __name__ == "__main__":
    main()
