"""python -m colorize_core info, and settings that are taken from a picture."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scenes import ROOT

from colorize_core.batch import runner
from colorize_core.cli import colorize, main
from colorize_core.imaging import image
from colorize_core.imaging.finish import Finish
from colorize_core.options import Options
from colorize_core.steering.hints import Hint
from colorize_core.steering.provenance import Record, describe_options, make_record

HINTS = (
    Hint(0.5, 0.4, (12.0, 30.5)),
    Hint(0.2, 0.25, (40.0, 0.0), known=True, note="Letter\x1b[31m, 1943"),
)
OPTIONS = Options("autochrome", 1.2, 0.9, 0.8, False, (("natural_skin", 0.5),), HINTS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with made.jpg, which has a record, and old.png, which has none."""
    photo = image.Photo(np.full((30, 40, 3), 99, np.uint8), None, image.Metadata(), "PNG")
    image.write(tmp_path / "made.jpg", photo.with_record(describe_options(OPTIONS)))
    image.write(tmp_path / "old.png", photo)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_tells_what_is_known(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "made.jpg"]) == 0
    told = capsys.readouterr().out
    for line in (
        "software     Autochrome Studio ",
        "model        autochrome\n  weights      ",
        "setting      vividness 1.2\n",
        "setting      controls.natural_skin 0.5\n",
        "known        at 20.0%, 25.0% within 1.0% a 40.0 b 0.0: Letter [31m, 1943\n",
        "guess        at 50.0%, 40.0% within 1.0% a 12.0 b 30.5\n",
    ):
        assert line in told
    assert "\x1b" not in told


def test_the_record_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--json", "made.jpg"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert told.pop("file") == "made.jpg"
    assert Record.read(json.dumps(told)) == describe_options(OPTIONS)


def test_files_without_a_record_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "notes.txt").write_text("no picture")
    assert main(["info", "old.png", "notes.txt", "gone.jpg", "made.jpg"]) == 1
    said = capsys.readouterr()
    first, second, third = said.err.splitlines()
    assert first == "old.png does not say where its colours come from."
    assert second.startswith("notes.txt is not a picture but text.")
    assert third.startswith("gone.jpg cannot be read")
    assert said.out.startswith("made.jpg\n"), "the others are told all the same"


def test_it_needs_no_torch(folder: Path) -> None:
    code = (
        "import sys; from colorize_core.cli import main; code = main(['info', 'made.jpg'])\n"
        "sys.exit(code or 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# --- settings from a picture --------------------------------------------------------------------


@pytest.fixture
def asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., runner.BatchOptions]:
    """Arguments -> the settings that photos are colorized with."""

    def ask(*arguments: str) -> runner.BatchOptions:
        seen: list[runner.BatchOptions] = []

        def run(_: Any, settings: runner.BatchOptions, *__: Any, **___: Any) -> Any:
            seen.append(settings)
            yield from ()

        monkeypatch.setattr(runner, "run", run)
        assert colorize.main(["old.png", "-o", "out.png", "--quiet", *arguments]) == 0
        return seen[0]

    return ask


def test_settings_are_taken_from_a_picture(asked: Callable[..., runner.BatchOptions]) -> None:
    settings = asked("--settings-from", "made.jpg")
    told = {name: getattr(settings, name) for name in vars(OPTIONS) if name != "controls"}
    assert told == {name: getattr(OPTIONS, name) for name in told}
    assert dict(settings.controls)["natural_skin"] == 0.5
    assert dict(settings.controls)["auto_vividness"] == 1.0, "what was left at its default"


def test_what_is_given_beside_it_counts(asked: Callable[..., runner.BatchOptions]) -> None:
    beside = ("--vividness", "1", "--neutralize", "--set", "natural_skin=0.25")
    settings = asked("--settings-from", "made.jpg", *beside)
    assert (settings.vividness, settings.strength, settings.neutralize) == (1.0, 0.9, True)
    assert dict(settings.controls)["natural_skin"] == 0.25
    other = asked("--settings-from", "made.jpg", "--model", "sagan")
    assert (other.model, other.vividness, other.controls) == ("sagan", 1.2, ())
    assert asked().hints == ()


def test_a_finish_comes_back_and_what_is_given_beside_it_counts(
    asked: Callable[..., runner.BatchOptions],
) -> None:
    finish = Finish(black=4, red=-0.25, ceiling=60)
    record = describe_options(Options("sagan", finish=finish))
    assert record
    assert record.settings["finish"] == {"black": 4.0, "red": -0.25, "ceiling": 60.0}
    assert Record.read(record.write()) == record
    image.write("finished.png", image.read("old.png").with_record(record))
    assert asked("--settings-from", "finished.png").finish == finish
    beside = asked("--settings-from", "finished.png", "--finish", "red=0", "--finish", "warmth=.5")
    assert beside.finish == Finish(black=4, ceiling=60, warmth=0.5)
    assert asked("--settings-from", "made.jpg").finish == Finish()


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (None, "has no record of settings"),
        (make_record(["sagan"], {"regions": []}), "not those of one model on a whole photo"),
        (make_record(["nobody"], {"vividness": 1}), "the model nobody, which is not here"),
        (make_record(["sagan"], {"vividness": 9}), "vividness is 9, allowed is 0 to 2"),
        (make_record(["sagan"], {"vividness": 1, "finish": {"red": 3}}), "allowed is -1 to 1"),
        (make_record(["sagan"], {"vividness": 1, "finish": 7}), "names and numbers"),
        (make_record(["sagan"], {"vividness": "x"}), "vividness is 'x', a number is needed"),
        (make_record(["sagan"], {"vividness": 1, "controls": {"seed": 1}}), "no option 'seed'"),
        (make_record(["sagan"], {"vividness": 1, "controls": 7}), "not those of the model sagan"),
    ],
)
def test_settings_that_cannot_be_taken_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], record: Record | None, words: str
) -> None:
    image.write("from.png", image.read("old.png").with_record(record))
    with pytest.raises(SystemExit) as stopped:
        colorize.main(["old.png", "-o", "out.png", "--settings-from", "from.png"])
    assert stopped.value.code == 2
    assert words in capsys.readouterr().err


# --- what commands write ------------------------------------------------------------------------


def test_from_a_photo_to_another_with_its_settings(
    tmp_path: Path, gray_scene: Callable[..., NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(gray_scene(60, 80)).save("a.png")
    assert main(["a.png", "-o", "b.tif", "--vividness", "1.5", "--quiet"]) == 0
    assert main(["a.png", "-o", "c.tif", "--settings-from", "b.tif", "--quiet"]) == 0
    assert Path("b.tif").read_bytes() == Path("c.tif").read_bytes()
    assert main(["a.png", "-o", "d.tif", "--settings-from", "b.tif", "--mark", "--quiet"]) == 0
    plain, marked = image.read("b.tif"), image.read("d.tif")
    assert plain.metadata == marked.metadata
    assert (plain.pixels != marked.pixels).any()
    assert main(["a.png", "-o", "e.tif", "--strength", "0", "--mark", "--quiet"]) == 0
    assert image.read("e.tif").metadata.record is None
    assert np.array_equal(image.read("e.tif").pixels, image.read("a.png").pixels)


def test_a_batch_tells_hints_apart_and_older_manifests_stay() -> None:
    plain = runner.BatchOptions()
    hinted = runner.BatchOptions(hints=HINTS)
    texts = {each.describe() for each in (plain, hinted, runner.BatchOptions(hints=HINTS[:1]))}
    assert len(texts) == 3
    assert "hints" not in plain.describe()
    assert "mark" not in plain.describe()
    assert "mark=yes" in runner.BatchOptions(mark=True).describe()
    assert hinted.describe() == runner.BatchOptions(hints=HINTS).describe()


def test_selective_says_what_is_coloured(
    tmp_path: Path, gray_scene: Callable[..., NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(gray_scene(60, 80)).save("a.png")
    box = ("--box", "10,10,60,50", "--quiet", "--overwrite")
    assert main(["selective", "a.png", *box, "--figure", "sheet.png"]) == 0
    record = image.read_record("a-selective.png")
    assert record
    assert record == image.read_record("sheet.png")
    assert [name for name, _ in record.models] == ["autochrome"]
    (region,) = record.settings["regions"]
    assert 0 < region["share"] < 1
    assert record.settings["outside"] is None
    plain = image.read("a-selective.png").pixels
    assert main(["selective", "a.png", *box, "--mark"]) == 0
    assert (image.read("a-selective.png").pixels != plain).any()
