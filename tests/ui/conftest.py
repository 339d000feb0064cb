"""Apps that serve pages, and pages of them, for the browser tests of every tab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from app_server import serving
from pages import Scene, Visit, drop_zone, visiting
from PIL import Image
from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def app_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("app")) as address:
        yield address


@pytest.fixture(scope="session")
def endless_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("endless"), "endless", "colorize", "blind") as address:
        yield address


@pytest.fixture
def visit(browser: Browser, app_address: str) -> Iterator[Visit]:
    """Open the page."""
    with visiting(browser, app_address, drop_zone) as open_page:
        yield open_page


@pytest.fixture(scope="module")
def gray_photo(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, gray_scene: Scene
) -> Path:
    """Of the size (width, height) that the module says, with a camera's name in its EXIF."""
    return write_scene(tmp_path_factory.mktemp("photos") / "old.png", gray_scene, request.module)


@pytest.fixture(scope="module")
def colour_photo(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, colour_scene: Scene
) -> Path:
    return write_scene(tmp_path_factory.mktemp("photos") / "new.png", colour_scene, request.module)


def write_scene(path: Path, scene: Scene, module: Any) -> Path:
    width, height = module.SIZE
    exif = Image.Exif()
    exif[271] = "Kine Exakta"
    Image.fromarray(scene(height, width)).save(path, quality=95, exif=exif)
    return path
