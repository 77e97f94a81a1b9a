"""What is measured of a recording without hearing speech in it: a set that tells how far a label is given away by that.

No row means much that does not beat the model `shortcuts` on this set. It reads files at their own rate.
"""

from __future__ import annotations

import numpy as np

from serbench.specs import FeatureSpec

FRAME_SECONDS = 0.01
SILENCE_DB = 40.0  # below the loudest frame
BAND_EDGE_DB = 70.0  # below the strongest frequency
FLOOR_DB = -120.0
FLOOR_PERCENTILE = 5
LARGEST_DEPTH = 24
FLOATS = 32  # bits of samples that are no whole numbers of 24 bits

FACTS = (
    "duration", "samples", "peak", "DC", "leading silence", "trailing silence", "noise floor", "bandwidth", "bit depth",
    "rate",
)  # fmt: skip


def extract(signal: np.ndarray, rate: int) -> np.ndarray:
    """`FACTS` of a signal: (10,); durations in seconds, levels in dB of full scale, frequencies in Hz."""
    # Without an offset, which would hide silence; the median leaves digital silence what it is.
    power = _frame_power(signal - np.median(signal), rate)
    leading, trailing = _silence(power)
    facts = {
        "duration": len(signal) / rate,
        "samples": len(signal),
        "peak": _decibels(float(np.abs(signal).max()) ** 2),
        "DC": float(signal.mean(dtype=np.float64)),
        "leading silence": leading,
        "trailing silence": trailing,
        "noise floor": _decibels(float(np.percentile(power, FLOOR_PERCENTILE))),
        "bandwidth": _bandwidth(signal, rate),
        "bit depth": bit_depth(signal),
        "rate": rate,
    }
    return np.array([facts[name] for name in FACTS], dtype=np.float32)


def bit_depth(signal: np.ndarray) -> int:
    """Bits that the samples use; 32 where they are no whole numbers of 24 bits.

    Examples
    --------
    >>> bit_depth(np.array([0.25, -0.5])), bit_depth(np.array([0.1]))
    (3, 32)
    """
    scaled = signal.astype(np.float64) * 2.0 ** (LARGEST_DEPTH - 1)
    whole = np.rint(scaled)
    if (whole != scaled).any():
        return FLOATS
    used = int(np.bitwise_or.reduce(np.abs(whole).astype(np.int64)))
    unused = (used & -used).bit_length() - 1 if used else LARGEST_DEPTH - 1
    return LARGEST_DEPTH - unused


def _frame_power(signal: np.ndarray, rate: int) -> np.ndarray:
    size = max(1, round(FRAME_SECONDS * rate))
    starts = np.arange(0, len(signal), size)
    lengths = np.diff(np.append(starts, len(signal)))
    return np.add.reduceat(signal.astype(np.float64) ** 2, starts) / lengths


def _silence(power: np.ndarray) -> tuple[float, float]:
    sounding = np.flatnonzero(power >= power.max() * 10 ** (-SILENCE_DB / 10))
    return sounding[0] * FRAME_SECONDS, (len(power) - 1 - sounding[-1]) * FRAME_SECONDS


def _bandwidth(signal: np.ndarray, rate: int) -> float:
    from scipy.signal import welch

    frequencies, power = welch(signal, rate, nperseg=min(1024, len(signal)), detrend="constant")
    return float(frequencies[np.flatnonzero(power >= power.max() * 10 ** (-BAND_EDGE_DB / 10))[-1]])


def _decibels(power: float) -> float:
    return max(FLOOR_DB, 10 * np.log10(power)) if power > 0 else FLOOR_DB


SHORTCUTS = FeatureSpec(
    name="shortcuts",
    version="1",
    kind="vector",
    extract=extract,
    rate=None,
    description=f"no speech: {', '.join(FACTS)} of the recording, at its own rate",
)
