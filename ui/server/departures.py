"""Who hangs up while a run goes on has it stopped: nobody would hear what it says."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from ui.server import gradio_private
from ui.server.guard import API, strip_root

AWAY_SECONDS = 3.0  # within which a page, or a program, may come back: networks change
CALL = re.compile(API + r"call/(v2/)?[^/]+/(?P<event>[^/]+)/?")


class Departures:
    """Middleware. `leave(session)` is called when the last stream of answers of a session was cut
    off, and none came in its place."""

    def __init__(self, app: Any, leave: Callable[[str], None]):
        self.app, self._leave = app, leave
        self._streams: Counter[str] = Counter()
        self._leaving: set[asyncio.Task[None]] = set()  # asyncio itself keeps no task alive

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        session = read_session(scope)
        if session is None:
            await self.app(scope, receive, send)
            return
        ended = False

        async def sending(message: Any) -> None:
            nonlocal ended
            await send(message)
            ended = message["type"] == "http.response.body" and not message.get("more_body")

        self._streams[session] += 1
        try:
            await self.app(scope, receive, sending)
        finally:
            self._streams[session] -= 1
            if not self._streams[session]:
                del self._streams[session]
            if not ended:
                task = asyncio.create_task(self._await_return(session))
                self._leaving.add(task)
                task.add_done_callback(self._leaving.discard)

    async def _await_return(self, session: str) -> None:
        await asyncio.sleep(AWAY_SECONDS)
        if session not in self._streams:
            self._leave(session)


def read_session(scope: Any) -> str | None:
    """Whose answers are asked for; None where it is another request."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    path = strip_root(scope)
    if path == API + "queue/data":
        query = parse_qs(scope["query_string"].decode("latin-1"))
        return query.get("session_hash", [None])[0]
    found = CALL.fullmatch(path)
    return gradio_private.find_session(scope["app"], found["event"]) if found else None
