"""`app.py --mcp`, asked by an MCP client over HTTP."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from app_server import free_port, is_up, wait_until
from mcp_client import call, said, tools
from numpy.typing import NDArray
from PIL import Image
from public_app import serving
from scenes import ROOT

import app
from colorize_core import cards
from ui.server.guard import NO_ADDRESS

TOOLS = ["colorize", "questions", "selective", "prompt", "models", "compare", "pair", "scores"]
SIZE = (90, 60)  # of the photo, width and height
Scene = Callable[..., NDArray[np.uint8]]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app as people start it."""
    port = free_port()
    folder = tmp_path_factory.mktemp("app")
    process = subprocess.Popen(
        [sys.executable, "app.py", "--mcp", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "GRADIO_TEMP_DIR": str(folder), "HF_HUB_CACHE": str(folder / "hub")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # Gradio's own traceback of an address that is refused
    )
    try:
        wait_until(lambda: is_up(port), seconds=120)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture(scope="module")
def as_data(gray_photo: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(gray_photo.read_bytes()).decode()


def download(url: str) -> NDArray[np.uint8]:
    with urllib.request.urlopen(url, timeout=30) as answer, Image.open(answer) as picture:
        return np.asarray(picture.convert("RGB"))


def is_coloured(pixels: NDArray[np.uint8]) -> bool:
    return (
        pixels.shape == (SIZE[1], SIZE[0], 3) and int(np.ptp(pixels.astype(int), axis=2).max()) > 4
    )


def test_just_the_endpoints_are_tools_and_say_what_they_take(address: str) -> None:
    found = tools(address)
    assert list(found) == TOOLS
    for tool in found.values():
        for name in tool.inputSchema["properties"]:
            assert re.search(rf"\b{name}\b", tool.description or ""), f"{name} is not described"
    colorize = found["colorize"].inputSchema
    assert colorize["required"] == ["photo"]
    assert colorize["properties"]["model"]["enum"] == [card.name for card in cards(downloads=True)]


def test_a_photo_in_base64_is_colorized(address: str, as_data: str) -> None:
    answer = call(address, "colorize", photo=as_data, format="PNG", vividness=1.5)
    assert not answer.isError, said(answer)
    assert "90 × 60 · Autochrome" in said(answer)
    url = re.findall(r"'url': '([^']+)'", said(answer))[0]
    assert is_coloured(download(url))


def test_who_follows_the_progress_is_given_the_picture(address: str, as_data: str) -> None:
    answer = call(address, "colorize", watched=True, photo=as_data, format="PNG")
    (picture,) = [part for part in answer.content if part.type == "image"]
    with Image.open(io.BytesIO(base64.b64decode(picture.data))) as opened:
        assert is_coloured(np.asarray(opened.convert("RGB")))


def test_cards_and_scores_are_json(address: str) -> None:
    models = json.loads(said(call(address, "models")))
    assert [model["name"] for model in models] == [card.name for card in cards(downloads=True)]
    scores = json.loads(said(call(address, "scores")))
    assert scores[0]["model"] == "gray"


def test_what_is_refused_is_refused_in_our_words(address: str, as_data: str) -> None:
    answer = call(address, "colorize", photo=as_data, vividness=9)
    assert (answer.isError, said(answer)) == (True, "vividness is 9, allowed is 0 to 2.")
    answer = call(address, "prompt", photo=as_data)
    assert answer.isError
    assert "Not on this machine yet: Stable Diffusion 1.5" in said(answer)


@pytest.fixture
def inner_server() -> Iterator[tuple[int, list[str]]]:
    """A server in the private network that nobody outside should reach: its port, and what it was
    asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], asked
        server.shutdown()


@pytest.mark.parametrize(
    "tool", ["colorize", "questions", "selective", "compare", "pair", "prompt"]
)
def test_no_path_and_no_private_address_is_read(
    address: str, tool: str, gray_photo: Path, inner_server: tuple[int, list[str]]
) -> None:
    port, asked = inner_server
    assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 404
    assert asked == ["/"]
    for place in (
        str(gray_photo),
        gray_photo.as_uri(),
        f"http://127.0.0.1:{port}/secret.png",
        f"http://localhost:{port}/secret.png",
        f"http://0.0.0.0:{port}/secret.png",
        f"http://2130706433:{port}/secret.png",
        f"{address}/gradio_api/file={gray_photo}",
        f"{address}/gradio_api/file=/etc/passwd",
    ):
        answer = call(address, tool, photo=place)
        assert answer.isError, place
    for meta in ({}, {"meta": {"_type": "gradio.FileData"}}):
        assert call(address, tool, photo={"path": str(gray_photo), **meta}).isError
    assert asked == ["/"]


# --- the option -----------------------------------------------------------------------------------


def test_without_the_package_the_option_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "mcp" else find(name)
    )
    with pytest.raises(SystemExit) as stopped:
        app.parse(["--mcp"])
    assert stopped.value.code == 2
    assert "pip install 'gradio[mcp]'" in capsys.readouterr().err
    assert app.parse([]).mcp is False


def test_in_public_a_tool_takes_a_photo_but_no_address(
    tmp_path: Path, gray_photo: Path, as_data: str
) -> None:
    with serving(tmp_path, "--no-auth", "--mcp") as served:
        answer = call(served.url, "colorize", photo=as_data, format="PNG")
        (url,) = re.findall(r"'url': '([^']+)'", said(answer))
        assert is_coloured(download(url))
        assert call(served.url, "colorize", photo=str(gray_photo)).isError
        asked = {"name": "colorize", "arguments": {"photo": "http://example.org/photo.jpg"}}
        question = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": asked}
        refused = httpx.post(f"{served.url}/gradio_api/mcp/", json=question)
        assert (refused.status_code, refused.json()["detail"]) == (400, NO_ADDRESS)
