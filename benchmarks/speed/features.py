"""Hand-crafted features of one file: six librosa calls, each with its own STFT, against one shared analysis.

Both compute 40 MFCC, chroma, spectral contrast, mel spectrogram, zero-crossing rate and RMS of the same signals with
the same frames, on one thread, with and without decoding. ``python benchmarks/speed/features.py`` uses real files where
SERBENCH_DATA names the corpora, else generated ones. Times are of the processor, which other work on the machine
disturbs less than the clock. The set `voice` is set beside eGeMAPS where openSMILE is installed.
"""

import importlib.util
import os
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import librosa
import numpy as np
import soundfile
from threadpoolctl import threadpool_limits

from serbench.corpora.audio import decode
from serbench.features.egemaps import EGEMAPS
from serbench.features.extract import Utterance
from serbench.features.handcrafted import HANDCRAFTED
from serbench.features.handcrafted_sequence import HANDCRAFTED_SEQUENCE
from serbench.features.spectral import Analysis
from serbench.features.voice import VOICE
from serbench.features.voice_sequence import VOICE_SEQUENCE

RATE = 16_000
FILES = 60
ROUNDS = 5
SECONDS = 3.7


def naive(signal: np.ndarray, n_fft: int, hop: int) -> list[np.ndarray]:
    """What tutorials do: every feature from the samples, chroma with its tuning estimated."""
    frames = {"n_fft": n_fft, "hop_length": hop}
    return [
        librosa.feature.mfcc(y=signal, sr=RATE, n_mfcc=40, **frames),
        librosa.feature.chroma_stft(y=signal, sr=RATE, **frames),
        librosa.feature.spectral_contrast(y=signal, sr=RATE, **frames),
        librosa.feature.melspectrogram(y=signal, sr=RATE, **frames),
        librosa.feature.zero_crossing_rate(signal, frame_length=n_fft, hop_length=hop),
        librosa.feature.rms(y=signal, frame_length=n_fft, hop_length=hop),
    ]


def ours(signal: np.ndarray, n_fft: int, hop: int) -> list[np.ndarray]:
    """The same from one analysis."""
    analysis = Analysis(signal, RATE, n_fft=n_fft, hop=hop)
    return [
        analysis.mfcc(40),
        analysis.chroma(),
        analysis.contrast(),
        analysis.mel(),
        analysis.zero_crossing_rate(),
        analysis.rms(),
    ]


def milliseconds(work: Callable, items: list) -> float:
    """Milliseconds per item, the best of several rounds (the machine may be busy)."""
    for item in items[:3]:
        work(item)
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for item in items:
            work(item)
        rounds.append((time.process_time() - start) / len(items) * 1e3)
    return min(rounds)


def find_files(scratch: Path) -> tuple[list[Path], str]:
    """Real files, or generated ones of the same length in `scratch`."""
    root = os.environ.get("SERBENCH_DATA")
    folder = Path(root) / "ravdess_speech" if root else None
    if folder and (found := list(islice(sorted(folder.rglob("*.flac")) + sorted(folder.rglob("*.wav")), FILES))):
        return found, "RAVDESS files"
    rng = np.random.default_rng(0)
    paths = [scratch / f"{i}.wav" for i in range(FILES)]
    for path in paths:
        soundfile.write(path, 0.1 * rng.standard_normal(int(SECONDS * RATE)), RATE)
    return paths, "generated WAV files"


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        paths, source = find_files(Path(scratch))
        signals = [decode(path, RATE) for path in paths]
        seconds = np.mean([len(signal) for signal in signals]) / RATE
        decoding = milliseconds(lambda path: decode(path, RATE), paths)
        print(f"{len(paths)} {source}, {seconds:.2f} s on average at 16 kHz, one thread, ms per file")
        print(f"{'decoding alone':44s}{decoding:8.2f}")
        for n_fft, hop, label in ((2048, 512, "librosa's default frames"), (1024, 256, "our frames")):
            theirs = milliseconds(lambda s, n=n_fft, h=hop: naive(s, n, h), signals)
            own = milliseconds(lambda s, n=n_fft, h=hop: ours(s, n, h), signals)
            print(f"{f'{label}: {n_fft} every {hop}':44s}{'librosa':>10s}{'serbench':>10s}{'ratio':>8s}")
            print(f"{'  six features':44s}{theirs:10.2f}{own:10.2f}{theirs / own:7.1f}x")
            both = theirs + decoding, own + decoding
            print(f"{'  with decoding':44s}{both[0]:10.2f}{both[1]:10.2f}{both[0] / both[1]:7.1f}x")
        costs = {}
        for spec in (HANDCRAFTED, HANDCRAFTED_SEQUENCE, VOICE, VOICE_SEQUENCE):
            costs[spec.name] = milliseconds(lambda s, spec=spec: Utterance(s, RATE).describe(spec, {}), signals)
            print(f"{f'the set {spec.name}, without decoding':44s}{costs[spec.name]:20.2f}")
        if importlib.util.find_spec("opensmile"):
            theirs = milliseconds(lambda s: Utterance(s, RATE).describe(EGEMAPS, {}), signals)
            print(f"{'eGeMAPS by openSMILE, voice, their ratio':44s}", end="")
            print(f"{theirs:10.2f}{costs['voice']:10.2f}{theirs / costs['voice']:7.1f}x")
        else:
            print("eGeMAPS: not compared, openSMILE is not installed")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
