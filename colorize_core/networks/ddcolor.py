"""DDColor (Kang et al., "DDColor: Towards Photo-Realistic Image Colorization via Dual Decoders",
ICCV 2023, https://arxiv.org/abs/2212.11613), under the names of its published files.

A ConvNeXt, a decoder for places and a decoder for colours: learned queries look at three scales of
the photo and each becomes a colour; every pixel mixes the colours by how its own features answer.

What differs from the original is the order of the sums. Its last layers are all linear after one
ReLU, so the 100 answers a pixel and the 256 features that they come from are never written out:
both decoders meet in two numbers a pixel. Spectral norms are divided out when a file is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.networks.convnext import ConvNeXt
from colorize_core.networks.pretrained import IMAGENET_MEAN, IMAGENET_STD
from colorize_core.networks.shuffle import Shuffle, SpectralConv2d, blur

STRIDE = 32  # heights and widths must be multiples of this
LAST = 4  # the last upsampling
TOKENS = 1024  # of the last layer at a time: what they become stays in the cache


@dataclass(frozen=True)
class DDColorConfig:
    depths: tuple[int, int, int, int] = (3, 3, 9, 3)  # of the ConvNeXt
    widths: tuple[int, int, int, int] = (96, 192, 384, 768)
    features: int = 512  # of the decoder for places; at its end half of that
    queries: int = 100
    layers: int = 9  # of the decoder for colours
    hidden: int = 256
    heads: int = 8
    feedforward: int = 2048


TINY = DDColorConfig()
LARGE = DDColorConfig(depths=(3, 3, 27, 3), widths=(192, 384, 768, 1536))


class UpBlock(nn.Module):
    def __init__(self, inside: int, skip: int, outside: int):
        super().__init__()
        self.shuf = Shuffle(inside, outside)
        self.bn = nn.BatchNorm2d(skip)
        conv = SpectralConv2d(outside + skip, outside, 3, padding=1, bias=False)
        self.conv = nn.Sequential(conv, nn.ReLU(inplace=True), nn.BatchNorm2d(outside))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """(N, inside, h, w) and (N, skip, 2 h, 2 w) -> (N, outside, 2 h, 2 w)."""
        return self.conv(F.relu(torch.cat([self.shuf(x), self.bn(skip)], 1)))


class Attention(nn.Module):
    """nn.MultiheadAttention with keys and values made by convolutions, for maps of many places."""

    def __init__(self, config: DDColorConfig):
        super().__init__()
        self.heads = config.heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * config.hidden, config.hidden))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * config.hidden))
        self.out_proj = nn.Linear(config.hidden, config.hidden)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """(N, C, h, w) each, the last two of one size -> (N, h w of the query, C)."""
        parts = zip(self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3), strict=True)
        q, k, v = (
            F.conv2d(x, weight[..., None, None], bias)
            .permute(0, 2, 3, 1)
            .unflatten(3, (self.heads, -1))
            .flatten(1, 2)
            .transpose(1, 2)
            for x, (weight, bias) in zip((query, key, value), parts, strict=True)
        )  # each (N, heads, places, C / heads)
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.out_proj(mixed.transpose(1, 2).flatten(2))


class Attend(nn.Module):
    """Attention and its norm; `kind` is what the published files call the attention."""

    def __init__(self, config: DDColorConfig, kind: str):
        super().__init__()
        self.kind = kind
        self.add_module(kind, Attention(config))
        self.norm = nn.LayerNorm(config.hidden)

    def forward(self, x: Tensor, place: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """x (N, Q, C) at `place` looks at maps (N, C, h, w) -> (N, Q, C)."""
        return self.norm(x + getattr(self, self.kind)(_to_map(x + place), key, value))


class FeedForward(nn.Module):
    def __init__(self, config: DDColorConfig):
        super().__init__()
        self.linear1 = nn.Linear(config.hidden, config.feedforward)
        self.linear2 = nn.Linear(config.feedforward, config.hidden)
        self.norm = nn.LayerNorm(config.hidden)

    def forward(self, x: Tensor) -> Tensor:  # (N, Q, C) -> same
        return self.norm(x + self.linear2(F.relu(self.linear1(x))))


class ColourMlp(nn.Module):
    def __init__(self, hidden: int, outside: int):
        super().__init__()
        widths = (hidden, hidden, outside)
        self.layers = nn.ModuleList(nn.Linear(hidden, width) for width in widths)

    def forward(self, x: Tensor) -> Tensor:  # (N, Q, hidden) -> (N, Q, outside)
        first, second, last = self.layers
        return last(F.relu(second(F.relu(first(x)))))


class ColourDecoder(nn.Module):
    """Queries that look at the scales in turn, at each other, and become colours."""

    def __init__(self, config: DDColorConfig, inside: tuple[int, ...]):
        super().__init__()
        hidden, layers = config.hidden, range(config.layers)
        self.query_feat = nn.Embedding(config.queries, hidden)
        self.query_embed = nn.Embedding(config.queries, hidden)
        self.level_embed = nn.Embedding(len(inside), hidden)
        self.input_proj = nn.ModuleList(nn.Conv2d(width, hidden, 1) for width in inside)
        self.transformer_self_attention_layers = nn.ModuleList(
            Attend(config, "self_attn") for _ in layers
        )
        self.transformer_cross_attention_layers = nn.ModuleList(
            Attend(config, "multihead_attn") for _ in layers
        )
        self.transformer_ffn_layers = nn.ModuleList(FeedForward(config) for _ in layers)
        self.decoder_norm = nn.LayerNorm(hidden)
        self.color_embed = ColourMlp(hidden, config.features // 2)

    def forward(self, scales: list[Tensor]) -> Tensor:
        """(N, C, h, w) each -> what each query asks of a pixel's features, (N, Q, features / 2)."""
        values, keys = zip(*map(self._make_maps, range(len(scales)), scales), strict=True)
        place = self.query_embed.weight
        x = self.query_feat.weight.expand(len(scales[0]), -1, -1)
        layers = zip(
            self.transformer_cross_attention_layers,
            self.transformer_self_attention_layers,
            self.transformer_ffn_layers,
            strict=True,
        )
        for i, (look, talk, think) in enumerate(layers):
            scale = i % len(scales)
            x = look(x, place, keys[scale], values[scale])
            x = think(talk(x, place, _to_map(x + place), _to_map(x)))
        return self.color_embed(self.decoder_norm(x))

    def _make_maps(self, scale: int, features: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, h, w) -> (N, hidden, h, w), and the same with the places in it."""
        tokens = self.input_proj[scale](features) + self.level_embed.weight[scale][:, None, None]
        return tokens, tokens + _encode_places(tokens)


class PlaceDecoder(nn.Module):
    """The U-Net's way up, and what the published files keep beside it."""

    def __init__(self, config: DDColorConfig):
        super().__init__()
        w1, w2, w3, w4 = config.widths
        wide, last = config.features, config.features // 2
        blocks = [UpBlock(w4, w3, wide), UpBlock(wide, w2, wide), UpBlock(wide, w1, last)]
        self.layers = nn.ModuleList(blocks)
        self.last_shuf = nn.ModuleDict(
            {"conv": nn.Sequential(SpectralConv2d(last, last * LAST**2, 1))}
        )
        self.color_decoder = ColourDecoder(config, (wide, wide, last))

    def forward(self, seen: list[Tensor]) -> list[Tensor]:
        """The trunk's four outputs -> features at 1/16, 1/8 and 1/4."""
        x, scales = seen[-1], []
        for block, skip in zip(self.layers, seen[-2::-1], strict=True):
            x = block(x, skip)
            scales.append(x)
        return scales

    def answer(self, x: Tensor, asked: Tensor) -> Tensor:
        """Features (N, C, h, w), upsampled, times (N, k, C) -> (N, k, 4 h, 4 w).

        The features at full size are relu(last_shuf(x)) with their sub-pixels put in place, then
        blurred. Both commute with the product, which makes k planes of C: it is done first, some
        places at a time.
        """
        conv: Any = self.get_submodule("last_shuf.conv.0")
        (n, c, h, w), k = x.shape, asked.shape[1]
        # Sub-pixels first, channels last: so each sub-pixel's features lie side by side.
        weight = conv.weight.view(c, LAST**2, c, 1, 1).transpose(0, 1).flatten(0, 1)
        bias = conv.bias.view(c, LAST**2).T.flatten()
        planes = x.new_empty(n, h, w, LAST, LAST, k)
        rows = max(1, TOKENS // w)
        for strip, into in zip(x.split(rows, 2), planes.split(rows, 1), strict=True):
            features = F.conv2d(strip, weight, bias).relu_().permute(0, 2, 3, 1)
            into.copy_((features.reshape(n, -1, c) @ asked.mT).view_as(into))
        fine = planes.permute(0, 5, 1, 3, 2, 4)
        return blur(fine.reshape(n, k, h * LAST, w * LAST))


class DDColor(nn.Module):
    mean: Tensor
    std: Tensor

    def __init__(self, config: DDColorConfig | None = None):
        super().__init__()
        self.config = config or TINY
        trunk = ConvNeXt(self.config.depths, self.config.widths)
        self.encoder = nn.ModuleDict({"arch": trunk})
        self.decoder = PlaceDecoder(self.config)
        self.refine_net = nn.Sequential(
            nn.Sequential(SpectralConv2d(self.config.queries + 3, 2, 1))
        )
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1))
        self.to(memory_format=torch.channels_last)

    def forward(self, gray: Tensor) -> Tensor:
        """Gray sRGB (N, 3, H, W) in [0, 1] -> ab (N, 2, H, W) in Lab units. H and W are multiples
        of 32; the published weights have learned from 256 x 256 or 512 x 512."""
        x = ((gray - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        scales = self.decoder(self.encoder["arch"](x))
        queries = self.decoder.color_decoder(scales)
        last: Any = self.get_submodule("refine_net.0.0")
        of_queries, of_gray = last.weight.split([self.config.queries, 3], 1)
        answers = self.decoder.answer(scales[-1], of_queries.flatten(1) @ queries)
        return answers + F.conv2d(x, of_gray, last.bias)


def _to_map(x: Tensor) -> Tensor:
    """(N, Q, C) -> (N, C, 1, Q), channels last in memory."""
    return x[:, None].permute(0, 3, 1, 2)


def _encode_places(maps: Tensor) -> Tensor:
    """(N, C, h, w) -> (C, h, w): sines and cosines of the row, then of the column, as fractions of
    a turn (as in DETR, Carion et al., 2020)."""
    _, c, h, w = maps.shape
    rows, columns = _make_waves(c // 2, h, maps), _make_waves(c // 2, w, maps)
    return torch.cat([rows[..., None].expand(-1, -1, w), columns[:, None].expand(-1, h, -1)])


def _make_waves(count: int, length: int, like: Tensor) -> Tensor:
    """(count, length): sine and cosine in turn, from one turn over the length down."""
    turns = torch.arange(1, length + 1, device=like.device) / (length + 1e-6)
    speed = 10000 ** -(torch.arange(0, count, 2, device=like.device) / count)
    angle = 2 * torch.pi * speed[:, None] * turns
    return torch.stack([angle.sin(), angle.cos()], 1).flatten(0, 1).to(like.dtype)
