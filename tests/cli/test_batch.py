"""The command for archives."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from child_process import running
from PIL import Image
from scenes import ROOT

from colorize_core.batch import ray_data, runner
from colorize_core.batch.claim import claim
from colorize_core.batch.manifest import Manifest, Row
from colorize_core.batch.plan import Job
from colorize_core.cli import batch, main

MODEL = ("--model", "cnn-mse", "--jobs", "1")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    for number in range(3):
        path = tmp_path / f"in/box/{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((16, 24), 60 * (number + 1), np.uint8)).save(path)
    (tmp_path / "in/bad.jpg").write_bytes(b"\xff\xd8\xff")
    return tmp_path / "in"


def _run(*arguments: Any) -> int:
    return main(["batch", *map(str, arguments)])


def test_an_archive_is_coloured_gone_on_with_and_told_of(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    given = (archive, "--out", out, *MODEL, "--finish", "warmth=0.2", "--format", "jpeg")
    assert _run(*given) == 1
    said = capsys.readouterr()
    assert said.out.startswith("3 photos colorized in ")
    assert said.out.endswith("1 failed.\n")
    assert said.err.count(str(archive / "bad.jpg")) == 1
    assert said.err.endswith("The same command tries the failed ones again.\n")
    names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert names == {"manifest.csv", "box/0.jpg", "box/1.jpg", "box/2.jpg"}
    (archive / "bad.jpg").unlink()
    assert _run(*given) == 0
    assert "0 photos colorized" in (said := capsys.readouterr().out)
    assert "3 already done" in said
    assert _run("--report", out) == 0
    told = capsys.readouterr().out
    assert told.startswith("4 photos: 3 done, 1 failed.\n")
    assert str(archive / "bad.jpg") in told


def test_the_report_begins_with_the_least_sure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = Manifest(tmp_path)
    for name, spread in (("a", "9.5"), ("b", "21.25"), ("c", ""), ("d", "10")):
        manifest.add(Row(f"/in/{name}.png", f"{name}.png", "done", spread=spread))
    for name in "xyz":
        manifest.add(Row(f"/in/{name}.png", f"{name}.png", "failed", error="It is\nempty."))
    manifest.add(Row("/in/e.png", "e.png", "started"))
    assert _run("--report", tmp_path, "--most", 2) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "8 photos: 4 done, 3 failed, 1 begun and not finished."
    assert lines[2:4] == [f"  21.2  {tmp_path / 'b.png'}", f"  10.0  {tmp_path / 'd.png'}"]
    assert lines[5] == "  /in/x.png: It is empty."
    assert lines[7] == "1 more: --most 3 lists them. The same command tries the failed ones again."
    assert lines[8] == "The same command goes on with those that were begun."


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no photo was named"),
        (["in", "--out", "out.png"], "names a file: give a folder"),
        (["in", "--vividness", "9"], "vividness is 9"),
        (["--report", "in"], "holds no manifest.csv"),
        (["in", "--jobs", "0"], "is not a whole number"),
    ],
)
def test_wrong_usage_is_told(
    archive: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(archive.parent)
    with pytest.raises(SystemExit) as ended:
        _run(*arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
    assert {path.name for path in archive.parent.iterdir()} == {"in"}


def test_a_second_run_in_one_folder_is_refused(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with claim(tmp_path / "out"), pytest.raises(SystemExit):
        _run(archive, "--out", tmp_path / "out", *MODEL)
    assert "Another run is at work" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such signal")
def test_ctrl_c_ends_cleanly_and_the_same_command_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(30):
        path = tmp_path / f"in/{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((16, 24), number, np.uint8)).save(path)
    command = [sys.executable, "-m", "colorize_core", "batch", "in", "--out", "out", *MODEL]
    options: dict[str, Any] = {"cwd": tmp_path, "text": True, "stderr": subprocess.PIPE}
    options |= {"env": {"PYTHONPATH": str(ROOT)}, "stdout": subprocess.PIPE}
    with running(command, start_new_session=True, **options) as process:
        until = time.monotonic() + 60
        manifest = tmp_path / "out/manifest.csv"
        while not (manifest.exists() and b",done," in manifest.read_bytes()):
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == "Stopped. The same command goes on from here.\n"
    names = [path.name for path in (tmp_path / "out").iterdir()]
    assert all(name.endswith((".png", ".csv")) for name in names)
    monkeypatch.chdir(tmp_path)
    assert _run("in", "--out", "out", *MODEL) == 0
    assert "already done" in capsys.readouterr().out
    assert len(list((tmp_path / "out").glob("*.png"))) == 30


def _results(count: int, skipped: int) -> list[runner.Result]:
    job = Job(Path("a.png"), Path("b.png"))
    states = ["skipped"] * skipped + ["done"] * (count - skipped)
    return [runner.Result(job, state) for state in states]  # type: ignore[arg-type]


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_tells_the_speed_without_what_was_done_before(
    monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    shown = io.StringIO()
    shown.isatty = lambda: terminal  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stderr", shown)
    monkeypatch.setattr(batch, "MINUTE", 0.0)
    with batch._Progress(1_002, quiet=False) as progress:
        for result in _results(1_002, skipped=1_000):
            if result.status == "done":
                time.sleep(0.15)
            progress.count(result)
    last = shown.getvalue().replace("\r", "\n").strip().splitlines()[-1]
    assert last.startswith("1002 of 1002 photos")
    rate = float(last.split(" photos/s")[0].split()[-1])
    assert 0 < rate < 8, "those that were skipped count as work"
    assert " left" in last


def test_a_quiet_run_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr("sys.stderr", shown)
    monkeypatch.setattr(batch, "MINUTE", 0.0)
    with batch._Progress(2, quiet=True) as progress:
        for result in _results(2, skipped=0):
            progress.count(result)
    assert shown.getvalue() == ""


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("in", "--address", "auto"), "add --engine ray"),
        (("in", "--gpus", "0.5"), "add --engine ray"),
        (("in", "--engine", "ray", "--gpus", "2"), "allowed are 0 to 1"),
        (("in", "--engine", "ray", "--address", "ray://host:10001"), "by 'ray job submit'"),
        (("in", "--out", "s3://bucket/out"), "with --manifest"),
        (("memory://a", "memory://b"), "name one, and nothing beside it"),
        (("memory://none",), "memory://none: there is no photo"),
        (("nothing://a",), "nothing:// cannot be used"),
    ],
)
def test_what_does_not_go_together_is_told(
    given: tuple[str, ...],
    told: str,
    archive: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ray_data, "has_ray", lambda: True)
    with pytest.raises(SystemExit) if "no photo" not in told else nullcontext():
        assert _run(*given) == 1
    assert told in " ".join(capsys.readouterr().err.split())


def test_the_engine_ray_without_ray_is_told(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(ray_data, "has_ray", lambda: False)
    with pytest.raises(SystemExit):
        _run(archive, "--out", tmp_path / "out", "--engine", "ray")
    assert "pip install 'autochrome-studio[ray]'" in capsys.readouterr().err


def test_the_list_may_lie_elsewhere(archive: Path, tmp_path: Path) -> None:
    out, folder = tmp_path / "out", tmp_path / "list"
    (archive / "bad.jpg").unlink()
    given = (archive, "--out", out, "--manifest", folder, *MODEL)
    assert _run(*given) == 0
    assert [path.name for path in out.iterdir()] == ["box"]
    rows = Manifest(folder, out).rows
    assert {row.status for row in rows.values()} == {"done"}
    assert set(rows) == {f"box/{number}.png" for number in range(3)}
    made = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    assert _run(*given) == 0
    assert {path: path.stat().st_mtime_ns for path in made} == made
