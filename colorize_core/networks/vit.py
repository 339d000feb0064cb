"""A vision transformer (Dosovitskiy et al., ICLR 2021) as generator and as discriminator."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from colorize_core.networks.published import Published
from colorize_core.networks.scaling import repeat_l, scale_ab, scale_l, unscale_ab

PATCH = 16  # heights and widths must be multiples of this


@dataclass(frozen=True)
class VitConfig:
    width: int = 768  # ViT-B/16 with the defaults
    depth: int = 12
    heads: int = 12
    side: int = 224  # of the pictures whose places it has learned; others are interpolated
    decoder: int = 768


class VitGenerator(Published):
    """One token a patch, three convolutions over the tokens, and each unfolds into 16 x 16 ab."""

    def __init__(self, config: VitConfig | None = None):
        super().__init__()
        self.config = config or VitConfig()
        self.trunk = _make_trunk(self.config)
        wide = self.config.decoder
        self.decoder = nn.Sequential(
            nn.Conv2d(self.config.width, wide, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(wide, wide, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(wide, 2 * PATCH**2, 3, padding=1),
            nn.PixelShuffle(PATCH),
        )

    def forward(self, lightness: Tensor) -> Tensor:
        """L (N, 1, H, W) in [0, 100] -> ab (N, 2, H, W) in Lab units."""
        return unscale_ab(torch.tanh(self.decoder(_encode_tokens(self.trunk, repeat_l(lightness)))))


class VitDiscriminator(nn.Module):
    def __init__(self, config: VitConfig | None = None):
        super().__init__()
        self.config = config or VitConfig()
        self.trunk = _make_trunk(self.config)
        self.judge = nn.Linear(self.config.width, 1)

    def forward(self, lightness: Tensor, ab: Tensor) -> Tensor:
        """L (N, 1, H, W) in [0, 100] and ab (N, 2, H, W) in Lab units -> one logit a picture."""
        x = torch.cat([scale_l(lightness), scale_ab(ab)], 1)
        return self.judge(self.trunk(x, interpolate_pos_encoding=True).last_hidden_state[:, 0])


def _make_trunk(config: VitConfig) -> nn.Module:
    import transformers  # takes seconds: only who builds the network waits for it

    stated = transformers.ViTConfig(
        hidden_size=config.width,
        num_hidden_layers=config.depth,
        num_attention_heads=config.heads,
        intermediate_size=4 * config.width,
        image_size=config.side,
        patch_size=PATCH,
    )
    return transformers.ViTModel(stated, add_pooling_layer=False)


def _encode_tokens(trunk: nn.Module, x: Tensor) -> Tensor:
    """(N, 3, H, W) -> the patches' tokens as (N, C, H / 16, W / 16)."""
    down, across = x.shape[-2] // PATCH, x.shape[-1] // PATCH
    tokens = trunk(x, interpolate_pos_encoding=True).last_hidden_state[:, 1:]
    return tokens.transpose(1, 2).unflatten(2, (down, across))
