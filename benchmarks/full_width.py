"""python -m benchmarks.full_width : results/full_width.csv, why the bundled weights are narrower.

Each system at the original's width and at that of its bundled weights, in turn: parameters, size of
their file in float16, and the time of one step of training of the network that colours (forward,
backward; no discriminator, no optimizer) on this machine, a median of `--rounds`; `hours` are those
of 300,000 crops at that rate.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from safetensors import safe_open

import colorize_core
from benchmarks.options import make_parser
from benchmarks.results_file import write
from colorize_core.downloads import checkpoints
from colorize_core.networks import resnet_fcn, resnet_unet, sagan, se_unet, unet, vit

CROPS = 300_000
NETWORKS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "unet-gan": (unet.UNet, unet.UNetConfig),
    "resnet-unet-gan": (resnet_unet.ResNetUNet, resnet_unet.ResNetUNetConfig),
    "sagan": (sagan.SaganGenerator, sagan.SaganConfig),
    "vit-lsgan": (vit.VitGenerator, vit.VitConfig),
    "se-unet": (se_unet.SeUNet, se_unet.SeUNetConfig),
    "resnet-fcn": (resnet_fcn.ResNetFcn, resnet_fcn.ResNetFcnConfig),
}


def read_config(name: str, config: Callable[..., Any]) -> Any:
    """That of the bundled weights."""
    card = next(card for card in colorize_core.cards() if card.name == name)
    with safe_open(checkpoints.find(card.weights[0]), "np") as file:
        stated = json.loads(file.metadata()["config"])
    return config(**{k: tuple(v) if isinstance(v, list) else v for k, v in stated.items()})


def take_step(network: Any, lightness: torch.Tensor) -> float:
    """The seconds of one."""
    begun = time.perf_counter()
    answer = network(lightness)
    (answer[0] if isinstance(answer, tuple) else answer).square().mean().backward()
    network.zero_grad()
    return time.perf_counter() - begun


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--side", type=int, default=256)
    arguments = parser.parse_args()
    lightness = 100 * torch.rand(arguments.batch, 1, arguments.side, arguments.side)
    rows = []
    for name, (network, config) in NETWORKS.items():
        both = {"original": network(config()), "bundled": network(read_config(name, config))}
        taken: dict[str, list[float]] = {width: [] for width in both}
        for number in range(arguments.rounds + 1):  # the first round is slower, and left out
            for width, built in both.items():
                seconds = take_step(built.train(), lightness) / arguments.batch
                taken[width] += [seconds] if number else []
        for width, built in both.items():
            count = sum(each.numel() for each in built.parameters())
            seconds = statistics.median(taken[width])
            rows.append(
                {
                    "model": name,
                    "width": width,
                    "parameters": count,
                    "bytes": 2 * count,
                    "side": arguments.side,
                    "threads": torch.get_num_threads(),
                    "seconds_a_crop": f"{seconds:.4f}",
                    "hours": f"{CROPS * seconds / 3600:.1f}",
                }
            )
    write("full_width", rows)


if __name__ == "__main__":
    main()
