"""What the commands and the pages have alike: how they are found, and what they print."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from colorize_core import cli
from colorize_core.cli import COMMANDS, main
from colorize_core.cli.terminal import align
from colorize_core.sizes import format_size

ROOT = Path(__file__).resolve().parents[2]


def test_sizes_are_read_by_people() -> None:
    counts = (0, 999, 1000, 29_400_000, 723_000_000, 2_741_000_000, 15_970_000_000)
    assert [format_size(count) for count in counts] == [
        "0 B",
        "999 B",
        "1 kB",
        "29.4 MB",
        "723 MB",
        "2.74 GB",
        "16 GB",
    ]


def test_columns_are_as_wide_as_they_need_to_be() -> None:
    assert align([("name", "size"), ("a longer one", "1")]).splitlines() == [
        "name          size",
        "a longer one  1",
    ]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_there_and_explains_itself(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("usage: ")


def test_an_installed_command_is_called_by_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/autochrome"])
    for command, name in (("", "autochrome"), ("evaluate", "autochrome evaluate")):
        with pytest.raises(SystemExit):
            main([command, "--help"] if command else ["--help"])
        said = capsys.readouterr().out
        assert said.startswith(f"usage: {name} ")
        assert "python -m" not in said


def test_a_command_without_its_packages_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError("No module named 'gradio'", name="gradio")

    monkeypatch.setattr(cli.importlib, "import_module", missing)
    assert main(["app"]) == 1
    assert "pip install 'autochrome-studio[app]'" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_terminal_of_few_signs_ends_no_finished_run(tmp_path: Path, encoding: str) -> None:
    name = "бабушка-œuvre.png"
    Image.new("L", (32, 24), 120).save(tmp_path / name)
    (tmp_path / "δ.jpg").write_bytes(b"no picture")
    done = subprocess.run(
        [sys.executable, "-m", "colorize_core", name, "δ.jpg", "-o", "из", "--model", "cnn-mse"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr  # one of two
    assert (tmp_path / "из" / name).is_file()
    assert b"1 photo colorized" in done.stdout
    assert b"into ??" in done.stdout
    assert b"?.jpg" in done.stderr
    assert b"Traceback" not in done.stderr
