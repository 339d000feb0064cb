"""Where a model's weight files are, whether they are whole, and networks built from them."""

from __future__ import annotations

import json
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from colorize_core.bundled import RESTORE, WEIGHTS
from colorize_core.cards import WeightFile
from colorize_core.downloads import digests
from colorize_core.downloads.catalogue import Download
from colorize_core.downloads.places import AtAddress, OnHub
from colorize_core.downloads.transfer import get, is_out_of_reach
from colorize_core.errors import Cancelled, WeightsError
from colorize_core.sizes import format_size

if TYPE_CHECKING:
    from torch import Tensor, nn

BUNDLED = WEIGHTS  # where find() looks for what ships with the repository
# What reading a damaged checkpoint ends in, of which the unpickler itself names only the first.
BROKEN = (
    UnpicklingError,
    OSError,
    RuntimeError,
    EOFError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    AssertionError,
    struct.error,
)
WRAPPERS = ("params_ema", "params", "state_dict", "model")  # what checkpoints are put into


def find(
    file: WeightFile,
    report: Callable[[int], None] | None = None,
    stop: threading.Event | None = None,
) -> Path:
    """The path of a weight file that is whole: bundled, in a cache, or downloaded into it.

    `report` gets the bytes of it that are here while it is downloaded. Raises WeightsError if it
    cannot be had or is not what its hash says, Cancelled soon after `stop` is set."""
    if file.bundled:
        return _find_bundled(file)

    def hear(count: int) -> None:
        if stop and stop.is_set():
            raise Cancelled("The download was stopped. What is here already stays.")
        if report:
            report(count)

    return get(locate(file), hear)


def locate(file: WeightFile) -> OnHub | AtAddress:
    """Where a file that is not bundled may be had."""
    if file.address:
        return AtAddress(file.address, file.sha256)
    return OnHub(file.repo, file.path, file.revision or "main", file.sha256)


def find_local(file: WeightFile) -> Path | None:
    """Where the file is, if it is on this machine; asks nobody and does not look into it."""
    if not file.bundled:
        return locate(file).find_local()
    path = BUNDLED / file.path
    return path if path.is_file() else None


def list_missing(files: Iterable[WeightFile]) -> tuple[WeightFile, ...]:
    """Those that have to be downloaded before they can be used; asks nobody."""
    return tuple(file for file in files if not file.bundled and find_local(file) is None)


def are_out_of_reach(files: Iterable[WeightFile]) -> bool:
    """Whether some that are missing cannot be had, as far as that is known; asks nobody."""
    return any(is_out_of_reach(locate(file)) for file in list_missing(files))


def find_folder(download: Download) -> Path:
    """The folder with all files of a repository of the Hub, laid out as there; downloads nothing.
    WeightsError if one is missing."""
    found = {file.path: path for file in download.files if (path := find_local(file))}
    if lacking := [file.path for file in download.files if file.path not in found]:
        raise WeightsError(
            f"{download.title} is not complete on this machine: {download.repo} lacks "
            f"{', '.join(lacking)}. Download it ({format_size(download.bytes)}, licence "
            f"{download.licence}), or copy the folder models--{download.repo.replace('/', '--')} "
            "of another machine's Hub cache into this one's."
        )
    name, path = next(iter(found.items()))
    return path.parents[name.count("/")]


def fetch(
    files: Iterable[WeightFile],
    report: Callable[[int, int], None] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Download those that are missing, one after the other; what was stopped goes on where it was.
    `report` gets the bytes so far and, as far as sizes are known, those of all. Raises as find()
    does."""
    wanted = list_missing(files)
    total, before = sum(file.bytes for file in wanted), 0

    for file in wanted:

        def hear(count: int, before: int = before, most: int = file.bytes) -> None:
            if report:  # stated sizes round: no file counts for more than its own
                done = before + (min(count, most) if most else count)
                report(done, max(total, done))

        path = find(file, hear, stop)
        count = file.bytes or path.stat().st_size
        hear(count)
        before += count


def is_whole(file: WeightFile) -> bool | None:
    """Whether a file that is find_local() has the hash it should have. None if nothing tells it."""
    path = find_local(file)
    if path is None:
        return False
    own = "" if file.bundled else digests.parse_path(path)
    known = [digest for digest in (own, file.sha256) if digest]
    return all(digests.matches(path, digest) for digest in known) if known else None


def _find_bundled(file: WeightFile) -> Path:
    path = BUNDLED / file.path
    remedy = f"It ships with the repository: {RESTORE}."
    if not path.is_file():
        raise WeightsError(f"The weight file {path} is missing. {remedy}")
    if not digests.matches(path, file.sha256):
        raise WeightsError(
            f"The weight file {path} is damaged or of another version: its sha256 is not "
            f"{file.sha256}. {remedy}"
        )
    return path


def load_checkpoint(path: Path) -> dict[str, Tensor]:
    """The tensors of a published checkpoint by name, on the CPU as they were stored: safetensors,
    or a pickle, which may hold tensors, plain values and slices but no code. Of one that wraps them
    ({"params": ...}), what is inside. WeightsError if it is anything else."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with torch.serialization.safe_globals([slice]):  # in DeOldify's
            found = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, *BROKEN) as error:
        raise WeightsError(f"The weight file {path} cannot be read: {error}") from error
    while isinstance(found, Mapping) and (inner := _unwrap(found)):
        found = inner
    if not isinstance(found, Mapping) or not found:
        raise WeightsError(f"The weight file {path} holds no tensors by name.")
    if strange := [k for k, v in found.items() if not isinstance(v, torch.Tensor)]:
        raise WeightsError(f"The weight file {path} holds what is no tensor: {strange[:3]}.")
    return dict(found)


def _unwrap(found: Mapping[str, Any]) -> Mapping[str, Any] | None:
    inner = (found[name] for name in WRAPPERS if name in found)
    return next((each for each in inner if isinstance(each, Mapping)), None)


def list_part_files(path: Path, network: Any) -> list[Path]:
    """The files beside a network's weight file that hold those of its parts which are `apart`: a
    file in a repository is to stay under 16 MiB. Beside model.safetensors they are called after the
    parts, beside another NAME.safetensors it comes first."""
    before = "" if path.stem == "model" else f"{path.stem}-"
    names = getattr(network, "apart", ())
    return [path.with_name(f"{before}{name}.safetensors") for name in names]


def read_tensors(path: Path, network: Any) -> dict[str, Tensor]:
    """What a weight file holds, and the files beside it that are there, as they are stored."""
    from safetensors.torch import load_file

    tensors: dict[str, Tensor] = load_file(path)
    for part in list_part_files(path, network):
        if part.is_file():
            tensors |= load_file(part)
    return tensors


def load_network(path: Path, network: type[nn.Module], config: type) -> nn.Module:
    """Build network(config(**what the file's metadata says)) and load its tensors as float32,
    strictly, also from the files beside it. WeightsError if they do not fit the network."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            stated: dict[str, Any] = json.loads((file.metadata() or {}).get("config", "{}"))
        tensors = read_tensors(path, network)
        stated = {k: tuple(v) if isinstance(v, list) else v for k, v in stated.items()}
        built = network(config(**stated))
        # Batch counters only matter to a running average without momentum: they are not stored.
        counters = {k: v for k, v in built.state_dict().items() if k.endswith("batches_tracked")}
        floats = {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}
        built.load_state_dict(floats | counters)
    except (SafetensorError, OSError, RuntimeError, TypeError, ValueError) as error:
        raise WeightsError(f"The weight file {path} does not fit its network: {error}") from error
    return built


def save_network(network: Any, path: Path, training: dict[str, Any]) -> None:
    """What load_network() loads: safetensors of fp16 with bfloat16's precision; `network.config` (a
    dataclass) and `training` go into the metadata. Parts that are `apart` go into files of their
    own beside it."""
    tensors = {
        key: (round_weights(value) if value.is_floating_point() else value).contiguous().cpu()
        for key, value in network.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    metadata = {"config": json.dumps(asdict(network.config)), "training": json.dumps(training)}
    for name, file in zip(
        getattr(network, "apart", ()), list_part_files(path, network), strict=True
    ):
        part = {key: tensors.pop(key) for key in list(tensors) if key.startswith(f"{name}.")}
        _save(part, file, {})
    _save(tensors, path, metadata)


def round_weights(weights: Tensor) -> Tensor:
    """To the nearest fp16 whose last three bits are zero, some 1/256 of a weight away at most
    (2 ** -22 near zero). Deflate then packs a file by 23 % instead of 8 %, as in the wheel, which
    package registries take only under 100 MB."""
    import torch

    bits = weights.detach().half().view(torch.int16)
    return ((bits + 0b100) & ~0b111).view(torch.float16)


def _save(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
    """Whole or not at all."""
    from safetensors.torch import save_file

    temporary = path.with_suffix(".tmp")
    save_file(tensors, temporary, metadata)
    temporary.replace(path)
