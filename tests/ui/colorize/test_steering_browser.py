"""The hint editor in a browser: by mouse, keyboard and finger."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import NAMELESS, PHONE, Visit, box_of, scrolls_sideways
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from skimage.data import astronaut

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "portrait.jpg"
    Image.fromarray(astronaut()).convert("L").resize((256, 256)).save(path, quality=95)
    return path


def open_editor(page: Page, photo: Path) -> Locator:
    """The picture, where hints are put."""
    page.locator("#photo input[type=file]").set_input_files(photo)
    page.get_by_text("Colour it", exact=True).click(timeout=90_000)
    expect(page.locator(".steer .shown")).not_to_have_js_property("naturalWidth", 0)
    return page.locator(".steer .pins")


def press(page: Page, pins: Locator, x: float, y: float) -> None:
    box = box_of(pins)
    pins.click(position={"x": x * box["width"], "y": y * box["height"]})


def read(page: Page, x: float, y: float) -> list[int]:
    """The colour that the picture has there."""
    script = """([x, y]) => {
      const img = document.querySelector(".steer .shown");
      const canvas = new OffscreenCanvas(img.naturalWidth, img.naturalHeight);
      const context = canvas.getContext("2d");
      context.drawImage(img, 0, 0);
      return [...context.getImageData(x * canvas.width, y * canvas.height, 1, 1).data].slice(0, 3);
    }"""
    found: list[int] = page.evaluate(script, [x, y])
    return found


def wait_for_change(page: Page, before: str) -> None:
    expect(page.locator(".steer .shown")).not_to_have_attribute("src", before)
    expect(page.locator(".steer")).not_to_have_attribute("aria-busy", "true")


def shown(page: Page) -> str:
    return page.locator(".steer .shown").get_attribute("src") or ""


def test_a_place_is_clicked_and_given_a_colour(visit: Visit, photo: Path) -> None:
    page = visit()
    pins = open_editor(page, photo)
    press(page, pins, 0.2, 0.85)
    likely = page.locator(".likely button")
    expect(likely.first).to_be_visible()
    before, plain = shown(page), read(page, 0.2, 0.85)
    page.get_by_text("Colours by name").click()
    page.get_by_role("button", name="union blue").click()
    wait_for_change(page, before)
    blue = read(page, 0.2, 0.85)
    assert blue[2] - blue[0] > plain[2] - plain[0] + 30
    expect(page.locator(".pin")).to_have_count(1)
    assert page.evaluate(NAMELESS) == []

    before = shown(page)
    page.keyboard.press("Control+z")
    wait_for_change(page, before)
    expect(page.locator(".pin")).to_have_count(0)
    before = shown(page)
    page.keyboard.press("Control+Shift+z")
    wait_for_change(page, before)
    before = shown(page)
    page.locator(".pin").click()
    page.keyboard.press("Delete")
    wait_for_change(page, before)
    expect(page.locator(".pin")).to_have_count(0)


def test_a_hint_is_moved_and_marked_as_known(visit: Visit, photo: Path) -> None:
    page = visit()
    pins = open_editor(page, photo)
    press(page, pins, 0.2, 0.85)
    page.locator(".likely button").first.click()
    pin = page.locator(".pin")
    box = box_of(pin)
    before = shown(page)
    page.mouse.move(box["x"] + 6, box["y"] + 6)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 6, steps=6)
    page.mouse.up()
    wait_for_change(page, before)
    moved = box_of(pin)
    assert moved["x"] > box["x"] + 80
    page.get_by_label("I know this colour").check()
    page.get_by_label("Where it is known from").fill("The suit is in the attic")
    page.get_by_label("Where it is known from").press("Enter")
    expect(pin).to_have_class("pin known")
    page.get_by_text("Before and after", exact=True).click()
    expect(page.locator("#slider .after")).to_be_visible()
    page.get_by_text("Colour it", exact=True).click()
    expect(page.locator(".pin.known")).to_have_count(1)


def test_a_stroke_is_painted(visit: Visit, photo: Path) -> None:
    page = visit()
    pins = open_editor(page, photo)
    page.get_by_role("button", name="Stroke").click()
    box = box_of(pins)
    before = shown(page)
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.9 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.8 * box["height"], steps=10)
    page.mouse.up()
    wait_for_change(page, before)
    expect(page.locator(".lines .stroke")).to_have_count(1)


def test_keys_alone_do(visit: Visit, photo: Path) -> None:
    page = visit()
    pins = open_editor(page, photo)
    pins.focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".likely button").first).to_be_visible()
    before = shown(page)
    page.locator(".likely button").last.focus()
    page.keyboard.press("Enter")
    wait_for_change(page, before)
    expect(page.locator(".pin")).to_have_count(1)


def test_questions_are_answered_with_a_click(visit: Visit, photo: Path) -> None:
    page = visit()
    open_editor(page, photo)
    page.get_by_role("button", name="Ask me").click()
    answers = page.locator("[data-section=ask] .swatches button")
    expect(answers.first).to_be_visible()
    first = page.locator(".lines .asked").get_attribute("points")
    before = shown(page)
    answers.last.click()
    wait_for_change(page, before)
    expect(page.locator(".lines .asked")).not_to_have_attribute("points", first or "")
    expect(page.locator(".pin")).to_have_count(1)


def test_another_look_and_how_sure(visit: Visit, photo: Path) -> None:
    page = visit()
    open_editor(page, photo)
    page.get_by_role("button", name="Other looks").click()
    looks = page.locator(".looks button")
    expect(looks.nth(1)).to_be_visible()
    before = shown(page)
    looks.nth(1).click()
    wait_for_change(page, before)
    expect(looks.nth(1)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="How sure").click()
    expect(page.locator(".steer img.sure")).to_be_visible()


def test_a_finger_on_a_phone(visit: Visit, photo: Path) -> None:
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    pins = open_editor(page, photo)
    box = box_of(pins)
    pins.tap(position={"x": 0.2 * box["width"], "y": 0.85 * box["height"]})
    before = shown(page)
    page.locator(".likely button").last.tap()
    wait_for_change(page, before)
    assert not scrolls_sideways(page)


def test_a_question_takes_any_colour(visit: Visit, photo: Path) -> None:
    page = visit()
    open_editor(page, photo)
    page.get_by_role("button", name="Ask me").click()
    page.get_by_role("button", name="None of these").click()
    expect(page.locator(".spot")).to_have_count(1)
    before = shown(page)
    page.get_by_text("Colours by name").click()
    page.get_by_role("button", name="teal").click()
    wait_for_change(page, before)
    expect(page.locator(".pin")).to_have_count(1)


def test_the_colours_of_another_photo_are_taken(visit: Visit, photo: Path, tmp_path: Path) -> None:
    like = tmp_path / "like.jpg"
    Image.fromarray(astronaut()[:, ::-1]).save(like)
    page = visit()
    open_editor(page, photo)
    page.get_by_text("Colours from another picture").click()
    page.get_by_label("A picture to take colours from").set_input_files(like)
    sheet = page.get_by_label("Click to take a colour")
    expect(sheet).to_be_visible()
    before = shown(page)
    page.get_by_role("button", name="Colour like this photo").click()
    wait_for_change(page, before)
    assert page.locator(".pin").count() > 3
    press(page, page.locator(".steer .pins"), 0.2, 0.85)
    expect(page.locator(".likely button").first).to_be_visible()
    before = shown(page)
    sheet.click(position={"x": 20, "y": 20})
    wait_for_change(page, before)


def test_hints_survive_a_reload_and_another_photo(visit: Visit, photo: Path) -> None:
    page = visit()
    pins = open_editor(page, photo)
    before = shown(page)
    press(page, pins, 0.2, 0.85)
    page.locator(".likely button").last.click()
    wait_for_change(page, before)
    expect(page.locator(".pin")).to_have_count(1)

    page.reload()
    expect(page.get_by_text("Your work on portrait.jpg is kept for an hour.")).to_be_visible()
    page.get_by_role("button", name="Go on with it").click()
    expect(page.locator(".pin")).to_have_count(1)
    before = shown(page)
    press(page, pins, 0.6, 0.3)
    page.locator(".likely button").first.click()
    wait_for_change(page, before)
    expect(page.locator(".pin")).to_have_count(2)

    page.get_by_role("button", name="Another photo").click()
    page.get_by_role("button", name="Keep working").click()
    expect(page.get_by_role("button", name="Put it away")).to_have_count(0)
    page.get_by_role("button", name="Another photo").click()
    page.get_by_role("button", name="Put it away").click()
    expect(page.locator("#photo input[type=file]")).to_be_attached()
    page.get_by_role("button", name="Forget it").click()
    page.reload()
    expect(page.locator("#photo")).to_be_visible()
    expect(page.get_by_role("button", name="Go on with it")).to_have_count(0)


def choose(page: Page, path: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Open a project").click()
    chooser.value.set_files(path)


def test_a_project_is_saved_and_opened(visit: Visit, photo: Path, tmp_path: Path) -> None:
    page = visit()
    pins = open_editor(page, photo)
    before = shown(page)
    press(page, pins, 0.2, 0.85)
    page.locator(".likely button").last.click()
    wait_for_change(page, before)
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save project").click()
    project = tmp_path / saving.value.suggested_filename
    assert project.name == "portrait.autochrome"
    saving.value.save_as(project)
    page.get_by_label("in a corner").check()
    with page.expect_download() as saving:
        page.get_by_role("button", name="JPEG", exact=True).click()
    picture = tmp_path / saving.value.suggested_filename
    saving.value.save_as(picture)

    page = visit()
    page.locator("#photo input[type=file]").set_input_files(project)  # as if it was dropped
    expect(page.locator(".pin")).to_have_count(1, timeout=90_000)
    expect(page.locator(".message [role=alert]")).to_have_count(0)

    page = visit()
    choose(page, project)
    expect(page.locator(".pin")).to_have_count(1, timeout=90_000)
    assert page.evaluate(NAMELESS) == []

    page = visit()
    page.locator("#photo input[type=file]").set_input_files(photo)
    expect(page.get_by_role("button", name="Save project")).to_be_visible(timeout=90_000)
    choose(page, picture)
    expect(page.locator(".pin")).to_have_count(1, timeout=90_000)
