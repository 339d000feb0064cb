"""The finish in a browser: its sliders, what the left side shows, and Reset."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import NAMELESS, Visit
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
SIZE = (160, 120)  # of the photo, width and height


def shown(page: Page, side: str) -> str:
    address: str = page.locator(f"#slider .{side}").get_attribute("src") or ""
    return address


def test_sliders_change_the_picture_and_reset_puts_them_back(
    visit: Visit, gray_photo: Path
) -> None:
    page = visit()
    page.locator("#photo input[type=file]").set_input_files(gray_photo)
    page.get_by_role("button", name="Finish").click()
    warmer = page.get_by_role("slider", name="Cooler or warmer")
    expect(warmer).to_be_visible()
    page.wait_for_timeout(500)  # Gradio draws what is in an accordion twice
    gray, first = shown(page, "before"), shown(page, "after")
    warmer.press("End")
    after = page.locator("#slider .after")
    expect(after).not_to_have_attribute("src", first)
    assert shown(page, "before") == gray
    page.get_by_label("Compare with unfinished").check()
    before = page.get_by_alt_text("Unfinished: the colours without the finish")
    expect(before).not_to_have_attribute("src", gray)
    expect(page.locator("#slider .chip.left")).to_have_text("Unfinished")
    assert page.evaluate(NAMELESS) == []
    finished = shown(page, "after")
    page.locator("#finish").get_by_role("button", name="Reset", exact=True).click()
    expect(after).not_to_have_attribute("src", finished)
    expect(warmer).to_have_value("0")
