"""Where a model's weight files are, whether they are whole, and networks built from them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorize_core.cards import WeightFile
from colorize_core.errors import WeightsError

if TYPE_CHECKING:
    from torch import nn

BUNDLED = Path(__file__).resolve().parent.parent / "weights"


def find(file: WeightFile) -> Path:
    """The path of a bundled weight file, checked against its hash. WeightsError if it is missing or
    damaged."""
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
