"""The command that watches a folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from child_process import running
from PIL import Image
from scenes import ROOT

from colorize_core.cli import main


def _wait(path: Path) -> None:
    until = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < until, path
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such signals")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_what_is_dropped_is_coloured_until_it_is_stopped(tmp_path: Path, stop: int) -> None:
    (tmp_path / "in/box").mkdir(parents=True)
    given = ("watch", "in", "out", "--model", "cnn-mse", "--settled", "1")
    with running(
        [sys.executable, "-m", "colorize_core", *given],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == "Watching in. Ctrl-C ends it.\n"
        (tmp_path / "in/bad.jpg").write_bytes(b"no picture")
        (tmp_path / "in/empty.png").touch()
        Image.fromarray(np.full((16, 24), 90, np.uint8)).save(tmp_path / "in/box/a.png")
        line, told = process.stdout.readline(), process.stderr.readline()  # whichever comes first
        process.send_signal(stop)
        out, error = process.communicate(timeout=60)
        error = told + error
    assert process.returncode == 130
    assert line.startswith("in/box/a.png -> out/box/a.png, ")
    assert out == ("1 photo coloured into out, 1 failed.\nin/empty.png was not complete yet.\n")
    assert error.startswith("in/bad.jpg ")
    assert "It is tried again once the file changes.\n" in error
    assert error.endswith("Stopped. The same command goes on from here.\n")
    files = {p.relative_to(tmp_path).as_posix() for p in (tmp_path / "out").rglob("*.*")}
    assert files == {"out/manifest.csv", "out/box/a.png"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing", "out"], "missing is no folder"),
        (["in", "in"], "would be photos in"),
        (["in/box", "in"], "would be photos in"),
        (["in", "out.png"], "names a file: give a folder"),
        (["in", "out", "--hint", "3px,4px,red"], "px"),
        (["in"], "OUT"),
    ],
)
def test_wrong_usage_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    (tmp_path / "in/box").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["watch", *arguments])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
