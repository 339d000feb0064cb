"""What is known on one photo of a visit, looked for on the others."""

from __future__ import annotations

import numpy as np

from colorize_core.steering.album import DescribedPhoto, PlacedHint, place
from colorize_core.steering.hints import Hint
from ui.colorize.session import ColorizeSession
from ui.shared.service import Service


def put(client: str, session: ColorizeSession, service: Service) -> None:
    """Have what is known on the photo of that session in the album of that person."""
    facts = tuple(hint for hint in session.hints if hint.known)
    service.albums.put(client, session.key, _describe(session, service, facts) if facts else None)


def find(client: str, session: ColorizeSession, service: Service) -> tuple[PlacedHint, ...]:
    """What is known on that person's other photos and seems to be on this one, too."""
    others = service.albums.list_photos(client, but=session.key)
    photo = _describe(session, service) if others else None
    return () if photo is None else place(photo, others)


def _describe(
    session: ColorizeSession, service: Service, facts: tuple[Hint, ...] = ()
) -> DescribedPhoto | None:
    """None where the model tells nothing of what it sees."""
    found = service.runner.describe(session.result.prediction, session.result.options)
    if found is None:
        return None
    features, cells = found
    return DescribedPhoto(session.photo.path.name, features.astype(np.float16), cells, facts)
