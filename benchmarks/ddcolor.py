"""python -m benchmarks.ddcolor DIR : our port of DDColor beside the original.

DIR is a clone of github.com/piddnad/DDColor. Both sides get the same weights (random ones: they do
not change the speed) and the same photos, in turn, from pixels to pixels at full size. The original
squashes every photo to 512 x 512; ours has about as many pixels, in the photo's own aspect.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.beside import Pair, arguments, compare
from benchmarks.results_file import write
from benchmarks.speed import photo
from colorize_core.models import ddcolor
from colorize_core.networks.ddcolor import LARGE, STRIDE, TINY, DDColor

SIDE = ddcolor.SIDE
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


def pair(size: str) -> Pair:
    from ddcolor import ColorizationPipeline

    config, name = SIZES[size]
    theirs, ours = original(size), DDColor(config).eval()
    ours.load_state_dict(theirs.state_dict())
    pipeline = ColorizationPipeline(theirs, input_size=SIDE)

    def inputs(side: int) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        gray = torch.from_numpy(photo(side, side)).expand(1, 3, -1, -1) / 255
        return (gray,), (gray,)

    return Pair(
        title=f"DDColor {size}",
        card=name,
        network=ours,
        original=theirs,
        inputs=inputs,
        side=SIDE,
        pipeline=lambda rgb: pipeline.process(np.ascontiguousarray(rgb[..., ::-1])),
        whole="pipeline",
        adapter=ddcolor.predict_ab,
        multiple=STRIDE,
        cell=1,
    )


def main() -> None:
    runs, commit = arguments(__doc__)
    rows = [line for size in SIZES for line in compare(pair(size), runs, commit)]
    print(write("ddcolor", rows))


if __name__ == "__main__":
    main()
