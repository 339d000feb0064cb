"""Masks of what SAM 2.1 finds where it is pointed at, whose weights are downloaded once.

Source: Ravi et al., "SAM 2: Segment Anything in Images and Videos" (2024), with transformers and
the weights of facebook/sam2.1-hiera-tiny on the Hugging Face Hub.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from colorize_core.downloads import checkpoints
from colorize_core.downloads.catalogue import DOWNLOADS
from colorize_core.errors import OptionError, WeightsError
from colorize_core.imaging.tone import Picture
from colorize_core.selective import masks
from colorize_core.selective.layers import soften
from colorize_core.selective.masks import Mask

SAM2 = DOWNLOADS["sam2"]
FINE = 2.0  # pixels that its edges may be off

Point = tuple[float, float]
Box = tuple[float, float, float, float]


def find_pointed(
    photo: Picture,
    *,
    points: Sequence[Point] = (),
    drop: Sequence[Point] = (),
    box: Box | None = None,
    device: str = "auto",
) -> Mask:
    """The mask, of screen size, of what SAM 2.1 finds at the points or in the box (x0, y0, x1, y1)
    and not at the points `drop`, all in pixels of the photo.

    The weights come from the Hugging Face Hub where its cache has them not; count_missing_bytes()
    says so before. Raises WeightsError if they cannot be had, OptionError or DeviceError.
    """
    import torch

    from colorize_core import devices

    if not points and box is None:
        raise OptionError("SAM 2.1 was pointed at nothing: give a point or a box.")
    seen = masks.shrink_to_screen(photo)
    picked = devices.pick(device)
    model, processor = _load_sam2(str(picked))
    asked = _make_prompts(points, drop, box, seen.shape[1] / photo.shape[1])
    eight = seen if seen.dtype == np.uint8 else (seen // 257).astype(np.uint8)
    inputs = processor(images=eight, return_tensors="pt", **asked)
    several = len(points) + len(drop) == 1 and box is None  # one point may mean a part or the whole
    with torch.inference_mode():
        output = model(**inputs.to(picked), multimask_output=several)
    best = int(output.iou_scores[0, 0].argmax())
    logits = output.pred_masks[0, 0, best].float().cpu().numpy()
    light = masks.measure_lightness(seen)
    return masks.snap(soften(logits, light.shape), light, FINE)


def _make_prompts(
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
def _load_sam2(device: str) -> tuple[Any, Any]:
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
        raise _describe_misfit(paths[1].resolve(), str(error)) from error
    if missing := sorted(report["missing_keys"]):
        raise _describe_misfit(paths[1].resolve(), f"it lacks {', '.join(missing[:3])}")
    height, width = model.config.vision_config.backbone_config.image_size
    seen = Sam2ImageProcessor(size={"height": height, "width": width})
    return model.eval().to(device), transformers.Sam2Processor(seen, target_size=height)


def _describe_misfit(path: Any, why: str) -> WeightsError:
    return WeightsError(
        f"The file {path} does not fit SAM 2.1: {why}. If it may be damaged, delete it and try "
        "again: it is downloaded anew."
    )
