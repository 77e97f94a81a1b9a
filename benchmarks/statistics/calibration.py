"""How often the 95 % intervals of log-loss, Brier score and calibration error (ECE) hold the truth, 2 to 91 speakers.

Speakers are made up who resemble those of a committed row: each takes the probabilities of the predicted class from one
of the row's speakers, and is right with ``sigmoid(a + b logit(probability) + u)``, where a and b are fitted to the row
and u differs between speakers as much as it does there. "Calibrated" is the same row with the probabilities put right.
What a model says beyond its predicted class is left out: the other class is "wrong".

    OMP_NUM_THREADS=1 python benchmarks/statistics/calibration.py
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from coverage import SHAPES
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from speakers import RESULTS

from serbench.reporting.calibration import pooled_probabilities
from serbench.reporting.loading import load_predictions, load_suites
from serbench.reporting.lookup import find_cells
from serbench.reporting.text_tables import to_markdown
from serbench.scoring.calibration import ECE_BINS, CodedProbabilities, calibration

ROWS = {"ravdess": "ravdess_speech/official/mfcc/svm", "emodb": "emodb/loso/mfcc/svm"}
SCORES = ("log_loss", "brier", "ece")
# Nodes and weights of the mean over a normal variable.
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(21)


@dataclass(frozen=True)
class Population:
    """Speakers to draw from.

    Attributes
    ----------
    donors : list of ndarray
        Probabilities of the predicted class, for each speaker of the row.
    slope, offset, spread : float
        An answer is right with ``sigmoid(offset + slope logit(probability) + spread z)``, z normal over speakers.
    """

    donors: list[np.ndarray]
    slope: float
    offset: float
    spread: float

    def chance(self, confidence: np.ndarray, z: np.ndarray | float) -> np.ndarray:
        """Of being right, for the speaker z."""
        return expit(self.offset + self.slope * logit(confidence) + self.spread * z)

    def expected(self, confidence: np.ndarray) -> np.ndarray:
        """Chance of being right, over all speakers."""
        return self.chance(confidence[:, None], NODES) @ (WEIGHTS / WEIGHTS.sum())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boards", type=int, default=1000, help="simulated data sets for each entry")
    boards = parser.parse_args().boards
    populations = {suite: measure(suite, row) for suite, row in ROWS.items()}
    for suite, found in populations.items():
        print(f"{suite}: slope {found.slope:.2f}, offset {found.offset:.2f}, spread {found.spread:.2f}")
    lines = []
    for name, (speakers, _, utterances, suite) in SHAPES.items():
        population = populations[suite]
        for state, put_right in (("as it is", False), ("calibrated", True)):
            truth = true_scores(population, put_right)
            held = coverage(population, speakers, 7 * utterances, boards, truth, put_right)
            lines.append([f"{name}: {speakers} speakers", state, f"{truth['ece']:.3f}", *(f"{x:.3f}" for x in held)])
    print(to_markdown(["like", "row", "true ECE", *SCORES], lines))


def measure(suite: str, row: str) -> Population:
    """Fit a row's curve over all its answers; the spread between speakers by the method of moments."""
    cells = find_cells(load_suites(RESULTS, suite), row)
    tested = pooled_probabilities(load_predictions(RESULTS, cells), cells["cell"].iloc[0].labels["labels"])
    confidence = tested.probabilities[np.arange(len(tested.truth)), tested.predicted].clip(1e-3, 1 - 1e-3)
    right = tested.truth == tested.predicted
    curve = LogisticRegression(C=np.inf).fit(logit(confidence)[:, None], right)
    chance = curve.predict_proba(logit(confidence)[:, None])[:, 1]
    names = np.unique(tested.speakers)
    surplus = [(right - chance)[tested.speakers == name].sum() for name in names]
    weight = [(chance * (1 - chance))[tested.speakers == name].sum() for name in names]
    variance = (np.square(surplus).sum() - np.sum(weight)) / np.square(weight).sum()
    donors = [confidence[tested.speakers == name] for name in names]
    return Population(donors, float(curve.coef_[0, 0]), float(curve.intercept_[0]), float(np.sqrt(max(0.0, variance))))


def true_scores(population: Population, put_right: bool) -> dict[str, float]:
    """Of all speakers that there could be, each donor being as likely."""
    size = max(len(donor) for donor in population.donors)
    # Donors weigh the same, however many utterances they spoke.
    drawn = np.concatenate([np.quantile(donor, (np.arange(size) + 0.5) / size) for donor in population.donors])
    chance = population.expected(drawn)
    said = chance if put_right else drawn
    edges = np.quantile(said, np.arange(1, ECE_BINS) / ECE_BINS)
    gaps = np.bincount(np.searchsorted(edges, said, side="left"), chance - said)
    return {
        "log_loss": float(-(chance * np.log(said) + (1 - chance) * np.log1p(-said)).mean()),
        "brier": float(2 * (chance * (1 - said) ** 2 + (1 - chance) * said**2).mean()),
        "ece": float(np.abs(gaps).sum() / len(said)),
    }


def coverage(
    population: Population, speakers: int, utterances: int, boards: int, truth: dict[str, float], put_right: bool
) -> list[float]:
    """Share of the intervals of each score that hold the truth."""
    generator = np.random.default_rng(1)
    names = np.repeat(np.array([f"s{number}" for number in range(speakers)], dtype=object), utterances)
    held = []
    for _ in range(boards):
        donors = generator.integers(len(population.donors), size=speakers)
        confidence = np.concatenate([generator.choice(population.donors[donor], utterances) for donor in donors])
        z = np.repeat(generator.normal(size=speakers), utterances)
        right = generator.random(len(confidence)) < population.chance(confidence, z)
        said = population.expected(confidence) if put_right else confidence
        found = calibration(
            CodedProbabilities(
                truth=np.where(right, 0, 1),
                predicted=np.zeros(len(right), dtype=int),
                probabilities=np.column_stack([said, 1 - said]),
                speakers=names,
            )
        )
        held.append([found[f"{name}_low"] <= truth[name] <= found[f"{name}_high"] for name in SCORES])
    return list(np.mean(held, axis=0))


if __name__ == "__main__":
    main()
