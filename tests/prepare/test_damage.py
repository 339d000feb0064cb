"""Dust, scratches and folds are found and filled; all else stays as it is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scenes import ROOT

from colorize_core.imaging import image
from colorize_core.prepare import damage
from colorize_core.prepare.judge import Judge, load_judges


def draw_sky(random: np.random.Generator, side: int = 320) -> NDArray[np.uint8]:
    """A smooth gray with grain."""
    y, x = np.mgrid[:side, :side]
    gray = 90 + 40 * np.sin(x / 90) + 30 * np.cos(y / 70) + random.normal(0, 2, (side, side))
    return np.repeat(np.clip(gray, 0, 255).astype(np.uint8)[..., None], 3, 2)


def scratch(photo: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """With a light scratch and two specks, and where they are."""
    marks = np.zeros(photo.shape[:2], np.uint8)
    cv2.line(marks, (20, 300), (290, 30), 255, 1, cv2.LINE_AA)
    for place in ((80, 60), (200, 250)):
        cv2.circle(marks, place, 3, 255, -1, cv2.LINE_AA)
    share = marks[..., None] / 255
    made = np.round(photo + share * (250.0 - photo)).astype(np.uint8)
    return made, marks > 128


@pytest.fixture
def no_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(damage, "find_faces", lambda _: [])


@pytest.mark.usefixtures("no_faces")
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_scratch_and_specks_are_found_and_filled(rng: np.random.Generator, kind: type) -> None:
    clean = draw_sky(rng)
    drawn, marks = scratch(clean)
    factor = 1 if kind == np.uint8 else 257
    photo = drawn.astype(kind) * kind(factor)
    found = damage.find_damage(photo)
    assert found[marks].mean() > 0.9
    away = cv2.dilate(marks.astype(np.uint8), np.ones((11, 11))) == 0
    assert found[away].mean() < 0.002
    before = photo.copy()
    filled = damage.fill_damage(photo, found)
    assert np.array_equal(photo, before), "the input is left alone"
    assert filled.dtype == kind
    assert np.array_equal(filled[~found], photo[~found])
    error = np.abs(filled[marks] / factor - clean[marks])
    assert error.mean() < 5
    assert np.abs(drawn[marks].astype(float) - clean[marks]).mean() > 60
    assert np.array_equal(filled[..., 0], filled[..., 2]), "gray stays gray"


@pytest.mark.usefixtures("no_faces")
@pytest.mark.parametrize("size", [(1, 1), (17, 333), (64, 64)])
def test_any_size_is_taken(rng: np.random.Generator, size: tuple[int, int]) -> None:
    photo = np.full((*size, 3), 128, np.uint8)
    found = damage.find_damage(photo)
    assert found.shape == size
    assert not found.any()
    assert np.array_equal(damage.fill_damage(photo, found), photo)
    every = np.ones(size, bool)
    assert np.array_equal(damage.fill_damage(photo, every), photo), "nothing to fill it from"


@pytest.mark.parametrize("name", ["portrait-gray.jpg", "cat-gray.jpg"])
def test_hair_eyes_and_fur_are_no_damage(name: str) -> None:
    photo = image.read(ROOT / "examples" / name).pixels
    assert damage.find_damage(photo).mean() < 0.001


@pytest.mark.usefixtures("no_faces")
def test_large_scans_are_looked_at_smaller(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, marks = scratch(draw_sky(rng))
    monkeypatch.setattr(damage, "WORK_SIDE", 320)
    large = cv2.resize(drawn, (960, 960), interpolation=cv2.INTER_LINEAR)
    found = damage.find_damage(large)
    assert found.shape == (960, 960)
    wide = cv2.resize(marks.astype(np.uint8), (960, 960), interpolation=cv2.INTER_NEAREST) > 0
    assert found[wide].mean() > 0.9


@pytest.mark.usefixtures("no_faces")
def test_a_light_in_an_eye_is_no_speck(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, _ = scratch(draw_sky(rng))
    assert damage.find_damage(drawn)[60, 80]
    monkeypatch.setattr(damage, "_find_eyes", lambda _: [(80.0, 60.0, 12.0)])
    found = damage.find_damage(drawn)
    assert not found[60, 80]
    assert found[250, 200]


def test_grain_is_put_where_it_is_filled(rng: np.random.Generator) -> None:
    gray = np.clip(rng.normal(128, 12, (120, 120)), 0, 255).astype(np.uint8)
    photo = np.repeat(gray[..., None], 3, 2)
    mask = np.zeros((120, 120), bool)
    mask[:, 55:62] = True
    filled = damage.fill_damage(photo, mask)
    assert 5 < filled[mask].std() < 15
    assert np.array_equal(filled, damage.fill_damage(photo, mask)), "the same each time"


def test_judges_come_back_from_what_is_written() -> None:
    judges = load_judges()
    assert set(judges) == {"thin", "wide", "specks"}
    for judge in judges.values():
        again = Judge.read(judge.as_dict())
        rows = np.stack([judge.mean, judge.mean + judge.spread])
        assert np.allclose(again.weigh(rows), judge.weigh(rows))
        assert len(judge.accept(rows)) == 2
