"""Photos and results in a store: here fsspec's own in memory, and S3 as moto serves it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from batch_models import load
from PIL import Image

from colorize_core.batch import runner, store
from colorize_core.batch.manifest import Manifest
from colorize_core.batch.plan import Job
from colorize_core.errors import OptionError, PictureError, SaveError

SETTINGS = runner.BatchOptions()


@pytest.fixture
def memory() -> Iterator[Any]:
    files = fsspec.filesystem("memory")
    files.store.clear()
    yield files
    files.store.clear()
    store._listed.clear()


def save(folder: Path, count: int) -> Path:
    rng = np.random.default_rng(7)
    for number in range(count):
        path = folder / f"box {number % 2}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(10, 256, (6, 8), np.uint8)).save(path)
    (folder / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    return folder


def begin(url: str, out: str, manifest: Path) -> dict[str, str]:
    """Name of each photo -> what became of it."""
    place = store.to_path(out)
    store.list_all(place)
    book = Manifest(manifest, place)
    found = store.find(url, book.results(), place)
    jobs = runner.plan(found.photos, found.base, place)
    results = runner.run(jobs, SETTINGS, book, load_model=load, workers=1)
    return {result.job.source.name: result.status for result in results}


@pytest.mark.parametrize(
    ("text", "path"),
    [("s3://bucket/a b/c.jpg", "/s3:/bucket/a b/c.jpg"), ("memory://a", "/memory:/a")],
)
def test_a_url_is_a_path_and_back(text: str, path: str) -> None:
    assert store.to_path(text) == Path(path)
    assert store.is_remote(Path(path))
    assert store.to_text(Path(path)) == text


@pytest.mark.parametrize("text", ["file:///tmp/x.jpg", "/tmp/x.jpg"])
def test_files_of_this_machine_are_no_store(text: str) -> None:
    assert store.to_path(text) == Path("/tmp/x.jpg")
    assert not store.is_remote(store.to_path(text))
    assert store.to_text(Path("/tmp/x.jpg")) == "/tmp/x.jpg"


def test_results_are_those_of_folders_and_the_same_command_goes_on(
    memory: Any, tmp_path: Path
) -> None:
    source = save(tmp_path / "in", 4)
    memory.put(str(source), "/archive", recursive=True)
    states = begin("memory://archive", "memory://colour", tmp_path / "list")
    assert states == {f"{number}.png": "done" for number in range(4)} | {"bad.jpg": "failed"}
    found = runner.find([source], tmp_path / "out")
    jobs = runner.plan(found.photos, found.base, tmp_path / "out")
    list(runner.run(jobs, SETTINGS, load_model=load))
    for number in range(4):
        name = f"box {number % 2}/{number}.png"
        assert memory.cat(f"/colour/{name}") == (tmp_path / "out" / name).read_bytes()
    assert len(memory.find("/colour")) == 4
    rows = Manifest(tmp_path / "list", store.to_path("memory://colour")).rows
    assert set(rows) == {f"box {n % 2}/{n}.png" for n in range(4)} | {"bad.jpg"}
    assert "memory://archive/bad.jpg cannot be read" in rows["bad.jpg"].error
    memory.rm("/colour/box 0/2.png")
    memory.pipe_file("/archive/box 1/1.png", (source / "box 1/3.png").read_bytes())
    again = begin("memory://archive", "memory://colour", tmp_path / "list")
    assert {name for name, state in again.items() if state == "done"} == {"1.png", "2.png"}
    assert memory.cat("/colour/box 1/1.png") == memory.cat("/colour/box 1/3.png")


def test_a_result_does_not_replace_a_photo(memory: Any, tmp_path: Path) -> None:
    memory.put(str(save(tmp_path / "in", 1)), "/archive", recursive=True)
    photo = store.to_path("memory://archive/box 0/0.png")
    (result,) = runner.run([Job(photo, photo)], SETTINGS, load_model=load)
    assert "would replace the photo" in result.error


def test_errors_name_the_url(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    place = store.to_path("memory://archive/none.jpg")
    with pytest.raises(PictureError, match=r"memory://archive/none\.jpg cannot be read: FileNot"):
        store.read(place)

    def refuse(*_: Any) -> None:
        raise OSError("the store is full")

    monkeypatch.setattr(type(memory), "pipe_file", refuse)
    with pytest.raises(SaveError, match=r"none\.jpg cannot be written: OSError: the store is full"):
        store.write(place, b"1")
    with pytest.raises(OptionError, match="nothing:// cannot be used"):
        store.list_all(store.to_path("nothing://bucket"))


@pytest.mark.ray
def test_the_command_takes_s3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    moto = pytest.importorskip("moto.server", reason="needs moto[server]")
    pytest.importorskip("s3fs", reason="needs the extra s3")
    from colorize_core.cli import main

    server = moto.ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    try:
        files = fsspec.filesystem("s3", skip_instance_cache=True)
        files.mkdir("archive")
        files.put(str(save(tmp_path / "in", 3)) + "/", "archive/in/", recursive=True)
        given = ["batch", "s3://archive/in", "--out", "s3://archive/colour"]
        given += ["--model", "cnn-mse", "--jobs", "1"]
        with pytest.raises(SystemExit):
            main(given)
        assert "--manifest" in capsys.readouterr().err
        given += ["--manifest", str(tmp_path / "list")]
        assert main(given) == 1
        assert "3 photos colorized" in (said := capsys.readouterr()).out
        assert "into s3://archive/colour, 1 failed" in said.out
        assert "s3://archive/in/bad.jpg cannot be read" in said.err
        assert main(given) == 1
        assert "3 already done" in capsys.readouterr().out
        assert (
            main(["batch", str(tmp_path / "in"), "--out", str(tmp_path / "out"), *given[4:8]]) == 1
        )
        for number in range(3):
            name = f"box {number % 2}/{number}.png"
            assert files.cat(f"archive/colour/{name}") == (tmp_path / "out" / name).read_bytes()
    finally:
        server.stop()
