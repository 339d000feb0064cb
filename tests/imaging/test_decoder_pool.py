from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from app_server import wait_until

from colorize_core import errors
from colorize_core.imaging import decoder_answers, image
from colorize_core.imaging.decoder_pool import Budget, DecoderPool
from colorize_core.imaging.image import Photo
from tests import image_files as files

MB = 1_000_000
Strange = Callable[..., DecoderPool]
# What a file could make of the process that reads it.
SLEEP = "with open(path + '.pid', 'x') as file: file.write(str(os.getpid()))\n    time.sleep(600)"
CRASH = "os.abort()"
TELL = "raise PictureError(str(os.getpid()))"


@pytest.fixture(scope="module")
def pool() -> DecoderPool:
    return DecoderPool(Budget(1_000 * MB, seconds=100))


@pytest.fixture
def strange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Strange:
    """A pool whose processes do something else where they are to read the file "strange"."""

    def make(what: str, seconds: int = 100, most: int = 1) -> DecoderPool:
        (tmp_path / "sitecustomize.py").write_text(
            "import os, time\n"
            "from colorize_core.errors import PictureError\n"
            "from colorize_core.imaging import image\n"
            "read = image.read\n"
            "def act(path, *others):\n"
            "    if not path.endswith('strange'): return read(path, *others)\n"
            f"    {what}\n"
            "image.read = act\n"
        )
        return DecoderPool(Budget(1_000 * MB, seconds), most)

    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "photo.png").write_bytes(files.saved(files.colours(), "PNG"))
    return make


def check_reads(pool: DecoderPool, folder: Path) -> None:
    assert np.array_equal(pool.decode(folder / "photo.png", "photo").pixels, files.colours())


def is_gone(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return not status.exists() or "State:\tZ" in status.read_text()


@pytest.mark.parametrize(
    "data",
    [
        files.saved(files.colours(), "JPEG", exif=files.exif_block(6), comment=b"a note"),
        files.saved(files.colours(channels=4), "PNG", dpi=(300, 300)),
        files.deep_png(files.deep(channels=2)),
        files.tiff(files.deep(), photometric="rgb"),
        files.saved(files.colours(), "GIF", save_all=True, append_images=[]),
    ],
    ids=["JPEG", "PNG", "deep PNG", "TIFF", "GIF"],
)
def test_a_photo_is_what_it_is_in_this_process(
    pool: DecoderPool, data: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "photo \N{SNOWMAN}\n\udcff"
    path.write_bytes(data)
    found, expected = pool.decode(path, "photo"), image.read(path)
    for name in Photo.__dataclass_fields__:
        one, other = getattr(found, name), getattr(expected, name)
        if isinstance(other, np.ndarray):
            assert one.dtype == other.dtype
            assert np.array_equal(one, other)
        else:
            assert one == other


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", errors.EmptyFileError, "^ada is empty"),
        (b"Dear Ada", errors.NotAPictureError, "^ada is not a picture but text"),
        (files.saved(files.colours(), "PNG")[:99], errors.BrokenPictureError, "^ada cannot be"),
        (None, errors.PictureError, "^ada cannot be read: there is no such file"),
    ],
)
def test_errors_are_the_same(
    pool: DecoderPool, data: bytes | None, error: type[Exception], words: str, tmp_path: Path
) -> None:
    if data is not None:
        (tmp_path / "file").write_bytes(data)
    with pytest.raises(error, match=words) as raised:
        pool.decode(tmp_path / "file", "ada")
    assert raised.type is error


def test_pixels_are_counted_in_what_the_header_announces(tmp_path: Path) -> None:
    pool = DecoderPool(Budget(1_000 * MB, 100, pixels=24 * 37))
    (tmp_path / "photo").write_bytes(files.saved(files.colours(24, 37), "PNG"))
    assert pool.decode(tmp_path / "photo", "photo").pixels.shape == (24, 37, 3)
    (tmp_path / "large").write_bytes(files.saved(files.colours(25, 37), "PNG"))
    with pytest.raises(errors.PictureTooLargeError, match="37 × 25 = 0 megapixels; at most 0"):
        pool.decode(tmp_path / "large", "large")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere memory is not counted")
@pytest.mark.parametrize(
    "format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "JPEG2000"]
)
def test_memory_ends(format: str, tmp_path: Path) -> None:
    pool = DecoderPool(Budget(40 * MB, seconds=100))
    for side, name in ((64, "small"), (4000, "large")):
        (tmp_path / name).write_bytes(files.saved(np.zeros((side, side, 3), np.uint8), format))
    with pytest.raises(errors.PictureError) as raised:
        pool.decode(tmp_path / "large", "large")
    assert raised.type is errors.PictureTooLargeError
    assert "needs more memory than there is" in str(raised.value)
    assert pool.decode(tmp_path / "small", "small").pixels.shape == (64, 64, 3)


def test_time_ends(strange: Strange, tmp_path: Path) -> None:
    pool = strange(SLEEP)
    check_reads(pool, tmp_path)
    pool._idle[0]._seconds = 1  # of which a busy machine would take more to start it
    with pytest.raises(errors.PictureTooLargeError, match="x takes longer than 1 s to read"):
        pool.decode(tmp_path / "strange", "x")
    assert is_gone(int((tmp_path / "strange.pid").read_text()))


def test_who_does_not_wait_any_more_stops_it(strange: Strange, tmp_path: Path) -> None:
    pool, stopped, pid = strange(SLEEP), threading.Event(), tmp_path / "strange.pid"
    with ThreadPoolExecutor() as threads:
        reading = threads.submit(pool.decode, tmp_path / "strange", "x", stopped)
        wait_until(lambda: pid.exists() and pid.read_text() != "")
        # Another one waits for the only process, and is stopped, too.
        waiting = threads.submit(pool.decode, tmp_path / "photo.png", "y", stopped)
        stopped.set()
        for each in (reading, waiting):
            with pytest.raises(errors.Cancelled):
                each.result()
    assert is_gone(int(pid.read_text()))
    check_reads(pool, tmp_path)


def test_a_file_that_crashes_it_is_refused(strange: Strange, tmp_path: Path) -> None:
    pool = strange(CRASH)
    for _ in range(2):
        with pytest.raises(errors.BrokenPictureError, match="x cannot be read: the program"):
            pool.decode(tmp_path / "strange", "x")
        check_reads(pool, tmp_path)


def test_there_is_another_where_one_was_ended_meanwhile(strange: Strange, tmp_path: Path) -> None:
    pool = strange(TELL)
    pool.start()
    with pytest.raises(errors.PictureError):
        pool.decode(tmp_path / "strange", "x")
    (process,) = pool._idle
    os.kill(process.pid, signal.SIGTERM)
    wait_until(lambda: not process.usable)  # the last of its threads may end after it
    check_reads(pool, tmp_path)


@pytest.mark.parametrize("most", [1, 2])
def test_there_are_so_many_processes_and_they_stay(
    strange: Strange, most: int, tmp_path: Path
) -> None:
    pool = strange("time.sleep(0.02)\n    " + TELL, most=most)

    def ask(_: int) -> str:
        with pytest.raises(errors.PictureError) as told:
            pool.decode(tmp_path / "strange", "x")
        return str(told.value)

    with ThreadPoolExecutor(4) as threads:
        assert 1 <= len(set(threads.map(ask, range(12)))) <= most


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_it_does_not_outlive_who_asked(strange: Strange, tmp_path: Path) -> None:
    strange(SLEEP)
    asking = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path\n"
            "from colorize_core.imaging.decoder_pool import Budget, DecoderPool\n"
            f"DecoderPool(Budget({1000 * MB}, 100)).decode(Path('strange'), 'x')",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    pid = tmp_path / "strange.pid"
    wait_until(lambda: pid.exists() and pid.read_text() != "")
    asking.kill()
    asking.wait()
    wait_until(lambda: is_gone(int(pid.read_text())))


def test_it_loads_neither_torch_nor_gradio() -> None:
    code = (
        "import sys, colorize_core.imaging.decoder_process; "
        "print({'torch', 'gradio', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


ANSWER = {"shapes": [[2, 2, 3]], "depth": 1, "metadata": {}, "format": "PNG", "pages": 1}


@pytest.mark.parametrize(
    "answer",
    [
        b"cos\nsystem\n(S'exit 1'\ntR.",
        b"{}\n",
        b"[" * 100_000 + b"\n",
        json.dumps({"error": "SystemExit", "words": "gone"}).encode() + b"\n",
        json.dumps({**ANSWER, "left_out": [], "depth": 8}).encode() + b"\n" + bytes(96),
        json.dumps({**ANSWER, "left_out": [], "shapes": [[9999, 9999, 3]]}).encode() + b"\n",
        json.dumps({**ANSWER, "left_out": []}).encode() + b"\n" + bytes(11),
    ],
    ids=["pickle", "nothing", "depth", "error", "samples", "large", "cut off"],
)
def test_nothing_that_a_process_answers_is_trusted(answer: bytes) -> None:
    with pytest.raises(decoder_answers.FAULTS):
        decoder_answers.read_answer(io.BytesIO(answer), 1_000)


def test_a_file_that_takes_the_process_over_is_refused(strange: Strange, tmp_path: Path) -> None:
    pool = strange("os.write(3, b'no answer\\n' * 9)")
    with pytest.raises(errors.BrokenPictureError, match="x cannot be read: the program"):
        pool.decode(tmp_path / "strange", "x")
    check_reads(pool, tmp_path)
