"""torchvision's networks under metrics: found in torch's cache, or downloaded once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from pickle import UnpicklingError
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from colorize_core.downloads import from_torchvision
from colorize_core.errors import WeightsError

PROBE = 10.0  # seconds that the server has to answer
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
    """Around torchvision's loading of the weights `name`, which it downloads with a progress bar on
    stderr where its cache has them not. `what` they are is for messages. WeightsError if they can
    neither be found nor downloaded."""
    path = _path(name)
    try:
        if not path.exists():
            # torch would wait for minutes for a server that does not answer.
            urlopen(_weights(name).url, timeout=PROBE).close()
        yield
    except (
        OSError,
        RuntimeError,
        UnpicklingError,
        EOFError,
    ) as error:  # no connection; half a file
        raise WeightsError(
            f"{what} ({megabytes(name):.0f} MB) cannot be had: {_said(error)}. Check the "
            f"connection, or copy {path.name} from another machine into {path.parent}; if it is "
            "there, it may be damaged: delete it and try again."
        ) from error


def _said(error: BaseException) -> str:
    """What went wrong, without what urllib wraps around it."""
    inner = error.reason if type(error) is URLError else error
    return (isinstance(inner, OSError) and inner.strerror) or str(inner)


def _weights(name: str) -> Any:
    from torchvision.models import get_weight

    return get_weight(name)


def _path(name: str) -> Path:
    import torch

    file = PurePosixPath(urlsplit(_weights(name).url).path).name
    return Path(torch.hub.get_dir()) / "checkpoints" / file
