"""A network that finds people, from photographs of people with masks.

Pasting: Ghiasi et al., "Simple Copy-Paste is a Strong Data Augmentation Method for Instance
Segmentation", CVPR 2021. Dice's loss: Milletari et al., "V-Net", 3DV 2016.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from colorize_core.downloads import checkpoints
from colorize_core.errors import OptionError
from colorize_core.imaging.color import rgb_to_lab
from colorize_core.models import autochrome
from colorize_core.networks.autochrome import Autochrome, AutochromeConfig
from colorize_core.networks.segmenter import Finder, Segmenter, SegmenterConfig, look
from colorize_core.training.aging import age
from colorize_core.training.data import Batch, Photos, hold
from colorize_core.training.engine import Losses, Parts, Recipe

HELD_BACK = 10  # every so manieth photograph of a person is not trained on
LEAST = 0.02  # of a photograph that a person has to fill
HEIGHT, WIDTH = 192, 128  # at which photographs of people are kept in memory
EMPTY = ("animals3k", "arch", "catsdogs", "houses", "jbl", "sunrgbd")  # sources without people


class People(NamedTuple):
    """Photographs of people, all of one size: L in [0, 100] and mask in [0, 1], (K, 1, h, w) each,
    and the rows and columns, (K, 4), between which the mask lies: top, bottom, left, right."""

    lightness: Tensor
    mask: Tensor
    boxes: Tensor


@dataclass
class PeopleRecipe(Recipe):
    """Finds people by what the built-in model sees: from photographs of them with masks, also
    pasted onto those of --data without people."""

    masks: tuple[Path, ...] = ()  # zips with photo/NAME and mask/NAME.png; needed
    lr: float = 2e-3
    weight_decay: float = 0.01
    aged: float = 0.5
    own: float = 0.45  # share of the pictures with people on their own background
    empty: float = 0.2  # share of the pictures without anybody
    second: float = 0.3  # share of the pictures with people pasted that have a second one
    overlap: float = 0.5  # weight of Dice's loss beside the cross-entropy
    sides: tuple[int, ...] = (128,)
    until: tuple[float, ...] = (1.0,)
    least_scale: float = 0.55

    def __post_init__(self) -> None:
        self._empty = torch.zeros(0, dtype=torch.bool)  # whether a kind of photograph has nobody

    @cached_property
    def _people(self) -> tuple[People, People]:
        """To learn from, and held back."""
        if not self.masks:
            raise OptionError("Give with --masks a zip of photographs of people and their masks.")
        people = load_people(self.masks)
        held = torch.arange(len(people.mask)) % HELD_BACK == 0
        return People(*(each[~held] for each in people)), People(*(each[held] for each in people))

    def build_parts(self, photos: Photos) -> Parts:
        self._empty = torch.tensor([shows_nobody(kind) for kind in photos.kinds])
        if not self._empty.any():
            raise OptionError(f"--data has no photographs without people, as {', '.join(EMPTY)}.")
        file = autochrome.CARD.weights[0]
        trunk: Any = checkpoints.load_network(checkpoints.find(file), Autochrome, AutochromeConfig)
        self._trunk = trunk.eval().requires_grad_(False)
        return {"network": Segmenter(SegmenterConfig(trunk=file.sha256))}

    def build_optimizer(self, part: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.AdamW(part.parameters(), self.lr, weight_decay=self.weight_decay)

    def choose_learning(self, progress: float) -> tuple[str, ...]:
        return ("network",)

    def compute_loss(self, parts: Parts, batch: Batch, learning: str, progress: float) -> Losses:
        lightness, mask = self.pictures(batch)
        with torch.no_grad():
            large = enlarge(age(lightness, self.aged))
            seen = look(self._trunk.to(lightness.device), large)
        logits = parts["network"](*seen).float()
        truth = F.avg_pool2d(mask, mask.shape[-1] // logits.shape[-1])
        found = logits.sigmoid()
        both, sums = (found * truth).sum((1, 2, 3)), (found + truth).sum((1, 2, 3))
        apart = (1 - (2 * both + 1) / (sums + 1)).mean()
        entropy = F.binary_cross_entropy_with_logits(logits, truth)
        return {"loss": entropy + self.overlap * apart, "entropy": entropy, "apart": apart}

    def pictures(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """As many pictures as the batch has: L in [0, 100] and mask in [0, 1], (N, 1, H, W)."""
        light = rgb_to_lab(batch.photos, 1)[:, :1]
        count, device = len(light), light.device
        nobody = self._empty.to(device)[batch.labels].nonzero()[:, 0]
        chance = torch.rand(count, 1, 1, 1, device=device)
        if len(nobody) == 0:
            chance.zero_()  # nothing to paste onto: all keep their own background
            nobody = torch.zeros(1, dtype=torch.long, device=device)
        light = light[nobody[torch.randint(len(nobody), (count,), device=device)]]
        mask = torch.zeros_like(light)
        first = chance >= self.own + self.empty
        second = first & (torch.rand_like(chance) < self.second)
        for wanted in (first, second):
            drawn, covered = self._crop_windows(light, _draw_pasted)
            gain, shift = _draw_between(count, 0.8, 1.15), _draw_between(count, -8, 8)
            covered = covered * wanted
            drawn = (drawn * gain.to(device) + shift.to(device)).clamp(0, 100)
            light, mask = light + (drawn - light) * covered, torch.maximum(mask, covered)
        drawn, covered = self._crop_windows(light, _draw_within)
        own = chance < self.own
        light, mask = torch.where(own, drawn, light), torch.where(own, covered, mask)
        return light, mask

    def _crop_windows(self, like: Tensor, window: Any) -> tuple[Tensor, Tensor]:
        """As many of the people, through windows (top, left, edge) of their photographs: L and
        mask, shaped and placed as `like`."""
        people, held_back = self._people
        lightness, mask = hold(people[:2], like.device)
        people = people._replace(lightness=lightness, mask=mask)
        self._people = people, held_back
        count, side = len(like), like.shape[-1]
        chosen = torch.randint(len(people.mask), (count,))
        height, width = people.mask.shape[-2:]
        top, left, edge = window(people.boxes[chosen], height, width)
        mirror = torch.where(torch.rand(count) < 0.5, -1.0, 1.0)
        theta = torch.zeros(count, 2, 3)
        theta[:, 0, 0], theta[:, 1, 1] = mirror * edge / width, edge / height
        theta[:, 0, 2], theta[:, 1, 2] = (
            (2 * left + edge) / width - 1,
            (2 * top + edge) / height - 1,
        )
        theta = theta.to(people.mask.device)
        grid = F.affine_grid(theta, [count, 1, side, side], align_corners=False)
        options: dict[str, Any] = {"align_corners": False}
        light = F.grid_sample(people.lightness[chosen], grid, padding_mode="border", **options)
        mask = F.grid_sample(people.mask[chosen], grid, **options)
        return light.to(like.device), mask.to(like.device)

    @torch.no_grad()
    def evaluate(self, network: nn.Module, batch: Batch) -> dict[str, float]:
        """Mean intersection over union on the people that were held back, and the share of other
        photographs without people that is taken for one."""
        held, finder = self._people[1], Finder(self._trunk, network).to(batch.photos.device)
        found = torch.cat([_detect(finder, each) for each in held.lightness.split(25)])
        truth = held.mask > 0.5
        both, either = (found & truth).sum((1, 2, 3)), (found | truth).sum((1, 2, 3))
        scores = {"overlap": float((both / either.clamp(min=1)).mean())}
        nobody = batch.photos[
            (batch.labels >= 0) & self._empty.to(batch.labels.device)[batch.labels]
        ]
        if len(nobody):
            wrong = [_detect(finder, rgb_to_lab(each, 1)[:, :1]) for each in nobody.split(25)]
            scores["mistaken"] = float(torch.cat(wrong).float().mean())
        return scores

    def draw_sheet(self, network: nn.Module, batch: Batch) -> list[list[np.ndarray]]:
        """Rows of a photograph in gray and with what is found in red: held back, then others."""
        side, finder = batch.photos.shape[-1], Finder(self._trunk, network).to(batch.photos.device)
        held = F.interpolate(self._people[1].lightness[:12, :, :side], (side, side))
        rows = []
        for light in torch.cat([held, rgb_to_lab(batch.photos[:12], 1)[:, :1].cpu()]):
            gray = np.repeat((light[0] * 2.55).clamp(0, 255).byte().numpy()[..., None], 3, -1)
            red = gray.copy()
            red[_detect(finder, light[None])[0, 0].numpy(), 1:] //= 2
            rows.append([gray, red])
        return rows


def shows_nobody(kind: str) -> bool:
    """Whether photographs of that kind, as Photograph has it, are known to be without people."""
    return kind.split("/")[0] in EMPTY


def _draw_between(count: int, low: float, high: float) -> Tensor:
    return low + (high - low) * torch.rand(count, 1, 1, 1)


def _draw_within(boxes: Tensor, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Windows inside the photograph, from its head to all of its width."""
    count = len(boxes)
    edge = width * (0.35 + 0.65 * torch.rand(count))
    low = torch.where(torch.rand(count) < 0.4, 0.2 * (height - edge), height - edge)
    return torch.rand(count) * low, torch.rand(count) * (width - edge), edge


def _draw_pasted(boxes: Tensor, height: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Windows in which the person is small or large, whole or from the head down to somewhere."""
    count = len(boxes)
    start, end, first, last = boxes.float().T
    edge = width / torch.exp(math.log(0.35) + math.log(2.4 / 0.35) * torch.rand(count))
    tall = end - start
    whole = start - torch.rand(count) * (edge - tall)
    head = start - (0.02 + 0.33 * torch.rand(count)) * edge
    part = start + torch.rand(count) * (tall - edge)
    cut = torch.where(torch.rand(count) < 0.75, head, part)
    top = torch.where(edge > tall, whole, cut)
    return top, (first + last) / 2 - (0.15 + 0.7 * torch.rand(count)) * edge, edge


def enlarge(lightness: Tensor) -> Tensor:
    """To twice the size, which is what the colorizer is shown."""
    return F.interpolate(lightness, scale_factor=2.0, mode="bilinear", align_corners=False)


@torch.no_grad()
def _detect(network: nn.Module, lightness: Tensor) -> Tensor:
    """(N, 1, H, W) -> the same, whether there is somebody."""
    device = next(network.parameters()).device
    logits = network(enlarge(lightness.to(device))).float().cpu()
    return F.interpolate(logits, lightness.shape[-2:], mode="bilinear") > 0


def find_people(archives: Sequence[Path]) -> list[tuple[bytes, bytes]]:
    """The files of every photograph of zips with photo/NAME and mask/NAME.png in which somebody is
    seen, and of its mask, always in the same order. FileNotFoundError for a missing zip or mask."""
    found = []
    for archive in map(zipfile.ZipFile, archives):
        names = set(archive.namelist())
        for name in sorted(name for name in names if name.startswith("photo/")):
            beside = f"mask/{PurePosixPath(name).stem}.png"
            if beside not in names:
                raise FileNotFoundError(f"{archive.filename} has {name}, but no {beside}")
            photo, mask = archive.read(name), archive.read(beside)
            if (_read(mask)[..., 0] > 127).mean() >= LEAST:
                found.append((photo, mask))
    return found


def load_people(archives: Sequence[Path]) -> People:
    """What find_people() finds."""
    lights, masks, boxes = [], [], []
    for photo, mask in find_people(archives):
        covered = _read(mask)[..., 0] / 255
        rows, columns = (np.nonzero((covered > 0.5).any(axis))[0] for axis in (1, 0))
        lights.append(rgb_to_lab(_read(photo) / 255)[..., 0])
        masks.append(covered)
        boxes.append([rows[0], rows[-1] + 1, columns[0], columns[-1] + 1])
    planes = [torch.from_numpy(np.stack(each))[:, None] for each in (lights, masks)]
    return People(planes[0], planes[1], torch.from_numpy(np.array(boxes)))


def _read(data: bytes) -> NDArray[np.float32]:
    """(HEIGHT, WIDTH, 3)."""
    with Image.open(io.BytesIO(data)) as picture:
        small = picture.convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
    return np.asarray(small, np.float32)
