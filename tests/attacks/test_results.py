"""Promised: everybody gets their own photo, the same bytes each time, and it costs no memory that
lasts."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from public_app import FORWARDED, Served, ask_at_once, needs_proc, serving

from benchmarks.public_memory import MIB, measure_tree

CLIENTS, RUNS = 16, 2
SETTINGS = ["autochrome", 1.0, 1.0, 1.0, True, "PNG", ""]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    options = ("--no-auth", "--proxies", "1", "--max-waiting", "200")
    with serving(tmp_path_factory.mktemp("results"), *options) as served:
        yield served


def make_photo(number: int) -> Image.Image:
    """Gray, of a size and with stripes that no other number has."""
    x = np.arange(64 + number)
    stripes = 128 + 100 * np.sin(x * (number + 2) / 64 * np.pi)
    return Image.fromarray(np.tile(stripes, (48, 1)).astype(np.uint8))


def colour(served: Served, photo: Image.Image, sender: str) -> bytes:
    """The result's file."""
    file = io.BytesIO()
    photo.save(file, "PNG")
    status, text, _ = served.upload(file.getvalue(), "photo.png", sender)
    assert status == 200, text
    given = {"path": json.loads(text)[0], "meta": {"_type": "gradio.FileData"}}
    told = served.call("colorize", [given, *SETTINGS], sender)
    assert "event: complete" in told, told[-200:]
    path = json.loads(told.split("event: complete\ndata:")[1].splitlines()[0])[0]["path"]
    return fetch(served, path, sender)


def fetch(served: Served, path: str, sender: str) -> bytes:
    from urllib.request import Request, urlopen

    asked = Request(f"{served.url}/gradio_api/file={path}", headers={FORWARDED: sender})
    with urlopen(asked, timeout=30) as answer:
        return bytes(answer.read())


def test_results_are_never_mixed(served: Served) -> None:
    def ask(number: int) -> list[bytes]:
        sender = f"30.1.0.{number + 1}"
        return [colour(served, make_photo(number), sender) for _ in range(RUNS)]

    for number, results in enumerate(ask_at_once(ask, CLIENTS)):
        photo = np.asarray(make_photo(number), np.int16)
        for result in results:
            found = np.asarray(Image.open(io.BytesIO(result)).convert("L"), np.int16)
            assert found.shape == photo.shape
            assert np.abs(found - photo).mean() < 3, number
        assert len({hashlib.sha256(each).hexdigest() for each in results}) == 1


@needs_proc
@pytest.mark.parametrize("photos", [40, pytest.param(300, marks=pytest.mark.slow)])
def test_memory_is_as_before_after_many_photos(served: Served, photos: int) -> None:
    def ask(number: int) -> None:
        colour(served, make_photo(number % CLIENTS), f"30.2.{number // 250}.{number % 250 + 1}")

    def measure() -> float:
        return measure_tree(served.process.pid) / MIB

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(ask, range(20)))  # what the first ones load stays
        before = measure()
        list(threads.map(ask, range(20, 20 + photos)))
    grown = measure() - before
    assert grown < 40 + photos * 0.2, f"{grown:.0f} MiB"  # of 300 kB a photo nothing may stay
