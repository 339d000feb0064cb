"""The controls of the finish without a browser: what the handlers do with them."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from handler_calls import UPLOAD, call
from numpy.typing import NDArray
from scenes import ROOT

from colorize_core.errors import OptionError
from colorize_core.imaging import image
from colorize_core.imaging.finish import CONTROLS, NO_FINISH, Finish
from colorize_core.models import base
from colorize_core.models.runner import Task
from colorize_core.options import Options
from colorize_core.prepare.preparation import NO_PREPARATION, RESULT, Preparation
from ui.colorize import finish_controls
from ui.colorize.session import ColorizeSession
from ui.colorize.tab import Handlers, read_options
from ui.shared.service import Service

SIZE = (90, 60)  # of the photo, width and height
LOOK = ("unet-gan", 1.0, 1.0, 1.0, True, "", 0.5, 1.0, 1.0)  # up to those of OWN
PLAIN = tuple(finish_controls.reset())


def move(**values: float) -> tuple[Any, ...]:
    """The sliders, some of them moved; nothing is prepared."""
    moved = (values.get(name, control.default) for name, control in CONTROLS.items())
    return ("no", "no", *moved)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the network was shown."""
    shown: list[Any] = []
    see = base.LabColorizer._see

    def count(self: Any, *values: Any) -> Any:
        shown.append(values)
        return see(self, *values)

    monkeypatch.setattr(base.LabColorizer, "_see", count)
    return shown


@pytest.fixture
def on(service: Service) -> Handlers:
    return Handlers(service, [])


@pytest.fixture
def opened(service: Service, on: Handlers, gray_photo: Path, seen: list[Any]) -> ColorizeSession:
    path = service.folder.new("old.png")
    path.write_bytes(gray_photo.read_bytes())
    updates = call(on.open, {"path": str(path)}, None, "", *LOOK, *PLAIN, False, event=UPLOAD)
    session: ColorizeSession = updates["session"]
    assert session.result.options.finish == NO_FINISH
    assert len(seen) == 1
    return session


def pixels(value: dict[str, Any], side: str) -> NDArray[Any]:
    return image.read(Path(value[side]["path"])).pixels.astype(int)


def test_a_slider_changes_the_picture_and_no_network_runs(
    on: Handlers, opened: ColorizeSession, seen: list[Any]
) -> None:
    first = opened.result
    made = call(on.adjust, opened, *LOOK, *move(warmth=1), False)
    assert made["message"] == ""
    assert opened.result.options.finish == Finish(warmth=1)
    before, after = image.read(first.after).pixels, pixels(made["compared"]["value"], "after")
    assert (after - before)[..., 2].mean() < -5, "less blue"
    assert np.ptp(pixels(made["compared"]["value"], "before"), axis=2).max() == 0
    assert made["compared"]["value"]["alt"] == "Before: the photo in black and white"
    back = call(on.adjust, opened, *LOOK, *PLAIN, False)
    assert np.array_equal(pixels(back["compared"]["value"], "after"), before)
    assert call(on.adjust, opened, *LOOK, *PLAIN, False) == {"message": ""}
    assert len(seen) == 1


def test_it_is_compared_with_the_unfinished(
    on: Handlers, opened: ColorizeSession, seen: list[Any]
) -> None:
    plain = image.read(opened.result.after).pixels.astype(int)
    made = call(on.adjust, opened, *LOOK, *move(red=1, black=20), False)
    made = call(on.adjust, opened, *LOOK, *move(red=1, black=20), True)
    assert np.array_equal(pixels(made["compared"]["value"], "before"), plain)
    assert not np.array_equal(pixels(made["compared"]["value"], "after"), plain)
    assert made["compared"]["value"]["alt"] == "Unfinished: the colours without the finish"
    kept = made["compared"]["value"]["before"]["path"]
    again = call(on.adjust, opened, *LOOK, *move(red=-1), True)
    assert again["compared"]["value"]["before"]["path"] == kept, "made once"
    Path(kept).unlink()
    again = call(on.adjust, opened, *LOOK, *move(red=-0.5), True)
    assert np.array_equal(pixels(again["compared"]["value"], "before"), plain), (
        "made again where it is gone"
    )
    gray = call(on.adjust, opened, *LOOK, *move(red=-0.5), False)
    assert np.ptp(pixels(gray["compared"]["value"], "before"), axis=2).max() == 0
    assert len(seen) == 1


def test_the_photo_before_has_no_finish_though_it_was_in_colour(
    service: Service, on: Handlers, colour_scene: Any
) -> None:
    path = service.folder.new("colour.png")
    image.write(path, image.Photo(colour_scene(60, 80), None, image.Metadata(), "PNG"))
    values = (*LOOK, *move(warmth=1, gamma=2), False)
    made = call(on.open, {"path": str(path)}, None, "", *values, event=UPLOAD)
    assert np.ptp(pixels(made["compared"]["value"], "before"), axis=2).max() == 0
    assert np.ptp(pixels(made["compared"]["value"], "after"), axis=2).max() > 20


def test_points_that_cross_are_told(on: Handlers, opened: ColorizeSession) -> None:
    before = opened.result
    made = call(on.adjust, opened, *LOOK, *move(black=60, white=50), False)
    assert "black must be lower" in made["message"]
    assert opened.result is before


def test_the_sliders_have_the_ranges_of_the_table() -> None:
    code = """
import gradio as gr
from ui.colorize import finish_controls
with gr.Blocks():
    (damage, screen, *sliders, unfinished), _ = finish_controls.build()
print([(s.label, s.info, s.minimum, s.maximum, s.value, s.step) for s in sliders])
print(unfinished.value, damage.value, screen.value)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    told, unfinished = done.stdout.splitlines()
    assert unfinished == "False no no"
    assert ast.literal_eval(told) == [
        (c.label, c.info, c.low, c.high, c.default, c.step) for c in CONTROLS.values()
    ]


def test_the_sliders_are_read_and_put_back() -> None:
    assert finish_controls.add_finish(Options(), *PLAIN) == Options()
    assert read_options(*LOOK, *move(blue=0.5)).finish == Finish(blue=0.5)  # type: ignore[arg-type]


def test_damage_is_filled_for_the_colours_or_in_the_result(
    on: Handlers, opened: ColorizeSession, seen: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    mask = np.zeros((60, 90), bool)
    mask[20:24] = True
    monkeypatch.setattr("colorize_core.prepare.damage.find_damage", lambda _: mask)
    gray = opened.photo.pixels
    made = call(on.adjust, opened, *LOOK, "colouring", *PLAIN[1:], False)
    assert made["line"].endswith("damage on 6.7 % not shown to the model")
    shown = seen[-1][0]
    assert np.array_equal(shown[~mask], gray[~mask])
    assert not np.array_equal(shown[mask], gray[mask])
    assert len(seen) == 2
    kept = image.read(on.service.export(opened.result, "PNG", Task())).pixels
    made = call(on.adjust, opened, *LOOK, "result", *PLAIN[1:], False)
    assert made["line"].endswith("damage on 6.7 % filled")
    path = on.service.export(opened.result, "PNG", Task())
    filled = image.read(path).pixels
    assert np.array_equal(filled[~mask], kept[~mask])
    assert not np.array_equal(filled[mask], kept[mask])
    record = image.read_record(path)
    assert record is not None
    assert record.settings["prepare"] == {"damage": RESULT}
    assert "are filled from around" in record.statement
    call(on.adjust, opened, *LOOK, *PLAIN, False)
    assert opened.result.options.prepare == NO_PREPARATION
    with pytest.raises(OptionError, match="damage is 'some', allowed are"):
        Preparation("some")
