"""The tab "Selective" as people meet it: in headless Chromium, by mouse, keyboard and finger."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from app_server import serving
from numpy.typing import NDArray
from pages import DRAWN, NAMELESS, PHONE, box_of, contrast, scrolls_sideways, visiting
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from colorize_core.imaging import image

pytestmark = pytest.mark.browser

SIZE = (240, 160)  # of the photo, width and height
COLOURED = 6  # levels between channels from which a pixel is in colour
Visit = Callable[..., Page]
Scene = Callable[..., NDArray[np.uint8]]
Point = tuple[float, float]  # in pixels of the photo


@pytest.fixture(scope="module")
def drawing_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("drawing"), "drawing", "selective") as address:
        yield address


@pytest.fixture
def visit(browser: Browser, drawing_address: str) -> Iterator[Visit]:
    """Open the tab by a link."""
    with visiting(
        browser, drawing_address, lambda page: page.get_by_text("to colour only a part of it")
    ) as open_page:
        yield open_page


def give(page: Page, photo: Path) -> None:
    """A photo, until its first mask and colours are there; the mask is then emptied, and the
    region's colour is a red that nobody overlooks."""
    page.locator(".drop input[type=file]").last.set_input_files(photo)
    expect(status(page)).to_contain_text("covers", timeout=DRAWN)
    press(page, "Mask")
    page.get_by_label("Inside this region").click()
    page.get_by_role("option", name="One flat colour").click()
    page.wait_for_function(RED)
    press(page, "Clear")
    expect(status(page)).to_contain_text("is empty")
    settle(page)


def status(page: Page) -> Locator:
    return page.locator(".editor [role=status]")


def press(page: Page, name: str) -> None:
    page.locator(".editor").get_by_role("button", name=name, exact=True).click()


def settle(page: Page) -> None:
    """Until the app has answered all edits."""
    expect(page.locator(".editor[aria-busy]")).to_have_count(0)


CANVAS = 'document.querySelector(".editor canvas")'
RED = f"""{CANVAS}.getContext("2d").getImageData(0, 0, {SIZE[0]}, {SIZE[1]}).data
  .some((value, i, all) => i % 4 === 0 && value - all[i + 1] > 20)"""


def pixels(page: Page) -> NDArray[np.int_]:
    """What is on the canvas, (H, W, 3)."""
    sent = page.evaluate(f"{CANVAS}.toDataURL()").partition(",")[2]
    shown = np.array(Image.open(BytesIO(b64decode(sent)))).astype(int)
    assert shown.shape == (SIZE[1], SIZE[0], 4)
    assert shown[..., 3].min() == 255
    return shown[..., :3]


def coloured(page: Page) -> NDArray[np.bool_]:
    """Where the picture is in colour, (H, W)."""
    return np.ptp(pixels(page), axis=2) >= COLOURED


def place(page: Page, point: Point) -> Point:
    """Where that pixel of the photo is on the page."""
    box = box_of(page.locator(".editor canvas"))
    return (
        box["x"] + (point[0] + 0.5) * box["width"] / SIZE[0],
        box["y"] + (point[1] + 0.5) * box["height"] / SIZE[1],
    )


def drag(page: Page, *points: Point, lift: bool = True) -> None:
    page.locator(".editor canvas").scroll_into_view_if_needed()
    page.mouse.move(*place(page, points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*place(page, point), steps=5)
    if lift:
        page.mouse.up()


def distance(start: Point, end: Point) -> NDArray[np.float64]:
    """Of every pixel from the way between two of them, (H, W)."""
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    along = np.subtract(end, start)
    share = ((x - start[0]) * along[0] + (y - start[1]) * along[1]) / (along @ along)
    share = np.clip(share, 0, 1)
    return np.hypot(x - start[0] - share * along[0], y - start[1] - share * along[1])


def radius(page: Page) -> float:
    words = page.get_by_label("Brush size").get_attribute("aria-valuetext") or ""
    return float(words.split()[0]) / 2


FROM, TO = (60.0, 40.0), (170.0, 110.0)


def check_stroke(page: Page, before: NDArray[np.int_]) -> None:
    """Colour has come where the brush went, and nothing else has changed."""
    away = distance(FROM, TO)
    assert coloured(page)[away < radius(page) - 2].all()
    assert np.array_equal(pixels(page)[away > radius(page) + 2], before[away > radius(page) + 2])


def test_colour_comes_under_the_brush_and_nowhere_else(visit: Visit, gray_photo: Path) -> None:
    page = visit()
    give(page, gray_photo)
    before = pixels(page)
    assert not coloured(page).any()
    drag(page, FROM, TO, lift=False)
    check_stroke(page, before)  # at once, before the app knows of it
    page.mouse.up()
    expect(status(page)).to_contain_text("covers")
    settle(page)
    check_stroke(page, before)  # with the mask that the app has made of it
    page.keyboard.press("Control+z")
    expect(status(page)).to_contain_text("is empty")
    settle(page)
    assert np.array_equal(pixels(page), before)
    page.keyboard.press("Control+Shift+z")
    expect(status(page)).to_contain_text("covers")
    settle(page)
    check_stroke(page, before)
    press(page, "Undo")
    expect(page.locator(".editor").get_by_role("button", name="Redo")).to_be_enabled()
    press(page, "Redo")
    expect(page.locator(".editor").get_by_role("button", name="Redo")).to_be_disabled()
    press(page, "Eraser")
    page.keyboard.press("]")  # for the soft edge of the stroke
    drag(page, FROM, TO)
    expect(status(page)).to_contain_text("is empty")
    settle(page)
    assert np.array_equal(pixels(page), before)


def test_strokes_that_follow_quickly_are_all_kept_in_their_order(
    visit: Visit, gray_photo: Path
) -> None:
    page = visit()
    give(page, gray_photo)
    for y in (20.0, 60.0, 100.0, 140.0):
        drag(page, (30.0, y), (200.0, y))
    page.keyboard.press("e")
    drag(page, (120.0, 5.0), (120.0, 155.0))
    settle(page)
    there = coloured(page)
    for y in (20, 60, 100, 140):
        assert there[y, 40]
        assert there[y, 190]
        assert not there[y, 120]
    for _ in range(5):
        page.keyboard.press("Control+z")
    expect(status(page)).to_contain_text("is empty")


def test_the_size_of_the_brush(visit: Visit, gray_photo: Path) -> None:
    page = visit()
    give(page, gray_photo)
    first = radius(page)
    page.keyboard.press("]")
    assert radius(page) > first
    page.keyboard.press("[")
    page.keyboard.press("[")
    small = radius(page)
    assert small < first
    ring = page.locator(".editor .ring")
    page.mouse.move(*place(page, (100, 80)))
    expect(ring).to_be_visible()
    wide = box_of(ring)
    canvas = box_of(page.locator(".editor canvas"))
    assert wide["width"] * SIZE[0] / canvas["width"] == pytest.approx(2 * small, abs=2)


def test_it_can_be_painted_by_keyboard_alone(visit: Visit, gray_photo: Path) -> None:
    page = visit()
    give(page, gray_photo)
    page.locator(".editor canvas").focus()
    page.keyboard.press("Space")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(status(page)).to_contain_text("covers")
    settle(page)
    there = coloured(page)
    assert there[SIZE[1] // 2, SIZE[0] // 2 : SIZE[0] // 2 + 10].all()
    assert not there[: SIZE[1] // 4].any()
    assert page.evaluate(NAMELESS) == []


def test_the_mask_is_shown_and_hidden(visit: Visit, gray_photo: Path) -> None:
    page = visit()
    give(page, gray_photo)
    drag(page, FROM, TO)
    settle(page)
    plain = pixels(page)
    page.keyboard.press("m")
    button = page.locator(".editor").get_by_role("button", name="Mask", exact=True)
    expect(button).to_have_attribute("aria-pressed", "true")
    tinted = pixels(page)
    inside = distance(FROM, TO) < radius(page) - 2
    assert (tinted[inside] != plain[inside]).any()
    away = distance(FROM, TO) > radius(page) + 2
    assert np.array_equal(tinted[away], plain[away])
    button.click()
    assert np.array_equal(pixels(page), plain)


def test_a_box_selects_and_the_mask_survives_another_fill(visit: Visit, gray_photo: Path) -> None:
    page = visit()
    give(page, gray_photo)
    press(page, "Object")
    drag(page, (30, 20), (210, 140))
    expect(page.locator(".editor .marks .box")).to_be_visible()
    settle(page)
    expect(status(page)).to_contain_text("covers")
    words = status(page).text_content() or ""
    there = coloured(page)
    assert there.any()
    assert not there[:15].any(), "outside of the box"
    before = pixels(page)
    page.get_by_label("Inside this region").click()
    page.get_by_role("option", name="Black and white").click()
    page.wait_for_function(f"!{RED}")
    assert status(page).text_content() == words
    assert not np.array_equal(pixels(page), before)


def test_a_second_region_has_its_own_mask(visit: Visit, gray_photo: Path) -> None:
    page = visit()
    give(page, gray_photo)
    drag(page, (40, 40), (80, 40))
    settle(page)
    page.get_by_role("button", name="Another region").click()
    second = page.get_by_role("button", name="Region 2", exact=True)
    expect(second).to_have_attribute("aria-pressed", "true")
    drag(page, (40, 120), (80, 120))
    settle(page)
    there = coloured(page)
    assert there[40, 60]
    assert there[120, 60]
    press(page, "Clear")
    expect(status(page)).to_contain_text("Region 2 is empty")
    settle(page)
    assert coloured(page)[40, 60]
    assert not coloured(page)[120, 60]
    press(page, "Remove Region 2")
    expect(second).to_have_count(0)
    expect(status(page)).to_contain_text("Region 1 covers")


def test_what_is_seen_is_what_is_downloaded(visit: Visit, gray_photo: Path, tmp_path: Path) -> None:
    page = visit()
    give(page, gray_photo)
    drag(page, FROM, TO)
    settle(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG", exact=True).locator("visible=true").click()
    assert download.value.suggested_filename == "old-selective.png"
    made = image.read(download.value.path()).pixels
    original = image.read(gray_photo).pixels
    away = distance(FROM, TO) > radius(page) + 2
    assert np.array_equal(made[away], original[away]), "byte for byte"
    off = np.abs(made.astype(int) - pixels(page))
    assert np.percentile(off, 99) <= 6, "but for the JPEGs that the page is shown"
    with page.expect_download() as download:
        page.get_by_role("button", name="Mask, PNG").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert image.read(file).pixels[away].max() == 0
    press(page, "Clear")
    expect(status(page)).to_contain_text("is empty")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Load a mask").click()
    chooser.value.set_files(file)
    expect(status(page)).to_contain_text("covers")


def test_fingers_paint_and_pinch(visit: Visit, gray_photo: Path) -> None:
    page = visit(viewport=PHONE, has_touch=True)
    give(page, gray_photo)
    before = pixels(page)
    canvas = page.locator(".editor canvas")
    canvas.scroll_into_view_if_needed()
    touch = page.context.new_cdp_session(page)

    def send(kind: str, *points: Point) -> None:
        spots = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})

    send("touchStart", place(page, FROM))
    middle = ((FROM[0] + TO[0]) / 2, (FROM[1] + TO[1]) / 2)
    for point in (middle, TO):
        send("touchMove", place(page, point))
    send("touchEnd")
    expect(status(page)).to_contain_text("covers")
    settle(page)
    check_stroke(page, before)
    painted = pixels(page)
    a, b = place(page, (100, 80)), place(page, (140, 80))
    send("touchStart", a)
    send("touchStart", a, b)
    for far in (10, 20, 30):
        send("touchMove", (a[0] - far, a[1]), (b[0] + far, b[1]))
    send("touchEnd")
    zoom = page.locator(".editor").evaluate("e => parseFloat(e.style.getPropertyValue('--zoom'))")
    assert zoom > 1.3
    assert np.array_equal(pixels(page), painted), "pinching paints nothing"


def test_it_fits_on_a_phone(visit: Visit, gray_photo: Path) -> None:
    page = visit(viewport=PHONE, has_touch=True)
    assert not scrolls_sideways(page)
    expect(page.get_by_role("tab", name="Selective")).to_be_in_viewport(ratio=0.9)
    give(page, gray_photo)
    page.get_by_role("button", name="Another region").click()
    expect(page.get_by_role("button", name="Region 2", exact=True)).to_be_visible()
    assert not scrolls_sideways(page)
    for part in page.locator(".editor > *").all():
        assert part.evaluate("e => e.getBoundingClientRect().right <= innerWidth"), "it is cut off"
    for text in (".editor [role=status]", ".editor [data-edit=grow]", ".editor .chip button"):
        assert contrast(page, text) >= 4.5, f"{text} is hard to read"
    for button in page.locator(".editor button:visible").all():
        box = box_of(button)
        assert box["height"] >= 40, "large enough for a finger"


def test_people_are_found_without_a_download(visit: Visit) -> None:
    page = visit()
    give(page, Path(__file__).resolve().parents[3] / "examples" / "portrait-gray.jpg")
    page.get_by_role("button", name="Find people, animals, things").click()
    found = page.get_by_role("checkbox", name=re.compile(r"person · \d+ %"))
    expect(found).to_be_checked(timeout=DRAWN)


def test_without_a_network_the_reason_is_told(visit: Visit, gray_photo: Path) -> None:
    page = visit()
    give(page, gray_photo)
    page.get_by_text(re.compile("downloads 44.4 MB")).click()
    page.get_by_role("button", name="Find people, animals, things").click()
    alert = page.get_by_role("alert").locator("visible=true")
    expect(alert).not_to_be_empty(timeout=DRAWN)
    expect(alert).to_be_in_viewport(ratio=0.9)


def test_work_is_asked_for_and_outlives_a_reload(visit: Visit, gray_photo: Path) -> None:
    page = visit()
    give(page, gray_photo)
    drag(page, (40, 40), (80, 40))
    settle(page)
    words = status(page).text_content() or ""
    page.reload()
    page.get_by_role("button", name="Go on with it").click()
    expect(status(page)).to_have_text(words)
    settle(page)
    assert coloured(page)[40, 60]
    page.get_by_role("button", name="Another photo").last.click()
    page.get_by_role("button", name="Keep working").click()
    expect(page.get_by_role("button", name="Put it away")).to_have_count(0)
    page.get_by_role("button", name="Another photo").last.click()
    page.get_by_role("button", name="Put it away").click()
    expect(page.get_by_text("is kept for an hour")).to_be_visible()
    page.get_by_role("button", name="Forget it").click()
    expect(page.get_by_text("is kept for an hour")).to_have_count(0)
    page.reload()
    expect(page.get_by_text("to colour only a part of it")).to_be_visible(timeout=DRAWN)
    expect(page.get_by_role("button", name="Go on with it")).to_have_count(0)
