"""The pictures of a model that draws its colours, while it draws."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from colorize_core.cards import SEED, Control, ModelCard
from colorize_core.options import Options
from ui.shared import thumbnails
from ui.shared.handlers import Updates
from ui.shared.service import Colorization, Draft

LIVELY = 0.3  # seconds between two looks at what is being drawn


def control(card: ModelCard, name: str) -> Control | None:
    """The card's control of that name, if it has one."""
    return next((each for each in card.controls if each.name == name), None)


def seeds_from(seed: int, count: int) -> tuple[int, ...]:
    """So many seeds from that one on, again from the lowest where there is none higher."""
    return tuple((seed + i) % (int(SEED.high) + 1) for i in range(count))


class Samples:
    """A row a seed and a column a stage; where there are no stages, the seeds side by side. For a
    model with a noise schedule also how the first seed's colours came out of the noise."""

    def __init__(
        self, card: ModelCard, options: Options, seeds: Sequence[int], blank: thumbnails.Picture
    ):
        last = dict(options.controls).get("stage")
        stage = control(card, "stage")
        stages = stage.choices if stage else ()
        self.stages = stages[: stages.index(str(last)) + 1] if stages else ("",)
        self.title = card.title
        self.seeds = seeds
        self.strips = control(card, "schedule") is not None
        self.process: list[dict[str, Any]] = []
        self.results: list[Colorization | None] = [None] * (len(seeds) * len(self.stages))
        self.cells = [thumbnails.sketch(blank, *self._words(i)) for i in range(len(self.results))]
        self._sketch: Callable[[Colorization], Any] = lambda _: blank
        self.share, self.seconds = 0.0, 0.0
        self._stage, self._looked, self._begun = "", 0.0, time.monotonic()

    @property
    def columns(self) -> int:
        return len(self.stages) if len(self.stages) > 1 else len(self.seeds)

    def take(self, draft: Draft) -> bool:
        """One step further; whether there is something new to be seen."""
        column = self.stages.index(draft.stage) if draft.stage in self.stages else 0
        places = range(column, len(self.results), len(self.stages))
        for place, result in zip(places, draft.results, strict=True):
            self.results[place] = result
        self._sketch, self.share = draft.sketch, draft.share
        tenth = self.strips and len(self.process) < int(draft.share * thumbnails.STRIP + 1e-6)
        if tenth:
            alt = f"{self.title}, seed {self.seeds[0]}: the colours at {draft.stage}"
            picture = draft.sketch(draft.results[0])
            self.process.append(thumbnails.sketch(picture, draft.stage, alt))
        due = time.monotonic() - self._looked > LIVELY or self.stages[column] != self._stage
        if due:
            self._stage, self._looked = self.stages[column], time.monotonic()
            self._look(places)
        return tenth or due

    def finish(self) -> list[Colorization]:
        """The results, in the order of the pictures, all of which are now up to date."""
        self._look(range(len(self.results)))
        self.seconds = time.monotonic() - self._begun
        return [result for result in self.results if result is not None]

    def _look(self, places: Sequence[int]) -> None:
        for place in places:
            result = self.results[place]
            if result is not None:
                self.cells[place] = thumbnails.sketch(self._sketch(result), *self._words(place))

    def _words(self, place: int) -> tuple[str, str]:
        """Caption and text in place of the picture."""
        row, column = divmod(place, len(self.stages))
        caption = f"Seed {self.seeds[row]}"
        if len(self.stages) > 1:
            caption += f", {self.stages[column]}"
        return caption, f"{self.title}, {caption.lower()}"

    def describe(self, place: int) -> str:
        """What is known of one picture, beside what every result's line says."""
        count = len(self.seeds)
        drawn = f"{count} seeds" if count > 1 else "one seed"
        return f"{self._words(place)[0].lower()} · {drawn} drawn in {self.seconds:.1f} s"

    def show(self, picked: int | None = None) -> Updates:
        """How far it is, the pictures, and the way out of the noise. `picked`: which picture is;
        None while they are drawn."""
        busy = f"<p>Drawing the colours</p><progress value={self.share:.3f}></progress>"
        title = f"Out of noise, seed {self.seeds[0]}"
        made = [thumbnails.group(self.process, thumbnails.STRIP, title)] if self.process else []
        return {
            "busy": busy if picked is None else "",
            "grid": thumbnails.groups(thumbnails.group(self.cells, self.columns), picked=picked),
            "strip": thumbnails.groups(*made),
        }
