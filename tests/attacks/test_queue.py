"""Promised: the queue is the only way to a run, and nobody takes more of it than the limits say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from public_app import ROOT, Served, ask_at_once, serving

from ui.shared.widgets import AT_ONCE

PLACES = 4  # in the queue; one address may have half of them


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    options = ("--no-auth", "--proxies", "1", "--max-waiting", str(PLACES))
    with serving(tmp_path_factory.mktemp("queue"), *options) as served:
        yield served


def read_functions(served: Served) -> list[dict[str, Any]]:
    return json.loads(served.ask("/config", sender="20.1.0.1")[1])["dependencies"]


def test_no_queued_function_runs_past_the_queue(served: Served) -> None:
    """By its name or its number, which everybody can read."""
    functions = read_functions(served)
    queued = [each for each in functions if each["queue"] is not False]
    assert len(queued) > 10
    for each in queued:
        for path in ("predict", str(each["api_name"] or "predict")):
            body = {"data": [], "fn_index": each["id"], "session_hash": "past"}
            status, text, _ = served.ask(f"/gradio_api/run/{path}", body, sender="20.1.0.2")
            assert (status, "join the queue" in text) == (404, True), each["api_name"]


def test_what_the_page_asks_on_the_way_is_answered(served: Served) -> None:
    (models,) = [each for each in read_functions(served) if each["api_name"] == "models"]
    assert models["queue"] is False
    for path, body in (
        ("models", {"data": []}),
        ("predict", {"data": [], "fn_index": models["id"], "session_hash": "quick"}),
    ):
        status, text, _ = served.ask(f"/gradio_api/run/{path}", body, sender="20.1.0.3")
        assert (status, "autochrome" in text) == (200, True)


def test_runs_that_are_asked_for_at_once_get_no_more_places(served: Served) -> None:
    """What is checked is reserved until the run is in the queue: 40 at the same moment have the
    places that one after the other would have."""
    sender = "20.1.0.4"
    photo = served.add_photo(ROOT / "examples" / "portrait-gray.jpg", sender)
    (compare,) = [each for each in read_functions(served) if each["api_name"] == "compare"]

    def join(number: int) -> tuple[int, str]:
        data = [photo, ["coltran"], ["1"], 4, []]
        if number % 2:
            body: dict[str, Any] = {"data": data, "session_hash": f"many{number}"}
            return served.ask("/gradio_api/call/compare", body, sender=sender)[:2]
        data += [None] * (len(compare["inputs"]) - len(data))
        body = {"data": data, "fn_index": compare["id"], "session_hash": f"many{number}"}
        return served.ask("/gradio_api/queue/join", body, sender=sender)[:2]

    try:
        answers = ask_at_once(join, 40)
    finally:
        for number in range(40):
            body = {"data": [], "session_hash": f"many{number}"}
            served.ask("/gradio_api/run/cancel", body, sender=sender)
    taken = [status for status, _ in answers if status == 200]
    assert 1 <= len(taken) <= PLACES // 2 + AT_ONCE
    refused = {text for status, text in answers if status != 200}
    assert all("runs wait already" in text for text in refused), refused
