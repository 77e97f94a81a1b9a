"""What a recording measures, and whether a model has heard the like: length, level, bandwidth, noise, clipping."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from serbench.corpora.audio import RATE
from serbench.inference.clips import Clip
from serbench.inference.sheet import Range

FRAME, HOP = 512, 256
FLOOR = 1e-12
# Below the strongest band by more than this, a band holds nothing (16-bit noise lies near -90 dB).
BAND_DB = 65.0
CLIPPED = 1e-3
SILENT_DB = -70.0
SHARE = 0.005
# What the utterances of a corpus differ by anyway, added on both sides of what was seen.
SLACK = {"seconds": 0.25, "level_db": 3.0, "bandwidth_hz": 500.0, "noise_db": 3.0}


def measure(clip: Clip) -> dict[str, float]:
    """Measure a recording at 16 kHz.

    Returns
    -------
    dict
        `seconds`; `level_db`, the level of its loud frames (dB of full scale); `bandwidth_hz`, up to where there is any
        sound; `noise_db`, how far the quietest tenth of the frames lies below the loudest; `clipped`, the share of
        samples at full scale.
    """
    power = frame_power(clip.at(RATE).signal)
    level = 10 * np.log10(power.mean(axis=1) + FLOOR)
    quiet, loud = np.quantile(level, [0.1, 0.95])
    spectrum = power.mean(axis=0)
    heard = np.flatnonzero(spectrum > spectrum.max() * 10 ** (-BAND_DB / 10))
    return {
        "seconds": clip.seconds,
        "level_db": float(loud),
        "bandwidth_hz": float(heard[-1] * RATE / FRAME) if spectrum.max() > FLOOR else 0.0,
        "noise_db": float(loud - quiet),
        "clipped": clip.clipped,
    }


def frame_power(signal: np.ndarray) -> np.ndarray:
    """Power spectra of frames of 32 ms every 16 ms, (frames, bands); their mean is the mean square of a frame."""
    padded = np.pad(signal, (0, max(0, FRAME - len(signal))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    window = np.hanning(FRAME).astype(np.float32)
    spectra = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
    # Parseval, one side of the spectrum, and the window's own power.
    return spectra * (2 * spectra.shape[1] / (FRAME * np.square(window).sum()))


def ranges(measured: Iterable[Mapping[str, float]]) -> dict[str, Range]:
    """Between which values 99 % of some recordings lie."""
    rows = list(measured)
    found = {}
    for name, slack in SLACK.items():
        low, high = np.quantile([row[name] for row in rows], [SHARE, 1 - SHARE])
        found[name] = Range(low=float(low) - slack, high=float(high) + slack)
    return found


def strangeness(measured: Mapping[str, float], known: Mapping[str, Range]) -> list[str]:
    """Warnings where a recording is outside what a model's training recordings measure."""
    if measured["level_db"] < SILENT_DB:
        return ["silence: nothing to hear"]
    found = []
    if measured["clipped"] > CLIPPED:
        found.append(f"clipped: {100 * measured['clipped']:.1f} % of the samples at full scale")
    for name, (unit, below, above) in WORDS.items():
        if name not in known:
            continue
        value, span = measured[name], known[name]
        word = below if value < span.low else above if value > span.high else ""
        if word:
            found.append(f"{word}: {value:.{1 if unit == 's' else 0}f} {unit}, training has {_span(span, unit)}")
    return found


def _span(span: Range, unit: str) -> str:
    decimals = 1 if unit == "s" else 0
    return f"{max(span.low, 0) if unit != 'dB' else span.low:.{decimals}f} to {span.high:.{decimals}f}"


# Only what a model can suffer from: more bandwidth than in training falls away at 16 kHz, and less noise does no harm.
WORDS = {
    "seconds": ("s", "short", "long"),
    "level_db": ("dB", "quiet", "loud"),
    "bandwidth_hz": ("Hz", "narrow band", ""),
    "noise_db": ("dB", "noisy: speech above noise by little", ""),
}
