"""The parts of the public profile, without a server: test_public.py attacks the whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from handler_calls import call
from scenes import ROOT

import app
from colorize_core.errors import WeightsError
from ui.server import guard, limits
from ui.server.limits import MB, Buckets, Public, Rate
from ui.server.refusals import Refused
from ui.server.temp_files import KEEP_SECONDS, Folder
from ui.shared.service import Service


@pytest.mark.parametrize("options", [["--share"], ["--public"], ["--public", "--share"]])
def test_sharing_without_a_word_on_auth_is_refused(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        app.parse(options)
    assert "give --auth USER:PASSWORD, or say --no-auth" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        app.parse([*options, "--auth", "ada:lovelace", "--no-auth"])
    for said in (["--auth", "ada:lovelace"], ["--no-auth"]):
        assert app.public_profile(app.parse([*options, *said])) == Public()


def test_profile_follows_from_the_command_line_and_from_a_space(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert app.public_profile(app.parse([])) is None
    own = ["--public", "--no-auth", "--max-upload", "5", "--max-megapixels", "7"]
    options = app.parse([*own, "--max-waiting", "9", "--root-path", "/studio"])
    expected = Public(upload_bytes=5 * MB, pixels=7 * MB, waiting=9, proxies=1)
    assert app.public_profile(options) == expected
    monkeypatch.setenv("SPACE_ID", "somebody/autochrome")
    assert app.public_profile(app.parse([])) == Public(proxies=1)


def test_an_address_among_the_arguments_of_a_tool_is_refused() -> None:
    call = {"method": "tools/call", "params": {"name": "colorize", "arguments": {"photo": "X"}}}
    guard.check_arguments(call)
    for address in ("http://10.0.0.1/x.png", " HTTPS://intranet/x.png"):
        call["params"]["arguments"]["photo"] = address  # type: ignore[index]
        with pytest.raises(Refused, match="Send the file itself"):
            guard.check_arguments([call])


LAUNCH = """
import os
import app, gradio

def launch(blocks, **options):
    print(blocks._queue.max_size, blocks.delete_cache, options["max_file_size"])
    print(options["enable_monitoring"], options["run_history"], options["ssr_mode"])
    print(os.environ["HF_HUB_OFFLINE"], repr(os.environ["FORWARDED_ALLOW_IPS"]))
    raise SystemExit

gradio.Blocks.launch = launch
app.main(["--public", "--no-auth", "--max-waiting", "5"])
"""


def test_launch_gets_the_profile(tmp_path: Path) -> None:
    """Also the net under the words on downloads: huggingface_hub is offline."""
    own = {**os.environ, "GRADIO_TEMP_DIR": str(tmp_path)}
    answer = subprocess.run(
        [sys.executable, "-c", LAUNCH], cwd=ROOT, env=own, capture_output=True, text=True
    )
    assert answer.stdout.splitlines() == [
        f"5 (60, {KEEP_SECONDS}) {Public.upload_bytes}",
        "False False False",
        "1 ''",
    ], answer.stderr


def test_bucket_fills_again_and_forgets_who_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    buckets = Buckets(Rate(3, 60), clock=lambda: now[0])
    assert [buckets.take("ada") for _ in range(4)] == [0, 0, 0, pytest.approx(20)]
    assert buckets.take("grace") == 0
    now[0] = 20.0
    assert [buckets.take("ada") for _ in range(2)] == [0, pytest.approx(20)]
    now[0] = 1000.0
    assert buckets.take("ada", cost=99) == 0
    assert buckets.take("ada") == pytest.approx(20)
    monkeypatch.setattr(limits, "CLIENTS", 2)
    for name in ("b", "c", "d"):
        buckets.take(name)
    assert list(buckets._left) == ["c", "d"]


@pytest.mark.parametrize(
    ("header", "proxies", "expected"),
    [
        (None, 0, "127.0.0.1"),
        ("1.2.3.4", 0, "127.0.0.1"),
        ("1.2.3.4", 1, "1.2.3.4"),
        ("6.6.6.6, 1.2.3.4", 1, "1.2.3.4"),
        ("6.6.6.6, 1.2.3.4, 10.0.0.1", 2, "1.2.3.4"),
        ("1.2.3.4", 2, "127.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", 1, "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", 1, "2001:db8:1:2::/64"),
        ("::ffff:1.2.3.4", 1, "1.2.3.4"),
        ("nobody", 1, ""),
    ],
)
def test_address_is_believed_only_from_own_proxies(
    header: str | None, proxies: int, expected: str
) -> None:
    sent = [] if header is None else [(b"x-forwarded-for", header.encode())]
    assert guard.read_address({"client": ("127.0.0.1", 5), "headers": sent}, proxies) == expected


def test_path_is_seen_as_the_routes_see_it() -> None:
    scope = {"path": "/studio/gradio_api/file=/etc/passwd", "root_path": "/studio"}
    assert guard.strip_root(scope) == "/gradio_api/file=/etc/passwd"
    assert guard.strip_root({"path": "/studios/x", "root_path": "/studio"}) == "/studios/x"


def test_full_disk_is_not_filled_further(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    shut = guard.Guard(None, Public(free_bytes=10**18), folder.path)
    with pytest.raises(Refused, match="no room") as refused:
        shut._admit_upload("ada", 1000)
    assert refused.value.status == 507
    with pytest.raises(Refused, match="no room"):
        shut._admit_call("run", "ada", b"{}")
    guard.Guard(None, Public(free_bytes=0), folder.path)._admit_upload("ada", 1000)


@pytest.fixture
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A studio that is open, on a machine with empty caches, where nothing may be downloaded."""
    from colorize_core.downloads import checkpoints
    from colorize_core.metrics import trunks

    def fetched(*_: Any, **__: Any) -> Any:
        raise AssertionError("a stranger had something downloaded")

    monkeypatch.setattr(trunks, "fetch_first", fetched)
    monkeypatch.setattr(checkpoints, "find", fetched)
    monkeypatch.setattr(checkpoints, "find_local", lambda _: None)
    return Service(Folder(tmp_path), public=Public())


def test_prompt_downloads_nothing_for_strangers(strangers: Service) -> None:
    from colorize_core.prompted import sources
    from colorize_core.prompted.settings import PromptSettings
    from ui.prompt import tab as prompt_tab

    wanted = sources.list_needed(PromptSettings())
    message = call(prompt_tab.Handlers(strangers, []).download, wanted)["remark"]
    assert "a public app downloads nothing" in message
    for source in wanted:
        assert f"hf download {source.repo} {source.files[0].path}" in message
        assert f"--revision {source.revision}" in message


@pytest.mark.parametrize("network", ["mobile", "resnet101", "sam2"])
def test_masks_download_nothing_for_strangers(strangers: Service, network: str) -> None:
    from ui.selective import tab as selective_tab

    on = selective_tab.Handlers(strangers, [], [])
    with (
        strangers.task("ada") as task,
        pytest.raises(WeightsError, match="a public app downloads nothing") as refused,
    ):
        on._fetch(network, task)
    said = "hf download facebook/sam2.1" if network == "sam2" else f"--network {network}"
    assert said in str(refused.value)


def test_scores_download_nothing_for_strangers(strangers: Service) -> None:
    from colorize_core.metrics import METRICS
    from ui.compare.run import _fetched

    asked = [metric for metric in METRICS if metric.download]
    board = SimpleNamespace(truth="there", metrics=asked, missing={}, entries=[], made={})
    with strangers.task("ada") as job:
        list(_fetched(strangers, board, job))  # type: ignore[arg-type]
    assert asked
    for metric in asked:
        assert "a public app downloads nothing" in board.missing[metric.name]
        assert f"metrics.prepare('{metric.name}')" in board.missing[metric.name]


def test_a_private_app_still_downloads(tmp_path: Path) -> None:
    Service(Folder(tmp_path)).check_download("SAM 2.1", "hf download")
