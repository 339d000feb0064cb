"""Hints on a film in a browser: by mouse, keyboard and on a phone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from films import pan, write_film
from pages import NAMELESS, PHONE, Visit, scrolls_sideways
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def reel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "reel.mp4"
    return write_film(path, pan(1, 20, 144, 256, 1), codec="libx264", pixels="yuv420p")


def open_frame(page: Page, reel: Path, keys: bool = False) -> None:
    """The film with its first frame in the hint editor."""
    page.get_by_role("tab", name="Film").click()
    page.locator("input[type=file][accept*='video']").first.set_input_files(reel)
    button = page.get_by_role("button", name="Colour this frame by hand")
    if keys:
        button.focus()
        page.keyboard.press("Enter")
    else:
        button.click()
    shown = page.locator("#film-steer .shown")
    expect(shown).to_have_attribute("src", re.compile("^data:"), timeout=90_000)


def choose(page: Page, name: str) -> None:
    page.locator("#film-steer summary", has_text="Colours by name").click()
    page.locator("#film-steer").get_by_role("button", name=name, exact=True).click()


def test_a_frame_is_coloured_by_hand_and_its_scene_follows(visit: Visit, reel: Path) -> None:
    page = visit()
    open_frame(page, reel)
    page.locator("#film-steer .pins").click(position={"x": 100, "y": 80})
    choose(page, "union blue")
    times = page.get_by_role("list", name="Frames with hints")
    expect(times.get_by_role("button", name="0 s · 1 hint")).to_be_visible()
    expect(page.locator("#film-steer .pin")).to_have_count(1)
    expect(page.get_by_role("button", name="Other looks")).to_be_hidden()
    assert page.evaluate(NAMELESS) == []

    page.get_by_role("button", name="Preview this scene").click()
    expect(page.locator(".film video")).to_be_visible(timeout=90_000)

    page.get_by_role("button", name="Put the frame away").click()
    expect(page.locator("#film-steer")).to_be_hidden()
    times.get_by_role("button", name="0 s · 1 hint").click()
    expect(page.locator("#film-steer .pin")).to_have_count(1)
    times.get_by_role("button", name="Remove the hints at 0 s").click()
    expect(times.get_by_role("listitem")).to_have_count(0)
    expect(page.locator("#film-steer")).to_be_hidden()


def test_a_keyboard_and_a_phone_do(visit: Visit, reel: Path) -> None:
    page = visit(viewport=PHONE)
    open_frame(page, reel, keys=True)
    page.locator("#film-steer .pins").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    likely = page.locator("#film-steer .likely button")
    likely.first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#film-steer .pin")).to_have_count(1)
    expect(page.get_by_role("button", name="0 s · 1 hint")).to_be_visible()
    assert not scrolls_sideways(page)
