"""Projects saved and opened, settings taken from pictures, and the mark, without a browser."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from handler_calls import UPLOAD, call
from PIL import Image
from skimage.data import astronaut

from colorize_core.imaging import image
from colorize_core.imaging.decoder_pool import DecoderPool
from colorize_core.imaging.finish import Finish
from colorize_core.options import Options
from colorize_core.prepare.preparation import Preparation
from colorize_core.steering import project
from colorize_core.steering.hints import Hint
from ui.colorize import finish_controls
from ui.colorize.session import ColorizeSession
from ui.colorize.tab import COMPARING, STEERING, Handlers
from ui.server.limits import Public
from ui.server.temp_files import Folder
from ui.shared.projects import PROJECT
from ui.shared.service import Service

LOOK = ("autochrome", 1.0, 1.0, 1.0, True, "", 0.5, 1.0, 1.0, *finish_controls.reset(), False)
SUIT = {"x": 0.2, "y": 0.85, "ab": [0.0, -45.0], "known": True, "note": "the suit is kept"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    return Service(Folder(tmp_path_factory.mktemp("projects")))


@pytest.fixture
def on(service: Service) -> Handlers:
    return Handlers(service, [])


def put(service: Service, name: str = "old.png", side: int = 160) -> Path:
    path = service.folder.new(name)
    Image.fromarray(astronaut()).convert("L").resize((side, side)).save(path)
    return path


def open_photo(on: Handlers, path: Path, *look: Any) -> ColorizeSession:
    made = call(on.open, {"path": str(path)}, None, "", *(look or LOOK), event=UPLOAD)
    session: ColorizeSession = made["session"]
    return session


def steer(on: Handlers, session: ColorizeSession, **given: Any) -> None:
    call(on.switch, session, STEERING)
    data = {"photo": session.key, "serial": 1, "hints": [SUIT], **given}
    call(on.steer, session, event=SimpleNamespace(_data=data))


def load(on: Handlers, path: Path, session: Any = None, kept: str = "") -> dict[str, Any]:
    return call(on.load, {"path": str(path)}, session, kept, *LOOK)


@pytest.fixture
def worked(on: Handlers, service: Service) -> ColorizeSession:
    """Vividness, a preparation, a finish, a hint and a variant."""
    finish = finish_controls.fill(Preparation("colouring"), Finish(warmth=0.5))
    session = open_photo(on, put(service), "autochrome", 1.3, *LOOK[2:9], *finish, False)
    steer(on, session, variant=1)
    return session


def test_a_project_brings_all_of_the_work_back(on: Handlers, worked: ColorizeSession) -> None:
    file = Path(call(on.download, worked, False, PROJECT)["finished"])
    assert file.name == "old.autochrome"
    for made in (
        load(on, file),
        call(on.open, {"path": str(file)}, None, "", *LOOK, event=UPLOAD),
    ):
        session = made["session"]
        assert made["message"] == ""
        assert session.photo.path != worked.photo.path
        assert session.photo.path.read_bytes() == worked.photo.path.read_bytes()
        assert session.result.options == worked.result.options
        assert (session.hints, session.variant) == ((Hint.read(SUIT),), 1)
        assert (made["vividness"], made["finish_warmth"]) == (1.3, 0.5)
        assert made["mode"]["value"] == STEERING
        assert made["steered"]["hints"] == [Hint.read(SUIT).as_dict()]
        assert np.array_equal(session.picture, worked.picture)
        assert made["kept"] == session.key, "it is kept at once"


def test_hints_wait_in_a_project_for_a_model_that_takes_them(
    on: Handlers, worked: ColorizeSession
) -> None:
    call(on.adjust, worked, "unet-gan", *LOOK[1:])
    made = load(on, Path(call(on.download, worked, False, PROJECT)["finished"]))
    session = made["session"]
    assert made["model"]["value"] == "unet-gan"
    assert made["mode"] == {**made["mode"], "value": COMPARING, "visible": False}
    assert made["compared"]["visible"] is True
    assert session.hints == (Hint.read(SUIT),)
    call(on.adjust, session, *LOOK)
    assert session.result.options.hints == session.hints


def test_a_project_without_its_photo_is_for_the_one_that_is_there(
    on: Handlers, service: Service, worked: ColorizeSession
) -> None:
    file = service.folder.new("work.autochrome")
    project.write(file, worked.work, worked.photo.path, with_photo=False)
    assert "open old.png first" in load(on, file)["message"]
    same = open_photo(on, worked.photo.path)
    made = load(on, file, same)
    assert (made["message"], made["session"].hints) == ("", worked.hints)
    assert made["session"].photo is same.photo
    other = load(on, file, open_photo(on, put(service, "new.png", 128)))
    assert "another file" in other["message"]
    assert other["session"].hints == worked.hints


def test_settings_come_from_a_picture_and_the_work_before_is_kept(
    on: Handlers, service: Service, worked: ColorizeSession
) -> None:
    picture = Path(call(on.download, worked, False, "JPEG")["finished"])
    assert "Open a photo first" in load(on, picture)["message"]
    there = open_photo(on, put(service, "new.png", 128))
    steer(on, there, hints=[SUIT | {"x": 0.5}])
    made = load(on, picture, there, there.key)
    session = made["session"]
    assert session.photo is there.photo
    assert session.result.options == worked.result.options
    assert made["offer"]["visible"] is True
    back = on.go_on(session, session.key, SimpleNamespace(session_hash="someone"))
    assert back["session"] is there
    assert there.hints[0].x == 0.5


def test_hints_stay_where_the_picture_has_none(on: Handlers, service: Service) -> None:
    plain = open_photo(on, put(service), "autochrome", 0.7, *LOOK[2:])
    picture = Path(call(on.download, plain, False, "PNG")["finished"])
    there = open_photo(on, put(service, "new.png"))
    steer(on, there)
    session = load(on, picture, there)["session"]
    assert session.result.options.vividness == 0.7
    assert session.hints == there.hints


def test_what_is_no_project_is_refused_and_the_photo_stays(
    on: Handlers, service: Service, worked: ColorizeSession
) -> None:
    bad = service.folder.new("bad.autochrome")
    bad.write_bytes(b"PK\x03\x04 what?")
    note = service.folder.new("note.txt")
    note.write_bytes(b"Dear diary")
    unsaid = put(service)
    for path, said in ((bad, "damaged"), (note, "not a picture"), (unsaid, "does not say")):
        made = load(on, path, worked)
        assert said in made["message"]
        assert 'role="alert"' in made["message"]
        assert "session" not in made
        assert made["frame"]["visible"] is True
    assert load(on, Path("/etc/passwd"), worked)["message"].endswith(
        "No photo was given. Send a picture file.</p>"
    )
    assert not worked.away


def test_strangers_projects_have_the_limits_of_uploads(
    tmp_path: Path, worked: ColorizeSession
) -> None:
    limits = Public(upload_bytes=100_000, pixels=200 * 200)
    pool = DecoderPool(limits.budget)
    service = Service(Folder(tmp_path), public=limits, pool=pool)
    on = Handlers(service, [])

    def save(photo: Path) -> Path:
        path = service.folder.new("work.autochrome")
        project.write(path, Options(), photo)
        return path

    assert load(on, save(worked.photo.path))["session"]
    assert len(pool.list_pids()) == 1, "it was decoded there"
    assert "megapixels" in load(on, save(put(service, "wide.png", 300)))["message"]
    heavy = service.folder.new("heavy.png")
    heavy.write_bytes(b"\0" * 200_000)
    assert "MB are read" in load(on, save(heavy))["message"]
    fake = service.folder.new("fake.png")
    fake.write_bytes(b"no picture")
    assert "fake.png is not a picture" in load(on, save(fake))["message"]


def test_the_mark_is_drawn_when_it_is_asked_for(on: Handlers, service: Service) -> None:
    session = open_photo(on, put(service))
    plain, marked = (
        image.read(Path(call(on.download, session, mark, "PNG")["finished"])).pixels
        for mark in (False, True)
    )
    rows, columns = np.nonzero((plain != marked).any(axis=2))
    assert rows.min() > 80
    assert columns.min() > 60
