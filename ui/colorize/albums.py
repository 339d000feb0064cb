"""The album of each person who uses the app: the photos of a visit on which colours are known."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np

from colorize_core.models.runner import Runner
from colorize_core.steering.album import DescribedPhoto, PlacedHint, place
from colorize_core.steering.hints import Hint
from ui.colorize.session import ColorizeSession

MOST_BYTES = 64_000_000  # of all albums together, 80 photos; the least recently used ones go


class Albums:
    """Knows people by their client, and photos by the key of their session."""

    def __init__(self, most: int = MOST_BYTES):
        self._most = most
        self._photos: OrderedDict[tuple[str, str], DescribedPhoto] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, client: str, session: ColorizeSession, runner: Runner) -> None:
        """Have what is known on the photo of that session, in place of what was before."""
        facts = tuple(hint for hint in session.hints if hint.known)
        described = _describe(session, runner, facts) if facts else None
        with self._lock:
            self._photos.pop((client, session.key), None)
            if described is None:
                return
            self._photos[client, session.key] = described
            while len(self._photos) > 1 and self._count_bytes() > self._most:
                self._photos.popitem(last=False)

    def find(self, client: str, session: ColorizeSession, runner: Runner) -> tuple[PlacedHint, ...]:
        """What is known on that person's other photos and seems to be on this one, too."""
        with self._lock:
            keys = [key for key in self._photos if key[0] == client and key[1] != session.key]
            others = [self._photos[key] for key in keys]
        photo = _describe(session, runner) if others else None
        return () if photo is None else place(photo, others)

    def _count_bytes(self) -> int:
        return sum(photo.features.nbytes for photo in self._photos.values())


def _describe(
    session: ColorizeSession, runner: Runner, facts: tuple[Hint, ...] = ()
) -> DescribedPhoto | None:
    """None where the model tells nothing of what it sees."""
    found = runner.describe(session.result.prediction, session.result.options)
    if found is None:
        return None
    features, cells = found
    return DescribedPhoto(session.photo.path.name, features.astype(np.float16), cells, facts)
