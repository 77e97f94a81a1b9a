"""Files a second of a trained model: decoding, features, classifier and warnings, on one core.

    python benchmarks/speed/predict.py MODEL [--files 200] [--seconds 3.7]

Prints files a second of processor time and of wall time, after loading, over noise bursts at 16 kHz.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=3.7)
    given = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    from serbench.runner.cell.environment import thread_variables

    os.environ.update(thread_variables(1))
    import numpy as np
    import soundfile

    from serbench.inference.answers import Respondent, ask_all
    from serbench.inference.model import load_model
    from serbench.inference.recordings import read_clips

    respondent = Respondent(load_model(given.model))
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number in range(given.files):
            generator = np.random.default_rng(number)
            swell = np.abs(np.sin(np.linspace(0, 12, int(given.seconds * 16_000))))
            paths.append(str(Path(folder) / f"{number}.wav"))
            soundfile.write(paths[-1], 0.1 * swell * generator.standard_normal(len(swell)), 16_000)
        list(ask_all(respondent, read_clips(paths[:5])))
        wall, processor = time.perf_counter(), time.process_time()
        answers = [answer for _, answer in ask_all(respondent, read_clips(paths))]
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
    assert all(answer.probabilities for answer in answers)
    print(f"{len(paths)} files of {given.seconds} s: {len(paths) / processor:.0f} a second of processor time, ", end="")
    print(f"{len(paths) / wall:.0f} a second of wall time (one core)")


if __name__ == "__main__":
    main()
