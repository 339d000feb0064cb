"""Apps that serve pages, and pages of them, for the browser tests of every tab."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from app_server import serving
from pages import Visit, drop_zone, watching
from playwright.sync_api import Browser, Page, expect


@pytest.fixture(scope="module")
def app_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("app")) as address:
        yield address


@pytest.fixture(scope="module")
def endless_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("endless"), "endless") as address:
        yield address


@pytest.fixture(scope="module")
def drawing_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("drawing"), "drawing") as address:
        yield address


@pytest.fixture
def visit(browser: Browser, app_address: str) -> Iterator[Visit]:
    """Open the page."""
    with watching(browser) as watched:

        def open_page(address: str = app_address, **options: Any) -> Page:
            page = watched(address, **options)
            expect(drop_zone(page)).to_be_visible()
            return page

        yield open_page
