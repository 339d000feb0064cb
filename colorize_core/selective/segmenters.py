"""Masks by networks: people, by one that ships with the repository; the classes that DeepLabV3
finds, and what SAM 2.1 finds where it is pointed at, whose weights are downloaded once.

Sources: Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation" (2017), with
torchvision's weights; Ravi et al., "SAM 2: Segment Anything in Images and Videos" (2024), with
transformers and the weights of facebook/sam2.1-hiera-tiny on the Hugging Face Hub.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from colorize_core.cards import WeightFile
from colorize_core.downloads import checkpoints
from colorize_core.downloads.catalogue import DOWNLOADS
from colorize_core.errors import OptionError, WeightsError
from colorize_core.imaging.tone import Picture
from colorize_core.metrics import trunks
from colorize_core.people.faces import Face, find_faces
from colorize_core.people.windows import around_bodies
from colorize_core.selective import masks
from colorize_core.selective.masks import Mask

if TYPE_CHECKING:
    from torch import Tensor

# fmt: off
CLASSES = (  # of Pascal VOC, as torchvision names them, without the background
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train",
    "tvmonitor",
)
# fmt: on
PEOPLE = "people"  # the network that ships with the repository
PERSON = "person"  # the one of CLASSES that it knows
NETWORKS = {  # torchvision's functions and the names of their weights
    "mobile": (
        "deeplabv3_mobilenet_v3_large",
        "DeepLabV3_MobileNet_V3_Large_Weights.COCO_WITH_VOC_LABELS_V1",
    ),
    "resnet101": (
        "deeplabv3_resnet101",
        "DeepLabV3_ResNet101_Weights.COCO_WITH_VOC_LABELS_V1",
    ),
}
SAM2 = DOWNLOADS["sam2"]

SIDE, LONGEST = 520, 1280  # pixels of the shorter side that DeepLabV3 is shown; most of the longer
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of the photographs that it learned from
LEAST_SHARE = 0.005  # of the picture: what is smaller is more likely a mistake
SOFT = 1.0  # how far the logits of two answers are apart where a mask stops being soft
FINE = 2.0  # pixels that the edges of SAM 2.1 may be off

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Layer:
    """Something that was found. `share`: how much of the picture it covers, in [0, 1]."""

    name: str
    mask: Mask
    share: float


def missing_bytes(network: str) -> int:
    """What has to be downloaded before `network` can be asked ("people", "mobile", "resnet101",
    "sam2"): 0 where its weights are there. OptionError for another name."""
    return sum(file.bytes for file in checkpoints.missing(_files(network)))


def fetch(
    network: str,
    report: Callable[[int, int], None] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Download what is missing. `report` gets the bytes so far and those of all. Raises
    OptionError, WeightsError, or Cancelled soon after `stop` is set."""
    if network in NETWORKS:
        trunks.fetch(f"deeplab-{network}", _deeplabs(network), report, stop)
    else:
        checkpoints.fetch(_files(network), report, stop)


def by_hand(network: str) -> tuple[str, str]:
    """What the weights are called, and the command that fetches them before they are asked for."""
    if network == "sam2":
        return "SAM 2.1", SAM2.by_hand
    _known(network)
    photo = "python -m colorize_core selective examples/cat-gray.jpg --keep cat"
    return "DeepLabV3", f"{photo} --network {network} -o cat.png"


def _files(network: str) -> tuple[WeightFile, ...]:
    if network == "sam2":
        return SAM2.files
    if network == PEOPLE:
        return ()
    _known(network)
    return DOWNLOADS[f"deeplab-{network}"].files


def _deeplabs(network: str) -> str:
    return f"The weights of DeepLabV3 ({network})"


def _known(network: str) -> tuple[str, str]:
    if network not in NETWORKS:
        allowed = ", ".join((PEOPLE, *NETWORKS))
        raise OptionError(f"network is {network!r}, allowed are {allowed}.")
    return NETWORKS[network]


# --- classes ------------------------------------------------------------------------------------


def classes(
    photo: Picture,
    *,
    network: str = "mobile",
    device: str = "auto",
    progress: Callable[[float], None] | None = None,
) -> tuple[Layer, ...]:
    """The CLASSES that a network finds in the photo, largest first, with masks of screen size.

    `network`: "people", which ships with the repository and knows persons alone, or DeepLabV3 as
    "mobile" or the larger and better "resnet101", downloaded into torch's cache where it has them
    not; missing_bytes() says so before. `progress` gets shares of the work in [0, 1]; what
    it raises stops it. Raises WeightsError if they cannot be had, OptionError or DeviceError.
    """
    from colorize_core import devices

    if network != PEOPLE:
        _known(network)
    report = progress or (lambda share: None)
    report(0.0)
    picked = str(devices.pick(device))
    loaded = _people(picked) if network == PEOPLE else _deeplab(network, picked)
    report(0.5)
    seen = masks.screen(photo)
    light = masks.lightness(seen)
    if network == PEOPLE:
        rough = persons(loaded, light, picked, find_faces(seen))
    else:
        rough = layers_of(_ask(loaded, seen, picked), light.shape)
    found = []
    for layer in rough:
        mask = masks.snapped(layer.mask, light)
        found.append(Layer(layer.name, mask, float(mask.mean())))
    report(1.0)
    return tuple(sorted(found, key=lambda layer: -layer.share))


@lru_cache(maxsize=1)
def _people(device: str) -> Any:
    from colorize_core.models import people

    return people.finder(device)


def persons(
    network: Any, light: NDArray[np.float32], device: str, faces: Sequence[Face] = ()
) -> tuple[Layer, ...]:
    """Of L (H, W): all people as one layer, whose mask (H, W) is soft where the network is not
    sure; none where nobody is found. It has learned from whole people, so it is also shown
    windows that hold those whose faces are known, with the photo's edge going on where they reach
    over it."""
    mask = _person_mask(network, light, device)
    height, width = light.shape
    for window in around_bodies(faces):
        top, left, side = (round(n) for n in (window.top, window.left, window.side))
        rows = np.arange(top, top + side)
        cols = np.arange(left, left + side)
        seen = light[rows.clip(0, height - 1)][:, cols.clip(0, width - 1)]
        found = _person_mask(network, seen, device)
        inside = np.ix_((rows >= 0) & (rows < height), (cols >= 0) & (cols < width))
        first = (max(top, 0), max(left, 0))
        part = found[inside]
        here = mask[first[0] : first[0] + part.shape[0], first[1] : first[1] + part.shape[1]]
        np.maximum(here, part, out=here)
    share = float(mask.mean())
    return (Layer(PERSON, mask, share),) if share >= LEAST_SHARE else ()


def _person_mask(network: Any, light: NDArray[np.float32], device: str) -> Mask:
    """Of L (H, W), by the mean of its and its mirror image's logits."""
    import torch

    from colorize_core.imaging.chroma import Frame, pad_to_multiple, shrink
    from colorize_core.models.people import CARD
    from colorize_core.networks.segmenter import STRIDE

    height, width = Frame.fit(light.shape[0], light.shape[1], CARD.network_side).size()
    shown = torch.from_numpy(pad_to_multiple(shrink(light, height, width), STRIDE))
    shown = shown[None, None].to(device)
    with torch.inference_mode():
        there, mirrored = network(torch.cat([shown, shown.flip(-1)])).float().cpu().numpy()[:, 0]
    margin = masks.resized((there + mirrored[:, ::-1]) / 2, *shown.shape[2:])[:height, :width]
    return _soft(margin, light.shape)


def _ask(network: Any, photo: Picture, device: str) -> Tensor:
    """DeepLabV3's logits, (1 + classes, h, w)."""
    import torch

    with torch.inference_mode():
        logits: Tensor = network(_input(photo).to(device))["out"][0]
    return logits.float().cpu()


@lru_cache(maxsize=2)
def _deeplab(network: str, device: str) -> Any:
    from torchvision.models import get_weight, segmentation

    function, name = _known(network)
    with trunks.fetching(f"deeplab-{network}", _deeplabs(network)):
        built = getattr(segmentation, function)(weights=get_weight(name), progress=True)
    return built.eval().to(device)


def _input(photo: Picture) -> Tensor:
    """(H, W, 3) -> (1, 3, h, w), as the network learned to see photographs."""
    import torch

    height, width = photo.shape[:2]
    scale = min(SIDE / min(height, width), LONGEST / max(height, width))
    size = (max(1, round(side * scale)) for side in (height, width))
    small = masks.resized(photo, *size).astype(np.float32) / np.iinfo(photo.dtype).max
    scaled = (small - np.array(MEAN, np.float32)) / np.array(STD, np.float32)
    return torch.from_numpy(scaled).permute(2, 0, 1)[None]


def layers_of(logits: Tensor, shape: Sequence[int]) -> tuple[Layer, ...]:
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
        mask = _soft((logits[index] - others).numpy(), shape)
        found.append(Layer(name, mask, float(mask.mean())))
    return tuple(found)


def _soft(margin: NDArray[np.float32], shape: Sequence[int]) -> Mask:
    """How far an answer is ahead (h, w) -> a mask (H, W), a half where it is level."""
    mask: Mask = np.clip(masks.resized(margin, shape[0], shape[1]) / (2 * SOFT) + 0.5, 0, 1)
    return mask


# --- objects pointed at -------------------------------------------------------------------------


def pointed(
    photo: Picture,
    *,
    points: Sequence[Point] = (),
    drop: Sequence[Point] = (),
    box: Box | None = None,
    device: str = "auto",
) -> Mask:
    """The mask, of screen size, of what SAM 2.1 finds at the points or in the box (x0, y0, x1, y1)
    and not at the points `drop`, all in pixels of the photo.

    The weights come from the Hugging Face Hub where its cache has them not; missing_bytes() says so
    before. Raises WeightsError if they cannot be had, OptionError or DeviceError.
    """
    import torch

    from colorize_core import devices

    if not points and box is None:
        raise OptionError("SAM 2.1 was pointed at nothing: give a point or a box.")
    seen = masks.screen(photo)
    picked = devices.pick(device)
    model, processor = _sam2(str(picked))
    asked = _prompts(points, drop, box, seen.shape[1] / photo.shape[1])
    eight = seen if seen.dtype == np.uint8 else (seen // 257).astype(np.uint8)
    inputs = processor(images=eight, return_tensors="pt", **asked)
    several = len(points) + len(drop) == 1 and box is None  # one point may mean a part or the whole
    with torch.inference_mode():
        output = model(**inputs.to(picked), multimask_output=several)
    best = int(output.iou_scores[0, 0].argmax())
    logits = output.pred_masks[0, 0, best].float().cpu().numpy()
    light = masks.lightness(seen)
    return masks.snapped(_soft(logits, light.shape), light, FINE)


def _prompts(
    points: Sequence[Point], drop: Sequence[Point], box: Box | None, scale: float
) -> dict[str, Any]:
    """As the processor takes them: for one picture and one object."""
    prompts: dict[str, Any] = {}
    if places := [[x * scale, y * scale] for x, y in (*points, *drop)]:
        prompts["input_points"] = [[places]]
        prompts["input_labels"] = [[[1] * len(points) + [0] * len(drop)]]
    if box is not None:
        prompts["input_boxes"] = [[[value * scale for value in box]]]
    return prompts


@lru_cache(maxsize=1)
def _sam2(device: str) -> tuple[Any, Any]:
    """The model and its processor, whose size the configuration says."""
    import transformers
    from safetensors import SafetensorError
    from transformers.models.sam2 import Sam2ImageProcessor

    paths = [checkpoints.find(file) for file in SAM2.files]
    kind: Any = transformers.Sam2Model  # its types do not know of the report
    try:
        model, report = kind.from_pretrained(
            paths[0].parent, local_files_only=True, output_loading_info=True
        )
    except (SafetensorError, OSError, RuntimeError, ValueError) as error:
        raise _misfit(paths[1].resolve(), str(error)) from error
    if missing := sorted(report["missing_keys"]):
        raise _misfit(paths[1].resolve(), f"it lacks {', '.join(missing[:3])}")
    height, width = model.config.vision_config.backbone_config.image_size
    seen = Sam2ImageProcessor(size={"height": height, "width": width})
    return model.eval().to(device), transformers.Sam2Processor(seen, target_size=height)


def _misfit(path: Any, why: str) -> WeightsError:
    return WeightsError(
        f"The file {path} does not fit SAM 2.1: {why}. If it may be damaged, delete it and try "
        "again: it is downloaded anew."
    )
