"""Models, protocols and feature sets as tables print them, read back: ``svm(C=3)``, ``mfcc(n_mfcc=20)+handcrafted``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from serbench.specs import renamed_features

NORMALISED = " (speaker-normalised)"


def read_title(text: str) -> dict[str, Any]:
    """Name and parameters of one entry.

    Raises
    ------
    ValueError
        For parameters that cannot be read.

    Examples
    --------
    >>> read_title("svm(C=3, kernel=rbf, class_weight=None)")
    {'name': 'svm', 'params': {'C': 3, 'kernel': 'rbf', 'class_weight': None}}
    >>> read_title("ssl(model=microsoft/wavlm-base-plus)")
    {'name': 'ssl', 'params': {'model': 'microsoft/wavlm-base-plus'}}
    >>> read_title("svm")
    {'name': 'svm'}
    """
    name, bracket, rest = text.strip().partition("(")
    if not bracket:
        return {"name": name}
    form = f"write {name.strip()}(NAME=VALUE, NAME=VALUE)"
    source = f"_({rest}"
    try:
        call = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"the parameters of '{text}' cannot be read: {form}") from error
    if not isinstance(call, ast.Call) or call.args or not all(item.arg for item in call.keywords):
        raise ValueError(f"the parameters of '{text}' have no names: {form}")
    return {"name": name.strip(), "params": {item.arg: _value(item.value, source) for item in call.keywords}}


def read_features_title(text: str) -> dict[str, Any]:
    """Feature sets that are concatenated, and how they are normalised.

    Examples
    --------
    >>> read_features_title("mfcc(n_mfcc=20)+handcrafted (speaker-normalised)")
    {'sets': [{'name': 'mfcc', 'params': {'n_mfcc': 20}}, {'name': 'handcrafted'}], 'normalise': 'speaker'}
    """
    plain = text.removesuffix(NORMALISED)
    sets = [read_title(part) for part in _parts(plain)]
    read = {"sets": [{**item, "name": renamed_features(item["name"])} for item in sets]}
    return read if plain == text else {**read, "normalise": "speaker"}


def _parts(text: str) -> Iterator[str]:
    depth, start = 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "+" and not depth:
            yield text[start:place]
            start = place + 1
    yield text[start:]


def _value(node: ast.expr, source: str) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        # A word without quotes, as tables print it.
        return ast.get_source_segment(source, node)
