"""The tab "Models" in headless Chromium: a photo through one model, and what it draws."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_server import serving
from pages import DRAWN, NAMELESS, PHONE, SIZE, Visit, contrast, scrolls_sideways, wait_for_result
from PIL import Image
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def drawing_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("drawing"), "drawing", "colorize", "models") as address:
        yield address


def open_model(page: Page, name: str) -> None:
    """In the tab "Models", which is opened first unless it is open."""
    page.get_by_role("tab", name="Models", exact=True).click()
    page.get_by_role("tab", name=name, exact=True).click()


def give_models(page: Page, photo: Path) -> None:
    page.locator(".drop:not(#photo) input[type=file]").set_input_files(photo)
    expect(page.get_by_alt_text("The photo", exact=True)).to_be_visible()


def test_a_models_tab_colours_at_once_and_tells_what_it_is(visit: Visit, gray_photo: Path) -> None:
    page = visit()
    open_model(page, "U-Net GAN")
    expect(page.get_by_text("CVPR 2017")).to_be_visible()
    assert page.evaluate(NAMELESS) == []
    give_models(page, gray_photo)
    wait_for_result(page)
    expect(page.get_by_text(re.compile(rf"{SIZE[0]} × {SIZE[1]} · U-Net GAN ·"))).to_be_visible()
    assert page.evaluate(NAMELESS) == []
    open_model(page, "Autochrome")
    expect(page.get_by_text(re.compile(rf"{SIZE[0]} × {SIZE[1]} · Autochrome ·"))).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG", exact=True).click()
    with Image.open(download.value.path()) as picture:
        assert picture.size == SIZE


def test_drawn_pictures_appear_and_one_is_picked(
    visit: Visit, drawing_address: str, gray_photo: Path
) -> None:
    page = visit(drawing_address)
    open_model(page, "ColTran")
    give_models(page, gray_photo)
    page.get_by_role("button", name="Colorize", exact=True).click()
    expect(page.get_by_text("seed 0, final · 3 seeds drawn in")).to_be_visible(timeout=DRAWN)
    for seed in range(3):
        for stage in ("coarse", "fine", "final"):
            picture = page.get_by_role("button", name=f"ColTran, seed {seed}, {stage}")
            expect(picture.get_by_role("img")).not_to_have_js_property("naturalWidth", 0)
    picture = page.get_by_role("button", name="ColTran, seed 1, fine")
    picture.press("Enter")
    expect(page.get_by_text("seed 1, fine · 3 seeds drawn in")).to_be_visible()
    expect(picture).to_have_attribute("aria-pressed", "true")
    assert page.evaluate(NAMELESS) == []


def test_colours_come_live_out_of_noise_until_cancelled(
    visit: Visit, drawing_address: str, gray_photo: Path
) -> None:
    page = visit(drawing_address)
    open_model(page, "Diffusion")
    give_models(page, gray_photo)
    page.get_by_role("button", name="Colorize", exact=True).click()
    last = page.get_by_alt_text(re.compile("the colours at step 25 of 25"))
    expect(last).to_be_visible(timeout=DRAWN)
    expect(page.get_by_text("seed 0 · 3 seeds drawn in")).to_be_visible(timeout=DRAWN)
    for schedule in ("cosine", "linear"):
        into = page.get_by_alt_text(re.compile(f"into noise, {schedule} schedule"))
        expect(into).to_have_count(10)
    page.get_by_label("ancestral").check()
    page.get_by_role("button", name="Colorize", exact=True).click()
    first = page.get_by_alt_text(re.compile(r"the colours at step \d+ of [23]\d\d$")).first
    expect(first).to_be_visible(timeout=DRAWN)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Stopped.")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)  # none that can be seen
    expect(last).to_be_visible()


def test_models_fit_on_a_phone(visit: Visit, gray_photo: Path) -> None:
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    open_model(page, "Autochrome")
    give_models(page, gray_photo)
    wait_for_result(page)
    assert not scrolls_sideways(page)
    for text in (".summary p", ".card td", ".chosen p"):
        assert contrast(page, text) >= 4.5, f"{text} is hard to read"
