"""The descriptors of `voice` against Praat, librosa's pYIN and openSMILE on real speech, frame by frame.

    SERBENCH_DATA=corpora python benchmarks/features/voice_accuracy.py [--files 40] [--json FILE]

One row a descriptor and reference. It needs Praat's library (``pip install praat-parselmouth``); openSMILE's low-level
descriptors (eGeMAPS) are compared where it is installed. All analyse the same 16 kHz samples in frames of their own;
of Praat and openSMILE the frame nearest in time to each of ours is compared, where both call it voiced if only voiced
frames have the descriptor. eGeMAPS averages over three frames, and so are ours of all frames beside it; its frames are
of 20 ms (60 ms for F0 and what follows from it), ours of 64 ms. Formants of Praat and ours are the median of three
neighbouring frames, as those of `voice` are; clear is a formant whose bandwidth is below 500 Hz by Praat (wider poles
shape the slope of the spectrum and are no resonance). Jitter and shimmer are compared by utterance.
"""

import argparse
import importlib.util
import json
import os
import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import parselmouth
from parselmouth.praat import call

from serbench.corpora.audio import decode
from serbench.features.phonation.descriptors import SPECTRAL, VOICED, spectral_descriptors, voiced_descriptors
from serbench.features.phonation.formants import CEILING_HZ, ORDER
from serbench.features.phonation.pitch import CEILING_HZ as HIGHEST_HZ
from serbench.features.phonation.pitch import FLOOR_HZ as LOWEST_HZ
from serbench.features.phonation.pitch import pitch
from serbench.features.spectral import HOP, RATE, Analysis

CORPORA = ("ravdess_speech", "emodb", "cremad_part")
PITCH = {"time_step": 0.004, "pitch_floor": 75, "pitch_ceiling": 600}
PERIODS = (0, 0, 1e-4, 0.02, 1.3)
GROSS = 0.2
CLEAR_HZ = 500.0
# Ours, and what eGeMAPS calls so; what only voiced frames have is compared where both call it voiced.
EGEMAPS = {
    **{"loudness": "Loudness_sma3", "alpha_ratio": "alphaRatio_sma3", "hammarberg": "hammarbergIndex_sma3"},
    **{"slope_0_500": "slope0-500_sma3", "slope_500_1500": "slope500-1500_sma3", "flux": "spectralFlux_sma3"},
    **{f"mfcc{k}": f"mfcc{k}_sma3" for k in (1, 2, 3, 4)},
    **{"semitones": "F0semitoneFrom27.5Hz_sma3nz", "hnr": "HNRdBACF_sma3nz"},
    **{"jitter": "jitterLocal_sma3nz", "shimmer": "shimmerLocaldB_sma3nz"},
    **{"h1_h2": "logRelF0-H1-H2_sma3nz", "h1_a3": "logRelF0-H1-A3_sma3nz"},
    **{f"f{k}": f"F{k}frequency_sma3nz" for k in (1, 2, 3)},
}
# Of one utterance: our descriptors by frame, Praat's, and the jitter and shimmer of both.
Analyses = tuple[np.ndarray, np.ndarray, list[float]]


@dataclass(frozen=True)
class Agreement:
    """One row: the figure, what it is, and the median absolute difference, where both have one unit."""

    value: float
    measure: str
    difference: float | None = None
    unit: str = ""


def utterances(root: Path, files: int) -> list[np.ndarray]:
    """Samples of `files` utterances of each corpus below `root`, drawn with a fixed seed."""
    draw = random.Random(0)
    found = [sorted((root / corpus).rglob("*.flac")) for corpus in CORPORA]
    return [decode(path, RATE) for corpus in found for path in draw.sample(corpus, min(files, len(corpus)))]


def both_analyses(signal: np.ndarray) -> Analyses:
    """Analyse one utterance by `voice` and by Praat."""
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


def praat(parts: list[Analyses]) -> dict[str, Agreement]:
    """Agreement of each descriptor with Praat."""
    ours, theirs = (np.vstack([part[k] for part in parts]) for k in (0, 1))
    both = (ours[:, 0] > 0) & (theirs[:, 0] > 0)
    table = _pitch_agreement(ours[:, 0], theirs[:, 0])
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


def pyin(signals: list[np.ndarray]) -> dict[str, Agreement]:
    """Agreement of pitch and voicing with librosa's pYIN (Mauch and Dixon 2014)."""
    import librosa

    ours, theirs = [], []
    for signal in signals:
        hertz = pitch(Analysis(signal, RATE))[:, 0]
        band = {"fmin": LOWEST_HZ, "fmax": HIGHEST_HZ}
        found, voiced, _ = librosa.pyin(signal, sr=RATE, frame_length=1024, hop_length=HOP, **band)
        count = min(len(hertz), len(found))
        ours.append(hertz[:count])
        theirs.append(np.where(voiced, found, 0.0)[:count])
    return _pitch_agreement(np.concatenate(ours), np.concatenate(theirs))


def opensmile(signals: list[np.ndarray], parts: list[Analyses]) -> dict[str, Agreement]:
    """Agreement of each descriptor with that of eGeMAPS; of three, Praat's with it as well."""
    from opensmile import FeatureLevel, FeatureSet, Smile

    smile = Smile(FeatureSet.eGeMAPSv02, FeatureLevel.LowLevelDescriptors)
    ours, theirs = [], []
    for signal in signals:
        analysis = Analysis(signal, RATE)
        values = np.hstack([voiced_descriptors(analysis), spectral_descriptors(analysis)])
        values[:, VOICED.index("f1") : VOICED.index("f3") + 1] *= 1000
        frame = smile.process_signal(signal, RATE)
        start, end = (frame.index.get_level_values(name).total_seconds() for name in ("start", "end"))
        centres = np.asarray((start + end) / 2)
        times = np.arange(len(values)) * HOP / RATE
        nearest = np.abs(times[:, None] - centres).argmin(axis=1)
        ours.append(values)
        theirs.append(frame[list(EGEMAPS.values())].to_numpy()[nearest])
    smooth = np.vstack([_mean_of_three(part) for part in ours])
    ours, theirs = np.vstack(ours), np.vstack(theirs)
    names = (*VOICED, *SPECTRAL)
    both = (ours[:, 0] > 0) & (theirs[:, list(EGEMAPS).index("semitones")] > 0)
    table = {}
    for k, name in enumerate(EGEMAPS):
        column = names.index(name)
        known, values = (both, ours) if name in VOICED else (np.ones(len(ours), bool), smooth)
        table[name] = _agreement(values[known, column], theirs[known, k], "")
    praats = np.vstack([part[1] for part in parts])
    both &= praats[:, 0] > 0
    for column, name in ((1, "hnr"), (3, "f1"), (4, "f2"), (5, "f3")):
        theirs_too = theirs[both, list(EGEMAPS).index(name)]
        table[f"{name}, Praat's"] = _agreement(praats[both, column], theirs_too, "")
    return table


def _mean_of_three(values: np.ndarray) -> np.ndarray:
    padded = np.pad(values, ((1, 1), (0, 0)), mode="edge")
    return (padded[:-2] + padded[1:-1] + padded[2:]) / 3


def _pitch_agreement(ours: np.ndarray, theirs: np.ndarray) -> dict[str, Agreement]:
    """Agreement of F0 in Hz, 0 where unvoiced."""
    both = (ours > 0) & (theirs > 0)
    gross = np.abs(ours[both] / theirs[both] - 1) > GROSS
    return {
        "F0, gross error": Agreement(float(gross.mean()), "share beyond 20 %"),
        "F0": _agreement(ours[both], theirs[both], "Hz"),
        "voicing, agreement": Agreement(float(((ours > 0) == (theirs > 0)).mean()), "share of frames"),
    }


def _nearest(track: parselmouth.Sampled, values: np.ndarray, times: np.ndarray) -> np.ndarray:
    return values[np.rint((times - track.x1) / track.dx).astype(int).clip(0, track.nx - 1)]


def _median_of_three(values: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    smooth = values.copy()
    inside = np.flatnonzero(voiced[:-2] & voiced[1:-1] & voiced[2:]) + 1
    smooth[inside] = np.median([values[inside - 1], values[inside], values[inside + 1]], axis=0)
    return smooth


def _agreement(ours: np.ndarray, theirs: np.ndarray, unit: str) -> Agreement:
    both = np.isfinite(ours) & np.isfinite(theirs)
    correlation = float(np.corrcoef(ours[both], theirs[both])[0, 1])
    difference = float(np.median(np.abs(ours - theirs)[both])) if unit else None
    return Agreement(correlation, "correlation", difference, unit)


def print_table(table: dict[str, Agreement]) -> None:
    """Print the rows."""
    print(f"{'descriptor':26s}{'agreement':>10s}  {'of':20s}{'median difference':>18s}")
    for name, row in table.items():
        difference = f"{row.difference:.2f} {row.unit}" if row.unit else ""
        print(f"{name:26s}{row.value:10.3f}  {row.measure:20s}{difference:>18s}")


def main(arguments: Iterable[str] | None = None) -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=40, help="utterances of each corpus (40)")
    parser.add_argument("--json", type=Path, help="write the rows there")
    options = parser.parse_args(arguments)
    if "SERBENCH_DATA" not in os.environ:
        parser.error("set SERBENCH_DATA to the folder of the corpora")
    signals = utterances(Path(os.environ["SERBENCH_DATA"]), options.files)
    parts = [both_analyses(signal) for signal in signals]
    tables = {"praat": praat(parts), "pyin": pyin(signals)}
    if importlib.util.find_spec("opensmile"):
        tables["opensmile"] = opensmile(signals, parts)
    else:
        print("openSMILE is not installed: not compared")
    for name, table in tables.items():
        print(f"against {name}, {len(signals)} utterances")
        print_table(table)
    if options.json:
        rows = {name: {key: asdict(row) for key, row in table.items()} for name, table in tables.items()}
        options.json.write_text(json.dumps({"utterances": len(signals), **rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
