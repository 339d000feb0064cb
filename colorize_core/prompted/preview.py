"""A picture of latents without the VAE's decoder: a linear map to RGB, fitted to the VAE itself.

That a linear map of the four channels does was found by others, with factors for Stable Diffusion
1.4 (https://discuss.huggingface.co/t/decoding-latents-to-rgb-without-upscaling/23204); a least
squares fit to flat patches needs no table and suits every VAE.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LEVELS = (-0.9, -0.3, 0.3, 0.9)  # of each channel, in the VAE's [-1, 1]
PATCH = 32  # pixels along each side of a patch, of which only the inner half counts
# Directions in which the patches' latents differ by less than this share of the most are noise: a
# VAE with more channels than the patches have colours would be fitted to it.
NOISE = 0.01

Matrix = NDArray[np.float32]  # (channels + 1, 3): latents and a one -> RGB in [0, 1]


def scale(vae: Any, picture: Tensor) -> Tensor:
    """The latents of Stable Diffusion."""
    return vae.encode(picture).latent_dist.mean * vae.config.scaling_factor


@torch.inference_mode()
def fit(
    vae: Any,
    device: torch.device,
    encode: Callable[[Any, Tensor], Tensor] = scale,
    patch: int = PATCH,
) -> Matrix:
    """Encode 8 x 8 patches of all mixtures of LEVELS and fit their colours to their latents.

    `encode`: (VAE, picture (1, 3, H, W) in [-1, 1]) -> latents (1, channels, h, w). `patch`:
    pixels along each side of a patch, four places of the latents or more."""
    colours = torch.tensor(list(product(LEVELS, repeat=3)))  # (64, 3)
    board = colours.T.reshape(1, 3, 8, 8)
    board = board.repeat_interleave(patch, 2).repeat_interleave(patch, 3)
    latents = encode(vae, board.to(device, vae.dtype))[0].float().cpu()
    cell = latents.shape[1] // 8  # latents along each side of a patch
    edge = cell // 4
    patches = latents.reshape(len(latents), 8, cell, 8, cell)
    inner = patches[:, :, edge : cell - edge, :, edge : cell - edge].mean((2, 4))
    known = torch.cat([inner.flatten(1).T, torch.ones(64, 1)], 1).double().numpy()
    matrix, *_ = np.linalg.lstsq(known, (colours.numpy() + 1) / 2, rcond=NOISE)
    return matrix.astype(np.float32)


def render(latents: Tensor, matrix: Matrix) -> NDArray[np.uint8]:
    """Latents (channels, h, w) -> (h, w, 3) sRGB, as small as the latents are."""
    planes = latents.detach().float().cpu().permute(1, 2, 0).numpy()
    colours = planes @ matrix[:-1] + matrix[-1]
    return np.rint(np.clip(np.nan_to_num(colours), 0, 1) * 255).astype(np.uint8)
