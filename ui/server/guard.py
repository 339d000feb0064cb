"""What stands before Gradio's routes where strangers reach the app.

    request --known route?--> --own file, no address, not too large?--> --not too often?--> Gradio

Whatever is not known to be needed is refused, so what a later Gradio adds stays shut until it is
looked at. Nothing of Gradio is imported: this is plain ASGI.
"""

from __future__ import annotations

import json
import math
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv6Address, IPv6Interface, ip_address
from pathlib import Path
from typing import Any

from ui.server.bodies import Body, check_framing, read_length, replay
from ui.server.limits import MB, Buckets, Places, Public
from ui.server.refusals import HEADERS, Refused, answer

API = "/gradio_api/"
# What a page and a client need, by what it costs.
ROUTES = (
    ("page", "GET", r"/(config)?/?"),
    ("page", "GET", API + r"(info|openapi\.json)/?"),
    ("small", "GET", r"/(theme\.css|favicon\.ico|manifest\.json|robots\.txt|logout)/?"),
    ("small", "GET", r"/(assets|static|svelte|pwa_icon)(/.*)?"),
    ("small", "GET", API + r"(startup-events|app_id|user|login_check|queue/status)/?"),
    ("login", "POST", r"/login/?"),
    ("file", "GET", API + r"file=.+"),
    ("upload", "POST", API + r"upload"),
    ("run", "POST", API + r"(queue/join|call/.+)"),
    ("tool", "POST", API + r"mcp(/.*)?"),
    ("quick", "POST", API + r"(run/[^/]+|cancel|reset)/?"),
    ("stream", "GET", API + r"(queue/data|upload_progress|heartbeat/[^/]+|call/.+|mcp(/.*)?)"),
)
LONG = ("stream", "upload")  # stay open for as long as the client likes
WITH_BODY = ("login", "run", "tool", "quick")  # read before anything else sees it
MINE_WAIT = "So many of your runs wait already: try again when one is done."
NO_ADDRESS = "Send the file itself: this app fetches nothing from an address that it is given."


class Guard:
    """Middleware. `folder` has uploads and results, `shown` are the other folders whose files the
    page shows, `waiting` lists the addresses of the runs that are in the queue."""

    def __init__(
        self,
        app: Any,
        limits: Public,
        folder: Path,
        shown: Sequence[Path] = (),
        waiting: Callable[[], Sequence[str]] = lambda: (),
    ):
        self.app, self.limits, self.folder, self.waiting = app, limits, folder, waiting
        self.open_to = tuple(place.resolve() for place in (folder, *shown))
        rates = {
            "run": limits.starts,
            "session": limits.own_starts,
            "upload": limits.uploads,
            "quick": limits.quick,
            "page": limits.pages,
        }
        self._buckets = {name: Buckets(rate) for name, rate in rates.items()}
        self._requests, self._streams = Places(limits.requests), Places(limits.streams)
        self._coming: Counter[str] = Counter()  # runs of an address that are let in to the queue

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        answering = Answering(send)
        try:
            kind = classify(scope["method"], strip_root(scope))
            client = read_address(scope, self.limits.proxies)
            check_framing(scope)
            with self._requests.hold(client):
                if kind not in LONG:
                    await self._serve(kind, client, scope, receive, answering)
                    return
                with self._streams.hold(client):
                    await self._serve(kind, client, scope, receive, answering)
        except Refused as refused:
            if answering.started:  # too late for an answer: the connection ends
                raise
            await answer(send, refused)

    async def _serve(
        self, kind: str, client: str, scope: Any, receive: Any, answering: Answering
    ) -> None:
        if kind == "file":
            self._check_file(strip_root(scope).split("file=", 1)[1])
            answering.headers += ((b"cache-control", b"private, no-store"),)
        elif kind == "page":
            self._take("page", client)
        elif kind == "upload":
            self._admit_upload(client, read_length(scope))
            receive = Body(receive, self.limits.request_bytes + MB, self._check_room)
        elif kind in WITH_BODY:
            body = await Body(receive, self.limits.body_bytes).read()
            receive = replay(body, receive)
            if kind != "login":
                self._admit_call(kind, client, body)
        if kind == "run":
            with self._reserve(client) as leave:
                answering.on_start = leave
                await self.app(scope, receive, answering)
        else:
            await self.app(scope, receive, answering)

    @contextmanager
    def _reserve(self, client: str) -> Iterator[Callable[[], None]]:
        """A place in the queue for a run that is on its way there, until it is seen in it: what is
        called then. Raises Refused where there is none."""
        there = self.waiting()
        if there.count(client) + self._coming[client] >= self.limits.own_waiting:
            raise Refused(429, MINE_WAIT, 5)
        if len(there) + sum(self._coming.values()) >= self.limits.waiting:
            raise Refused(503, "Many runs wait already: try again in a minute.", 30)
        self._coming[client] += 1
        held = [client]

        def leave() -> None:
            for each in held:
                self._coming -= Counter({each: 1})
            held.clear()

        try:
            yield leave
        finally:
            leave()

    def _admit_upload(self, client: str, size: int | None) -> None:
        if size is None:
            raise Refused(411, "Say with Content-Length how long the upload is.", close=True)
        if size > self.limits.request_bytes + MB:  # a little for what is around the files
            most = f"{self.limits.upload_bytes / MB:.0f} MB a file"
            raise Refused(413, f"The upload has {size / MB:,.0f} MB; taken are {most}.")
        self._check_room()
        self._take("upload", client, 1 + size / (8 * MB))

    def _admit_call(self, kind: str, client: str, body: bytes) -> None:
        asked = parse_body(body)
        self._check_files(asked)
        if kind == "quick":
            self._take("quick", client)
            return
        if kind == "tool":
            check_arguments(asked)
        self._check_room()
        session = asked.get("session_hash") if isinstance(asked, dict) else None
        if isinstance(session, str):
            self._take("session", (client, session[:64]))
        self._take("run", client)

    def _take(self, name: str, key: Any, cost: float = 1.0) -> None:
        wait = self._buckets[name].take(key, cost)
        if wait:
            raise Refused(429, f"Too often. Try again in {math.ceil(wait)} s.", wait)

    def _check_room(self) -> None:
        """Strangers do not fill the disk."""
        if shutil.disk_usage(self.folder).free < self.limits.free_bytes:
            raise Refused(507, "The machine has no room for more photos. Try again in an hour.")

    def _check_file(self, named: str) -> None:
        if re.match(r"[a-zA-Z][\w+.-]+:", named):
            raise Refused(403, NO_ADDRESS)
        if not self._is_open(named):
            raise Refused(403, "There is no such file.")

    def _check_files(self, asked: Any) -> None:
        """A file in a call is one that was uploaded here: Gradio would fetch an address, and what
        a handler gives back unchanged it would take from anywhere below the working folder."""
        for each in list_dicts(asked):
            named = each.get("path")
            if isinstance(named, str) and named and not self._is_open(named):
                raise Refused(400, NO_ADDRESS)

    def _is_open(self, named: str) -> bool:
        """Whether that path, links followed, is below a folder that is open."""
        try:
            path = Path(named).resolve()
        except (OSError, ValueError, RuntimeError):  # a null byte; a loop of links
            return False
        return any(path != place and path.is_relative_to(place) for place in self.open_to)


class Answering:
    """send() of ASGI with headers of our own; `on_start` is called when the answer begins."""

    def __init__(self, send: Any):
        self._send = send
        self.headers: tuple[tuple[bytes, bytes], ...] = HEADERS
        self.on_start: Callable[[], None] = lambda: None
        self.started = False

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.on_start()
            names = {name for name, _ in self.headers}
            kept = [pair for pair in message.get("headers", ()) if pair[0].lower() not in names]
            message = {**message, "headers": [*kept, *self.headers]}
        await self._send(message)


def strip_root(scope: Any) -> str:
    """The path as Gradio's routes see it: without --root-path, which a proxy may leave there."""
    path, root = str(scope["path"]), scope.get("root_path", "").rstrip("/")
    return path[len(root) :] if root and path.startswith(f"{root}/") else path


def classify(method: str, path: str) -> str:
    """The kind of a request. Raises Refused."""
    if ".." in re.split(r"[/\\=]", path):
        raise Refused(403, "There is no such file.")
    method = "GET" if method == "HEAD" else method
    for kind, verb, pattern in ROUTES:
        if method == verb and re.fullmatch(pattern, path, re.DOTALL):
            return kind
    raise Refused(404, "This app has no such page.")


def read_address(scope: Any, proxies: int) -> str:
    """The client's, as far as it can be believed; of IPv6 the network's."""
    found = (scope.get("client") or ("",))[0]
    if proxies:
        sent = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        entries = [each.strip() for each in b",".join(sent).decode("latin-1").split(",")]
        found = entries[-proxies] if len(entries) >= proxies else found
    try:
        known = ip_address(found)
    except ValueError:  # a socket without addresses, or nonsense in the header: all of it is one
        return ""
    if isinstance(known, IPv6Address) and known.ipv4_mapped:
        return str(known.ipv4_mapped)
    return str(IPv6Interface((known, 64)).network if isinstance(known, IPv6Address) else known)


def parse_body(body: bytes) -> Any:
    """The JSON in it; None where there is nothing. Raises Refused."""
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError) as error:
        raise Refused(400, "The request is no JSON.") from error


def list_dicts(value: Any) -> Iterator[dict[str, Any]]:
    """All that are in it, itself included."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            yield each
            left += each.values()
        elif isinstance(each, list):
            left += each


def check_arguments(asked: Any) -> None:
    """Gradio takes an address for a file where a tool of its MCP server is called. Raises
    Refused."""
    for each in list_dicts(asked):
        for value in list_dicts([each.get("arguments")]):
            for text in value.values():
                if isinstance(text, str) and re.match("(?i)https?://", text.strip()):
                    raise Refused(400, NO_ADDRESS)
