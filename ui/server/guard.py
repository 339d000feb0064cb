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
from ipaddress import IPv6Address, IPv6Interface, ip_address
from pathlib import Path
from typing import Any

from ui.server.limits import MB, Buckets, Public

API = "/gradio_api/"
# What a page and a client need, by what it costs.
ROUTES = (
    ("page", "GET", r"/(config|theme\.css|favicon\.ico|manifest\.json|robots\.txt|logout)?/?"),
    ("page", "GET", r"/(assets|static|svelte|pwa_icon)(/.*)?"),
    ("page", "GET", API + r"(info|openapi\.json|startup-events|app_id|user|login_check)/?"),
    ("page", "GET", API + r"(queue/status|upload_progress)"),
    ("login", "POST", r"/login/?"),
    ("file", "GET", API + r"file=.+"),
    ("upload", "POST", API + r"upload"),
    ("run", "POST", API + r"(queue/join|call/.+)"),
    ("tool", "POST", API + r"mcp(/.*)?"),
    ("quick", "POST", API + r"(run/[^/]+|cancel|reset)/?"),
    ("stream", "GET", API + r"(queue/data|heartbeat/[^/]+|call/.+|mcp(/.*)?)"),
)
LONG = ("stream", "upload")  # stay open for as long as the client likes
NO_ADDRESS = "Send the file itself: this app fetches nothing from an address that it is given."
HEADERS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"same-origin"))


class Refused(Exception):
    """`status` is HTTP's; `wait`: seconds until it may be asked again."""

    def __init__(self, status: int, words: str, wait: float = 0.0):
        super().__init__(words)
        self.status, self.wait = status, wait


class Guard:
    """Middleware. `folder` has uploads and results, `shown` are the other folders whose files the
    page shows, `waiting` says how many runs of an address are in the queue."""

    def __init__(
        self,
        app: Any,
        limits: Public,
        folder: Path,
        shown: Sequence[Path] = (),
        waiting: Callable[[str], int] = lambda client: 0,
    ):
        self.app, self.limits, self.folder, self.waiting = app, limits, folder, waiting
        self.open_to = tuple(place.resolve() for place in (folder, *shown))
        rates = {
            "run": limits.starts,
            "session": limits.own_starts,
            "upload": limits.uploads,
            "quick": limits.quick,
            "login": limits.logins,
        }
        self._buckets = {name: Buckets(rate) for name, rate in rates.items()}
        self._streams: Counter[str] = Counter()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            kind = classify(scope["method"], strip_root(scope))
            client = read_address(scope, self.limits.proxies)
            receive = await self._admit(kind, client, scope, receive)
        except Refused as refused:
            await answer(send, refused)
            return
        with_headers = _with_headers(send, kind)
        if kind not in LONG:
            await self.app(scope, receive, with_headers)
            return
        self._streams[client] += 1
        try:
            await self.app(scope, receive, with_headers)
        finally:
            self._streams -= Counter({client: 1})  # and forget who has none

    async def _admit(self, kind: str, client: str, scope: Any, receive: Any) -> Any:
        """Where the rest of the request is to be read from. Raises Refused."""
        if kind == "file":
            self._check_file(strip_root(scope).split("file=", 1)[1])
        if kind in LONG and self._streams[client] >= self.limits.streams:
            raise Refused(429, "Too many connections are open. Close other pages of this app.", 5)
        if kind == "upload":
            self._admit_upload(client, read_length(scope))
        if kind == "login":
            self._take("login", client)
        if kind in ("login", "run", "tool", "quick"):
            body = await read_body(receive, self.limits.body_bytes)
            if kind != "login":
                self._admit_call(kind, client, body)
            return _replay(body, receive)
        return receive

    def _admit_upload(self, client: str, size: int | None) -> None:
        if size is None:
            raise Refused(411, "Say with Content-Length how long the upload is.")
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
        if self.waiting(client) >= self.limits.own_waiting:
            raise Refused(429, "So many of your runs wait already: try again when one is done.", 5)

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


def read_length(scope: Any) -> int | None:
    """What the request says of its length."""
    sent = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(sent) if sent.isdigit() else None


async def read_body(receive: Any, most: int) -> bytes:
    """The whole body. Raises Refused."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "The request was cut off.")
        body += message.get("body", b"")
        if len(body) > most:
            raise Refused(413, f"The request has more than {most / MB:.0f} MB.")
        if not message.get("more_body"):
            return bytes(body)


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


def _replay(body: bytes, receive: Any) -> Any:
    """A receive() that gives the body first."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Any:
        return messages.pop() if messages else await receive()

    return again


def _with_headers(send: Any, kind: str) -> Any:
    own = [*HEADERS, (b"cache-control", b"private, no-store")] if kind == "file" else [*HEADERS]
    names = {name for name, _ in own}

    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            kept = [pair for pair in message.get("headers", ()) if pair[0].lower() not in names]
            message = {**message, "headers": [*kept, *own]}
        await send(message)

    return sending


async def answer(send: Any, refused: Refused) -> None:
    """In the form in which Gradio's pages and clients expect a reason."""
    body = json.dumps({"detail": str(refused)}).encode()
    headers = [(b"content-type", b"application/json"), *HEADERS]
    if refused.status == 401:
        headers.append((b"www-authenticate", b'Basic realm="Autochrome Studio", charset="UTF-8"'))
    if refused.wait:
        headers.append((b"retry-after", str(math.ceil(refused.wait)).encode()))
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
