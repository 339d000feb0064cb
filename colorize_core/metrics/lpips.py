"""LPIPS: how differently a network that knows photographs sees two pictures.

Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018,
version 0.1: the `lpips` package has the linear weights, torchvision's servers the trunks.
"""

from __future__ import annotations

import threading
import warnings
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize_core.errors import OptionError
from colorize_core.metrics import trunks

# The trunks, by the names of LPIPS and of the catalogue of downloads.
NETS = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet"}
_LOADING = threading.Lock()


def lpips(
    picture: NDArray[np.uint8],
    truth: NDArray[np.uint8],
    net: str = "alex",
    *,
    scaled: bool = True,
    device: str = "cpu",
) -> float:
    """LPIPS of two sRGB pictures (H, W, 3) uint8; 0 is equal, lower is better.

    The trunk is fed [-1, 1], as it expects. Not `scaled` it is fed [0, 1], which is a protocol of
    its own: its numbers compare with those of papers that forgot to scale, and with no others.
    Raises OptionError for an unknown net, WeightsError if its trunk cannot be had, DeviceError.
    """
    import torch

    network = load(net, device)
    pair = torch.from_numpy(np.stack([picture, truth])).permute(0, 3, 1, 2).float() / 255
    first, second = pair.to(next(network.parameters()).device).split(1)
    with torch.inference_mode():
        return float(network(first, second, normalize=scaled))


lpips_alex = partial(lpips, net="alex")
lpips_vgg = partial(lpips, net="vgg")
lpips_squeeze = partial(lpips, net="squeeze")
lpips_vgg_unscaled = partial(lpips, net="vgg", scaled=False)


def load(net: str, device: str = "cpu") -> Any:
    """build(), once for each device."""
    with _LOADING:
        return _load(net, device)


@lru_cache
def _load(net: str, device: str) -> Any:
    from colorize_core import devices

    return build(net).to(devices.pick(device))


def build(net: str) -> Any:
    """The network of LPIPS on a trunk, one of NETS: RGB (N, 3, H, W) twice -> (N, 1, 1, 1), which
    does not learn. OptionError for an unknown one, WeightsError if it can neither be found in
    torch's cache nor downloaded."""
    if net not in NETS:
        raise OptionError(f"LPIPS has no trunk {net!r}. Choose one of {', '.join(NETS)}.")
    import lpips as package

    with warnings.catch_warnings(), trunks.fetch_first(NETS[net], f"The trunk {net!r} of LPIPS"):
        warnings.simplefilter("ignore", UserWarning)  # the package uses torchvision's old names
        network = package.LPIPS(net=net, version="0.1", verbose=False)
    return network.eval().requires_grad_(False)
