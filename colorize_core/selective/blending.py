"""Pictures put together under masks: the photo's own pixels here, a model's colours there.

Light is mixed as light: sRGB is decoded, mixed and encoded again. Both pictures having the L of the
same photo, so has every mixture of them, however soft the mask.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache, partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from colorize_core import options
from colorize_core.errors import OptionError
from colorize_core.imaging.captions import draw_captioned_grid
from colorize_core.imaging.color import (
    lab_to_rgb_in_gamut,
    linear_to_srgb,
    rgb_to_lab,
    srgb_to_linear,
)
from colorize_core.imaging.encoders import convert_dtype
from colorize_core.imaging.resampling import resize
from colorize_core.imaging.tone import FINE, Picture, measure_tone
from colorize_core.models import registry
from colorize_core.models.runner import Runner, Task
from colorize_core.options import Options
from colorize_core.selective.masks import Mask, check_size, measure_lightness, refine
from colorize_core.steering.provenance import Record, make_record, read_options, record_options

OWN = "photo"  # in place of a model: the photo's own colours
STRIP_PIXELS = 1 << 18  # what is mixed at a time
MODELS_KEPT = 4  # in memory
LOOKED_AT = 256  # pixels of each side of a copy that tells whether a photo has colours


@dataclass(frozen=True)
class Region:
    """A part of the photo and what it is filled with: a model's colours, one flat colour, or, with
    neither, gray.

    `mask` may be of screen size or of the photo's; what is filled first may have none. `vividness`
    in [0, 2] and `strength` in [0, 1.5] are the model's; of a flat colour (R, G, B) in [0, 255],
    vividness scales the chroma. `controls` are the model's own, see its card. OptionError for a
    value out of range, or both a model and a colour. `colouring` says all of it at once, with hints
    and finish: then it is the photo colorized with these options.
    """

    mask: Mask | None = None
    model: str | None = None
    vividness: float = 1.0
    colour: tuple[int, int, int] | None = None
    strength: float = 1.0
    controls: Mapping[str, Any] = field(default_factory=dict)
    colouring: Options | None = None

    def __post_init__(self) -> None:
        options.check("vividness", self.vividness)
        options.check("strength", self.strength)
        if self.model is not None and self.colour is not None:
            raise OptionError(
                f"A region has the model {self.model} and the colour {self.colour}: leave one out."
            )
        if self.colour is not None and not all(0 <= part <= 255 for part in self.colour):
            raise OptionError(f"colour is {self.colour}, allowed is 0 to 255 each.")
        if self.colouring is not None and (self.model is not None or self.colour is not None):
            raise OptionError("A region has a colouring, and a model or a colour: leave one out.")

    @property
    def wanted(self) -> Options | None:
        """What the photo is colorized with; None where no model has a part in it."""
        if self.colouring is not None or self.model is None:
            return self.colouring
        own = tuple(self.controls.items())
        return Options(self.model, self.vividness, self.strength, controls=own)

    def as_dict(self) -> dict[str, Any]:
        """For JSON, without the mask; what stands at its default is left out."""
        told = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "mask"}
        told["controls"] = dict(self.controls)
        if self.colouring is not None:
            told["colouring"] = record_options(self.colouring).as_dict()
        plain: dict[str, Any] = {each.name: each.default for each in fields(self)}
        return {name: v for name, v in told.items() if v != (plain | {"controls": {}})[name]}

    @classmethod
    def read(cls, given: Any) -> Region:
        """From what as_dict() gives. Raises OptionError, also for a model that is not known."""
        try:
            told = {
                name: given[name] for name in ("model", "vividness", "strength") if name in given
            }
            colour, controls = given.get("colour"), dict(given.get("controls", {}))
            colouring = given.get("colouring")
            if colour is not None:
                red, green, blue = (int(part) for part in colour)
                told["colour"] = (red, green, blue)
            if colouring is not None:
                told["colouring"] = read_options(Record.read(json.dumps(colouring)))
            if not isinstance(told.get("model", ""), str):
                raise OptionError("the model of a region is no name.")
            region = cls(**told, controls=controls)
            if region.wanted is not None and region.model != OWN:
                read_options(record_options(region.wanted))  # which looks at all of it
        except OptionError:
            raise
        except Exception as error:  # whatever is not where it should be
            raise OptionError("A region is damaged.") from error
        return region


Colorize = Callable[[Picture, Region], Picture]


# --- two pictures -------------------------------------------------------------------------------


def blend(inside: Picture, outside: Picture, mask: Mask) -> Picture:
    """Two pictures (H, W, 3) of one type under a mask (H, W), mixed in linear light.

    Mask 0 gives the bytes of `outside`, mask 1 those of `inside`. OptionError if sizes or types
    differ."""
    check_size(mask, outside)
    check_size(mask, inside)
    if inside.dtype != outside.dtype:
        raise OptionError(
            f"The pictures are {inside.dtype} and {outside.dtype}: bring them to one type first."
        )
    result: Picture = outside.copy(order="C")
    for strip in _split_strips(mask.shape):
        part, below = mask[strip], result[strip]
        whole = part >= 1
        below[whole] = inside[strip][whole]
        some = (part > 0) & ~whole
        below[some] = _mix(inside[strip][some], below[some], part[some])
    return result


def _split_strips(shape: Sequence[int]) -> Iterator[slice]:
    rows = max(1, STRIP_PIXELS // shape[1])
    return (slice(top, top + rows) for top in range(0, shape[0], rows))


def _mix(inside: NDArray[Any], outside: NDArray[Any], share: NDArray[Any]) -> NDArray[Any]:
    """Pixels (N, 3) twice and how much of the first is in the mixture (N,)."""
    light = _decode_levels(inside.dtype.name)
    below = light[outside]
    linear = below + (light[inside] - below) * share[:, None]
    if inside.dtype == np.uint8:
        return _encode_levels()[(linear * FINE + 0.5).astype(np.uint16)]
    return np.rint(linear_to_srgb(linear) * 65535).astype(np.uint16)


@lru_cache(maxsize=2)
def _decode_levels(dtype: str) -> NDArray[np.float32]:
    """Linear light of every encoded level."""
    top = np.iinfo(dtype).max
    return srgb_to_linear(np.arange(top + 1) / top).astype(np.float32)


@lru_cache(maxsize=1)
def _encode_levels() -> NDArray[np.uint8]:
    """The encoded level of linear light in steps of 1 / FINE."""
    return np.rint(linear_to_srgb(np.arange(FINE + 1) / FINE) * 255).astype(np.uint8)


# --- many regions -------------------------------------------------------------------------------


def compose(
    photo: Picture,
    regions: Sequence[Region],
    outside: Region | None = None,
    colorize: Colorize | None = None,
) -> Picture:
    """The photo with each region filled; where several lie, the last is on top.

    `outside` fills the rest, its mask is not looked at; None leaves the photo's own pixels there,
    byte for byte. `colorize(photo, region)` gives the photo in the colours that a region's models
    are `wanted` for; make_colorize() by default. Masks smaller than the photo are refine() to its
    edges. Raises OptionError and what `colorize` raises.
    """
    colorize = colorize or make_colorize()
    result = photo.copy() if outside is None else fill(photo, outside, colorize)
    level: NDArray[np.float32] | None = None
    for region in regions:
        if region.mask is None:
            raise OptionError("A region has no mask: give each one, all but what is outside.")
        mask = region.mask
        if mask.shape != photo.shape[:2]:
            level = measure_lightness(photo) if level is None else level
            mask = refine(mask, level)
        if mask.any():
            result = blend(fill(photo, region, colorize), result, mask)
    return result


def describe_regions(regions: Sequence[Region], outside: Region | None = None) -> Record | None:
    """Where the colours come from that compose() gives a photo; None where it gives it none."""
    seen = [region for region in regions if region.mask is None or region.mask.any()]
    every = [*seen, *([outside] if outside else [])]
    if not any(region.wanted or region.colour for region in every):
        return None
    settings = {
        "regions": [_describe(region) for region in seen],
        "outside": _describe(outside) if outside else None,
    }
    records = [record_options(region.wanted) for region in every if region.wanted]
    models = [name for record in records for name, _ in record.models]
    hints = dict.fromkeys(hint for record in records for hint in record.hints)
    return make_record(models, settings, hints=tuple(hints))


def _describe(region: Region) -> dict[str, Any]:
    share = None if region.mask is None else round(float(region.mask.mean()), 4)  # of its mask
    if region.colouring is not None:
        record = record_options(region.colouring)
        models = {"model": region.colouring.model, **record.settings}
        return models if share is None else {**models, "share": share}
    told = {
        "model": region.model,
        "vividness": region.vividness,
        "strength": region.strength,
        "colour": None if region.colour is None else list(region.colour),
        "controls": dict(region.controls),
        "share": share,
    }
    return {name: value for name, value in told.items() if value not in (None, {})}


def fill(photo: Picture, region: Region, colorize: Colorize) -> Picture:
    """The whole photo in the region's colours, with its own L."""
    if region.wanted is not None:
        return colorize(photo, region)
    ab = np.zeros(2)
    if region.colour is not None:
        colour = np.array(region.colour, np.float64) / 255
        ab = rgb_to_lab(colour)[1:] * region.vividness
    return tint(photo, (float(ab[0]), float(ab[1])))


def make_colorize(device: str = "auto") -> Colorize:
    """What compose() colorizes with: the project's models, each loaded when it is first needed."""
    runner = Runner(partial(registry.load, device=device), kept=MODELS_KEPT)

    def colorize(photo: Picture, region: Region) -> Picture:
        picture: Picture = runner.colorize(photo, cast(Options, region.wanted), Task())[0]
        return picture

    return colorize


def tint(photo: Picture, ab: tuple[float, float] = (0.0, 0.0)) -> Picture:
    """The photo's L with one a and b in Lab units everywhere, as far as the gamut allows. Without
    them it is gray; a gray photo then stays as it is, byte for byte."""
    gray = all(np.array_equal(photo[..., 0], photo[..., c]) for c in (1, 2))
    if gray and not any(ab):
        return photo.copy()
    lab = np.empty((FINE + 1, 3))
    lab[:, 0], lab[:, 1:] = np.linspace(0, 100, FINE + 1), ab
    top = np.iinfo(photo.dtype).max
    colours = np.rint(lab_to_rgb_in_gamut(lab) * top).astype(photo.dtype)
    result = np.empty(photo.shape, photo.dtype)
    for strip in _split_strips(photo.shape):
        level = np.clip(measure_lightness(photo[strip]), 0, 100) * (FINE / 100)
        result[strip] = colours[(level + 0.5).astype(np.uint16)]
    return result


def fill_outside_gray(photo: Picture) -> Region | None:
    """What leaves all outside gray: nothing where the photo is gray, or the toned print of one; a
    photo in colour loses it."""
    height, width = (min(side, LOOKED_AT) for side in photo.shape[:2])
    return Region() if measure_tone(resize(photo, height, width)).coloured else None


# --- the figure ---------------------------------------------------------------------------------


def draw_figure(photo: Picture, colorized: Picture, mask: Mask, blended: Picture) -> Picture:
    """Gray, colorized, mask and blended side by side with captions, (h, w, 3) uint8. The mask may
    be of screen size."""
    shades = np.rint(np.clip(mask, 0, 1) * 255).astype(np.uint8)
    pictures = [tint(photo), colorized, np.dstack([shades] * 3), blended]
    words = [["Gray"], ["Colorized"], ["Mask", f"{mask.mean():.0%} of the picture"], ["Blended"]]
    size = (photo.shape[1], photo.shape[0])
    shown = [cast(NDArray[np.uint8], convert_dtype(picture, np.uint8)) for picture in pictures]
    return draw_captioned_grid(shown, words, size)
