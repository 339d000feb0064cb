"""The measures of films are right where the answer is known."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from benchmarks import film
from colorize_core.film import flow


def _draw(seed: int) -> np.ndarray:  # type: ignore[type-arg]
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 6, 3)).astype(np.uint8)
    return cv2.resize(coarse, (128, 128), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("kind", film.KINDS)
def test_true_colours_follow_the_motion_and_others_do_not(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film, "FRAMES", 6)
    clip = film.make_clip(_draw(1), _draw(2), kind, 0)
    steps = film.trace_back(clip, kind)
    truth = [shot.ab for shot in clip]
    assert film.measure_error(truth, clip) == 0
    assert film.measure_warping(truth, clip, steps) < 0.6  # of whole numbers in sRGB
    jumping = [ab + 5 * (number % 2) for number, ab in enumerate(truth)]
    assert film.measure_warping(jumping, clip, steps) == pytest.approx(np.hypot(5, 5), abs=0.6)
    assert film.measure_error(jumping, clip) == pytest.approx(np.hypot(5, 5) / 2, abs=1e-4)
    if kind != "static":
        still = [truth[0]] * len(clip)
        assert film.measure_warping(still, clip, steps) > film.measure_warping(truth, clip, steps)


def test_flicker_is_that_of_the_mean() -> None:
    flat = np.zeros((4, 4, 2), np.float32)
    assert film.measure_flicker([flat, flat + 3, flat]) == pytest.approx(np.hypot(3, 3))
    checked = flat.copy()
    checked[::2, :, 0], checked[1::2, :, 0] = 4, -4
    assert film.measure_flicker([checked, -checked]) == 0


@pytest.mark.parametrize("kind", film.KINDS)
def test_a_point_is_where_the_motion_takes_it(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film, "FRAMES", 14)
    clip = film.make_clip(_draw(1), _draw(2), kind, 0)
    point = film.choose_point(clip, kind, np.random.default_rng(0))
    path = film.find_path(clip, kind, point)
    assert path[film.HINTED] == pytest.approx(point, abs=1e-2)
    first, last = (film.read_disc(clip[n].ab, path[n]) for n in (film.HINTED, max(path)))
    assert np.abs(first - last).mean() < 3  # of one thing, at another size in a zoom
    if kind != "static":
        moved = np.hypot(*(path[max(path)] - path[film.HINTED]))
        assert moved > (0.5 if kind == "zoom" else 5)


def test_a_film_in_colour_is_read_by_scene(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=24, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 640, 320, "yuv420p"
        for number in range(24):
            picture = cv2.resize(_draw(1 + number // 12), (640, 320))
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        out.mux(stream.encode(None))
    clips = list(film.read_scenes(path))
    assert [len(clip) for clip in clips] == [12, 12]
    for clip in clips:
        assert clip[0].gray.shape == (160, 320)
        own = [shot.ab for shot in clip]
        motions = [flow.measure_motion(*each) for each in pairwise(film._list_lightness(clip))]
        assert film._measure_sure_warping(own, motions) < 1
        doubled = [ab + 5 * (number % 2) for number, ab in enumerate(own)]
        assert film._measure_sure_warping(doubled, motions) == pytest.approx(np.hypot(5, 5), abs=1)
