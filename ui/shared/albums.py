"""The album of each person who uses the app: the photos of a visit on which colours are known."""

from __future__ import annotations

import threading
from collections import OrderedDict

from colorize_core.steering.album import DescribedPhoto

MOST_BYTES = 64_000_000  # of all albums together, 80 photos; the least recently used ones go


class Albums:
    """Knows people by their client, and photos by a key that nobody else has."""

    def __init__(self, most: int = MOST_BYTES):
        self._most = most
        self._photos: OrderedDict[tuple[str, str], DescribedPhoto] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, client: str, key: str, photo: DescribedPhoto | None) -> None:
        """Have what is known on that photo, in place of what was before; None: nothing is."""
        with self._lock:
            self._photos.pop((client, key), None)
            if photo is None:
                return
            self._photos[client, key] = photo
            while len(self._photos) > 1 and self._count_bytes() > self._most:
                self._photos.popitem(last=False)

    def list_photos(self, client: str, but: str = "") -> tuple[DescribedPhoto, ...]:
        """Those of that person, but the one of that key."""
        with self._lock:
            known = self._photos.items()
            return tuple(photo for key, photo in known if key[0] == client and key[1] != but)

    def _count_bytes(self) -> int:
        return sum(photo.features.nbytes for photo in self._photos.values())
