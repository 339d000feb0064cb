"""Masks of the classes that DeepLabV3 finds, whose weights are downloaded once.

Source: Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation" (2017), with
torchvision's weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from colorize_core.imaging.resampling import resize
from colorize_core.imaging.tone import Picture
from colorize_core.metrics import trunks
from colorize_core.selective.layers import LEAST_SHARE, Layer, Network, soften

if TYPE_CHECKING:
    from torch import Tensor

# fmt: off
CLASSES = (  # of Pascal VOC, as torchvision names them, without the background
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train",
    "tvmonitor",
)
# fmt: on
SIDE, LONGEST = 520, 1280  # pixels of the shorter side that it is shown; most of the longer
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of the photographs that it learned from
WEIGHTS = {  # torchvision's functions and the names of their weights
    "mobile": (
        "deeplabv3_mobilenet_v3_large",
        "DeepLabV3_MobileNet_V3_Large_Weights.COCO_WITH_VOC_LABELS_V1",
    ),
    "resnet101": (
        "deeplabv3_resnet101",
        "DeepLabV3_ResNet101_Weights.COCO_WITH_VOC_LABELS_V1",
    ),
}


def _find(
    name: str,
    seen: Picture,
    light: NDArray[np.float32],
    device: str,
    loaded: Callable[[], None],
) -> tuple[Layer, ...]:
    network = _load_deeplab(name, device)
    loaded()
    return split_layers(_ask(network, seen, device), light.shape)


def _ask(network: Any, photo: Picture, device: str) -> Tensor:
    """DeepLabV3's logits, (1 + classes, h, w)."""
    import torch

    with torch.inference_mode():
        logits: Tensor = network(_make_input(photo).to(device))["out"][0]
    return logits.float().cpu()


@lru_cache(maxsize=2)
def _load_deeplab(network: str, device: str) -> Any:
    from torchvision.models import get_weight, segmentation

    function, name = WEIGHTS[network]
    with trunks.fetch_first(f"deeplab-{network}", f"The weights of DeepLabV3 ({network})"):
        built = getattr(segmentation, function)(weights=get_weight(name), progress=True)
    return built.eval().to(device)


def _make_input(photo: Picture) -> Tensor:
    """(H, W, 3) -> (1, 3, h, w), as the network learned to see photographs."""
    import torch

    height, width = photo.shape[:2]
    scale = min(SIDE / min(height, width), LONGEST / max(height, width))
    size = (max(1, round(side * scale)) for side in (height, width))
    small = resize(photo, *size).astype(np.float32) / np.iinfo(photo.dtype).max
    scaled = (small - np.array(MEAN, np.float32)) / np.array(STD, np.float32)
    return torch.from_numpy(scaled).permute(2, 0, 1)[None]


def split_layers(logits: Tensor, shape: Sequence[int]) -> tuple[Layer, ...]:
    """Logits (1 + classes, h, w), the first being the background's -> a layer for each class that
    wins somewhere, its mask (H, W) of `shape` soft where another comes close."""
    best = logits.topk(2, dim=0)
    winner = best.indices[0]
    found = []
    for index, name in enumerate(CLASSES, start=1):
        wins = winner == index
        if float(wins.float().mean()) < LEAST_SHARE:
            continue
        others = best.values[0].where(~wins, best.values[1])
        mask = soften((logits[index] - others).numpy(), shape)
        found.append(Layer(name, mask, float(mask.mean())))
    return tuple(found)


NETWORKS = tuple(
    Network(name, title, CLASSES, partial(_find, name), f"deeplab-{name}")
    for name, title in (("mobile", "Quick"), ("resnet101", "Finer"))
)
