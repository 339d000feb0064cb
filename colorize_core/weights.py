"""Where a model's weight files are, whether they are whole, and networks built from them."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from colorize_core import hub
from colorize_core.cards import WeightFile
from colorize_core.errors import Cancelled, WeightsError

if TYPE_CHECKING:
    from torch import Tensor, nn

BUNDLED = Path(__file__).resolve().parent.parent / "weights"
WRAPPERS = {"params", "params_ema", "state_dict", "model"}  # that checkpoints are put into


def find(
    file: WeightFile,
    report: Callable[[int], None] | None = None,
    stop: threading.Event | None = None,
) -> Path:
    """The path of a weight file that is whole: bundled, in a cache, or downloaded into it.

    `report` gets the bytes of it that are here while it is downloaded. Raises WeightsError if it
    cannot be had or is not what its hash says, Cancelled soon after `stop` is set."""
    if file.bundled:
        return _bundled(file)

    def hear(count: int) -> None:
        if stop and stop.is_set():
            raise Cancelled("The download was stopped. What is here already stays.")
        if report:
            report(count)

    if file.address:
        return hub.fetch_address(file.address, file.sha256, hear)
    return hub.fetch(file.repo, file.path, file.revision or "main", hear)


def _bundled(file: WeightFile) -> Path:
    path = BUNDLED / file.path
    remedy = "It ships with the repository: restore it with `git checkout -- weights`."
    if not path.is_file():
        raise WeightsError(f"The weight file {path} is missing. {remedy}")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != file.sha256:
        raise WeightsError(
            f"The weight file {path} is damaged or of another version: its sha256 is {found}, "
            f"expected {file.sha256}. {remedy}"
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
    except (SafetensorError, UnpicklingError, OSError, RuntimeError, EOFError, ValueError) as error:
        raise WeightsError(f"The weight file {path} cannot be read: {error}") from error
    while isinstance(found, Mapping) and (inner := WRAPPERS & found.keys()):
        found = found[min(inner)]
    if not isinstance(found, Mapping) or not found:
        raise WeightsError(f"The weight file {path} holds no tensors by name.")
    if strange := [k for k, v in found.items() if not isinstance(v, torch.Tensor)]:
        raise WeightsError(f"The weight file {path} holds what is no tensor: {strange[:3]}.")
    return dict(found)


def load_network(path: Path, network: type[nn.Module], config: type) -> nn.Module:
    """Build network(config(**what the file's metadata says)) and load its tensors as float32,
    strictly. WeightsError if the file does not fit the network."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            stated: dict[str, Any] = json.loads((file.metadata() or {}).get("config", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        stated = {k: tuple(v) if isinstance(v, list) else v for k, v in stated.items()}
        built = network(config(**stated))
        # Batch counters only matter to a running average without momentum: they are not stored.
        counters = {k: v for k, v in built.state_dict().items() if k.endswith("batches_tracked")}
        floats = {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}
        built.load_state_dict(floats | counters)
    except (SafetensorError, RuntimeError, TypeError, ValueError) as error:
        raise WeightsError(f"The weight file {path} does not fit its network: {error}") from error
    return built
