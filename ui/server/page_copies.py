"""The page and what describes it, made and compressed once for all who get the same.

Gradio copies, changes and writes some 0.7 MB for every request; what comes out depends on the
address under which it is asked for, on who asks, and on little else.
"""

from __future__ import annotations

import asyncio
import gzip
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from ui.server import gradio_private
from ui.server.guard import API, strip_root

PATHS = frozenset(("/", "/config", "/config/"))
PATHS |= {API + name + end for name in ("info", "openapi.json") for end in ("", "/")}
# Gradio builds the addresses on its pages from these.
ROOT_HEADERS = (b"host", b"x-forwarded-host", b"x-forwarded-proto", b"x-gradio-server")
ASKED = ("page", "all_endpoints")  # of the query, what the answer depends on
PARTS = b"<gradio-app"  # within it, all that the scripts make
LOGIN = b'"auth_required"'  # of a page that asks who is there, in place of all else
KEPT = 64  # copies, some 0.1 MB each


@dataclass(frozen=True)
class Copy:
    """An answer. `packed` is its body by gzip."""

    headers: tuple[tuple[bytes, bytes], ...]
    packed: bytes


class PageCopies:
    """Middleware; behind whatever says who asks. `early` is HTML that browsers show before the
    page's scripts have made anything."""

    def __init__(self, app: Any, early: str = ""):
        self.app = app
        self.early = early.encode()
        self._copies: OrderedDict[Any, Copy] = OrderedDict()
        self._config: Any = None  # what they are made of
        self._making = asyncio.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        key = make_key(scope)
        if key is None:
            await self.app(scope, receive, send)
            return
        async with self._making:  # of many who ask at once, one has it made
            copy = self._find(scope["app"], key) or await self._make(scope, receive, send, key)
        if copy:
            await send_copy(scope, send, copy)

    def _find(self, app: Any, key: Any) -> Copy | None:
        config = gradio_private.read_config(app)
        if config is not self._config:
            self._copies.clear()
            self._config = config
        if key in self._copies:
            self._copies.move_to_end(key)
        return self._copies.get(key)

    async def _make(self, scope: Any, receive: Any, send: Any, key: Any) -> Copy | None:
        """None where it is no page, which is sent then."""
        messages: list[Any] = []

        async def collect(message: Any) -> None:
            messages.append(message)

        await self.app(scope, receive, collect)
        start, *rest = messages
        if start["status"] != 200:
            for message in messages:
                await send(message)
            return None
        body = b"".join(message.get("body", b"") for message in rest)
        if PARTS in body and LOGIN not in body:
            before, parts, after = body.rpartition(PARTS)
            body = before + self.early + parts + after
        packed = await asyncio.to_thread(gzip.compress, body, 6)
        kept = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
        self._copies[key] = copy = Copy(tuple(kept), packed)
        while len(self._copies) > KEPT:
            self._copies.popitem(last=False)
        return copy


def make_key(scope: Any) -> Any:
    """What the answer depends on; None where it is no page or has something of one person."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    path = strip_root(scope) or "/"
    query = parse_qs(scope["query_string"].decode("latin-1"))
    if path not in PATHS or "deep_link" in query:
        return None
    user = gradio_private.read_user(scope["app"], scope)
    sent = tuple((name, value) for name, value in scope["headers"] if name in ROOT_HEADERS)
    asked = tuple(tuple(query.get(name, ())) for name in ASKED)
    return path, scope.get("root_path"), scope.get("scheme"), user, sent, asked


async def send_copy(scope: Any, send: Any, copy: Copy) -> None:
    """Answer with it, unpacked for those who do not say that they unpack it."""
    wanted = b",".join(value for name, value in scope["headers"] if name == b"accept-encoding")
    headers = [*copy.headers, (b"vary", b"accept-encoding")]
    if b"gzip" in wanted:
        body = copy.packed
        headers.append((b"content-encoding", b"gzip"))
    else:
        body = gzip.decompress(copy.packed)
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
