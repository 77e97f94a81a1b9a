"""The spectral analysis of one utterance: one STFT, from which every hand-crafted feature is read.

Frames are centred (zeros are padded by half a frame at both ends) and weighted by a periodic Hann window, as in
librosa; all arrays are frame-major, (frames, d). The values equal librosa's functions on the same frames.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from serbench.features.spectral import filters

RATE = 16_000
N_FFT = 1024
HOP = 256
FLOOR = 1e-10
RANGE_DB = 80.0


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
    """

    def __init__(self, signal: np.ndarray, rate: int, *, n_fft: int = N_FFT, hop: int = HOP):
        self.signal, self.rate, self.n_fft, self.hop = signal, rate, n_fft, hop
        self._mel_db: dict[int, np.ndarray] = {}

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

        padded = np.pad(np.asarray(self.signal, dtype=np.float64), self.n_fft // 2)
        framed = np.lib.stride_tricks.sliding_window_view(padded, self.n_fft)[:: self.hop]
        spectrum = rfft(framed * filters.hann(self.n_fft), axis=-1, overwrite_x=True)
        return (spectrum.real**2 + spectrum.imag**2).astype(np.float32)

    def mel(self, n_mels: int = 128) -> np.ndarray:
        """Mel power spectrogram, (frames, n_mels): `librosa.feature.melspectrogram`."""
        power = self.power
        mel = np.empty((len(power), n_mels), dtype=np.float32)
        for rows, bins, weights in filters.mel_bands(self.rate, self.n_fft, n_mels):
            np.matmul(power[:, bins], weights, out=mel[:, rows])
        return mel

    def mel_db(self, n_mels: int = 128) -> np.ndarray:
        """Mel spectrogram in dB re 1, cut 80 dB below its maximum: `power_to_db` of `mel`."""
        if n_mels not in self._mel_db:
            self._mel_db[n_mels] = power_to_db(self.mel(n_mels))
        return self._mel_db[n_mels]

    def mfcc(self, n_mfcc: int = 40, n_mels: int = 128) -> np.ndarray:
        """Mel-frequency cepstral coefficients (orthonormal DCT-II), (frames, n_mfcc): `librosa.feature.mfcc`."""
        return self.mel_db(n_mels) @ filters.cosine_bank(n_mels, n_mfcc)

    def chroma(self, n_chroma: int = 12) -> np.ndarray:
        """Energy by pitch class, the largest of a frame being 1, (frames, n_chroma).

        `librosa.feature.chroma_stft` with ``tuning=0.0``: the tuning of a musical instrument is not estimated.
        """
        bank = filters.chroma_bank(self.rate, self.n_fft, n_chroma).astype(np.float32)
        raw = self.power @ bank.T
        peak = raw.max(axis=1, keepdims=True)
        # As in librosa, a frame too quiet to normalise is left as it is.
        return raw / np.where(peak < np.finfo(np.float32).tiny, np.float32(1.0), peak)

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

    def zero_crossing_rate(self) -> np.ndarray:
        """Share of samples at which the sign changes, (frames, 1): `librosa.feature.zero_crossing_rate`."""
        padded = np.pad(self.signal, self.n_fft // 2, mode="edge")
        negative = np.where(np.abs(padded) <= FLOOR, 0.0, padded) < 0
        counts = np.concatenate([[0], np.cumsum(negative[1:] != negative[:-1])])
        starts = np.arange(self.frames) * self.hop
        return ((counts[starts + self.n_fft - 1] - counts[starts]) / self.n_fft).astype(np.float32)[:, None]

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


def deltas(values: np.ndarray, width: int = 9, order: int = 1) -> np.ndarray:
    """Local slope of each column over `width` frames, the shape of `values`: `librosa.feature.delta`.

    A Savitzky-Golay filter. Of an utterance shorter than `width` frames, the ends are repeated outwards (librosa
    refuses it).
    """
    from scipy.signal import savgol_filter

    mode = "interp" if len(values) >= width else "nearest"
    return savgol_filter(values, width, polyorder=order, deriv=order, axis=0, mode=mode).astype(np.float32, copy=False)


def _extremes(power: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    # Mean magnitude of the `count` strongest and of the `count` weakest bins of each frame.
    if count == 1:
        return np.sqrt(power.max(axis=1)), np.sqrt(power.min(axis=1))
    width = power.shape[1]
    ordered = np.partition(power, (count - 1, width - count), axis=1)
    strong, weak = np.sqrt(ordered[:, width - count :]), np.sqrt(ordered[:, :count])
    return strong.mean(axis=1), weak.mean(axis=1)
