"""One photo in every tab: handed over with its colours."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import drawing_models
import numpy as np
import pytest
from handler_calls import FOLLOWING, UPLOAD, WHO, call
from PIL import Image

import colorize_core
from colorize_core.imaging import image
from colorize_core.options import Options
from colorize_core.steering.hints import Hint
from ui import PHOTO_TABS
from ui.colorize import finish_controls
from ui.colorize import tab as colorize
from ui.compare import tab as compare
from ui.prompt import tab as prompt
from ui.selective import tab as selective
from ui.selective.fill_controls import COLOURING, GRAY, read_fill
from ui.selective.mask_files import describe_colours
from ui.selective.session import Fill
from ui.server.temp_files import Folder
from ui.shared.service import Service

SIZE = (150, 100)  # of the photos
CONTROLS = ("autochrome", 1.3, 1.0, 1.0, True, "", 0.5, 1.0, 1.0, *finish_controls.reset(), False)
RED = {"x": 0.5, "y": 0.5, "ab": [60.0, 40.0]}


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(Folder(tmp_path), load=colorize_core.load)


@pytest.fixture
def photo(service: Service, gray_photo: Path) -> dict[str, str]:
    path = service.folder.new("old.png")
    Image.open(gray_photo).convert("RGB").save(path)
    return {"path": str(path)}


@pytest.fixture
def coloured(service: Service, photo: dict[str, str]) -> Any:
    """The session of the tab Colorize, with a hint."""
    on = colorize.Handlers(service, [])
    session = call(on.open, photo, None, "", *CONTROLS, event=UPLOAD)["session"]
    call(on.switch, session, colorize.STEERING)
    data = {"photo": session.key, "serial": 1, "hints": [RED]}
    call(on.steer, session, event=SimpleNamespace(_data=data))
    return session


def test_the_tabs_are_named_as_their_buttons_are() -> None:
    tabs = {"colorize": colorize, "selective": selective, "prompt": prompt, "compare": compare}
    assert {name: tab.TITLE for name, tab in tabs.items()} == PHOTO_TABS


def test_selective_begins_with_the_colours_of_colorize(service: Service, coloured: Any) -> None:
    on = selective.Handlers(service, [], drawing_models.CARDS)
    opened = call(on.open, None, None, "", event=FOLLOWING)
    session = opened["session"]
    assert session.photo is coloured.photo
    assert opened["inside"]["value"] == COLOURING
    assert session.area.fill == Fill(colouring=coloured.result.options)
    call(on.colour, session)
    made = image.read(session.files[session.area.fill]).pixels
    steered = service.preview(coloured.result, session.small)
    assert np.abs(made.astype(int) - steered).mean() < 3, "a JPEG of the same"
    session.change(np.ones(session.shape, np.float32))
    record = describe_colours(session)
    assert record is not None
    assert record.hints == (Hint.read(RED),)


def test_other_colours_are_handed_over_to_the_same_masks(service: Service, coloured: Any) -> None:
    on = selective.Handlers(service, [], drawing_models.CARDS)
    session = call(on.open, None, None, "", event=FOLLOWING)["session"]
    session.change(np.ones(session.shape, np.float32))
    masks = [area.packed for area in session.areas]
    assert on.follow(session, True, WHO) == {}, "nothing is new"
    coloured.photo.colours = Options("autochrome", vividness=0.6)
    assert on.follow(session, False, WHO) == {}, "a tab that is only looked at stays as it is"
    assert "entered" in on.follow(session, True, WHO)
    again = call(on.open, None, session, "", event=FOLLOWING)
    assert again["session"] is session
    assert not session.away
    assert session.area.fill.colouring == coloured.photo.colours
    assert [area.packed for area in session.areas] == masks


def test_a_handed_photo_is_taken_although_there_is_work_on_another(
    service: Service, coloured: Any, colour_photo: Path
) -> None:
    on = colorize.Handlers(service, [])
    service.follow(WHO.session_hash, service.photo(colour_photo))
    assert coloured.by_hand
    assert on.follow(coloured, False, WHO) == {}
    assert "entered" in on.follow(coloured, True, WHO)


def test_what_compare_has_made_is_gone_on_with_in_colorize(
    service: Service, photo: dict[str, str]
) -> None:
    on = compare.Handlers(service, [], colorize_core.cards())
    session = call(on.open, photo, None, event=UPLOAD)["session"]
    call(on.run, session, ["autochrome"], [0.8], 1, [])
    cell = next(each for each in on_page(session) if each["usable"])
    asked = SimpleNamespace(_data={"key": cell["key"], "use": "open"})
    used = call(on.use, session, event=asked)
    assert (used["opened"], used["finished"]) == ("colorize", None)
    other = colorize.Handlers(service, [])
    opened = call(other.open, None, None, "", *CONTROLS, event=FOLLOWING)
    assert opened["session"].photo is session.photo
    assert opened["session"].result.options.vividness == 0.8
    assert opened["vividness"] == 0.8


def test_what_compare_has_made_is_downloaded_at_full_size(service: Service, tmp_path: Path) -> None:
    path = service.folder.new("large.png")
    Image.fromarray(np.full((1200, 1000, 3), 128, np.uint8)).save(path)
    on = compare.Handlers(service, [], colorize_core.cards())
    session = call(on.open, {"path": str(path)}, None, event=UPLOAD)["session"]
    assert session.size < (1000, 1200)
    call(on.run, session, ["autochrome"], [1.0], 1, [])
    cell = next(each for each in on_page(session) if each["usable"])
    asked = SimpleNamespace(_data={"key": cell["key"], "use": "file"})
    made = Path(call(on.use, session, event=asked)["finished"])
    assert image.read(made).pixels.shape == (1200, 1000, 3)
    assert image.read_record(made).models[0][0] == "autochrome"


def test_a_picture_that_is_gone_is_said(service: Service, photo: dict[str, str]) -> None:
    on = compare.Handlers(service, [], colorize_core.cards())
    session = call(on.open, photo, None, event=UPLOAD)["session"]
    for key in ("gray", "autochrome", None):
        asked = SimpleNamespace(_data={"key": key, "use": "open"})
        said = call(on.use, session, event=asked)
        assert "no longer here" in said["remark"]
        assert said["opened"] == ""


def test_as_in_colorize_before_anything_was_done_there(service: Service) -> None:
    assert read_fill(COLOURING, 1.0, None) == Fill("autochrome")
    assert read_fill(GRAY, 1.0, None).plain


def on_page(session: Any) -> list[dict[str, Any]]:
    from ui.compare import picture_grid

    cells: list[dict[str, Any]] = picture_grid.view(session)["cells"]
    return cells
