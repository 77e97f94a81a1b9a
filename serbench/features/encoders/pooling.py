"""From the frames of all layers to what a row asks for: one layer or their mean, vectors or frames."""

from __future__ import annotations

import numpy as np

from serbench.errors import FeatureError
from serbench.features.frames import average_frames

POOLS = ("mean", "mean_std", "none")
HOPS = (20, 40, 80)
MIXTURES = ("mean", "weighted")


def layer_weights(layer: int | str, count: int) -> np.ndarray:
    """How much each of `count` layers (0 is what enters the first block) counts; they add up to 1.

    ``mean`` counts all alike; ``weighted`` by a Hann window over the depth, so that the middle ones count most and
    nothing is learnt; a number is one layer.

    Raises
    ------
    FeatureError
        For a layer that the encoder does not have.

    Examples
    --------
    >>> layer_weights("weighted", 3).round(2).tolist()
    [0.25, 0.5, 0.25]
    """
    if layer == "mean":
        return np.full(count, 1 / count, dtype=np.float32)
    if layer == "weighted":
        window = np.sin(np.pi * np.arange(1, count + 1) / (count + 1)) ** 2
        return (window / window.sum()).astype(np.float32)
    if isinstance(layer, bool) or not isinstance(layer, int) or not 0 <= layer < count:
        raise FeatureError(
            f"no layer {layer!r}", where="ssl", hint=f"0 to {count - 1}, or one of: {', '.join(MIXTURES)}"
        )
    weights = np.zeros(count, dtype=np.float32)
    weights[layer] = 1
    return weights


def mix_layers(layers: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted sum over the first axis in float32; layers without weight are not read."""
    used = np.flatnonzero(weights)
    mixed = weights[used[0]] * layers[used[0]].astype(np.float32)
    for layer in used[1:]:
        mixed += weights[layer] * layers[layer]
    return mixed


def statistics(frames: np.ndarray) -> np.ndarray:
    """Mean and standard deviation over time of every layer and of every mixture of layers.

    Parameters
    ----------
    frames : ndarray of shape (layers, frames, d), float32

    Returns
    -------
    ndarray of shape (layers + mixtures, 2, d), float32
        The layers, then `MIXTURES`; mean, then standard deviation.
    """
    mixed = [mix_layers(frames, layer_weights(name, len(frames))) for name in MIXTURES]
    return np.stack([np.stack([part.mean(axis=0), part.std(axis=0)]) for part in (*frames, *mixed)])


def vector(pooled: np.ndarray, layer: int | str, pool: str) -> np.ndarray:
    """Vector of an utterance, (d,) or with the deviations (2 d,), from its `statistics`."""
    layers = len(pooled) - len(MIXTURES)
    layer_weights(layer, layers)
    row = pooled[layers + MIXTURES.index(layer) if isinstance(layer, str) else layer]
    return (row[0] if pool == "mean" else row.ravel()).astype(np.float32)


def sequence(frames: np.ndarray, layer: int | str, hop: int) -> np.ndarray:
    """Frames of an utterance every `hop` ms (20, 40, 80), (frames, d), from those of all layers every 20 ms.

    Averages of two or four frames; the last one of those that are left.
    """
    mixed = mix_layers(frames, layer_weights(layer, len(frames)))
    return average_frames(mixed, hop // HOPS[0])
