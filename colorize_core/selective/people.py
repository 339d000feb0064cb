"""Masks of people, by the network that ships with the repository."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize_core.imaging.resampling import resize
from colorize_core.imaging.tone import Picture
from colorize_core.people.faces import Face, find_faces
from colorize_core.people.windows import frame_bodies
from colorize_core.selective.layers import LEAST_SHARE, Layer, Network, soften
from colorize_core.selective.masks import Mask

PERSON = "person"  # as DeepLabV3 calls it, too


def _find(
    seen: Picture, light: NDArray[np.float32], device: str, loaded: Callable[[], None]
) -> tuple[Layer, ...]:
    network = _load_finder(device)
    loaded()
    return find_persons(network, light, device, find_faces(seen))


@lru_cache(maxsize=1)
def _load_finder(device: str) -> Any:
    from colorize_core.models import people

    return people.load_finder(device)


def find_persons(
    network: Any, light: NDArray[np.float32], device: str, faces: Sequence[Face] = ()
) -> tuple[Layer, ...]:
    """Of L (H, W): all people as one layer, whose mask (H, W) is soft where the network is not
    sure; none where nobody is found. It has learned from whole people, so it is also shown
    windows that hold those whose faces are known, with the photo's edge going on where they reach
    over it."""
    mask = _predict_mask(network, light, device)
    height, width = light.shape
    for window in frame_bodies(faces):
        top, left, side = (round(n) for n in (window.top, window.left, window.side))
        rows = np.arange(top, top + side)
        cols = np.arange(left, left + side)
        seen = light[rows.clip(0, height - 1)][:, cols.clip(0, width - 1)]
        found = _predict_mask(network, seen, device)
        inside = np.ix_((rows >= 0) & (rows < height), (cols >= 0) & (cols < width))
        first = (max(top, 0), max(left, 0))
        part = found[inside]
        here = mask[first[0] : first[0] + part.shape[0], first[1] : first[1] + part.shape[1]]
        np.maximum(here, part, out=here)
    share = float(mask.mean())
    return (Layer(PERSON, mask, share),) if share >= LEAST_SHARE else ()


def _predict_mask(network: Any, light: NDArray[np.float32], device: str) -> Mask:
    """Of L (H, W), by the mean of its and its mirror image's logits."""
    import torch

    from colorize_core.imaging.chroma import Frame, pad_to_multiple
    from colorize_core.models.people import CARD
    from colorize_core.networks.segmenter import STRIDE

    height, width = Frame.fit(light.shape[0], light.shape[1], CARD.network_side).size()
    shown = torch.from_numpy(pad_to_multiple(resize(light, height, width), STRIDE))
    shown = shown[None, None].to(device)
    with torch.inference_mode():
        there, mirrored = network(torch.cat([shown, shown.flip(-1)])).float().cpu().numpy()[:, 0]
    margin = resize((there + mirrored[:, ::-1]) / 2, *shown.shape[2:])[:height, :width]
    return soften(margin, light.shape)


PEOPLE = Network("people", "Only people", (PERSON,), _find)
