"""Parameters of the training loop with their defaults; light, since every sequence model's card includes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TRAINING: Mapping[str, Any] = {
    # Length: frames of the feature set; the default covers 12 s at a hop of 16 ms.
    "max_frames": 750,
    "crop": "center",
    "pool": 2,
    # Optimisation.
    "epochs": 60,
    "patience": 15,
    "monitor": "uar",
    "batch_size": 32,
    "learning_rate": 2e-3,
    "warmup": 0.1,
    "weight_decay": 1e-2,
    "clip_norm": 1.0,
    "label_smoothing": 0.1,
    "class_weight": "balanced",
    # Augmentation of the standardised frames, in training only.
    "noise": 0.0,
    "shift": 0.0,
    "stretch": 0.0,
    "time_mask": 0.0,
    "feature_mask": 0.0,
    "mixup": 0.0,
}


def training_space(trial: Any) -> dict[str, Any]:
    """Search what every sequence model trains with."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 3e-4, 6e-3, log=True),
        "weight_decay": trial.suggest_float("weight_decay", 1e-4, 1e-1, log=True),
        "batch_size": trial.suggest_categorical("batch_size", [16, 32, 64]),
        "time_mask": trial.suggest_float("time_mask", 0.0, 0.3),
        "feature_mask": trial.suggest_float("feature_mask", 0.0, 0.3),
    }
