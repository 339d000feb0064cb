"""python -m colorize_core, with the real model where pictures are made."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from child_process import running
from numpy.typing import NDArray
from PIL import Image
from scenes import ROOT

import colorize_core
from colorize_core.batch import runner
from colorize_core.cards import SEED, Control, ModelCard
from colorize_core.cli.colorize import main, make_parser
from colorize_core.imaging import image
from colorize_core.models import registry

Scene = Callable[..., NDArray[np.uint8]]


@pytest.fixture
def album(tmp_path: Path, gray_scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with the photos in/a.jpg and in/b/c.png."""
    (tmp_path / "in/b").mkdir(parents=True)
    Image.fromarray(gray_scene(60, 80)).save(tmp_path / "in/a.jpg")
    Image.fromarray(gray_scene(50, 40, seed=1)).save(tmp_path / "in/b/c.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model named drawing that paints everything in a shade of red: its seed."""

    class Drawing:
        device = "cpu"

        def predict(self, pixels: NDArray[np.uint8], seed: int, **_: Any) -> SimpleNamespace:
            return SimpleNamespace(tint=None, red=seed)

        def render(self, pixels: NDArray[np.uint8], prediction: Any, **_: Any) -> NDArray[np.uint8]:
            return np.full_like(pixels, (prediction.red, 0, 0))

    style = Control("style", "Style", "How it is drawn.", "ink", choices=("ink", "chalk"))
    card = ModelCard("drawing", "", "It draws.", "", "", 0, (), "", "", controls=(SEED, style))
    module = SimpleNamespace(CARDS={card.name: card}, load=lambda name, device: Drawing())
    monkeypatch.setitem(sys.modules, "colorize_core.models.drawing", module)
    monkeypatch.setattr(registry, "MODELS", {"autochrome": "autochrome", "drawing": "drawing"})


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "colorize_core", *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def chroma(path: Path) -> float:
    pixels = image.read(path).pixels.astype(int)
    return float((pixels.max(axis=2) - pixels.min(axis=2)).mean())


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_what_is_left_out_of_a_file_is_said(
    album: Path, drawing: None, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = [Image.new("L", (12, 8), shade) for shade in (10, 20, 30)]
    pages[0].save(album / "in/album.tif", save_all=True, append_images=pages[1:])
    assert main(["in", "-o", "out", "--model", "drawing", "--quiet"]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f"{Path('in/album.tif')}: The file holds 3 pictures: this is the first, "
        "the other 2 are left out."
    )


def rows(folder: Path) -> dict[str, dict[str, str]]:
    with open(folder / "manifest.csv", newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert len({line["output"] for line in lines}) == len(lines)
    return {line["output"]: line for line in lines}


def test_a_folder_by_default_goes_to_colorized(album: Path) -> None:
    done = command("in", cwd=album)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 photos colorized in ")
    assert done.stderr == ""  # the bar is for terminals
    assert files(album / "colorized") == {"a.jpg", "b/c.png", "manifest.csv"}
    assert chroma(album / "colorized/a.jpg") > 1
    assert {row["status"] for row in rows(album / "colorized").values()} == {"done"}


def test_the_same_command_again_does_nothing(
    album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["in", "-o", "in/out"]) == 0
    stamps = {name: (album / "in/out" / name).stat().st_mtime_ns for name in ("a.jpg", "b/c.png")}
    capsys.readouterr()
    assert main(["in", "-o", "in/out"]) == 0
    assert "2 already done" in capsys.readouterr().out
    assert files(album / "in/out") == {"a.jpg", "b/c.png", "manifest.csv"}
    assert stamps == {name: (album / "in/out" / name).stat().st_mtime_ns for name in stamps}
    assert main(["in", "-o", "in/out", "--overwrite", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    assert all((album / "in/out" / name).stat().st_mtime_ns > old for name, old in stamps.items())


def test_one_photo_into_one_file_and_no_manifest(album: Path) -> None:
    assert main(["in/a.jpg", "-o", "new/result.png"]) == 0
    assert files(album / "new") == {"result.png"}
    assert image.read(album / "new/result.png").format == "PNG"
    assert main(["in/a.jpg", "-o", "folder"]) == 0
    assert files(album / "folder") == {"a.jpg", "manifest.csv"}


def test_an_existing_file_is_replaced_only_with_overwrite(
    album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (album / "result.png").write_bytes(b"mine")
    assert main(["in/a.jpg", "-o", "result.png"]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert (album / "result.png").read_bytes() == b"mine"
    assert main(["in/a.jpg", "-o", "result.png", "--overwrite"]) == 0
    assert chroma(album / "result.png") > 1


def test_patterns_are_expanded_where_the_shell_does_not(album: Path) -> None:
    assert main(["in/*.jpg", "in/*/*.png", "-o", "out"]) == 0
    assert files(album / "out") == {"a.jpg", "b/c.png", "manifest.csv"}


def test_bad_files_are_one_line_each_and_the_exit_code_is_1(
    album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (album / "in/bad.jpg").write_text("no picture")
    assert main(["in", "missing.jpg", "-o", "out"]) == 1
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert [sum(name in line for line in lines) for name in ("bad.jpg", "missing.jpg")] == [1, 1]
    assert len(lines) == 2
    assert "2 photos colorized" in captured.out
    assert "2 failed" in captured.out
    assert files(album / "out") == {"a.jpg", "b/c.png", "manifest.csv"}
    assert rows(album / "out")["bad.jpg"]["status"] == "failed"


def test_options_reach_the_model_and_the_manifest(album: Path) -> None:
    look = ["--vividness", "0.5", "--strength", "0", "--gain", "0.8", "--no-neutralize"]
    assert main(["in/a.jpg", "-o", "out", "--model", "autochrome", *look, "--jobs", "1"]) == 0
    assert chroma(album / "out/a.jpg") < 0.5
    options = rows(album / "out")["a.jpg"]["options"]
    for part in ("vividness=0.5", "strength=0 ", "gain=0.8", "neutralize=no"):
        assert part in options


@pytest.mark.parametrize(
    ("name", "format", "suffix"),
    [
        ("jpeg", "JPEG", ".jpg"),
        ("PNG", "PNG", ".png"),
        ("webp", "WEBP", ".webp"),
        ("tiff", "TIFF", ".tif"),
    ],
)
def test_formats(album: Path, name: str, format: str, suffix: str) -> None:
    assert main(["in", "-o", "out", "--format", name]) == 0
    assert files(album / "out") == {f"a{suffix}", f"b/c{suffix}", "manifest.csv"}
    for result in (album / "out").rglob(f"*{suffix}"):
        assert image.read(result).format == format


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_stay_sixteen(album: Path, gray_scene: Scene, suffix: str) -> None:
    fine = Image.fromarray(gray_scene(40, 50)[..., 0].astype(np.uint16) * 257 + 3)
    fine.save(album / f"fine{suffix}")
    assert main([f"fine{suffix}", "-o", "out"]) == 0
    assert image.read(album / f"out/fine{suffix}").pixels.dtype == np.uint16


def test_quality_is_the_files(album: Path) -> None:
    assert main(["in/a.jpg", "-o", "low.jpg", "--quality", "30"]) == 0
    assert main(["in/a.jpg", "-o", "high.jpg", "--quality", "98"]) == 0
    assert (album / "low.jpg").stat().st_size < (album / "high.jpg").stat().st_size


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no photo"),
        (["in", "--model", "nobody"], "autochrome"),
        (["in", "--vividness", "3"], "0 to 2"),
        (["in", "--format", "bmp"], "PNG"),
        (["in", "--jobs", "0"], "from 1 up"),
        (["in", "--device", "toaster"], "toaster"),
        (["in", "--vividnes", "1.2"], "--vividnes"),
        (["in", "-o", "one.jpg"], "2 photos"),
        (["in/a.jpg", "-o", "one.bmp"], ".bmp"),
        (["in/a.jpg", "-o", "notes"], "not a folder"),
        (["in/a.jpg", "-o", "one.png", "--format", "jpeg"], "disagree"),
    ],
)
def test_wrong_usage_is_2_and_says_what_is_right(
    album: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    (album / "notes").write_text("a file")
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert said in capsys.readouterr().err.splitlines()[-1]
    assert files(album) == {"in/a.jpg", "in/b/c.png", "notes"}


def test_a_models_own_settings_reach_it_and_the_manifest(album: Path, drawing: None) -> None:
    asked = ["--model", "drawing", "--format", "png"]
    assert main(["in/a.jpg", "-o", "out", *asked, "--set", "seed=80", "--set", "style=chalk"]) == 0
    assert image.read(album / "out/a.png").pixels[0, 0].tolist() == [80, 0, 0]
    assert " seed=80 style=chalk " in rows(album / "out")["a.png"]["options"]
    assert main(["in/a.jpg", "-o", "out", *asked, "--set=seed=7", "--set=seed=90"]) == 0
    assert image.read(album / "out/a.png").pixels[0, 0].tolist() == [90, 0, 0]
    assert " seed=90 style=ink " in rows(album / "out")["a.png"]["options"]
    assert main(["in/a.jpg", "-o", "one.png", "--model", "drawing", "--set", "seed=60"]) == 0
    assert image.read(album / "one.png").pixels[0, 0].tolist() == [60, 0, 0]


def test_the_same_own_settings_are_done_once(
    album: Path, drawing: None, capsys: pytest.CaptureFixture[str]
) -> None:
    for asked, said in (
        ([], "2 photos"),
        (["--set", "seed=0"], "2 already done"),  # what it is unless set
        (["--set", "seed=5"], "2 photos"),
        (["--set", "seed=5", "--set", "style=ink"], "2 already done"),
    ):
        assert main(["in", "-o", "out", "--model", "drawing", *asked]) == 0
        assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("model", "asked", "said"),
    [
        ("drawing", "seed=-1", "a whole number from 0 to 9999"),
        ("drawing", "seed=1.5", "a whole number from 0 to 9999"),
        ("drawing", "seed=red", "a whole number from 0 to 9999"),
        ("drawing", "seed", "seed=VALUE"),
        ("drawing", "style=oil", "ink, chalk"),
        ("drawing", "colour=3", "seed (a whole number from 0 to 9999); style (ink, chalk)"),
        ("autochrome", "seed=3", "has auto_vividness (0 to 1); natural_skin (0 to 1)"),
    ],
)
def test_a_wrong_own_setting_is_2_and_says_what_is_allowed(
    album: Path,
    drawing: None,
    capsys: pytest.CaptureFixture[str],
    model: str,
    asked: str,
    said: str,
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["in", "--model", model, "--set", asked])
    assert stop.value.code == 2
    assert said in capsys.readouterr().err.splitlines()[-1]
    assert files(album) == {"in/a.jpg", "in/b/c.png"}


def test_a_finish_reaches_the_picture_and_the_manifest(
    album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--model", "cnn-mse", "--format", "png"]
    assert main(["in", "-o", "out", *asked]) == 0
    assert "finish" not in rows(album / "out")["a.png"]["options"], "as in older manifests"
    plain = image.read(album / "out/a.png").pixels.mean(axis=(0, 1))
    capsys.readouterr()
    for finish, said in (
        (["red=0"], "2 already done"),  # what it is unless set
        (["warmth=0.8", "gamma=1"], "2 photos"),
        (["warmth=.3", "warmth=0.8"], "2 already done"),
    ):
        pairs = [part for pair in finish for part in ("--finish", pair)]
        assert main(["in", "-o", "out", *asked, *pairs]) == 0
        assert said in capsys.readouterr().out
    assert " finish=warmth:0.8 " in rows(album / "out")["a.png"]["options"]
    assert image.read(album / "out/a.png").pixels.mean(axis=(0, 1))[2] < plain[2] - 5


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (["red=2"], "red is 2, allowed is -1 to 1."),
        (["red"], "red is '', a number is needed"),
        (["purple=1"], "black (0 to 99); white (1 to 100); gamma (0.3 to 3); red (-1 to 1)"),
        (["black=50", "white=20"], "black must be lower, by 1 or more."),
    ],
)
def test_a_wrong_finish_is_2_and_says_what_is_allowed(
    album: Path, capsys: pytest.CaptureFixture[str], pairs: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["in", *(part for pair in pairs for part in ("--finish", pair))])
    assert stop.value.code == 2
    assert said in capsys.readouterr().err.splitlines()[-1]
    assert files(album) == {"in/a.jpg", "in/b/c.png"}


def test_own_settings_are_listed(drawing: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list-models"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [" ".join(line.split()) for line in listed[-2:]] == [
        f"drawing seed=0 a whole number from 0 to 9999 {SEED.info}",
        "drawing style=ink ink, chalk How it is drawn.",
    ]


def test_a_photo_is_not_replaced(album: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (album / "in/a.jpg").read_bytes()
    assert main(["in/a.jpg", "-o", "in", "--overwrite"]) == 1
    assert main(["in/a.jpg", "-o", "in/a.jpg", "--overwrite"]) == 1
    assert "replace the photo" in capsys.readouterr().err
    assert (album / "in/a.jpg").read_bytes() == before


def test_a_folder_that_cannot_be_written_is_told(album: Path) -> None:
    (album / "out").mkdir()
    (album / "out/b").write_text("a file where a folder is to be")
    assert main(["in", "-o", "out"]) == 1
    listed = rows(album / "out")
    assert (listed["a.jpg"]["status"], listed["b/c.png"]["status"]) == ("done", "failed")
    assert listed["b/c.png"]["error"].endswith("there is a file where its folder is to be.")


def test_names_that_a_person_gave_stay(album: Path, gray_scene: Scene) -> None:
    for name in ("Omas Hochzeit 12.5.1943", "Dr. Smith 1920", "=1+1.jpg", "x" * 251 + ".jpg"):
        Image.fromarray(gray_scene(30, 40)).save(album / name, format="JPEG")
    asked = ["Omas Hochzeit 12.5.1943", "Dr. Smith 1920", "=1+1.jpg", "x" * 251 + ".jpg"]
    assert main([*asked, "-o", "out", "--model", "cnn-mse", "--format", "webp"]) == 0
    assert files(album / "out") == {
        "Omas Hochzeit 12.5.1943.webp",
        "Dr. Smith 1920.webp",
        "=1+1.webp",
        "x" * 250 + ".webp",
        "manifest.csv",
    }
    assert "'=1+1.webp" in rows(album / "out")


def test_names_that_differ_in_case_alone_give_two_results(album: Path, gray_scene: Scene) -> None:
    Image.fromarray(gray_scene(50, 40, seed=2)).save(album / "in/a.JPG", format="JPEG")
    if len(files(album / "in")) < 3:
        pytest.skip("the file system takes them for one")
    assert main(["in", "-o", "out", "--model", "cnn-mse"]) == 0
    assert len({name.casefold() for name in files(album / "out")}) == 4


def test_what_is_left_out_is_said_and_counted(
    album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (album / "in/notes.txt").touch()
    (album / "in/link").symlink_to(album)
    assert main(["in", "-o", "out", "--model", "cnn-mse"]) == 0
    said = capsys.readouterr()
    assert said.err.splitlines() == [
        "in/link is a link to a folder, which is not followed: name it to have it searched.",
        "1 file has no suffix of a photo and is left out: .txt (1).",
    ]
    assert said.out.endswith(" into out, 2 left out.\n")
    assert main(["in", "-o", "out", "--model", "cnn-mse", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_folder_that_cannot_be_read_is_a_line_and_exit_code_1(
    album: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scandir = os.scandir

    def scan(path: str) -> Any:
        if os.path.basename(path) == "b":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)
    assert main(["in", "-o", "out", "--model", "cnn-mse"]) == 1
    said = capsys.readouterr()
    assert said.err == "in/b cannot be read: Permission denied.\n"
    assert "1 photo colorized" in said.out
    assert ", 1 failed." in said.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["x" * 300],
        ["in/a.jpg", "-o", "x" * 300],
        ["in/a.jpg", "-o", "x" * 300 + ".png"],
        ["in/a.jpg", "-o", "in/a.jpg/out"],
        ["in/a.jpg", "-o", "in/a.jpg/out.png"],
        ["in/a.jpg", "-o", "broken"],
        ["in/a.jpg", "-o", "/proc/out"],
    ],
)
def test_places_that_cannot_be_are_one_sentence(
    album: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    (album / "broken/manifest.csv").mkdir(parents=True)
    try:
        code: object = main([*arguments, "--model", "cnn-mse"])
    except SystemExit as stop:
        code = stop.code
    assert code in (1, 2)
    *_, last = capsys.readouterr().err.splitlines()
    assert last.endswith((".", "output"))
    assert "Errno" not in last
    assert files(album) == {"in/a.jpg", "in/b/c.png"}


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "colorize_core", *arguments, "--model", "cnn-mse", "--jobs", "2"],
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_runs_into_one_folder_keep_every_row(album: Path, gray_scene: Scene) -> None:
    for name in "xy":
        (album / name).mkdir()
        for number in range(8):
            Image.fromarray(gray_scene(32, 32, seed=number)).save(
                album / name / f"{name}{number}.png"
            )
    started = [start(name, "-o", "out") for name in "xy"]
    said = [each.communicate(timeout=120) for each in started]
    assert [each.returncode for each in started] == [0, 0], said
    listed = rows(album / "out")
    assert set(listed) == {f"{name}{number}.png" for name in "xy" for number in range(8)}
    assert {row["status"] for row in listed.values()} == {"done"}
    assert files(album / "out") == {*listed, "manifest.csv"}


def test_a_killed_run_goes_on(
    album: Path, gray_scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(60):
        Image.fromarray(gray_scene(48, 48, seed=number)).save(album / f"in/{number:02}.png")
    for least in (5, 20):
        with start("in", "-o", "out") as process:
            deadline = time.monotonic() + 60
            while len(list((album / "out").glob("*.png"))) < least and time.monotonic() < deadline:
                time.sleep(0.005)
            process.kill()
        for written in (album / "out").glob("*.png"):
            assert image.read(written).pixels.shape == (48, 48, 3)  # no half file
    done = sum(row.status == "done" for row in runner.Manifest(Path("out")).rows.values())
    with (album / "out/manifest.csv").open("a") as file:
        file.write('/in/9.png,"9.p')  # a kill in the middle of a row
    assert main(["in", "-o", "out", "--model", "cnn-mse", "--jobs", "2"]) == 0
    said, problems = capsys.readouterr()
    assert problems == ""
    assert f"{done} already done" in said
    assert {row["status"] for row in rows(album / "out").values()} == {"done"}
    assert len(rows(album / "out")) == 62


def test_list_models_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list-models"]) == 0
    listed = capsys.readouterr().out
    for card in colorize_core.cards(downloads=True):
        assert card.name in listed
        assert card.licence in listed
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert colorize_core.__version__ in capsys.readouterr().out


def test_help_has_examples_and_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert text.count("python -m colorize_core ") >= 3
    for action in make_parser()._actions:
        assert all(option in text for option in action.option_strings)
        assert action.help, action.dest


def test_what_needs_no_model_loads_no_torch(album: Path) -> None:
    code = (
        "import sys; from colorize_core.cli import main; code = main(sys.argv[1:]); "
        "assert 'torch' not in sys.modules and 'gradio' not in sys.modules; sys.exit(code)"
    )
    assert main(["in", "-o", "out"]) == 0
    for arguments in (["--list-models"], ["in", "-o", "out"]):
        subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            check=True,
            timeout=60,
        )


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send to another process")
def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(album: Path, gray_scene: Scene) -> None:
    for number in range(200):
        Image.fromarray(gray_scene(64, 64, seed=number)).save(album / f"in/{number:03}.png")
    arguments = [sys.executable, "-m", "colorize_core", "in", "-o", "out"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with running(arguments, env=environment, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not list((album / "out").glob("0*.png")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert said == "Stopped. The same command goes on from here.\n"
    written = files(album / "out") - {"manifest.csv"}
    assert 0 < len(written) < 202
    assert all(name.endswith((".png", ".jpg")) for name in written), "a temporary file was left"
    for name in written:
        image.read(album / "out" / name)
    listed = rows(album / "out")
    assert sum(row["status"] == "done" for row in listed.values()) >= len(written) - 2


# --- hints, a reference, a variant ---------------------------------------------------------------


def coloured(path: str, *arguments: str) -> NDArray[Any]:
    assert main(["in/a.jpg", "-o", path, "--quiet", *arguments]) == 0
    return image.read(path).pixels.astype(int)


def test_hints_come_from_the_line_and_from_a_file(album: Path) -> None:
    plain = coloured("plain.png")
    shares = coloured("shares.png", "--hint", "0.506,0.508,#2040c0")
    pixels = coloured("pixels.png", "--hint", "40px,30px,32,64,192")
    assert np.abs(shares - pixels).max() <= 2
    assert (shares - plain)[30, 40, 2] - (shares - plain)[30, 40, 0] > 10
    hints = [{"x": 0.506, "y": 0.508, "colour": "#2040c0"}]
    Path("hints.json").write_text(json.dumps(hints))
    assert (coloured("file.png", "--hints", "hints.json") == shares).all()


def test_a_variant_and_a_reference_are_other_results(
    album: Path, gray_scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = ROOT / "examples" / "portrait-gray.jpg"
    sheet = ROOT / "examples" / "coffee-colour.jpg"
    command = [str(photo), "-o", "out"]
    palette = ["--reference", str(sheet)]
    for more in ([], ["--variant", "1"], palette, [*palette, "--reference-strength", "0.5"]):
        assert main([*command, *more]) == 0
        assert "1 photo colorized" in capsys.readouterr().out
        assert main([*command, *more]) == 0
        assert "1 already done" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--hint", "0.3,brick"], "write X,Y,COLOUR"),
        (["--hint", "0.3,0.8,brik"], "near names are brick"),
        (["--hint", "80px,0,sky"], "allowed is 0px to 79px"),
        (["in/b/c.png", "--hint", "8px,0,sky"], "pixels need one photo"),
        (["--hints", "none.json"], "none.json cannot be read as JSON"),
        (["--hints", "in/a.jpg"], "in/a.jpg cannot be read as JSON"),
        (["--variant", "6"], "variant is 6, allowed is a whole number from 0 to 5"),
        (["--reference", "none.jpg"], "none.jpg cannot be read"),
        (["--reference-strength", "2"], "reference_strength is 2, allowed is 0 to 1"),
        (["--model", "unet-gan", "--variant", "1"], "'unet-gan' takes no colour hints"),
        (["--model", "unet-gan", "--hint", "0,0,sky"], "'unet-gan' takes no colour hints"),
    ],
)
def test_steering_that_cannot_be_is_wrong_usage(
    album: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["in/a.jpg", *arguments, "-o", "out"])
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def test_what_is_prepared_reaches_the_picture_and_the_manifest(
    album: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def mark(image: np.ndarray) -> np.ndarray:
        mask = np.zeros(image.shape[:2], bool)
        mask[::9] = True
        return mask

    monkeypatch.setattr("colorize_core.prepare.damage.find_damage", mark)
    asked = ["--model", "cnn-mse", "--format", "png"]
    assert main(["in", "-o", "out", *asked]) == 0
    assert "prepare" not in rows(album / "out")["a.png"]["options"], "as in older manifests"
    plain = image.read(album / "out/a.png").pixels
    capsys.readouterr()
    for prepare, said in (
        (["damage=no"], "2 already done"),
        (["damage"], "2 photos"),
        (["damage=colouring,screen=no"], "2 already done"),
        (["damage=result"], "2 photos"),
    ):
        pairs = [part for each in prepare for part in ("--prepare", each)]
        assert main(["in", "-o", "out", *asked, *pairs]) == 0
        assert said in capsys.readouterr().out
    assert " prepare=damage:result " in rows(album / "out")["a.png"]["options"]
    made = image.read(album / "out/a.png").pixels
    assert not np.array_equal(made[::9], plain[::9])
    record = image.read_record(album / "out/a.png")
    assert record is not None
    assert record.settings["prepare"] == {"damage": "result"}
    again = ["in/a.jpg", "-o", "again.png", "--settings-from", "out/a.png"]
    assert main(again) == 0
    assert np.array_equal(image.read(album / "again.png").pixels, made)


@pytest.mark.parametrize("text", ["dust", "damage=all"])
def test_what_cannot_be_prepared_is_2(
    album: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["in", "--prepare", text])
    assert stop.value.code == 2
    assert "damage" in capsys.readouterr().err.splitlines()[-1]
    assert files(album) == {"in/a.jpg", "in/b/c.png"}
