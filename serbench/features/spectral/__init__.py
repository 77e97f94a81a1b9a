"""One analysis pass per utterance, shared by every hand-crafted feature set."""

from serbench.features.spectral.analysis import HOP, N_FFT, RATE, Analysis
from serbench.features.spectral.shared import SharedExtract, shared

__all__ = ["HOP", "N_FFT", "RATE", "Analysis", "SharedExtract", "shared"]
