"""Warping of the frequency axis: another length of the vocal tract and height of the voice, without resynthesis."""

from __future__ import annotations

import numpy as np

# Up to this share of Nyquist frequencies are multiplied; above it a straight line leads to Nyquist: none leaves.
KNEE = 0.6


def warped(power: np.ndarray, factor: float) -> np.ndarray:
    """Power spectra whose frequencies are multiplied by a factor: vocal tract length perturbation.

    Parameters
    ----------
    power : ndarray of shape (frames, bins), float32
        From 0 Hz to Nyquist.
    factor : float
        Above 1, formants and harmonics rise, as in a shorter vocal tract with a higher voice; 1 changes nothing.

    Returns
    -------
    ndarray of shape (frames, bins), float32
        Linearly interpolated between bins.

    References
    ----------
    N. Jaitly and G. Hinton, Vocal tract length perturbation (VTLP) improves speech recognition, ICML workshop on deep
    learning for audio, speech and language processing, 2013: the piecewise linear map.
    """
    if factor == 1.0:
        return power
    below, share = _sources(power.shape[1], factor)
    return power[:, below] * (1 - share) + power[:, below + 1] * share


def _sources(bins: int, factor: float) -> tuple[np.ndarray, np.ndarray]:
    # Of each bin after the warp: the bin below the place where it came from, and how far beyond that the place lies.
    nyquist = bins - 1
    knee = KNEE * nyquist * min(factor, 1.0)
    place = np.interp(np.arange(bins), [0.0, knee, nyquist], [0.0, knee / factor, nyquist])
    below = np.minimum(place.astype(np.intp), nyquist - 1)
    return below, (place - below).astype(np.float32)
