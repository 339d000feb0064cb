"""Two pictures of which one is to be chosen: how they are made, encoded and shown.

Nothing tells them apart but their colours: both have the same L, size, encoder and number of bytes,
and travel without names in the page's data.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorize_core.imaging.color import combine_ab, rgb_to_lab
from colorize_core.metrics import protocol
from colorize_core.metrics.mean_chroma import mean_chroma
from ui.shared.photo import OpenPhoto

HERE = Path(__file__).parent
Picture = NDArray[np.uint8]  # (h, w, 3) sRGB
SIDE = 512  # of what is shown, along each side of its area
LEAST_WRONG = 40.0  # mean chroma that wrong colours are given at least, in Lab units


def build(**options: Any) -> gr.HTML:
    """The component; its value is made by ask() and reveal(). Its select event carries the
    index of the picture (2: neither) and the seconds taken, its submit event asks for the next."""
    return gr.HTML(
        html_template=(HERE / "pair.html").read_text(encoding="utf-8"),
        js_on_load=(HERE / "pair.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        **options,
    )


def ask(round: int, pictures: Sequence[Picture], neither: bool) -> dict[str, Any]:
    """What the component shows before the answer. `neither`: there is a third one."""
    height, width = pictures[0].shape[:2]
    asked = (
        "Choose the one that you prefer." if neither else "Choose the one that is the photograph."
    )
    return {
        "round": round,
        "pictures": encode_addresses(pictures),
        "width": width,
        "height": height,
        "how": asked,
        "claim": "is the better one" if neither else "is the photograph",
        "neither": neither,
        "verdict": None,
    }


def reveal(
    asked: dict[str, Any], captions: Sequence[str], chosen: int, words: str, last: bool = False
) -> dict[str, Any]:
    """The same after the answer: what either picture is, what is to be said, and whether this was
    the last round."""
    verdict = {"captions": list(captions), "chosen": chosen, "words": words, "last": last}
    return {**asked, "verdict": verdict}


def encode_jpegs(pictures: Sequence[Picture]) -> list[bytes]:
    """JPEGs of one length: readers ignore the zeros that fill up the shorter ones."""
    made = []
    for picture in pictures:
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=92, subsampling=0)
        made.append(file.getvalue())
    longest = max(len(file) for file in made)
    return [file.ljust(longest, b"\0") for file in made]


def encode_addresses(pictures: Sequence[Picture]) -> list[str]:
    """encode_jpegs() as data URLs."""
    start = "data:image/jpeg;base64,"
    return [start + base64.b64encode(file).decode() for file in encode_jpegs(pictures)]


def reduce(photo: OpenPhoto) -> Picture:
    """The photo at the size at which it is shown."""
    width, height = photo.size
    scale = min(1.0, SIDE / float(np.sqrt(height * width)))
    return photo.shrink(max(1, round(height * scale)), max(1, round(width * scale)))


def keep_colours(truth: Picture) -> Picture:
    """The truth by the way that the other picture goes, which rounds its values."""
    return protocol.recombine(truth, truth)


def turn_hues(truth: Picture) -> Picture:
    """The truth with every hue turned by 180 degrees, and not pale: nobody takes it for real."""
    lab = rgb_to_lab(truth.astype(np.float32) / 255)
    boost = max(1.0, LEAST_WRONG / max(mean_chroma(truth), 1e-6))
    return combine_ab(lab[..., :1], -boost * lab[..., 1:])
