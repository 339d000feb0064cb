"""python -m benchmarks.ddcolor DIR : our port of DDColor beside the original.

DIR is a clone of github.com/piddnad/DDColor. Both sides get the same weights (random ones: they do
not change the speed) and the same photos, in turn, from pixels to pixels at full size. The original
squashes every photo to 512 x 512; ours has about as many pixels, in the photo's own aspect.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

import colorize_core
from benchmarks.results_file import write
from benchmarks.speed import paired, photo, row
from colorize_core.models import ddcolor
from colorize_core.models.base import AbColorizer
from colorize_core.networks.ddcolor import LARGE, STRIDE, TINY, DDColor

SIDE = ddcolor.SIDE
PHOTOS = ((768, 1024), (3000, 4000))  # height, width
SIZES = {"tiny": (TINY, "ddcolor-tiny"), "large": (LARGE, "ddcolor-modelscope")}


def original(size: str) -> Any:
    """Its network, with norms and spectral norms that have seen one batch."""
    from ddcolor import DDColor as Original

    torch.manual_seed(0)
    network = Original(
        encoder_name=f"convnext-{size[0]}",
        decoder_name="MultiScaleColorDecoder",
        input_size=[SIDE, SIDE],
        num_output_channels=2,
        last_norm="Spectral",
        num_queries=100,
        num_scales=3,
        dec_layers=9,
    )
    with torch.no_grad():
        network.train()(torch.rand(2, 3, 64, 64))
    return network.eval()


def compare(size: str, runs: int, commit: str) -> list[dict[str, Any]]:
    from ddcolor import ColorizationPipeline

    config, name = SIZES[size]
    theirs, network = original(size), DDColor(config).eval()
    network.load_state_dict(theirs.state_dict())
    card = next(card for card in colorize_core.cards(downloads=True) if card.name == name)
    cpu = torch.device("cpu")
    ours = AbColorizer(card, network, ddcolor.predict_ab, cpu, multiple=STRIDE, cell=1)
    pipeline = ColorizationPipeline(theirs, input_size=SIDE)
    rows = [alone(size, network, theirs, runs, commit)]
    for height, width in PHOTOS:
        rgb = cv2.cvtColor(photo(height, width), cv2.COLOR_GRAY2RGB)
        bgr = np.ascontiguousarray(rgb[..., ::-1])
        times = paired(
            lambda rgb=rgb: ours.colorize(rgb), lambda bgr=bgr: pipeline.process(bgr), runs
        )
        against = f"its own pipeline at {commit}"
        rows.append(row(f"DDColor {size}, {width} x {height}", *times, against))
    return [line | {"threads": torch.get_num_threads()} for line in rows]


@torch.inference_mode()
def alone(size: str, network: Any, theirs: Any, runs: int, commit: str) -> dict[str, Any]:
    """The two networks at one size, and how far apart their ab is, of the largest value."""
    gray = torch.from_numpy(photo(SIDE, SIDE)).expand(1, 3, -1, -1) / 255
    expected = theirs(gray)
    error = float((network(gray) - expected).abs().max() / expected.abs().max())
    times = paired(lambda: network(gray), lambda: theirs(gray), runs)
    what = f"DDColor {size}, the network alone, {SIDE} x {SIDE}"
    return row(what, *times, f"the original's at {commit}") | {"relative_error": f"{error:.1e}"}


def commit_of(folder: Path) -> str:
    command = ["git", "-C", str(folder), "rev-parse", "--short=7", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), choices=SIZES)
    arguments = parser.parse_args()
    sys.path.insert(0, str(arguments.folder))
    sys.dont_write_bytecode = True  # the clone stays as it is
    commit = commit_of(arguments.folder)
    rows = [line for size in arguments.sizes for line in compare(size, arguments.runs, commit)]
    print(write("ddcolor", [{"relative_error": ""} | line for line in rows]))


if __name__ == "__main__":
    main()
