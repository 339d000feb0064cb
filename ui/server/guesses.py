"""How often an address may try a password."""

from __future__ import annotations

import asyncio
from collections import Counter

from ui.server.limits import Buckets, Rate
from ui.server.refusals import Refused

IN_LINE = 4  # tries of an address that wait for their turn


class Guesses:
    """Wrong passwords use up what an address has; its next tries wait for their turn, a few at a
    time, so that the right one still gets in and guessing goes no faster than `rate`."""

    def __init__(self, rate: Rate):
        self._buckets = Buckets(rate)
        self._waiting: Counter[str] = Counter()

    async def take(self, client: str) -> None:
        """Return when a password of that address may be looked at: at once, or after some seconds.
        Raises Refused where others of it wait already."""
        if not self._waiting[client] and not self._buckets.take(client):
            return
        if self._waiting[client] >= IN_LINE:
            wait = self._buckets.wait(client)
            raise Refused(429, f"Too many wrong passwords. Try again in {wait:.0f} s.", wait)
        self._waiting[client] += 1
        try:
            while wait := self._buckets.take(client):
                await asyncio.sleep(wait)
        finally:
            self._waiting[client] -= 1
            if not self._waiting[client]:
                del self._waiting[client]

    def give_back(self, client: str) -> None:
        """It was the right one, which costs nothing."""
        self._buckets.give_back(client)
