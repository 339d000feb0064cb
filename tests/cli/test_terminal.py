"""What the commands and the pages have alike: how they are found, and what they print."""

import argparse
import importlib.util
import io
import os
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from colorize_core import cli
from colorize_core.cli import COMMANDS, main
from colorize_core.cli.terminal import align, make_parser, run
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


def test_the_app_without_gradio_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its module is there without: it imports Gradio when it is built."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "gradio" else find(name)
    )
    with pytest.raises(SystemExit) as stopped:
        main(["app"])
    assert stopped.value.code == 2
    assert "pip install 'autochrome-studio[app]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [""],
        ["", "-o", "out"],
        ["photo.png", ""],
        ["photo.png", "-o", ""],
        ["photo.png", "--output="],
        ["photo.png", "--set", ""],
        ["selective", ""],
        ["selective", "photo.png", "--mask", ""],
        ["selective", "photo.png", "--mask-out="],
        ["evaluate", "--photos", "", "--out", "s.csv"],
        ["evaluate", "--photos", "photo.png", "--out", ""],
        ["weights", "list", ""],
        ["hub", "push", "cnn-mse", "--repo", ""],
        ["train", "unet-gan", "--data", "", "--val", "x"],
        ["app", "--host", ""],
    ],
)
def test_an_empty_argument_is_wrong_usage(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Image.new("L", (32, 24), 120).save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "an argument is empty" in capsys.readouterr().err.splitlines()[-1]
    assert [each.name for each in tmp_path.iterdir()] == ["photo.png"]


def test_what_the_system_refuses_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    def work(_: argparse.Namespace) -> int:
        raise OSError(28, "No space left on device", "some/file")

    assert run(make_parser("a command", "It works."), work, []) == 1
    assert capsys.readouterr().err == "some/file cannot be used: No space left on device.\n"


def read_to_the_end(terminal: int) -> bytes:
    said = b""
    with suppress(OSError):  # that of a terminal whose other side has ended
        while part := os.read(terminal, 4096):
            said += part
    return said


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudoterminals")
@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_a_bar_of_progress_and_names_of_odd_bytes_end_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    import fcntl
    import pty
    import termios

    names = [os.fsdecode(b"caf\xe9.png"), "δ.png"]
    for name in names:
        Image.new("L", (32, 24), 120).save(tmp_path / name)
    (tmp_path / os.fsdecode(b"\xe9.jpg")).write_bytes(b"no picture")
    monkeypatch.chdir(tmp_path)
    mine, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(read_to_the_end, mine)
        with open(its, "w", encoding=encoding) as screen, monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", screen)
            patch.setattr(sys, "stderr", screen)
            code = main([".", "-o", "из", "--model", "cnn-mse"])
    os.close(mine)
    said = reading.result()
    assert code == 1, said  # one of three
    assert b"3/3 [" in said
    assert b"?.jpg is not a picture" in said
    assert b"2 photos colorized" in said
    assert {each.name for each in (tmp_path / "из").iterdir()} == {*names, "manifest.csv"}


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["--list-models"],
        ["weights", "list"],
        ["hub", "push", "cnn-mse", "--repo", "me/œuvre-б"],
        ["evaluate", "--photos", ".", "--models", "gray", "--metrics", "psnr", "--out", "б.csv"],
        ["selective", "δ.png", "--model", "cnn-mse", "--box", "1,1,20,20", "-o", "б.png"],
    ],
)
def test_every_command_prints_on_a_terminal_of_few_signs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, arguments: list[str]
) -> None:
    Image.new("L", (32, 24), 120).save(tmp_path / "δ.png")
    monkeypatch.chdir(tmp_path)
    said, problems = (io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2))  # strict ones
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", said)
        patch.setattr(sys, "stderr", problems)
        try:
            code: object = main(arguments)
        except SystemExit as ended:
            code = ended.code
        for stream in (said, problems):
            stream.flush()
    assert code in (0, 2), problems.buffer.getvalue()


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
