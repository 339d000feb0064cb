"""Promised: a run ends when nobody hears it any more, and the app ends in order while one runs."""

from __future__ import annotations

import http.client
import json
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from app_server import wait_until
from PIL import Image
from public_app import (
    ERRORS,
    FORWARDED,
    ROOT,
    Served,
    is_at_rest,
    needs_proc,
    serving,
    use_of_cores,
)

from colorize_core import cards
from colorize_core.metrics import METRICS
from ui.server.departures import AWAY_SECONDS
from ui.server.temp_files import PREFIX

pytestmark = needs_proc


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    options = ("--no-auth", "--proxies", "1")
    with serving(tmp_path_factory.mktemp("stopping"), *options) as served:
        yield served


def begin(served: Served, sender: str, session: str | None) -> http.client.HTTPConnection:
    """A long run, and the connection on which it is heard; returns when it works."""
    large = served.parent / "large.jpg"
    Image.open(ROOT / "examples" / "portrait-colour.jpg").resize((1000, 1000)).save(large)
    photo = served.add_photo(large, sender)
    models = [card.name for card in cards() if not card.sampled][:10]
    measures = [metric.name for metric in METRICS if not metric.download]
    data = [photo, models, ["0.5", "1", "1.5", "2"], 1, measures]
    body: dict[str, Any] = {"data": data, **({"session_hash": session} if session else {})}
    _, text, _ = served.ask("/gradio_api/call/compare", body, sender=sender)
    event = json.loads(text)["event_id"]
    line = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    path = f"/gradio_api/call/compare/{event}"
    if session:
        path = f"/gradio_api/queue/data?session_hash={session}"
    line.request("GET", path, headers={FORWARDED: sender})
    before = use_of_cores(served)
    wait_until(lambda: use_of_cores(served) - before > 2.0)
    return line


@pytest.mark.parametrize("session", [None, "page"])
def test_a_run_ends_with_its_connection(served: Served, session: str | None) -> None:
    """The run would go on for some 20 seconds of a core."""
    line = begin(served, f"20.6.0.{len(session or '')}", session)
    assert not is_at_rest(served), "this run is over too soon to try it"
    line.close()
    begun = time.monotonic()
    wait_until(lambda: is_at_rest(served), seconds=AWAY_SECONDS + 30)
    assert time.monotonic() - begun < AWAY_SECONDS + 30
    status, text, _ = served.ask("/gradio_api/call/models", {"data": []}, sender="20.6.1.1")
    assert status == 200
    event = json.loads(text)["event_id"]
    assert "complete" in served.ask(f"/gradio_api/call/models/{event}", sender="20.6.1.1")[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_a_run_ends_the_app_in_order(tmp_path: Path, number: int) -> None:
    with serving(tmp_path, "--no-auth") as served:
        with closing(begin(served, "", "page")):
            served.process.send_signal(number)
            assert served.process.wait(timeout=60) == 0
        said = (tmp_path / ERRORS).read_text()
        assert "terminate called" not in said
        assert not list(tmp_path.glob(PREFIX + "*")), "photos stay"


def test_a_signal_right_after_the_start_does_too(tmp_path: Path) -> None:
    with serving(tmp_path, "--no-auth") as served:
        served.process.send_signal(signal.SIGTERM)  # it has begun to listen, and goes on starting
        assert served.process.wait(timeout=60) == 0
        assert "Traceback" not in (tmp_path / ERRORS).read_text()
