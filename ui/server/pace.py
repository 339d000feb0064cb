"""How often Gradio's queue looks whether somebody waits: a thousand times a second, as Gradio does
always, while the app is used; rarely while it is not, which leaves the machine alone."""

from __future__ import annotations

import asyncio
from typing import Any

from ui.server import gradio_private

BUSY_SECONDS = 5.0  # after the last request


class Pace:
    """Middleware."""

    def __init__(self, app: Any):
        self.app = app
        self._timer: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            blocks = scope["app"].get_blocks()
            if self._timer:
                self._timer.cancel()
            else:
                gradio_private.set_polling(blocks, often=True)
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(BUSY_SECONDS, self._rest, blocks)
        await self.app(scope, receive, send)

    def _rest(self, blocks: Any) -> None:
        self._timer = None
        gradio_private.set_polling(blocks, often=False)
