"""python -m benchmarks.start : from the command to the page, beside an empty page of Gradio's.

Both are started in turn, on the same machine:

first byte  seconds from the command to the first byte of the page
drop zone   seconds from opening the page in headless Chromium to a drop zone that takes a photo
whole page  seconds until the page's own drop zone is in the place of that one
config      bytes of what the page is told of its parts

Needs the extra `test` and Chromium.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from benchmarks.options import make_parser
from benchmarks.results_file import write
from tests.app_server import free_port
from tests.conftest import CHROMIUM_FLAGS, chromium_path

ROOT = Path(__file__).resolve().parents[1]
EMPTY = """
import sys, gradio as gr
with gr.Blocks(analytics_enabled=False) as blocks:
    gr.File(elem_id="photo")
blocks.launch(server_port=int(sys.argv[1]), quiet=True)
"""
PATIENCE = 120.0  # seconds


@contextmanager
def serving(command: list[str], folder: Path) -> Iterator[tuple[str, float]]:
    """An app's address, and how many seconds it took from the command to the first byte."""
    port = free_port()
    environment = os.environ | {"GRADIO_TEMP_DIR": str(folder), "GRADIO_ANALYTICS_ENABLED": "False"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else ours alone is compiled at each start
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *(each.format(port=port) for each in command)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}/"
    try:
        wait_for_byte(address, begun)
        yield address, time.perf_counter() - begun
    finally:
        process.terminate()
        process.wait(timeout=60)


def wait_for_byte(address: str, begun: float) -> None:
    while True:
        try:
            with urllib.request.urlopen(address, timeout=PATIENCE) as page:
                page.read(1)
                return
        except OSError:
            if time.perf_counter() - begun > PATIENCE:
                raise
            time.sleep(0.01)


def open_page(browser: Browser, address: str) -> tuple[float, float]:
    """Seconds until a file can be dropped, and until the page's own drop zone is there, in a
    browser that knows nothing of the page."""
    with browser.new_context() as context:
        page = context.new_page()
        begun = time.perf_counter()
        page.goto(address, wait_until="commit")
        page.locator(":is(#early, #photo) input[type=file]").first.wait_for(state="attached")
        taken = time.perf_counter() - begun
        page.locator("#photo input[type=file]").wait_for(state="attached")
        return taken, time.perf_counter() - begun


def measure(browser: Browser, command: list[str]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder, serving(command, Path(folder)) as served:
        address, first_byte = served
        with urllib.request.urlopen(f"{address}config", timeout=PATIENCE) as answer:
            config = len(answer.read())
        taken, whole = open_page(browser, address)
        return {
            "first byte": first_byte,
            "drop zone": taken,
            "whole page": whole,
            "config": config,
        }


def main() -> None:
    runs = make_parser(__doc__, runs=5).parse_args().runs
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script, sync_playwright() as driver:
        script.write(EMPTY)
        script.flush()
        browser = driver.chromium.launch(executable_path=chromium_path(), args=list(CHROMIUM_FLAGS))
        sides = {"ours": ["app.py", "--port", "{port}"], "empty": [script.name, "{port}"]}
        found: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
        for _ in range(runs):
            for side, command in sides.items():
                found[side].append(measure(browser, command))
        browser.close()
    write("start", [compare(what, found, runs) for what in found["ours"][0]])


def compare(what: str, found: dict[str, list[dict[str, float]]], runs: int) -> dict[str, Any]:
    ours, empty = (statistics.median(run[what] for run in found[side]) for side in found)
    digits = 0 if what == "config" else 2
    return {
        "what": what,
        "ours": f"{ours:.{digits}f}",
        "empty": f"{empty:.{digits}f}",
        "ratio": f"{ours / empty:.2f}",
        "runs": runs,
    }


if __name__ == "__main__":
    main()
