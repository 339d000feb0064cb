"""python -m benchmarks.zhang DIR : our ports of ECCV16 and SIGGRAPH17 beside the originals.

DIR is a clone of github.com/richzhang/colorization (it needs IPython and scikit-image). Both sides
get the same weights (random ones) and the same photos, in turn, from pixels to pixels at full size.
The originals' demo squashes every photo to 256 x 256; ours has about as many pixels, in the photo's
own aspect.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from benchmarks.beside import Pair, arguments, compare
from benchmarks.results_file import write
from colorize_core.models import zhang
from colorize_core.networks.zhang import STRIDE, Eccv16, Siggraph17

SIDE = 256
MODELS = {  # our network, and what our adapter makes of it
    "eccv16": (Eccv16, zhang.CARDS["eccv16"], zhang.predict_plain, 4),
    "siggraph17": (Siggraph17, zhang.CARDS["siggraph17"], zhang.predict_guided, zhang.CELL),
}


def pair(name: str) -> Pair:
    import colorizers

    kind, card, adapter, cell = MODELS[name]
    torch.manual_seed(0)
    theirs, ours = getattr(colorizers, name)(pretrained=False).eval(), kind().eval()
    ours.load_state_dict(theirs.state_dict())

    @torch.inference_mode()
    def demo(rgb: Any) -> None:
        full, small = colorizers.preprocess_img(rgb, HW=(SIDE, SIDE))
        colorizers.postprocess_tens(full, theirs(small))

    def inputs(side: int) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        lightness = 100 * torch.rand(1, 1, side, side)
        hints = (torch.zeros(1, 2, side, side), torch.zeros(1, 1, side, side))
        given = (lightness, *hints) if card.takes_hints else (lightness,)
        return given, given

    return Pair(card.title, name, ours, theirs, inputs, SIDE, demo, "demo", adapter, STRIDE, cell)


def main() -> None:
    runs, commit = arguments(__doc__)
    rows = [line for name in MODELS for line in compare(pair(name), runs, commit)]
    print(write("zhang", rows))


if __name__ == "__main__":
    main()
