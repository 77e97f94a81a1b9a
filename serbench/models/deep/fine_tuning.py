"""A pre-trained encoder that is trained on with a classification head (extra `encoders`)."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from serbench.errors import ModelError
from serbench.features.encoders.place import Place
from serbench.features.encoders.running import load_pretrained, own_device, receptive_field
from serbench.features.encoders.weights import CONFIG, PREPROCESSOR, RATE, WHOLE
from serbench.models.deep.classifier import NetworkClassifier, note_validation, softmax
from serbench.models.params import threads

# What a head adds to the tensors of an encoder.
NEW = ("projector.", "classifier.", "layer_weights")


class FineTunedEncoder(NetworkClassifier):
    """An encoder of transformers with a head over the mean of its frames, with scikit-learn's contract.

    Parameters
    ----------
    place : Place
        Where the weights are that the training starts from; they are looked for when it does.
    params : mapping
        Those of the model `fine_tuned`.
    n_classes : int
    seed : int

    Attributes
    ----------
    history : dict of str to list of float
        `loss`, and with a validation part `val_loss`, `val_accuracy`, `val_uar`: an entry each time it was looked at.
    """

    def __init__(self, place: Place, params: Mapping[str, Any], *, n_classes: int, seed: int):
        super().__init__(params, n_classes=n_classes, seed=seed)
        self.place = place

    def fit(self, X: Sequence[np.ndarray], y, validation=None) -> FineTunedEncoder:
        """Fit to signals in frames (frames, d) and codes.

        Parameters
        ----------
        validation : (Xv, yv), optional
            Chooses among the states of the network that are looked at; without it the last one is kept.

        Raises
        ------
        FeatureError
            If the weights are absent or damaged.
        ModelError
            If they cannot be loaded, or are those of an encoder that is not trained further.
        """
        import torch
        import transformers

        transformers.set_seed(self.seed)
        torch.set_num_threads(threads())
        self._load(self.place.find(self.params["model"], self.params["revision"]).folder, num_labels=self.n_classes)
        # As its authors train wav2vec 2.0 further: the convolutions stay.
        self.model.freeze_feature_encoder()
        self.history = {}
        self._train(X, np.asarray(y), validation)
        return self

    def _probabilities(self, X: Sequence[np.ndarray]) -> np.ndarray:
        # Each utterance is heard by itself, without padding.
        import torch

        self.model.eval()
        with torch.inference_mode():
            logits = [self.model(**self._given([x])).logits[0].cpu().numpy().astype(np.float64) for x in X]
        return softmax(np.array(logits))

    def count_params(self) -> int:
        """Return the number of weights of the fitted network."""
        return sum(values.numel() for values in self.model.parameters())

    def save(self, folder: Path) -> list[Path]:
        """Write the fitted network into a folder as the hub has it, without pickle."""
        self.model.save_pretrained(folder, max_shard_size="100GB")
        self.extractor.save_pretrained(folder)
        return [folder / name for name in (WHOLE, CONFIG, PREPROCESSOR)]

    def restore(self, folder: Path) -> None:
        """Take over a fitted network, as saved."""
        self._load(folder)

    def _load(self, folder: Path, **settings: Any) -> None:
        import torch

        locks = None if self.place.cache is None else self.place.cache / "encoders"
        self.device = torch.device(own_device(self.place.device, locks))
        self.extractor, model = load_pretrained(
            "AutoModelForAudioClassification", folder, self.device, new=NEW, error=ModelError, **settings
        )
        if not hasattr(model, "freeze_feature_encoder"):
            raise ModelError(
                f"{type(model).__name__} is not trained further here", where=str(folder),
                hint="wav2vec 2.0, HuBERT, WavLM and data2vec are",
            )  # fmt: skip
        self.model, self.spec_augment = model, getattr(model.config, "apply_spec_augment", True)

    def _train(self, X: Sequence[np.ndarray], y: np.ndarray, validation: Any) -> None:
        import torch
        from transformers import get_linear_schedule_with_warmup

        params, random = self.params, np.random.default_rng(self.seed)
        trained = [values for values in self.model.parameters() if values.requires_grad]
        optimizer = torch.optim.AdamW(trained, params["learning_rate"], weight_decay=params["weight_decay"])
        batches = -(-len(y) // params["batch_size"])
        total = batches * params["epochs"]
        schedule = get_linear_schedule_with_warmup(optimizer, 0, total)
        best: tuple | None = None
        losses: list[float] = []
        for step, rows in enumerate(_batches(len(y), batches, params["epochs"], random), 1):
            self.model.train()
            given = self._given([X[row] for row in rows])
            loss = self.model(**given, labels=torch.from_numpy(y[rows]).long().to(self.device)).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, params["clip_norm"])
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            losses.append(float(loss.detach()))
            if step % (params["validate_every"] or batches) and step < total:
                continue
            self.history.setdefault("loss", []).append(float(np.mean(losses)))
            losses = []
            if validation is not None:
                score = note_validation(self.history, self.predict_proba(validation[0]), np.asarray(validation[1]))
                if best is None or score > best[0]:
                    best = (score, copy.deepcopy(self.model.state_dict()))
            if self.watch is not None and self.watch(len(self.history["loss"]) - 1, self.history):
                break
        if best is not None:
            self.model.load_state_dict(best[1])

    def _given(self, X: Sequence[np.ndarray]) -> dict[str, Any]:
        longest, shortest = int(self.params["max_seconds"] * RATE), receptive_field(self.model.config)
        signals = [np.asarray(x, dtype=np.float32).ravel()[:longest] for x in X]
        signals = [np.pad(signal, (0, max(0, shortest - len(signal)))) for signal in signals]
        given = self.extractor(signals, sampling_rate=RATE, padding=True, return_tensors="pt")
        # Masked training of what is shorter than a mask is refused by transformers.
        frames = int(self.model._get_feat_extract_output_lengths(given["input_values"].shape[1]))
        self.model.config.apply_spec_augment = self.spec_augment and frames > self.model.config.mask_time_length
        return {name: values.to(self.device) for name, values in given.items()}


def _batches(count: int, batches: int, epochs: int, random: np.random.Generator) -> Iterator[np.ndarray]:
    for _ in range(epochs):
        yield from np.array_split(random.permutation(count), batches)
