"""torchvision's networks under metrics: found in torch's cache, or downloaded once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from colorize_core.cards import WeightFile
from colorize_core.downloads import checkpoints
from colorize_core.downloads.catalogue import MB, digits, from_torchvision
from colorize_core.errors import WeightsError

DOWNLOADS = (
    from_torchvision(
        "alexnet", "AlexNet, for LPIPS (alex)", "alexnet-owt-7be5be79.pth", 244_400_000
    ),
    from_torchvision("vgg16", "VGG-16, for LPIPS (vgg)", "vgg16-397923af.pth", 553_400_000),
    from_torchvision(
        "squeezenet", "SqueezeNet, for LPIPS (squeeze)", "squeezenet1_1-b8a52dc0.pth", 4_960_000
    ),
    from_torchvision(
        "inception-v3",
        "Inception v3, for FID and KID",
        "inception_v3_google-0cc3c7bd.pth",
        109_000_000,
    ),
)


def megabytes(name: str) -> float:
    """Size of the weights that torchvision calls `name`, as in "AlexNet_Weights.IMAGENET1K_V1"."""
    mebibytes: float = _weights(name).meta["_file_size"]
    return mebibytes * 1.048576


def is_cached(name: str) -> bool:
    """Whether the weights need no download."""
    return checkpoints.here(_file(name)) is not None


def fetch(
    name: str,
    what: str,
    report: Callable[[int, int], None] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Download the weights `name` where torch's cache has them not, with a progress bar on stderr;
    `report` and `stop` are those of weights.fetch(). `what` they are is for messages. WeightsError
    if they can neither be found nor downloaded, Cancelled soon after `stop` is set."""
    try:
        checkpoints.fetch([_file(name)], report, stop)
    except WeightsError as error:
        raise WeightsError(f"{what} ({megabytes(name):.0f} MB) cannot be had: {error}") from error


@contextmanager
def fetching(name: str, what: str) -> Iterator[None]:
    """Around torchvision's loading of the weights `name`: fetch() before it. Raises what that
    raises, and WeightsError if they are damaged."""
    fetch(name, what)
    try:
        yield
    except checkpoints.BROKEN as error:
        raise WeightsError(
            f"{what} ({megabytes(name):.0f} MB) cannot be loaded: {error}. "
            f"{checkpoints.here(_file(name))} may be damaged: delete it and try again."
        ) from error


def _weights(name: str) -> Any:
    from torchvision.models import get_weight

    return get_weight(name)


def _file(name: str) -> WeightFile:
    address = _weights(name).url
    file = PurePosixPath(urlsplit(address).path).name
    return WeightFile(file, digits(file), int(megabytes(name) * MB), address=address)
