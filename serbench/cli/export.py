"""`serbench export`: a trained model in a form that others can run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serbench.cli import options
from serbench.errors import UsageError

NEEDED = ("onnx", "onnxruntime", "skl2onnx", "onnxmltools", "tf2onnx")


def export(
    model: Annotated[Path, typer.Argument(help="Folder that `serbench train` made.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write; must be new.")],
    onnx: Annotated[bool, typer.Option("--onnx", help="As ONNX, from features on (the only form so far).")] = False,
    plugin: options.Plugin = None,
) -> None:
    """Write a trained model as ONNX with an example; refused unless it answers as the model does."""
    from importlib.util import find_spec

    if not onnx:
        raise UsageError("no form to export to", where="serbench export", hint="say --onnx")
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise UsageError(
            f"exporting needs {', '.join(missing)}", where="serbench export", hint='pip install "serbench[onnx]"'
        )
    from serbench.inference.model import load_model
    from serbench.inference.onnx_export import export_onnx

    loaded = load_model(model, plugins=tuple(plugin or ()))
    difference = export_onnx(loaded, model, output)
    print(f"{output}: probabilities agree to {difference:.1g} on the stored utterances; python {output}/example.py")
