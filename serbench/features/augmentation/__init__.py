"""Changes to waveforms: augmented copies of training utterances, degraded test utterances."""

from serbench.features.augmentation.alteration import Alteration

__all__ = ["Alteration"]
