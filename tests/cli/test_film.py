"""The command for films."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from films import get_times, pan, read_frames, read_plane, write_film

from colorize_core.cli import main

MODEL = ("--model", "cnn-mse")


@pytest.fixture
def reel(tmp_path: Path) -> Path:
    frames = [*pan(1, 10, 72, 128), *pan(2, 10, 72, 128)]
    return write_film(tmp_path / "reel.mkv", frames, codec="ffv1", subtitles="subrip")


def _run(*arguments: Any) -> int:
    return main(["film", *MODEL, *map(str, arguments)])


def test_a_film_goes_in_and_one_comes_out(
    reel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "out.mp4"
    assert _run(reel, "-o", out) == 0
    said = capsys.readouterr()
    assert said.out.startswith("20 frames of 2 scenes coloured in ")
    assert f"into {out}; the model looked at 4." in said.out
    assert f"{reel}: Stream 1 (subtitle" in said.err
    assert get_times(out) == pytest.approx(get_times(reel), abs=1e-3)
    assert [each.name for each in out.parent.iterdir()] == ["out.mp4"]


def test_quiet_says_nothing(reel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(reel, "-o", tmp_path / "out.mkv", "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_the_time_that_is_left(
    reel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.StringIO()
    shown.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stderr", shown)
    monkeypatch.setattr("colorize_core.models.runner.LIVELY", 0)
    assert _run(reel, "-o", tmp_path / "out.mkv") == 0
    assert "Colouring: " in shown.getvalue()
    assert " left" in shown.getvalue()
    assert "100%" in shown.getvalue()


def test_a_preview_is_one_scene(
    reel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(reel, "-o", tmp_path / "look.mkv", "--preview", "0.4") == 0
    assert capsys.readouterr().out.startswith("10 frames of 1 scene coloured")
    assert len(read_frames(tmp_path / "look.mkv")) == 10


def test_hints_have_their_times(
    reel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "hints.json"
    file.write_text('[{"at": 0.1, "x": 0.02, "y": 0.5, "colour": "brick"}]')
    out = tmp_path / "out.mkv"
    model = ("--model", "autochrome", "--spacing", 240)
    hints = ("--hint", "0.7:100px,36px,#ff0000", "--hints", file)
    assert _run(reel, "-o", out, *model, *hints) == 0
    said = capsys.readouterr()
    assert "the model looked at 6." in said.out  # both ends of two scenes, and two keyframes
    assert f"{reel}: The hint at 0.1 s cannot be followed after 0." in said.err
    plane = read_plane(read_frames(out)[17], 2)
    assert plane[18, 50] > 150
    assert _run(reel, "-o", tmp_path / "look.mkv", "--preview", 0, *model, *hints) == 0
    assert "cannot be followed" in capsys.readouterr().err


def test_ctrl_c_ends_in_a_sentence_and_the_same_command_goes_on(
    reel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("colorize_core.film.assembly.assemble", interrupt)
        assert _run(reel, "-o", tmp_path / "out.mkv") == 130
    assert capsys.readouterr().err.splitlines()[-1] == (
        "Stopped. The same command goes on from here."
    )
    assert not (tmp_path / "out.mkv").exists()
    assert _run(reel, "-o", tmp_path / "out.mkv") == 0
    assert "20 already done" in capsys.readouterr().out
    assert not (tmp_path / "out.mkv.parts").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["reel.mkv", "-o", "there.mp4"], "exists"),
        (["reel.mkv", "-o", "reel.mkv", "--overwrite"], "is the film itself"),
        (["reel.mkv", "-o", "out.jpg"], "no container of films"),
        (["reel.mkv", "-o", "out.mp4", "--vividness", "7"], "allowed is 0 to 2"),
        (["reel.mkv", "-o", "out.mp4", "--finish", "gamma=2"], "keeps its brightness"),
        (["reel.mkv", "-o", "out.mp4", "--codec", "aac"], "encodes audio"),
        (["reel.mkv", "-o", "out.mp4", "--set", "seed=1"], "has none"),
        (["reel.mkv", "-o", "out.mp4", "--hint", "0.3,0.8,brick"], "write SECONDS:X,Y,COLOUR"),
        (["reel.mkv", "-o", "out.mp4", "--hint", "1:999px,3px,brick"], "outside the photo"),
        (["reel.mkv", "-o", "out.mp4", "--hint", "1:0.3,0.8,brick"], "takes no colour hints"),
        (["reel.mkv", "-o", "out.mp4", "--hints", "reel.mkv"], "cannot be read as JSON"),
    ],
)
def test_wrong_usage_is_told_before_the_work(
    arguments: list[str],
    said: str,
    reel: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(reel.parent)
    Path("there.mp4").write_bytes(b"")
    with pytest.raises(SystemExit) as ended:
        _run(*arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
    assert sorted(each.name for each in reel.parent.iterdir()) == ["reel.mkv", "there.mp4"]


def test_what_is_no_film_fails_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.mp4").write_text("no film")
    assert _run(tmp_path / "text.mp4", "-o", tmp_path / "out.mp4") == 1
    assert "cannot be read as a film" in capsys.readouterr().err
