"""python -m benchmarks.steering : how long a changed hint takes, for a photo of 1 megapixel.

app   from the hints to the picture that the page is sent: the network with the hints, the small
      picture, its encoding. Beside it the whole of what a photo takes when it is opened.
page  in headless Chromium: from the click on a colour until the new picture is there.

Medians of several. Needs the extra `test`.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from skimage.data import astronaut

import colorize_core
from benchmarks.options import make_parser
from benchmarks.results_file import write
from colorize_core.models.runner import Task
from colorize_core.options import Options
from colorize_core.steering.hints import Hint
from ui.colorize import hint_editor
from ui.colorize.session import ColorizeSession
from ui.server.temp_files import Folder
from ui.shared.service import Service

SIZE = (1224, 816)  # width and height: 1 megapixel
COUNTS = (1, 5, 50)
RUNS = 9
CHROMIUM = "/usr/bin/chromium"
# Clicks on the swatch of that number, and waits for another picture.
CLICK = """async (number) => {
  const img = document.querySelector(".steer .shown");
  const before = img.src;
  const begun = performance.now();
  document.querySelectorAll(".likely button")[number].click();
  while (img.src === before) await new Promise((then) => setTimeout(then, 2));
  return (performance.now() - begun) / 1000;
}"""


def make_photo(path: Path) -> None:
    Image.fromarray(astronaut()).convert("L").resize(SIZE).save(path, quality=95)


def measure_app(folder: Path) -> list[dict[str, Any]]:
    service = Service(Folder(folder), load=colorize_core.load)
    path = service.folder.new("photo.jpg")
    make_photo(path)
    task, rng = Task(), np.random.default_rng(0)
    service.colorize(service.photo(path), Options(), task)  # loads the model
    photo = service.photo(path)
    begun = time.perf_counter()
    session = ColorizeSession(photo, service.colorize(photo, Options(), task))
    rows = [{"of": "app", "what": "opening a photo", "seconds": time.perf_counter() - begun}]
    for count in COUNTS:
        seconds = []
        for _ in range(RUNS):
            hints = tuple(Hint(x, y, (a, b)) for x, y, a, b in _draw(rng, count))
            begun = time.perf_counter()
            session.result = service.steer(photo, Options(hints=hints), task)
            session.picture = service.preview(session.result, session.small)
            hint_editor.view(session)
            seconds.append(time.perf_counter() - begun)
        what = f"{count} hint{'s' * (count > 1)}"
        rows.append({"of": "app", "what": what, "seconds": statistics.median(seconds)})
    return rows


def _draw(rng: np.random.Generator, count: int) -> Any:
    """x, y, a and b of so many hints."""
    places, colours = rng.random((count, 2)), rng.uniform(-40, 40, (count, 2))
    return np.hstack([places, colours]).tolist()


def measure_page(folder: Path) -> list[dict[str, Any]]:
    from playwright.sync_api import sync_playwright

    from tests.public_app import serving

    path = folder / "photo.jpg"
    make_photo(path)
    with serving(folder, "--no-auth") as served, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(60_000)
        page.goto(served.url)
        page.locator("#photo input[type=file]").set_input_files(path)
        page.get_by_text("Colour it", exact=True).click()
        page.locator(".steer .shown[src^=data]").wait_for()
        pins, seconds = page.locator(".steer .pins"), []
        for number in range(RUNS):
            page.keyboard.press("Escape")
            pins.click(position={"x": 40 + 50 * number, "y": 60 + 30 * number})
            page.locator(".likely button").nth(1).wait_for()
            page.wait_for_selector(".steer:not([aria-busy])")
            seconds.append(page.evaluate(CLICK, 1))
        browser.close()
    return [{"of": "page", "what": "a click on a colour", "seconds": statistics.median(seconds)}]


def main() -> None:
    make_parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [*measure_app(Path(folder)), *measure_page(Path(folder))]
    write("steering", [row | {"seconds": f"{row['seconds']:.3f}"} for row in rows])


if __name__ == "__main__":
    main()
