"""One person's blind test: the photos, and the pairs that are made of them one ahead."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from colorize_core.cards import SEED, ModelCard
from colorize_core.errors import OptionError
from colorize_core.metrics import protocol
from colorize_core.models.runner import Task
from colorize_core.options import Options
from ui.blind import pair
from ui.blind.trials import ORIGINAL, PREFER, REAL, WRONG, Plan, Planner, Trial
from ui.shared import thumbnails
from ui.shared.photo import OpenPhoto, shrink
from ui.shared.service import Service

THUMB = 128  # pixels, the height of a photo in the album


@dataclass(frozen=True)
class Item:
    """A photo that was given."""

    photo: OpenPhoto
    key: str  # of its content
    coloured: bool  # it has colours of its own
    thumb: str  # the address of a small copy without colours, which would give the answer away

    @classmethod
    def open(cls, photo: OpenPhoto) -> Item:
        """Raises PictureError."""
        gray = protocol.to_gray(pair.reduce(photo))
        width, height = photo.size
        thumb = shrink(gray, THUMB, max(1, round(width * THUMB / height)))
        key = hashlib.sha256(photo.path.read_bytes()).hexdigest()[:16]
        return cls(photo, key, photo.coloured, thumbnails.as_address(thumb))


@dataclass(frozen=True, eq=False)
class Round:
    """A round's two pictures."""

    plan: Plan
    item: Item
    pictures: tuple[pair.Picture, pair.Picture]


@dataclass(eq=False)
class BlindSession:
    """Another start gets another session. Never on the page: it knows the answers."""

    question: str  # REAL or PREFER
    items: Sequence[Item]
    cards: dict[str, ModelCard]  # of the models that take part
    planner: Planner
    shown: Round | None = None
    asked: dict[str, Any] = field(default_factory=dict)  # what the page shows of it
    answered: bool = True
    rounds: int = 0
    trials: list[Trial] = field(default_factory=list)  # what was answered of REAL
    _ahead: Round | None = None
    _making: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def begin(
        cls,
        question: str,
        album: Sequence[Item],
        cards: Sequence[ModelCard],
        rng: random.Random,
    ) -> BlindSession:
        """Raises OptionError where there is too little to choose from."""
        items = [item for item in album if item.coloured or question == PREFER]
        least = 2 if question == PREFER else 1
        if len(cards) < least:
            words = "two models" if least == 2 else "one model"
            raise OptionError(f"Choose at least {words} above: nothing can be asked with fewer.")
        if not album:
            raise OptionError("There is no photo yet. Add some, or take the examples.")
        if not items:
            raise OptionError(
                "None of these photos is in colour, so there is no original to tell from a "
                "colorization. Add colour photographs, or ask which you prefer: that can be "
                "asked of black-and-white ones."
            )
        names = [card.name for card in cards]
        planner = Planner(question, len(items), names, rng)
        return cls(question, items, {card.name: card for card in cards}, planner)

    @property
    def finished(self) -> bool:
        """Whether every photo was shown: an original that was seen in colour is found again."""
        return self.question == REAL and self.rounds >= len(self.items)

    def show_next(self, service: Service, task: Task) -> None:
        """Show another pair, made now unless it is ready."""
        self.prepare(service, task)
        self.shown, self._ahead = self._ahead, None
        assert self.shown is not None
        self.rounds += 1
        self.answered = False
        self.asked = pair.ask(self.rounds, self.shown.pictures, self.question == PREFER)

    def prepare(self, service: Service, task: Task) -> None:
        """Have the next pair ready. Raises what Runner.colorize() raises, and PictureError."""
        with task.hold(self._making, "Preparing the next pair"):
            if self._ahead is None and not self.finished:
                self._ahead = self._make(service, task)

    def _make(self, service: Service, task: Task) -> Round:
        plan = self.planner.plan()
        item = self.items[plan.photo]
        task.step(0.0, "Reading the photo")
        item.photo.read(task)
        photo = pair.reduce(item.photo)
        first, second = (self._make_picture(name, photo, plan, service, task) for name in plan.pair)
        return Round(plan, item, (first, second))

    def _make_picture(
        self, name: str, photo: pair.Picture, plan: Plan, service: Service, task: Task
    ) -> pair.Picture:
        if name == ORIGINAL:
            return pair.keep_colours(photo)
        if name == WRONG:
            return pair.turn_hues(photo)
        options = Options(name)
        if self.cards[name].sampled:
            options = options.with_controls(**{SEED.name: plan.seed})
        if self.question == PREFER:
            return service.runner.colorize(photo, options, task)[0]
        picture, _ = service.runner.colorize(protocol.to_gray(photo), options, task)
        return protocol.recombine(picture, photo)
