"""The tab "Prompt", driven in Chromium, on tiny untrained models."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_diffusion
from app_server import serving
from hub_server import fetch
from hub_server import serving as serving_hub
from numpy.typing import NDArray
from pages import DRAWN, NAMELESS, PHONE, contrast, scrolls_sideways, visiting
from playwright.sync_api import Browser, Page, expect

from colorize_core.imaging import image
from colorize_core.prompted import sources
from colorize_core.prompted.metadata import read_settings
from colorize_core.prompted.settings import PromptSettings

pytestmark = pytest.mark.browser

SIZE = (240, 160)  # of the photo, width and height
Visit = Callable[..., Page]
Scene = Callable[..., NDArray[np.uint8]]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An app on a machine that has what Canny edges need, and no connection."""
    hub, cache = (tmp_path_factory.mktemp(name) for name in ("hub", "cache"))
    tiny_diffusion.write_all(hub)
    with pytest.MonkeyPatch.context() as patch, serving_hub(hub, cache, patch):
        fetch(sources.list_needed(PromptSettings()))
    folder = tmp_path_factory.mktemp("prompt")
    with serving(folder, "prompt", HF_HUB_CACHE=str(cache), HF_HUB_OFFLINE="1") as address:
        yield address


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    """Open the tab by a link."""
    with visiting(
        browser, address, lambda page: page.get_by_text("to colour it as you describe")
    ) as open_page:
        yield open_page


def give(page: Page, path: Path) -> None:
    """A photo, until what is drawn from is seen; drawings will be small, and soon there."""
    drop(page, path)
    expect(page.get_by_alt_text("What the drawing follows")).to_be_visible(timeout=DRAWN)
    page.get_by_role("button", name="Advanced").click()
    choose(page, "Working size", "128")


def drop(page: Page, path: Path) -> None:
    page.locator(".tabitem:visible .drop input[type=file]").set_input_files(path)


def choose(page: Page, name: str, value: str) -> None:
    box = page.get_by_label(f"number input for {name}")
    box.fill(value)
    box.press("Tab")


def draw(page: Page) -> None:
    page.get_by_role("button", name="Draw", exact=True).click()
    expect(page.get_by_text(re.compile("drawn in .* s · "))).to_be_visible(timeout=DRAWN)


# How many pixels of the edges are white.
WHITE = """(() => {
  const img = document.querySelector('[alt="What the drawing follows"]');
  if (!img?.naturalWidth) return NaN;
  const canvas = new OffscreenCanvas(img.naturalWidth, img.naturalHeight);
  const context = canvas.getContext("2d");
  context.drawImage(img, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height).data.filter(
    (value, i) => i % 4 === 0 && value > 127).length;
})()"""


def white(page: Page) -> int:
    found: int = page.evaluate(WHITE)
    return found


def alert(page: Page) -> Any:
    return page.get_by_role("alert").locator("visible=true")


def save(page: Page, format: str) -> Path:
    with page.expect_download() as download:
        page.locator(".tabitem:visible .downloads").get_by_role(
            "button", name=format, exact=True
        ).click()
    return Path(download.value.path())


def test_the_edges_follow_the_thresholds_live(visit: Visit, gray_photo: Path) -> None:
    page = visit()
    give(page, gray_photo)
    expect(page.get_by_alt_text("What the drawing follows")).to_have_js_property(
        "naturalWidth", 160
    )
    before = white(page)
    assert before > 0
    choose(page, "High threshold", "500")
    choose(page, "Low threshold", "500")
    page.wait_for_function(f"before => ({WHITE}) < before", arg=before)
    choose(page, "High threshold", "10")
    expect(alert(page)).to_contain_text("Swap them")
    choose(page, "Low threshold", "5")
    expect(alert(page)).to_have_count(0)
    page.wait_for_function(f"before => ({WHITE}) > before", arg=before)


def test_a_photo_is_drawn_kept_and_its_settings_come_back(
    visit: Visit, gray_photo: Path, tmp_path: Path
) -> None:
    page = visit()
    give(page, gray_photo)
    page.get_by_role("button", name="autumn leaves").click()
    prompt = page.locator(".wish textarea").first
    expect(prompt).to_have_value(re.compile(", autumn leaves$"))
    choose(page, "Variants", "2")
    draw(page)
    cells = page.locator(".tabitem:visible .pictures button")
    expect(cells).to_have_count(2)
    expect(cells.first).to_be_enabled(timeout=DRAWN)
    png = tmp_path / "drawn.png"
    png.write_bytes(save(page, "PNG").read_bytes())
    drawn, gray = image.read(png).pixels.astype(int), image.read(gray_photo).pixels
    assert drawn.shape == gray.shape
    assert np.ptp(drawn, axis=2).max() > 20, "it has colours"
    settings = read_settings(image.read_record(png))
    assert settings is not None
    assert settings.prompt.endswith(", autumn leaves")
    assert (settings.side, settings.variants, settings.keep) == (128, 1, True)
    cells.nth(1).click()
    expect(page.get_by_text(re.compile("Seed 1 · drawn in .* · photo kept"))).to_be_visible()
    page.get_by_label("Keep the photo").uncheck()
    expect(page.get_by_text(re.compile("Seed 1 · drawn in .* · the raw picture"))).to_be_visible()
    prompt.fill("something else")
    drop(page, png)
    expect(page.get_by_text("The settings of drawn.png are loaded.")).to_be_visible(timeout=DRAWN)
    expect(prompt).to_have_value(settings.prompt)
    expect(page.get_by_label("Keep the photo")).to_be_checked()
    expect(page.get_by_text("old.png")).to_be_visible()  # the photo stays


def test_a_drawing_is_cancelled(visit: Visit, gray_photo: Path) -> None:
    page = visit()
    give(page, gray_photo)
    choose(page, "Steps", "50")
    choose(page, "Variants", "8")
    page.get_by_role("button", name="Draw", exact=True).click()
    expect(page.get_by_text(re.compile("Picture 1 of 8 · step"))).to_be_visible(timeout=DRAWN)
    page.get_by_role("button", name="Cancel").locator("visible=true").click()
    expect(page.get_by_text(re.compile("^Stopped"))).to_be_visible()
    expect(page.locator(".stage progress")).to_have_count(0, timeout=DRAWN)
    choose(page, "Steps", "2")
    choose(page, "Variants", "1")
    draw(page)


def test_what_is_missing_is_said_before_anything_is_downloaded(
    visit: Visit, gray_photo: Path
) -> None:
    page = visit()
    give(page, gray_photo)
    expect(page.get_by_text("Everything that drawing needs is on this machine")).to_be_visible()
    page.get_by_label("Brightness", exact=True).locator("visible=true").check()
    listed = page.locator(".prose.needs")
    expect(listed).to_contain_text("latentcat/control_v1p_sd15_brightness")
    expect(listed).to_contain_text("1.45 GB, licence creativeml-openrail-m")
    get = page.get_by_role("button", name="Download 1.45 GB")
    expect(get).to_be_visible()
    page.get_by_role("button", name="Draw", exact=True).click()
    expect(alert(page)).to_contain_text("Not on this machine yet: ControlNet for brightness")
    get.click()
    expect(alert(page)).to_contain_text("HF_HUB_OFFLINE")
    expect(alert(page)).to_be_in_viewport(ratio=0.9)
    page.get_by_role("button", name="Describe the photo for me").click()
    expect(alert(page)).to_contain_text("Captioner BLIP")


def test_another_model_says_what_it_is(visit: Visit, gray_photo: Path) -> None:
    page = visit()
    give(page, gray_photo)
    page.get_by_label("FLUX.2 [klein] 4B").check()
    expect(page.get_by_text(re.compile("of GPU memory .* licence apache-2.0"))).to_be_visible()
    expect(page.get_by_label("number input for Low threshold")).to_be_hidden()
    expect(page.get_by_label("Negative prompt")).to_be_hidden()


def test_it_fits_on_a_phone(visit: Visit, gray_photo: Path) -> None:
    page = visit(viewport=PHONE)
    assert not scrolls_sideways(page)
    expect(page.get_by_role("tab", name="Prompt")).to_be_in_viewport(ratio=0.9)
    give(page, gray_photo)
    draw(page)
    assert not scrolls_sideways(page)
    assert page.evaluate(NAMELESS) == []
    for text in (".needs summary", ".chips button", ".wish textarea"):
        assert contrast(page, text) >= 4.5, f"{text} is hard to read"
