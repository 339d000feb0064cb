"""Where the places of colour hints go: hints are put on keyframes, and motion takes their places
through the scene, forward and back.

This is done before the film is coloured, from the film and the hints alone. So frames before a
keyframe know its hints though they are coloured first, and a run that goes on where another was
stopped finds the same. A scene with hints is decoded twice for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from colorize_core.errors import OptionError
from colorize_core.film import flow, scenes
from colorize_core.film.flow import Field, Plane
from colorize_core.film.keyframes import Keyframe
from colorize_core.film.propagation import FilmFrame
from colorize_core.film.source import Film
from colorize_core.models.runner import Task
from colorize_core.steering.hints import Hint

REACH = 1440  # frames that hints are followed for, each way: a minute of most films
LEAST = 0.5  # mean sureness around a place under which it is lost
AROUND, WIDE = 5.0, 30.0  # pixels around a place, of flow.SIDE, whose motion is its own
SMOOTH = 1.5  # pixels over which grain is smoothed before
FLAT = 2.5  # standard deviation of L around a place where nothing tells how it moves
CHANGED, SHARE = 6.0, 0.5  # Lab units of L by which what is around a place may differ from what it
# was LAG frames before, and share of how much L varies there: else it is hidden by something
LAG, LATE = 12, 6  # frames; after so many it is seen that something has come over a place
BLACK = 16.0  # L of a lamp that gets brighter grows as L + 16 does
SAME = 0.03  # share of a side within which hints of two keyframes are of one thing
WARM_UP = 2 * (scenes.FLASH + 1)  # frames after which cuts are told as from the beginning

Places = NDArray[np.float32]  # (K, 2), x and y

_DISC = np.array(
    [(0.0, 0.0)]
    + [
        (reach * np.cos(angle), reach * np.sin(angle))
        for reach in (0.5, 1.0)
        for angle in np.arange(0, 2 * np.pi, np.pi / 4)
    ],
    np.float32,
)


class Sight(NamedTuple):
    """What is kept of a frame while hints are followed."""

    pts: int
    small: NDArray[np.uint8]  # L, as motion is measured

    @classmethod
    def make(cls, frame: FilmFrame) -> Sight:
        smooth = cv2.GaussianBlur(frame.small, (0, 0), SMOOTH)
        return cls(frame.pts, np.round(smooth * 2.55).astype(np.uint8))

    @property
    def light(self) -> Plane:
        return self.small.astype(np.float32) / np.float32(2.55)


@dataclass
class Track:
    """The hints of one keyframe on the frames of its scene."""

    at: float  # seconds, as it was asked for
    pts: int  # of the keyframe
    hints: tuple[Hint, ...]
    places: dict[int, Places]  # pts -> shares of the frame as it is stored; NaN where one is lost
    lost: dict[bool, int] = field(default_factory=dict)  # on, or back -> pts where the first is


@dataclass(frozen=True)
class Plan:
    """All hints of a film on all frames that they reach."""

    tracks: tuple[Track, ...] = ()
    turn: int = 0  # degrees that the film is turned by to be shown, counter-clockwise
    notes: tuple[str, ...] = ()

    def is_key(self, pts: int) -> bool:
        return any(track.pts == pts for track in self.tracks)

    def find(self, pts: int) -> tuple[Hint, ...]:
        """The hints for a frame as it is shown. Of two that meet, from two keyframes, the one whose
        keyframe is nearer counts."""
        there = [track for track in self.tracks if pts in track.places]
        found: list[Hint] = []
        for track in sorted(there, key=lambda each: abs(each.pts - pts)):
            upright = turn_places(track.places[pts], self.turn)
            nearer = np.array([(hint.x, hint.y) for hint in found], np.float32).reshape(-1, 2)
            for hint, place in zip(track.hints, upright, strict=True):
                apart = np.hypot(*(nearer - place).T)
                if np.isfinite(place).all() and not (apart < SAME).any():
                    x, y = np.clip(place, 0, 1).tolist()
                    found.append(replace(hint, x=x, y=y))
        return tuple(found)


def turn_places(places: Places, degrees: int) -> Places:
    """Shares of a frame as it is stored -> of the same one turned counter-clockwise."""
    x, y = places.T
    turned = {0: (x, y), 90: (y, 1 - x), 180: (1 - x, 1 - y), 270: (1 - y, x)}[degrees % 360]
    return np.stack(turned, -1).astype(np.float32)


def follow_hints(
    film: Film, keyframes: Sequence[Keyframe], task: Task, within: tuple[float, float] | None = None
) -> Plan:
    """The hints on all frames that they reach. `within`: seconds of the film outside which nothing
    is needed. Raises OptionError for a time that the film does not have, and Cancelled."""
    rate = float(film.look.rate)
    if within is not None:
        reach = 1 + 2 * REACH / rate  # twice, as frames may be farther apart than they mostly are
        keyframes = [k for k in keyframes if within[0] - reach <= k.at <= within[1] + reach]
    if not keyframes:
        return Plan(turn=film.look.turn)
    with Film(film.path) as other:  # as where the film stands is not to change
        base = film.look.time_base

        def read(since: float) -> Iterator[FilmFrame]:
            start = round((film.start + since - (REACH + WARM_UP) / rate) / base)
            other.rewind()
            for samples, pts, duration in other.frames(start):
                task.step(0.0, "Following the hints")
                yield FilmFrame.make(samples, film.look.signal, pts, duration)

        def time(pts: int) -> float:
            return float(pts * base) - film.start

        tracks = find_tracks(read, keyframes, time, 1 / rate, film.look.turn)
    notes = tuple(filter(None, (_describe(each, time) for each in tracks)))
    return Plan(tuple(tracks), film.look.turn, notes)


def find_tracks(
    read: Callable[[float], Iterable[FilmFrame]],
    keyframes: Sequence[Keyframe],
    time: Callable[[int], float],
    step: float,
    turn: int = 0,
) -> list[Track]:
    """Tracks of keyframes in the order of time. `read(seconds)`: the frames from REACH before that
    time on; `time`: seconds of a pts; `step`: seconds that a frame lasts; `turn`: see Plan."""
    waiting = deque(keyframes)
    tracks: list[Track] = []
    while waiting:
        walk = _Walk(time, waiting, step, turn)
        frames = read(waiting[0].at)
        for frame, begins in scenes.find_cuts(frames, lambda each: each.thumbnail):
            walk.take(Sight.make(frame), begins)
            if walk.idle:
                break
        else:
            walk.end()
        tracks += walk.tracks
    return tracks


class _Walk:
    """Through one stretch of frames, past the keyframes that are in it."""

    def __init__(
        self, time: Callable[[int], float], waiting: deque[Keyframe], step: float, turn: int
    ) -> None:
        self.time, self.waiting, self.step, self.turn = time, waiting, step, turn
        self.behind: deque[Sight] = deque(maxlen=REACH + 1)  # of the same scene
        self.tracks: list[Track] = []
        self.walkers: list[_Walker] = []

    @property
    def idle(self) -> bool:
        """Whether this stretch is done: nothing is followed any more, and the next keyframe is
        farther than what is kept."""
        if self.walkers or not self.tracks:
            return False
        ahead = self.waiting[0].at - self.time(self.behind[-1].pts) if self.waiting else np.inf
        return bool(ahead > (REACH + WARM_UP) * self.step)

    def take(self, sight: Sight, begins: bool) -> None:
        if self.behind:
            self._begin_up_to((self.time(self.behind[-1].pts) + self.time(sight.pts)) / 2)
        if begins:
            self.walkers = []
            self.behind.clear()
        if self.walkers:
            motion = flow.measure_motion(self.behind[-1].light, sight.light)
            self.walkers = [
                each
                for each in self.walkers
                if each.go_on(self.behind[-1], sight, motion.forward, motion.sure)
            ]
        self.behind.append(sight)

    def end(self) -> None:
        """The film ends here. Raises OptionError where a keyframe is behind its end."""
        last = self.time(self.behind[-1].pts) if self.behind else -np.inf
        self._begin_up_to(last + 1.5 * self.step)  # times are often rounded
        if self.waiting:
            raise OptionError(
                f"The film has nothing at {self.waiting[0].at:g} seconds, where there are hints; "
                f"its last frame is at {max(last, 0):.2f}. Give them another time."
            )

    def _begin_up_to(self, time: float) -> None:
        """Follow the hints of the last frame, where the keyframes up to that time are its own."""
        while self.waiting and self.waiting[0].at <= time:
            keyframe = self.waiting.popleft()
            here = self.behind[-1]
            shown = np.array([(hint.x, hint.y) for hint in keyframe.hints], np.float32)
            places = turn_places(shown, -self.turn)
            track = Track(keyframe.at, here.pts, keyframe.hints, {here.pts: places})
            self.tracks.append(track)
            self._go_back(_Walker(track, here, on=False))
            self.walkers.append(_Walker(track, here, on=True))

    def _go_back(self, walker: _Walker) -> None:
        for number in range(len(self.behind) - 1, 0, -1):
            here, there = self.behind[number], self.behind[number - 1]
            motion = flow.measure_motion(there.light, here.light)
            if not walker.go_on(here, there, motion.backward, motion.back_sure):
                return


class _Walker:
    """The places of one keyframe on their way, on or back."""

    def __init__(self, track: Track, sight: Sight, on: bool) -> None:
        self.track, self.on = track, on
        height, width = sight.small.shape
        self.scale = np.array([width, height], np.float32)
        self.places = track.places[sight.pts] * self.scale - 0.5
        self.alive = np.ones(len(self.places), bool)
        self.lamp = 1.0  # how much lighter all has become
        self.seen = deque([self._see(sight.light, self.places)], maxlen=LAG)
        self.count = 0
        self.last: deque[int] = deque(maxlen=LATE)  # pts

    def go_on(self, here: Sight, there: Sight, moved: Field, sure: Plane) -> bool:
        """One frame further; whether there is anything left to follow. `moved` (h, w, 2) is where
        the pixels of `here` go."""
        height, width = here.small.shape
        before, after = here.light, there.light
        grid = flow.make_grid(height, width)
        came = flow.sample(after, grid + moved)
        self.lamp *= float(np.median((came + BLACK) / (before + BLACK)))
        places, certain = _move(self.places, before, moved, sure)
        inside = ((places > -0.5) & (places < self.scale - 0.5)).all(-1)
        seen, earlier = self._see(after, places), self.seen[0]
        difference = np.sqrt(((seen - earlier) ** 2).mean(1))
        changed = difference > CHANGED + SHARE * earlier.std(1)
        self.seen.append(seen)
        self.count += 1
        kept = (certain >= LEAST) & inside & ~changed & (self.count <= REACH)
        for pts in self.last:
            self.track.places[pts][self.alive & changed] = np.nan
        if not (self.alive & kept).all():
            early = self.last[0] if self.last and (self.alive & changed).any() else there.pts
            self.track.lost.setdefault(self.on, early)
        self.places, self.alive = places, self.alive & kept
        self.last.append(there.pts)
        if not self.alive.any():
            return False
        shares = (places + 0.5) / self.scale
        shares[~self.alive] = np.nan
        self.track.places[there.pts] = shares
        return True

    def _see(self, light: Plane, places: Places) -> Plane:
        """L around the places, (K, D), as under the keyframe's lamp."""
        blurred = cv2.GaussianBlur(light, (0, 0), flow.BLUR)
        seen = flow.sample(blurred, _surround(places, AROUND))
        even: Plane = (seen + np.float32(BLACK)) / np.float32(self.lamp) - np.float32(BLACK)
        return even


def _move(
    places: Places, light: Plane, moved: Field, sure: Plane
) -> tuple[Places, NDArray[np.float32]]:
    """Where places (K, 2) in pixels go, and how sure that is, (K,): by the median of what is sure
    around them, as a single pixel's motion may be that of what is behind it. In the middle of a
    flat thing, as a wall, nothing tells how it moves; there it is what is sure farther off."""
    step, certain = _find_step(places, moved, sure, AROUND)
    far_step, far = _find_step(places, moved, sure, WIDE)
    flat = flow.sample(light, _surround(places, AROUND)).std(1) < FLAT
    wide = flat & (far > 0)
    step[wide], certain[wide] = far_step[wide], 1.0
    return places + step, certain


def _find_step(
    places: Places, moved: Field, sure: Plane, reach: float
) -> tuple[Places, NDArray[np.float32]]:
    """The median of what is sure within so many pixels, and the mean sureness there."""
    around = _surround(places, reach)
    certain = flow.sample(sure, around)
    ways = np.where(certain[..., None] >= LEAST, flow.sample(moved, around), np.nan)
    none = ~np.isfinite(ways).any((1, 2))
    ways[none] = 0.0
    certain[none] = 0.0
    return np.nanmedian(ways, 1).astype(np.float32), certain.mean(1)


def _surround(places: Places, reach: float) -> NDArray[np.float32]:
    """(K, D, 2)"""
    return (places[:, None] + _DISC * np.float32(reach)).astype(np.float32)


def _describe(track: Track, time: Callable[[int], float]) -> str:
    """What became of hints that were lost, with what to do; empty where none was."""
    ways = [
        f"{'after' if on else 'before'} {time(pts):.2f} s" for on, pts in sorted(track.lost.items())
    ]
    if not ways:
        return ""
    one = len(track.hints) == 1
    what = "The hint" if one else f"Some of the {len(track.hints)} hints"
    it = "it is" if one else "they are"
    return (
        f"{what} at {track.at:g} s cannot be followed {' and '.join(ways)}: {it} hidden there, out "
        "of the picture, or moves too fast. Put hints again where they are missed."
    )
