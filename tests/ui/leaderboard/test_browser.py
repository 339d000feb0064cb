"""The tab "Leaderboard" as people meet it: in headless Chromium, by mouse, keys and phone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import score_tables
from pages import NAMELESS, PHONE, Visit, contrast, scrolls_sideways
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser
# What the other browser tests begin with; a visit fails if the page asks elsewhere or has faults.
POINT = ".scatter .point"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return score_tables.run(tmp_path_factory.mktemp("scores") / "mine.csv")


def open_tab(page: Page) -> None:
    page.get_by_role("tab", name="Leaderboard", exact=True).click()
    expect(page.locator(POINT).first).to_be_visible()


def give(page: Page, file: Path) -> None:
    page.get_by_role("button", name="Show my own run").click()
    page.locator(".run input[type=file]").set_input_files(file)


def rows(page: Page) -> list[str]:
    names = page.locator(".scores > .box tbody:first-of-type th").all_inner_texts()
    return [name.splitlines()[0] for name in names]


def head(page: Page, title: str) -> Locator:
    return page.get_by_role("columnheader", name=title, exact=True)


COVERED = """(figure) => {
  const box = (e) => e.getBoundingClientRect();
  const touch = (a, b) =>
    a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const names = [...figure.querySelectorAll(".point text")];
  const dots = [...figure.querySelectorAll(".point circle")];
  const frame = box(figure.querySelector("svg"));
  const bad = [];
  names.forEach((name, i) => {
    const mine = box(name);
    const said = name.textContent;
    if (mine.left < frame.left || mine.right > frame.right + 1) bad.push(said + " is cut off");
    names.slice(i + 1).forEach((other) => {
      if (touch(mine, box(other))) bad.push(said + " touches " + other.textContent);
    });
    dots.forEach((dot) => { if (touch(mine, box(dot))) bad.push(said + " covers a point"); });
  });
  return bad;
}"""


def test_an_own_run_is_sorted_and_told_by_mouse_and_by_keys(visit: Visit, own: Path) -> None:
    page = visit()
    open_tab(page)
    give(page, own)
    expect(page.get_by_text("Your run mine.csv.")).to_be_visible()
    expect(page.locator(".scores > .box tbody tr")).to_have_count(4)
    assert page.evaluate(NAMELESS) == []

    as_it_came = rows(page)
    assert as_it_came == ["Gray", "Mean colour", "Autochrome", "ColTran"]
    head(page, "CIEDE2000").get_by_role("button").click()
    assert rows(page) == ["Autochrome", "Gray", "Mean colour", "ColTran"], "baselines are sorted in"
    page.keyboard.press("Enter")
    assert rows(page)[0] == "ColTran"
    page.keyboard.press("Enter")
    assert rows(page) == as_it_came
    cell = page.get_by_role("row", name=re.compile("^Autochrome")).get_by_role("cell").nth(1)
    expect(cell).to_have_text(re.compile(r"^8\.00 best.*75 %$"))

    first = page.locator(".scatter").first
    numbers = first.locator(".numbers")
    first.locator(".point", has_text="ColTran").locator("circle").hover()
    expect(numbers).to_contain_text("Colourfulness 30.00 (30.00 to 30.00)")
    expect(numbers).to_contain_text("CIEDE2000 13.00 (11.00 to 15.00)")
    point = first.locator(".point", has_text="ColTran")
    said = ", ".join(numbers.locator("span").all_text_contents())
    expect(point).to_have_attribute("aria-label", f"ColTran: {said}")
    point.focus()
    page.keyboard.press("ArrowLeft")
    expect(numbers.locator("strong")).to_have_text("Autochrome")
    expect(first.locator(".point", has_text="Autochrome")).to_be_focused()
    page.keyboard.press("Tab")
    expect(numbers).to_be_hidden()

    page.get_by_label("Quality by").click()
    page.get_by_role("option", name="PSNR").click()
    second = page.locator(".scatter").nth(1)
    expect(second).to_contain_text("PSNR (higher is better ↑)")
    expect(second.locator(".point")).to_have_count(2)

    page.get_by_role("button", name="Back to the committed evaluation").click()
    expect(page.get_by_text("Your run mine.csv.")).to_be_hidden()
    give_wrong(page, own)


def give_wrong(page: Page, own: Path) -> None:
    wrong = own.with_name("letter.csv")
    wrong.write_text("Dear diary\n")
    page.locator(".run input[type=file]").set_input_files(wrong)
    expect(page.get_by_role("alert")).to_contain_text("letter.csv is not the file of an evaluation")


def test_a_name_leads_to_the_models_tab(visit: Visit) -> None:
    page = visit()
    open_tab(page)
    page.get_by_role("link", name="SE-U-Net", exact=True).click()
    tab = page.get_by_role("tab", name="SE-U-Net", exact=True)
    expect(tab).to_have_attribute("aria-selected", "true")


def test_it_fits_on_a_phone_and_names_do_not_touch(visit: Visit) -> None:
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    open_tab(page)
    assert not scrolls_sideways(page)
    for figure in page.locator(".scatter:visible").all():
        assert figure.evaluate(COVERED) == []
    for text in (".scores td small", ".scores th a", ".about p", ".scatter figcaption"):
        assert contrast(page, text) >= 4.5, f"{text} is hard to read"
    page.locator(POINT, has_text="Autochrome").first.locator("circle").tap()
    expect(page.locator(".numbers strong").first).to_have_text("Autochrome")
    assert not scrolls_sideways(page)
    strip = page.get_by_role("tab").evaluate_all(
        "tabs => tabs.map(e => e.getBoundingClientRect()).map(b => [b.left, b.right])"
    )
    assert all(0 <= left < right <= PHONE["width"] for left, right in strip), "no tab is hidden"
    assert page.evaluate(NAMELESS) == []


def test_the_page_stays_where_it_is_when_tabs_change(visit: Visit) -> None:
    page = visit()
    slid = "[...document.querySelectorAll('*')].filter(e => e.scrollLeft > 0).map(e => e.className)"
    for width in (1280, 820, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for name in ("Leaderboard", "Which is real?", "Leaderboard"):
            page.get_by_role("tab", name=name, exact=True).click()
            expect(page.get_by_role("tab", name=name, exact=True)).to_have_attribute(
                "aria-selected", "true"
            )
        expect(page.get_by_role("table").first).to_be_visible()
        assert page.evaluate(slid) == [], f"at {width} pixels"


def test_the_word_fid_leads_to_what_is_written_of_it(visit: Visit) -> None:
    page = visit()
    open_tab(page)
    page.locator(".scores li").get_by_role("link", name="FID").click()
    heading = page.get_by_role("heading", name="FID, KID and their like")
    expect(heading).to_be_in_viewport()
    expect(page).to_have_url(re.compile("tab=leaderboard"))
