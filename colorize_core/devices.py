"""Where a network runs."""

from __future__ import annotations

import os

import torch

from colorize_core.errors import DeviceError


def is_zerogpu() -> bool:
    """Whether this is a Space on ZeroGPU: torch says then that there is CUDA, and only in a call
    for which a GPU is lent there is."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def pick(name: str = "auto") -> torch.device:
    """ "auto" is CUDA, then MPS, then the CPU; else a torch device name. DeviceError if it is not
    there. On ZeroGPU, which lends a GPU to who asks for "cuda", "auto" is the CPU."""
    if name == "auto":
        if is_zerogpu():
            return torch.device("cpu")
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise DeviceError(
            f"The device {name!r} cannot be used: {str(error).splitlines()[0]}. "
            'Use "auto", "cpu", or "cuda" on a machine with an NVIDIA GPU.'
        ) from error
    return device


def choose_precision(device: torch.device) -> torch.dtype:
    """What large networks compute in: bfloat16 on a CPU with instructions for it (AVX-512 BF16 or
    AMX), where that takes about half the time, else float32."""
    if device.type != "cpu":
        return torch.float32
    # Older versions of torch do not tell. Without the instructions bfloat16 would be slower.
    told: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    fast = told.get("avx512_bf16") or told.get("amx_bf16")
    return torch.bfloat16 if fast else torch.float32
