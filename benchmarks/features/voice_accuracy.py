"""The descriptors of `voice` against Praat on real speech: how far they agree, frame by frame.

``SERBENCH_DATA=corpora python benchmarks/features/voice_accuracy.py`` needs Praat's library (``pip install
praat-parselmouth``) and prints one row a descriptor. Praat analyses the same 16 kHz samples in frames of its own; its
frame nearest to each of ours is compared, where both call it voiced. Formants of both are the median of three
neighbouring frames, as those of `voice` are; clear is a formant whose bandwidth is below 500 Hz by Praat (wider poles
shape the slope of the spectrum and are no resonance). Jitter and shimmer are compared by utterance.
"""

import argparse
import os
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import parselmouth
from parselmouth.praat import call

from serbench.corpora.audio import decode
from serbench.features.phonation.descriptors import VOICED, voiced_descriptors
from serbench.features.phonation.formants import CEILING_HZ, ORDER
from serbench.features.phonation.pitch import pitch
from serbench.features.spectral import HOP, RATE, Analysis

CORPORA = ("ravdess_speech", "emodb", "cremad_part")
PITCH = {"time_step": 0.004, "pitch_floor": 75, "pitch_ceiling": 600}
PERIODS = (0, 0, 1e-4, 0.02, 1.3)
GROSS = 0.2
CLEAR_HZ = 500.0


@dataclass(frozen=True)
class Agreement:
    """One row: the figure, what it is, and the median absolute difference in the descriptor's unit (NaN: none)."""

    value: float
    measure: str
    difference: float
    unit: str


def compare(root: Path, files: int) -> dict[str, Agreement]:
    """Agreement of each descriptor over `files` utterances of each corpus below `root`, drawn with a fixed seed."""
    draw = random.Random(0)
    found = [sorted((root / corpus).rglob("*.flac")) for corpus in CORPORA]
    paths = [path for corpus in found for path in draw.sample(corpus, min(files, len(corpus)))]
    parts = [_frames(decode(path, RATE)) for path in paths]
    ours, theirs = (np.vstack([part[k] for part in parts]) for k in (0, 1))
    voiced, theirs_voiced = ours[:, 0] > 0, theirs[:, 0] > 0
    both = voiced & theirs_voiced
    ratio = ours[both, 0] / theirs[both, 0]
    table = {
        "F0, gross error": Agreement(float((np.abs(ratio - 1) > GROSS).mean()), "share beyond 20 %", np.nan, ""),
        "F0": _agreement(ours[both, 0], theirs[both, 0], "Hz"),
        "voicing, agreement": Agreement(float((voiced == theirs_voiced).mean()), "share of frames", np.nan, ""),
    }
    columns = [("HNR", "dB"), ("HNR, frames of 60 ms", "dB"), ("F1", "Hz"), ("F2", "Hz"), ("F3", "Hz")]
    columns += [("bandwidth 1", "Hz"), ("bandwidth 2", "Hz"), ("bandwidth 3", "Hz")]
    for k, (name, unit) in enumerate(columns, start=1):
        table[name] = _agreement(ours[both, k], theirs[both, k], unit)
    for k in (3, 4, 5):
        clear = both & (theirs[:, k + 3] < CLEAR_HZ)
        table[f"F{k - 2} where clear"] = _agreement(ours[clear, k], theirs[clear, k], "Hz")
    summaries = np.array([part[2] for part in parts])
    for k, name in enumerate(("jitter, by utterance", "shimmer, by utterance")):
        table[name] = _agreement(summaries[:, k], summaries[:, k + 2], "%")
    return table


def _frames(signal: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[float]]:
    analysis, sound = Analysis(signal, RATE), parselmouth.Sound(signal.astype(np.float64), RATE)
    values = voiced_descriptors(analysis)
    times = np.arange(len(values)) * HOP / RATE
    hnr, first = values[:, VOICED.index("hnr")], VOICED.index("f1")
    ours = np.column_stack([pitch(analysis)[:, 0], hnr, hnr, 1000 * values[:, first : first + 6]])
    track = sound.to_pitch_ac(**PITCH)
    hertz = _nearest(track, track.selected_array["frequency"], times)
    ratios = [sound.to_harmonicity_cc(0.004, 75, 0.1, 1.0), sound.to_harmonicity_ac(0.004, 75, 0.1, 4.5)]
    hnr = [_nearest(ratio, np.where(ratio.values[0] > -100, ratio.values[0], np.nan), times) for ratio in ratios]
    burg = sound.to_formant_burg(0.004, ORDER // 2, CEILING_HZ, 0.025, 50)
    formants = [[burg.get_value_at_time(k, t) for t in times] for k in (1, 2, 3)]
    widths = [[burg.get_bandwidth_at_time(k, t) for t in times] for k in (1, 2, 3)]
    smooth = [_median_of_three(np.array(column), hertz > 0) for column in (*formants, *widths)]
    theirs = np.column_stack([hertz, *hnr, *smooth])
    marks = call([sound, track], "To PointProcess (cc)")
    jitter = call(marks, "Get jitter (local)", *PERIODS)
    shimmer = call([sound, marks], "Get shimmer (local)", *PERIODS, 1.6)
    voiced = ours[:, 0] > 0
    means = values[voiced][:, [VOICED.index("jitter"), VOICED.index("shimmer")]].mean(axis=0)
    return ours, theirs, [*means, 100 * jitter, 100 * shimmer]


def _nearest(track: parselmouth.Sampled, values: np.ndarray, times: np.ndarray) -> np.ndarray:
    return values[np.rint((times - track.x1) / track.dx).astype(int).clip(0, track.nx - 1)]


def _median_of_three(values: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    smooth = values.copy()
    inside = np.flatnonzero(voiced[:-2] & voiced[1:-1] & voiced[2:]) + 1
    smooth[inside] = np.median([values[inside - 1], values[inside], values[inside + 1]], axis=0)
    return smooth


def _agreement(ours: np.ndarray, theirs: np.ndarray, unit: str) -> Agreement:
    both = np.isfinite(ours) & np.isfinite(theirs)
    correlation = np.corrcoef(ours[both], theirs[both])[0, 1]
    return Agreement(float(correlation), "correlation", float(np.median(np.abs(ours - theirs)[both])), unit)


def print_table(table: dict[str, Agreement]) -> None:
    """Print the rows."""
    print(f"{'descriptor':26s}{'agreement':>10s}  {'of':20s}{'median difference':>18s}")
    for name, row in table.items():
        difference = "" if np.isnan(row.difference) else f"{row.difference:.2f} {row.unit}"
        print(f"{name:26s}{row.value:10.3f}  {row.measure:20s}{difference:>18s}")


def main(arguments: Iterable[str] | None = None) -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=40, help="utterances of each corpus (40)")
    options = parser.parse_args(arguments)
    if "SERBENCH_DATA" not in os.environ:
        parser.error("set SERBENCH_DATA to the folder of the corpora")
    print_table(compare(Path(os.environ["SERBENCH_DATA"]), options.files))


if __name__ == "__main__":
    main()
