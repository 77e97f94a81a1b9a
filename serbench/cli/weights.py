"""`serbench weights`: which pre-trained encoders are here, their cards, and getting those that are absent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from serbench.cli import options
from serbench.cli.verbs import Verbs
from serbench.errors import FeatureError, UnknownName

if TYPE_CHECKING:
    from serbench.features.encoders.cards import EncoderCard
    from serbench.features.encoders.place import Place

app = typer.Typer(
    cls=Verbs, help="List pre-trained encoders, show the card of one, or get its weights.", invoke_without_command=True
)
Model = Annotated[str, typer.Argument(help="A name on the hub, or a short one.")]


@app.callback()
def weights(context: typer.Context, weights: options.Weights = None, cache: options.Cache = None) -> None:
    """List the encoders: those that are here, usable or not and why, and those that are known."""
    if not context.invoked_subcommand:
        _list(_place(weights, cache))


@app.command("show")
def show_card(model: Model, weights: options.Weights = None, cache: options.Cache = None) -> None:
    """Print the card of an encoder: licence, training data, sizes, and where its weights are or have to be."""
    from serbench.features.encoders.cards import CARDS, find_card

    card = find_card(model)
    if card is None:
        raise UnknownName.among("encoder", model, [card.short for card in CARDS], where="serbench weights show")
    for name, text in _card(card).items():
        print(f"{name:<20} {text}")
    print(f"{'weights':<20} {_state(card.model, _place(weights, cache))}")


@app.command("get")
def get(
    model: Model,
    revision: Annotated[str | None, typer.Option("--revision", help="Commit on the hub [the card's].")] = None,
    weights: options.Weights = None,
    cache: options.Cache = None,
) -> None:
    """Download an encoder from the hub at a commit: safetensors, configuration and preprocessor, nothing else."""
    from serbench.features.encoders.hub import download

    place = _place(weights, cache)
    found = download(model, place.weights, revision, place.cache)
    print(f"{found.model}: {found.bytes / 1e6:.0f} MB in {found.folder}")


def _place(weights, cache) -> Place:
    from serbench.features.encoders.place import Place

    return Place.of(options.circumstances(weights=weights, cache=cache))


def _list(place: Place) -> None:
    from serbench.cli.console import show
    from serbench.features.encoders.cards import CARDS, UNSUPPORTED
    from serbench.features.encoders.weights import folders_below
    from serbench.reporting.text_tables import to_terminal

    print(f"weights in {place.weights} (--weights, SERBENCH_WEIGHTS):")
    here = [(name, _checked(name, folder, place)) for name, folder in folders_below(place.weights)]
    for name, state in here:
        print(f"  {name}: {state}")
    if not here:
        print("  none")
    columns = ("short name", "on the hub", "licence", "M", "pre-trained", "layers", "values", "languages")
    rows = [
        (
            card.short,
            card.model,
            card.licence,
            card.parameters,
            card.pretrained,
            card.layers,
            card.hidden,
            card.languages,
        )
        for card in CARDS
    ]
    print("\nknown encoders (`serbench weights show NAME` has the whole card):")
    show(to_terminal(columns, rows, words=("short name", "on the hub", "licence", "pre-trained", "languages")))
    for name, why in UNSUPPORTED.items():
        print(f"not supported: {name}: {why}")


def _checked(name: str, folder, place: Place) -> str:
    from serbench.features.encoders.place import refused
    from serbench.features.encoders.weights import check_folder

    try:
        found = check_folder(folder, name, place.cache)
    except FeatureError as error:
        return f"not usable: {refused(error)}"
    shape = f"{found.architecture}, {found.layers} layers of {found.hidden}, {found.bytes / 1e6:.1f} MB"
    return f"{shape}, identity {found.identity}" + (f", revision {found.revision}" if found.revision else "")


def _state(model: str, place: Place) -> str:
    from serbench.features.encoders.place import refused

    try:
        return str(place.find(model, None).folder)
    except FeatureError as error:
        return refused(error)


def _card(card: EncoderCard) -> dict[str, str]:
    from serbench.features.encoders.cards import COMPARED

    overlap = {corpus: card.overlap([corpus]) for corpus in sorted(COMPARED)}
    said = {answer: [corpus for corpus, found in overlap.items() if found == answer] for answer in ("yes", "unknown")}
    heard = "; ".join(f"{answer}: {', '.join(corpora)}" for answer, corpora in said.items() if corpora)
    return {
        "model": card.model,
        "short name": card.short,
        "architecture": card.architecture,
        "licence": card.licence,
        "parameters": f"{card.parameters} million",
        "training data": card.training,
        "languages": card.languages,
        "sampling rate": f"{card.rate} Hz",
        "hidden size": str(card.hidden),
        "layers": f"{card.layers} blocks: layer 0 (their input) to {card.layers}",
        "pre-trained on": card.pretrained,
        "pretraining overlap": heard or f"no, of {len(overlap)} corpora",
        "pinned revision": card.revision or "none",
    }
