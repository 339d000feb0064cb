"""Names and passwords by HTTP Basic, shown to the app as people start it."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest
from api_docs import DOCS, examples
from mcp_client import call, said, tools
from numpy.typing import NDArray
from PIL import Image
from public_app import FORWARDED, ROOT, Served, run, serving

from ui.server.basic_auth import Basic
from ui.server.limits import Buckets, Public, Rate
from ui.server.refusals import Refused

ADA = ("ada", "love:läce")
Scene = Callable[..., NDArray[np.uint8]]


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    options = ("--auth", ":".join(ADA), "--mcp", "--proxies", "1")
    with serving(tmp_path_factory.mktemp("locked"), *options) as served:
        yield served


def shown(name: str, password: str, kind: str = "Basic") -> str:
    return f"{kind} {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


# --- the app ------------------------------------------------------------------------------------


def test_a_tool_works_for_who_shows_the_password(
    locked: Served, tmp_path: Path, gray_scene: Scene
) -> None:
    Image.fromarray(gray_scene(60, 90)).save(tmp_path / "old.png")
    data = base64.b64encode((tmp_path / "old.png").read_bytes()).decode()
    assert "colorize" in tools(locked.url, ADA)
    photo = f"data:image/png;base64,{data}"
    for watched in (False, True):
        answer = call(locked.url, "colorize", watched, ADA, photo=photo, format="PNG")
        assert not answer.isError, said(answer)
        assert "90 × 60 · Autochrome" in said(answer)
    (url,) = set(re.findall(r"http[^'\s]*colour\.png", said(answer)))
    assert httpx.get(url, auth=httpx.BasicAuth(*ADA)).status_code == 200
    assert httpx.get(url).status_code == 401


@pytest.mark.parametrize(
    "word", ["", shown("ada", "no"), shown(*ADA, "Bearer"), "Basic", "Basic !"]
)
@pytest.mark.parametrize("path", ["", "/", "/schema", "/sse", "/messages/", "/%73chema"])
def test_the_tools_are_for_nobody_else(locked: Served, path: str, word: str) -> None:
    sender = f"8.{len(path)}.{len(word)}.1"  # an address of its own: guesses are counted
    headers = {"Authorization": word} if word else {}
    for body in (None, {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}):
        status, text, said = locked.ask(
            f"/gradio_api/mcp{path}", body, sender=sender, Cookie="x=1", **headers
        )
        assert (status, "asks for a name" in text) == (401, True)
        assert said["www-authenticate"].startswith("Basic ")


def test_other_ways_to_write_the_path_lead_nowhere(locked: Served) -> None:
    for path in (
        "//gradio_api/mcp/",
        "/gradio_api//mcp/",
        "/gradio_api/./mcp/",
        "/GRADIO_API/mcp/",
    ):
        assert locked.ask(path, sender="8.8.8.8")[0] == 404


def test_the_endpoints_take_it_as_well(locked: Served) -> None:
    ada = {"Authorization": shown(*ADA), "sender": "7.7.7.1"}
    assert locked.ask("/gradio_api/info", **ada)[0] == 200
    status, text, _ = locked.ask("/gradio_api/call/models", {"data": []}, **ada)
    event = re.findall(r'"event_id":\s*"(\w+)"', text)[0]
    assert status == 200
    status, text, _ = locked.ask(f"/gradio_api/call/models/{event}", **ada)
    assert (status, "Apache-2.0" in text) == (200, True)
    assert (
        locked.ask("/gradio_api/info", sender="7.7.7.1", Authorization=shown("eve", ""))[0] == 401
    )


@pytest.mark.skipif(not shutil.which("curl"), reason="the example is for those who have curl")
def test_the_curl_example_runs_with_the_password(
    locked: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    (script,) = examples("bash")
    source = script.replace("http://127.0.0.1:7860", locked.url)
    for account, code in ((ADA, 0), (("ada", "lovelace"), 22)):
        options = f"-u '{':'.join(account)}' -H '{FORWARDED}: 5.5.5.5'"
        given = f'curl() {{ command curl {options} "$@"; }}\n{source}'
        answer = subprocess.run(["bash", "-euo", "pipefail", "-c", given], timeout=120)
        assert answer.returncode == code
    with Image.open("colour.png") as picture:
        assert picture.size == (512, 512)


def test_the_docs_show_what_a_client_sends() -> None:
    assert shown("ada", "lovelace") in DOCS


# --- the middleware -----------------------------------------------------------------------------


def asked(word: str, path: str = "/config", cookie: str = "") -> dict[str, Any]:
    headers = [(b"authorization", word.encode()), (b"cookie", cookie.encode()), (b"x", b"y")]
    app = SimpleNamespace(tokens={}, cookie_id="id")
    client = ("1.2.3.4", 5)
    return {"type": "http", "path": path, "headers": headers, "app": app, "client": client}


def test_the_password_goes_no_further_and_who_is_logged_in_as_another_is_this_one() -> None:
    scope = asked(shown(*ADA), cookie="access-token-id=of-eve; access-token-unsecure-id=of-eve")
    seen = run(Basic(None, dict([ADA]), Public())._admit(scope))
    ((token, name),) = scope["app"].tokens.items()
    assert name == "ada"
    assert len(token) > 40
    assert seen["headers"] == [
        (b"x", b"y"),
        (b"cookie", f"access-token-unsecure-id={token}".encode()),
    ]


@pytest.mark.parametrize(
    "word", [shown("ada", ""), shown("", ""), shown("eve", ADA[1]), "Basic Og==", "basic /w=="]
)
def test_what_is_wrong_is_refused(word: str) -> None:
    scope = asked(word)
    with pytest.raises(Refused, match="name and a password"):
        run(Basic(None, dict([ADA]), Public())._admit(scope))
    assert not scope["app"].tokens


def test_a_bucket_tells_the_wait_without_taking() -> None:
    now = 0.0
    buckets = Buckets(Rate(2, 60), lambda: now)
    assert [buckets.wait("ada") for _ in range(3)] == [0, 0, 0]
    buckets.take("ada")
    buckets.take("ada")
    assert (buckets.wait("ada"), buckets.wait("eve")) == (30, 0)
    now = 20.0
    assert buckets.wait("ada") == pytest.approx(10)
