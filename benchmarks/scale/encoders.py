"""What an encoder's extraction takes: processor seconds, disk, and the most memory of all its processes.

    python benchmarks/scale/encoders.py DATA [--corpus ravdess_speech] [--layers 4] [--hidden 64] [--jobs 2]

The weights are random, of the wav2vec 2.0 architecture and of any size (12 and 768 are those of a base model), saved as
real ones are. Memory is that of the program and its workers together, sampled ten times a second: what is shared
between processes counts in each.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

SUITE = """\
title: Extraction
corpora: [{corpus}]
grid:
  - features: [{{name: ssl, params: {{model: made, layer: {layer}}}}}]
    models: [lda]
    protocols: [{{name: speaker_kfold, params: {{k: 2}}}}]
"""


def save_encoder(folder: Path, layers: int, hidden: int) -> None:
    import torch
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

    torch.manual_seed(0)
    sizes = {"hidden_size": hidden, "num_hidden_layers": layers, "intermediate_size": 4 * hidden}
    small = {} if hidden >= 768 else {"conv_dim": (32,) * 7, "num_attention_heads": 4}
    Wav2Vec2Model(Wav2Vec2Config(**sizes, **small)).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True).save_pretrained(folder)


def watched(command: list[str]) -> tuple[float, int]:
    """Run a command: processor seconds, and peak bytes of it and its children together."""
    before, peak = resource.getrusage(resource.RUSAGE_CHILDREN), 0
    process = psutil.Popen(command)
    while process.poll() is None:
        total = 0
        for each in [process, *process.children(recursive=True)]:
            try:
                total += each.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        peak = max(peak, total)
        time.sleep(0.1)
    if process.returncode:
        raise SystemExit(process.returncode)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--corpus", default="ravdess_speech")
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        made = repr(str(place / "weights" / "made"))
        # In a process of its own: what is measured must not have torch in it from the start.
        code = (
            f"import pathlib, runpy; save = runpy.run_path({__file__!r})['save_encoder']; "
            f"save(pathlib.Path({made}), {given.layers}, {given.hidden})"
        )
        subprocess.run([sys.executable, "-c", code], check=True)
        suite = place / "extraction.yaml"
        suite.write_text(SUITE.format(corpus=given.corpus, layer=given.layers // 2))
        command = [
            sys.executable,
            "-m",
            "serbench",
            "features",
            str(suite),
            "--jobs",
            str(given.jobs),
            "--device",
            "cpu",
        ]
        command += ["--data", str(given.data), "--weights", str(place / "weights"), "--cache", str(place / "cache")]
        for what in ("first", "again, another layer"):
            seconds, peak = watched([*command, "--results", str(place / "results")])
            size = sum(file.stat().st_size for file in (place / "cache" / "features").rglob("*.shard"))
            cost = (
                f"{seconds:.0f} processor seconds, at most {peak / 1e6:.0f} MB in memory, {size / 1e6:.0f} MB on disk"
            )
            print(f"{what}: {cost}", flush=True)
            suite.write_text(SUITE.format(corpus=given.corpus, layer=given.layers))


if __name__ == "__main__":
    main()
