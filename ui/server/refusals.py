"""A request that is not let through, and what its client is answered."""

from __future__ import annotations

import json
import math
from typing import Any

HEADERS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin"))


class Refused(Exception):
    """`status` is HTTP's; `wait`: seconds until it may be asked again; `challenge`: whether a name
    and a password are asked for, for which browsers open a window of their own; `close`: whether
    nothing more is taken on that connection, where most clients then hear no reason."""

    def __init__(
        self,
        status: int,
        words: str,
        wait: float = 0.0,
        challenge: bool = False,
        close: bool = False,
    ):
        super().__init__(words)
        self.status, self.wait, self.challenge, self.close = status, wait, challenge, close


async def answer(send: Any, refused: Refused) -> None:
    """In the form in which Gradio's pages and clients expect a reason."""
    body = json.dumps({"detail": str(refused)}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *HEADERS,
    ]
    if refused.close:
        headers.append((b"connection", b"close"))
    if refused.challenge:
        headers.append((b"www-authenticate", b'Basic realm="Autochrome Studio", charset="UTF-8"'))
    if refused.wait:
        headers.append((b"retry-after", str(math.ceil(refused.wait)).encode()))
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
