"""A name and a password with every request (HTTP Basic, RFC 7617), for programs: browsers log in
once, as Gradio asks them to. Its MCP server asks nobody: here it does.

    request --the right ones?--> a session of Gradio's in their place --> Gradio
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import math
import secrets
from collections.abc import Mapping
from typing import Any

from gradio_client import Client

from ui.server import gradio_private
from ui.server.guard import API, Refused, answer, read_address, strip_root
from ui.server.limits import Buckets, Public

MCP = API + "mcp"
WRONG = "This app asks for a name and a password, which programs show by HTTP Basic."


class Basic:
    """Middleware. `accounts`: passwords by name. Wrong ones are refused, and after some of them
    their address for a while; so is the MCP server to those who show none."""

    def __init__(self, app: Any, accounts: Mapping[str, str], limits: Public):
        self.app, self.accounts, self.proxies = app, accounts, limits.proxies
        self._tokens = {name: secrets.token_urlsafe(32) for name in accounts}
        self._wrong = Buckets(limits.logins)
        self._letting_in = asyncio.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            try:
                scope = self._admit(scope)
            except Refused as refused:
                await answer(send, refused)
                return
            if strip_root(scope).startswith(MCP):
                await self._let_tools_in(scope)
        await self.app(scope, receive, send)

    async def _let_tools_in(self, scope: Any) -> None:
        """Gradio's MCP server runs tools as a client of the app that it serves: it is given one
        that is logged in. Whose call it is, each says for itself."""
        app = scope["app"]
        async with self._letting_in:
            if not gradio_private.lacks_tool_client(app):
                return
            cookie = gradio_private.log_in(
                app, next(iter(self.accounts)), secrets.token_urlsafe(32)
            )
            host, port = scope["server"]  # where this request came in, the next will
            client = await asyncio.to_thread(
                Client,
                f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/",
                headers={"x-gradio-user": "mcp", "cookie": cookie},
                download_files=False,
                verbose=False,
                analytics_enabled=False,
                _skip_components=False,
            )
            gradio_private.set_tool_client(app, client)

    def _admit(self, scope: Any) -> Any:
        """The request as Gradio knows who asks. Raises Refused."""
        shown = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        kind, _, word = shown.partition(b" ")
        if kind.lower() != b"basic":
            if strip_root(scope).startswith(MCP):
                raise Refused(401, WRONG)
            return scope
        client = read_address(scope, self.proxies)
        # Before the password is looked at: else guesses could go on.
        if wait := self._wrong.wait(client):
            raise Refused(429, f"Too often. Try again in {math.ceil(wait)} s.", wait)
        name, _, password = _decode(word).partition(":")
        if not self._is_right(name, password):
            self._wrong.take(client)
            raise Refused(401, WRONG)
        cookie = gradio_private.log_in(scope["app"], name, self._tokens[name])
        kept = [pair for pair in scope["headers"] if pair[0] not in (b"authorization", b"cookie")]
        return {**scope, "headers": [*kept, (b"cookie", cookie.encode())]}

    def _is_right(self, name: str, password: str) -> bool:
        known = self.accounts.get(name, "")
        return hmac.compare_digest(known.encode(), password.encode()) and name in self.accounts


def _decode(word: bytes) -> str:
    """name:password, or nothing where it is none."""
    try:
        return base64.b64decode(word, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
