"""Promised: what a file or an address says is never run by the page, nor by who opens a result."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin
from playwright.sync_api import Browser, Page
from public_app import Served, serving

EVIL = "<img src=x onerror=window.hit=1><script>window.hit=1</script>"
NAME = "<img src=x onerror=window.hit=1>.png"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("scripts"), "--no-auth") as served:
        yield served


@pytest.fixture
def page(served: Served, browser: Browser) -> Iterator[Page]:
    with closing(browser.new_context()) as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        yield page


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Whose name and texts are markup."""
    texts = PngImagePlugin.PngInfo()
    for key in ("Title", "Comment", "Author"):
        texts.add_text(key, EVIL)
    path = tmp_path / NAME
    Image.linear_gradient("L").resize((96, 64)).save(path, pnginfo=texts)
    return path


@pytest.mark.browser
def test_a_photo_named_as_markup_runs_nothing(served: Served, page: Page, photo: Path) -> None:
    page.goto(served.url)
    page.locator("#photo input[type=file]").set_input_files(photo)
    page.locator("#line").get_by_text("Autochrome").wait_for()
    page.get_by_role("tab", name="Compare").click()
    page.get_by_text("Another photo").locator("visible=true").first.wait_for()
    assert page.evaluate("window.hit") is None


@pytest.mark.browser
def test_a_file_that_is_no_photo_is_named_and_runs_nothing(
    served: Served, page: Page, photo: Path
) -> None:
    photo.write_text(EVIL)
    page.goto(served.url)
    page.locator("#photo input[type=file]").set_input_files(photo)
    page.get_by_text("is not a picture").wait_for()
    assert page.evaluate("window.hit") is None


@pytest.mark.browser
@pytest.mark.parametrize("query", ["?tab={}", "?compare={}", "?models={}&photo={}"])
def test_an_address_runs_nothing(served: Served, page: Page, query: str) -> None:
    page.goto(f"{served.url}/{query.replace('{}', EVIL)}")
    page.locator("#photo input[type=file]").wait_for(state="attached")
    assert page.evaluate("window.hit") is None


@pytest.mark.parametrize("suffix", [".html", ".svg", ".xml", ".js", ".pdf", ""])
def test_an_upload_is_shown_as_no_page(served: Served, suffix: str) -> None:
    """Whoever is sent its address saves it, or sees a picture."""
    body = f'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>{EVIL}'
    status, text, _ = served.upload(body.encode(), f"page{suffix}", "")
    assert status == 200, text
    status, _, headers = served.ask(f"/gradio_api/file={json.loads(text)[0]}")
    saved = headers.get("content-disposition", "").startswith("attachment")
    plain = headers.get("content-type", "").startswith(("text/plain", "image/png"))
    assert status in (403, 404) or saved or plain, headers
