"""python -m benchmarks.batch_tab : many photos of 12 megapixels in the tab "Batch".

The example photographs, enlarged, are dropped in headless Chromium, and the queue is worked on
until `--done` of them are done. Written down are, for the first ten and for the rest, the memory of
all processes of the app (Pss), that of the page's script (its heap), the time from a click on a
thumbnail to its photo before and after, and the longest time in which the page drew nothing; then
how long a page that is loaded anew takes to have its queue again.

Needs the extra `test`, Chromium and Linux's /proc.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.options import make_parser
from benchmarks.public_memory import MIB, measure_tree
from benchmarks.results_file import write
from colorize_core.bundled import EXAMPLES
from tests.app_server import free_port, is_up, wait_until
from tests.conftest import CHROMIUM_FLAGS, chromium_path

ROOT = Path(__file__).resolve().parents[1]
SIZE = (4000, 3000)
DONE = ".batch li[data-state=done] button"
FIRST = 10  # photos
BETWEEN = 8.0  # seconds between two clicks
WATCH = """() => {
  let last = performance.now();
  window.longest = 0;
  const look = (now) => {
    window.longest = Math.max(window.longest, now - last);
    last = now;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, int]]:
    """The address of an app, and its process."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port)],
        cwd=ROOT,
        env=os.environ | {"GRADIO_TEMP_DIR": str(folder)},
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: is_up(port), seconds=120)
        yield f"http://127.0.0.1:{port}/", process.pid
    finally:
        process.terminate()
        process.wait(timeout=60)


def make_photos(folder: Path, count: int) -> list[Path]:
    """No two are the same."""
    examples = sorted(EXAMPLES.glob("*-gray.jpg"))
    paths = []
    for number in range(count):
        with Image.open(examples[number % len(examples)]) as example:
            cut = 2 + number // len(examples)
            box = (cut, cut, example.width - cut, example.height - cut)
            paths.append(folder / f"photo-{number:03}.jpg")
            example.convert("L").resize(SIZE, Image.Resampling.BICUBIC, box).save(paths[-1])
    return paths


def click(page: Page, number: int) -> float:
    """Seconds from a click on one of the done to its picture."""
    button = page.locator(DONE).nth(number)
    name = button.locator(".name").text_content() or ""
    button.scroll_into_view_if_needed()
    begun = time.perf_counter()
    button.click()
    page.locator(".detail [role=status]", has_text=name).wait_for()
    page.wait_for_function(
        "() => { const i = document.querySelector('.detail .after'); return i && i.complete "
        "&& i.naturalWidth > 0; }"
    )
    return time.perf_counter() - begun


def measure(count: int, enough: int) -> list[dict[str, Any]]:
    rows = []
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder, "app")) as (address, process),
        sync_playwright() as driver,
    ):
        photos = make_photos(Path(folder), count)
        browser = driver.chromium.launch(executable_path=chromium_path(), args=list(CHROMIUM_FLAGS))
        page = browser.new_page()
        page.set_default_timeout(600_000)
        page.goto(f"{address}?tab=batch")
        begun = time.perf_counter()
        page.locator(".drop.many input[type=file]").set_input_files(photos)
        page.locator(".batch li").nth(count - 1).wait_for()
        dropped = time.perf_counter() - begun
        page.locator(".batch li img[src]").nth(count - 1).wait_for(state="attached")
        looked = time.perf_counter() - begun - dropped
        page.evaluate(WATCH)
        page.locator("[data-do=start]").click()
        begun = time.perf_counter()
        for share, end in (("the first", min(FIRST, enough)), ("the rest", enough)):
            rows.append(
                {"what": share, "dropped": count, "done": end, **follow(page, process, end)}
            )
        rows[-1]["seconds a photo"] = f"{(time.perf_counter() - begun) / enough:.2f}"
        rows[-1]["seconds to drop"] = f"{dropped:.1f}"
        rows[-1]["seconds to thumbnails"] = f"{looked:.1f}"
        begun = time.perf_counter()
        page.reload()
        page.locator(DONE).nth(enough - 1).wait_for()
        rows[-1]["seconds to reload"] = f"{time.perf_counter() - begun:.1f}"
        browser.close()
    names = dict.fromkeys(key for row in rows for key in row)
    return [{name: row.get(name, "") for name in names} for row in rows]


def follow(page: Page, process: int, end: int) -> dict[str, Any]:
    """Click now and then until so many are done."""
    page.evaluate("window.longest = 0")
    clicks: list[float] = []
    most = 0
    while (done := page.locator(DONE).count()) < end:
        most = max(most, measure_tree(process))
        if done:
            clicks.append(click(page, (7 * len(clicks)) % done))
        time.sleep(BETWEEN)
    heap = page.evaluate("performance.memory.usedJSHeapSize")
    return {
        "app MiB": measure_tree(process) // MIB,
        "app MiB at most": most // MIB,
        "page MiB": heap // MIB,
        "clicks": len(clicks),
        "median ms of a click": round(1000 * statistics.median(clicks)) if clicks else "",
        "slowest ms of a click": round(1000 * max(clicks)) if clicks else "",
        "longest ms without a frame": round(page.evaluate("window.longest")),
    }


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--done", type=int, help="all of them if not given")
    asked = parser.parse_args()
    write("batch_tab", measure(asked.photos, asked.done or asked.photos))


if __name__ == "__main__":
    main()
