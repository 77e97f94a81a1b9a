"""How MLflow loads a trained model: audio in (bytes of a file, or a path), label and probabilities out."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from serbench.errors import ModelError, SerbenchError
from serbench.inference.answers import LONGEST, Respondent, ask_all
from serbench.inference.clips import Clip, read_clip
from serbench.inference.model import load_model

AUDIO, PATH, LABEL = "audio", "path", "label"


class Speech:
    """A trained model behind MLflow's `predict`."""

    def __init__(self, respondent: Respondent):
        self.respondent = respondent

    def predict(self, model_input: pd.DataFrame, params=None) -> pd.DataFrame:
        """Return a row per recording: `label`, and a column of probabilities per label.

        Parameters
        ----------
        model_input : DataFrame
            Column `audio` with the bytes of files (in JSON base64), or `path`.
        params : mapping, optional
            Not used; part of MLflow's contract.

        Raises
        ------
        ModelError
            For other columns.
        AudioError, FeatureError
            If a recording cannot be answered; it is named.
        """
        rows = []
        for _, answer in ask_all(self.respondent, _clips(model_input)):
            if isinstance(answer, SerbenchError):
                raise answer
            rows.append({LABEL: answer.label, **answer.probabilities})
        return pd.DataFrame(rows, columns=[LABEL, *self.respondent.labels])


def _clips(table: pd.DataFrame) -> Iterator[Clip]:
    if not isinstance(table, pd.DataFrame) or not {AUDIO, PATH} & set(table.columns):
        raise ModelError("no audio given", hint=f"a table with a column `{AUDIO}` (bytes of files) or `{PATH}`")
    columns = [table[name] if name in table else [None] * len(table) for name in (AUDIO, PATH)]
    for number, (content, path) in enumerate(zip(*columns, strict=True)):
        if isinstance(content, (bytes, bytearray)):
            yield read_clip(bytes(content), f"row {number}", longest=LONGEST)
        else:
            yield read_clip(str(path), longest=LONGEST)


def _load_pyfunc(path: str) -> Speech:
    return Speech(Respondent(load_model(path)))
