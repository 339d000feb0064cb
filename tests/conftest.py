"""What several test modules share. No test uses a network: the Hub is told to stay offline."""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scenes import scene

from colorize_core.threads import wait_briefly
from ui.server import gradio_private

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from ui.shared.service import Service

gradio_private.leave_out_documentation()
wait_briefly()  # threads that wait by spinning are very slow while a browser runs beside
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the other core is another worker's
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell's script,
    signal.signal(signal.SIGINT, signal.default_int_handler)  # and in all that is started here
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else all that is started compiles every module
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

# Looking for garbage among all that torch, Gradio and thousands of tests have made is a tenth to a
# third of the suite's processor time. Looked for less often, it is still found.
gc.set_threshold(50_000, 20, 20)


# Folders of files that take up to minutes, part of which they wait for apps and pages: begun first,
# so that no process has such a file left when the others have nothing more to do.
LONG = ("attacks", "ui", "training", "cli", "models", "batch", "docs", "film")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        folder = item.nodeid.removeprefix("tests/").split("/")[0]
        return LONG.index(folder) if folder in LONG else len(LONG)

    items.sort(key=rank)


def pytest_collection_finish() -> None:
    gc.freeze()


# First the one without windows: a page takes a quarter less processor time.
CHROMIUM_NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium_path() -> str:
    """The browser named by $CHROMIUM, else the first one on the search path."""
    names = (os.environ.get("CHROMIUM", ""), *CHROMIUM_NAMES)
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    if path is None:
        pytest.fail(
            "The browser tests need Chromium or Chrome: install your system's package "
            "(Debian: apt install chromium-headless-shell; Ubuntu: apt install chromium) or set "
            "CHROMIUM to its path. "
            'To leave these tests out: pytest -m "not browser".'
        )
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for all the browser tests; each opens a page of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=chromium_path(), args=list(CHROMIUM_FLAGS)
        )
        yield chromium
        chromium.close()


@lru_cache(maxsize=1)
def _load(name: str) -> Any:
    import colorize_core

    return colorize_core.load(name, device="cpu")


@pytest.fixture(scope="session")
def load_model() -> Callable[[str], Any]:
    """name -> the model on the CPU; the last one asked for is kept."""
    return _load


@pytest.fixture(scope="session")
def gray_scene() -> Callable[..., NDArray[np.uint8]]:
    return scene


@pytest.fixture(scope="session")
def colour_scene() -> Callable[..., NDArray[np.uint8]]:
    """The scene with one tint above and another below."""

    def tinted(height: int, width: int) -> NDArray[np.uint8]:
        tints = np.array([[[60, -10, -40]], [[-40, 30, 30]]]).repeat(height // 2, 0)
        return np.clip(scene(height, width).astype(int) + tints, 0, 255).astype(np.uint8)

    return tinted


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20261121)


@pytest.fixture(scope="module")
def loaded() -> dict[str, Any]:
    """Models that `studio` has made in this module."""
    return {}


@pytest.fixture
def service(tmp_path: Path, loaded: dict[str, Any]) -> Service:
    """What tabs share, with the models of drawing_models.py."""
    import drawing_models

    from ui.server.temp_files import Folder
    from ui.shared.service import Service

    def load(name: str) -> Any:
        if name not in loaded:
            loaded[name] = drawing_models.load(name)
        return loaded[name]

    return Service(Folder(tmp_path), load=load)
