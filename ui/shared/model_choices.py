"""Which models there are, which of them are on this machine, and which one is suggested. Imports no
Gradio."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import colorize_core
from colorize_core.cards import ModelCard
from colorize_core.downloads import checkpoints
from colorize_core.errors import WeightsError
from colorize_core.options import DEFAULT_MODEL
from colorize_core.sizes import format_size

# The first of these that is here is suggested. What is downloaded was not scored here, so the order
# is that of the publications which the cards name. HAVC's author measured the mean as nearer to the
# true colours than either of its two; DDColor's authors report better scores than DeOldify's and
# ECCV16's (ICCV 2023), and advise this one of their large models for photographs; tiny is the same
# with a smaller trunk. The default always is here.
SUGGESTED = ("ddcolor-deoldify", "ddcolor-modelscope", "ddcolor-tiny", DEFAULT_MODEL)


def every() -> tuple[ModelCard, ...]:
    """Those that ship with the repository, then those that are downloaded."""
    return colorize_core.cards(downloads=True)


def is_here(card: ModelCard) -> bool:
    return not checkpoints.list_missing(card.weights)


def here(cards: Sequence[ModelCard]) -> list[ModelCard]:
    """Those that can be used without a download."""
    return [card for card in cards if is_here(card)]


def suggest() -> str:
    """The name of the model that a page begins with."""
    names = {card.name for card in every() if card.name in SUGGESTED and is_here(card)}
    return next((name for name in SUGGESTED if name in names), DEFAULT_MODEL)


def pick_here(name: str, other: str) -> str:
    """The model of that name, or the other one while it is still to be downloaded."""
    return other if any(each.name == name and not is_here(each) for each in every()) else name


def choices(cards: Sequence[ModelCard], downloads: bool = False) -> list[tuple[str, str]]:
    """Title, with its mark, and name of those that are here, as pickers take them; with `downloads`
    also of the others, with their size."""
    return [(_label(card), card.name) for card in (cards if downloads else here(cards))]


def _label(card: ModelCard) -> str:
    absence = ""
    if not is_here(card):
        offline = checkpoints.are_out_of_reach(card.weights)
        absence = "not to be had offline" if offline else f"{extent(card)} to download"
    return " · ".join(filter(None, (card.title, absence, card.mark)))


def lister(cards: Sequence[ModelCard], public: object) -> Callable[[], list[tuple[str, str]]]:
    """What lists of models offer now: those that can be had, which in public are those that are
    here."""
    return lambda: choices(cards, not public)


def check(name: str) -> None:
    """Raises WeightsError for a model that has to be downloaded first: that is asked for."""
    card = next((each for each in every() if each.name == name), None)
    if card and not is_here(card):
        raise WeightsError(
            f"{card.title} is not on this machine yet. Download it ({extent(card)}) in the tab "
            f"Models, or with `python -m colorize_core weights fetch {name}`."
        )


def extent(*cards: ModelCard) -> str:
    """How much is downloaded, in words: what is missing, or all of it where nothing is."""
    files = dict.fromkeys(file for card in cards for file in card.weights)
    size = sum(file.bytes for file in checkpoints.list_missing(files) or files)
    return format_size(size) if size else "its size is not known"
