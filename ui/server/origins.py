"""Pages of other sites do not use the app through the browsers of the people who are logged in.

Gradio lets any page ask and read, with the cookies of who looks at it, wherever the app is not on
localhost. Here a request that a browser says comes from another page is refused, in the app at home
as well: programs send no Origin.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from ui.server.refusals import Refused, answer

PORTS = {"http": 80, "https": 443}
OTHER_SITE = (
    "Open the app itself: pages of other sites may not use it. Behind a proxy it has to be told of "
    "it (--proxies), and the proxy to pass on the Host."
)


class Origins:
    """Middleware. `proxies`: one's own before the app, whose X-Forwarded-Host is believed.
    `framed`: whether the app is shown in a frame of another site, as a Space is, where cookies
    have to go with requests from there."""

    def __init__(self, app: Any, proxies: int = 0, framed: bool = False):
        self.app, self.proxies, self.framed = app, proxies, framed

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            check_origin(scope, self.proxies)
        except Refused as refused:
            await answer(send, refused)
            return
        await self.app(scope, receive, send if self.framed else _keep_cookies(send))


def check_origin(scope: Any, proxies: int) -> None:
    """Raises Refused where the request comes from the page of another origin (RFC 6454), `null`
    included, which is that of a sandboxed frame or a file."""
    origins = [value for name, value in scope["headers"] if name == b"origin"]
    if origins and not all(_is_own(each, scope, proxies) for each in origins):
        raise Refused(403, OTHER_SITE)


def _is_own(origin: bytes, scope: Any, proxies: int) -> bool:
    """The scheme is left out: the app does not know that of its proxy's address."""
    asked = _read(scope, b"host")[-1:]
    if proxies:
        entries = [part for value in _read(scope, b"x-forwarded-host") for part in value.split(",")]
        asked += entries[-proxies:][:1]
    try:
        came = urlsplit(origin.decode("latin-1").strip().lower())
        found = (came.hostname, came.port or PORTS.get(came.scheme))
        hosts = [urlsplit(f"//{each.strip().lower()}") for each in asked]
        ports = [each.port or PORTS.get(came.scheme) for each in hosts]
    except ValueError:  # no port, or no address
        return False
    return bool(came.hostname) and found in [
        (host.hostname, port) for host, port in zip(hosts, ports, strict=True)
    ]


def _read(scope: Any, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _keep_cookies(send: Any) -> Any:
    """send() whose cookies do not go with requests from other sites: Gradio says SameSite=None of
    one, and nothing of the other, which some browsers take for that."""

    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = [
                (name, _keep_home(value) if name.lower() == b"set-cookie" else value)
                for name, value in message.get("headers", ())
            ]
            message = {**message, "headers": headers}
        await send(message)

    return sending


def _keep_home(cookie: bytes) -> bytes:
    return re.sub(rb"(?i);\s*samesite=[^;]*", b"", cookie) + b"; SameSite=Lax"
