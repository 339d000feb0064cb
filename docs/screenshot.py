"""Make the README's picture from the running app: `python docs/screenshot.py`.

Starts the app, colorizes an example in headless Chromium and writes docs/screenshot.png. Needs the
packages of the `test` extra and Chromium or Chrome on the search path, or its path in CHROMIUM.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "screenshot.png"
EXAMPLE = "Portrait"
SIZE = {"width": 1180, "height": 842}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
WAIT_SECONDS = 120


def main() -> None:
    address = f"http://127.0.0.1:{(port := free_port())}"
    app = subprocess.Popen([sys.executable, "app.py", "--port", str(port)], cwd=ROOT)
    try:
        wait_for(port)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
            page = browser.new_page(viewport=SIZE, color_scheme="light")
            page.goto(address)
            save(picture(page))
            browser.close()
    finally:
        app.terminate()
        app.wait()


def picture(page: Page) -> bytes:
    """The page with a result, and nothing under the mouse."""
    expect.set_options(timeout=WAIT_SECONDS * 1000)
    for _ in range(2):  # the first time includes loading the model
        page.get_by_role("button", name=EXAMPLE, exact=True).click()
        expect(page.get_by_text(re.compile(r"\d s on "))).to_be_hidden()
        expect(page.get_by_text(re.compile(r"\d s on "))).to_be_visible()
        expect(page.locator("#slider .after")).not_to_have_js_property("naturalWidth", 0)
    page.evaluate("window.scrollTo({ top: 0, behavior: 'instant' })")
    page.mouse.move(0, 0)
    page.get_by_role("slider", name=re.compile("^Comparison")).evaluate("e => e.blur()")
    page.wait_for_timeout(500)  # until what moves has come to rest
    return page.screenshot()


def save(png: bytes) -> None:
    with Image.open(io.BytesIO(png)) as shot:
        shot.convert("RGB").save(OUT, optimize=True)
    print(f"{OUT.relative_to(ROOT)}: {OUT.stat().st_size / 1000:.0f} kB")


def chromium() -> str:
    names = (os.environ.get("CHROMIUM", ""), *BROWSERS)
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    if path is None:
        raise SystemExit("Install Chromium or Chrome, or set CHROMIUM to its path.")
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"The app has not started within {WAIT_SECONDS} s.")


if __name__ == "__main__":
    main()
