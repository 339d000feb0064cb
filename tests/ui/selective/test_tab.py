"""The tab "Selective" without a browser: what its handlers do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import drawing_models
import gradio as gr
import numpy as np
import pytest
from handler_calls import FOLLOWING, UPLOAD, WHO, Updates, call, calls, computed_once
from hub_server import Fault, serving_torchvision
from numpy.typing import NDArray
from PIL import Image

from colorize_core import selective
from colorize_core.downloads.transfer import CHUNK
from colorize_core.errors import WeightsError
from colorize_core.imaging import image
from colorize_core.imaging.formats import CHOICES
from colorize_core.models import runner
from colorize_core.models.runner import Task
from colorize_core.options import Options
from colorize_core.selective import Layer, people, segmenters
from colorize_core.selective.blending import OWN
from ui.selective import endpoint, mask_edits, mask_files
from ui.selective.fill_controls import FLAT, GRAY, read_colour, read_fill
from ui.selective.session import MOST_REGIONS, MOST_STEPS, Fill, SelectiveSession, pack, unpack
from ui.selective.tab import Handlers
from ui.shared.example_strip import find_examples
from ui.shared.handlers import SAY_STOPPED, View, wire_run
from ui.shared.projects import PROJECT, open_project, save
from ui.shared.service import MOST_WORKS, Service

SIZE = (150, 100)  # of the photos, width and height
AUTOCHROME = "autochrome"
Scene = Callable[..., NDArray[np.uint8]]


class Page:
    """The tab's handlers with one person's photo."""

    def __init__(self, service: Service, photo: Path):
        self.service = service
        self.on = Handlers(service, find_examples(), drawing_models.CARDS)
        self.photo = service.folder.new(photo.name)
        self.photo.write_bytes(photo.read_bytes())
        self.opened = list(calls(self.on.open, {"path": str(self.photo)}, None, event=UPLOAD))
        self.session: SelectiveSession = self.opened[0]["session"]
        self.serial = 0

    def edit(self, *some: dict[str, Any]) -> Updates:
        """What the page does: message, picture and controls."""
        sent = [{**each, "serial": self.serial + i} for i, each in enumerate(some, 1)]
        self.serial += len(some)
        return self.on.edit(self.session, SimpleNamespace(photo=self.session.key, edits=sent))

    def do(self, kind: str, **more: Any) -> Updates:
        return self.edit({"kind": kind, **more})

    def colour(self, turn: float = 0) -> Updates:
        return call(self.on.colour, self.session, turn=turn)

    def fill(self, choice: str, vividness: float = 1.0, colour: str | None = None) -> Updates:
        self.on.choose(self.session, choice, vividness, colour)
        return self.colour()

    def find(self, network: str, **options: Any) -> Updates:
        return call(self.on.find, self.session, network, **options)

    def file(self, kind: str) -> Path:
        made = call(self.on.download, self.session, kind)
        assert made["remark"] == ""
        return Path(made["finished"])


@pytest.fixture(scope="module", autouse=True)
def looked_at_once() -> Iterator[None]:
    """These tests open the same few photos again and again; people are looked for once in each."""
    with computed_once(people, "find_persons", lambda network, light, *_: light.tobytes()):
        yield


@pytest.fixture
def page(service: Service, gray_photo: Path) -> Page:
    return Page(service, gray_photo)


@pytest.fixture
def colour_page(service: Service, colour_photo: Path) -> Page:
    return Page(service, colour_photo)


def test_what_is_chosen_while_others_are_made_is_made_too(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = page.session.make

    def choose_meanwhile(fill: Fill, *rest: Any) -> None:
        if fill == Fill(AUTOCHROME):
            page.on.choose(page.session, FLAT, 1.0, "#b8442e")
        make(fill, *rest)

    monkeypatch.setattr(page.session, "make", choose_meanwhile)
    page.on.choose(page.session, AUTOCHROME, 1.0, None)
    assert "inside" not in page.colour(), "the control that was just turned stays"
    assert page.session.area.fill == page.session.area.shown == Fill(None, 1.0, (184, 68, 46))


STROKE = {"kind": "paint", "points": [[20, 50], [130, 50]], "radius": 10}


def test_the_photo_is_seen_before_its_first_mask_and_that_before_its_colours(page: Page) -> None:
    first, second = page.opened
    assert first["message"] == ""
    assert (first["shown"]["width"], first["shown"]["height"]) == SIZE
    assert "empty" in first["shown"]["words"]
    assert "covers" in second["shown"]["words"]
    assert not second["shown"]["undo"], "the first mask is where it begins"
    assert not page.service.runner._models, "no model has been asked yet"
    (region,) = second["shown"]["regions"]
    assert region["picture"] == second["shown"]["around"]
    made = page.colour()
    assert made["remark"] == ""
    shown = made["shown"]
    assert shown["regions"][0]["picture"] != shown["around"]
    assert image.read(shown["regions"][0]["picture"]["path"]).pixels.shape == (*SIZE[::-1], 3)


def test_pages_and_metadata_that_are_left_out_are_said(
    service: Service, tmp_path: Path, gray_scene: Scene
) -> None:
    path = tmp_path / "album.tif"
    pages = [Image.fromarray(gray_scene(100, 150)) for _ in range(3)]
    iptc = {33723: b"\x1c\x02\x78\x00\x01a"}
    pages[0].save(path, save_all=True, append_images=pages[1:], tiffinfo=iptc)
    page = Page(service, path)
    left_out = "The file holds 3 pictures: this is the first, the other 2 are left out."
    assert [updates["message"] for updates in page.opened] == [f"<p>{left_out}</p>"] * 2
    page.colour()
    for kind, dropped in (("PNG", ""), ("WebP", " Not kept: IPTC.")):
        made = call(page.on.download, page.session, kind)
        assert made["remark"] == f"<p>{left_out}{dropped}</p>"


def test_a_large_photo_is_edited_at_screen_size(
    service: Service, tmp_path: Path, gray_scene: Scene
) -> None:
    path = tmp_path / "large.jpg"
    Image.fromarray(gray_scene(1000, 2000)).save(path)
    page = Page(service, path)
    assert page.session.shape == (selective.SIDE // 2, selective.SIDE)
    assert page.session.photo.size == (2000, 1000)


def test_a_stroke_paints_where_it_goes_and_nowhere_else(page: Page) -> None:
    page.do("nothing")
    made = page.edit(STROKE)
    mask = page.session.mask()
    assert made["remark"] == ""
    shown = made["shown"]
    assert shown["seen"] == page.serial
    assert mask[50, 20:131].min() == 1
    assert mask[:38].max() == mask[63:].max() == mask[:, :8].max() == mask[:, 143:].max() == 0
    assert set(made) == {"remark", "shown", "kept"}, "the controls stay as they are"
    with Image.open(shown["regions"][0]["mask"]["path"]) as file:
        alpha = np.asarray(file)[..., 1]
    assert np.array_equal(alpha, np.round(mask * 255)), "the page gets just this mask"
    page.edit({**STROKE, "kind": "erase", "points": [[75, 50]]})
    assert page.session.mask()[50, 75] == 0
    assert page.session.mask()[50, 30] == 1


def test_strokes_that_come_twice_or_for_another_photo_are_not_painted(page: Page) -> None:
    again = SimpleNamespace(photo=page.session.key, edits=[{"kind": "invert", "serial": 1}])
    page.on.edit(page.session, again)
    once = page.session.mask()
    shown = page.on.edit(page.session, again)["shown"]
    assert np.array_equal(page.session.mask(), once)
    assert shown["seen"] == 1
    other = SimpleNamespace(photo="another", edits=[{"kind": "invert", "serial": 9}])
    page.on.edit(page.session, other)
    assert np.array_equal(page.session.mask(), once)


def test_every_edit_can_be_undone_and_done_again(page: Page) -> None:
    start = page.session.mask()
    masks = [start]
    for kind in ("invert", "grow", "shrink", "feather", "fill", "snap", "all", "nothing", "guess"):
        assert page.do(kind)["remark"] == "", kind
        masks.append(page.session.mask())
    page.edit(STROKE)
    painted = page.session.mask()
    for mask in reversed(masks):
        page.do("undo")
        assert np.array_equal(page.session.mask(), mask)
    assert not page.do("undo")["shown"]["undo"], "nothing is left to undo"
    page.edit(*[{"kind": "redo"}] * len(masks))
    assert np.array_equal(page.session.mask(), painted)
    page.do("undo")
    assert not page.edit(STROKE)["shown"]["redo"], "a new stroke leaves nothing to do again"


def test_what_can_be_undone_is_kept_within_bounds(page: Page) -> None:
    page.edit(*[{"kind": "invert"}] * (MOST_STEPS + 5))
    assert len(page.session.past) == MOST_STEPS


def test_buttons_do_what_they_say(page: Page) -> None:
    page.do("nothing")
    page.edit(STROKE)
    before = page.session.mask()
    page.do("grow")
    assert page.session.mask().sum() > before.sum()
    page.edit({"kind": "undo"}, {"kind": "shrink"})
    assert page.session.mask().sum() < before.sum()
    page.edit({"kind": "undo"}, {"kind": "feather"})
    between = (page.session.mask() > 0) & (page.session.mask() < 1)
    assert between.sum() > ((before > 0) & (before < 1)).sum()
    page.edit({"kind": "undo"}, {"kind": "invert"})
    assert np.allclose(page.session.mask(), 1 - before, atol=1 / 255)
    page.do("nothing")
    ring = [(75 + 40 * np.cos(a), 50 + 40 * np.sin(a)) for a in np.linspace(0, 7, 40)]
    page.do("paint", points=[[float(x), float(y)] for x, y in ring], radius=4)
    assert page.session.mask()[50, 75] == 0
    page.do("fill")
    assert page.session.mask()[50, 75] == 1


def test_an_object_is_selected_by_a_box_and_strokes(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def grabcut(photo: Any, **marks: Any) -> Any:
        asked.append(marks)
        return np.ones(photo.shape[:2], np.float32)

    monkeypatch.setattr(selective, "grabcut", grabcut)
    shown = page.do("box", box=[120, 80, 30.5, -20])["shown"]
    assert asked[-1]["box"] == (30.5, 0, 120, 80)
    assert shown["marks"]["box"] == (30.5, 0, 120, 80)
    page.do("keep", points=[[60, 40], [70, 40]], radius=3)
    page.do("drop", points=[[5, 5]], radius=2)
    assert asked[-1] == {
        "box": (30.5, 0, 120, 80),
        "keep": ((((60, 40), (70, 40)), 3),),
        "drop": ((((5, 5),), 2),),
    }
    assert [each["kind"] for each in page.do("undo")["shown"]["marks"]["strokes"]] == ["keep"]
    page.do("box", box=[10, 10, 50, 50])
    assert asked[-1] == {"box": (10, 10, 50, 50), "keep": (), "drop": ()}


@pytest.mark.parametrize(
    "edit",
    [
        {"kind": "box", "box": [10, 10, 11, 60]},
        {"kind": "paint", "points": [], "radius": 3},
        {"kind": "paint", "points": [[float("nan"), 3]], "radius": 3},
        {"kind": "paint", "points": [[1, 1]] * 20_000, "radius": 3},
        {"kind": "dance"},
    ],
)
def test_nonsense_is_answered_in_words_and_changes_nothing(
    page: Page, edit: dict[str, Any]
) -> None:
    before = page.session.mask()
    made = page.edit(edit)
    assert 'role="alert"' in made["remark"]
    assert np.array_equal(page.session.mask(), before)
    assert made["shown"]["seen"] == page.serial, "the page does not send it again"


def test_the_mask_survives_another_model(page: Page) -> None:
    page.edit(STROKE)
    mask = page.session.mask()
    first = page.colour()["shown"]["regions"][0]["picture"]
    assert page.fill("student")["shown"]["regions"][0]["picture"] != first
    assert np.array_equal(page.session.mask(), mask)
    page.edit({"kind": "undo"}, {"kind": "redo"})
    assert page.session.area.fill == Fill("student"), "undo is for masks"
    assert page.fill(AUTOCHROME)["shown"]["regions"][0]["picture"] == first, "it was kept"


def test_each_model_looks_once_at_the_photo(
    page: Page, loaded: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    page.colour()
    looks: list[Any] = []
    monkeypatch.setattr(loaded[AUTOCHROME], "predict", lambda *_, **__: looks.append(1))
    page.fill(AUTOCHROME, vividness=2.0)
    page.edit(STROKE)
    page.file("PNG")
    assert looks == []


def test_regions_have_masks_and_fills_of_their_own(page: Page) -> None:
    page.edit({"kind": "nothing"}, STROKE)
    first = page.session.mask()
    made = page.do("add")
    shown = made["shown"]
    assert [each["title"] for each in shown["regions"]] == ["Region 1", "Region 2"]
    assert (shown["active"], page.session.mask().max()) == (1, 0)
    assert made["inside"]["value"] == AUTOCHROME
    assert page.fill(FLAT, colour="#c02020")["remark"] == ""
    page.do("paint", points=[[75, 90]], radius=5)
    made = page.do("pick", key=1)
    assert (made["shown"]["active"], made["inside"]["value"]) == (0, AUTOCHROME)
    assert np.array_equal(page.session.mask(), first)
    made = image.read(page.file("PNG")).pixels.astype(int)
    assert made[90, 75, 0] - made[90, 75, 1] > 30, "flat red"
    assert len({*made[10, 10]}) == 1, "gray where no region is"
    shown = page.do("remove", key=1)["shown"]
    assert [each["key"] for each in shown["regions"]] == [2]
    page.do("remove", key=2)
    assert len(page.session.areas) == 1, "the last one stays"
    page.do("undo")
    assert [each.key for each in page.session.areas] == [1, 2]


def test_there_are_not_too_many_regions(page: Page) -> None:
    for _ in range(MOST_REGIONS - 1):
        assert page.do("add")["remark"] == ""
    assert page.session.areas[-1].key == MOST_REGIONS
    assert f"There can be {MOST_REGIONS} regions" in page.do("add")["remark"]


def test_files_keep_the_name_that_a_person_gave(service: Service, gray_photo: Path) -> None:
    photo = service.folder.new("Dr. Smith 1920")
    photo.write_bytes(gray_photo.read_bytes())
    page = Page(service, photo)
    names = [page.file(kind).name for kind in ("JPEG", mask_files.MASK, mask_files.FIGURE)]
    assert names == [f"Dr. Smith 1920-{end}" for end in ("selective.jpg", "mask.png", "figure.png")]


def test_outside_stays_as_it_is_byte_for_byte(page: Page) -> None:
    page.edit({"kind": "nothing"}, STROKE)
    path = page.file("PNG")
    assert path.name == "old-selective.png"
    made, photo = image.read(path), image.read(page.photo).pixels
    mask = page.session.mask()
    assert np.array_equal(made.pixels[mask == 0], photo[mask == 0])
    assert not np.array_equal(made.pixels[mask == 1], photo[mask == 1])
    with Image.open(path) as file:
        assert file.getexif()[271] == "Kine Exakta"
    whole = page.service.runner.model(AUTOCHROME).colorize(photo)
    assert np.array_equal(made.pixels[mask == 1], whole[mask == 1])


def test_outside_can_have_a_model_of_its_own(page: Page) -> None:
    page.edit({"kind": "nothing"}, STROKE)
    page.on.choose_outside(page.session, "student", 1.5)
    coloured = page.colour()
    assert coloured["remark"] == ""
    assert coloured["shown"]["around"] != coloured["shown"]["regions"][0]["picture"]
    made = image.read(page.file("PNG")).pixels
    photo = image.read(page.photo).pixels
    whole = page.service.runner.model("student").colorize(photo, vividness=1.5)
    away = page.session.mask() == 0
    assert np.array_equal(made[away], whole[away])


def test_a_photo_in_colour_keeps_its_own_colours_where_that_is_asked_for(colour_page: Page) -> None:
    page = colour_page
    values = [value for _, value in page.opened[-1]["inside"]["choices"]]
    assert OWN in values
    page.edit({"kind": "nothing"}, STROKE)
    page.fill(OWN)
    made, photo = image.read(page.file("PNG")).pixels, image.read(page.photo).pixels
    mask = page.session.mask()
    assert np.array_equal(made[mask == 1], photo[mask == 1])
    assert np.ptp(made[mask == 0].astype(int), axis=1).max() <= 1, "gray"


def test_a_model_that_fails_says_so_and_the_region_keeps_what_it_had(
    page: Page, loaded: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    page.colour()
    broken = SimpleNamespace()
    monkeypatch.setitem(loaded, "student", broken)
    coloured = page.fill("student")
    assert "The program has failed" in coloured["remark"]
    assert coloured["inside"]["value"] == AUTOCHROME
    assert coloured["shown"]["regions"][0]["picture"] != coloured["shown"]["around"]
    page.on.choose_outside(page.session, "student", 1.0)
    assert page.colour()["outside"] == GRAY


def test_a_run_that_was_stopped_changes_nothing(page: Page) -> None:
    page.colour()
    page.service.stop(WHO.session_hash, turn=5)
    page.on.choose(page.session, "student", 1.0, None)
    page.colour(turn=4)
    assert page.session.area.fill == Fill(AUTOCHROME)
    assert page.session.outside == Fill()


@pytest.mark.parametrize("format", CHOICES)
def test_every_format_can_be_downloaded_at_full_size(page: Page, format: str) -> None:
    path = page.file(format)
    assert path.suffix == CHOICES[format].suffix
    made = image.read(path)
    assert made.pixels.shape == (*SIZE[::-1], 3)
    assert made.pixels.dtype == (np.uint16 if format.startswith("TIFF") else np.uint8)
    assert made.metadata.record
    assert [name for name, _ in made.metadata.record.models] == [AUTOCHROME]
    (region,) = made.metadata.record.settings["regions"]
    assert region["share"] == round(float(page.session.mask().mean()), 4)


def test_a_mask_goes_out_and_comes_in_again(page: Page) -> None:
    page.edit({"kind": "nothing"}, STROKE)
    mask = page.session.mask()
    path = page.file(mask_files.MASK)
    page.do("nothing")
    taken = page.on.load_mask(page.session, str(path))
    assert taken["remark"] == ""
    assert taken["shown"]["undo"]
    assert np.abs(page.session.mask() - mask).max() <= 1 / 255


def test_a_mask_that_does_not_fit_is_refused_by_its_name(page: Page, tmp_path: Path) -> None:
    before = page.session.mask()
    tall = tmp_path / "tall.png"
    Image.new("L", (100, 150)).save(tall)
    refused = page.on.load_mask(page.session, str(tall))
    assert "tall.png is 100 × 150" in refused["remark"]
    text = tmp_path / "notes.png"
    text.write_text("no picture at all")
    refused = page.on.load_mask(page.session, str(text))
    assert "notes.png is not a picture" in refused["remark"]
    assert str(tmp_path) not in refused["remark"]
    assert set(refused) == {"remark"}
    assert np.array_equal(page.session.mask(), before)


def test_the_figure_has_four_panels(page: Page) -> None:
    path = page.file(mask_files.FIGURE)
    assert image.read_record(path)
    sheet = image.read(path).pixels
    height, width = sheet.shape[:2]
    assert width > 4 * SIZE[0]
    assert height > SIZE[1]


def halves(photo: Any, **_: Any) -> tuple[Layer, ...]:
    left = np.zeros(photo.shape[:2], np.float32)
    left[:, : SIZE[0] // 2] = 1
    return Layer("person", left, 0.5), Layer("dog", 1 - left, 0.005)


def test_found_classes_are_layers_to_be_put_in_and_taken_out(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selective, "count_missing_bytes", lambda network: 0)
    monkeypatch.setattr(selective, "find_classes", halves)
    found = page.find("mobile")
    assert found["remark"] == ""
    layers = found["layers"]
    assert layers["visible"]
    assert layers["choices"] == [("person · 50 %", "person"), ("dog · under 1 %", "dog")]
    assert layers["value"] == []
    page.on.toggle(page.session, ["person"])
    person, dog = (each.mask for each in halves(page.session.small))
    assert np.array_equal(page.session.mask(), person), "a guess gives way"
    page.on.toggle(page.session, ["person", "dog"])
    assert page.session.mask().min() == 1
    page.on.toggle(page.session, ["dog"])
    assert np.array_equal(page.session.mask(), dog)
    page.edit(STROKE)
    page.on.toggle(page.session, ["dog", "person"])
    assert page.session.mask().min() == 1
    layers = page.edit({"kind": "undo"}, {"kind": "undo"})["layers"]
    assert layers["value"] == ["dog"], "undo takes the ticks along"


def test_the_only_thing_that_is_found_is_selected(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selective, "find_classes", lambda *_, **__: halves(page.session.small)[:1])
    layers = page.find("people")["layers"]
    assert layers["value"] == ["person"]
    assert np.array_equal(page.session.mask(), halves(page.session.small)[0].mask)
    layers = page.do("undo")["layers"]
    assert layers["value"] == []


def test_without_a_network_the_reason_is_told(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: Any, **__: Any) -> Any:
        raise WeightsError("The network is not here. Connect once.")

    monkeypatch.setattr(segmenters, "fetch", offline)
    assert "Connect once." in page.find("mobile")["remark"]


def test_a_download_says_how_far_it_is_can_be_stopped_and_goes_on(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def progress(share: float, words: str) -> None:
        told.append(words)
        assert not page.service.runner._network.locked(), "others may go on meanwhile"
        if share > 0:
            page.service.stop("someone")

    monkeypatch.setattr(runner, "LIVELY", 0.0)
    with serving_torchvision("deeplab-mobile", bytes(2 * CHUNK), tmp_path, monkeypatch) as server:
        server.faults = [Fault(cut_after=CHUNK, stall=60)]
        assert page.find("mobile", progress=progress) == {}
        assert re.fullmatch(r"\S+ [kM]B of 44\.4 MB", told[-1])
        monkeypatch.setattr(selective, "find_classes", lambda *_, **__: halves(page.session.small))
        found = page.find("mobile")
    assert (found["remark"], server.ranges) == ("", [None, f"bytes={CHUNK}-"])


def test_a_network_looks_where_it_is_pointed_at(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def pointed(photo: Any, **prompts: Any) -> Any:
        asked.append(prompts)
        return np.ones(photo.shape[:2], np.float32)

    monkeypatch.setattr(selective, "count_missing_bytes", lambda network: 0)
    monkeypatch.setattr(selective, "find_pointed", pointed)
    assert "Nothing has been pointed at" in call(page.on.point, page.session)["remark"]
    page.do("box", box=[10, 10, 90, 90])
    page.do("keep", points=[[20, 20], [30, 30], [40, 40]], radius=2)
    selected = call(page.on.point, page.session)
    assert selected["remark"] == ""
    assert asked == [{"points": [(30, 30)], "drop": [], "box": (10, 10, 90, 90)}]
    assert page.session.mask().min() == 1
    assert selected["shown"]["marks"]["box"], "it can be pointed at more"


def test_another_photo_gets_another_session(page: Page, gray_photo: Path) -> None:
    other = page.service.folder.new("other.png")
    other.write_bytes(gray_photo.read_bytes())
    opened = call(page.on.open, {"path": str(other)}, page.session, event=UPLOAD)
    assert page.session.away
    assert opened["shown"]["photo"] != page.session.key
    empty = page.on.reset(page.session, WHO)
    assert (empty["message"], empty["session"], empty["shown"]) == ("", None, None)
    assert empty["zone"]["visible"]
    assert not empty["place"]["visible"]


def test_the_photo_of_another_tab_is_taken_when_this_one_is_entered(
    page: Page, colour_photo: Path
) -> None:
    assert page.on.follow(page.session, False, WHO) == {}, "it is this tab's own"
    other = page.service.photo(colour_photo)
    page.service.follow(WHO.session_hash, other)
    assert "entered" in page.on.follow(page.session, False, WHO)
    assert call(page.on.open, None, page.session, event=FOLLOWING)["session"].photo is other
    assert page.session.away


def test_a_file_that_is_no_picture_leaves_everything_as_it_was(page: Page) -> None:
    bad = page.service.folder.new("notes.jpg")
    bad.write_text("no picture at all")
    (only,) = calls(page.on.open, {"path": str(bad)}, page.session, event=UPLOAD)
    assert "notes.jpg is not a picture" in only["message"]
    assert set(only) == {"message", "zone"}
    assert not page.session.away


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the pictures that were decoded."""
    names: list[str] = []
    decode = image.decode

    def counting(data: bytes, name: str = "", most: int | None = None) -> image.Photo:
        names.append(Path(name).name)
        return decode(data, name, most)

    monkeypatch.setattr(image, "decode", counting)
    return names


def test_a_session_decodes_its_photo_once(
    decoded: list[str], service: Service, colour_photo: Path, tmp_path: Path
) -> None:
    page = Page(service, colour_photo)
    page.colour()
    page.edit(STROKE)
    page.edit({"kind": "feather"})
    page.fill("student", vividness=1.5)
    page.fill(OWN)
    for kind in mask_files.KINDS:
        page.file(kind)
    assert decoded == ["new.png"]
    mask = tmp_path / "mask.png"
    Image.new("L", SIZE).save(mask)
    page.on.load_mask(page.session, str(mask))
    assert decoded == ["new.png", "mask.png"], "which is another picture"


@pytest.mark.parametrize("keep", ["auto", "20,20,130,90"])
@pytest.mark.parametrize("format", ["PNG", "TIFF, 16 bit"])
def test_the_endpoint_decodes_its_photo_once(
    decoded: list[str], service: Service, colour_photo: Path, keep: str, format: str
) -> None:
    given = service.folder.new("given.png")
    given.write_bytes(colour_photo.read_bytes())
    on = endpoint.Endpoint(service, drawing_models.CARDS)
    file, line = on.selective(
        WHO, {"path": str(given)}, keep, AUTOCHROME, "student", 1.0, "", format, None, None
    )
    assert decoded == ["given.png"]
    assert "Autochrome on " in line
    assert image.read(file).pixels.shape == (*SIZE[::-1], 3)


@pytest.mark.parametrize("place", ["message", "remark"])
def test_a_stop_is_said_beside_what_it_stops(
    page: Page, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Any] = []
    monkeypatch.setattr(gr, "on", lambda _, *event, js, **__: events.append((*event, js)))
    cancel: Any = SimpleNamespace(click=None)
    view = View(message="message", remark="remark", turn="turn")
    wire_run(view, page.on, [], [cancel], place)
    said, (stop, _, outputs, _) = events
    assert said == (None, None, place, SAY_STOPPED)
    assert (stop(1, WHO), outputs) == (None, None), "what the run says as it ends stays"


def test_controls_become_fills() -> None:
    assert read_fill(GRAY, 1.5, None) == Fill()
    assert read_fill(AUTOCHROME, 1.5, "#ffffff") == Fill(AUTOCHROME, 1.5)
    assert read_fill(OWN, 1.5, None) == Fill(OWN)
    assert read_fill(FLAT, 1.5, "#102030") == Fill(None, 1.5, (16, 32, 48))
    assert read_colour("rgba(16.4, 32, 48, 1)") == (16, 32, 48)


def test_packing_keeps_256_shades(rng: np.random.Generator) -> None:
    shades = rng.integers(0, 256, (7, 5)).astype(np.float32) / 255
    assert np.allclose(unpack(pack(shades), (7, 5)), shades, atol=1e-6)


def test_edits_have_the_names_that_the_page_uses() -> None:
    page = (Path(mask_edits.__file__).parent / "mask_editor.html").read_text()
    used = {part.split('"')[0] for part in page.split('data-edit="')[1:]}
    assert used <= mask_edits.CHANGES.keys() | mask_edits.ACTS.keys()
    tools = {part.split('"')[0] for part in page.split('data-tool="')[1:]}
    assert tools <= mask_edits.ACTS.keys()


def test_the_page_sends_no_longer_strokes_than_are_taken() -> None:
    script = (Path(mask_edits.__file__).parent / "mask_editor.js").read_text()
    found = re.search(r"const MOST_POINTS = (\d+);", script)
    assert found
    assert int(found[1]) < mask_edits.MOST_POINTS / 2, "several points may come at once"


def test_masks_painted_by_hand_stay_when_another_tab_has_another_photo(
    page: Page, colour_photo: Path
) -> None:
    page.do("paint", points=[[20, 20]], radius=5)
    page.service.follow(WHO.session_hash, page.service.photo(colour_photo))
    assert page.on.follow(page.session, False, WHO) == {}


def test_a_file_that_is_no_picture_is_no_photo_to_be_followed(page: Page) -> None:
    note = page.service.folder.path / "note.jpg"
    note.write_bytes(b"Dear diary")
    assert (
        "note.jpg" in call(page.on.open, {"path": str(note)}, page.session, event=UPLOAD)["message"]
    )
    assert page.service.current(WHO.session_hash) is page.session.photo


def test_work_by_hand_is_asked_for_and_kept(page: Page, colour_photo: Path) -> None:
    asked = page.on.ask(page.session, "", WHO)
    assert asked["session"] is None, "nothing was done by hand: away it goes"
    kept = page.edit(STROKE)["kept"]
    assert kept == page.session.key
    work = page.session
    assert set(page.on.ask(work, kept, WHO)) == {"confirm"}
    assert page.on.offer(work, kept)["offer"]["visible"] is False, "it is there"
    away = page.on.put_away(work, kept, WHO)
    assert away["session"] is None
    assert away["offer"]["visible"] is True
    assert page.photo.name in away["offered"]
    back = page.on.go_on(None, kept, WHO)
    assert back["session"] is work
    assert not work.away
    assert page.service.current(WHO.session_hash) is work.photo
    assert back["offer"]["visible"] is False
    dropped = page.service.folder.new("other.jpg")
    dropped.write_bytes(colour_photo.read_bytes())
    other = call(page.on.open, {"path": str(dropped)}, work, kept, event=UPLOAD)
    assert other["offer"]["visible"] is True, "of another photo that was dropped, too"


def test_work_that_is_gone_is_not_offered(page: Page) -> None:
    kept = page.edit(STROKE)["kept"]
    assert page.on.offer(None, "0" * 32)["offer"]["visible"] is False
    page.photo.unlink()
    assert page.on.offer(None, kept)["offer"]["visible"] is False
    assert "no longer here" in page.on.go_on(None, kept, WHO)["message"]


def test_work_on_two_photos_is_kept_in_turn(page: Page) -> None:
    kept = page.edit(STROKE)["kept"]
    first = page.session
    page.session = call(page.on.open, {"path": str(page.photo)}, first, kept, event=UPLOAD)[
        "session"
    ]
    page.serial = 0
    kept = page.edit(STROKE)["kept"]
    second = page.session
    assert kept == second.key != first.key
    assert page.on.offer(second, kept)["offer"]["visible"] is True, "the first is not lost"
    back = page.on.go_on(second, kept, WHO)
    assert (back["session"], back["kept"]) == (first, first.key)
    assert second.away
    assert back["offer"]["visible"] is True, "and now the second can be gone on with"
    assert page.on.forget(first, first.key)["kept"] == first.key, "what is there stays"
    assert page.service.find_work(second.key) is None
    assert page.on.offer(first, first.key)["offer"]["visible"] is False


def test_work_of_another_tab_is_not_taken_up(page: Page) -> None:
    page.service.keep_work("other", object())
    assert page.on.offer(None, "other")["offer"]["visible"] is False


def test_kept_work_can_be_forgotten_and_is_not_kept_without_end(page: Page) -> None:
    kept = page.edit(STROKE)["kept"]
    assert page.on.forget(None, kept)["kept"] == ""
    assert page.service.find_work(kept) is None
    for number in range(MOST_WORKS + 3):
        page.service.keep_work(str(number), SimpleNamespace(photo=page.session.photo))
    assert page.service.find_work("2") is None
    assert page.service.find_work("3")
    page.service.forget()
    assert page.service.find_work("3")
    page.photo.unlink()
    page.service.forget()
    assert page.service.find_work("3") is None, "it went with its photo"


def test_a_project_brings_regions_and_masks_back(page: Page) -> None:
    on, session = page.on, page.session
    page.fill(FLAT, 1.0, "#102030")
    session.change(
        np.tile(np.linspace(0, 1, session.shape[1], dtype=np.float32), (session.shape[0], 1))
    )
    session.add()
    session.change(np.ones(session.shape, np.float32))
    on.choose_outside(session, AUTOCHROME, 0.5)
    page.colour()
    file = Path(call(on.download, session, PROJECT)["finished"])
    opened = call(on.open, {"path": str(file)}, session, "", event=UPLOAD)
    again: SelectiveSession = opened["session"]
    assert again is not session
    assert again.by_hand
    assert [area.packed for area in again.areas] == [area.packed for area in session.areas]
    assert [area.fill for area in again.areas] == [area.fill for area in session.areas]
    assert again.outside == Fill(AUTOCHROME, 0.5)
    assert again.photo.path.read_bytes() == session.photo.path.read_bytes()
    call(on.colour, again)
    assert again.area.shown == again.area.fill


def test_a_project_that_is_opened_in_colorize_has_its_regions_here(page: Page) -> None:
    session = page.session
    session.change(np.ones(session.shape, np.float32))
    page.on.show_picture(session)
    path = save(session.photo, page.service, Options(AUTOCHROME, vividness=0.6))
    found = open_project(path, None, page.service, Task())
    assert found.options.vividness == 0.6
    page.service.follow(WHO.session_hash, found.photo)
    again = call(page.on.open, None, None, "", event=FOLLOWING)["session"]
    assert again.photo is found.photo
    assert again.mask().min() == 1
