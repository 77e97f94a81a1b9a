"""An encoder in memory: from signals to the frames of all its layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from serbench.errors import FeatureError, SerbenchError
from serbench.features.encoders.weights import ARCHITECTURES, HOP, RATE, Weights
from serbench.features.encoders.windows import join, starts

LONGEST = 30 * RATE
# Seconds of padded audio that are encoded at once. On a processor one utterance: it then has the same features to the
# last bit whatever else is extracted, and its own length fills a core.
ON_GPU, ON_CPU = 240, 0
# A parameter of training alone, which some published files lack.
_UNUSED = "masked_spec_embed"


class Encoder:
    """A loaded encoder.

    Parameters
    ----------
    weights : Weights
    device : str
        Of torch, such as ``cpu`` or ``cuda:0``; on a GPU it computes in half precision where that is safe.

    Raises
    ------
    FeatureError
        If the weights do not make the model that the configuration describes.
    """

    def __init__(self, weights: Weights, device: str = "cpu"):
        import torch

        self._torch, self._device = torch, torch.device(device)
        self._whisper = weights.architecture == "whisper"
        self._extractor, model = load_pretrained(
            ARCHITECTURES[weights.architecture], weights.folder, self._device, part="encoder" if self._whisper else ""
        )
        self._model = model.eval()
        if self._whisper:
            self.longest = min(LONGEST, self._extractor.n_samples)
            self.shortest = 1
        else:
            self.longest = LONGEST
            self.shortest = receptive_field(self._model.config)
            self._convolve_apart()
        self.at_once = (ON_GPU if self._device.type == "cuda" else ON_CPU) * RATE

    def encode(self, signals: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Frames of all layers of each signal.

        Parameters
        ----------
        signals : sequence of ndarray of shape (samples,), float32
            At 16 kHz.

        Returns
        -------
        list of ndarray of shape (layers + 1, frames, d), float32
            A frame every 20 ms; layer 0 is what enters the first block.

        Raises
        ------
        FeatureError
            For a signal that is shorter than a frame.
        """
        prepared = [self._prepared(signal) for signal in signals]
        begins = [starts(len(signal), self.longest) for signal in prepared]
        windows = [
            signal[begin : begin + self.longest] for signal, own in zip(prepared, begins, strict=True) for begin in own
        ]
        found: list[Any] = [None] * len(windows)
        for batch in self._batches(windows):
            for place, frames in zip(batch, self._run([windows[place] for place in batch]), strict=True):
                found[place] = frames
        rest = iter(found)
        return [join([next(rest) for _ in own], own) for own in begins]

    def _prepared(self, signal: np.ndarray) -> np.ndarray:
        if len(signal) < self.shortest:
            raise FeatureError(
                f"{1000 * len(signal) / RATE:.0f} ms of sound, a frame takes {1000 * self.shortest / RATE:.0f} ms",
                hint="leave the utterance out (`exclude`)",
            )
        if self._whisper:
            return signal
        return self._extractor(signal, sampling_rate=RATE, return_tensors="np")["input_values"][0].astype(np.float32)

    def _batches(self, windows: Sequence[np.ndarray]) -> Iterator[list[int]]:
        """Places of windows of about one length, as many as may be encoded at once."""
        batch: list[int] = []
        for place in sorted(range(len(windows)), key=lambda place: len(windows[place]), reverse=True):
            longest = self.longest if self._whisper else len(windows[batch[0] if batch else place])
            if batch and longest * (len(batch) + 1) > self.at_once:
                yield batch
                batch = []
            batch.append(place)
        if batch:
            yield batch

    def _run(self, windows: Sequence[np.ndarray]) -> list[np.ndarray]:
        torch = self._torch
        lengths = [len(window) for window in windows]
        if self._whisper:
            heard = self._extractor(list(windows), sampling_rate=RATE, return_tensors="pt")["input_features"]
            given = {"input_features": heard.to(self._device)}
        else:
            padded = torch.zeros(len(windows), max(lengths))
            mask = torch.zeros(len(windows), max(lengths), dtype=torch.long)
            for row, window in enumerate(windows):
                padded[row, : len(window)] = torch.from_numpy(window)
                mask[row, : len(window)] = 1
            self._lengths = lengths
            given = {"input_values": padded.to(self._device), "attention_mask": mask.to(self._device)}
        half = torch.autocast("cuda", dtype=torch.float16) if self._device.type == "cuda" else nullcontext()
        with torch.inference_mode(), half:
            states = self._model(**given, output_hidden_states=True).hidden_states
            layers = torch.stack([state.float() for state in states]).cpu().numpy()
        return [layers[:, row, : self._frames(length)] for row, length in enumerate(lengths)]

    def _convolve_apart(self) -> None:
        """Let convolutions over time, and the norms between them, hear each utterance without its padding."""
        pad = self._torch.nn.utils.rnn.pad_sequence
        front, positions = self._model.feature_extractor, self._model.encoder.pos_conv_embed
        convolve, place = front.forward, positions.forward

        def apart(values: Any) -> Any:
            rows = [convolve(row[None, :length])[0].T for row, length in zip(values, self._lengths, strict=True)]
            return pad(rows, batch_first=True).transpose(1, 2)

        def placed_apart(states: Any) -> Any:
            counts = map(self._frames, self._lengths)
            return pad(
                [place(row[None, :count])[0] for row, count in zip(states, counts, strict=True)], batch_first=True
            )

        front.forward, positions.forward = apart, placed_apart

    def _frames(self, samples: int) -> int:
        return -(-samples // HOP) if self._whisper else (samples - self.shortest) // HOP + 1


def load_pretrained(
    kind: str,
    folder: Path,
    device: Any,
    *,
    part: str = "",
    new: Sequence[str] = (),
    error: type[SerbenchError] = FeatureError,
    **settings: Any,
) -> tuple[Any, Any]:
    """The feature extractor and the model in a folder, without pickle, network or noise.

    Parameters
    ----------
    kind : str
        Class of transformers.
    device : torch.device
        Where the model goes, in single precision.
    part : str
        Of the model, if not all of it is wanted.
    new : sequence of str
        What names of tensors contain that the weights may lack.
    error : type
        Raised for a folder that cannot be loaded, and for other weights than its configuration describes.
    settings
        Of the configuration, in place of those in the folder.
    """
    import transformers

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    try:
        extractor = transformers.AutoFeatureExtractor.from_pretrained(folder, local_files_only=True)
        model, info = getattr(transformers, kind).from_pretrained(
            folder, use_safetensors=True, local_files_only=True, output_loading_info=True, **settings
        )
        model = (getattr(model, part) if part else model).to(device).float()
    except Exception as reason:
        # Readers of foreign files raise whatever these lead them to.
        raise error(f"cannot be loaded: {reason}"[:400], where=str(folder)) from reason
    if absent := sorted(name for name in info["missing_keys"] if not any(word in name for word in (_UNUSED, *new))):
        raise error(
            f"the weights lack {len(absent)} tensors, such as {absent[0]}",
            where=str(folder),
            hint="these are not the weights of this configuration: download both again",
        )
    return extractor, model


def receptive_field(config: Any) -> int:
    """Samples that a frame of an encoder with convolutions hears: no signal may be shorter."""
    samples = 1
    for kernel, stride in zip(reversed(config.conv_kernel), reversed(config.conv_stride), strict=True):
        samples = (samples - 1) * stride + kernel
    return samples


@lru_cache(maxsize=1)
def loaded(weights: Weights, device: str, locks: Path | None) -> Encoder:
    """The encoder of this process; a worker keeps one, until `release`."""
    return Encoder(weights, own_device(device, locks))


def release() -> None:
    """Give back the memory of the encoder that this process holds: no cell needs it."""
    loaded.cache_clear()


@lru_cache(maxsize=1)
def own_device(device: str, locks: Path | None) -> str:
    """The device of this process; of several GPUs one that no other worker has, for as long as the process lives."""
    import torch
    from filelock import FileLock, Timeout

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device != "cuda" or locks is None or (count := torch.cuda.device_count()) < 2:
        return device
    locks.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        lock = FileLock(locks / f"cuda-{number}.lock")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            continue
        _HELD.append(lock)
        return f"cuda:{number}"
    return "cuda:0"


# Held until the process ends: a lock that is collected would be given back.
_HELD: list[Any] = []
