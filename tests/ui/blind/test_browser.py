"""The tab "Which is real?" as people meet it: in headless Chromium, by mouse, keys and phone."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from pages import (
    DRAWN,
    FOCUSED,
    NAMELESS,
    PHONE,
    SIZE,
    Scene,
    Visit,
    box_of,
    contrast,
    scrolls_sideways,
)
from PIL import Image
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
MODELS = ("Autochrome · recommended", "CNN, squared error")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory, gray_scene: Scene) -> list[Path]:
    """Two in colour and one without."""
    folder = tmp_path_factory.mktemp("photos")
    for seed in range(2):
        scene = gray_scene(SIZE[1], SIZE[0], seed)[..., 0]
        pixels = np.stack([scene, scene[::-1], scene[:, ::-1]], axis=2)
        Image.fromarray(pixels).save(folder / f"colour-{seed}.jpg", quality=95)
    Image.fromarray(gray_scene(SIZE[1], SIZE[0], 2)).save(folder / "gray.jpg", quality=95)
    return sorted(folder.iterdir())


def open_tab(page: Page) -> None:
    page.get_by_role("tab", name="Which is real?", exact=True).click()
    expect(page.get_by_role("radio", name="Which do you prefer?")).to_be_visible()


def give(page: Page, photos: list[Path]) -> None:
    open_tab(page)
    page.locator(".several input[type=file]").set_input_files(photos)
    expect(page.get_by_role("button", name="Start")).to_be_visible()


def choose_models(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Models")).click()
    expect(page.get_by_role("checkbox", name="SAGAN")).to_be_checked()
    page.wait_for_timeout(500)  # Gradio draws what is in an accordion twice
    page.get_by_title("Select/Deselect All").uncheck()
    expect(page.get_by_role("checkbox", name="SAGAN")).not_to_be_checked()
    for name in MODELS:
        page.get_by_role("checkbox", name=name, exact=True).check()


def wait_for_round(page: Page, number: int) -> None:
    heading = page.get_by_role("heading", name=f"Round {number}", exact=True)
    expect(heading).to_be_visible(timeout=DRAWN)  # models are loaded first
    for name in ("Picture A", "Picture B"):
        expect(page.locator(f'.pair img[alt="{name}"]')).to_have_js_property(
            "naturalWidth", SIZE[0]
        )
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)  # none that can be seen


def results(page: Page) -> list[list[str]]:
    """The cells of the table, without its head."""
    rows: list[list[str]] = page.locator(".results tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    return rows


def test_rounds_by_keys_and_mouse_are_kept_until_they_are_cleared(
    visit: Visit, photos: list[Path], tmp_path: Path
) -> None:
    page = visit()
    give(page, photos)
    expect(page.get_by_text("3 photos, 2 in colour")).to_be_visible()
    choose_models(page)
    assert page.evaluate(NAMELESS) == []
    page.get_by_role("button", name="Start").press("Enter")
    wait_for_round(page, 1)
    assert page.evaluate(NAMELESS) == []

    page.keyboard.press("ArrowLeft")
    verdict = page.locator(".pair [role=status]")
    expect(verdict).to_have_text(
        re.compile(r"^(Right|Fooled): [AB] is the photograph\. [AB] is by")
    )
    expect(page.get_by_role("button", name="Next")).to_be_focused()
    expect(page.locator(".results tbody tr")).to_have_count(1)
    assert results(page)[0][0] in [name.split(" · ")[0] for name in MODELS]
    page.keyboard.press("Enter")
    wait_for_round(page, 2)
    expect(verdict).to_be_hidden()
    page.get_by_role("button", name="B is the photograph").click()
    expect(verdict).to_have_text(re.compile(r"^(Right|Fooled): "))

    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert file.name == "which-is-real.csv"
    assert {row["photo"] for row in rows} == {"colour-0.jpg", "colour-1.jpg"}
    assert [row["guess"] for row in rows] == ["A", "B"]
    assert all(float(row["seconds"]) > 0 for row in rows)

    before = results(page)
    page.reload()
    open_tab(page)
    expect(page.locator(".results tbody tr")).to_have_count(len(before))
    assert results(page) == before
    page.get_by_role("button", name="Clear results").click()
    expect(page.get_by_text("Clear all 2 rounds of both questions?")).to_be_visible()
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("button", name="Clear results")).to_be_visible()
    assert results(page) == before
    page.get_by_role("button", name="Clear results").click()
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.locator(".results table")).to_have_count(0)
    page.reload()
    open_tab(page)
    expect(page.get_by_role("button", name="Clear results")).to_be_hidden()


PAIR = """() => [...document.querySelectorAll(".pair .sides button")].map((button) => {
  const copy = button.cloneNode(true);
  const img = button.querySelector("img");
  const bytes = img.src.length;
  copy.querySelector("img").removeAttribute("src");
  return [copy.outerHTML.replaceAll(/\\b[AB]\\b/g, "?"), bytes, img.naturalWidth, img.offsetWidth];
})"""


def test_the_page_knows_no_answer_and_everything_is_reached_by_keys(
    visit: Visit, photos: list[Path]
) -> None:
    page = visit()
    give(page, photos)
    choose_models(page)
    page.get_by_role("button", name="Start").click()
    wait_for_round(page, 1)
    one, other = page.evaluate(PAIR)
    assert one == other
    for name in MODELS:
        expect(page.locator(".pair")).not_to_contain_text(name)
    reached = []
    for _ in range(3):
        page.keyboard.press("Tab")
        name, seen = page.evaluate(FOCUSED)
        assert seen, f"the focus cannot be seen on {name}"
        reached.append(name)
    assert reached == ["A is the photograph", "B is the photograph", "Photos and models"]
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Start")).to_be_visible()
    expect(page.locator(".pair")).to_be_hidden()


def test_preference_on_a_phone(visit: Visit, photos: list[Path]) -> None:
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    give(page, photos)
    choose_models(page)
    page.get_by_role("radio", name="Which do you prefer?").check()
    expect(page.get_by_text("without their names")).to_be_visible()
    assert not scrolls_sideways(page)
    page.get_by_role("button", name="Start").tap()
    wait_for_round(page, 1)
    for text in (".pair h2", ".pair .how", ".pair .sides span", ".actions button"):
        assert contrast(page, text) >= 4.5, f"{text} is hard to read"
    for name in ("A is the better one", "B is the better one", "No preference"):
        box = box_of(page.get_by_role("button", name=name))
        assert min(box["width"], box["height"]) >= 40, f"{name} is hard to hit"
    assert not scrolls_sideways(page)
    page.get_by_role("button", name="No preference").tap()
    expect(page.get_by_text(re.compile("^No preference: A is by "))).to_be_visible()
    expect(page.locator(".results tbody tr")).to_have_count(2)
    assert [row[1:] for row in results(page)] == [["1500", "1", "0", "1"]] * 2
    for text in (".results th", ".results td", ".results p", ".pair [role=status]"):
        assert contrast(page, text) >= 4.5, f"{text} is hard to read"
    assert not scrolls_sideways(page)
    assert page.evaluate(NAMELESS) == []


def test_without_colour_photos_it_says_what_is_needed(visit: Visit, photos: list[Path]) -> None:
    page = visit()
    give(page, photos[-1:])
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("alert")).to_contain_text("Add colour photographs")
    expect(page.get_by_role("button", name="Start")).to_be_visible()


def test_cancel_stops_before_the_first_round(
    visit: Visit, endless_address: str, photos: list[Path]
) -> None:
    page = visit(endless_address)
    give(page, photos)
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("progressbar", name="Colouring")).to_be_visible(timeout=DRAWN)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Stopped.")).to_be_visible()
    expect(page.get_by_role("button", name="Start")).to_be_visible()
