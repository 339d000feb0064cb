"""torchvision's networks under metrics: found in torch's cache, or downloaded once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from pickle import UnpicklingError
from typing import Any
from urllib.parse import urlsplit

from colorize_core import hub
from colorize_core.downloads import digits, from_torchvision
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
    size: float = _weights(name).meta["_file_size"]
    return size


def is_cached(name: str) -> bool:
    """Whether the weights need no download."""
    return _path(name).exists()


@contextmanager
def fetching(name: str, what: str) -> Iterator[None]:
    """Around torchvision's loading of the weights `name`, which are downloaded before, with a
    progress bar on stderr, where torch's cache has them not. `what` they are is for messages.
    WeightsError if they can neither be found nor downloaded."""
    path, size = _path(name), f"{megabytes(name):.0f} MB"
    if not path.exists():
        address = _weights(name).url
        try:
            hub.fetch_address(address, digits(address))
        except WeightsError as error:
            raise WeightsError(f"{what} ({size}) cannot be had: {error}") from error
    try:
        yield
    except (OSError, RuntimeError, UnpicklingError, EOFError) as error:
        raise WeightsError(
            f"{what} ({size}) cannot be loaded: {error}. {path} may be damaged: "
            "delete it and try again."
        ) from error


def _weights(name: str) -> Any:
    from torchvision.models import get_weight

    return get_weight(name)


def _path(name: str) -> Path:
    import torch

    file = PurePosixPath(urlsplit(_weights(name).url).path).name
    return Path(torch.hub.get_dir()) / "checkpoints" / file
