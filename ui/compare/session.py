"""What the tab "Compare" keeps of one person: a photo and every colouring of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize_core import metrics
from colorize_core.errors import ColorizeError, PictureError
from colorize_core.evaluate.comparison import SECONDS, Entry, Result, list_references
from colorize_core.file_names import split_suffix
from colorize_core.imaging import image
from colorize_core.imaging.color import combine_ab
from colorize_core.imaging.heatmap import draw_heat_map
from colorize_core.imaging.tone import measure_tone
from colorize_core.metrics import Metric, baselines, protocol
from colorize_core.options import Options
from colorize_core.steering.provenance import Record, describe_options
from ui.shared.photo import OpenPhoto, decode
from ui.shared.photo_tab import PhotoSession
from ui.shared.service import Service, in_words

MOST_PIXELS = 1_000_000  # of what is compared; a larger photo is shrunk first
NO_TRUTH = "No ground truth: the photo is black and white."
LATER = "It is being worked on."
STOPPED = "It was stopped before."
Picture = NDArray[np.uint8]  # (H, W, 3) sRGB


@dataclass
class Colouring:
    """A picture that is there."""

    path: Path  # a PNG
    square: Picture  # (256, 256, 3): what is scored
    seconds: float | None = None
    heat: Path | None = None  # a PNG of its differences from the truth


@dataclass(eq=False)
class CompareSession(PhotoSession):
    """One photo, its pictures and their scores."""

    photo: OpenPhoto
    folder: Path  # where its pictures are
    truth: Picture | None  # the photo, where it has colours of its own
    gray: Picture
    target: Picture  # (256, 256, 3): what scores compare with
    planned: tuple[Entry, ...] = ()
    metrics: tuple[Metric, ...] = ()
    made: dict[Entry, Colouring] = field(default_factory=dict)
    faults: dict[Entry, str] = field(default_factory=dict)  # why there is no picture
    scores: dict[Entry, dict[str, float]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)  # metric -> why it cannot be had
    running: bool = False
    difference: bool = False  # heat maps are shown

    @classmethod
    def open(cls, photo: OpenPhoto, service: Service) -> CompareSession:
        """Raises PictureError, WeightsError."""
        scale = min(1.0, float(np.sqrt(MOST_PIXELS / (photo.size[0] * photo.size[1]))))
        width, height = (max(1, int(length * scale)) for length in photo.size)
        small = photo.shrink(height, width)
        tone = measure_tone(small)
        lightness = tone.lightness(small)[..., None].clip(0, 100)
        gray = combine_ab(lightness, np.zeros_like(small[..., :2], np.float32))
        truth = small if tone.coloured else None
        target = protocol.crop_square(gray if truth is None else truth)
        session = cls(photo, service.folder.new("compare").parent, truth, gray, target)
        shown = {"truth": small, "gray": gray, "mean": baselines.make_one_colour(gray)}
        for entry in list_references(tone.coloured):
            session.add(entry, shown[entry.kind], None)
        return session

    def begin(self) -> None:
        """Before a run: what went wrong may go well this time. Raises PictureError."""
        self.check()
        self.faults.clear()
        self.missing.clear()

    def check(self) -> None:
        """Raises PictureError where pictures are gone."""
        if not all(made.path.exists() for made in self.made.values()):
            raise PictureError(
                "The pictures are no longer here: they are deleted after an hour. Add the photo "
                "again."
            )

    @property
    def name(self) -> str:
        """Of the photo, without its suffix."""
        return split_suffix(self.photo.path.name)[0]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of all its pictures."""
        return self.gray.shape[1], self.gray.shape[0]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What is shown: while a run goes on also what is still to come."""
        known = self.made.keys() | self.faults.keys()
        return list_references(self.truth is not None) + tuple(
            entry for entry in self.planned if self.running or entry in known
        )

    def add(self, entry: Entry, picture: Picture, seconds: float | None) -> None:
        """A picture has come."""
        path = self.folder / f"{entry.slug}.png"
        _write(path, picture, self._describe(entry))
        square = protocol.crop_square(picture)
        if self.truth is not None:
            same = entry.kind == "truth"
            square = self.target if same else protocol.recombine(square, self.target)
        self.made[entry] = Colouring(path, square, seconds)
        self.faults.pop(entry, None)
        self.scores.setdefault(entry, {})

    def _describe(self, entry: Entry) -> Record | None:
        """Where its colours come from."""
        if entry.kind == "truth":
            return self.photo.decoded.metadata.record
        if not entry.model:
            return None
        return describe_options(read_options(entry))

    def find(self, key: Any) -> Entry:
        """The picture of a model that has that key on the page. Raises PictureError."""
        for entry in self.made:
            if entry.model and entry.slug == key:
                return entry
        raise PictureError("That picture is no longer here. Compare again.")

    def score(self, metric: Metric, entry: Entry) -> None:
        """Take one figure of one picture, unless it is there or cannot be had."""
        scores = self.scores[entry]
        if metric.name in scores or metric.name in self.missing:
            return
        if metric.needs_truth and self.truth is None:
            return
        try:
            with in_words():
                scores[metric.name] = metrics.score(
                    metric.name, self.made[entry].square, self.target
                )
        except ColorizeError as error:
            self.missing[metric.name] = str(error)

    def results(self) -> list[Result]:
        """What is known of every entry, in their order."""
        return [self._result(entry) for entry in self.entries]

    def _result(self, entry: Entry) -> Result:
        made = self.made.get(entry)
        if made is None:
            later = LATER if self.running else STOPPED
            return Result(entry, error=self.faults.get(entry, later))
        scores = dict(self.scores[entry])
        untaken = LATER if self.running else STOPPED
        missing = {each.name: self._reason(each, untaken) for each in self.metrics}
        if made.seconds is None:
            missing[SECONDS.name] = "No model was asked."
        else:
            scores[SECONDS.name] = made.seconds
        return Result(entry, scores, {k: v for k, v in missing.items() if k not in scores})

    def _reason(self, metric: Metric, untaken: str) -> str:
        if metric.needs_truth and self.truth is None:
            return NO_TRUTH
        return self.missing.get(metric.name, untaken)

    def heats(self) -> Sequence[Entry]:
        """The pictures whose differences from the truth have not been drawn yet."""
        if self.truth is None or not self.difference:
            return []
        return [entry for entry in self.entries if entry in self.made and not self.made[entry].heat]

    def draw_heat(self, entry: Entry) -> None:
        made = self.made[entry]
        if self.truth is not None:
            path = self.folder / f"{entry.slug}-difference.png"
            _write(path, draw_heat_map(self.picture(entry), self.truth))
            made.heat = path

    def picture(self, entry: Entry) -> Picture:
        """Raises PictureError where it was deleted meanwhile."""
        return decode(self.made[entry].path).pixels.astype(np.uint8, copy=False)


def read_options(entry: Entry) -> Options:
    """What a model's picture is made with."""
    seed = {} if entry.seed is None else {"seed": entry.seed}
    return Options(entry.model, entry.vividness).with_controls(**seed)


def _write(path: Path, picture: Picture, record: Record | None = None) -> None:
    path.parent.mkdir(exist_ok=True)
    image.write(path, image.Photo(picture, None, image.Metadata(record=record), "PNG"))
