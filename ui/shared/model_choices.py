"""Which models there are, and which of them are on this machine. Imports no Gradio."""

from __future__ import annotations

from collections.abc import Sequence

import colorize_core
from colorize_core.cards import ModelCard
from colorize_core.downloads import checkpoints
from colorize_core.errors import WeightsError
from colorize_core.sizes import format_size


def every() -> tuple[ModelCard, ...]:
    """Those that ship with the repository, then those that are downloaded."""
    return colorize_core.cards(downloads=True)


def is_here(card: ModelCard) -> bool:
    return not checkpoints.list_missing(card.weights)


def here(cards: Sequence[ModelCard]) -> list[ModelCard]:
    """Those that can be used without a download."""
    return [card for card in cards if is_here(card)]


def choices(cards: Sequence[ModelCard]) -> list[tuple[str, str]]:
    """Title, with its mark, and name of those, as pickers take them."""
    return [(" · ".join(filter(None, (card.title, card.mark))), card.name) for card in here(cards)]


def check(name: str) -> None:
    """Raises WeightsError for a model that has to be downloaded first: that is asked for."""
    card = next((each for each in every() if each.name == name), None)
    if card and not is_here(card):
        raise WeightsError(
            f"{card.title} is not on this machine yet. Download it ({extent(card)}) in the tab "
            f"Models, or with `python -m colorize_core weights fetch {name}`."
        )


def extent(card: ModelCard) -> str:
    """How much is downloaded, in words."""
    return format_size(card.download) if card.download else "its size is not known"
