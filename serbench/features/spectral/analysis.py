"""The spectral analysis of one utterance: one STFT, from which every hand-crafted feature is read.

Frames are centred (zeros are padded by half a frame at both ends) and weighted by a periodic Hann window, as in
librosa; all arrays are frame-major, (frames, d). The values equal librosa's functions on the same frames.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, wraps

import numpy as np

from serbench.features.spectral import filters
from serbench.features.spectral.warping import warped

RATE = 16_000
N_FFT = 1024
HOP = 256
# Samples transformed at once: few enough to stay in the processor's second-level cache.
BLOCK = 2**15
FLOOR = 1e-10
RANGE_DB = 80.0


def once(feature: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Decorator: compute an array of an analysis once, for all sets that ask; read-only, since they share it."""

    @wraps(feature)
    def remembered(self: Analysis, *args: float, **options: float) -> np.ndarray:
        key = (feature, args, tuple(sorted(options.items())))
        if key not in self._features:
            values = feature(self, *args, **options)
            values.flags.writeable = False
            self._features[key] = values
        return self._features[key]

    return remembered


class Analysis:
    """Lazily computed spectral features of one signal.

    Parameters
    ----------
    signal : ndarray of shape (samples,)
        Mono, in [-1, 1].
    rate : int
        Hz.
    n_fft, hop : int
        Samples in a frame, and between the centres of neighbouring frames.
    warp : float
        Factor by which all frequencies are multiplied (`warping.warped`): the voice of another, saying the same.
    """

    def __init__(self, signal: np.ndarray, rate: int, *, n_fft: int = N_FFT, hop: int = HOP, warp: float = 1.0):
        self.signal, self.rate, self.n_fft, self.hop, self.warp = signal, rate, n_fft, hop, warp
        self._features: dict[tuple, np.ndarray] = {}

    @property
    def frames(self) -> int:
        """Number of frames: 1 + samples // hop."""
        return 1 + len(self.signal) // self.hop

    @cached_property
    def power(self) -> np.ndarray:
        """Power spectrogram |X|², (frames, n_fft // 2 + 1), float32.

        The transform itself is in float64: in float32 its rounding noise fills the spectral valleys of quiet frames,
        which moves their spectral contrast by many dB.
        """
        from scipy.fft import rfft

        window = filters.hann(self.n_fft)
        padded = np.pad(np.asarray(self.signal, dtype=np.float64), self.n_fft // 2)
        framed = np.lib.stride_tricks.sliding_window_view(padded, self.n_fft)[:: self.hop]
        power = np.empty((len(framed), self.n_fft // 2 + 1), dtype=np.float32)
        block = max(1, BLOCK // self.n_fft)
        for start in range(0, len(framed), block):
            spectrum = rfft(framed[start : start + block] * window, axis=-1, overwrite_x=True)
            parts = spectrum.view(np.float64).reshape(len(spectrum), -1, 2)
            np.square(parts, out=parts)
            np.add(parts[..., 0], parts[..., 1], out=power[start : start + block], casting="same_kind")
        return warped(power, self.warp)

    @once
    def mel(self, n_mels: int = 128) -> np.ndarray:
        """Mel power spectrogram, (frames, n_mels): `librosa.feature.melspectrogram`."""
        power = self.power
        mel = np.empty((len(power), n_mels), dtype=np.float32)
        for rows, bins, weights in filters.mel_bands(self.rate, self.n_fft, n_mels):
            np.matmul(power[:, bins], weights, out=mel[:, rows])
        return mel

    @once
    def mel_db(self, n_mels: int = 128) -> np.ndarray:
        """Mel spectrogram in dB re 1, cut 80 dB below its maximum: `power_to_db` of `mel`."""
        return power_to_db(self.mel(n_mels))

    @once
    def mfcc(self, n_mfcc: int = 40, n_mels: int = 128) -> np.ndarray:
        """Mel-frequency cepstral coefficients (orthonormal DCT-II), (frames, n_mfcc): `librosa.feature.mfcc`."""
        return self.mel_db(n_mels) @ filters.cosine_bank(n_mels, n_mfcc)

    @once
    def chroma(self, n_chroma: int = 12) -> np.ndarray:
        """Energy by pitch class, the largest of a frame being 1, (frames, n_chroma).

        `librosa.feature.chroma_stft` with ``tuning=0.0``: the tuning of a musical instrument is not estimated.
        """
        raw = self.power @ filters.chroma_bank(self.rate, self.n_fft, n_chroma)
        peak = raw.max(axis=1, keepdims=True)
        # As in librosa, a frame too quiet to normalise is left as it is.
        return raw / np.where(peak < np.finfo(np.float32).tiny, np.float32(1.0), peak)

    @once
    def contrast(self, n_bands: int = 6, fmin: float = 200.0, quantile: float = 0.02) -> np.ndarray:
        """Spectral contrast in dB by octave band, (frames, n_bands + 1): `librosa.feature.spectral_contrast`.

        References
        ----------
        D.-N. Jiang et al., Music type classification by spectral contrast feature, ICME 2002.
        """
        power = self.power
        peaks = np.empty((len(power), n_bands + 1), dtype=np.float32)
        valleys = np.empty_like(peaks)
        for k, (bins, count) in enumerate(filters.contrast_bands(self.rate, self.n_fft, fmin, n_bands, quantile)):
            peaks[:, k], valleys[:, k] = _extremes(power[:, bins], count)
        return power_to_db(peaks) - power_to_db(valleys)

    @once
    def zero_crossing_rate(self) -> np.ndarray:
        """Share of samples at which the sign changes, (frames, 1): `librosa.feature.zero_crossing_rate`."""
        padded = np.pad(self.signal, self.n_fft // 2, mode="edge")
        # As in librosa, what is within 1e-10 of zero counts as zero, and zero as positive.
        negative = padded < -FLOOR
        counts = np.concatenate([[0], np.cumsum(negative[1:] != negative[:-1], dtype=np.int32)])
        starts = np.arange(self.frames) * self.hop
        crossings = counts[starts + self.n_fft - 1] - counts[starts]
        return (crossings * (self.warp / self.n_fft)).astype(np.float32)[:, None]

    @once
    def rms(self) -> np.ndarray:
        """Root mean square of the windowed frames, (frames, 1): ``librosa.feature.rms(S=magnitude)``.

        It is read from the spectrum (Parseval), so the window weighs the samples; ``rms(y=...)`` would not.
        """
        weights = np.full(self.power.shape[1], 2.0, dtype=np.float32)
        weights[0] = weights[-1] = 1.0
        return np.sqrt(self.power @ weights)[:, None] / np.float32(self.n_fft)


def power_to_db(power: np.ndarray) -> np.ndarray:
    """Power in dB re 1, floored at 1e-10 and at 80 dB below the maximum: `librosa.power_to_db`."""
    decibel = 10.0 * np.log10(np.maximum(power, np.float32(FLOOR)))
    return np.maximum(decibel, decibel.max() - np.float32(RANGE_DB))


def loudness_db(rms: np.ndarray) -> np.ndarray:
    """RMS in dB re full scale, floored at -100 dB."""
    return 20.0 * np.log10(np.maximum(rms, np.float32(1e-5)))


def deltas(values: np.ndarray, half_width: int = 4) -> np.ndarray:
    """Slope of each column per frame, by a straight line through 2·half_width + 1 frames: `librosa.feature.delta`.

    At the ends the slope of the outermost full line is kept. Of an utterance shorter than one line, the first and last
    frames are repeated outwards (librosa refuses it).

    Parameters
    ----------
    values : ndarray of shape (frames, d)

    Returns
    -------
    ndarray of shape (frames, d), float32
    """
    short = len(values) <= 2 * half_width
    if short:
        values = np.pad(values, ((half_width, half_width), (0, 0)), mode="edge")
    count = len(values) - 2 * half_width
    slope = np.zeros((count, values.shape[1]), dtype=np.float32)
    for lag in range(1, half_width + 1):
        ahead, behind = half_width + lag, half_width - lag
        slope += lag * (values[ahead : ahead + count] - values[behind : behind + count])
    slope /= 2 * sum(lag * lag for lag in range(1, half_width + 1))
    return slope if short else np.pad(slope, ((half_width, half_width), (0, 0)), mode="edge")


def _extremes(power: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    # Mean magnitude of the `count` strongest and of the `count` weakest bins of each frame. A full sort is vectorised
    # in numpy and beats both a partition and, on rows this short, a maximum.
    ordered = np.sort(power, axis=1)
    strong, weak = np.sqrt(ordered[:, -count:]), np.sqrt(ordered[:, :count])
    return strong.mean(axis=1), weak.mean(axis=1)
