"""Promised: without the password nothing is answered, passwords cannot be tried by the thousand,
and guesses keep the right one out for seconds only."""

from __future__ import annotations

import base64
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from public_app import Served, ask_at_once, serving

from ui.server.guesses import IN_LINE
from ui.server.limits import Rate

FORM = {"Content_Type": "application/x-www-form-urlencoded"}
RATE = Rate(2, 3)  # the app itself has tries wait for longer
FASTER = f"""
from dataclasses import dataclass
from ui.server import limits

@dataclass(frozen=True)
class Faster(limits.Public):
    logins: limits.Rate = limits.{RATE}

limits.Public = Faster
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    options = ("--auth", "ada:lovelace", "--proxies", "1")
    with serving(tmp_path_factory.mktemp("passwords"), *options, first=FASTER) as served:
        yield served


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    options = ("--auth", "ada:lovelace")
    with serving(tmp_path_factory.mktemp("direct"), *options, first=FASTER) as served:
        yield served


def log_in(served: Served, password: str, sender: str) -> int:
    body = f"username=ada&password={password}".encode()
    return served.ask("/login", body, sender=sender, **FORM)[0]


def show(served: Served, password: str, sender: str) -> int:
    word = base64.b64encode(f"ada:{password}".encode()).decode()
    return served.ask("/config", sender=sender, Authorization=f"Basic {word}")[0]


def guess(one: Callable[[int], int]) -> tuple[Counter[int], float]:
    """The answers to 40 guesses at once, and how many may have been looked at in that time."""
    begun = time.monotonic()
    seen = Counter(ask_at_once(one, 40))
    seconds = time.monotonic() - begun
    return seen, RATE.burst + IN_LINE + seconds * RATE.burst / RATE.seconds


@pytest.mark.parametrize(("way", "right", "wrong"), [(log_in, 200, 400), (show, 200, 401)])
def test_the_right_one_gets_in_after_wrong_ones(
    served: Served, way: Any, right: int, wrong: int
) -> None:
    sender = f"20.3.{wrong % 256}.1"
    seen, allowed = guess(lambda _: way(served, "guess", sender))
    assert seen.keys() <= {wrong, 429}
    assert seen[wrong] <= allowed
    assert seen[429] > 0
    assert way(served, "lovelace", sender) == right
    assert [way(served, "lovelace", "20.3.9.9") for _ in range(15)] == [right] * 15


def test_an_invented_address_makes_nobody_another(direct: Served) -> None:
    seen, allowed = guess(lambda number: log_in(direct, "guess", f"9.9.9.{number}"))
    assert seen[429] >= 40 - allowed
    assert seen[429] > 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("heartbeat/mine", None),
        ("cancel", {"session_hash": "x", "fn_index": 0, "event_id": "x"}),
        ("reset", {"event_id": "x"}),
        ("reset/", {"event_id": "x"}),
        ("upload_progress?upload_id=x", None),
        ("queue/status", None),
        ("queue/data?session_hash=x", None),
        ("call/models", {"data": []}),
        ("call/v2/models", {}),
        ("run/models", {"data": []}),
        ("info", None),
        ("openapi.json", None),
    ],
)
@pytest.mark.parametrize("cookie", ["", "access-token-x=guess"])
def test_no_route_answers_without_it(served: Served, path: str, body: Any, cookie: str) -> None:
    status, text, headers = served.ask(
        f"/gradio_api/{path}", body, sender="20.3.0.3", Cookie=cookie
    )
    assert (status, "Not authenticated" in text) == (401, True)
    assert "www-authenticate" not in headers, "browsers would open a window of their own"


def test_who_is_logged_in_has_them(served: Served) -> None:
    body = b"username=ada&password=lovelace"
    _, _, headers = served.ask("/login", body, sender="20.3.0.4", **FORM)
    cookie = headers["set-cookie"].split(";")[0]
    known = {"sender": "20.3.0.4", "Cookie": cookie}
    asked = {"session_hash": "x", "fn_index": 0, "event_id": "x"}
    assert served.ask("/gradio_api/cancel", asked, **known)[0] == 200
    assert served.ask("/gradio_api/info", **known)[0] == 200
