"""Promised: a page of another site does nothing with the app through the browser of a person who is
logged in, wherever that site is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from public_app import Served, serving

from ui.server.origins import check_origin
from ui.server.refusals import Refused

HOST = "studio.example.org"
FORM = {"Content_Type": "application/x-www-form-urlencoded"}
FOREIGN = [
    "https://evil.example.org",
    "https://example.org",
    "http://studio.example.org:8080",
    "https://studio.example.org.evil.net",
    "https://evil.net/studio.example.org",
    "https://studio.example.org@evil.net",
    "http://127.0.0.1",
    "null",
    "",
    "https://studio.example.org:x",
    "studio.example.org",
]
ASKED: list[tuple[str, Any]] = [
    ("/", None),
    ("/config", None),
    ("/gradio_api/info", None),
    ("/gradio_api/queue/data?session_hash=x", None),
    ("/gradio_api/heartbeat/x", None),
    ("/gradio_api/upload", b"--edge--"),
    ("/gradio_api/call/models", {"data": []}),
    ("/gradio_api/run/models", {"data": []}),
    ("/gradio_api/cancel", {"session_hash": "x", "fn_index": 0, "event_id": "x"}),
    ("/logout", None),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    options = ("--auth", "ada:lovelace", "--proxies", "1")
    with serving(tmp_path_factory.mktemp("origins"), *options) as served:
        yield served


@pytest.fixture(scope="module")
def cookies(served: Served) -> list[str]:
    body = b"username=ada&password=lovelace"
    status, _, headers = served.ask("/login", body, Host=HOST, Origin=f"https://{HOST}", **FORM)
    assert status == 200
    return headers["set-cookie-all"].split("\n")


@pytest.mark.parametrize("origin", FOREIGN)
def test_other_pages_neither_read_nor_change(
    served: Served, cookies: list[str], origin: str
) -> None:
    for path, body in ASKED:
        named = {"Host": HOST, "Origin": origin, "Cookie": cookies[0].split(";")[0]}
        status, text, _ = served.ask(path, body, sender="20.5.0.1", **named)
        assert (status, "pages of other sites" in text) == (403, True), path


def test_the_page_itself_and_programs_do(served: Served, cookies: list[str]) -> None:
    cookie = cookies[0].split(";")[0]
    for headers in (
        {"Host": HOST, "Origin": f"https://{HOST}"},
        {"Host": HOST, "Origin": f"http://{HOST.upper()}"},
        {"Host": "127.0.0.1:7860", "X_Forwarded_Host": HOST, "Origin": f"https://{HOST}"},
        {"Host": HOST},
    ):
        for path, body in (("/config", None), ("/gradio_api/run/models", {"data": []})):
            sent = {"sender": "20.5.0.2", "Cookie": cookie, **headers}
            assert served.ask(path, body, **sent)[0] == 200


def test_cookies_stay_at_home(cookies: list[str]) -> None:
    assert len(cookies) == 2
    for cookie in cookies:
        assert cookie.lower().count("samesite") == 1
        assert "samesite=lax" in cookie.lower()
        assert "httponly" in cookie.lower()


def test_who_names_the_host_is_believed_only_as_a_proxy() -> None:
    evil, own = b"https://evil.net", b"studio.example.org"
    said = [(b"host", own), (b"origin", evil), (b"x-forwarded-host", b"evil.net, " + own)]
    for proxies in (0, 1):
        with pytest.raises(Refused):
            check_origin({"headers": said}, proxies)
    check_origin({"headers": [(b"origin", b"https://" + own), (b"host", own)]}, 0)
    check_origin({"headers": [(b"origin", b"http://x:7860"), (b"host", b"x:7860")]}, 0)
    with pytest.raises(Refused):
        check_origin({"headers": [(b"origin", b"https://x"), (b"host", b"x:7860")]}, 0)
