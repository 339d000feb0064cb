"""What every model inherits: the whole way from photo to picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from colorize_core import devices, options
from colorize_core.cards import SEED, ModelCard
from colorize_core.downloads import checkpoints
from colorize_core.errors import OptionError
from colorize_core.imaging import chroma
from colorize_core.imaging.chroma import Picture
from colorize_core.imaging.color import lab_to_rgb
from colorize_core.imaging.finish import NO_FINISH, Finish
from colorize_core.imaging.resampling import resize
from colorize_core.imaging.tone import Tone, measure_tone
from colorize_core.models.hints import apply_hints, draw_hints
from colorize_core.people.windows import Rectangle, cut
from colorize_core.prepare.preparation import NO_PREPARATION, Preparation
from colorize_core.prepare.preparation import prepare as prepare_photo
from colorize_core.steering.hints import Hint

Decoder = Callable[[float], Tensor]  # vividness -> ab (N, 2, h, w) in Lab units
Report = Callable[[float], None]  # gets shares of the work in [0, 1]; what it raises stops it


class AbLayer(Protocol):
    """Something that is put over a network's ab before it is rendered."""

    def apply_to(self, ab: chroma.Floats, vividness: float) -> chroma.Floats:
        """ab (H, W, 2) in Lab units, at the size of the guided planes -> the same with it."""


@dataclass(frozen=True)
class Prediction:
    """What the network made of a photo; rendering it again costs no network."""

    decode: Decoder
    coarse_l: NDArray[np.float32]  # L of the ab cells
    fine_l: NDArray[np.float32]  # L at the size of the guided planes
    cells: tuple[float, float]  # height and width of the photo in ab cells
    tone: Tone
    size: tuple[int, int]  # of the photo, height and width
    layers: tuple[AbLayer, ...] = ()  # from the lowest to the topmost
    spread: NDArray[np.float32] | None = None  # of the ab that is likely, a cell each

    @torch.inference_mode()
    def fine_ab(self, vividness: float) -> chroma.Floats:
        """(H, W, 2) in Lab units, at the size of the guided planes, with all layers."""
        ab = as_planes(self.decode(vividness))
        fine = chroma.sharpen_ab(ab, self.coarse_l, self.fine_l, self.cells)
        for layer in self.layers:
            fine = layer.apply_to(fine, vividness)
        return fine

    def uncertainty(self) -> NDArray[np.float32]:
        """How far apart the colours are that the network holds likely, for each pixel of the photo:
        (H, W), the root mean square distance from their mean in Lab units. OptionError for a model
        that does not tell."""
        if self.spread is None:
            raise OptionError("This model does not tell how sure it is; autochrome does.")
        fine = chroma.sharpen_ab(self.spread[..., None], self.coarse_l, self.fine_l, self.cells)
        return np.ascontiguousarray(resize(fine[..., 0], *self.size))

    @property
    def tint(self) -> str | None:
        """What tint was taken out before L was measured, None if none was."""
        return self.tone.tint

    @property
    def coloured(self) -> bool:
        """Whether the photo had colours of its own, more than the tint of an old print."""
        return self.tone.coloured


@dataclass(frozen=True)
class FittedPhoto:
    """A photo, fitted to a network."""

    network_l: NDArray[np.float32]  # (H, W) in [0, 100], padded to the network's multiple
    inside: tuple[int, int]  # height and width of the photo in it
    gain: float
    fine_l: NDArray[np.float32]
    tone: Tone
    image: Picture

    @property
    def size(self) -> tuple[int, int]:
        """Of the photo, height and width."""
        height, width = self.image.shape[:2]
        return height, width

    def lightness(self) -> Tensor:
        """(1, 1, H, W), with the gain."""
        return torch.from_numpy(np.clip(self.network_l * self.gain, 0, 100))[None, None]

    def shrink_to_cells(self, cell: int) -> tuple[NDArray[np.float32], tuple[float, float]]:
        """L of cells of that many pixels along each side, and how many the photo fills."""
        height, width = (length // cell for length in self.network_l.shape)
        cells = (self.inside[0] / cell, self.inside[1] / cell)
        return resize(self.network_l, height, width), cells

    def make_prediction(self, decode: Decoder, cell: int) -> Prediction:
        coarse_l, cells = self.shrink_to_cells(cell)
        return Prediction(decode, coarse_l, self.fine_l, cells, self.tone, self.size)

    def part(self, place: Rectangle, side: int, multiple: int) -> FittedPhoto:
        """A part of the photo, whose place is on the fine plane, fitted anew."""
        pixels = cut(self.image, place, self.fine_l.shape)
        inside = chroma.Frame.fit(pixels.shape[0], pixels.shape[1], side).size()
        lightness = self.tone.lightness(resize(pixels, *inside))
        fine_l = self.fine_l[place.top : place.bottom, place.left : place.right]
        network_l = chroma.pad_to_multiple(lightness, multiple)
        return FittedPhoto(network_l, inside, self.gain, fine_l, self.tone, pixels)


class LabColorizer(ABC):
    """The shared full-size path, for networks of either kind below. H and W of what the network is
    shown are multiples of `multiple`."""

    looking = 0.0  # share of colorize()'s work that is predict()'s, for its progress

    def __init__(self, card: ModelCard, network: nn.Module, device: torch.device, *, multiple: int):
        self.card = card
        self.torch_device = device
        self.network = network.eval().to(device)
        self.multiple = multiple

    @property
    def device(self) -> str:
        return str(self.torch_device)

    def colorize(
        self,
        image: Picture,
        *,
        vividness: float = 1.0,
        strength: float = 1.0,
        gain: float = 1.0,
        neutralize: bool = True,
        hints: Sequence[Hint] | None = None,
        reference: Picture | None = None,
        reference_strength: float = 1.0,
        variant: int = 0,
        finish: Finish = NO_FINISH,
        prepare: Preparation = NO_PREPARATION,
        progress: Report | None = None,
        **controls: Any,
    ) -> Picture:
        """(H, W, 3) sRGB uint8 (or uint16) -> the same size and type, with the photo's own L
        unless `finish` or `prepare` change it.

        `vividness` in [0, 2]: from timid to saturated colours, 1 is the model's choice.
        `strength` in [0, 1.5]: how much of the colour is put in. `gain` in [0.5, 2]: brightness of
        the network's copy only; below 1 helps blown-out skies. `neutralize`: take the tint of an
        old print out first. `hints`: colours wanted at places. `reference`: a photo (h, w, 3) in
        colour, whose colours are to be taken where the same things are, `reference_strength` in
        [0, 1]: how far. `variant`: the number of one of the variants() of the photo, 0 being the
        usual one. `finish`: what is changed once the colours are there. `prepare`: what is done to
        the photo before. `controls` are those of the card. `progress` gets shares in [0, 1]; what
        it raises stops the work. Raises OptionError.
        """
        _check_render(vividness, strength)
        _check_picture(image)
        prepared = prepare_photo(image, prepare)
        looking = _report_part(progress, 0.0, self.looking)
        prediction = self.predict(
            prepared.seen,
            gain=gain,
            neutralize=neutralize,
            hints=hints,
            reference=reference,
            reference_strength=reference_strength,
            variant=variant,
            progress=looking,
            **controls,
        )
        return self.render(
            prepared.shown,
            prediction,
            vividness=vividness,
            strength=strength,
            finish=finish,
            progress=_report_part(progress, self.looking, 1.0),
        )

    def predict(
        self,
        image: Picture,
        *,
        gain: float = 1.0,
        neutralize: bool = True,
        hints: Sequence[Hint] | None = None,
        reference: Picture | None = None,
        reference_strength: float = 1.0,
        variant: int = 0,
        progress: Report | None = None,
        **controls: Any,
    ) -> Prediction:
        """The network's part of colorize(). Raises OptionError."""
        settings = self.card.settings(controls)
        steered = bool(hints) or reference is not None or variant != 0
        if steered:
            self.card.check_hints()
        if reference is not None or variant != 0:
            raise OptionError(f"The model {self.card.name!r} takes no reference and no variant.")
        seen = self._see(image, gain, neutralize)
        return self._predict(seen, hints or (), settings, progress)

    @abstractmethod
    def _predict(
        self,
        seen: FittedPhoto,
        hints: Sequence[Hint],
        settings: dict[str, Any],
        progress: Report | None,
    ) -> Prediction: ...

    def _see(self, image: Picture, gain: float, neutralize: bool) -> FittedPhoto:
        """The photo as the network is shown it."""
        _check_picture(image)
        options.check("gain", gain)
        height, width = image.shape[:2]
        fine = chroma.Frame.fit(height, width, max(chroma.WORK_SIDE, self.card.network_side))
        fine_size = (min(height, fine.size()[0]), min(width, fine.size()[1]))
        small = resize(image, *fine_size)
        tone = measure_tone(small, neutralize)
        fine_l = tone.lightness(small)
        return self.fit(FittedPhoto(fine_l, fine_size, gain, fine_l, tone, image))

    def fit(self, seen: FittedPhoto) -> FittedPhoto:
        """The same photo, fitted to this model's network."""
        inside = chroma.Frame.fit(*seen.size, self.card.network_side).size()
        network_l = chroma.pad_to_multiple(resize(seen.fine_l, *inside), self.multiple)
        return replace(seen, network_l=network_l, inside=inside)

    def render(
        self,
        image: Picture,
        prediction: Prediction,
        *,
        vividness: float = 1.0,
        strength: float = 1.0,
        finish: Finish = NO_FINISH,
        progress: Report | None = None,
    ) -> Picture:
        """The part of colorize() after the network, at full size."""
        _check_picture(image)
        _check_render(vividness, strength)
        if image.shape[:2] != prediction.size:
            raise OptionError(
                f"The prediction is for a photo of {prediction.size}, this one is "
                f"{image.shape[:2]} (height, width). Predict this photo first."
            )
        planes = chroma.guide(prediction.fine_ab(vividness) * strength, prediction.fine_l)
        return chroma.recombine(image, prediction.tone, planes, progress, finish)


class AbColorizer(LabColorizer):
    """A network that predicts ab in one pass.

    `predict_ab(network, lightness, hints) -> Decoder` is what a model's adapter gives: lightness
    (N, 1, H, W) in [0, 100] and hints (N, 3, H, W), ab in Lab units and a mask, become a function
    from vividness in [0, 2] to ab (N, 2, H / cell, W / cell) in Lab units.
    """

    def __init__(
        self,
        card: ModelCard,
        network: nn.Module,
        predict_ab: Callable[..., Decoder],
        device: torch.device,
        *,
        multiple: int = 16,
        cell: int = 4,
    ):
        super().__init__(card, network, device, multiple=multiple)
        self.predict_ab = predict_ab
        self.cell = cell

    def _predict(
        self,
        seen: FittedPhoto,
        hints: Sequence[Hint],
        settings: dict[str, Any],
        progress: Report | None,  # one pass has no shares
    ) -> Prediction:
        decode = self._run(seen, ())
        if hints:
            guided = self._run(seen, hints)
            coarse_l, cells = seen.shrink_to_cells(self.cell)
            decode = _make_guided(decode, guided, hints, coarse_l, cells)
        return seen.make_prediction(decode, self.cell)

    @torch.inference_mode()
    def _run(self, seen: FittedPhoto, hints: Sequence[Hint], *known: Any) -> Decoder:
        """`known` is handed on to predict_ab()."""
        planes = torch.from_numpy(draw_hints(hints, seen.network_l.shape, seen.inside))[None]
        lightness = seen.lightness().to(self.torch_device)
        return self.predict_ab(self.network, lightness, planes.to(self.torch_device), *known)


class SampledAb(NamedTuple):
    """What a network that draws its colours has so far."""

    share: float  # of its work, in [0, 1]
    stage: str
    ab: Tensor  # (N, 2, h, w) in Lab units, one for each seed


class Step(NamedTuple):
    """The same, ready to be rendered."""

    share: float
    stage: str
    predictions: tuple[Prediction, ...]  # one for each seed


class SampledColorizer(LabColorizer):
    """A network that draws its colours step by step, from one seed or several at once.

    `walk(network, lightness, seeds, **controls)` is what a model's adapter gives: lightness
    (N, 1, H, W) in [0, 100], the same photo for each of the N seeds, and the card's controls but
    the seed become values of SampledAb, the last of which is the result.
    """

    looking = 0.8

    def __init__(
        self,
        card: ModelCard,
        network: nn.Module,
        walk: Callable[..., Iterator[SampledAb]],
        device: torch.device,
        *,
        multiple: int,
    ):
        super().__init__(card, network, device, multiple=multiple)
        self.walk = walk

    def _predict(
        self,
        seen: FittedPhoto,
        hints: Sequence[Hint],
        settings: dict[str, Any],
        progress: Report | None,
    ) -> Prediction:
        seed = settings.pop(SEED.name)
        for step in self._steps(seen, [seed], settings):
            if progress:
                progress(step.share)
        return step.predictions[0]

    def steps(
        self,
        image: Picture,
        *,
        seeds: Sequence[Any] = (SEED.default,),
        gain: float = 1.0,
        neutralize: bool = True,
        **controls: Any,
    ) -> Iterator[Step]:
        """What there is after each step, for each seed what predict() would give for it alone.
        Raises OptionError."""
        settings = [self.card.settings({**controls, SEED.name: seed}) for seed in seeds]
        chosen = [setting.pop(SEED.name) for setting in settings]
        yield from self._steps(self._see(image, gain, neutralize), chosen, settings[0])

    def _steps(
        self, seen: FittedPhoto, seeds: list[Any], settings: dict[str, Any]
    ) -> Iterator[Step]:
        lightness = seen.lightness().to(self.torch_device).expand(len(seeds), -1, -1, -1)
        walk = self.walk(self.network, lightness, seeds, **settings)
        while True:
            with torch.inference_mode():  # not around the yield, where others work
                draft = next(walk, None)
            if draft is None:
                return
            cell = seen.network_l.shape[0] // draft.ab.shape[2]
            predictions = (seen.make_prediction(make_scaling(ab[None]), cell) for ab in draft.ab)
            yield Step(draft.share, draft.stage, tuple(predictions))


def as_planes(maps: Tensor) -> NDArray[np.float32]:
    """(1, C, h, w) -> (h, w, C)."""
    planes: NDArray[np.float32] = maps[0].permute(1, 2, 0).float().cpu().numpy()
    return planes


def as_gray(lightness: Tensor) -> Tensor:
    """L (N, 1, H, W) in [0, 100] -> gray sRGB (N, 3, H, W) in [0, 1], for networks made for it."""
    return lab_to_rgb(F.pad(lightness, (0, 0, 0, 0, 0, 2)), axis=1)


def make_scaling(ab: Tensor) -> Decoder:
    """Vividness scales ab, from half to double."""
    return lambda vividness: ab * 2 ** (vividness - 1)


def _report_part(progress: Report | None, start: float, end: float) -> Report | None:
    """A report on a part of the work that `progress` hears of."""
    if progress is None:
        return None
    return lambda share: progress(start + share * (end - start))


def load_ab(
    card: ModelCard, network: type[nn.Module], config: type, device: str, multiple: int, cell: int
) -> AbColorizer:
    """A model whose network gives one ab for L. Raises WeightsError or DeviceError."""
    loaded = checkpoints.load_network(checkpoints.find(card.weights[0]), network, config)
    picked = devices.pick(device)
    return AbColorizer(card, loaded, _predict_plain, picked, multiple=multiple, cell=cell)


def _predict_plain(network: nn.Module, lightness: Tensor, hints: Tensor) -> Decoder:
    """The mean of the photo's ab and its mirror image's."""
    ab, mirrored = network(torch.cat([lightness, lightness.flip(-1)])).chunk(2)
    return make_scaling((ab + mirrored.flip(-1)) / 2)


def _make_guided(
    free: Decoder,
    guided: Decoder,
    hints: Sequence[Hint],
    lightness: NDArray[Any],
    cells: tuple[float, float],
) -> Decoder:
    return lambda vividness: apply_hints(
        free(vividness), guided(vividness), hints, lightness, cells
    )


def _check_render(vividness: float, strength: float) -> None:
    options.check("vividness", vividness)
    options.check("strength", strength)


def _check_picture(image: Any) -> None:
    kind = getattr(image, "dtype", type(image).__name__)
    shape: tuple[int, ...] = getattr(image, "shape", ())
    if kind not in (np.uint8, np.uint16) or len(shape) != 3 or shape[2] != 3 or 0 in shape:
        raise OptionError(
            f"A picture is a (height, width, 3) array of uint8 or uint16 sRGB values; this is "
            f"{kind} of shape {tuple(shape)}."
        )
