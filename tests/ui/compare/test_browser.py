"""The tab "Compare" as people meet it: in headless Chromium, by mouse, keyboard and phone."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from app_server import serving
from numpy.typing import NDArray
from pages import DRAWN, NAMELESS, PHONE, box_of, contrast, scrolls_sideways, visiting
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = pytest.mark.browser

SIZE = (240, 160)  # of the photo, width and height
QUICK = "?tab=compare&metrics=psnr,ciede2000,colourfulness"
Visit = Callable[..., Page]
Scene = Callable[..., NDArray[np.uint8]]


@pytest.fixture(scope="module")
def failing_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Four models that are quick, two of which draw; the last one is damaged."""
    with serving(tmp_path_factory.mktemp("failing"), "drawing", "failing", "compare") as address:
        yield address


@pytest.fixture
def visit(browser: Browser, failing_address: str) -> Iterator[Visit]:
    """Open the tab by a link."""
    with visiting(
        browser,
        failing_address,
        lambda page: page.get_by_role("button", name="Compare", exact=True),
    ) as open_page:
        yield open_page


def give(page: Page, photo: Path) -> None:
    page.locator(".drop input[type=file]").last.set_input_files(photo)
    expect(page.get_by_alt_text("The photo", exact=True)).to_be_visible()


def compare(page: Page, photo: Path) -> None:
    """To the end of the run."""
    give(page, photo)
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("button", name="Grid, PNG")).to_be_visible(timeout=DRAWN)
    expect(page.locator(".grid li[aria-busy]")).to_have_count(0, timeout=DRAWN)
    expect(page.locator(".busy progress")).to_have_count(0, timeout=DRAWN)


def rows(page: Page) -> list[str]:
    return page.locator(".scores > .box tbody:first-of-type th").all_text_contents()


def head(page: Page, title: str) -> Locator:
    return page.get_by_role("columnheader", name=title)


def test_pictures_stream_in_and_a_model_that_fails_says_so(
    visit: Visit, colour_photo: Path
) -> None:
    page = visit(QUICK + "&models=autochrome,coltran,student&seeds=2")
    give(page, colour_photo)
    expect(page.get_by_text("4 pictures to colour.")).to_be_visible()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_text("2 of 4: ColTran")).to_be_visible(timeout=DRAWN)
    expect(page.get_by_alt_text("The photo in colour by Autochrome")).to_be_visible()
    assert page.locator(".grid li[aria-busy]").count() >= 1, "others are still to come"
    expect(page.locator(".busy progress")).to_have_count(0, timeout=DRAWN)
    titles = page.locator(".grid .title").all_text_contents()
    assert titles == ["Truth", "Gray", "Mean colour", "Autochrome", "ColTran", "ColTran", "Student"]
    for seed in range(2):
        picture = page.get_by_alt_text(f"The photo in colour by ColTran, seed {seed}")
        expect(picture).to_have_js_property("naturalWidth", SIZE[0])
    fault = page.locator(".grid .fault:visible")
    expect(fault).to_have_text(["The weight file is damaged. Fetch it again."])
    expect(page.get_by_text("– Student: The weight file is damaged.")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("ColTran.*best of 2 seeds"))).to_be_visible()
    expect(page.get_by_text("Scores are by whole-256")).to_be_visible()
    assert page.evaluate(NAMELESS) == []


def test_heads_sort_by_mouse_and_by_keys(visit: Visit, colour_photo: Path) -> None:
    page = visit(QUICK + "&models=autochrome&vividness=0.5,2")
    compare(page, colour_photo)
    as_it_came = rows(page)
    head(page, "CIEDE2000").get_by_role("button").click()
    assert rows(page)[0] == "Truth"
    assert head(page, "CIEDE2000").get_attribute("aria-sort") == "ascending"
    assert head(page, "PSNR").get_attribute("aria-sort") == "none"
    page.keyboard.press("Enter")  # the head keeps the focus
    assert rows(page)[-1] == "Truth"
    assert head(page, "CIEDE2000").get_attribute("aria-sort") == "descending"
    page.keyboard.press("Enter")
    assert rows(page) == as_it_came
    head(page, "Seconds").get_by_role("button").click()
    assert rows(page)[2:] == ["Truth", "Gray", "Mean colour"], "what has no value comes last"


PLACES = """() => [...document.querySelectorAll(".grid img[alt^='The photo']")]
  .map((e) => new DOMMatrix(getComputedStyle(e).transform))
  .map((m) => [m.a, m.e, m.f].map((n) => Math.round(n)).join(" "))"""


def zoom(page: Page) -> tuple[float, float, float]:
    """Zoom and where, which must be the same for all pictures."""
    (place,) = set(page.locator(".grid ul").evaluate(PLACES))
    times, left, top = map(float, place.split())
    return times, left, top


def test_all_pictures_are_looked_at_at_the_same_place(visit: Visit, colour_photo: Path) -> None:
    page = visit(QUICK + "&models=autochrome")
    compare(page, colour_photo)
    first = page.get_by_role("button", name="Truth, larger")
    first.scroll_into_view_if_needed()
    assert zoom(page) == (1, 0, 0)
    first.dblclick(position={"x": 20, "y": 20})
    assert zoom(page)[0] == 2
    expect(page.get_by_role("dialog")).to_be_hidden()
    before = zoom(page)
    first.press("ArrowRight")
    assert zoom(page)[1] < before[1]
    box = box_of(first)
    before = zoom(page)
    page.mouse.move(box["x"] + 150, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(box["x"] + 110, box["y"] + 50, steps=4)
    page.mouse.up()
    assert zoom(page)[1] < before[1]
    assert zoom(page)[2] < before[2]
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"parseFloat(document.querySelector('.grid output').value) > {2}")
    first.press("-")
    page.get_by_role("toolbar", name="Zoom").get_by_role("button", name="Reset").click()
    assert zoom(page) == (1, 0, 0)
    first.press("+")
    assert zoom(page)[0] > 1


def test_a_picture_opens_larger_and_leads_to_the_others(visit: Visit, colour_photo: Path) -> None:
    page = visit(QUICK + "&models=autochrome")
    compare(page, colour_photo)
    page.get_by_role("button", name="Mean colour, larger").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text("Mean colour")
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("img")).to_have_attribute("alt", "The photo in colour by Autochrome")
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("heading")).to_have_text("Truth")
    dialog.get_by_role("button", name="Previous picture").click()
    expect(dialog.get_by_role("heading")).to_have_text(re.compile("^Autochrome"))
    assert page.evaluate(NAMELESS) == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Autochrome, larger")).to_be_focused()


def test_differences_and_what_is_taken_away(visit: Visit, colour_photo: Path) -> None:
    page = visit(QUICK + "&models=autochrome")
    compare(page, colour_photo)
    picture = page.get_by_alt_text("The photo in colour by Autochrome").first
    before = picture.get_attribute("src") or ""
    page.get_by_label("Difference").check()
    expect(page.get_by_text("CIEDE2000 of 30 and more")).to_be_visible()
    expect(picture).not_to_have_attribute("src", before)
    page.get_by_label("Difference").uncheck()
    expect(picture).to_have_attribute("src", before)
    with page.expect_download() as download:
        page.get_by_role("button", name="All, ZIP").click()
    assert download.value.suggested_filename == "new-comparison.zip"
    with zipfile.ZipFile(download.value.path()) as file:
        assert "new-autochrome-colour.png" in file.namelist()
    page.get_by_role("button", name="Copy link").click()
    address = page.get_by_role("link", name=re.compile("tab=compare&models=autochrome"))
    expect(address).to_be_visible()


def test_a_link_restores_the_settings_and_says_what_is_unknown(visit: Visit) -> None:
    page = visit("?tab=compare&models=coltran,nobody&vividness=1.5&seeds=3")
    expect(page.get_by_text("The link asks for what is not here: nobody.")).to_be_visible()
    expect(page.get_by_label("ColTran", exact=True)).to_be_checked()
    expect(page.get_by_label("Autochrome · recommended", exact=True)).not_to_be_checked()
    expect(page.get_by_text("3 pictures to colour.")).to_be_visible()
    page.get_by_role("button", name="None", exact=True).click()
    expect(page.get_by_text("Tick at least one model.")).to_be_visible()
    expect(page.get_by_role("button", name="Compare", exact=True)).to_be_disabled()
    page.get_by_role("button", name="All", exact=True).click()
    expect(page.get_by_text("8 pictures to colour.")).to_be_visible()


def test_cancel_keeps_what_is_there(visit: Visit, colour_photo: Path) -> None:
    page = visit(QUICK + "&models=autochrome,diffusion&seeds=4")
    give(page, colour_photo)
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_text("2 of 5: Diffusion")).to_be_visible(timeout=DRAWN)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Stopped. What was made until then is here.")).to_be_visible()
    expect(page.get_by_alt_text("The photo in colour by Autochrome")).to_be_visible()
    expect(page.locator(".grid li[aria-busy]")).to_have_count(0)
    assert rows(page) == ["Truth", "Gray", "Mean colour", "Autochrome"]


def test_it_fits_on_a_phone(visit: Visit, colour_photo: Path) -> None:
    page = visit("?tab=compare&models=autochrome", viewport=PHONE, has_touch=True)
    assert not scrolls_sideways(page)
    compare(page, colour_photo)
    assert not scrolls_sideways(page)
    box = page.get_by_role("region", name="Scores")
    assert box.evaluate("e => e.scrollWidth > e.clientWidth"), "the table scrolls in its own box"
    for text in (".grid .title", ".grid .words", ".scores td", ".scores li", ".grid .tools p"):
        assert contrast(page, text) >= 4.5, f"{text} is hard to read"
    page.get_by_role("button", name="Autochrome, larger").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert not scrolls_sideways(page)
