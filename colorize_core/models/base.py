"""What every model that predicts ab inherits: the whole way from photo to picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from colorize_core import chroma, devices, options, weights
from colorize_core.cards import ModelCard
from colorize_core.chroma import Picture
from colorize_core.errors import OptionError
from colorize_core.hints import Hint, draw_hints, obey
from colorize_core.tone import Tone, measure_tone

Decoder = Callable[[float], Tensor]  # vividness -> ab (N, 2, h, w) in Lab units


@dataclass(frozen=True)
class Prediction:
    """What the network made of a photo; rendering it again costs no network."""

    decode: Decoder
    coarse_l: NDArray[np.float32]  # L of the ab cells
    fine_l: NDArray[np.float32]  # L at the size of the guided planes
    cells: tuple[float, float]  # height and width of the photo in ab cells
    tone: Tone
    size: tuple[int, int]  # of the photo, height and width

    @property
    def tint(self) -> str | None:
        """What tint was taken out before L was measured, None if none was."""
        return self.tone.tint

    @property
    def coloured(self) -> bool:
        """Whether the photo had colours of its own, more than the tint of an old print."""
        return self.tone.coloured


class AbColorizer:
    """A network that predicts ab, on the shared full-size path.

    `predict_ab(network, lightness, hints) -> Decoder` is what a model's adapter gives: lightness
    (N, 1, H, W) in [0, 100] and hints (N, 3, H, W), ab in Lab units and a mask, become a function
    from vividness in [0, 2] to ab (N, 2, H / cell, W / cell) in Lab units. H and W are multiples
    of `multiple`.
    """

    def __init__(
        self,
        card: ModelCard,
        network: nn.Module,
        predict_ab: Callable[[nn.Module, Tensor, Tensor], Decoder],
        device: torch.device,
        *,
        multiple: int = 16,
        cell: int = 4,
    ):
        self.card = card
        self.torch_device = device
        self.network = network.eval().to(device)
        self.predict_ab = predict_ab
        self.multiple, self.cell = multiple, cell

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
        progress: Callable[[float], None] | None = None,
    ) -> Picture:
        """(H, W, 3) sRGB uint8 (or uint16) -> the same size and type, with the photo's own L.

        `vividness` in [0, 2]: from timid to saturated colours, 1 is the model's choice.
        `strength` in [0, 1.5]: how much of the colour is put in. `gain` in [0.5, 2]: brightness of
        the network's copy only; below 1 helps blown-out skies. `neutralize`: take the tint of an
        old print out first. `progress` gets shares in [0, 1]; what it raises stops the work.
        Raises OptionError.
        """
        _check_render(vividness, strength)
        prediction = self.predict(image, gain=gain, neutralize=neutralize, hints=hints)
        return self.render(
            image, prediction, vividness=vividness, strength=strength, progress=progress
        )

    def predict(
        self,
        image: Picture,
        *,
        gain: float = 1.0,
        neutralize: bool = True,
        hints: Sequence[Hint] | None = None,
    ) -> Prediction:
        """The network's part of colorize()."""
        _check_picture(image)
        options.check("gain", gain)
        if hints and not self.card.takes_hints:
            raise OptionError(f"The model {self.card.name!r} takes no colour hints.")
        height, width = image.shape[:2]
        fine = chroma.Frame.fit(height, width, chroma.WORK_SIDE)
        fine_size = (min(height, fine.size()[0]), min(width, fine.size()[1]))
        small = chroma.shrink(image, *fine_size)
        tone = measure_tone(small, neutralize)
        fine_l = tone.lightness(small)
        frame = chroma.Frame.fit(height, width, self.card.network_side)
        inside = frame.size()
        network_l = chroma.pad_to_multiple(chroma.shrink(fine_l, *inside), self.multiple)
        coarse = (network_l.shape[0] // self.cell, network_l.shape[1] // self.cell)
        coarse_l = chroma.shrink(network_l, *coarse)
        cells = (inside[0] / self.cell, inside[1] / self.cell)
        decode = self._run(network_l, inside, gain, ())
        if hints:
            guided = self._run(network_l, inside, gain, hints)
            decode = _guided(decode, guided, hints, coarse_l, cells)
        return Prediction(
            decode=decode,
            coarse_l=coarse_l,
            fine_l=fine_l,
            cells=cells,
            tone=tone,
            size=(height, width),
        )

    @torch.inference_mode()
    def _run(
        self,
        network_l: NDArray[np.float32],
        inside: tuple[int, int],
        gain: float,
        hints: Sequence[Hint],
    ) -> Decoder:
        seen = np.clip(network_l * gain, 0, 100)
        lightness = torch.from_numpy(seen)[None, None].to(self.torch_device)
        planes = torch.from_numpy(draw_hints(hints, network_l.shape, inside))[None]
        decode = self.predict_ab(self.network, lightness, planes.to(self.torch_device))
        return torch.inference_mode()(decode)

    def render(
        self,
        image: Picture,
        prediction: Prediction,
        *,
        vividness: float = 1.0,
        strength: float = 1.0,
        progress: Callable[[float], None] | None = None,
    ) -> Picture:
        """The part of colorize() after the network, at full size."""
        _check_picture(image)
        _check_render(vividness, strength)
        if image.shape[:2] != prediction.size:
            raise OptionError(
                f"The prediction is for a photo of {prediction.size}, this one is "
                f"{image.shape[:2]} (height, width). Predict this photo first."
            )
        ab = prediction.decode(vividness)[0].permute(1, 2, 0).float().cpu().numpy() * strength
        fine_ab = chroma.sharpen_ab(ab, prediction.coarse_l, prediction.fine_l, prediction.cells)
        planes = chroma.guide(fine_ab, prediction.fine_l)
        return chroma.recombine(image, prediction.tone, planes, progress)


def load_ab(
    card: ModelCard, network: type[nn.Module], config: type, device: str, multiple: int, cell: int
) -> AbColorizer:
    """A model whose network gives one ab for L. Raises WeightsError or DeviceError."""
    loaded = weights.load_network(weights.find(card.weights[0]), network, config)
    picked = devices.pick(device)
    return AbColorizer(card, loaded, _plain_ab, picked, multiple=multiple, cell=cell)


def _plain_ab(network: nn.Module, lightness: Tensor, hints: Tensor) -> Decoder:
    """The mean of the photo's ab and its mirror image's; vividness scales it, from half to
    double."""
    ab, mirrored = network(torch.cat([lightness, lightness.flip(-1)])).chunk(2)
    mean = (ab + mirrored.flip(-1)) / 2
    return lambda vividness: mean * 2 ** (vividness - 1)


def _guided(
    free: Decoder,
    guided: Decoder,
    hints: Sequence[Hint],
    lightness: NDArray[Any],
    cells: tuple[float, float],
) -> Decoder:
    return lambda vividness: obey(free(vividness), guided(vividness), hints, lightness, cells)


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
