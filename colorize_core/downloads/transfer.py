"""Downloads that go on where they were cut off, and never leave half a file under a whole one's
name: the content grows in a file of its own, is checked, and only then put in its place."""

from __future__ import annotations

import logging
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

from colorize_core.downloads import digests
from colorize_core.downloads.places import Offer
from colorize_core.errors import WeightsError

Report = Callable[[int], None]  # gets bytes so far; what it raises stops the download

STALL = 10.0  # seconds without a byte after which a connection is taken up anew
TRIES = 4  # connections in a row that brought nothing
PAUSE = 1.0  # seconds before the second of them, twice as many before the third, and so on
PATIENCE = 30.0  # most seconds that are waited because a server asks for it
REMEMBERED = 30.0  # seconds for which a server that did not answer is not asked again
CHUNK = 1 << 18  # bytes
BUSY = (408, 429, 500, 502, 503, 504)  # what a server says that may be asked again

_log = logging.getLogger(__name__)
_silent: dict[str, float] = {}  # servers, and when they did not answer


class Place(Protocol):
    """Where a file may be had; see places.py."""

    @property
    def sha256(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def server(self) -> str: ...
    @property
    def by_hand(self) -> str: ...
    def find_local(self) -> Path | None: ...
    def ask(self) -> Offer: ...
    def settle(self, offer: Offer) -> Path: ...
    def describe_full_disk(self, why: str) -> WeightsError: ...
    def explain(self, error: Exception) -> WeightsError: ...


def get(place: Place, report: Report | None = None) -> Path:
    """The path of the file, which is downloaded if it is not here or is damaged. WeightsError if it
    cannot be had."""
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # httpx's

    hear = report or (lambda count: None)
    try:
        return _find_whole(place) or _download(place, hear)
    except (HTTPError, OSError) as error:
        raise place.explain(error) from error


def is_out_of_reach(place: Place) -> bool:
    """Whether nothing can be had from there, as far as that is known without asking: it is
    forbidden by HF_HUB_OFFLINE, or the server did not answer when it was last asked."""
    from huggingface_hub import constants

    return constants.HF_HUB_OFFLINE or place.server in _silent


def _find_whole(place: Place) -> Path | None:
    """What is here, if it is what it should be."""
    path = place.find_local()
    if path is None:
        return None
    own = digests.parse_path(path)
    if digests.matches_cached(path, own) and digests.matches_cached(path, place.sha256):
        return path
    if not own or not digests.matches_cached(path, own):  # else it is whole, and of another version
        _log.warning("%s is damaged in %s. It is downloaded anew.", place.name, path)
        digests.resolve_content(path).unlink()  # other revisions that point to it get the new one
    return None


def _download(place: Place, hear: Report) -> Path:
    offer = _retry_when_busy(lambda: _request_offer(place), hear)
    _check_offer(place, offer)
    with _lock(offer, hear):
        if not (offer.target.exists() and _fits(place, offer, offer.target)):
            _check_room(place, offer)
            _fill(place, offer, hear)
    return place.settle(offer)


def _request_offer(place: Place) -> Offer:
    """What the server offers. One that did not answer a moment ago is not asked, so that of many
    files only the first waits for it."""
    from huggingface_hub.errors import (  # type: ignore[attr-defined]
        HfHubHTTPError,
        HTTPError,
        OfflineModeIsEnabled,
    )

    ago = time.monotonic() - _silent.get(place.server, -math.inf)
    if ago < REMEMBERED:
        raise ConnectionError("it did not answer a moment ago")
    try:
        offer = place.ask()
    except (HfHubHTTPError, OfflineModeIsEnabled):
        raise
    except (HTTPError, ConnectionError, TimeoutError):
        _silent[place.server] = time.monotonic()
        raise
    _silent.pop(place.server, None)
    return offer


def _retry_when_busy(ask: Callable[[], Offer], hear: Report) -> Offer:
    """Again once, where a busy server says when."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return ask()
    except HfHubHTTPError as error:
        seconds = _read_retry_after(error)
        if seconds is None or seconds > PATIENCE:
            raise
    _wait(seconds, 0, hear)
    return ask()


def _check_offer(place: Place, offer: Offer) -> None:
    large = not offer.digest.startswith(digests.GIT)
    if large and not offer.digest.startswith(place.sha256):
        raise WeightsError(
            f"{place.server} has another {place.name} than this version is made for: its sha256 is "
            f"{offer.digest}, expected {place.sha256}. Update the app, {place.by_hand}"
        )


@contextmanager
def _lock(offer: Offer, hear: Report) -> Iterator[None]:
    """One process at a time; those that wait hear how far the one at work is."""
    from huggingface_hub.utils import WeakFileLock  # type: ignore[attr-defined]

    for folder in (offer.lock.parent, offer.target.parent):
        folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(WeakFileLock(offer.lock, timeout=0.5))
                break
            except TimeoutError:
                hear(_measure_size(offer.part))
        yield


def _check_room(place: Place, offer: Offer) -> None:
    free = shutil.disk_usage(offer.target.parent).free
    if (missing := offer.size - _measure_size(offer.part)) > free:
        raise place.describe_full_disk(
            f"{place.name} needs {missing / 1e6:.0f} MB, the disk has {free / 1e6:.0f} MB free: it"
        )


def _fill(place: Place, offer: Offer, hear: Report) -> None:
    """Download the content and put it in its place. What comes damaged is asked for once more, from
    its beginning: it may be that only a part from an earlier time was bad."""
    for _ in range(2):
        _pour(place, offer, hear)
        if _fits(place, offer, offer.part):
            os.replace(offer.part, offer.target)
            return
        _log.warning("%s was damaged on its way.", place.name)
        offer.part.unlink()
    raise WeightsError(
        f"{place.name} was damaged on its way, twice. Something between here and {place.server} "
        f"changes it: try another network, {place.by_hand}"
    )


def _fits(place: Place, offer: Offer, path: Path) -> bool:
    """Whether that is the content that was wanted."""
    if offer.size and _measure_size(path) != offer.size:
        return False
    # Of a small file the Hub tells no sha256.
    also = "" if offer.digest.startswith(place.sha256) else place.sha256
    return digests.matches(path, offer.digest) and digests.matches(path, also)


def _pour(place: Place, offer: Offer, hear: Report) -> None:
    """Until all of it is in offer.part: a connection that breaks is taken up anew."""
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

    if _measure_size(offer.part) > offer.size:  # or it is not known: nothing tells how to go on
        offer.part.unlink(missing_ok=True)
    failed = 0
    with _make_bar(place, offer) as bar:
        while True:
            before = _measure_size(offer.part)
            try:
                if failed:  # a signed address may have run out
                    offer = _renew(place, offer)
                return _connect(offer, bar, hear)
            except (HTTPError, ConnectionError) as error:
                failed = 1 if _measure_size(offer.part) > before else failed + 1
                pause = _pause(error, failed)
                if failed >= TRIES or pause is None:
                    raise
            _wait(pause, _measure_size(offer.part), hear)


def _renew(place: Place, offer: Offer) -> Offer:
    """Where the same content is now."""
    new = place.ask()
    if (new.digest, new.size) != (offer.digest, offer.size):
        raise WeightsError(f"{place.name} changed while it was downloaded. Try again.")
    return new


def _connect(offer: Offer, bar: Any, hear: Report) -> None:
    """One connection, from where the content ends."""
    from huggingface_hub.utils import (  # type: ignore[attr-defined]
        hf_raise_for_status,
        http_stream_backoff,
    )

    count = _measure_size(offer.part)
    hear(count)
    if offer.size and count == offer.size:
        return
    headers = offer.headers | {"Accept-Encoding": "identity"}
    if count:
        headers["Range"] = f"bytes={count}-"
    with http_stream_backoff(
        "GET",
        offer.location,
        headers=headers,
        timeout=STALL,
        retry_on_exceptions=(),
        retry_on_status_codes=(),
    ) as response:
        hf_raise_for_status(response)
        goes_on = response.status_code == 206
        count = count if goes_on else 0
        with offer.part.open("ab" if goes_on else "wb") as file:
            for chunk in response.iter_bytes(CHUNK):
                file.write(chunk)
                count += len(chunk)
                bar.update(count - bar.n)
                hear(count)
    if count < offer.size:
        raise ConnectionError(f"it ended after {count} of {offer.size} bytes")


def _make_bar(place: Place, offer: Offer) -> Any:
    from huggingface_hub.utils import are_progress_bars_disabled  # type: ignore[attr-defined]
    from tqdm.auto import tqdm

    return tqdm(
        desc=place.name.rpartition("/")[2],
        total=offer.size or None,
        initial=_measure_size(offer.part),
        unit="B",
        unit_scale=True,
        disable=are_progress_bars_disabled(),
    )


def _pause(error: Exception, failed: int) -> float | None:
    """Seconds until it is worth to try again; None if it is not."""
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    if isinstance(error, OfflineModeIsEnabled):
        return None
    usual = PAUSE * 2 ** (failed - 1)
    if not isinstance(error, HfHubHTTPError):
        return usual
    status = error.response.status_code
    if status == 403 and failed == 1:  # a signed address that ran out
        return usual
    if status not in BUSY:
        return None
    asked = _read_retry_after(error)
    return usual if asked is None else asked if asked <= PATIENCE else None


def _read_retry_after(error: Any) -> float | None:
    """Seconds that a busy server asks for."""
    said = error.response.headers.get("Retry-After", "")
    return float(said) if error.response.status_code in BUSY and said.isdecimal() else None


def _wait(seconds: float, count: int, hear: Report) -> None:
    """Sleep, but notice what stops the download."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        hear(count)
        time.sleep(min(left, 0.2))


def _measure_size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
