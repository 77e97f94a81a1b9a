"""How often some of 44 equal rows are told apart, and what the best row owes to being chosen, by simulation.

The rows vary together over speakers as those of the committed boards do: speakers are drawn from a normal distribution
with the committed rows' covariance, or from the committed speakers themselves. Beside the procedure that serbench uses
stands one that takes the best row for a reference named in advance (each row against it, corrected after Holm).

    OMP_NUM_THREADS=1 python benchmarks/statistics/board.py
"""

from __future__ import annotations

import argparse

import numpy as np
from speakers import committed
from statsmodels.stats.multitest import multipletests

from serbench.reporting.text_tables import to_markdown
from serbench.scoring import optimism_of_best, pairwise_p, swap_test
from serbench.scoring.ranks import ALPHA, uar_contributions

ROWS = 44
FLIPS = 999
# How far the rows lie apart, as a share of how far the committed ones do.
SPREADS = (0.0, 0.5, 1.0)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boards", type=int, default=400, help="simulated boards for each entry")
    boards = parser.parse_args().boards
    found = {suite: made_up_rows(suite) for suite in ("ravdess", "emodb")}
    marked, optimism = [], []
    for suite, rows in found.items():
        for kind in ("normal", "drawn"):
            shares = np.mean([told_apart(speakers) for speakers in equal_boards(rows, kind, boards)], axis=0)
            marked.append([f"{suite}: {rows.shape[1]} speakers, {kind}", *(f"{share:.3f}" for share in shares)])
        for spread in SPREADS:
            values = 100 * np.mean([owed(*board) for board in unequal_boards(rows, spread, boards)], axis=0)
            optimism.append([suite, f"{spread:.1f}", *(f"{value:.1f}" for value in values)])
    print(f"Boards of {ROWS} equal rows on which a row is told from the best, or any rank interval leaves out a rank\n")
    print(to_markdown(["board", "marked", "ranks", "(each against the best, Holm)"], marked))
    print("\nOptimism of the best row, points\n")
    print(to_markdown(["board", "rows apart", "true", "estimated"], optimism))
    print(f"\n{boards} boards for each entry")


def made_up_rows(suite: str) -> np.ndarray:
    """What each speaker adds to the UAR of 44 rows, shape (44, speakers): those of the best committed ones."""
    contributions = uar_contributions(*committed(suite))
    order = np.argsort(-contributions.sum(axis=1))
    return contributions[np.resize(order, ROWS)]


def equal_boards(rows: np.ndarray, kind: str, boards: int):
    """Boards of rows that are equal in truth, each of shape (rows, speakers)."""
    generator = np.random.default_rng(2)
    centred = rows - rows.mean(axis=1, keepdims=True)
    speakers = rows.shape[1]
    for _ in range(boards):
        if kind == "drawn":
            yield centred[:, generator.integers(0, speakers, speakers)]
        else:
            yield normal(centred, generator)


def unequal_boards(rows: np.ndarray, spread: float, boards: int):
    """Boards of rows that lie apart in truth, and their true UARs."""
    generator = np.random.default_rng(3)
    total = rows.sum(axis=1)
    truth = total.mean() + spread * (total - total.mean())
    centred = rows - rows.mean(axis=1, keepdims=True)
    for _ in range(boards):
        yield normal(centred, generator) + truth[:, None] / rows.shape[1], truth


def normal(centred: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Speakers whose covariance over rows is that of the given ones."""
    speakers = centred.shape[1]
    return centred @ generator.normal(size=(speakers, speakers)) / np.sqrt(speakers - 1)


def told_apart(rows: np.ndarray) -> tuple[bool, bool, bool]:
    """Whether a row is told from the best, whether any two rows are, and whether one is after Holm."""
    total = rows.sum(axis=1)
    best = int(total.argmax())
    p = pairwise_p(rows, flips=FLIPS)
    against = [swap_test(rows[best] - row, resamples=FLIPS) for number, row in enumerate(rows) if number != best]
    return (p[best] < ALPHA).any(), (p < ALPHA).any(), (multipletests(against, method="holm")[1] < ALPHA).any()


def owed(rows: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """How far the best row's UAR is above its truth, and the estimate of it."""
    total = rows.sum(axis=1)
    best = int(total.argmax())
    # One class, to which a speaker adds what it adds to the UAR.
    estimate = optimism_of_best(rows[..., None] * rows.shape[1], np.ones((rows.shape[1], 1)))
    return float(total[best] - truth[best]), estimate


if __name__ == "__main__":
    main()
