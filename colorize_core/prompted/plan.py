"""Which conditions are compared in one run, what they are called and what they need. Torch-free."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from colorize_core.downloads.catalogue import DOWNLOADS, Download
from colorize_core.errors import OptionError
from colorize_core.prompted import sources
from colorize_core.prompted.models import MODELS
from colorize_core.prompted.settings import FIRST, PromptSettings

TITLES = {"canny": "Canny edges", "brightness": "Brightness", "softedge": "Soft edges"}
FIRST_TITLES = {
    name: DOWNLOADS[name].title if name in DOWNLOADS else "the built-in model" for name in FIRST
}


def list_combinations(
    settings: PromptSettings, conditions: Iterable[str], starts: Iterable[bool]
) -> tuple[PromptSettings, ...]:
    """Every condition with every start, one variant each, by condition: its ControlNet is loaded
    once. A model that takes no condition has the starts alone. Raises OptionError for none."""
    kinds = conditions if MODELS[settings.model].conditions else (settings.condition,)
    firsts = tuple(starts)
    cells = dict.fromkeys(
        replace(settings, condition=kind, start=first, variants=1)
        for kind in kinds
        for first in firsts
    )
    if not cells:
        raise OptionError("Nothing is compared. Choose a condition, and noise or colours to start.")
    return tuple(cells)


def make_label(settings: PromptSettings) -> str:
    """What a cell is called: "Canny edges, from the built-in model's colours"."""
    card = MODELS[settings.model]
    title = TITLES[settings.condition] if card.conditions else card.title
    first = FIRST_TITLES[settings.first]
    return f"{title}, from {first}'s colours" if settings.start else title


def list_needed(cells: Iterable[PromptSettings]) -> tuple[Download, ...]:
    """What has to be here for all of them."""
    return tuple(dict.fromkeys(source for cell in cells for source in sources.list_needed(cell)))


def can_draw() -> bool:
    """Whether one of the models is on this machine with all that its first settings need."""
    return any(
        not sources.list_missing(sources.list_needed(PromptSettings(**card.defaults)))
        for card in MODELS.values()
    )
