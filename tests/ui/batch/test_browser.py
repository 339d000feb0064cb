"""The tab "Batch" as people meet it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pages import NAMELESS, PHONE, Scene, Visit, scrolls_sideways
from PIL import Image
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

DROP = """names => {
  const transfer = new DataTransfer();
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 24;
  const data = atob(canvas.toDataURL("image/png").split(",")[1]);
  const bytes = Uint8Array.from(data, (letter) => letter.charCodeAt(0));
  names.forEach((name) => transfer.items.add(new File([bytes], name, { type: "image/png" })));
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
}"""


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory, gray_scene: Scene) -> list[Path]:
    folder = tmp_path_factory.mktemp("photos")
    for name, height in (("first", 40), ("second", 60)):
        Image.fromarray(gray_scene(height, 64)).save(folder / f"{name}.png")
    (folder / "third.png").write_text("no photo")
    return [folder / f"{name}.png" for name in ("first", "second", "third")]


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_queue_is_worked_on_and_found_after_a_reload(visit: Visit, photos: list[Path]) -> None:
    page = visit()
    page.get_by_role("tab", name="Batch").click()
    page.locator(".drop.many input[type=file]").set_input_files(photos)
    cells = page.locator(".batch li")
    expect(cells).to_have_count(3)
    expect(cells.nth(0).locator("img")).not_to_have_js_property("naturalWidth", 0)
    expect(cells.nth(2)).to_have_attribute("data-state", "failed")
    press(page, "Colour all 3 photos")
    expect(page.locator(".batch [role=status]")).to_have_text(re.compile("2 of 3 done · 1 failed"))
    page.reload()
    page.get_by_role("tab", name="Batch").click()
    expect(cells.nth(1)).to_have_attribute("data-state", "done")
    cells.nth(0).get_by_role("button").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".detail [role=status]")).to_contain_text("second.png")
    expect(page.locator(".detail .after")).to_have_js_property("naturalWidth", 64)
    assert page.evaluate(NAMELESS) == []
    page.set_viewport_size(PHONE)
    assert not scrolls_sideways(page)
    with page.expect_download() as found:
        press(page, "All, ZIP")
    assert found.value.suggested_filename == "colorized.zip"
    press(page, "Open in Colorize")
    expect(page.locator("#line")).to_have_text(re.compile("64 × 60"))
    page.get_by_role("tab", name="Batch").click()
    press(page, "Clear")
    press(page, "Really clear? Results are deleted")
    expect(cells).to_have_count(0)


def test_several_photos_dropped_anywhere_become_a_queue(visit: Visit) -> None:
    page = visit()
    page.evaluate(DROP, ["one.png", "two.png"])
    cells = page.locator(".batch li")
    expect(cells).to_have_count(2)
    page.evaluate(DROP, ["three.png", "four.png"])
    expect(cells).to_have_count(4)
    assert page.locator(".batch .name").all_text_contents()[2:] == ["three.png", "four.png"]
