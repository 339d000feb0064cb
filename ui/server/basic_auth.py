"""A name and a password with every request (HTTP Basic, RFC 7617), for programs: browsers log in
once, as Gradio asks them to. Its MCP server and some of its routes ask nobody: here they do.

    request --the right ones?--> a session of Gradio's in their place --> Gradio
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Mapping
from typing import Any

from gradio_client import Client

from ui.server import gradio_private
from ui.server.guard import API, read_address, strip_root
from ui.server.guesses import Guesses
from ui.server.limits import Public
from ui.server.refusals import Refused, answer

MCP = API + "mcp"
# What is there before the login, and says nothing of others.
OPEN = re.compile(API + r"(user|login_check|app_id|startup-events|theme\.css)/?")
WRONG = "This app asks for a name and a password, which programs show by HTTP Basic."


class Basic:
    """Middleware. `accounts`: passwords by name. Wrong ones are refused, and after some of them
    the next ones of their address have to wait."""

    def __init__(self, app: Any, accounts: Mapping[str, str], limits: Public):
        self.app, self.accounts, self.proxies = app, accounts, limits.proxies
        self._tokens = {name: secrets.token_urlsafe(32) for name in accounts}
        self._guesses = Guesses(limits.logins)
        self._letting_in = asyncio.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = strip_root(scope)
        try:
            if scope["method"] == "POST" and path.rstrip("/") == "/login":
                send = await self._await_turn(scope, send)
            scope = await self._admit(scope)
        except Refused as refused:
            await answer(send, refused)
            return
        if path.startswith(MCP):
            await self._let_tools_in(scope)
        await self.app(scope, receive, send)

    async def _await_turn(self, scope: Any, send: Any) -> Any:
        """send() for a login, when it is its turn. Raises Refused."""
        client = read_address(scope, self.proxies)
        await self._guesses.take(client)

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                self._guesses.give_back(client)
            await send(message)

        return sending

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

    async def _admit(self, scope: Any) -> Any:
        """The request as Gradio knows who asks. Raises Refused."""
        shown = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        kind, _, word = shown.partition(b" ")
        if kind.lower() != b"basic":
            self._check_login(scope)
            return scope
        client = read_address(scope, self.proxies)
        await self._guesses.take(client)  # before it is looked at: else guesses could go on
        name, _, password = _decode(word).partition(":")
        if not self._is_right(name, password):
            raise Refused(401, WRONG, challenge=True)
        self._guesses.give_back(client)
        cookie = gradio_private.log_in(scope["app"], name, self._tokens[name])
        kept = [pair for pair in scope["headers"] if pair[0] not in (b"authorization", b"cookie")]
        return {**scope, "headers": [*kept, (b"cookie", cookie.encode())]}

    def _check_login(self, scope: Any) -> None:
        """Raises Refused where the API is asked by nobody who is logged in."""
        path = strip_root(scope)
        if path.startswith(MCP):
            raise Refused(401, WRONG, challenge=True)
        asks = path.startswith(API) and not OPEN.fullmatch(path)
        if asks and gradio_private.read_user(scope["app"], scope) is None:
            raise Refused(401, "Not authenticated")

    def _is_right(self, name: str, password: str) -> bool:
        known = self.accounts.get(name, "")
        return hmac.compare_digest(known.encode(), password.encode()) and name in self.accounts


def _decode(word: bytes) -> str:
    """name:password, or nothing where it is none."""
    try:
        return base64.b64decode(word, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
