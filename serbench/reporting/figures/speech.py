"""How emotions look: waveform and log-mel spectrogram of one utterance of each, or of a chosen one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serbench.errors import UnknownName
from serbench.reporting.figures.canvas import BLUE, new_figure
from serbench.reporting.figures.kind import CorpusView, FigureKind

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RATE, WINDOW, HOP, BANDS, FLOOR = 16_000, 400, 160, 64, -80.0
COLUMNS = 4


def utterances_to_show(table: pd.DataFrame, labels: tuple[str, ...], chosen: str | None = None) -> pd.DataFrame:
    """One utterance of each label, of the same speaker and sentence as far as the corpus has it; or the chosen one.

    Raises
    ------
    UnknownName
        If no utterance's id contains `chosen`.
    """
    if chosen:
        found = table[table["id"].str.contains(chosen, regex=False)]
        if found.empty:
            raise UnknownName.among("utterance", chosen, list(table["utterance"]), where="--utterance", most=5)
        return found.head(1)
    speaker = table.groupby("speaker")["label"].nunique().idxmax()
    own = table[table["speaker"] == speaker]
    text = own.groupby("text")["label"].nunique().idxmax()
    # The same speaker and sentence come first in each label: only the emotion differs from panel to panel.
    order = table.assign(_other=2 * (table["speaker"] != speaker) + (table["text"] != text)).sort_values(
        ["_other", "id"]
    )
    firsts = order.drop_duplicates("label").set_index("label")
    return firsts.loc[[label for label in labels if label in firsts.index]].reset_index()


def log_mel(signal: np.ndarray) -> np.ndarray:
    """Log-mel spectrogram in dB below its loudest point, shape (bands, frames); 25 ms windows every 10 ms."""
    import librosa

    power = librosa.feature.melspectrogram(
        y=signal, sr=RATE, n_fft=512, win_length=WINDOW, hop_length=HOP, n_mels=BANDS, fmax=RATE / 2
    )
    return librosa.power_to_db(power, ref=np.max, top_db=-FLOOR)


def draw(view: CorpusView) -> Figure:
    """Draw the waveform above the spectrogram of each utterance, all on the same axes."""
    from serbench.corpora.audio import decode

    chosen = utterances_to_show(view.table, view.labels, view.choices.get("utterance"))
    signals = [decode(path, RATE) for path in chosen["path"]]
    columns = min(COLUMNS, len(chosen))
    blocks = -(-len(chosen) // columns)
    figure = new_figure(2.5 * blocks + 0.6, width=max(4.5, 1.8 * columns))
    figure.suptitle(_title(view.name, chosen), fontsize=9, fontweight="bold", x=0.01, ha="left")
    grid = figure.add_gridspec(2 * blocks, columns, height_ratios=[1, 2] * blocks)
    longest, loudest = max(map(len, signals)) / RATE, max(float(np.abs(signal).max()) for signal in signals)
    spectrograms = []
    for number, (signal, label) in enumerate(zip(signals, chosen["label"], strict=True)):
        block, column = divmod(number, columns)
        wave = figure.add_subplot(grid[2 * block, column])
        image = figure.add_subplot(grid[2 * block + 1, column])
        _wave(wave, signal, label, loudest)
        spectrograms.append(_spectrogram(image, log_mel(signal)))
        for axes in (wave, image):
            axes.set_xlim(0, longest)
            if column:
                axes.tick_params(labelleft=False)
        if not column:
            wave.set_ylabel("amplitude")
            image.set_ylabel("frequency (kHz)")
        image.set_xlabel("time (s)")
    figure.colorbar(
        spectrograms[0],
        ax=figure.axes,
        label="level (dB relative to the utterance's loudest point)",
        shrink=0.6,
        pad=0.01,
    )
    return figure


def _title(name: str, chosen: pd.DataFrame) -> str:
    speakers = set(chosen["speaker"])
    synthetic = " (synthetic speech)" if name == "synthetic" else ""
    if len(chosen) == 1:
        return f"{name}{synthetic}: {chosen['utterance'].iloc[0]}"
    same = " and sentence" if chosen["text"].nunique() == 1 and chosen["text"].iloc[0] else ""
    who = f"the same speaker{same} ({speakers.pop() or 'unknown'})" if len(speakers) == 1 else "one utterance of each"
    return f"{name}{synthetic}: {who}, emotion by emotion"


def _wave(axes: Axes, signal: np.ndarray, label: str, loudest: float) -> None:
    axes.plot(np.arange(len(signal)) / RATE, signal, color=BLUE, lw=0.35, rasterized=True)
    axes.set_ylim(-1.05 * loudest, 1.05 * loudest)
    axes.set_title(label)
    axes.tick_params(labelbottom=False)


def _spectrogram(axes: Axes, levels: np.ndarray):
    seconds = levels.shape[1] * HOP / RATE
    image = axes.imshow(
        levels, origin="lower", aspect="auto", cmap="magma", vmin=FLOOR, vmax=0, extent=(0, seconds, 0, levels.shape[0])
    )
    axes.set_yticks(*_frequency_ticks(levels.shape[0]))
    axes.grid(False)
    return image


def _frequency_ticks(bands: int) -> tuple[list[float], list[str]]:
    import librosa

    centres = librosa.mel_frequencies(n_mels=bands, fmax=RATE / 2)
    wanted = [0.5, 1, 2, 4, 8]
    return [float(np.interp(1000 * value, centres, np.arange(bands) + 0.5)) for value in wanted], [
        f"{v:g}" for v in wanted
    ]


SPEECH = FigureKind("speech", "corpus", draw, "Waveform and log-mel spectrogram of an utterance of each emotion.")
