"""Promised: who holds connections, streams or pages keeps nobody else from being served."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest

if os.name != "nt":
    import resource

from app_server import wait_until
from public_app import ERRORS, FORWARDED, Served, ask_at_once, serving

from ui.server.connections import Pool
from ui.server.limits import Public

DESCRIPTORS = 1024
HEADER_SECONDS = 6.0  # less than in an app at work, where a slow line may take longer
FIRST = f"from ui.server import connections\nconnections.HEADER_SECONDS = {HEADER_SECONDS}"
HALF = b"GET /config HTTP/1.1\r\nHost: here\r\nX-Half: "

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows does not limit descriptors")


@pytest.fixture(scope="module")
def behind_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    options = ("--no-auth", "--proxies", "1")
    place = tmp_path_factory.mktemp("proxy")
    with serving(place, *options, descriptors=DESCRIPTORS, first=FIRST) as served:
        yield served


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    place = tmp_path_factory.mktemp("direct")
    with serving(place, "--no-auth", descriptors=DESCRIPTORS, first=FIRST) as served:
        yield served


@contextmanager
def half_sent(served: Served, count: int) -> Iterator[list[socket.socket]]:
    """So many connections, each with half of a header."""
    with ExitStack() as stack:
        lines = []
        for _ in range(count):
            line = socket.create_connection(("127.0.0.1", served.port), timeout=30)
            lines.append(stack.enter_context(closing(line)))
            line.sendall(HALF)
        yield lines


def is_closed(line: socket.socket) -> bool:
    line.setblocking(False)
    try:
        return line.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_half_requests_keep_nobody_out(behind_proxy: Served) -> None:
    """More than the app has descriptors for, all from the one address that is the proxy's."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2 * DESCRIPTORS:
        pytest.skip("this process may open too few connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * DESCRIPTORS), hard))
    assert behind_proxy.ask("/config", sender="20.4.0.1")[0] == 200
    with half_sent(behind_proxy, DESCRIPTORS - 150), half_sent(behind_proxy, 200) as last:
        extra = [behind_proxy.ask("/config", sender=f"20.4.{i}.1")[0] for i in range(20)]
        assert extra == [200] * 20
        wait_until(lambda: all(map(is_closed, last)), seconds=60)
    assert "Too many open files" not in (behind_proxy.parent / ERRORS).read_text()


def test_one_address_has_so_many_connections(direct: Served) -> None:
    most = Public.connections
    assert direct.ask("/config")[0] == 200  # the next time it is there at once
    with half_sent(direct, most + 60) as lines:
        assert direct.ask("/config")[0] == 200
        closed = [is_closed(line) for line in lines]
        assert sum(closed) >= 60
        assert not any(closed[-20:]), "the oldest go first"


def test_a_request_that_is_served_is_not_closed_for_others(direct: Served) -> None:
    """Nor for being long: its header came in time."""
    with closing(http.client.HTTPConnection("127.0.0.1", direct.port, timeout=60)) as line:
        line.request("GET", "/gradio_api/heartbeat/long")
        stream = line.getresponse()
        assert stream.readline() == b"data: ALIVE\n"
        with half_sent(direct, Public.connections + 60) as lines:
            wait_until(lambda: all(map(is_closed, lines)), seconds=60)
        assert not is_closed_stream(line)


def is_closed_stream(line: http.client.HTTPConnection) -> bool:
    assert line.sock is not None
    line.sock.setblocking(False)
    try:
        while data := line.sock.recv(4096):
            assert data
    except BlockingIOError:
        return False
    return True


def test_streams_of_an_upload_count_as_streams(behind_proxy: Served) -> None:
    most = Public.streams
    with ExitStack() as stack:
        statuses: list[int] = []
        for number in range(most + 12):
            line = http.client.HTTPConnection("127.0.0.1", behind_proxy.port, timeout=30)
            stack.enter_context(closing(line))
            path = (
                "/gradio_api/upload_progress?upload_id=x"
                if number >= most
                else (f"/gradio_api/heartbeat/{number}")
            )
            line.request("GET", path, headers={FORWARDED: "20.4.100.1"})
            statuses.append(line.getresponse().status)
    assert statuses == [200] * most + [429] * 12


def test_the_page_is_small_and_made_once(behind_proxy: Served) -> None:
    """32 at once, of whom each has an address of its own, and then each a rate."""
    for path in ("/", "/config"):
        answers = ask_at_once(
            lambda number, path=path: behind_proxy.ask(  # type: ignore[misc]
                path, sender=f"20.4.{number}.2", Accept_Encoding="gzip"
            ),
            32,
        )
        assert Counter(status for status, _, _ in answers) == {200: 32}
        assert all(int(headers["content-length"]) < 250_000 for _, _, headers in answers)
        assert {headers["content-encoding"] for _, _, headers in answers} == {"gzip"}
    most = int(Public().pages.burst)
    asked = [behind_proxy.ask("/config", sender="20.4.200.1")[0] for _ in range(2 * most)]
    assert asked.count(429) > 0


def test_copies_are_of_what_was_asked_for(behind_proxy: Served) -> None:
    """By its address, its encoding and its page."""

    def root(**headers: str) -> str:
        _, text, _ = behind_proxy.ask("/config", sender="20.4.201.1", **headers)
        return str(json.loads(text)["root"])

    here, there = "one.example", "two.example"
    for _ in range(2):
        assert root(Host=here) == f"http://{here}"
        assert root(Host=there) == f"http://{there}"
        assert root(Host=here, X_Forwarded_Host=there) == f"http://{there}"
        assert root(Host=here, X_Forwarded_Host=there, X_Forwarded_Proto="https").startswith(
            "https"
        )
    plain = behind_proxy.ask("/config", sender="20.4.201.2")
    assert "content-encoding" not in plain[2]
    with closing(http.client.HTTPConnection("127.0.0.1", behind_proxy.port, timeout=30)) as line:
        headers = {"Accept-Encoding": "gzip", FORWARDED: "20.4.201.2"}
        line.request("GET", "/config", headers=headers)
        packed = line.getresponse().read()
    assert json.loads(gzip.decompress(packed)) == json.loads(plain[1])


def test_nobody_gets_the_page_of_another(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("users")
    people = ("--auth", "ada:lovelace", "--auth", "grace:hopper")
    with serving(place, *people) as served:
        cookies = {}
        for name, password in (("ada", "lovelace"), ("grace", "hopper")):
            form = f"username={name}&password={password}".encode()
            kind = {"Content_Type": "application/x-www-form-urlencoded"}
            cookies[name] = served.ask("/login", form, **kind)[2]["set-cookie"].split(";")[0]
        for _ in range(2):
            for name, cookie in cookies.items():
                text = served.ask("/config", Cookie=cookie)[1]
                assert json.loads(text)["username"] == name
        assert served.ask("/logout", Cookie=cookies["ada"])[0] == 302
        assert served.ask("/config", Cookie=cookies["ada"])[0] == 401
        assert '"auth_required":true' in served.ask("/")[1].replace(" ", "")
        assert json.loads(served.ask("/config", Cookie=cookies["grace"])[1])["username"] == "grace"


# --- the pool -----------------------------------------------------------------------------------


class Line:
    def __init__(self, pool: Pool, address: str):
        self.pool, self.address, self.open = pool, address, True
        pool.add(self, address)

    def drop(self) -> None:
        self.open = False
        self.pool.remove(self, self.address)


def test_who_has_waited_longest_without_a_request_goes_first() -> None:
    pool = Pool(4, own=2)
    first, second = Line(pool, "a"), Line(pool, "a")
    pool.idle.pop(first)  # it has sent its request
    third = Line(pool, "a")
    assert (first.open, second.open, third.open) == (True, False, True)
    others = [Line(pool, address) for address in "bcd"]
    assert not third.open
    assert [each.open for each in others] == [True] * 3
    for each in (*others, first):
        each.drop()
    assert not pool.addresses
    assert not pool.idle
