"""The app as people meet it: in headless Chromium, with a photo, by mouse, keyboard and phone."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from pages import (
    FOCUSED,
    NAMELESS,
    PHONE,
    SIZE,
    Scene,
    Visit,
    box_of,
    contrast,
    drop_zone,
    give,
    put,
    scrolls_sideways,
    visiting,
    wait_for_result,
)
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from colorize_core.imaging import image
from colorize_core.imaging.formats import CHOICES
from ui.shared.example_strip import find_examples, make_caption

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def coloured(browser: Browser, app_address: str, gray_photo: Path) -> Iterator[Page]:
    """A page with the photo in colour, for tests that leave it so."""
    with visiting(browser, app_address, drop_zone) as visit:
        page = visit()
        give(page, gray_photo)
        wait_for_result(page)
        yield page


def sizes(page: Page) -> list[list[int]]:
    script = (
        "[...document.querySelectorAll('#slider img')].map(i => [i.naturalWidth, i.naturalHeight])"
    )
    found: list[list[int]] = page.evaluate(script)
    return found


def shown(page: Page) -> str:
    address: str = page.locator("#slider .after").get_attribute("src") or ""
    return address


def test_upload_gives_a_slider_at_full_size(coloured: Page) -> None:
    page = coloured
    assert page.title() == "Autochrome Studio"
    assert sizes(page) == [list(SIZE), list(SIZE)]
    expect(page.locator("#line")).to_have_text(
        re.compile(rf"^\s*{SIZE[0]} × {SIZE[1]} · Autochrome · \d+\.\d s on the CPU\s*$")
    )
    expect(drop_zone(page)).to_be_hidden()
    expect(page.get_by_text("deleted after an hour")).to_be_visible()


def test_slider_moves_by_mouse_and_by_keys(coloured: Page) -> None:
    page = coloured
    slider = page.get_by_role("slider", name=re.compile("^Comparison"))
    box = box_of(slider)
    page.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2)
    assert float(slider.input_value()) == pytest.approx(25, abs=2)
    clip = page.locator("#slider .after").evaluate("e => getComputedStyle(e).clipPath")
    edge = float(re.findall(r"([\d.]+)%", clip)[-1])
    assert edge == pytest.approx(float(slider.input_value()), abs=0.01)
    slider.press("End")
    assert slider.input_value() == "100"
    slider.press("Home")
    assert slider.input_value() == "0"


def test_actual_size_shows_pixel_for_pixel(visit: Visit, gray_photo: Path) -> None:
    page = visit(device_scale_factor=2)
    give(page, gray_photo)
    wait_for_result(page)
    page.get_by_role("button", name="Actual size").click()
    box = box_of(page.locator("#slider .frame"))
    assert (box["width"] * 2, box["height"] * 2) == pytest.approx(SIZE, abs=1)


def test_every_format_downloads_with_its_metadata(coloured: Page, tmp_path: Path) -> None:
    page = coloured
    for name, format in CHOICES.items():
        with page.expect_download() as download:
            page.get_by_role("button", name=name, exact=True).click()
        file = tmp_path / download.value.suggested_filename
        assert file.name == "old-colour" + format.suffix
        download.value.save_as(file)
        assert image.read(file).pixels.shape == (SIZE[1], SIZE[0], 3)
        with Image.open(file) as picture:
            assert picture.getexif()[271] == "Kine Exakta"
    assert tifffile.imread(tmp_path / "old-colour.tif").dtype == np.uint16


def open_controls(page: Page) -> None:
    """Open the accordion; Gradio draws what is in it twice, and a key between is lost."""
    page.get_by_role("button", name="Adjust").click()
    expect(page.get_by_role("slider", name="Vividness")).to_be_visible()
    page.wait_for_timeout(500)


def test_turning_a_knob_changes_the_picture(visit: Visit, gray_photo: Path) -> None:
    page = visit()
    give(page, gray_photo)
    wait_for_result(page)
    open_controls(page)
    expect(page.get_by_label("Neutralise tint")).to_be_checked()
    for name, key in (("Vividness", "End"), ("Strength", "Home"), ("Gain", "Home")):
        before = shown(page)
        page.get_by_role("slider", name=name).press(key)
        expect(page.locator("#slider .after")).not_to_have_attribute("src", before)
        expect(page.locator("#slider .before")).to_have_js_property("naturalWidth", SIZE[0])
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG", exact=True).click()
    with Image.open(download.value.path()) as picture:
        spread = np.ptp(np.asarray(picture.convert("RGB")).astype(int), axis=2)
    assert spread.max() <= 1, "strength 0 is no colour, also in the download"


def test_example_and_then_another_photo(visit: Visit, gray_photo: Path) -> None:
    examples = find_examples()
    assert examples, "no examples ship with the app"
    page = visit()
    page.get_by_role("button", name=make_caption(examples[0]), exact=True).click()
    wait_for_result(page)
    with Image.open(examples[0]) as picture:
        assert sizes(page)[1] == list(picture.size)
    page.get_by_role("button", name="Another photo").click()
    expect(drop_zone(page)).to_be_visible()
    give(page, gray_photo)
    wait_for_result(page)
    assert sizes(page)[1] == list(SIZE)


def test_paste_and_drop(visit: Visit, gray_photo: Path, gray_scene: Scene) -> None:
    page = visit()
    for kind in ("drop", "drop beside", "paste"):
        expect(drop_zone(page)).to_be_visible()
        put(page, kind, gray_photo.read_bytes(), "pasted.jpg")
        wait_for_result(page)
        assert sizes(page)[1] == list(SIZE)
        if kind != "paste":
            page.get_by_role("button", name="Another photo").click()
    other = io.BytesIO()  # which replaces a result
    Image.fromarray(gray_scene(90, 130)).save(other, "JPEG")
    put(page, "paste", other.getvalue(), "other.jpg")
    expect(page.locator("#line")).to_have_text(re.compile(r"^\s*130 × 90 ·"))
    expect(page.locator("#slider .after")).to_have_js_property("naturalWidth", 130)


def test_bad_file_is_explained_and_the_next_one_works(
    visit: Visit, gray_photo: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad & broken.jpg"
    bad.write_bytes(gray_photo.read_bytes()[:900])
    page = visit()
    give(page, bad)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("cannot be read")
    expect(alert).to_contain_text("save it again as JPEG")
    expect(drop_zone(page)).to_be_visible()
    give(page, gray_photo)
    wait_for_result(page)
    expect(alert).to_be_hidden()


def test_no_picture_is_explained_in_our_words(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    text = b"Dear diary, no picture today."
    for kind in ("paste", "drop", "drop beside", "choose"):
        name = f"{kind}.txt"
        if kind == "choose":
            (tmp_path / name).write_bytes(text)
            give(page, tmp_path / name)
        else:
            put(page, kind, text, name, type="text/plain")
        expect(page.get_by_role("alert")).to_contain_text(f"{name} is not a picture")
        expect(drop_zone(page)).to_be_visible()


def test_picture_of_a_kind_that_the_browser_does_not_know(visit: Visit, gray_photo: Path) -> None:
    page = visit()
    put(page, "drop", gray_photo.read_bytes(), "scan 12", type="")
    wait_for_result(page)
    assert sizes(page)[1] == list(SIZE)


def test_full_queue_is_explained_and_the_drop_zone_comes_back(
    visit: Visit, gray_photo: Path
) -> None:
    page = visit()
    full = {"detail": "Queue is full. Max size is 32 and size is 32."}
    page.route("**/queue/join*", lambda route: route.fulfill(status=503, json=full))
    give(page, gray_photo)
    expect(page.get_by_text("too many are waiting. Try again in a minute.")).to_be_visible()
    expect(drop_zone(page)).to_be_visible()
    page.unroute("**/queue/join*")
    give(page, gray_photo)
    wait_for_result(page)


def test_api_page_explains_the_endpoint_and_asks_nobody(visit: Visit) -> None:
    page = visit()
    page.get_by_role("button", name="Use it from a program").click()
    expect(page.get_by_text("Colorize one photo and give it back")).to_be_visible()
    expect(page.get_by_text("/colorize").first).to_be_visible()


def test_cancel_stops_and_gives_the_drop_zone_back(
    visit: Visit, endless_address: str, gray_photo: Path
) -> None:
    page = visit(endless_address)
    for _ in range(2):
        give(page, gray_photo)
        progress = page.get_by_role("progressbar", name="Colouring")
        expect(progress).to_be_visible()
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_text("Stopped.")).to_be_visible()
        expect(drop_zone(page)).to_be_visible()
        expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
        expect(page.locator("#result")).to_be_hidden()


def test_cancel_of_a_knob_keeps_the_picture_and_the_next_turn_works(
    visit: Visit, gray_photo: Path
) -> None:
    page = visit()
    give(page, gray_photo)
    wait_for_result(page)
    before = shown(page)
    open_controls(page)
    waiting: list[Route] = []
    page.route("**/queue/join*", lambda route: waiting.append(route))  # none reaches the app
    with page.expect_request("**/queue/join*"):
        page.get_by_role("slider", name="Vividness").press("End")
    page.evaluate("document.querySelector('.cancel').click()")
    expect(page.get_by_text("Stopped. The picture shows the settings before.")).to_be_visible()
    for route in waiting:
        route.continue_()
    page.unroute("**/queue/join*")
    working = page.locator(".stage:not(.alone) .busy [data-testid=status-tracker]")
    expect(working).to_have_class(re.compile("hide"))
    assert shown(page) == before
    page.get_by_role("slider", name="Vividness").press("Home")
    expect(page.locator("#slider .after")).not_to_have_attribute("src", before)
    expect(page.get_by_text("Stopped.")).to_be_hidden()


def test_closing_the_page_stops_the_work(
    visit: Visit, endless_address: str, gray_photo: Path
) -> None:
    for _ in range(3):  # more than run at once: a third would wait for the first two
        page = visit(endless_address)
        give(page, gray_photo)
        expect(page.get_by_role("progressbar", name="Colouring")).to_be_visible()
        page.close()


def test_two_pages_do_not_share_anything(visit: Visit, gray_photo: Path, gray_scene: Scene) -> None:
    other = gray_photo.with_name("other.png")
    Image.fromarray(gray_scene(70, 110)).save(other)
    first, second = visit(), visit()
    give(first, gray_photo)
    give(second, other)
    for page, width in ((first, SIZE[0]), (second, 110)):
        wait_for_result(page)
        expect(page.locator("#line")).to_have_text(re.compile(rf"^\s*{width} ×"))
        assert sizes(page)[1][0] == width


def test_phone_has_no_sideways_scroll_and_readable_text(visit: Visit, gray_photo: Path) -> None:
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    assert not scrolls_sideways(page)
    give(page, gray_photo)
    wait_for_result(page)
    page.get_by_role("button", name="Adjust").click()
    expect(page.get_by_role("slider", name="Vividness")).to_be_visible()
    assert not scrolls_sideways(page)
    for text in ("h1", "#line", "#footer p", "#adjust [data-testid=block-info]"):
        assert contrast(page, text) >= 4.5, f"{text} is hard to read"


def test_everything_has_a_name_and_focus_is_seen(visit: Visit, gray_photo: Path) -> None:
    page = visit()
    assert page.evaluate(NAMELESS) == []
    give(page, gray_photo)
    wait_for_result(page)
    open_controls(page)
    assert page.evaluate(NAMELESS) == []
    page.get_by_role("heading", level=1).click()  # where the tab key starts from
    page.keyboard.press("Tab")
    reached: set[str] = set()
    while page.evaluate("document.activeElement !== document.body"):
        name, seen = page.evaluate(FOCUSED)
        assert name not in reached or name == "Reset to default value", "Tab goes in a circle"
        reached.add(name)
        assert seen, f"the focus cannot be seen on {name}"
        page.keyboard.press("Tab")
    for name in ("JPEG", "TIFF, 16 bit", "Another photo", "Actual size", "range slider for Gain"):
        assert name in reached
