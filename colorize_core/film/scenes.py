"""Where a film is cut, told from small pictures of its frames.

Two frames belong to two scenes where neither the places of light and dark (correlation) nor how
much there is of each (distance of the histograms) are alike. A change of brightness alone, a fade
and a flash are no cuts: a fade changes little from frame to frame, and after a flash the scene is
back. A dissolve is none either.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item")
Plane = NDArray[np.float32]

SIZE = (32, 18)  # width and height of the small pictures
UNLIKE = 0.55  # one minus correlation from which the places are unlike
SOMEWHAT = 0.25  # the same where the histograms are far apart, too
APART = 9.0  # Lab units between two histograms that are far apart
LEAST = 3.0  # mean difference in L under which nothing is a cut
NOISE = 4.0  # variance of L that says nothing, in black frames above all
FLASH = 3  # frames that a flash lasts at most


def shrink(lightness: Plane) -> Plane:
    """L (H, W) -> a small picture."""
    return cv2.resize(lightness, SIZE, interpolation=cv2.INTER_AREA)


def is_cut(before: Plane, after: Plane) -> bool:
    """Whether two small pictures are of two scenes."""
    if np.abs(before - after).mean() < LEAST:
        return False
    one, other = before - before.mean(), after - after.mean()
    variance = float(np.sqrt((one * one).mean() * (other * other).mean()))
    unlike = 1 - (float((one * other).mean()) + NOISE) / (variance + NOISE)
    if unlike > UNLIKE:
        return True
    # Without their means: a lamp that flickers moves the whole histogram.
    distance = float(np.abs(np.sort(one, None) - np.sort(other, None)).mean())
    return unlike > SOMEWHAT and distance > APART


def find_cuts(items: Iterable[Item], see: Callable[[Item], Plane]) -> Iterator[tuple[Item, bool]]:
    """Each item, with whether a scene begins with it; the first one does. `see`: its small
    picture. FLASH items are looked ahead, and as many back."""
    behind: deque[Plane] = deque(maxlen=FLASH + 1)  # of the same scene
    ahead: deque[Item] = deque()
    source = iter(items)
    while True:
        ahead.extend(islice(source, FLASH + 1 - len(ahead)))
        if not ahead:
            return
        item = ahead.popleft()
        seen = see(item)
        if begins := not behind or _is_new(seen, behind, map(see, ahead)):
            behind.clear()
        behind.append(seen)
        yield item, begins


def _is_new(seen: Plane, behind: deque[Plane], ahead: Iterable[Plane]) -> bool:
    """Whether a picture begins a scene: neither is it the end of a flash nor its beginning."""
    begins = all(is_cut(before, seen) for before in reversed(behind))
    return begins and all(is_cut(behind[-1], later) for later in ahead)
