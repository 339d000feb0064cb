"""The app that is open to strangers: each promise is attacked, on the app as it is run."""

from __future__ import annotations

import http.client
import json
import os
import re
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from app_server import wait_until
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from playwright.sync_api import Browser
from public_app import FORWARDED, ROOT, Served, serving

from ui.server import limits
from ui.server.limits import AT_ONCE, MB, Public, Rate
from ui.server.temp_files import KEEP_SECONDS, Folder


@pytest.fixture(scope="module")
def open_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    small = ("--max-upload", "1", "--max-megapixels", "1", "--max-waiting", "3")
    with serving(tmp_path_factory.mktemp("open"), "--no-auth", "--proxies", "1", *small) as served:
        yield served


@pytest.fixture(scope="module")
def locked_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    path = ("--root-path", "/studio", "--proxies", "0")
    with serving(tmp_path_factory.mktemp("locked"), "--auth", "ada:lovelace", *path) as served:
        yield served


@pytest.fixture(scope="module")
def listener() -> Iterator[Any]:
    """A server on loopback that must not be asked; `asked` counts who did."""

    class Counting(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.server.asked += 1  # type: ignore[attr-defined]
            self.request.recv(4096)
            self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nSECRET")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Counting) as server:
        server.asked = 0  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "holiday.png"
    Image.linear_gradient("L").resize((64, 48)).save(path)
    return path


def client(served: Served, sender: str, folder: Path) -> Client:
    headers = {FORWARDED: sender}
    return Client(served.url, verbose=False, download_files=folder, headers=headers)


# --- who may use it -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/config", None),
        ("/gradio_api/info", None),
        ("/gradio_api/file=examples/cat-gray.jpg", None),
        ("/gradio_api/upload", b"--x--"),
        ("/gradio_api/queue/join", {"data": [], "fn_index": 0, "session_hash": "mine"}),
        ("/gradio_api/call/colorize", {"data": []}),
        ("/gradio_api/run/predict", {"data": [], "fn_index": 0, "session_hash": "mine"}),
        ("/gradio_api/queue/data?session_hash=mine", None),
    ],
)
def test_nothing_is_given_without_the_password(locked_app: Served, path: str, body: Any) -> None:
    status, text, _ = locked_app.ask(path, body)
    assert (status, "Not authenticated" in text) == (401, True)


def test_root_path_is_no_way_around_the_guard(locked_app: Served) -> None:
    """Whether the proxy takes it off or leaves it there."""
    for root in ("", "/studio"):
        assert locked_app.ask(f"{root}/config")[0] == 401
        assert locked_app.ask(f"{root}/gradio_api/file=/etc/passwd")[0] == 403
        assert locked_app.ask(f"{root}/gradio_api/file=http://127.0.0.1/")[0] == 403
        assert locked_app.ask(f"{root}/gradio_api/token")[0] == 404
    for root in ("/studio/studio", "/studi", "//studio"):
        assert locked_app.ask(f"{root}/gradio_api/token")[0] == 404


# --- files of the machine -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "named",
    [
        "/etc/passwd",
        "//etc/passwd",
        "%2Fetc%2Fpasswd",
        "app.py",
        "./app.py",
        str(ROOT / "app.py"),
        "examples/../app.py",
        "examples/%2e%2e/app.py",
        "examples/..%2fapp.py",
        "examples/%2e%2e%5capp.py",
        "examples/.././app.py",
        "%252e%252e/app.py",
        "file:///etc/passwd",
        "file:/etc/passwd",
        "/proc/self/environ",
        "/dev/stdin",
        "~/.bashrc",
        "%00",
        "examples/cat-gray.jpg%00.png",
        "examples",
        "examples/",
        "docs/",
        ".",
        "",
    ],
)
def test_files_outside_are_out_of_reach(open_app: Served, named: str) -> None:
    for route in ("file=", "file/"):
        status, text, _ = open_app.ask(f"/gradio_api/{route}{named}", sender="10.1.0.1")
        assert status in (403, 404)
        assert "root:" not in text
        assert "argparse" not in text


@pytest.mark.parametrize(
    "path",
    [
        "/static/..%2f..%2froutes.py",
        "/static/%2e%2e/%2e%2e/routes.py",
        "/assets/../../routes.py",
        "/svelte/..%2f..%2f..%2fetc/passwd",
        "/static//etc/passwd",
    ],
)
def test_gradios_own_folders_are_no_way_out(open_app: Served, path: str) -> None:
    status, text, _ = open_app.ask(path, sender="10.1.0.1")
    assert status in (403, 404)
    assert "root:" not in text
    assert "import" not in text


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_in_the_folder_leads_nowhere(open_app: Served) -> None:
    place = open_app.folder / "0123"
    place.mkdir()
    (place / "link.txt").symlink_to("/etc/passwd")
    (place / "up").symlink_to(ROOT)
    (place / "own.txt").write_text("own")
    for name in ("link.txt", "up/app.py"):
        status, text, _ = open_app.ask(f"/gradio_api/file={place / name}", sender="10.1.0.1")
        assert (status, "root:" in text) == (403, False)
    assert open_app.ask(f"/gradio_api/file={place / 'own.txt'}", sender="10.1.0.1")[0] == 200


def test_examples_are_shown(open_app: Served) -> None:
    status, _, headers = open_app.ask("/gradio_api/file=examples/cat-gray.jpg", sender="10.1.0.1")
    assert status == 200
    assert headers["cache-control"] == "private, no-store"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("named", ["/etc/passwd", str(ROOT / "app.py"), "app.py", "/dev/zero"])
@pytest.mark.parametrize("meta", [{"meta": {"_type": "gradio.FileData"}}, {}])
def test_a_call_takes_no_file_of_the_machine(
    open_app: Served, named: str, meta: dict[str, Any]
) -> None:
    data = [{"path": named, **meta}, "autochrome", 1, 1, 1, True, "PNG"]
    answer = open_app.call("colorize", data, "10.1.0.2")
    assert "Send the file itself" in answer


@pytest.mark.parametrize("name", ["../../evil.png", "/tmp/evil.png", "..%2fevil.png", "a/../b.png"])
def test_an_upload_stays_in_the_folder(open_app: Served, name: str) -> None:
    status, text, _ = open_app.upload(b"x" * 10, name, "10.1.0.3")
    assert status == 200
    path = Path(json.loads(text)[0]).resolve()
    assert path.is_relative_to(open_app.folder)
    assert path.read_bytes() == b"x" * 10


# --- addresses ------------------------------------------------------------------------------------


def addresses(port: int) -> list[str]:
    hosts = ("127.0.0.1", "localhost", "127.1", "2130706433", "0.0.0.0", "[::1]", "0x7f.1")
    return [f"http://{host}:{port}/secret.png" for host in hosts]


def ways_to_name(address: str) -> list[tuple[str, Any]]:
    """Wherever a client can name an address: Gradio's routes for files, and files in calls."""
    file = {"path": address, "url": address, "meta": {"_type": "gradio.FileData"}}
    several = [
        {**file, "url": None},
        file,
        {"path": address},
        {"path": None, "url": address, "meta": file["meta"]},
        {"path": "x.png", "url": address, "meta": file["meta"]},
    ]
    rest = ["autochrome", 1, 1, 1, True, "PNG"]
    calls = [("/gradio_api/call/colorize", {"data": [each, *rest]}) for each in several]
    joined = {"fn_index": None, "session_hash": "ssrf", "data": [file, *rest]}
    return [
        *((f"/gradio_api/{route}{address}", None) for route in ("file=", "file/", "proxy=")),
        (f"/gradio_api/file={quote(address, safe='')}", None),
        (f"/gradio_api/file=%20{address}", None),
        (f"/gradio_api/proxy={quote(address, safe='')}", None),
        *calls,
        ("/gradio_api/call/v2/colorize", {"photo": file}),
        ("/gradio_api/api/colorize", {"data": [file, *rest]}),
        ("/gradio_api/run/colorize", {"data": [file, *rest]}),
        *(("/gradio_api/queue/join", {**joined, "fn_index": number}) for number in range(4)),
    ]


def test_no_address_is_ever_asked(open_app: Served, listener: Any) -> None:
    port = listener.server_address[1]
    for number, address in enumerate(addresses(port)):
        sender = f"10.2.0.{number}"
        for path, body in ways_to_name(address):
            status, text, _ = open_app.ask(path, body, sender=sender)
            assert "SECRET" not in text
            if status == 200:  # a call that began: see it end
                event = json.loads(text)["event_id"]
                ended = open_app.ask(f"/gradio_api/call/colorize/{event}", sender=sender)[1]
                assert "SECRET" not in ended
    assert listener.asked == 0
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as line:
        line.request("GET", "/")
        assert line.getresponse().read() == b"SECRET"
    assert listener.asked == 1, "the listener would not have noticed"


@pytest.mark.parametrize("host", ["93.184.216.34", "huggingface.co", "100.64.0.1", "intranet"])
def test_no_address_is_asked_elsewhere_either(open_app: Served, host: str) -> None:
    """Gradio would go there: it keeps only from what it takes for a private network."""
    address = f"http://{host}/photo.png"
    routes = [path for path, body in ways_to_name(address) if body is None]
    assert len(routes) == 6
    for path in routes:
        assert open_app.ask(path, sender="10.2.2.1")[0] in (403, 404)
    for prefix in ("call", "call/v2", "run"):
        file = {"path": address, "meta": {"_type": "gradio.FileData"}}
        for body in ({"data": [file]}, {"photo": file}, {"data": [[{"deep": [file]}]]}):
            path = f"/gradio_api/{prefix}/colorize"
            status, text, _ = open_app.ask(path, body, sender="10.2.2.1")
            assert (status, "fetches nothing from an address" in text) == (400, True)


def test_headers_do_not_send_the_server_anywhere(open_app: Served, listener: Any) -> None:
    before = listener.asked
    there = f"127.0.0.1:{listener.server_address[1]}"
    told = {"X_Forwarded_Host": there, "X_Gradio_Server": f"http://{there}", "Host": there}
    for path in ("/", "/config", "/gradio_api/info"):
        assert open_app.ask(path, sender="10.2.1.1", **told)[0] == 200
    assert listener.asked == before


# --- other people's results -----------------------------------------------------------------------


def test_results_are_for_who_has_their_name(open_app: Served, photo: Path, tmp_path: Path) -> None:
    ada = client(open_app, "10.3.0.1", tmp_path / "ada")
    file, line = ada.predict(handle_file(photo), format="PNG", api_name="/colorize")
    with Image.open(file) as made:
        assert made.size == (64, 48)
    assert "Autochrome" in line
    results = list(open_app.folder.rglob("holiday-colour.png"))
    assert results
    for path in results:
        assert re.fullmatch("[0-9a-f]{32,}", path.parent.name)
        assert open_app.ask(f"/gradio_api/file={path}", sender="10.3.0.2")[0] == 200
        guesses = (open_app.folder, path.parent, path.parent.parent / ("0" * 32) / path.name)
        for guess in (*guesses, open_app.folder / path.name, f"{open_app.folder}/*/{path.name}"):
            status, text, _ = open_app.ask(f"/gradio_api/file={guess}", sender="10.3.0.2")
            assert status == 403
            assert path.parent.name not in text.replace(str(guess), "")


def test_runs_of_others_are_not_found_by_counting(open_app: Served) -> None:
    ids = []
    for _ in range(3):
        _, text, _ = open_app.ask("/gradio_api/call/cancel", {"data": []}, sender="10.3.0.3")
        ids.append(json.loads(text)["event_id"])
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in ids)
    assert len({each[:8] for each in ids}) == 3
    close = f"{int(ids[-1], 16) + 1:032x}"
    for guess in (close, "0" * 32, "1", "%2a", ids[-1][:16]):
        for path in (f"call/cancel/{guess}", f"queue/data?session_hash={guess}"):
            status, text, _ = open_app.ask(f"/gradio_api/{path}", sender="10.3.0.4")
            assert status in (200, 404)
            assert not re.search("complete|process_|generating", text)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/monitoring", None),
        ("/monitoring/summary", None),
        ("/gradio_api/runs", None),
        ("/gradio_api/run-history/records", None),
        ("/gradio_api/run-history/connect", {}),
        ("/gradio_api/deep_link?session_hash=x", None),
        ("/gradio_api/process_recording", b"x"),
        ("/gradio_api/component_server", {"component_id": 1, "fn_name": "ls", "session_hash": "x"}),
        ("/gradio_api/vibe-code", None),
        ("/gradio_api/vibe-edit", {"prompt": "rm"}),
        ("/gradio_api/dev/reload", None),
        ("/gradio_api/token", None),
        ("/gradio_api/profiling/traces", None),
        ("/gradio_api/api/colorize", {"data": []}),
        ("/gradio_api/stream/x", {"data": []}),
        ("/docs", None),
    ],
)
def test_what_a_page_does_not_need_is_shut(open_app: Served, path: str, body: Any) -> None:
    assert open_app.ask(path, body, sender="10.3.0.5")[0] == 404


def test_methods_that_are_not_known_are_shut(open_app: Served) -> None:
    for method in ("PUT", "DELETE", "TRACE", "PATCH"):
        assert open_app.ask("/config", method=method, sender="10.3.0.5")[0] == 404
    assert open_app.ask("/config", method="HEAD", sender="10.3.0.5")[0] in (200, 405)


@pytest.mark.browser
def test_page_works_behind_the_guard(open_app: Served, browser: Browser) -> None:
    """An example is coloured, and nothing that the page asks for is refused."""
    context = browser.new_context(extra_http_headers={FORWARDED: "10.3.0.6"})
    with closing(context):
        page = context.new_page()
        page.set_default_timeout(60_000)
        refused: list[str] = []
        page.on(
            "response",
            lambda answer: refused.append(answer.url) if answer.status >= 400 else None,
        )
        page.goto(open_app.url)
        strip = page.locator(".samples button:visible")
        strip.first.click()
        done = page.get_by_text(re.compile(r" · Autochrome · \d"))
        done.first.wait_for(timeout=90_000)
        assert refused == []


# --- how much and how often -----------------------------------------------------------------------


def test_uploads_end_at_the_limit(open_app: Served) -> None:
    before = {path for path in open_app.folder.rglob("*") if path.is_file()}
    for count, says in ((1_100_000, "maximum allowed size"), (6_000_000, "taken are 1 MB a file")):
        status, text, _ = open_app.upload(b"x" * count, "large.jpg", "10.4.0.1")
        assert (status, says in text) == (413, True)
    assert {path for path in open_app.folder.rglob("*") if path.is_file()} == before
    kind = {"Content_Type": "multipart/form-data; boundary=edge", "Transfer_Encoding": "chunked"}
    assert open_app.ask("/gradio_api/upload", method="POST", sender="10.4.0.1", **kind)[0] == 411


def test_a_photo_over_the_limit_is_refused_before_it_is_decoded(
    open_app: Served, tmp_path: Path
) -> None:
    Image.new("L", (1001, 1000)).save(tmp_path / "large.png")
    ada = client(open_app, "10.4.0.2", tmp_path / "down")
    with pytest.raises(AppError, match=r"large\.png has 1,001 × 1,000 = 1 megapixels; at most 1"):
        ada.predict(handle_file(tmp_path / "large.png"), api_name="/colorize")


def test_one_client_cannot_start_run_after_run(open_app: Served) -> None:
    """Another session makes it no other client, nor does a header that it sends itself."""

    def start(number: int, session: str, sender: str) -> int:
        body = {"data": [], "session_hash": session}
        for _ in range(200):
            status, text, _ = open_app.ask("/gradio_api/call/cancel", body, sender=sender)
            if "wait already" not in text:
                break
            time.sleep(0.1)  # on a busy machine those before are still in the queue
        return status

    begun = time.monotonic()

    def may_have(rate: Rate) -> float:
        """Those at once, and those that have come in the meantime."""
        return rate.burst * (1 + (time.monotonic() - begun) / rate.seconds) + 1

    count = 0
    while count < 400 and start(count, "one", "10.4.0.3") == 200:
        count += 1
    public = Public()
    assert public.own_starts.burst <= count <= may_have(public.own_starts)
    while count < 400 and start(count, f"s{count}", f"1.2.3.4, {count}.3.2.1, 10.4.0.3") == 200:
        count += 1
    assert public.starts.burst <= count <= may_have(public.starts)
    assert start(0, "other", "10.4.0.4") == 200


def test_one_client_cannot_fill_the_queue(open_app: Served) -> None:
    """Whatever its sessions are called. Of the three places one may have one."""
    me, others = "10.4.0.6", "10.4.0.7"
    _, text, _ = open_app.upload(
        (ROOT / "examples" / "portrait-gray.jpg").read_bytes(), "a.jpg", me
    )
    photo = {"path": json.loads(text)[0], "meta": {"_type": "gradio.FileData"}}
    slow = [photo, ["coltran"], ["1"], 4, []]

    def start(session: str, sender: str) -> tuple[int, str]:
        body = {"data": slow, "session_hash": session}
        status, text, _ = open_app.ask("/gradio_api/call/compare", body, sender=sender)
        return status, text

    sessions = [f"slow{number}" for number in range(8)]
    try:
        answers = [start(session, me) for session in sessions]
        refused = [text for status, text in answers if status != 200]
        assert all(status == 200 for status, _ in answers[:AT_ONCE])
        assert refused
        assert all("your runs wait already" in text for text in refused)
        assert start("fast", others)[0] == 200
    finally:
        for session in [*sessions, "fast"]:
            open_app.ask("/gradio_api/call/cancel", {"data": [], "session_hash": session})


def test_one_client_cannot_hold_every_connection(open_app: Served) -> None:
    held = []
    try:
        for number in range(limits.Public.streams + 1):
            line = http.client.HTTPConnection("127.0.0.1", open_app.port, timeout=30)
            held.append(line)
            path = f"/gradio_api/heartbeat/{number}"
            line.request("GET", path, headers={FORWARDED: "10.4.0.5"})
            status = line.getresponse().status
            assert status == (200 if number < limits.Public.streams else 429)
    finally:
        for line in held:
            line.close()
    wait_until(lambda: stream(open_app) == 200)


def stream(served: Served) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)) as line:
        line.request("GET", "/gradio_api/heartbeat/x", headers={FORWARDED: "10.4.0.5"})
        return line.getresponse().status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[" * 100_000, 400),
        (b"\xff\xfe", 400),
        (b'"' + b"x" * 33 * MB + b'"', 413),
    ],
)
def test_calls_that_make_no_sense_are_refused(open_app: Served, body: bytes, status: int) -> None:
    kind = {"Content_Type": "application/json"}
    found, _, _ = open_app.ask("/gradio_api/queue/join", body, sender="10.4.0.6", **kind)
    assert found == status


def test_page_has_the_limits_of_the_profile_and_keeps_no_history(open_app: Served) -> None:
    config = json.loads(open_app.ask("/config", sender="10.4.0.7")[1])
    assert config["max_file_size"] == 1 * MB
    assert config["run_history"] is False
    assert config["analytics_enabled"] is False


# --- the disk -------------------------------------------------------------------------------------


def test_an_upload_that_was_cut_off_goes_in_time(open_app: Served, tmp_path: Path) -> None:
    line = http.client.HTTPConnection("127.0.0.1", open_app.port, timeout=30)
    line.putrequest("POST", "/gradio_api/upload")
    line.putheader(FORWARDED, "10.5.0.1")
    line.putheader("Content-Type", "multipart/form-data; boundary=edge")
    line.putheader("Content-Length", "500000")
    head = b'--edge\r\nContent-Disposition: form-data; name="files"; filename="x.png"\r\n\r\n'
    line.endheaders(head + b"x" * 100_000)
    loose = lambda: [path for path in open_app.folder.iterdir() if path.is_file()]  # noqa: E731
    wait_until(lambda: bool(loose()))
    line.close()
    left = loose()
    assert left, "Gradio removes it by now: the sweep need not"
    folder = Folder(tmp_path)
    (cut,) = [folder.path / "tmpabcdef"]
    cut.write_bytes(left[0].read_bytes())
    folder.sweep()
    assert cut.exists()
    hour_ago = time.time() - KEEP_SECONDS - 1
    os.utime(cut, (hour_ago, hour_ago))
    folder.sweep()
    assert not cut.exists()


def test_what_strangers_cannot_have_is_not_offered(tmp_path: Path) -> None:
    script = """
import json, sys
import app
from ui.server.limits import Public
blocks = app.build(app.new_service(Public()))
config = blocks.config["components"]
shown = [each["props"] for each in config if each["props"].get("visible", True) is not False]
print(json.dumps([str(each.get("value") or "") + str(each.get("choices") or "") for each in shown]))
print(json.dumps([each["props"].get("id") for each in config if each["type"] == "tabitem"]))
"""
    environment = {**os.environ, "HF_HOME": str(tmp_path), "TORCH_HOME": str(tmp_path)}
    told = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    shown, tabs = map(json.loads, told.stdout.splitlines()[-2:])
    assert {"colorize", "models"} <= set(tabs)
    assert not {"prompt", "film", "deoldify-stable"} & set(tabs)
    for words in (
        "Download 220",
        "to download",
        "downloads 44",
        "Select object by",
        "on your own machine",
    ):
        assert not [each for each in shown if words in each], words
    assert "Describe the photo for me" not in shown
