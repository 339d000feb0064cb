"""Promised: no request brings more bytes than an upload may have, however it says their number, and
none comes so slowly that it holds its place for long."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from public_app import FORWARDED, Served, run, serving

from ui.server import bodies
from ui.server.bodies import Body
from ui.server.limits import MB
from ui.server.refusals import Refused

FORM = b'--edge\r\nContent-Disposition: form-data; name="files"; filename="x.png"\r\n\r\n'


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    options = ("--no-auth", "--proxies", "1", "--max-upload", "1")
    with serving(tmp_path_factory.mktemp("upload"), *options) as served:
        yield served


def send_chunks(served: Served, headers: str, sender: str, most: int) -> tuple[int, bytes]:
    """Megabytes that went out before the app answered or hung up, and its answer."""
    head = (
        f"POST /gradio_api/upload HTTP/1.1\r\nHost: here\r\n{FORWARDED}: {sender}\r\n"
        f"Content-Type: multipart/form-data; boundary=edge\r\n{headers}\r\n\r\n"
    )
    chunk = b"%x\r\n%s\r\n" % (MB, b"x" * MB)
    with closing(socket.create_connection(("127.0.0.1", served.port), timeout=30)) as line:
        line.sendall(head.encode() + b"%x\r\n%s\r\n" % (len(FORM), FORM))
        for sent in range(most):  # noqa: B007  # counted for the answer
            try:
                line.sendall(chunk)
            except OSError:
                break
        else:
            line.sendall(b"0\r\n\r\n")
        try:
            return sent, line.recv(4096)
        except OSError:
            return sent, b""


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Length: 10\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 10",
        "Transfer-Encoding: chunked",
        "Content-Length: 10\r\nTransfer-Encoding: identity, chunked",
        "Content-Length: 10\r\nContent-Length: 900000000",
    ],
)
def test_a_length_said_twice_or_not_at_all_is_refused(served: Served, headers: str) -> None:
    """Bytes in the buffers of the connection apart, nothing is taken."""
    before = sum(path.stat().st_size for path in served.folder.rglob("*") if path.is_file())
    sent, _ = send_chunks(served, headers, "20.2.0.1", 60)
    after = sum(path.stat().st_size for path in served.folder.rglob("*") if path.is_file())
    assert sent < 60
    assert after - before < 2 * MB


def test_the_reason_is_said(served: Served) -> None:
    both = {"Transfer_Encoding": "chunked", "Content_Type": "multipart/form-data; boundary=edge"}
    status, text, headers = served.ask(
        "/gradio_api/upload", b"0\r\n\r\n", sender="20.2.0.2", **both
    )
    assert (status, "Content-Length or chunks" in text) == (400, True)
    assert headers["connection"] == "close"


# --- the middleware -----------------------------------------------------------------------------


def take(body: Body, times: int) -> None:
    async def all_of_it() -> None:
        for _ in range(times):
            await body()

    run(all_of_it())


async def receive_megabyte() -> dict[str, Any]:
    return {"type": "http.request", "body": b"x" * MB, "more_body": True}


def test_bytes_are_counted_as_they_come() -> None:
    body = Body(receive_megabyte, 5 * MB)
    take(body, 5)
    with pytest.raises(Refused, match="more than 5 MB") as refused:
        take(body, 1)
    assert refused.value.status == 413


def test_the_room_on_the_disk_is_looked_at_while_they_come() -> None:
    looked: list[int] = []
    body = Body(receive_megabyte, 100 * MB, lambda: looked.append(body.taken // MB))
    take(body, 30)
    assert looked == [8, 16, 24]


def test_a_body_that_stops_or_drips_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never() -> Any:
        await asyncio.sleep(60)

    async def drip() -> dict[str, Any]:
        await asyncio.sleep(0.1)
        return {"type": "http.request", "body": b"x", "more_body": True}

    monkeypatch.setattr(bodies, "PAUSE", 0.5)
    for receive in (never, drip):
        with pytest.raises(Refused, match="too slowly") as refused:
            take(Body(receive, MB), 20)
        assert refused.value.status == 408
