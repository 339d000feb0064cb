"""The hint editor without a browser: what its handler answers."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from handler_calls import UPLOAD, WHO, call, computed_once
from numpy.typing import NDArray
from PIL import Image
from skimage.data import astronaut

import colorize_core
from colorize_core.errors import OptionError
from colorize_core.imaging import image
from colorize_core.imaging.color import rgb_to_lab
from colorize_core.models.runner import Runner
from colorize_core.options import Second
from colorize_core.steering.hints import Hint
from colorize_core.steering.provenance import read_options
from ui.colorize import albums, finish_controls
from ui.colorize.session import ColorizeSession
from ui.colorize.tab import COMPARING, STEERING, Handlers
from ui.server.temp_files import Folder
from ui.shared.albums import Albums
from ui.shared.service import Service

LOOK = ("autochrome", 1.0, 1.0, 1.0, True, "", 0.5, 1.0, 1.0, *finish_controls.reset(), False)
BLUE = {"x": 0.2, "y": 0.85, "ab": [0.0, -45.0]}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    return Service(Folder(tmp_path_factory.mktemp("steering")), load=colorize_core.load)


@pytest.fixture(scope="module", autouse=True)
def predicted_once() -> Iterator[None]:
    """These tests open one photo again and again; with the same options it is looked at once."""
    with computed_once(Runner, "predict", lambda _, pixels, *rest: (pixels.tobytes(), rest[0])):
        yield


@pytest.fixture
def on(service: Service) -> Handlers:
    service.albums = Albums()  # a visit of its own
    return Handlers(service, [])


@pytest.fixture
def opened(service: Service, on: Handlers) -> ColorizeSession:
    path = service.folder.new("old.png")
    Image.fromarray(astronaut()).convert("L").resize((320, 320)).save(path)
    updates = call(on.open, {"path": str(path)}, None, "", *LOOK, event=UPLOAD)
    session: ColorizeSession = updates["session"]
    shown = call(on.switch, session, STEERING)
    assert shown["steered"]["photo"] == session.key
    return session


def steer(on: Handlers, session: ColorizeSession, serial: int = 1, **given: Any) -> dict[str, Any]:
    data = {"photo": session.key, "serial": serial, "hints": [], **given}
    return call(on.steer, session, event=SimpleNamespace(_data=data))


def read(address: str) -> NDArray[np.float32]:
    """Lab of a picture in a data: address."""
    data = base64.b64decode(address.split(",")[1])
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.float32) / 255
    return np.asarray(rgb_to_lab(pixels))


def test_a_hint_colours_its_place(on: Handlers, opened: ColorizeSession) -> None:
    plain = read(steer(on, opened)["steered"]["picture"])
    made = steer(on, opened, 2, hints=[BLUE])
    assert (made["message"], made["steered"]["seen"]) == ("", 2)
    found = read(made["steered"]["picture"])
    row, col = int(0.85 * found.shape[0]), int(0.2 * found.shape[1])
    here = (slice(row - 4, row + 5), slice(col - 4, col + 5), 2)
    assert found[here].mean() < plain[here].mean() - 20
    assert opened.result.options.hints == (Hint.read(BLUE),)
    assert opened.by_hand


def test_the_download_has_the_hints_and_says_so(on: Handlers, opened: ColorizeSession) -> None:
    known = BLUE | {"known": True, "note": "the suit is kept"}
    steer(on, opened, hints=[known])
    path = Path(call(on.download, opened, False, "PNG")["finished"])
    record = image.read_record(path)
    assert record is not None
    assert record.hints == (Hint.read(known),)
    lab = rgb_to_lab(image.read(path).pixels.astype(np.float32) / 255)
    assert lab[272, 64, 2] < -15


def test_the_slider_shows_what_was_steered(on: Handlers, opened: ColorizeSession) -> None:
    steer(on, opened, hints=[BLUE])
    assert not opened.result.rendered
    shown = call(on.switch, opened, COMPARING)
    assert shown["steered"] is None
    after = image.read(Path(shown["compared"]["value"]["after"]["path"])).pixels
    assert rgb_to_lab(after.astype(np.float32) / 255)[272, 64, 2] < -15


def test_hints_stay_when_a_control_moves(on: Handlers, opened: ColorizeSession) -> None:
    steer(on, opened, hints=[BLUE])
    made = call(on.adjust, opened, "autochrome", 1.4, *LOOK[2:])
    assert made["steered"]["restored"]
    assert len(made["steered"]["hints"]) == len(made["steered"]["colours"]) == 1
    assert opened.result.options.vividness == 1.4
    other = call(on.adjust, opened, "unet-gan", *LOOK[1:])
    assert opened.result.options.hints == ()
    assert other["steered"] is None
    assert other["mode"]["visible"] is False
    call(on.adjust, opened, *LOOK)
    assert len(opened.result.options.hints) == 1, (
        "they are there again with a model that takes them"
    )


def test_a_place_has_likely_colours(on: Handlers, opened: ColorizeSession) -> None:
    likely = steer(on, opened, at=[0.2, 0.85])["steered"]["likely"]["colours"]
    odds = [each["odds"] for each in likely]
    assert 1 <= len(likely) <= 3
    assert odds == sorted(odds, reverse=True)
    assert 0 < sum(odds) <= 1
    assert all(each["swatch"].startswith("#") for each in likely)


def test_an_answer_is_followed_by_other_questions(on: Handlers, opened: ColorizeSession) -> None:
    questions = steer(on, opened, ask=True)["steered"]["questions"]
    assert 1 <= len(questions) <= 7
    hints = questions[0]["colours"][1]["hints"]
    then = steer(on, opened, 2, hints=hints, ask=True)["steered"]["questions"]
    first = (questions[0]["x"], questions[0]["y"])
    assert first not in [(each["x"], each["y"]) for each in then]


def test_how_sure_is_a_veil(on: Handlers, opened: ColorizeSession) -> None:
    assert "veil" not in steer(on, opened)["steered"]
    veil = steer(on, opened, sure=True)["steered"]["veil"]
    picture = Image.open(io.BytesIO(base64.b64decode(veil.split(",")[1])))
    assert picture.size == (320, 320)
    assert np.ptp(np.asarray(picture)[..., 3]) > 50


def test_another_look_is_chosen(on: Handlers, opened: ColorizeSession) -> None:
    looks = steer(on, opened, looks=True)["steered"]["looks"]
    assert 2 <= len(looks) <= 6
    usual = read(steer(on, opened, 2)["steered"]["picture"])
    made = steer(on, opened, 3, variant=1)["steered"]
    assert made["variant"] == 1
    assert np.abs(read(made["picture"]) - usual)[..., 1:].mean() > 0.5
    both = steer(on, opened, 4, hints=[BLUE])["steered"]
    assert (both["variant"], len(both["hints"])) == (1, 1)


@pytest.mark.parametrize(
    "given",
    [
        {"hints": None},
        {"hints": [{"x": 2, "y": 0, "ab": [0, 0]}]},
        {"hints": "many"},
        {"variant": 77},
        {"variant": "first"},
        {"at": [5, 5]},
        {"at": "here"},
        {"at": 5},
    ],
)
def test_nonsense_is_refused_in_a_sentence_and_answered(
    on: Handlers, opened: ColorizeSession, given: dict[str, Any]
) -> None:
    made = steer(on, opened, 9, **given)
    assert 'role="alert"' in made["message"]
    assert "failed on this photo" not in made["message"]
    assert made["steered"]["seen"] == 9, "the page does not wait"
    assert opened.result.options.hints == ()


def test_clicks_for_another_photo_do_nothing(on: Handlers, opened: ColorizeSession) -> None:
    assert steer(on, opened, photo="another", hints=[BLUE]) == {}
    assert opened.hints == ()


def as_address(picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=92)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def test_the_colours_of_another_photo_become_hints(on: Handlers, opened: ColorizeSession) -> None:
    like = Image.fromarray(astronaut()[:, ::-1]).resize((320, 320))
    made = steer(on, opened, reference=as_address(like))["steered"]
    assert len(made["matches"]) > 3
    assert "have the colours of the other one" in made["said"]
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    none = steer(on, opened, 2, reference=as_address(Image.fromarray(noise)))["steered"]
    assert none["matches"] == []
    assert "nothing in common" in none["said"]


@pytest.mark.parametrize(
    "given", ["data:image/png;base64,AAAA", "data:image/jpeg;base64,!!", "x" * 3_000_000, 7]
)
def test_another_photo_that_is_none_is_refused(
    on: Handlers, opened: ColorizeSession, given: Any
) -> None:
    made = steer(on, opened, reference=given)
    assert "Choose it again" in made["message"]


def test_the_map_is_saved_at_full_size(on: Handlers, opened: ColorizeSession) -> None:
    file = steer(on, opened, map=True)["steered"]["map"]
    levels = image.read(Path(file["path"])).pixels
    spread = opened.result.prediction.uncertainty()
    assert file["orig_name"] == "old-unsure.png"
    assert np.abs(levels[..., 0] - 5 * spread).max() <= 0.51


def test_hints_are_asked_for_and_kept(on: Handlers, opened: ColorizeSession) -> None:
    assert on.ask(opened, "", WHO)["session"] is None, "nothing was done by hand: away it goes"
    kept = steer(on, opened, hints=[BLUE], variant=1)["kept"]
    assert kept == opened.key
    assert set(on.ask(opened, kept, WHO)) == {"confirm"}
    away = on.put_away(opened, kept, WHO)
    assert (away["session"], away["offer"]["visible"]) == (None, True)
    assert "old.png" in away["offered"]
    back = on.go_on(None, kept, WHO)
    assert back["session"] is opened
    assert not opened.away
    assert on.service.current(WHO.session_hash) is opened.photo
    assert [Hint.read(each) for each in back["steered"]["hints"]] == [Hint.read(BLUE)]
    assert back["steered"]["variant"] == 1
    assert back["mode"]["value"] == STEERING


def test_a_page_that_is_loaded_anew_has_the_controls_of_the_work(
    on: Handlers, opened: ColorizeSession
) -> None:
    kept = steer(on, opened, hints=[BLUE])["kept"]
    call(on.adjust, opened, "autochrome", 1.4, *LOOK[2:])
    call(on.switch, opened, COMPARING)
    back = on.go_on(None, kept, WHO)
    assert back["vividness"] == 1.4
    assert back["model"]["value"] == "autochrome"
    assert back["finish_white"] == 100
    call(on.adjust, opened, "unet-gan", *LOOK[1:])
    other = on.go_on(None, kept, WHO)
    assert other["steered"] is None
    assert other["own"]["visible"] is False
    assert other["compared"]["visible"] is True, "hints wait for a model that takes them"


def test_hints_that_were_taken_back_are_not_offered(on: Handlers, opened: ColorizeSession) -> None:
    kept = steer(on, opened, hints=[BLUE])["kept"]
    steer(on, opened, 2)
    assert on.offer(None, kept)["offer"]["visible"] is False
    assert "no longer here" in on.go_on(None, kept, WHO)["message"]


def read_after(session: ColorizeSession) -> NDArray[np.float32]:
    return np.asarray(rgb_to_lab(image.read(session.result.after).pixels.astype(np.float32) / 255))


def mix(on: Handlers, session: ColorizeSession, second: str, share: float) -> dict[str, Any]:
    return call(on.adjust, session, *LOOK[:5], second, share, *LOOK[7:])


def test_a_second_model_is_mixed_in(on: Handlers, opened: ColorizeSession) -> None:
    call(on.switch, opened, COMPARING)
    own = read_after(opened)
    call(on.adjust, opened, "unet-gan", *LOOK[1:])
    other = read_after(opened)
    call(on.adjust, opened, *LOOK)
    assert mix(on, opened, "", 0.5) == {"message": ""}, "nothing has changed"
    made = mix(on, opened, "unet-gan", 0.25)
    assert made["message"] == ""
    mean = 0.75 * own + 0.25 * other
    assert np.abs(read_after(opened) - mean)[..., 1:].mean() < 1.0
    mix(on, opened, "unet-gan", 1.0)
    assert np.abs(read_after(opened) - other)[..., 1:].mean() < 1.0
    mix(on, opened, "autochrome", 0.5)
    assert opened.result.options.second is None, "a model is not mixed with itself"
    mix(on, opened, "unet-gan", 0.5)
    mix(on, opened, "", 0.5)
    assert np.abs(read_after(opened) - own).max() < 0.01


def test_hints_count_whole_beside_a_second_model(on: Handlers, opened: ColorizeSession) -> None:
    mix(on, opened, "unet-gan", 0.8)
    found = read(steer(on, opened, hints=[BLUE])["steered"]["picture"])
    row, col = int(0.85 * found.shape[0]), int(0.2 * found.shape[1])
    assert found[row - 4 : row + 5, col - 4 : col + 5, 2].mean() < -20


def test_a_file_names_both_models_and_brings_them_back(
    on: Handlers, opened: ColorizeSession
) -> None:
    mix(on, opened, "unet-gan", 0.25)
    path = Path(call(on.download, opened, False, "PNG")["finished"])
    record = image.read_record(path)
    assert record is not None
    assert [name for name, _ in record.models] == ["autochrome", "unet-gan"]
    assert read_options(record).second == Second("unet-gan", 0.25)


@pytest.mark.parametrize(
    "given", [7, "unet-gan", {"model": 1, "share": 0.5}, {"model": "a", "share": 2}, {"model": "a"}]
)
def test_a_second_model_that_is_none_is_refused(given: Any) -> None:
    with pytest.raises(OptionError):
        Second.read(given)


def test_the_next_photo_is_mixed_as_the_controls_say(service: Service, on: Handlers) -> None:
    Image.fromarray(astronaut()).convert("L").resize((96, 96)).save(
        path := service.folder.new("next.png")
    )
    look = (*LOOK[:5], "unet-gan", 0.25, *LOOK[7:])
    session = call(on.open, {"path": str(path)}, None, "", *look, event=UPLOAD)["session"]
    assert session.result.options.second == Second("unet-gan", 0.25)


def test_what_is_known_on_one_photo_is_offered_on_the_next(
    service: Service, on: Handlers, opened: ColorizeSession
) -> None:
    steer(on, opened, hints=[BLUE, BLUE | {"x": 0.6, "known": True, "note": "the suit is kept"}])
    path = service.folder.new("next.png")
    Image.open(opened.photo.path).crop((20, 20, 320, 320)).save(path)
    made = call(on.open, {"path": str(path)}, None, "", *LOOK, event=UPLOAD)
    assert "A colour that you know from other photos" in made["message"]
    following: ColorizeSession = made["session"]
    shown = call(on.switch, following, STEERING)
    (offered,) = shown["steered"]["suggested"]
    assert (offered["note"], offered["source"]) == ("the suit is kept", "old.png")
    wanted = (0.6 * 320 - 20) / 300, (0.85 * 320 - 20) / 300
    assert np.hypot(offered["x"] - wanted[0], offered["y"] - wanted[1]) < 0.06
    assert following.hints == (), "nothing is applied that nobody has looked at"
    hint = {key: value for key, value in offered.items() if key not in ("css", "source")}
    steer(on, following, hints=[hint], decided=[hint])
    assert following.hints == (Hint.read(hint),)
    again = call(on.switch, following, STEERING)
    assert again["steered"]["suggested"] == [], "what was decided is not offered again"


def test_facts_are_those_of_their_person_and_go_when_they_are_no_more(
    service: Service, on: Handlers, opened: ColorizeSession
) -> None:
    known = BLUE | {"known": True}
    steer(on, opened, hints=[known])
    stranger = SimpleNamespace(session_hash="somebody else")
    upload = {"path": str(opened.photo.path)}
    made = call(on.open, upload, None, "", *LOOK, event=UPLOAD, who=stranger)
    assert made["session"].placed == ()
    steer(on, opened, 2, hints=[BLUE])
    made = call(on.open, upload, None, "", *LOOK, event=UPLOAD)
    assert made["session"].placed == ()


def test_albums_hold_only_so_much(service: Service, opened: ColorizeSession) -> None:
    opened.hints = (Hint.read(BLUE | {"known": True}),)
    service.albums = Albums(most=1)
    albums.put("first", opened, service)
    other = ColorizeSession(opened.photo, opened.result)
    assert len(albums.find("first", other, service)) == 1, "one photo always stays"
    albums.put("second", opened, service)
    assert albums.find("first", other, service) == ()
    assert len(albums.find("second", other, service)) == 1
