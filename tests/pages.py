"""What the browser tests share: pages that are watched, and how they are looked at."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
SIZE = (240, 160)  # of the photo, width and height
Scene = Callable[..., NDArray[np.uint8]]
DRAWN = 90_000  # milliseconds; pictures that are drawn take a second, on a busy machine a minute
Visit = Callable[..., Page]
expect.set_options(timeout=DRAWN)  # a condition that holds is seen at once, busy machine or not


NAMELESS = """() => [...document.querySelectorAll("button, input, a, img, select, textarea")]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }))
  .filter((e) => !e.closest("[aria-hidden=true]"))
  .filter((e) => {
    if (e.tagName === "IMG") return !e.hasAttribute("alt");
    const labels = [...(e.labels ?? [])].map((label) => label.textContent).join("");
    const name = e.getAttribute("aria-label") || labels || e.textContent || e.title;
    return !name.trim();
  })
  .map((e) => e.outerHTML.slice(0, 120))"""


FOCUSED = """() => {
  const e = document.activeElement;
  const mark = e.matches("#slider input")
    ? getComputedStyle(document.querySelector("#slider .divider"), "::after")
    : getComputedStyle(e);
  const seen = mark.outlineStyle !== "none" || mark.boxShadow !== "none";
  return [(e.getAttribute("aria-label") || e.textContent).trim() || e.outerHTML, seen];
}"""

# Its box, or null where it moves, has no size, is drawn anew or waits for an answer of the app.
AT_REST = """async (element) => {
  const measure = () => element.getBoundingClientRect().toJSON();
  const busy = () => element.closest("[aria-busy]:not([aria-busy=false])");
  const before = measure();
  for (let frame = 0; frame < 3; frame++) {
    await new Promise(requestAnimationFrame);
    const now = measure();
    const moves = ["x", "y", "width", "height"].some((side) => now[side] !== before[side]);
    if (!element.isConnected || busy() || moves || !now.width || !now.height) return null;
  }
  return before;
}"""


def box_of(locator: Locator) -> FloatRect:
    """Where the element is in the window, once it is there and at rest."""
    end = time.monotonic() + DRAWN / 1000
    while (box := locator.evaluate(AT_REST)) is None:
        assert time.monotonic() < end, f"{locator} is never at rest"
    return FloatRect(x=box["x"], y=box["y"], width=box["width"], height=box["height"])


@contextmanager
def watching(browser: Browser) -> Iterator[Visit]:
    """Opens pages by their address; nothing must have gone wrong or elsewhere in the meantime."""
    contexts = []
    strangers: list[str] = []
    faults: list[str] = []

    def open_page(address: str, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": DESKTOP, "accept_downloads": True, **options})
        context.set_default_timeout(DRAWN)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: strangers.extend(foreign(request.url, address)))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert strangers == [], "the page asks other machines"
    assert faults == [], "the page's scripts fail"


@contextmanager
def visiting(
    browser: Browser, address: str, landmark: Callable[[Page], Locator]
) -> Iterator[Visit]:
    """Opens pages of an app, or of another address, until what says that they are made is seen."""
    with watching(browser) as watched:

        def open_page(place: str = "", **options: Any) -> Page:
            page = watched(urljoin(address, place), **options)
            expect(landmark(page)).to_be_visible()
            return page

        yield open_page


def foreign(url: str, address: str) -> list[str]:
    parts = urlsplit(url)
    own = parts.scheme in ("data", "blob") or parts.netloc == urlsplit(address).netloc
    return [] if own else [url]


def luminance(colour: str) -> float:
    """Relative luminance of a CSS colour, as WCAG 2 defines it."""
    values = np.array([float(value) for value in re.findall(r"[\d.]+", colour)[:3]]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


# What is on its way to another colour is there at once.
ARRIVE = """() => document.getAnimations()
  .filter((change) => change instanceof CSSTransition).forEach((change) => change.finish())"""


def contrast(page: Page, selector: str) -> float:
    """Of the text with what is behind it: in light or in dark, whichever is harder to read."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        is_dark = str(scheme == "dark").lower()
        page.wait_for_function(f"document.body.classList.contains('dark') === {is_dark}")
        page.evaluate(ARRIVE)
        text = luminance(page.locator(selector).first.evaluate("e => getComputedStyle(e).color"))
        back = luminance(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert (back < 0.2) == (scheme == "dark"), f"the page is not {scheme}"
        found.append((max(text, back) + 0.05) / (min(text, back) + 0.05))
    return min(found)


def scrolls_sideways(page: Page) -> bool:
    wide: int = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return wide > 0


def drop_zone(page: Page) -> Any:
    return page.get_by_role("button", name=re.compile("upload", re.IGNORECASE))


def give(page: Page, photo: Path) -> None:
    page.locator("#photo input[type=file]").set_input_files(photo)


def wait_for_result(page: Page) -> None:
    for name in ("Before: the photo in black and white", "After: the photo in colour"):
        expect(page.get_by_alt_text(name)).not_to_have_js_property("naturalWidth", 0)
    expect(page.get_by_text(re.compile(r"s on the CPU"))).to_be_visible()


PUT = """([kind, data, names, type]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const transfer = new DataTransfer();
  for (const name of names) transfer.items.add(new File([bytes], name, { type }));
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true })
    : new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
  const place = kind === "drop" ? "#photo button" : "footer";
  document.querySelector(place).dispatchEvent(event);
}"""


def put(page: Page, kind: str, data: bytes, *names: str, type: str = "image/jpeg") -> None:
    """Paste or drop files of that content, as far as a script can."""
    page.evaluate(PUT, [kind, base64.b64encode(data).decode(), names, type])
