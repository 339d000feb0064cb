"""torchvision's networks under metrics: found in torch's cache, or downloaded once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from colorize_core.downloads import checkpoints
from colorize_core.downloads.catalogue import DOWNLOADS
from colorize_core.errors import WeightsError
from colorize_core.sizes import format_size


def fetch(
    name: str,
    what: str,
    report: Callable[[int, int], None] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Download the weights `name` of the catalogue where torch's cache has them not, with a
    progress bar on stderr; `report` and `stop` are those of checkpoints.fetch(). `what` they are is
    for messages. WeightsError if they can neither be found nor downloaded, Cancelled soon after
    `stop` is set."""
    try:
        checkpoints.fetch(DOWNLOADS[name].files, report, stop)
    except WeightsError as error:
        raise WeightsError(
            f"{what} ({format_size(DOWNLOADS[name].bytes)}) cannot be had: {error}"
        ) from error


@contextmanager
def fetch_first(name: str, what: str) -> Iterator[None]:
    """Around torchvision's loading of the weights `name`: fetch() before it. Raises what that
    raises, and WeightsError if they are damaged."""
    fetch(name, what)
    try:
        yield
    except checkpoints.BROKEN as error:
        path = checkpoints.find_local(DOWNLOADS[name].files[0])
        raise WeightsError(
            f"{what} ({format_size(DOWNLOADS[name].bytes)}) cannot be loaded: {error}. "
            f"{path} may be damaged: delete it and try again."
        ) from error
