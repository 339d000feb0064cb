"""Photographs for training: zips or folders -> one uint8 tensor that stays in memory.

At 128 x 128 a photograph takes 48 KiB, so 50,000 fit into 2.4 GB, on the GPU too: no loader
processes stand between the data and the network, and crops are cut where the network learns.
"""

from __future__ import annotations

import io
import os
import random
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from colorize_core.imaging.formats import WRITTEN

SUFFIXES = {*WRITTEN, ".bmp"}
MOST_HELD = 0.5  # share of a GPU's free memory that data may take: the training needs the rest


@dataclass(frozen=True)
class Photograph:
    """A member of a zip or a file of a folder. `kind`: the folder that it lies in, for labels.
    `name`: that of the zip or folder, and its path inside."""

    kind: str
    name: str
    load: Callable[[], bytes]

    def read(self) -> np.ndarray:
        """(H, W, 3) uint8, as the file has it: neither turned nor converted to sRGB."""
        with Image.open(io.BytesIO(self.load())) as photo:
            return np.asarray(photo.convert("RGB"))


@dataclass(frozen=True)
class Photos:
    """Photographs in memory: pixels (N, 3, side, side) uint8, and which of `kinds` each is."""

    pixels: Tensor
    labels: Tensor
    kinds: tuple[str, ...]


def load_photos(
    sources: Iterable[Path],
    side: int = 128,
    limit: int | None = None,
    kinds: tuple[str, ...] | None = None,
    part: Callable[[Sequence[Photograph]], list[Photograph]] = list,
) -> Photos:
    """Every photograph of the zips and folders, squared by a centre crop. `part`: `reporting` or
    `choosing`, otherwise all. `limit` takes a fair sample of these. `kinds`: those to number the
    labels by, otherwise those that are found; -1 is none of them. FileNotFoundError for a missing
    source, ValueError if there is no photograph."""
    members = part(find_photos(sources))[:limit]
    # Written into at once: tens of thousands of photographs are not to be in memory twice.
    pixels = np.empty((len(members), 3, side, side), np.uint8)

    def read(place: int) -> None:
        pixels[place] = _crop_square(members[place].read(), side).transpose(2, 0, 1)

    with ThreadPoolExecutor() as pool:
        list(pool.map(read, range(len(members))))
    kinds = kinds or tuple(sorted({member.kind for member in members}))
    numbers = {kind: number for number, kind in enumerate(kinds)}
    return Photos(
        torch.from_numpy(pixels),
        torch.tensor([numbers.get(member.kind, -1) for member in members]),
        kinds,
    )


class Batch(NamedTuple):
    photos: Tensor  # (N, 3, H, W) in [0, 1]
    labels: Tensor  # (N,)


def find_photos(sources: Iterable[Path], limit: int | None = None) -> list[Photograph]:
    """The photographs of zips and folders. FileNotFoundError for a missing source, OSError for one
    that cannot be read, ValueError if there is no photograph."""
    members = [member for source in sources for member in _list_members(Path(source))]
    if not members:
        raise ValueError("no photographs found; give zips or folders of JPEG, PNG or WebP files")
    random.Random(0).shuffle(members)  # a limit takes a fair sample, the same one every time
    return members[:limit]


def select_reporting(members: Sequence[Photograph]) -> list[Photograph]:
    """Of photographs for validation, in the order of find_photos(), those that scores are reported
    on: the first third, rounded down. No training sees them, not even to choose its best look."""
    return list(members[: len(members) // 3])


def select_choosing(members: Sequence[Photograph]) -> list[Photograph]:
    """The others, by which a training chooses."""
    return list(members[len(members) // 3 :])


def _list_members(source: Path) -> Iterator[Photograph]:
    if not source.exists():
        raise FileNotFoundError(f"no such zip or folder: {source}")
    if source.is_dir():
        walk = os.walk(source, onerror=_refuse)  # rglob() leaves out what cannot be read
        files = (Path(here, name) for here, _, names in walk for name in names)
        for path in sorted(p for p in files if p.suffix.lower() in SUFFIXES):
            yield _make_photograph(source, path.relative_to(source).as_posix(), path.read_bytes)
        return
    archive = zipfile.ZipFile(source)
    for name in sorted(archive.namelist()):
        if Path(name).suffix.lower() in SUFFIXES:
            yield _make_photograph(source, name, partial(archive.read, name))


def _refuse(error: OSError) -> None:
    raise error


def _make_photograph(source: Path, inside: str, load: Callable[[], bytes]) -> Photograph:
    kind = PurePosixPath(inside).parent.as_posix()
    return Photograph(kind, f"{source.resolve().name}/{inside}", load)


def _crop_square(photo: np.ndarray, side: int) -> np.ndarray:
    edge = min(photo.shape[:2])
    top, left = (photo.shape[0] - edge) // 2, (photo.shape[1] - edge) // 2
    crop = Image.fromarray(photo[top : top + edge, left : left + edge])
    return np.asarray(crop.resize((side, side), Image.Resampling.BOX))


def hold(tensors: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """All of them on the device, or, where a GPU's free memory is too little for what is not there
    yet, as they are. CUDA alone tells how much is free: other devices are taken to have enough."""
    moved = sum(tensor.nbytes for tensor in tensors if tensor.device.type != device.type)
    if device.type == "cuda" and moved:
        free, _ = torch.cuda.mem_get_info(device)
        if moved > MOST_HELD * free:
            return list(tensors)
    return [tensor.to(device) for tensor in tensors]


class Batches:
    """Endless random batches on `device`: a random crop (one scale a batch, one place a photo), a
    random mirror, resized to the side asked for. The photos are held there too if they fit; if not,
    crops are cut in main memory and moved as uint8."""

    def __init__(
        self,
        photos: Photos,
        batch: int,
        seed: int,
        device: torch.device,
        balance: float = 0.0,
    ):
        self.device = device
        self.photos, self.labels = hold((photos.pixels, photos.labels), device)
        self.kinds = photos.kinds
        self.batch = batch
        self.random = torch.Generator().manual_seed(seed)
        self.order = torch.empty(0, dtype=torch.long)
        self.weights = _compute_weights(photos, balance)

    def draw(self, side: int, least_scale: float = 0.55) -> Batch:
        """At that side; `least_scale`: smallest crop edge over the photo's edge."""
        if len(self.order) < self.batch:
            epoch = self._epoch()
            self.order = torch.cat([self.order, epoch.repeat(1 + self.batch // len(epoch))])
        chosen, self.order = self.order[: self.batch], self.order[self.batch :]
        full = self.photos.shape[-1]
        edge = round(full * (least_scale + (1 - least_scale) * self._uniform()))
        top, left = torch.randint(0, full - edge + 1, (self.batch, 2), generator=self.random).T
        windows = self.photos.unfold(2, edge, 1).unfold(3, edge, 1)  # a view: every possible crop
        batch = windows[chosen, :, top, left].to(self.device).float() / 255
        batch = F.interpolate(batch, size=(side, side), mode="bilinear", antialias=edge > side)
        mirrored = torch.rand(self.batch, generator=self.random) < 0.5
        mirror = mirrored.view(-1, 1, 1, 1).to(self.device)
        photos = torch.where(mirror, batch.flip(-1), batch)
        return Batch(photos, self.labels[chosen].to(self.device))

    def _epoch(self) -> Tensor:
        """As many numbers of photographs as there are, in random order: each at least as often as
        the whole part of its weight, the fraction being its chance of once more."""
        chance = torch.rand(len(self.weights), generator=self.random)
        times = (self.weights + chance).long()
        every = torch.arange(len(times)).repeat_interleave(times)
        return every[torch.randperm(len(every), generator=self.random)]

    def _uniform(self) -> float:
        return float(torch.rand((), generator=self.random))


def _compute_weights(photos: Photos, balance: float) -> Tensor:
    """How often each photograph is to be drawn in an epoch, 1 in the mean. A source, the first
    folder of a kind, with n photographs is drawn n ** (1 - balance) times as often."""
    names = [kind.split("/")[0] for kind in photos.kinds]
    sources = sorted(set(names))
    of_kind = torch.tensor([sources.index(name) for name in names])
    source = torch.where(photos.labels >= 0, of_kind[photos.labels.clamp_min(0)], len(sources))
    counts = torch.bincount(source, minlength=len(sources) + 1).float()
    weights = counts[source] ** -balance
    return weights / weights.mean()
