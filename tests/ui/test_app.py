"""The app without a browser: the endpoint through gradio_client, the shared studio, the options."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import tifffile
from app_server import free_port, is_up, wait_until
from gradio_client import Client, handle_file
from gradio_client.client import Job
from gradio_client.exceptions import AppError
from numpy.typing import NDArray
from PIL import Image
from scenes import ROOT

import app
from colorize_core.errors import Cancelled, ColorizeError, PictureError
from colorize_core.imaging import image
from colorize_core.imaging.color import rgb_to_lab
from colorize_core.imaging.formats import CHOICES
from colorize_core.models.runner import Task
from colorize_core.options import Options
from colorize_core.steering.hints import Hint
from ui.server.temp_files import KEEP_SECONDS, PREFIX, SWEEP_SECONDS, Folder
from ui.shared.service import Service

MAKE = 271  # EXIF tags
ORIENTATION = 274
Scene = Callable[..., NDArray[np.uint8]]


class Counted:
    """A model that counts how often its network runs."""

    def __init__(self, colorizer: Any):
        self.colorizer = colorizer
        self.predictions = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.colorizer, name)

    def predict(self, *arguments: Any, **options: Any) -> Any:
        self.predictions += 1
        return self.colorizer.predict(*arguments, **options)


@pytest.fixture(scope="module")
def counted(load_model: Callable[[str], Any]) -> Counted:
    return Counted(load_model("autochrome"))


@pytest.fixture
def service(counted: Counted, tmp_path: Path) -> Service:
    return Service(Folder(tmp_path), load=lambda _: counted)


@pytest.fixture
def client(app_address: str, tmp_path: Path) -> Client:
    return Client(app_address, verbose=False, download_files=tmp_path / "down")


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory, gray_scene: Scene) -> Path:
    """A gray JPEG that lies on its side, with a camera's name in its EXIF."""
    path = tmp_path_factory.mktemp("photos") / "holiday.jpg"
    exif = Image.Exif()
    exif[MAKE] = "Kine Exakta"
    exif[ORIENTATION] = 6
    Image.fromarray(gray_scene(120, 200)).save(path, quality=95, exif=exif)
    return path


def lightness(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    return rgb_to_lab(pixels.reshape(-1, 3) / 255.0)[:, 0]


def test_endpoint_colours_at_full_size_and_keeps_light_and_metadata(
    client: Client, photo: Path
) -> None:
    file, line = client.predict(handle_file(photo), format="PNG", api_name="/colorize")
    before, after = image.read(photo), image.read(file)
    assert Path(file).name == "holiday-colour.png"
    assert after.pixels.shape == before.pixels.shape == (200, 120, 3)
    assert np.ptp(after.pixels.astype(int), axis=2).max() > 4, "there is no colour in it"
    assert np.abs(lightness(after.pixels) - lightness(before.pixels)).max() < 1
    with Image.open(file) as picture:
        assert picture.getexif()[MAKE] == "Kine Exakta"
        assert picture.getexif().get(ORIENTATION, 1) == 1
    assert re.fullmatch(r"120 × 200 · Autochrome · \d+\.\d s on the CPU", line)


@pytest.mark.parametrize("format", CHOICES)
def test_each_format_opens_at_full_size(client: Client, photo: Path, format: str) -> None:
    file, _ = client.predict(handle_file(photo), format=format, api_name="/colorize")
    assert Path(file).name == "holiday-colour" + CHOICES[format].suffix
    if format.startswith("TIFF"):
        pixels = tifffile.imread(file)
        assert (pixels.shape, pixels.dtype) == ((200, 120, 3), np.uint16)
        assert (pixels % 257).any(), "the 16 bits hold only 8-bit steps"
    else:
        with Image.open(file) as picture:
            assert (picture.size, picture.format) == ((120, 200), format.upper())


def test_the_line_says_that_a_file_holds_more(
    client: Client, gray_scene: Scene, tmp_path: Path
) -> None:
    pages = [Image.fromarray(gray_scene(90, 90)) for _ in range(3)]
    pages[0].save(tmp_path / "album.tif", save_all=True, append_images=pages[1:])
    _, line = client.predict(handle_file(tmp_path / "album.tif"), api_name="/colorize")
    assert line.endswith(" · the first of 3 pictures")


def test_sepia_is_neutralised_and_colour_set_aside_and_the_line_says_so(
    client: Client, gray_scene: Scene, tmp_path: Path
) -> None:
    gray = gray_scene(90, 90)
    sepia = (gray * np.array([1.0, 0.86, 0.66])).astype(np.uint8)
    Image.fromarray(sepia).save(tmp_path / "sepia.png")
    _, line = client.predict(handle_file(tmp_path / "sepia.png"), api_name="/colorize")
    assert line.endswith(" · sepia neutralised")
    hues = np.stack([gray[..., 0], gray[::-1, :, 0], gray[:, ::-1, 0]], axis=2)
    Image.fromarray(hues).save(tmp_path / "colour.png")
    _, line = client.predict(handle_file(tmp_path / "colour.png"), api_name="/colorize")
    assert line.endswith(" · its own colours set aside")


@pytest.mark.parametrize(
    ("name", "start", "says"),
    [
        ("cut.jpg", lambda jpeg: jpeg[: len(jpeg) // 3], "cut.jpg cannot be read: it is damaged"),
        ("note.jpg", lambda _: b"Dear diary, no picture today.", "note.jpg is not a picture"),
        ("none.png", lambda _: b"", "none.png is empty"),
    ],
)
def test_bad_files_are_answered_in_our_words(
    client: Client, photo: Path, tmp_path: Path, name: str, start: Any, says: str
) -> None:
    (tmp_path / name).write_bytes(start(photo.read_bytes()))
    with pytest.raises(AppError, match=re.escape(says)) as caught:
        client.predict(handle_file(tmp_path / name), api_name="/colorize")
    assert str(tmp_path) not in str(caught.value), "the message shows a folder of the server"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"vividness": 9}, "vividness is 9, allowed is 0 to 2"),
        ({"strength": "much"}, "strength is 'much', a number is needed"),
        ({"gain": 0.1}, "gain is 0.1, allowed is 0.5 to 2"),
        ({"format": "BMP"}, "format is 'BMP', allowed are: JPEG; PNG; WebP; TIFF, 16 bit"),
    ],
)
def test_bad_options_are_answered_in_our_words(
    client: Client, photo: Path, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(AppError) as caught:
        client.predict(handle_file(photo), api_name="/colorize", **options)
    assert says in str(caught.value).replace("&#x27;", "'")


@pytest.mark.parametrize("meta", [{"meta": {"_type": "gradio.FileData"}}, {}])
def test_files_of_the_server_are_out_of_reach(
    app_address: str, meta: dict[str, Any], photo: Path
) -> None:
    data = [{"path": str(photo), **meta}, "autochrome", 1, 1, 1, True, "PNG", ""]
    assert "event: error" in call(app_address, data)


def test_a_call_without_a_photo_is_explained(app_address: str) -> None:
    answer = call(app_address, [None, "autochrome", 1, 1, 1, True, "PNG", ""])
    assert "event: error" in answer
    assert "Send a picture file" in answer


def call(address: str, data: list[Any]) -> str:
    """POST straight to the endpoint, without the client's uploads; gives the stream of events."""
    url = f"{address}/gradio_api/call/colorize"
    body = json.dumps({"data": data}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{url}/{event}", timeout=30) as stream:
        return str(stream.read().decode())


def test_two_people_at_once_get_their_own_photos(
    app_address: str, gray_scene: Scene, tmp_path: Path
) -> None:
    sizes = [(60, 80), (90, 50)]
    jobs = []
    for index, (height, width) in enumerate(sizes):
        path = tmp_path / f"{index}.png"
        Image.fromarray(gray_scene(height, width, seed=index)).save(path)
        client = Client(app_address, verbose=False, download_files=tmp_path / f"down-{index}")
        jobs.append(client.submit(handle_file(path), format="PNG", api_name="/colorize"))
    for index, (job, (height, width)) in enumerate(zip(jobs, sizes, strict=True)):
        file, _ = job.result(timeout=60)
        before = gray_scene(height, width, seed=index)
        after = image.read(file).pixels
        assert after.shape == before.shape
        assert np.abs(lightness(after) - lightness(before)).max() < 1


def test_vividness_and_strength_leave_the_network_alone(
    service: Service, counted: Counted, photo: Path
) -> None:
    start = counted.predictions
    with service.task("someone") as job:
        given = service.photo(photo)
        work = service.colorize(given, Options(), job)
        assert counted.predictions == start + 1
        vivid = service.colorize(given, Options(vividness=2.0, strength=0.5), job)
        assert counted.predictions == start + 1
        assert image.read(vivid.after).pixels.tolist() != image.read(work.after).pixels.tolist()
        service.colorize(given, Options(gain=0.7), job)
        assert counted.predictions == start + 2
        service.colorize(given, Options(neutralize=False), job)
        assert counted.predictions == start + 3


def test_a_variant_and_hints_over_it_let_the_network_look_once(
    service: Service, counted: Counted
) -> None:
    opened, task = service.photo(ROOT / "examples" / "portrait-gray.jpg"), Task()
    opened.read(task)
    before = counted.predictions
    hint = Hint(0.5, 0.5, (30.0, -30.0))
    usual, second, hinted = (
        opened.predict(service.runner, options, task)
        for options in (Options(), Options(variant=1), Options(variant=1, hints=(hint,)))
    )
    assert counted.predictions == before + 1
    layers = [len(each.layers) for each in (usual, second, hinted)]
    assert layers == [layers[0], layers[0] + 1, layers[0] + 2]
    assert opened.predict(service.runner, Options(variant=1), task) is second


def test_cancel_stops_the_work_of_that_session_only(endless_address: str, photo: Path) -> None:
    mine, theirs = (Client(endless_address, verbose=False) for _ in range(2))
    jobs = [who.submit(handle_file(photo), api_name="/colorize") for who in (mine, theirs)]
    for job in jobs:
        wait_until(lambda job=job: is_colouring(job))
    mine.predict(api_name="/cancel")
    with pytest.raises(AppError, match="Stopped"):
        jobs[0].result(timeout=60)
    assert not jobs[1].done()
    theirs.predict(api_name="/cancel")
    with pytest.raises(AppError, match="Stopped"):
        jobs[1].result(timeout=60)


def is_colouring(job: Job) -> bool:
    units = job.status().progress_data or []
    return any(unit.desc == "Colouring" for unit in units)


def test_cancel_reaches_a_run_that_waits_for_the_network(service: Service, photo: Path) -> None:
    caught: list[BaseException] = []

    def run() -> None:
        try:
            with service.task("waiting") as job:
                service.colorize(service.photo(photo), Options(), job)
        except ColorizeError as error:
            caught.append(error)

    with service.runner._network:
        thread = threading.Thread(target=run)
        thread.start()
        wait_until(lambda: "waiting" in service._tasks)
        service.stop("waiting")
        thread.join(timeout=60)
    assert [type(error) for error in caught] == [Cancelled]


def test_a_fault_of_the_program_becomes_a_message(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ColorizeError, match="has failed on this photo"), service.task("someone"):
        raise ZeroDivisionError
    assert "ZeroDivisionError" in caplog.text
    with pytest.raises(ColorizeError, match="not enough memory"), service.task("someone"):
        raise MemoryError
    assert not service._tasks


def test_a_deleted_upload_is_explained(service: Service, tmp_path: Path) -> None:
    with (
        pytest.raises(PictureError, match=r"gone\.jpg is no longer here"),
        service.task("someone") as job,
    ):
        service.colorize(service.photo(tmp_path / "gone.jpg"), Options(), job)


def test_folder_is_private_and_forgets_after_an_hour(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    old, young = folder.new("old.jpg"), folder.new("young.jpg")
    lasting = folder.lasting / "thumbnail.jpg"
    for path in (old, young, lasting):
        path.write_bytes(b"x")
    hour_ago = time.time() - KEEP_SECONDS - 1
    for path in (old, old.parent, lasting):
        os.utime(path, (hour_ago, hour_ago))
    folder.sweep()
    assert [path.exists() for path in (old, young, lasting)] == [False, True, True]
    folder.close()
    assert not folder.path.exists()


def test_next_start_removes_what_a_crash_left(tmp_path: Path) -> None:
    crashed, running, foreign = (
        tmp_path / name for name in (PREFIX + "crashed", PREFIX + "running", "other")
    )
    for place in (crashed, running, foreign):
        place.mkdir()
        (place / "photo.jpg").write_bytes(b"x")
    hour_ago = time.time() - KEEP_SECONDS - 1
    for place in (crashed, foreign):
        os.utime(place, (hour_ago, hour_ago))
    Folder(tmp_path).close()
    assert [place.exists() for place in (crashed, running, foreign)] == [False, True, True]


def test_next_start_removes_at_once_what_was_killed(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from ui.server.temp_files import Folder\n"
        "folder = Folder(sys.argv[1])\n"
        "folder.new('photo.jpg').write_bytes(b'x')\n"
        "print(folder.path, flush=True)\n"
        "os._exit(9)\n"
    )
    running = Folder(tmp_path)
    killed = Path(run_python(tmp_path, "-c", script, str(tmp_path)).stdout.strip())
    assert killed.is_dir()
    Folder(tmp_path).close()
    assert [running.path.is_dir(), killed.exists()] == [True, False]


def test_page_is_private_by_default(app_address: str, tmp_path: Path) -> None:
    config = Client(app_address, verbose=False).config
    assert config["analytics_enabled"] is False
    assert config["run_history"] is False
    assert config["footer_links"] == ["api"]
    assert config["max_file_size"] == image.MAX_BYTES
    script = (
        "import app\n"
        "blocks = app.build()\n"
        "print(blocks.delete_cache, blocks._queue.max_size, blocks.analytics_enabled)\n"
        "print(app.launch_options()['enable_monitoring'])\n"
    )
    answer = run_python(tmp_path, "-c", script)
    assert answer.stdout.split("\n")[:2] == [
        f"({SWEEP_SECONDS}, {KEEP_SECONDS}) {app.WAITING} False",
        "False",
    ], answer.stderr


def run_python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "GRADIO_TEMP_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_help_names_every_option(tmp_path: Path) -> None:
    answer = run_python(tmp_path, "app.py", "--help")
    assert answer.returncode == 0
    for option in (
        *("--host", "--port", "--share", "--auth", "--root-path", "--public", "--no-auth"),
        *("--proxies", "--max-upload", "--max-megapixels", "--max-waiting"),
    ):
        assert option in answer.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--port", "many"], "'many' is no port"),
        (["--auth", "onlyname"], "USER:PASSWORD"),
        (["--colour"], "unrecognized arguments: --colour"),
    ],
)
def test_wrong_options_are_explained(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        app.parse(arguments)
    assert stopped.value.code == 2
    assert says in capsys.readouterr().err


def test_importing_runs_nothing_and_the_page_is_built_without_torch(tmp_path: Path) -> None:
    script = (
        "import sys, app\n"
        "assert 'gradio' not in sys.modules, 'gradio'\n"
        "app.build()\n"
        "assert 'torch' not in sys.modules, 'torch'\n"
    )
    answer = run_python(tmp_path, "-c", script)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to answer")
def test_app_asks_for_the_password_and_tidies_up_when_it_is_ended(tmp_path: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port), "--auth", "ada:lovelace"],
        cwd=ROOT,
        env={**os.environ, "GRADIO_TEMP_DIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        wait_until(lambda: is_up(port), seconds=90)
        with pytest.raises(Exception, match=r"(?i)credentials|auth|401"):
            Client(f"http://127.0.0.1:{port}", verbose=False)
        page = httpx.get(f"http://127.0.0.1:{port}").text
        assert "gradio-app" in page
        assert "early" not in page  # nobody could drop a photo here
        inside = Client(f"http://127.0.0.1:{port}", auth=("ada", "lovelace"), verbose=False)
        assert (
            "/colorize"
            in inside.view_api(print_info=False, return_format="dict")["named_endpoints"]
        )
        assert [place.name.startswith(PREFIX) for place in tmp_path.iterdir()] == [True]
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        assert list(tmp_path.iterdir()) == []
    finally:
        process.kill()
        process.communicate()


def test_a_signal_waits_for_no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may come while the thread that it interrupts holds the lock of an event."""
    stopped = threading.Event()

    def come_at_the_worst_moment(number: int, handle: Any) -> None:
        with stopped._cond:
            handle(number, None)

    monkeypatch.setattr(app.signal, "signal", come_at_the_worst_moment)
    waiting = threading.Thread(target=app.await_signal, args=(stopped,), daemon=True)
    waiting.start()
    waiting.join(10)
    assert not waiting.is_alive()
    assert stopped.is_set()
