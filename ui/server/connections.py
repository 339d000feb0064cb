"""Connections before they are requests: who sends no request, or half of one, holds none for long.

uvicorn times a connection only after its first answer. Descriptors are few, so a new connection
takes the place of the one that has been without a request for longest.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Any, ClassVar

from uvicorn.protocols.http.auto import AutoHTTPProtocol

HEADER_SECONDS = 15.0  # for a whole header
DESCRIPTORS = 8192  # asked of the system, which may allow fewer
BACKLOG = 64  # new connections that are taken before those that are too many are closed
SPARE = 256  # descriptors, and at most a quarter of them, for files, models and the app's own


@dataclass
class Pool:
    """The open connections: `most` of all, `own` of one address. `own` is None where one address
    speaks for many, as a proxy does."""

    most: int
    own: int | None = None
    addresses: Counter[str] = field(default_factory=Counter)
    # Those without a whole request, who has been so for longest first.
    idle: OrderedDict[Any, str] = field(default_factory=OrderedDict)

    def add(self, connection: Any, address: str) -> None:
        """Of too many one is closed."""
        self.addresses[address] += 1
        self.idle[connection] = address
        if self.own is not None and self.addresses[address] > self.own:
            mine = (each for each, whose in self.idle.items() if whose == address)
            next(mine).drop()
        elif sum(self.addresses.values()) > self.most:
            next(iter(self.idle)).drop()

    def remove(self, connection: Any, address: str) -> None:
        self.idle.pop(connection, None)
        self.addresses[address] -= 1
        if not self.addresses[address]:
            del self.addresses[address]


class Connection(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # chosen when it is imported
    """One, as uvicorn has it."""

    pool: ClassVar[Pool]

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._address = str((transport.get_extra_info("peername") or ("",))[0])
        self._timer: asyncio.TimerHandle | None = None
        self._counted = True
        self.pool.add(self, self._address)
        self._await_request()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._has_request():
            self.pool.idle.pop(self, None)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._counted and not self._has_request():  # else the next one has come with the last
            self.pool.idle[self] = self._address
            self.pool.idle.move_to_end(self)
            self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget()

    def drop(self) -> None:
        """Close it at once, whatever is still to be sent."""
        self._forget()
        self.transport.abort()

    def _forget(self) -> None:
        if self._counted:
            self._counted = False
            self.pool.remove(self, self._address)
        if self._timer:
            self._timer.cancel()

    def _has_request(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _await_request(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self.loop.call_later(HEADER_SECONDS, self._look)

    def _look(self) -> None:
        if not self._has_request():
            self.drop()


def open_descriptors() -> int:
    """As many as the system allows, up to a few thousand; their number."""
    if sys.platform == "win32":  # it counts handles, of which there are enough
        return DESCRIPTORS
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return DESCRIPTORS if soft == resource.RLIM_INFINITY else soft


def make_pool(own: int | None) -> Pool:
    """The pool for the descriptors that there are."""
    there = open_descriptors()
    return Pool(there - min(SPARE, there // 4), own)
