"""Gradio's scripts and styles: read and compressed once, and kept by browsers for good.

A page asks for a hundred of them. Gradio finds, reads and compresses each at every request, and has
browsers guess for how long it stays the same; but names say what is inside, so what has changed has
another name.
"""

from __future__ import annotations

import asyncio
import gzip
import mimetypes
from typing import Any

from ui.server import gradio_private
from ui.server.guard import strip_root
from ui.server.page_copies import Copy, send_copy

FOLDER = "/assets/"
FOR_GOOD = (b"cache-control", b"public, max-age=31536000, immutable")
FOR_A_DAY = (b"cache-control", b"public, max-age=86400")


class StaticFiles:
    """Middleware; behind whatever says who may ask."""

    def __init__(self, app: Any):
        self.app = app
        # Names that are there, so that no name leads elsewhere.
        self._files = {file.name: file for file in gradio_private.find_assets().iterdir()}
        self._copies: dict[str, Copy] = {}  # 6 MB if all are asked for

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        name = read_name(scope)
        if name not in self._files:
            await self.app(scope, receive, send)
            return
        if name not in self._copies:
            self._copies[name] = await asyncio.to_thread(self._read, name)
        await send_copy(scope, send, self._copies[name])

    def _read(self, name: str) -> Copy:
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        found = self._files[name].read_bytes()
        content = gradio_private.quicken(found)
        # What is changed here has the name that it had, also where it is changed otherwise one day.
        kept = FOR_GOOD if content == found else FOR_A_DAY
        return Copy(((b"content-type", kind.encode()), kept), gzip.compress(content, 6))


def read_name(scope: Any) -> str:
    """Of the file that is asked for; empty where the request is none for a whole file."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return ""
    path = strip_root(scope)
    if not path.startswith(FOLDER) or any(name == b"range" for name, _ in scope["headers"]):
        return ""
    return path.removeprefix(FOLDER)
