"""What the tab "Selective" keeps of one person: a photo and its regions.

A mask changes with every stroke of the brush, so it is kept packed and nothing is changed in place:
undo is going back to the regions before.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorize_core import selective
from colorize_core.imaging.tone import Picture
from colorize_core.models.runner import Task
from colorize_core.options import Options
from colorize_core.selective import Layer, Mask, Region
from colorize_core.selective.blending import OWN
from ui.shared import model_choices
from ui.shared.kept_work import KeptSession
from ui.shared.photo import OpenPhoto, Selection
from ui.shared.service import QUALITY, Service

MOST_STEPS = 60  # that can be undone
MOST_REGIONS = 6
Strokes = tuple[tuple[tuple[tuple[float, float], ...], float], ...]  # points (x, y), and a radius


class Fill(NamedTuple):
    """What a region or its surroundings are filled with: a model's colours, one flat colour, the
    colouring of another tab, or, with none of them, black and white."""

    model: str | None = None
    vividness: float = 1.0
    colour: tuple[int, int, int] | None = None
    colouring: Options | None = None

    @property
    def plain(self) -> bool:
        return (self.model, self.colour, self.colouring) == (None, None, None)

    def make_region(self, mask: Mask | None = None) -> Region:
        return Region(mask, self.model, self.vividness, self.colour, colouring=self.colouring)


class Marks(NamedTuple):
    """What was drawn to have an object selected."""

    box: tuple[float, float, float, float] | None = None
    keep: Strokes = ()
    drop: Strokes = ()


PLAIN = Fill()
UNMARKED = Marks()


@dataclass(frozen=True)
class Area:
    """One region. `key` stays its own whatever is done to it."""

    key: int
    fill: Fill  # what is wanted
    packed: bytes  # its mask
    shown: Fill = PLAIN  # what there is until then
    marks: Marks = UNMARKED
    layers: tuple[str, ...] = ()  # found classes that were put in
    guessed: bool = False  # nobody has changed the mask that it began with


@dataclass(eq=False)
class SelectiveSession(KeptSession):
    """One photo and its regions."""

    photo: OpenPhoto
    key: str
    small: NDArray[np.uint8]  # the photo at the size at which it is edited, (H, W, 3)
    areas: tuple[Area, ...] = ()
    active: int = 0  # the place of the region that is worked on
    outside: Fill = PLAIN  # what is wanted around the regions
    around_shown: Fill = PLAIN  # what there is until then
    found: tuple[Layer, ...] = ()  # classes in the photo
    subject: bytes = b""  # the mask of what the photo is about, packed, once it was looked for
    files: dict[Fill, Path] = field(default_factory=dict)  # the photo so filled, a JPEG each
    masks: dict[bytes, Path] = field(default_factory=dict)  # what the page is shown of them
    past: list[tuple[Area, ...]] = field(default_factory=list)
    future: list[tuple[Area, ...]] = field(default_factory=list)
    restored: bool = False  # its regions were there when it was opened
    earlier: str = ""
    seen: int = 0  # the last edit of the page's that was made
    version: int = 0  # of what the page is shown
    names: Iterator[int] = field(default_factory=count)  # of files that the page is shown
    lock: Any = field(default_factory=threading.RLock)  # of what is changed
    making: Any = field(default_factory=threading.Lock)  # of pictures

    @classmethod
    def open(cls, photo: OpenPhoto, service: Service) -> SelectiveSession:
        """Raises PictureError."""
        width, height = photo.size
        small = photo.shrink(*selective.choose_size(height, width))
        session = cls(photo, service.folder.new("selective").parent.name, small)
        if photo.selection is not None:
            session.restore(photo.selection)
        else:
            session.areas = (Area(1, choose_first(photo), pack(selective.make_empty(small))),)
        return session

    def restore(self, selection: Selection) -> None:
        """The regions as they were saved."""
        self.areas = tuple(
            Area(key, read_region(region), pack(selective.resize(region.mask, *self.shape)))
            for key, region in enumerate(selection.regions[:MOST_REGIONS], 1)
            if region.mask is not None
        )
        self.outside, self.restored = read_region(selection.outside), True

    def select(self) -> None:
        """Leave what there is with the photo, for its project file and for the next time."""
        outside = self.surround(self.outside) or Region()
        regions = tuple(area.fill.make_region(self.mask(area)) for area in self.areas)
        self.photo.selection = Selection(regions, outside)

    @property
    def by_hand(self) -> bool:
        return bool(self.past) or self.restored

    # --- masks ----------------------------------------------------------------------------------

    @property
    def area(self) -> Area:
        """The region that is worked on."""
        return self.areas[self.active]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of what is edited."""
        return self.small.shape[0], self.small.shape[1]

    def mask(self, area: Area | None = None) -> Mask:
        """A region's mask, that of the one that is worked on if none is named."""
        return unpack((area or self.area).packed, self.shape)

    def lightness(self) -> NDArray[np.float32]:
        """L of the photo at the size at which it is edited, (H, W) in [0, 100]."""
        return selective.measure_lightness(self.small)

    def find_subject(self, progress: Callable[[float], None] | None = None) -> Mask:
        """What the photo is about, looked for once."""
        if not self.subject:
            self.subject = pack(selective.find_subject(self.small, progress=progress))
        return unpack(self.subject, self.shape)

    def change(self, mask: Mask, **others: Any) -> None:
        """Give the region that is worked on another mask, as a step that can be undone."""
        self.step(self.put(packed=pack(mask), guessed=False, **others))

    def put(self, **changes: Any) -> tuple[Area, ...]:
        """The regions, with changes to the one that is worked on."""
        changed = replace(self.area, **changes)
        return tuple(changed if area is self.area else area for area in self.areas)

    def step(self, areas: tuple[Area, ...]) -> None:
        """Go on to these regions."""
        self.past = [*self.past, self.areas][-MOST_STEPS:]
        self.future = []
        self._go(areas)

    def undo(self) -> None:
        if self.past:
            self.future.append(self.areas)
            self._go(self.past.pop())

    def redo(self) -> None:
        if self.future:
            self.past.append(self.areas)
            self._go(self.future.pop())

    def _go(self, areas: tuple[Area, ...]) -> None:
        """What a region is filled with is no step: it stays as it is."""
        key = self.area.key
        now = {area.key: area for area in self.areas}
        kept = [now.get(area.key, area) for area in areas]
        self.areas = tuple(
            replace(area, fill=as_now.fill, shown=as_now.shown)
            for area, as_now in zip(areas, kept, strict=True)
        )
        places = [area.key for area in self.areas]
        self.active = places.index(key) if key in places else len(places) - 1

    # --- regions --------------------------------------------------------------------------------

    def add(self) -> None:
        """Another region, empty, to be worked on."""
        used = [area.key for steps in (self.areas, *self.past) for area in steps]
        empty = pack(selective.make_empty(self.small))
        self.step((*self.areas, Area(max(used) + 1, self.area.fill, empty, self.area.shown)))
        self.active = len(self.areas) - 1

    def remove(self, key: int) -> None:
        """The last one stays."""
        left = tuple(area for area in self.areas if area.key != key)
        if left and len(left) < len(self.areas):
            self.step(left)

    def pick(self, key: int) -> None:
        places = [area.key for area in self.areas]
        if key in places:
            self.active = places.index(key)

    def share(self, area: Area) -> float:
        """Of the picture, in [0, 1]."""
        return float(self.mask(area).mean())

    # --- pictures -------------------------------------------------------------------------------

    def list_missing(self) -> list[Fill]:
        """What has not been made yet."""
        fills = [self.outside, PLAIN, *(area.fill for area in self.areas)]
        return [fill for fill in dict.fromkeys(fills) if not self.has(fill)]

    def settle(self) -> None:
        """What could be made is shown, and what could not is not wanted any more."""
        self.areas = tuple(
            replace(area, shown=area.fill)
            if self.has(area.fill)
            else replace(area, fill=area.shown)
            for area in self.areas
        )
        if self.has(self.outside):
            self.around_shown = self.outside
        self.outside = self.around_shown

    def has(self, fill: Fill) -> bool:
        """Whether the photo so filled is there, and was not deleted meanwhile."""
        return fill in self.files and self.files[fill].exists()

    def make(self, fill: Fill, service: Service, task: Task) -> None:
        """The photo so filled, at the size at which it is edited; once for every fill.

        Raises PictureError, UnknownModelError, WeightsError or Cancelled.
        """
        with task.hold(self.making, "Waiting for another picture"):
            if not self.has(fill):
                picture = self.fill(fill, service, task)
                path = self.name_file(service, "jpg")
                Image.fromarray(picture).save(path, quality=QUALITY, subsampling=0)
                self.files[fill] = path

    def name_file(self, service: Service, ending: str) -> Path:
        """Where a picture for the page goes, under a name that it has never had."""
        path = service.folder.path / self.key / f"{next(self.names)}.{ending}"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        return path

    def fill(self, fill: Fill, service: Service, task: Task) -> NDArray[np.uint8]:
        """The small photo, filled so everywhere."""
        colorize = partial(self.colorize, service, task)
        made = selective.compose(self.small, [], self.surround(fill), colorize)
        return made.astype(np.uint8, copy=False)

    def surround(self, fill: Fill) -> Region | None:
        """A fill without a mask. None are the photo's own pixels: a black-and-white photo stays as
        it is, byte for byte."""
        return None if fill.plain and not self.photo.coloured else fill.make_region()

    def colorize(self, service: Service, task: Task, pixels: Picture, region: Region) -> Picture:
        """The photo, at any size, in the colours of a region's models, as selective.compose() asks
        for it."""
        options = region.wanted
        if region.model == OWN or options is None:
            return pixels
        prediction = self.photo.predict(service.runner, options, task)
        prediction = replace(prediction, size=pixels.shape[:2])
        return service.runner.render(pixels, prediction, options, task)


def read_region(region: Region) -> Fill:
    """What a region is filled with."""
    return Fill(region.model, region.vividness, region.colour, region.colouring)


def choose_first(photo: OpenPhoto) -> Fill:
    """What the first region begins with: the colours that the photo has in another tab."""
    if photo.colours is None:
        return Fill(model_choices.suggest())
    # Parts show the photo itself: what was filled in it counts for the colours alone.
    prepare = photo.colours.prepare.keep_photo()
    return Fill(colouring=replace(photo.colours, prepare=prepare))


def pack(mask: Mask) -> bytes:
    """In 256 shades, a hundredth of its size."""
    return zlib.compress(np.round(np.clip(mask, 0, 1) * 255).astype(np.uint8).tobytes(), 1)


def unpack(packed: bytes, shape: tuple[int, int]) -> Mask:
    shades = np.frombuffer(zlib.decompress(packed), np.uint8)
    return shades.reshape(shape).astype(np.float32) / np.float32(255)
