"""The body of a request: what is said of its length, and what comes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from ui.server.limits import MB
from ui.server.refusals import Refused

PAUSE = 30.0  # seconds in which something must come
SLOWEST = 16_000  # bytes a second, from the first pause on
SLOW = "The request came too slowly. Send it again."
LOOK = 8 * MB  # bytes of an upload after which the room on the disk is looked at again


def check_framing(scope: Any) -> None:
    """Raises Refused for a body whose length is said twice: servers differ in which they believe
    (RFC 9112, 6.3)."""
    names = [name for name, _ in scope["headers"]]
    lengths = names.count(b"content-length")
    if lengths > 1 or (lengths and b"transfer-encoding" in names):
        raise Refused(
            400, "Say how long the request is once: Content-Length or chunks.", close=True
        )


def read_length(scope: Any) -> int | None:
    """What the request says of its length."""
    sent = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(sent) if sent.isdigit() else None


class Body:
    """receive() of ASGI, of a body of at most `most` bytes that comes in time; `look` is called
    again after every 8 MB, and may raise Refused. Raises Refused."""

    def __init__(self, receive: Any, most: int, look: Callable[[], None] = lambda: None):
        self._receive, self._most, self._look = receive, most, look
        self._begun = time.monotonic()
        self._ended = False
        self._next_look = LOOK
        self.taken = 0

    async def __call__(self) -> Any:
        if self._ended:  # what comes now is that the client goes, which takes its time
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), PAUSE)
        except asyncio.TimeoutError as error:
            raise Refused(408, SLOW, close=True) from error
        self.taken += len(message.get("body", b""))
        self._ended = not message.get("more_body")
        if self.taken > self._most:
            raise Refused(413, f"The request has more than {self._most / MB:.0f} MB.", close=True)
        if time.monotonic() - self._begun > PAUSE + self.taken / SLOWEST:
            raise Refused(408, SLOW, close=True)
        if self.taken >= self._next_look:
            self._next_look = self.taken + LOOK
            self._look()
        return message

    async def read(self) -> bytes:
        """All of it. Raises Refused."""
        whole = bytearray()
        while not self._ended:
            message = await self()
            if message["type"] == "http.disconnect":
                raise Refused(400, "The request was cut off.")
            whole += message.get("body", b"")
        return bytes(whole)


def replay(body: bytes, receive: Any) -> Any:
    """A receive() that gives the body first."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Any:
        return messages.pop() if messages else await receive()

    return again
