"""python -m benchmarks.zhang DIR : our ports of ECCV16 and SIGGRAPH17 beside the originals.

DIR is a clone of github.com/richzhang/colorization (it needs IPython and scikit-image). Both sides
get the same weights (random ones) and the same photos, in turn, from pixels to pixels at full size;
the originals as in their demo, squashed to 256 x 256.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import cv2
import torch

import colorize_core
from benchmarks.ddcolor import PHOTOS, commit_of
from benchmarks.results_file import write
from benchmarks.speed import paired, photo, row
from colorize_core.models import eccv16, siggraph17
from colorize_core.models.base import AbColorizer
from colorize_core.networks.zhang import STRIDE, Eccv16, Siggraph17

MODELS = {  # our network, and what our adapter makes of it
    "eccv16": (Eccv16, eccv16.predict_ab, 4),
    "siggraph17": (Siggraph17, siggraph17.predict_ab, siggraph17.CELL),
}


def compare(name: str, runs: int, commit: str) -> list[dict[str, Any]]:
    import colorizers

    kind, predict_ab, cell = MODELS[name]
    torch.manual_seed(0)
    theirs, network = getattr(colorizers, name)(pretrained=False).eval(), kind().eval()
    network.load_state_dict(theirs.state_dict())
    card = next(card for card in colorize_core.cards(downloads=True) if card.name == name)
    cpu = torch.device("cpu")
    ours = AbColorizer(card, network, predict_ab, cpu, multiple=STRIDE, cell=cell)

    @torch.inference_mode()
    def demo(rgb: Any) -> None:
        full, small = colorizers.preprocess_img(rgb, HW=(256, 256))
        colorizers.postprocess_tens(full, theirs(small))

    rows = []
    for height, width in PHOTOS:
        rgb = cv2.cvtColor(photo(height, width), cv2.COLOR_GRAY2RGB)
        times = paired(lambda rgb=rgb: ours.colorize(rgb), lambda rgb=rgb: demo(rgb), runs)
        rows.append(row(f"{card.title}, {width} x {height}", *times, f"its own demo at {commit}"))
    return [line | {"threads": torch.get_num_threads()} for line in rows]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--runs", type=int, default=9)
    arguments = parser.parse_args()
    sys.path.insert(0, str(arguments.folder))
    sys.dont_write_bytecode = True  # the clone stays as it is
    commit = commit_of(arguments.folder)
    rows = [line for name in MODELS for line in compare(name, arguments.runs, commit)]
    print(write("zhang", rows))


if __name__ == "__main__":
    main()
