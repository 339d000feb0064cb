"""Where a network runs."""

from __future__ import annotations

import torch

from colorize_core.errors import DeviceError


def pick(name: str = "auto") -> torch.device:
    """ "auto" is CUDA, then MPS, then the CPU; else a torch device name. DeviceError if it is not
    there."""
    if name == "auto":
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
