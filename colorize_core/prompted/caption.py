"""A caption of the photo, as the beginning of a prompt.

Source: Li et al., "BLIP: Bootstrapping Language-Image Pre-training", ICML 2022,
https://arxiv.org/abs/2201.12086, in transformers, https://github.com/huggingface/transformers.
"""

from __future__ import annotations

import gc
import re
import threading
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from colorize_core import devices
from colorize_core.downloads import checkpoints
from colorize_core.errors import Cancelled
from colorize_core.imaging.chroma import Picture
from colorize_core.imaging.resampling import resize
from colorize_core.prompted import memory
from colorize_core.prompted.pipeline import explain_load_errors
from colorize_core.prompted.sources import CAPTIONER

SIDE = 512  # pixels of the longer side that it is shown at most; it takes 384 x 384
WORDS = 30  # tokens at most
BEAMS = 3

_GRAY = r"(?:(?:old|vintage|antique|sepia|monochrome|gr[ae]yscale|black (?:and|&) white)[ ,]+)"
_PHOTO = re.compile(rf"^(?:an? |the )?{_GRAY}*(?:photo|photograph|picture|image)(?: of |$)")
_PORTRAIT = re.compile(rf"^(?:an? )?{_GRAY}+(?=portrait\b)")
_TAIL = re.compile(r"[ ,]+in black (?:and|&) white$")


def caption(photo: Picture, device: str = "auto", stop: threading.Event | None = None) -> str:
    """What is in the photo (H, W, 3), in English and without saying that it is a gray photo: that
    would be drawn. The captioner comes from the Hub's cache and is freed again.

    Raises WeightsError where it is not there or damaged, DeviceError, TooLittleMemoryError, and
    Cancelled within a word after `stop` is set."""
    picked = devices.pick(device)
    try:
        with memory.explain():
            return drop_gray_words(
                _describe(checkpoints.find_folder(CAPTIONER), photo, picked, stop)
            )
    finally:
        gc.collect()  # the parts of the network refer to one another
        if picked.type == "cuda":
            torch.cuda.empty_cache()


def drop_gray_words(text: str) -> str:
    """The caption without what it says of a photo that is black and white; things may be."""
    plain = _TAIL.sub("", " ".join(text.split()))
    return _PORTRAIT.sub("a ", _PHOTO.sub("", plain))


def _describe(
    folder: Path, photo: Picture, device: torch.device, stop: threading.Event | None
) -> str:
    dtype = torch.float16 if device.type == "cuda" else torch.float32
    _check_stop(stop)
    with explain_load_errors(folder):
        processor, network = _load(folder, dtype)
    network.to(device)
    shown = processor(images=_shrink(photo), return_tensors="pt").to(device, dtype)

    def after_a_word(_words: Any, _scores: Any, **_: Any) -> torch.Tensor:
        _check_stop(stop)
        return torch.zeros(len(_words), dtype=torch.bool, device=device)

    with torch.inference_mode():
        written = network.generate(
            **shown, max_new_tokens=WORDS, num_beams=BEAMS, stopping_criteria=[after_a_word]
        )
    return str(processor.decode(written[0], skip_special_tokens=True))


def _load(folder: Path, dtype: torch.dtype) -> tuple[Any, Any]:
    from transformers import BlipForConditionalGeneration, BlipProcessor

    kind: Any = BlipForConditionalGeneration  # its types do not know of the report
    network, report = kind.from_pretrained(
        folder,
        dtype=dtype,
        use_safetensors=True,
        local_files_only=True,
        output_loading_info=True,
    )
    if missing := sorted(report["missing_keys"]):
        raise ValueError(f"the weights lack {', '.join(missing[:3])}")
    return BlipProcessor.from_pretrained(folder, local_files_only=True), network.eval()


def _shrink(photo: Picture) -> Image.Image:
    height, width = photo.shape[:2]
    share = min(1.0, SIDE / max(height, width))
    small = resize(photo, max(1, round(height * share)), max(1, round(width * share)))
    return Image.fromarray((small // 257 if small.dtype == "uint16" else small).astype("uint8"))


def _check_stop(stop: threading.Event | None) -> None:
    if stop and stop.is_set():
        raise Cancelled("Stopped.")
