"""What goes wrong with downloads: each ends in a clear error or a retry that works, and never in
half a file taken for whole."""

import errno
import hashlib
import io
import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from hub_server import COMMIT, SOON, Fault, point_at, serving
from huggingface_hub import constants, file_download
from scenes import ROOT

from colorize_core import load
from colorize_core.cards import WeightFile
from colorize_core.downloads import checkpoints, places, transfer
from colorize_core.errors import Cancelled, WeightsError

CHUNK = transfer.CHUNK  # of processes of their own
CONTENT = os.urandom(700_000)  # some of them
SHA = hashlib.sha256(CONTENT).hexdigest()
REPO, NAME = "someone/large", "model.safetensors"


@pytest.fixture
def served(tmp_path, monkeypatch):
    folder = tmp_path / "hub"
    for path in (folder / REPO / NAME, folder / "files" / f"model-{SHA[:8]}.pth"):
        path.parent.mkdir(parents=True)
        path.write_bytes(CONTENT)
    monkeypatch.setattr(transfer, "PAUSE", 0.05)
    monkeypatch.setattr(transfer, "STALL", 0.5)
    monkeypatch.setattr(transfer, "CHUNK", 1000)
    with serving(folder, tmp_path / "cache", monkeypatch) as server:
        yield server


@pytest.fixture(params=["on the Hub", "pinned on the Hub", "at an address"])
def file(request, served):
    """The same content at all the places where weights may be."""
    if request.param == "at an address":
        address = f"{served.url}/files/model-{SHA[:8]}.pth"
        return WeightFile(f"model-{SHA[:8]}.pth", SHA[:8], len(CONTENT), address=address)
    revision = COMMIT if request.param == "pinned on the Hub" else ""
    return WeightFile(NAME, SHA if revision else "", len(CONTENT), REPO, revision)


def remains(tmp_path):
    """Sizes of the files in the caches: whole ones, and parts."""
    found = [p for p in (tmp_path / "cache").rglob("*") if p.is_file() and not p.is_symlink()]
    sizes = {p: p.stat().st_size for p in found if ".locks" not in p.parts}
    parts = [size for p, size in sizes.items() if p.suffix == ".part"]
    whole = [size for p, size in sizes.items() if p.suffix != ".part" and size > 1000]
    return whole, parts


def test_a_file_is_found_again_without_asking(file, served, monkeypatch):
    reports = []
    path = checkpoints.find(file, reports.append)
    assert path.read_bytes() == CONTENT
    assert reports[0] == 0
    assert reports[-1] == len(CONTENT)
    assert reports == sorted(reports)
    asked = len(served.asked)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert checkpoints.find(file) == path
    assert len(served.asked) == asked


def test_what_is_missing_is_fetched_with_one_progress(served):
    (served.folder / REPO / "config.json").write_bytes(b"{}")
    address = f"{served.url}/files/model-{SHA[:8]}.pth"
    files = (
        WeightFile("cnn-mse/model.safetensors", "", 3),
        WeightFile("config.json", "", 0, REPO),
        WeightFile(NAME, SHA, len(CONTENT), REPO),
        WeightFile(f"model-{SHA[:8]}.pth", SHA[:8], len(CONTENT), address=address),
    )
    assert checkpoints.list_missing(files) == files[1:]
    reports = []
    checkpoints.fetch(files, lambda done, total: reports.append((done, total)))
    assert checkpoints.list_missing(files) == ()
    assert reports == sorted(reports)
    whole = 2 * len(CONTENT) + 2
    assert reports[-1] == (whole, whole)
    asked = len(served.asked)
    checkpoints.fetch(files)
    assert len(served.asked) == asked


RETRIED = {
    "cut off": [Fault(cut_after=300_000), Fault(cut_after=300_000), None],
    "cut off before the first byte": [Fault(cut_after=0), None],
    "cut off again and again, but it moves": [Fault(cut_after=9_000)] * 10,
    "stalled before the first byte": [Fault(stall=3), None],
    "stalled midway": [Fault(cut_after=50_000, stall=3), None],
    "busy": [Fault(503), Fault(429), Fault(500), None],
    "busy, and says how long": [Fault(429, retry_after="1"), None],
    "an address that ran out": [Fault(403), None],
    "damaged once": [Fault(flip=True), None],
    "damaged after a cut": [Fault(cut_after=20_000), Fault(flip=True), None],
}


@pytest.mark.parametrize("faults", RETRIED.values(), ids=RETRIED.keys())
def test_what_passes_is_tried_again(file, served, tmp_path, faults):
    served.faults = list(faults)
    assert checkpoints.find(file).read_bytes() == CONTENT
    assert remains(tmp_path) == ([len(CONTENT)], [])
    assert not any(served.faults)


def test_a_cut_is_taken_up_where_it_was(file, served):
    served.faults = [Fault(cut_after=300_000), Fault(ends_after=300_000)]
    checkpoints.find(file)
    assert served.ranges == [None, "bytes=300000-", "bytes=600000-"]


FATAL = {
    "cut off without an end": ([Fault(cut_after=0)] * 4, r"cannot be reached", 0),
    "stalled without an end": (
        [Fault(cut_after=5000, stall=3)] + [Fault(stall=3)] * 3,
        r"cannot be reached",
        5000,
    ),
    "busy without an end": ([Fault(503)] * 4, r"answered 503.*Wait a little", 0),
    "rate limited for long": ([Fault(429, retry_after="3600")], r"answered 429.*Wait", 0),
    "denied": ([Fault(401)], r"answered 401.*again", 0),
    "forbidden": ([Fault(403)] * 2, r"answered 403.*again", 0),
    "gone": ([Fault(cut_after=5000), Fault(404)], r"answered 404|no repository|no file", 5000),
    "damaged": ([Fault(flip=True)] * 2, r"damaged on its way, twice.*another network", None),
}


@pytest.mark.parametrize(("faults", "words", "kept"), FATAL.values(), ids=FATAL.keys())
def test_what_does_not_pass_is_said_and_can_be_gone_on_with(
    file, served, tmp_path, faults, words, kept
):
    served.faults = list(faults)
    with pytest.raises(WeightsError, match=words) as caught:
        checkpoints.find(file)
    assert file.path in str(caught.value)
    whole, parts = remains(tmp_path)
    assert whole == []
    assert sum(parts) == (kept or 0)
    assert served.faults == []
    assert checkpoints.find(file).read_bytes() == CONTENT
    assert remains(tmp_path) == ([len(CONTENT)], [])


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault(401), "answered 401"),
        (Fault(403), "answered 403"),
        (Fault(429, retry_after="3600"), "answered 429.*Wait a little"),
        (Fault(503), "answered 503.*Wait a little"),
    ],
)
def test_a_server_that_says_no_at_once_is_asked_once(file, served, fault, words):
    served.head_faults = [fault]
    with pytest.raises(WeightsError, match=words):
        checkpoints.find(file)
    assert len(served.asked) == 1


def test_a_server_that_is_busy_for_a_moment_is_asked_again(file, served):
    served.head_faults = [Fault(429, retry_after="1")]
    assert checkpoints.find(file).read_bytes() == CONTENT


def test_a_file_that_rots_is_named_and_fetched_anew(file, served, tmp_path, caplog):
    path = checkpoints.find(file)
    path.resolve().write_bytes(CONTENT[:50_000])
    with caplog.at_level(logging.WARNING):
        assert checkpoints.find(file).read_bytes() == CONTENT
    assert f"{NAME if file.repo else file.path} is damaged in {path}" in caplog.text
    assert remains(tmp_path) == ([len(CONTENT)], [])


def test_what_rots_rots_for_every_revision_and_is_fetched_once(served, caplog):
    newest, pinned = WeightFile(NAME, "", 0, REPO), WeightFile(NAME, SHA, 0, REPO, "f" * 40)
    paths = [checkpoints.find(newest), checkpoints.find(pinned)]
    paths[0].resolve().write_bytes(b"rotten")
    assert checkpoints.find(pinned).read_bytes() == CONTENT
    assert checkpoints.find(newest).read_bytes() == CONTENT
    assert caplog.text.count("is damaged") == 1
    assert served.ranges == [None, None]


def test_rotten_content_without_a_name_is_not_taken_for_whole(served):
    path = checkpoints.find(WeightFile(NAME, "", 0, REPO))
    path.resolve().write_bytes(b"rotten")
    assert checkpoints.find(WeightFile(NAME, "", 0, REPO, "f" * 40)).read_bytes() == CONTENT


def test_content_that_repositories_share_is_left_alone(served, tmp_path, caplog):
    """As huggingface_hub's store for several repositories has it: a link more, under another
    hash."""
    file = WeightFile(NAME, SHA, 0, REPO)
    path = checkpoints.find(file)
    shared = tmp_path / "cache" / "blobs" / "ab" / ("ab" * 32)
    shared.parent.mkdir(parents=True)
    blob = path.resolve().rename(shared)
    (path.parent / path.readlink()).symlink_to(blob)
    assert checkpoints.find(file).read_bytes() == CONTENT
    assert checkpoints.is_whole(file)
    checkpoints.locate(file).drop()
    assert shared.read_bytes() == CONTENT
    assert checkpoints.find_local(file) is None
    assert "damaged" not in caplog.text


def test_a_small_file_must_have_the_hash_of_the_card_too(served):
    served.small = True
    assert checkpoints.find(WeightFile(NAME, SHA, 0, REPO)).read_bytes() == CONTENT
    with pytest.raises(WeightsError, match="damaged on its way, twice"):
        checkpoints.find(WeightFile(NAME, "0" * 64, 0, REPO))


def test_a_file_that_is_replaced_midway_is_not_mixed(served):
    served.faults = [Fault(cut_after=300_000, stall=0.3)]
    path = served.folder / REPO / NAME
    other = CONTENT[::-1]
    threading.Timer(0.15, lambda: path.write_bytes(other)).start()
    file = WeightFile(NAME, "", 0, REPO)
    with pytest.raises(WeightsError, match="changed while it was downloaded"):
        checkpoints.find(file)
    assert checkpoints.find(file).read_bytes() == other


def test_a_file_that_rots_is_no_file_without_a_connection(file, served, tmp_path, monkeypatch):
    checkpoints.find(file).resolve().write_bytes(CONTENT[:50_000])
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE forbids"):
        checkpoints.find(file)
    assert remains(tmp_path) == ([], [])


def test_another_file_than_the_card_says_is_refused(served, tmp_path):
    other = "0" * 64
    with pytest.raises(WeightsError, match=f"another {REPO}/{NAME}.*is {SHA}, expected {other}"):
        checkpoints.find(WeightFile(NAME, other, 3, REPO))
    assert remains(tmp_path) == ([], [])
    assert served.ranges == []
    address = f"{served.url}/files/model-{SHA[:8]}.pth"
    with pytest.raises(WeightsError, match="damaged on its way, twice"):
        checkpoints.find(WeightFile("model.pth", other, 3, address=address))
    assert remains(tmp_path) == ([], [])


def test_a_stalled_download_can_be_stopped(file, served, tmp_path):
    stop = threading.Event()
    served.faults = [Fault(cut_after=300_000, stall=5), Fault(stall=5)]

    def report(count):
        if count == 300_000:
            threading.Timer(0.2, stop.set).start()  # while nothing comes

    started = time.monotonic()
    with pytest.raises(Cancelled):
        checkpoints.find(file, report, stop)
    assert time.monotonic() - started < transfer.STALL + 1
    assert remains(tmp_path) == ([], [300_000])


@pytest.mark.parametrize("where", ["faults", "head_faults"])
def test_waiting_for_a_busy_server_can_be_stopped(file, served, where):
    stop = threading.Event()
    getattr(served, where).append(Fault(429, retry_after="20"))
    threading.Timer(0.2, stop.set).start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        checkpoints.find(file, stop=stop)
    assert time.monotonic() - started < SOON


def test_no_connection_is_known_at_once_and_remembered(served, monkeypatch):
    """Of files on a server that does not answer, only the first waits for it."""
    point_at(monkeypatch, "http://127.0.0.1:9")
    tried = []
    for name in ("a", "b", "c"):
        started = time.monotonic()
        with pytest.raises(WeightsError, match=r"cannot be reached.*Check the connection") as said:
            checkpoints.find(WeightFile(name, "", 0, REPO))
        tried.append("a moment ago" not in str(said.value))
        assert time.monotonic() - started < SOON
    assert tried == [True, False, False]
    monkeypatch.setattr(transfer, "REMEMBERED", 0.0)
    point_at(monkeypatch, served.url)
    assert checkpoints.find(WeightFile(NAME, "", 0, REPO)).read_bytes() == CONTENT


def test_a_server_that_never_answers_costs_one_probe(served, monkeypatch):
    monkeypatch.setattr(places, "PROBE", 0.3)
    served.head_faults = [Fault(stall=2 * SOON)]
    started = time.monotonic()
    for name in (NAME, "other"):
        with pytest.raises(WeightsError, match="cannot be reached"):
            checkpoints.find(WeightFile(name, "", 0, REPO))
    assert time.monotonic() - started < SOON
    assert len(served.asked) == 1


def test_offline_the_models_that_ship_go_on(served, file, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    started = time.monotonic()
    with pytest.raises(WeightsError, match=r"Unset HF_HUB_OFFLINE.* copy "):
        checkpoints.find(file)
    assert time.monotonic() - started < SOON
    assert served.asked == []
    assert load("cnn-mse", "cpu").card.name == "cnn-mse"


FETCH = """
import sys
from colorize_core.downloads import checkpoints
from colorize_core.cards import WeightFile
path, sha256, repo, revision, address = sys.argv[1:]
print(checkpoints.find(WeightFile(path, sha256, 0, repo, revision, address)))
"""


def start(file, served, tmp_path):
    environment = os.environ | {
        "HF_ENDPOINT": served.url,
        "HF_HUB_CACHE": str(tmp_path / "cache"),
        "TORCH_HOME": str(tmp_path / "cache" / "torch"),
        "HF_HUB_OFFLINE": "0",
    }
    given = (file.path, file.sha256, file.repo, file.revision, file.address)
    return subprocess.Popen(
        [sys.executable, "-c", FETCH, *given],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_several_processes_download_once(file, served, tmp_path):
    served.faults = [Fault(cut_after=300_000, stall=1)]
    running = [start(file, served, tmp_path) for _ in range(3)]
    said = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], said
    assert len({path for path, _ in said}) == 1
    assert Path(said[0][0].strip()).read_bytes() == CONTENT
    assert served.ranges == [None, f"bytes={CHUNK}-"]


def test_several_threads_download_once(file, served):
    served.faults = [Fault(cut_after=300_000, stall=0.3)]
    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(checkpoints.find, [file] * 4))
    assert len(paths) == 1
    assert paths.pop().read_bytes() == CONTENT
    assert served.ranges == [None, "bytes=300000-"]


def test_where_there_are_no_links_the_content_is_kept_once(served, tmp_path, monkeypatch):
    """As on Windows: nothing but the card tells then what a file must hash to."""
    monkeypatch.setattr(file_download, "are_symlinks_supported", lambda *_: False)
    monkeypatch.setenv("HF_HUB_DISABLE_SYMLINKS_WARNING", "1")
    known, unknown = WeightFile(NAME, SHA, 0, REPO), WeightFile(NAME, "", 0, REPO)
    path = checkpoints.find(known)
    assert remains(tmp_path) == ([len(CONTENT)], [])
    assert checkpoints.is_whole(known) is True
    assert checkpoints.is_whole(unknown) is None
    path.write_bytes(b"rotten")
    assert checkpoints.is_whole(known) is False
    assert checkpoints.find(known).read_bytes() == CONTENT
    checkpoints.locate(known).drop()
    assert remains(tmp_path) == ([], [])


def test_a_killed_process_leaves_what_can_be_gone_on_with(file, served, tmp_path):
    served.faults = [Fault(cut_after=300_000, stall=20)]
    process = start(file, served, tmp_path)
    deadline = time.monotonic() + 30
    while sum(remains(tmp_path)[1]) < 1000 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.communicate()
    whole, parts = remains(tmp_path)
    assert whole == []
    assert checkpoints.find(file).read_bytes() == CONTENT
    assert served.ranges == [None, f"bytes={parts[0]}-"]


class Full(io.FileIO):
    """A file on a disk with room for so many more bytes."""

    left = 40_000

    def write(self, chunk):
        if len(chunk) > Full.left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        Full.left -= len(chunk)
        return super().write(chunk)


def test_a_disk_that_fills_up_is_named_and_gone_on_with(file, served, tmp_path, monkeypatch):
    def tight(path, mode="r", *rest, **options):
        return Full(path, mode) if path.suffix == ".part" and "b" in mode else real(path, mode)

    real = Path.open
    with monkeypatch.context() as patch:
        patch.setattr(Full, "left", 40_000)
        patch.setattr(Path, "open", tight)
        with pytest.raises(WeightsError, match=r"disk is full.*room.*(HF_HUB_CACHE|TORCH_HOME)"):
            checkpoints.find(file)
    assert remains(tmp_path) == ([], [40_000])
    assert checkpoints.find(file).read_bytes() == CONTENT
    assert served.ranges == [None, "bytes=40000-"]


def test_a_disk_without_room_is_known_before(file, served, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3))
    with pytest.raises(WeightsError, match=r"0 MB free.*does not fit.*(HF_HUB_CACHE|TORCH_HOME)"):
        checkpoints.find(file)
    assert served.ranges == []
    assert remains(tmp_path) == ([], [])
