"""Scripts and styles of the page: the right ones, once, for good, and nothing else."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from public_app import run

from ui.server import gradio_private
from ui.server.static_files import FOLDER, StaticFiles

PASSED_ON = {"type": "http.response.start", "status": 204, "headers": []}


async def gradio(scope: Any, receive: Any, send: Any) -> None:
    """In the place of Gradio: it says that it was asked."""
    await send(PASSED_ON)


@pytest.fixture(scope="module")
def files() -> StaticFiles:
    return StaticFiles(gradio)


@pytest.fixture(scope="module")
def style() -> Path:
    return max(gradio_private.find_assets().glob("*.css"), key=lambda path: path.stat().st_size)


def ask(
    files: StaticFiles, path: str, method: str = "GET", root: str = "", **headers: str
) -> tuple[Any, bytes]:
    """The start of the answer and its body."""
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": root,
        "headers": [
            (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
        ],
    }
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    run(files(scope, None, send))
    return sent[0], b"".join(each.get("body", b"") for each in sent[1:])


def test_a_file_is_what_gradio_has_and_stays_for_good(files: StaticFiles, style: Path) -> None:
    for root in ("", "/studio"):
        start, body = ask(files, root + FOLDER + style.name, root=root)
        headers = dict(start["headers"])
        assert (start["status"], body) == (200, style.read_bytes())
        assert headers[b"content-type"] == b"text/css"
        assert headers[b"cache-control"] == b"public, max-age=31536000, immutable"
        assert headers[b"content-length"] == str(len(body)).encode()
        assert b"content-encoding" not in headers


def test_who_unpacks_gets_it_packed(files: StaticFiles, style: Path) -> None:
    start, body = ask(files, FOLDER + style.name, accept_encoding="br, gzip")
    assert (b"content-encoding", b"gzip") in start["headers"]
    assert gzip.decompress(body) == style.read_bytes()
    assert len(body) < 0.5 * style.stat().st_size


def test_a_file_is_read_once(style: Path) -> None:
    files = StaticFiles(gradio)
    ask(files, FOLDER + style.name)
    files._files[style.name] = Path("gone")
    assert ask(files, FOLDER + style.name)[1] == style.read_bytes()


def test_a_quicker_script_is_served_and_stays_for_a_day(files: StaticFiles) -> None:
    for script in gradio_private.find_assets().glob("core-*.js"):
        start, content = ask(files, FOLDER + script.name)
        assert content == gradio_private.quicken(script.read_bytes())
        changed = content != script.read_bytes()
        seconds = 24 * 3600 if changed else 365 * 24 * 3600
        assert f"max-age={seconds}".encode() in dict(start["headers"])[b"cache-control"]


@pytest.mark.parametrize(
    "path", ["", "gone-12345678.js", "../index.html", "..%2Findex.html", "sub/index.js", "."]
)
def test_what_is_not_there_is_left_to_gradio(files: StaticFiles, path: str) -> None:
    assert ask(files, FOLDER + path) == (PASSED_ON, b"")


def test_other_requests_are_left_to_gradio(files: StaticFiles, style: Path) -> None:
    assert ask(files, FOLDER + style.name, method="HEAD")[0] == PASSED_ON
    assert ask(files, FOLDER + style.name, range="bytes=0-9")[0] == PASSED_ON
    assert ask(files, "/static/" + style.name)[0] == PASSED_ON
    assert ask(files, "/theme.css")[0] == PASSED_ON
