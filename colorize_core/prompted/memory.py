"""Whether the machine can hold a pipeline, and where its parts then live."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorize_core.errors import TooLittleMemoryError, WeightsError

if TYPE_CHECKING:
    import torch

    from colorize_core.downloads.catalogue import Download

RESIDENT, OFFLOAD = "resident", "offload"
# Numbers a pixel that the busiest moment, the VAE's decoder, keeps, on the safe side: on a CPU it
# took 1,025 at 512 x 512 and 1,478 at 256 x 256.
WORK = 2000
TILED = 768 * 768  # pixels from which the VAE works in tiles, so that its need stops growing


@dataclass(frozen=True)
class Need:
    """Bytes."""

    weights: int  # of all parts
    largest: int  # of the largest part
    work: int  # beside the weights, for a picture


def estimate(parts: Iterable[Path], itemsize: int, pixels: int) -> Need:
    """Of folders or files with safetensors, loaded as numbers of `itemsize` bytes, for a picture
    of `pixels`. Raises WeightsError for a damaged file."""
    sizes = [sum(map(_count_numbers, list_weight_files(part))) * itemsize for part in parts]
    return Need(sum(sizes), max(sizes), WORK * itemsize * min(pixels, TILED))


def estimate_download(downloads: Iterable[Download], itemsize: int, pixels: int) -> Need:
    """The same of what is not downloaded yet, by the sizes that the catalogue says."""
    parts: Counter[str] = Counter()
    for each in downloads:
        for file in each.files:
            if file.path.endswith(".safetensors"):
                part = f"{each.repo}/{file.path}".rpartition("/")[0]
                parts[part] += file.bytes // each.itemsize * itemsize
    return Need(parts.total(), max(parts.values()), WORK * itemsize * min(pixels, TILED))


def list_weight_files(part: Path) -> list[Path]:
    """Those that are loaded: in half precision where a folder has them in both."""
    files = [part] if part.is_file() else sorted(part.glob("*.safetensors"))
    return [file for file in files if ".fp16." in file.name] or files


def _count_numbers(file: Path) -> int:
    """How many it has; only its header is read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, "np") as tensors:
            shapes = [tensors.get_slice(name).get_shape() for name in tensors.keys()]  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"The weight file {file} is damaged ({error}). Delete it and download it again."
        ) from error
    return sum(map(math.prod, shapes))


def measure_free(device: torch.device) -> int | None:
    """Bytes of memory that can be had on the device; None where nobody tells."""
    if device.type == "cuda":
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    return _measure_free_ram()


def _measure_free_ram() -> int | None:
    """What Linux would give without swapping, else the pages that are not in use at all."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return None


def choose_placement(wanted: Need, device: torch.device, there: int | None, ram: int | None) -> str:
    """RESIDENT where everything fits into `there`, the device's free bytes; OFFLOAD where one part
    at a time does and the others fit into `ram`. None: not known, taken for enough.

    Raises TooLittleMemoryError with the numbers."""
    everything, one = wanted.weights + wanted.work, wanted.largest + wanted.work
    if there is None or everything <= there:
        return RESIDENT
    gpu = device.type == "cuda"
    if gpu and one <= there and (ram is None or wanted.weights <= ram):
        return OFFLOAD
    least = (
        f"{_format_gb(one)} of GPU memory and {_format_gb(wanted.weights)} of RAM"
        if gpu
        else _format_gb(everything)
    )
    raise TooLittleMemoryError(
        f"Drawing from a prompt needs about {least}; free are {_format_gb(there)}"
        f"{f' and {_format_gb(ram)}' if gpu and ram is not None else ''}. Close other programs, "
        "choose a smaller working size, or use one of the built-in models, which need far less."
    )


def move(pipeline: Any, placement: str, device: torch.device) -> None:
    """The parts of a pipeline of diffusers on the device, or each there only while it works. The
    hooks for that belong to one pipeline at a time."""
    if placement == OFFLOAD:
        pipeline.enable_model_cpu_offload(device=device)
    else:
        pipeline.to(device)


def release(pipeline: Any, placement: str, device: torch.device) -> None:
    """Give the memory back that the last drawing kept, also one that was stopped."""
    import torch

    if placement == OFFLOAD:
        move(pipeline, placement, device)  # the part that worked last is still on the device
    if device.type == "cuda":
        torch.cuda.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of torch, or of Python, says that memory ran out."""
    import torch

    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and "not enough memory" in str(error)
    )


def describe_shortage() -> TooLittleMemoryError:
    """What to say then."""
    return TooLittleMemoryError(
        "The memory ran out. Choose a smaller working size, or close other programs."
    )


@contextmanager
def explain() -> Iterator[None]:
    """Memory that runs out in here becomes TooLittleMemoryError, which holds on to nothing."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise describe_shortage() from None
        raise


def _format_gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"
