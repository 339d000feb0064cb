"""LoRA files within a pipeline of diffusers: loaded under a name, weighed, exchanged."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from colorize_core.errors import WeightsError
from colorize_core.prompted import memory

FAST, OWN = "fast", "own"  # LCM-LoRA, and one that somebody chose


def load(pipeline: Any, file: Path, name: str) -> None:
    """Raises what diffusers does for a file that does not fit, and ValueError where it would take
    one silently of which nothing belongs to the pipeline."""
    with _several():
        pipeline.load_lora_weights(
            str(file.parent), weight_name=file.name, adapter_name=name, local_files_only=True
        )
    if not _has(pipeline, name):
        raise ValueError(f"nothing in {file.name} belongs to {type(pipeline).__name__}")


def exchange(pipeline: Any, before: Path | None, file: Path | None) -> None:
    """Another OWN in the place of the one that was loaded from `before`. Raises WeightsError, and
    then there is none, or TooLittleMemoryError."""
    if file == before and (file is None or _has(pipeline, OWN)):
        return
    _delete(pipeline, OWN)
    if file is None:
        return
    try:
        with memory.explain():
            load(pipeline, file, OWN)
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        _delete(pipeline, OWN)
        why = (str(error) or type(error).__name__).splitlines()[0]
        raise WeightsError(
            f"The LoRA {file.name} does not fit this model: {why} Its page on the Hub says which "
            "model it was made for: take that one, or another LoRA."
        ) from error


def weigh(pipeline: Any, weights: Mapping[str, float]) -> None:
    """Those that are loaded count as much as `weights` says, 0 not at all."""
    there = {name: weight for name, weight in weights.items() if _has(pipeline, name)}
    if not there:
        return
    if any(there.values()):
        pipeline.enable_lora()
        pipeline.set_adapters(list(there), list(there.values()))
    else:
        pipeline.disable_lora()


def _delete(pipeline: Any, name: str) -> None:
    if _has(pipeline, name):
        with _several():
            pipeline.delete_adapters([name])


@contextmanager
def _several() -> Iterator[None]:
    """What PEFT warns of where there are several, and where the active one goes, is meant."""
    with warnings.catch_warnings():
        for words in ("Already found a `peft_config`", "Adapter .* was active which is now"):
            warnings.filterwarnings("ignore", words, UserWarning)
        yield


def _has(pipeline: Any, name: str) -> bool:
    return any(name in names for names in pipeline.get_list_adapters().values())
