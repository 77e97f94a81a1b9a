"""Audio longer than an encoder hears at once: overlapping windows, and one sequence of frames out of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from serbench.features.encoders.weights import HOP, RATE

# Seconds that windows overlap; half of it is the least that a frame inside sees of what is around it.
OVERLAP = 5


def starts(samples: int, longest: int) -> list[int]:
    """Where the windows of a signal begin: at 0 alone, where it fits into one.

    Parameters
    ----------
    samples, longest : int
        Of the signal, and of a window.

    Examples
    --------
    >>> starts(480_000, 480_000), starts(480_001, 480_000)
    ([0], [0, 400000])
    """
    step = longest - OVERLAP * RATE if longest > 2 * OVERLAP * RATE else longest // 2
    step -= step % HOP
    return list(range(0, max(samples - longest, 0) + step, step)) if samples > longest else [0]


def join(parts: Sequence[np.ndarray], begins: Sequence[int]) -> np.ndarray:
    """Frames of a whole signal from those of its windows: each overlap is cut in its middle.

    Parameters
    ----------
    parts : sequence of ndarray of shape (layers, frames, d)
    begins : sequence of int
        Sample at which each window begins.
    """
    first = [begin // HOP for begin in begins]
    ends = [start + part.shape[1] for start, part in zip(first, parts, strict=True)]
    cuts = [0, *((start + end) // 2 for start, end in zip(first[1:], ends[:-1], strict=True)), ends[-1]]
    pieces = [part[:, cuts[place] - first[place] : cuts[place + 1] - first[place]] for place, part in enumerate(parts)]
    return np.concatenate(pieces, axis=1)
