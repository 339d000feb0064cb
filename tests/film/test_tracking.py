"""Where hints go with what they are on, and where they end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from films import draw_scene, pan, write_film
from numpy.typing import NDArray

from colorize_core.errors import Cancelled, OptionError
from colorize_core.film import Keyframe, tracking
from colorize_core.film.propagation import FilmFrame
from colorize_core.film.signal import Signal
from colorize_core.film.source import Film
from colorize_core.film.tracking import Plan, Track, find_tracks, follow_hints, turn_places
from colorize_core.models.runner import Task
from colorize_core.steering.hints import Hint

SIGNAL = Signal(full=True)
SIZE = (90, 160)
Clip = list[NDArray[np.uint8]]


def _track(clip: Clip, *keyframes: Keyframe) -> list[Track]:
    """One frame a second."""

    def read(since: float) -> Iterator[FilmFrame]:
        first = max(0, round(since) - tracking.REACH - tracking.WARM_UP)
        return (FilmFrame.make(f, SIGNAL, n, 1) for n, f in enumerate(clip[first:], first))

    return find_tracks(read, keyframes, float, 1.0)


def _put(at: float, *pixels: tuple[float, float], ab: tuple[float, float] = (40, 0)) -> Keyframe:
    height, width = SIZE
    return Keyframe(at, tuple(Hint((x + 0.5) / width, (y + 0.5) / height, ab) for x, y in pixels))


def _where(track: Track, pts: int) -> NDArray[np.float32]:
    return track.places[pts] * np.float32(SIZE[::-1]) - np.float32(0.5)


def test_places_move_as_the_camera_does_both_ways() -> None:
    (track,) = _track(pan(1, 21, *SIZE, step=2), _put(10, (80, 45), (60, 20)))
    assert sorted(track.places) == list(range(21))
    assert not track.lost
    for pts in (0, 5, 15, 20):
        expected = np.array([(80, 45), (60, 20)]) - [2 * (pts - 10), 0]
        assert _where(track, pts) == pytest.approx(expected, abs=1.5)


def _move_block(count: int, *, start: int, step: int, wall: NDArray[np.uint8]) -> Clip:
    """A block that goes over a wall that stands."""
    block = draw_scene(7, 50, 40)
    clip = []
    for number in range(count):
        frame = wall.copy()
        left = start + step * number
        cut = frame[20:70, max(left, 0) : max(left + 40, 0)]
        cut[:] = block[:, 40 - cut.shape[1] if left < 0 else 0 :][:, : cut.shape[1]]
        clip.append(frame)
    return clip


def test_a_thing_keeps_its_place_and_what_it_hides_loses_its_own() -> None:
    clip = _move_block(24, start=10, step=3, wall=draw_scene(3, *SIZE))
    (track,) = _track(clip, _put(0, (30, 45), (90, 45)))
    on_block, on_wall = _where(track, 20)
    assert on_block == pytest.approx((30 + 60, 45), abs=2)
    assert np.isnan(on_wall).all()  # the block has come over it
    assert _where(track, 10)[1] == pytest.approx((90, 45), abs=1)
    hidden = track.lost[True]
    assert hidden == pytest.approx((90 - 50) / 3, abs=3)
    assert False not in track.lost


def test_a_hidden_place_comes_back_with_another_keyframe() -> None:
    clip = _move_block(40, start=10, step=3, wall=draw_scene(3, *SIZE))
    first, second = _put(0, (80, 30)), _put(39, (80, 30), ab=(0, 40))
    plan = Plan(tuple(_track(clip, first, second)))
    assert [hint.ab for hint in plan.find(2)] == [(40, 0)]
    assert plan.find(18) == ()
    assert [hint.ab for hint in plan.find(37)] == [(0, 40)]


def test_what_leaves_the_picture_is_dropped() -> None:
    (track,) = _track(pan(2, 30, *SIZE, step=3), _put(0, (20, 45)))
    assert max(track.places) == pytest.approx(20 / 3, abs=1)
    assert track.lost[True] == max(track.places) + 1


def test_a_flat_wall_goes_with_what_is_around_it() -> None:
    random = np.random.default_rng(0)
    clip = pan(5, 16, *SIZE, step=2)
    for number, frame in enumerate(clip):
        cv2.rectangle(frame, (60 - 2 * number, 25), (110 - 2 * number, 65), 120, -1)
        frame[:] = np.clip(frame + random.normal(0, 4, frame.shape), 0, 255)
    (track,) = _track(clip, _put(0, (85, 45)))
    assert _where(track, 15)[0] == pytest.approx((85 - 30, 45), abs=6)


def test_a_cut_ends_a_hint_before_and_after() -> None:
    clip = [f for number in (1, 2, 3) for f in pan(number, 8, *SIZE, step=1)]
    (track,) = _track(clip, _put(11, (80, 45)))
    assert sorted(track.places) == list(range(8, 16))
    assert not track.lost


@pytest.mark.parametrize(("at", "pts"), [(0.0, 0), (3.4, 3), (3.6, 4), (9.0, 9), (9.9, 9)])
def test_a_hint_is_of_the_nearest_frame(at: float, pts: int) -> None:
    (track,) = _track(pan(1, 10, *SIZE, step=1), _put(at, (80, 45)))
    assert track.pts == pts


def test_a_time_behind_the_end_is_told() -> None:
    with pytest.raises(OptionError, match=r"nothing at 12 seconds.*last frame is at 9.00"):
        _track(pan(1, 10, *SIZE, step=1), _put(4, (80, 45)), _put(12, (80, 45)))


def test_hints_reach_so_far_and_what_lies_between_is_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracking, "REACH", 5)
    clip = [draw_scene(1, *SIZE)] * 80
    tracks = _track(clip, _put(10, (80, 45)), _put(70, (80, 45)))
    assert [sorted(each.places) for each in tracks] == [[*range(5, 16)], [*range(65, 76)]]
    assert tracks[0].lost == {True: 16}


def test_of_two_that_meet_the_nearer_in_time_counts() -> None:
    clip = [draw_scene(1, *SIZE)] * 9
    one, other = _put(0, (80, 45), (20, 20)), _put(8, (81, 45), (140, 70), ab=(0, 40))
    plan = Plan(tuple(_track(clip, one, other)))
    assert [hint.ab for hint in plan.find(1)] == [(40, 0), (40, 0), (0, 40)]
    assert [hint.ab for hint in plan.find(7)] == [(0, 40), (0, 40), (40, 0)]
    assert (plan.is_key(0), plan.is_key(1), plan.is_key(8)) == (True, False, True)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_places_turn_as_pictures_do(degrees: int) -> None:
    stored = np.zeros((4, 6))
    stored[1, 4] = 1
    y, x = np.argwhere(np.rot90(stored, degrees // 90))[0]
    height, width = np.rot90(stored, degrees // 90).shape
    place = np.array([[4.5 / 6, 1.5 / 4]], np.float32)
    assert turn_places(place, degrees)[0] == pytest.approx(((x + 0.5) / width, (y + 0.5) / height))
    assert turn_places(turn_places(place, degrees), -degrees) == pytest.approx(place)


# --- of a file ------------------------------------------------------------------------------------


@pytest.fixture
def reel(tmp_path: Path) -> Path:
    return write_film(tmp_path / "in.mkv", pan(1, 30, *SIZE, step=2), codec="ffv1")


@pytest.mark.parametrize(("within", "count"), [(None, 2), ((0.0, 0.1), 1)])
def test_a_film_stays_where_it_stands(
    within: Any, count: int, reel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "REACH", 1)
    keyframes = [_put(0.2, (80, 45)), _put(1.16, (80, 45))]
    monkeypatch.setattr(tracking, "WARM_UP", 0)
    with Film(reel) as film:
        frames = film.frames()
        next(frames)
        if within:
            monkeypatch.setattr(film, "look", _replace_rate(film))
        plan = follow_hints(film, keyframes, Task(), within)
        assert len(plan.tracks) == count
        assert [pts for _, pts, _ in frames][:2] == [40, 80]  # milliseconds, as Matroska counts


def _replace_rate(film: Film) -> Any:
    return replace(film.look, rate=Fraction(1000))


def test_what_is_lost_is_said_and_the_work_can_be_stopped(
    tmp_path: Path, reel: Path, make_stopped: Callable[[], Task]
) -> None:
    with Film(reel) as film:
        plan = follow_hints(film, [_put(0.4, (20, 45), (150, 45))], Task())
        (note,) = plan.notes
        assert note.startswith("Some of the 2 hints at 0.4 s cannot be followed before 0.")
        assert " s and after 0." in note
        assert note.endswith("Put hints again where they are missed.")
        assert follow_hints(film, [_put(0.4, (80, 45))], Task()).notes == ()
        with pytest.raises(Cancelled):
            follow_hints(film, [_put(0.4, (80, 45))], make_stopped())
