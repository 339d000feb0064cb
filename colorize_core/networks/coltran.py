"""ColTran, the colorization transformer (Kumar, Weissenborn and Kalchbrenner, ICLR 2021).

Three networks of axial attention: along rows, then along columns. A pixel of the first is one of
512 coarse colours, 3 bits of each of red, green and blue; it draws them one after the other. The
second gives each channel its 256 levels, the third its size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize_core.imaging.color import lab_to_rgb, rgb_to_lab
from colorize_core.networks.published import Published
from colorize_core.networks.scaling import NO_PHOTO

COLOURS = 512
LEVELS = 256
SCALE = 4  # of the last upsampling, edge over edge
ALONG_ROW, ALONG_COLUMN = 2, 1  # the axes of (N, h, w, C)


@dataclass(frozen=True)
class ColTranConfig:
    width: int = 512
    heads: int = 4
    blocks: int = 4  # of each encoder and upsampler, and of the decoder's outer and inner part
    side: int = 64  # places that a network knows along each axis
    stem: int = 0  # blocks of convolutions by which the first one sees every pixel; 0: as published


def to_coarse(rgb: Tensor) -> Tensor:
    """RGB (N, 3, h, w) in [0, 1] -> coarse colours (N, h, w) in [0, 512)."""
    red, green, blue = (rgb * 8).long().clamp(0, 7).unbind(1)
    return red * 64 + green * 8 + blue


def to_middle(colours: Tensor) -> Tensor:
    """What to_coarse() undoes, up to the middle of its cells."""
    parts = torch.stack([colours // 64, colours // 8 % 8, colours % 8], 1)
    return (parts + 0.5) / 8


def to_gray_levels(lightness: Tensor) -> Tensor:
    """L (N, 1, h, w) in [0, 100] -> the sRGB levels of such grays, (N, h, w) in [0, 256)."""
    gray = lab_to_rgb(F.pad(lightness.float(), (0, 0, 0, 0, 0, 2)), 1)[:, 0]
    return to_levels(gray)


def to_small_levels(lightness: Tensor) -> Tensor:
    """The same at a quarter of the side."""
    return to_gray_levels(F.avg_pool2d(lightness, SCALE))


def to_levels(rgb: Tensor) -> Tensor:
    """sRGB in [0, 1] -> its levels in [0, 256), of the same shape."""
    return (rgb.clamp(0, 1) * (LEVELS - 1)).round().long()


def compute_ab(rgb: Tensor, lightness: Tensor) -> Tensor:
    """RGB (N, 3, h, w) in [0, 1] that was drawn and the photo's L (N, 1, H, W) in [0, 100], H and W
    multiples of h and w -> ab (N, 2, h, w) in Lab units. Where the photo is darker than what was
    drawn, so is its chroma smaller: the least of eight levels is far from black."""
    lab = rgb_to_lab(rgb, 1)
    darker = F.interpolate(lightness, lab.shape[2:], mode="area") / lab[:, :1].clamp(min=1e-3)
    return lab[:, 1:] * darker.clamp(max=1)


class Past:
    """Keys and values of what was computed before, along the axis that attends."""

    def __init__(self) -> None:
        self.kept: tuple[Tensor, Tensor] | None = None

    def extend(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        if self.kept:
            key, value = (torch.cat(pair, -2) for pair in zip(self.kept, (key, value), strict=True))
        self.kept = key, value
        return self.kept


# What a layer takes from the context: (N, h, w, 8 C) for each place, (N, 1, 1, 4 C) for the photo.
Condition = tuple[Tensor, Tensor]


class AxialLayer(nn.Module):
    """Self-attention along one axis and an MLP. With a context (`conditional`) every norm, every
    query, key and value, and the MLP's output are scaled and shifted by what it says."""

    def __init__(self, width: int, heads: int, conditional: bool = False):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, width)
        self.fc2 = nn.Linear(width, width)
        if conditional:
            self.each_place = nn.Linear(width, 8 * width)
            self.whole_photo = nn.Linear(width, 4 * width)

    def condition(self, context: Tensor) -> Condition:
        """Context (N, h, w, C) -> the scales and shifts, to be computed once a photo."""
        return self.each_place(context), self.whole_photo(context.mean((1, 2), keepdim=True))

    def forward(
        self,
        x: Tensor,
        axis: int,
        causal: bool = False,
        condition: Condition | None = None,
        past: Past | None = None,
    ) -> Tensor:
        """(N, h, w, C) -> same. `causal`: no place sees a later one. With `past`, x is the next
        along the axis and sees all that came before."""
        places, photo = condition if condition else (None, None)
        q, k, v = self.qkv(_modulate(self.norm1(x), photo, 0)).chunk(3, -1)
        q, k, v = (_modulate(part, places, i) for i, part in enumerate((q, k, v)))
        mixed = self._attend(q, k, v, axis, causal, past)
        x = x + self.proj(mixed)
        y = self.fc2(F.relu(self.fc1(_modulate(self.norm2(x), photo, 1))))
        return x + _modulate(y, places, 3)

    def _attend(
        self, q: Tensor, k: Tensor, v: Tensor, axis: int, causal: bool, past: Past | None
    ) -> Tensor:
        # (N, h, w, C) -> (N, the other axis, heads, this axis, C / heads)
        order = (0, 1, 3, 2, 4) if axis == ALONG_ROW else (0, 2, 3, 1, 4)
        q, k, v = (t.unflatten(-1, (self.heads, -1)).permute(order) for t in (q, k, v))
        if past is not None:
            k, v = past.extend(k, v)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=causal and past is None)
        back = (0, 1, 3, 2, 4) if axis == ALONG_ROW else (0, 3, 1, 2, 4)
        return mixed.permute(back).flatten(-2)


def _modulate(x: Tensor, condition: Tensor | None, number: int) -> Tensor:
    """Scale and shift x by the `number`-th pair of the condition."""
    if condition is None:
        return x
    width = x.shape[-1]
    pair = condition[..., 2 * number * width : 2 * (number + 1) * width]
    scale, shift = pair.chunk(2, -1)
    return x * (1 + scale) + shift


class Axial(nn.Module):
    """Blocks that attend along rows, then along columns, without masks or context."""

    def __init__(self, config: ColTranConfig):
        super().__init__()
        self.layers = nn.ModuleList(
            AxialLayer(config.width, config.heads) for _ in range(2 * config.blocks)
        )
        self.norm = nn.LayerNorm(config.width)

    def forward(self, x: Tensor) -> Tensor:  # (N, h, w, C) -> same
        for i, layer in enumerate(self.layers):
            x = layer(x, ALONG_COLUMN if i % 2 else ALONG_ROW)
        return self.norm(x)


class Stem(nn.Module):
    """Convolutions over all pixels of the photo. The paper's 64 x 64 places show what there is to
    see, a few of them do not: this looks for them."""

    def __init__(self, width: int, blocks: int):
        super().__init__()
        self.fold = nn.Conv2d(SCALE * SCALE, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.GroupNorm(8, width),
                nn.SiLU(),
                nn.Conv2d(width, width, 3, padding=1),
                nn.GroupNorm(8, width),
                nn.SiLU(),
                nn.Conv2d(width, width, 3, padding=1),
            )
            for _ in range(blocks)
        )

    def forward(self, gray: Tensor) -> Tensor:
        """(N, 4 h, 4 w) in [0, 256) -> (N, h, w, C)."""
        x = self.fold(F.pixel_unshuffle(gray[:, None] / (LEVELS / 2) - 1, SCALE))
        for block in self.blocks:
            x = x + block(x)
        return x.permute(0, 2, 3, 1)


class Places(nn.Module):
    """What is learned of each of `side` rows and columns; other sizes lie evenly between them."""

    def __init__(self, width: int, side: int):
        super().__init__()
        self.rows = nn.Parameter(torch.randn(side, 1, width) * 0.02)
        self.columns = nn.Parameter(torch.randn(1, side, width) * 0.02)

    def forward(self, height: int, width: int) -> Tensor:
        """-> (height, width, C)."""
        return _stretch(self.rows, 0, height) + _stretch(self.columns, 1, width)


def _stretch(table: Tensor, axis: int, length: int) -> Tensor:
    if table.shape[axis] == length:
        return table
    lines = table.flatten(0, 1).T[None]  # (1, C, side)
    lines = F.interpolate(lines, size=length, mode="linear", align_corners=False)
    return lines[0].T.unsqueeze(1 - axis)


class Colorizer(nn.Module):
    """The first network: gray of 256 levels -> a distribution over coarse colours (N, h, w), each
    place's given those of all before it in reading order. Gray is (N, h, w), or (N, 4 h, 4 w) for
    a network with a stem: choose_gray() makes it."""

    def __init__(self, config: ColTranConfig | None = None):
        super().__init__()
        self.config = config or ColTranConfig()
        width, heads, blocks = self.config.width, self.config.heads, self.config.blocks
        self.gray = nn.Embedding(LEVELS, width)
        self.colour = nn.Embedding(COLOURS, width)
        self.places = Places(width, self.config.side)
        self.stem = Stem(width, self.config.stem) if self.config.stem else None
        self.encoder = Axial(self.config)
        self.parallel = nn.Linear(width, COLOURS)
        self.outer: Any = nn.ModuleList(AxialLayer(width, heads, True) for _ in range(2 * blocks))
        self.inner: Any = nn.ModuleList(AxialLayer(width, heads, True) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, COLOURS)

    def choose_gray(self, lightness: Tensor) -> Tensor:
        """L (N, 1, 4 h, 4 w) in [0, 100] -> the gray that the network asks for."""
        return to_gray_levels(lightness) if self.stem else to_small_levels(lightness)

    def encode_context(self, gray: Tensor) -> Tensor:
        """Gray in [0, 256) -> (N, h, w, C)."""
        if not self.stem:
            return self.encoder(self.gray(gray) + self.places(*gray.shape[1:]))
        small = F.avg_pool2d(gray[:, None].float(), SCALE)[:, 0].round().long()
        x = self.gray(small) + self.stem(gray) + self.places(*small.shape[1:])
        return self.encoder(x)

    def forward(self, gray: Tensor, colours: Tensor) -> tuple[Tensor, Tensor]:
        """Gray in [0, 256) and coarse colours (N, h, w) -> logits (N, h, w, 512) of each colour
        given those before it, and of each given none (the parallel head)."""
        context = self.encode_context(gray)
        return self._decode(colours, context), self.parallel(context)

    def _decode(self, colours: Tensor, context: Tensor) -> Tensor:
        embedded, places = self.colour(colours), self.places(*colours.shape[1:])
        above = F.pad(embedded, (0, 0, 0, 0, 1, 0))[:, :-1] + places  # shifted down
        for i, layer in enumerate(self.outer):
            axis = ALONG_COLUMN if i % 2 else ALONG_ROW
            above = layer(above, axis, axis == ALONG_COLUMN, layer.condition(context))
        x = F.pad(embedded, (0, 0, 1, 0))[:, :, :-1] + places + above  # shifted right
        for layer in self.inner:
            x = layer(x, ALONG_ROW, True, layer.condition(context))
        return self.head(self.norm(x))

    @torch.no_grad()
    def sample(self, gray: Tensor, chances: Tensor, drawing: SamplingOptions) -> Iterator[Tensor]:
        """Gray in [0, 256) and uniform random numbers (N, h, w) -> coarse colours, drawn place by
        place with what was computed kept; yields them, the same tensor, after each row."""
        context = self.encode_photos(gray, drawing)
        n, h, w, width = context.shape
        alone = self.parallel(context[: len(chances)])
        colours = torch.zeros_like(chances, dtype=torch.long)
        times = n // len(colours)  # what is drawn without the photo sees the same colours before
        places = self.places(h, w)
        conditions = {layer: layer.condition(context) for layer in (*self.outer, *self.inner)}
        columns = {layer: Past() for layer in self.outer[1::2]}
        start = context.new_zeros(n, 1, 1, width)
        above = start.expand(-1, -1, w, -1)
        for row in range(h):
            x = above + places[row]
            for i, layer in enumerate(self.outer):
                condition = _cut(conditions[layer], row, slice(None))
                if i % 2:
                    x = layer(x, ALONG_COLUMN, True, condition, columns[layer])
                else:
                    x = layer(x, ALONG_ROW, False, condition)
            base = x + places[row]
            rows = {layer: Past() for layer in self.inner}
            left = start
            for column in range(w):
                x = left + base[:, :, column : column + 1]
                for layer in self.inner:
                    condition = _cut(conditions[layer], row, slice(column, column + 1))
                    x = layer(x, ALONG_ROW, True, condition, rows[layer])
                logits = self.head(self.norm(x))[:, 0, 0]
                drawn = drawing.draw(logits, alone[:, row, column], chances[:, row, column])
                colours[:, row, column] = drawn
                left = self.colour(drawn).repeat(times, 1)[:, None, None]
            above = self.colour(colours[:, row]).repeat(times, 1, 1)[:, None]
            yield colours

    @torch.no_grad()
    def sample_slowly(self, gray: Tensor, chances: Tensor, drawing: SamplingOptions) -> Tensor:
        """As sample(), computing everything anew for every place: what its caches are tested and
        timed against."""
        colours = torch.zeros_like(chances, dtype=torch.long)
        context = self.encode_photos(gray, drawing)
        for row, column in product(*map(range, chances.shape[1:])):
            colours[:, row, column] = self.draw(context, colours, chances, drawing, row, column)
        return colours

    def encode_photos(self, gray: Tensor, drawing: SamplingOptions) -> Tensor:
        """The context of the photos; with guidance then that of as many that show nothing."""
        if drawing.guidance != 1:
            nothing = to_gray_levels(torch.full_like(gray, NO_PHOTO, dtype=torch.float32)[:, None])
            gray = torch.cat([gray, nothing])
        return self.encode_context(gray)

    def draw(
        self,
        context: Tensor,
        colours: Tensor,
        chances: Tensor,
        drawing: SamplingOptions,
        row: int,
        column: int,
    ) -> Tensor:
        """What comes after the colours before a place (N, h, w), of the context of encode_photos()
        -> (N,) coarse colours."""
        every = self._decode(colours.repeat(len(context) // len(colours), 1, 1), context)
        alone = self.parallel(context[: len(colours), row, column])
        return drawing.draw(every[:, row, column], alone, chances[:, row, column])


class SamplingOptions(NamedTuple):
    """How colours are drawn from what the first network deems possible."""

    temperature: float = 1.0
    # What the photo adds to what colours before it say of any photo counts so many times, as in
    # diffusion; other than 1 it takes twice the time.
    guidance: float = 1.0
    # Share of the parallel head in the logits. Colours before a place say so much of it that a
    # first wrong one is carried over the photo; this head has seen the photo alone.
    parallel: float = 0.0

    def draw(self, logits: Tensor, alone: Tensor, chance: Tensor) -> Tensor:
        """Logits (N, Q), with guidance (2 N, Q), those of the parallel head (N, Q) and uniform
        random numbers (N,) -> (N,) drawn classes."""
        if self.guidance != 1:
            photo, nothing = logits.chunk(2)
            logits = nothing + self.guidance * (photo - nothing)
        logits = (1 - self.parallel) * logits + self.parallel * alone
        shares = torch.softmax(logits.double() / self.temperature, -1).cumsum(-1)
        drawn = torch.searchsorted(shares, chance.double()[:, None], right=True)[:, 0]
        return drawn.clamp(max=logits.shape[-1] - 1)  # rounding may leave the last share below 1


def _cut(condition: Condition, row: int, columns: slice) -> Condition:
    places, photo = condition
    return places[:, row : row + 1, columns], photo


class ColourUpsampler(nn.Module):
    """The second network: coarse colours and gray -> 256 levels a channel, all at once."""

    def __init__(self, config: ColTranConfig | None = None):
        super().__init__()
        self.config = config or ColTranConfig()
        self.gray = nn.Embedding(LEVELS, self.config.width)
        self.colour = nn.Embedding(COLOURS, self.config.width)
        self.places = Places(self.config.width, self.config.side)
        self.axial = Axial(self.config)
        self.head = nn.Linear(self.config.width, 3 * LEVELS)

    def forward(self, gray: Tensor, colours: Tensor) -> Tensor:
        """(N, h, w) in [0, 256) and (N, h, w) in [0, 512) -> logits (N, 3, h, w, 256)."""
        x = self.gray(gray) + self.colour(colours) + self.places(*gray.shape[1:])
        return self.head(self.axial(x)).unflatten(-1, (3, LEVELS)).permute(0, 3, 1, 2, 4)


class SpatialUpsampler(nn.Module):
    """The third network: RGB of 256 levels at a quarter of the size and gray -> 256 levels a
    channel, all at once."""

    def __init__(self, config: ColTranConfig | None = None):
        super().__init__()
        self.config = config or ColTranConfig(side=256)
        self.gray = nn.Embedding(LEVELS, self.config.width)
        self.channels = nn.ModuleList(nn.Embedding(LEVELS, self.config.width) for _ in range(3))
        self.places = Places(self.config.width, self.config.side)
        self.axial = Axial(self.config)
        self.head = nn.Linear(self.config.width, 3 * LEVELS)

    def forward(self, gray: Tensor, rgb: Tensor) -> Tensor:
        """Gray (N, h, w) and RGB (N, 3, h / 4, w / 4) in [0, 256) -> logits (N, 3, h, w, 256)."""
        wide = rgb.repeat_interleave(SCALE, 2).repeat_interleave(SCALE, 3)
        x = self.gray(gray) + self.places(*gray.shape[1:])
        for embed, channel in zip(self.channels, wide.unbind(1), strict=True):
            x = x + embed(channel)
        return self.head(self.axial(x)).unflatten(-1, (3, LEVELS)).permute(0, 3, 1, 2, 4)


@dataclass(frozen=True)
class StagesConfig:
    """One number for each of the three networks; those of the paper."""

    widths: tuple[int, ...] = (512, 512, 512)
    blocks: tuple[int, ...] = (4, 4, 4)
    heads: int = 4
    side: int = 64  # of the first two; the third has four times that
    stem: int = 0  # of the first


class Painting(NamedTuple):
    """What each of the three networks made, RGB in [0, 1]."""

    coarse: Tensor  # (N, 3, h / 4, w / 4), 8 levels a channel
    fine: Tensor  # (N, 3, h / 4, w / 4)
    final: Tensor  # (N, 3, h, w)


class ColTran(Published):
    """The three networks together."""

    def __init__(self, config: StagesConfig | None = None):
        super().__init__()
        self.config = config or StagesConfig()
        first, second, third = (
            ColTranConfig(width, self.config.heads, blocks, self.config.side * scale, stem)
            for width, blocks, scale, stem in zip(
                self.config.widths,
                self.config.blocks,
                (1, 1, SCALE),
                (self.config.stem, 0, 0),
                strict=True,
            )
        )
        self.colorizer = Colorizer(first)
        self.colour = ColourUpsampler(second)
        self.spatial = SpatialUpsampler(third)

    def forward(
        self, lightness: Tensor, before: Tensor, colours: Tensor, small: Tensor
    ) -> tuple[Tensor, ...]:
        """L (N, 1, H, W) in [0, 100], H and W multiples of 4, the coarse colours that each place of
        the first network sees before it (N, H / 4, W / 4), and for the first n <= N photos what
        the upsamplers begin with: true coarse colours (n, H / 4, W / 4) and true RGB in [0, 1]
        (n, 3, H / 4, W / 4) -> the logits of each network: Colorizer's two, then theirs."""
        part = lightness[: len(colours)]
        return (
            *self.colorizer(self.colorizer.choose_gray(lightness), before),
            self.colour(to_small_levels(part), colours),
            self.spatial(to_gray_levels(part), to_levels(small)),
        )

    @torch.no_grad()
    def paint(self, lightness: Tensor, colours: Tensor) -> Painting:
        """L (N, 1, H, W) in [0, 100], H and W multiples of 4, and what the first network drew for
        it (N, H / 4, W / 4) -> what the three stages make. Both upsamplers give the mean of what
        they deem possible."""
        fine = _compute_mean(self.colour(to_small_levels(lightness), colours))
        final = _compute_mean(self.spatial(to_gray_levels(lightness), to_levels(fine)))
        return Painting(to_middle(colours), fine, final)


def _compute_mean(logits: Tensor) -> Tensor:
    """Logits (..., 256) -> the mean in [0, 1]."""
    scale = torch.linspace(0, 1, LEVELS, device=logits.device)
    return torch.softmax(logits.float(), -1) @ scale
