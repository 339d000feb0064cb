"""python -m benchmarks.perceptual --photos ZIP-or-DIR... : what the perceptual trunk can tell.

How often it names what a photograph shows or from where it comes, and in how many photographs its
distance to the original rises with every step of a distortion.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from tqdm.auto import tqdm

from benchmarks.options import make_parser
from benchmarks.results_file import write
from colorize_core.imaging.color import lab_to_rgb, rgb_to_lab
from colorize_core.metrics.interval import estimate_interval
from colorize_core.models import perceptual
from colorize_core.training.data import load_photos

Picture = NDArray[np.uint8]
SIDE = 128


def _recoloured(picture: Picture, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Picture:
    """With another ab, clipped to what sRGB has."""
    lab = rgb_to_lab(picture.astype(np.float32) / 255)
    lab[..., 1:] = change(lab[..., 1:])
    shown: Picture = (lab_to_rgb(lab).clip(0, 1) * 255).round().astype(np.uint8)
    return shown


def gray(picture: Picture, share: float) -> Picture:
    return _recoloured(picture, lambda ab: ab * (1 - share))


def hue(picture: Picture, degrees: float) -> Picture:
    turn = np.deg2rad(degrees)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]], np.float32)
    return _recoloured(picture, lambda ab: ab @ matrix)


def blur(picture: Picture, pixels: float) -> Picture:
    blurred: Picture = cv2.GaussianBlur(picture, (0, 0), pixels)
    return blurred


def noise(picture: Picture, spread: float) -> Picture:
    grain = np.random.default_rng(0).normal(0, spread, picture.shape)
    noisy: Picture = (picture + grain).clip(0, 255).round().astype(np.uint8)
    return noisy


def jpeg(picture: Picture, loss: float) -> Picture:
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, round(100 - loss)])
    decoded: Picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return decoded


DISTORTIONS: dict[str, tuple[Callable[[Picture, float], Picture], tuple[float, ...]]] = {
    "gray": (gray, (0.25, 0.5, 0.75, 1.0)),  # share of the chroma that is taken away
    "hue": (hue, (15, 30, 60, 120)),  # degrees in Lab
    "blur": (blur, (0.5, 1, 2, 4)),  # Gaussian, in pixels
    "noise": (noise, (4, 8, 16, 32)),  # standard deviation in levels
    "jpeg": (jpeg, (20, 50, 75, 90)),  # 100 less the quality
}


@torch.inference_mode()
def distances(trunk: Any, picture: Picture, name: str) -> NDArray[np.float64]:
    """From the picture to itself, distorted ever more."""
    distort, strengths = DISTORTIONS[name]
    shown = np.stack([picture, *(distort(picture, strength) for strength in strengths)])
    tensor = torch.from_numpy(shown).permute(0, 3, 1, 2).float() / 255
    found: NDArray[np.float64] = trunk.distance(tensor[:1].expand_as(tensor), tensor).numpy()
    return found


def main() -> None:
    parser = make_parser(__doc__, photos=True)
    parser.add_argument("--limit", type=int)
    arguments = parser.parse_args()
    trunk = perceptual.load("cpu")
    photos = load_photos(arguments.photos, SIDE, arguments.limit, trunk.config.kinds)
    pictures = photos.pixels.permute(0, 2, 3, 1).contiguous().numpy()
    known = photos.labels >= 0
    with torch.inference_mode():
        parts = (photos.pixels[known].float() / 255).split(50)
        named = torch.cat([trunk(part).argmax(1) for part in parts])
    right = (named == photos.labels[known]).numpy().astype(np.float64)
    rows = [("named", f"{len(trunk.config.kinds)} kinds", right)]
    for name, (_, strengths) in DISTORTIONS.items():
        found = [distances(trunk, picture, name) for picture in tqdm(pictures, name)]
        ordered = np.array([float((np.diff(row) > 0).all()) for row in found])
        rows.append((name, " ".join(f"{strength:g}" for strength in strengths), ordered))
    table = []
    for what, details, values in rows:
        share, low, high = estimate_interval(values)
        row = {"what": what, "details": details, "n": len(values), "share": f"{share:.3f}"}
        table.append(row | {"share_low": f"{low:.3f}", "share_high": f"{high:.3f}"})
    write("perceptual", table)


if __name__ == "__main__":
    main()
