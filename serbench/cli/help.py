"""`serbench help`: the help of a verb, or the glossary."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import serbench
from serbench.errors import UnknownName

GLOSSARY = "glossary"


def show_help(
    context: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[VERB...]", help="A verb, such as `splits export`; or glossary.")
    ] = None,
) -> None:
    """Explain a verb (as VERB -h does), or the words that serbench uses (glossary)."""
    if words == [GLOSSARY]:
        print(_glossary().read_text(encoding="utf-8").rstrip("\n"))
        return
    context = context.find_root()
    for word in words or []:
        verbs = getattr(context.command, "commands", {})
        if word not in verbs:
            topics = () if context.parent else (GLOSSARY,)
            raise UnknownName.among("verb", word, [*verbs, *topics], where="serbench help")
        context = type(context)(verbs[word], info_name=word, parent=context)
    print(context.command.get_help(context))


def _glossary() -> Path:
    package = Path(serbench.__file__).parent
    beside = package.parent / "docs" / "reference" / "glossary.md"
    return beside if beside.is_file() else package / "docs" / "glossary.md"
