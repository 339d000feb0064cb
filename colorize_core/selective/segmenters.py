"""The networks that find classes in a photo, and what has to be downloaded for each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from colorize_core.cards import WeightFile
from colorize_core.downloads import checkpoints
from colorize_core.downloads.catalogue import DOWNLOADS
from colorize_core.errors import OptionError
from colorize_core.imaging.tone import Picture
from colorize_core.metrics import trunks
from colorize_core.selective import deeplab, masks
from colorize_core.selective.deeplab import CLASSES
from colorize_core.selective.layers import Layer, Network
from colorize_core.selective.people import PEOPLE
from colorize_core.selective.sam2 import SAM2

__all__ = [
    "CLASSES",
    "NETWORKS",
    "count_missing_bytes",
    "describe_download",
    "fetch",
    "find_classes",
    "find_network",
    "list_networks",
    "read_classes",
]

NETWORKS = {each.name: each for each in (PEOPLE, *deeplab.NETWORKS)}


def find_network(network: str) -> Network:
    """The network of that name. OptionError for another one."""
    if network not in NETWORKS:
        raise OptionError(f"network is {network!r}, allowed are {', '.join(NETWORKS)}.")
    return NETWORKS[network]


def read_classes(text: str) -> tuple[str, ...]:
    """Names of CLASSES with commas between. OptionError for one that is unknown."""
    names = tuple(name.strip() for name in text.split(","))
    if unknown := [name for name in names if name not in CLASSES]:
        raise OptionError(f"There is no class {', '.join(map(repr, unknown))}.")
    return names


def list_networks(names: Sequence[str]) -> tuple[str, ...]:
    """Those that know all of these CLASSES, the one that needs the least first."""
    return tuple(each.name for each in NETWORKS.values() if set(names) <= set(each.classes))


def count_missing_bytes(network: str) -> int:
    """What has to be downloaded before `network`, one of NETWORKS or "sam2", can be asked: 0 where
    its weights are there. OptionError for another name."""
    return sum(file.bytes for file in checkpoints.list_missing(_list_files(network)))


def fetch(
    network: str,
    report: Callable[[int, int], None] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Download what is missing. `report` gets the bytes so far and those of all. Raises
    OptionError, WeightsError, or Cancelled soon after `stop` is set."""
    if network in deeplab.WEIGHTS:
        what = f"The weights of DeepLabV3 ({network})"
        trunks.fetch(find_network(network).download, what, report, stop)
    else:
        checkpoints.fetch(_list_files(network), report, stop)


def describe_download(network: str) -> tuple[str, str]:
    """What the weights are called, and the command that fetches them before they are asked for."""
    if network == SAM2.name:
        return "SAM 2.1", SAM2.by_hand
    find_network(network)
    photo = "python -m colorize_core selective examples/cat-gray.jpg --keep cat"
    return "DeepLabV3", f"{photo} --network {network} -o cat.png"


def _list_files(network: str) -> tuple[WeightFile, ...]:
    if network == SAM2.name:
        return SAM2.files
    download = find_network(network).download
    return DOWNLOADS[download].files if download else ()


def find_classes(
    photo: Picture,
    *,
    network: str = "mobile",
    device: str = "auto",
    progress: Callable[[float], None] | None = None,
) -> tuple[Layer, ...]:
    """The CLASSES that a network finds in the photo, largest first, with masks of screen size.

    `network`: one of NETWORKS. "people" ships with the repository and knows persons alone; those of
    others are downloaded into torch's cache where it has them not; count_missing_bytes() says so
    before. `progress` gets shares of the work in [0, 1]; what it raises stops it. Raises
    WeightsError if they cannot be had, OptionError or DeviceError.
    """
    from colorize_core import devices

    chosen = find_network(network)
    report = progress or (lambda share: None)
    report(0.0)
    seen = masks.shrink_to_screen(photo)
    light = masks.measure_lightness(seen)
    rough = chosen.find(seen, light, str(devices.pick(device)), lambda: report(0.5))
    found = []
    for layer in rough:
        mask = masks.snap(layer.mask, light)
        found.append(Layer(layer.name, mask, float(mask.mean())))
    report(1.0)
    return tuple(sorted(found, key=lambda layer: -layer.share))
