"""The first mask: whom and what it holds."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import ROOT

from colorize_core import selective
from colorize_core.imaging import image
from colorize_core.people.faces import Face, find_faces
from colorize_core.selective import Layer, masks, subject

FACE = Face(40.0, 20.0, 60.0, 50.0, 0.9, ())


@pytest.fixture
def portrait():
    return masks.shrink_to_screen(image.read(ROOT / "examples" / "portrait-gray.jpg").pixels)


def look(monkeypatch, faces=(), layers=()):
    monkeypatch.setattr(subject, "find_faces", lambda seen: list(faces))
    monkeypatch.setattr(subject, "find_classes", lambda seen, **options: tuple(layers))


def test_the_face_of_a_portrait_is_in_the_first_mask_and_not_in_a_guess(portrait):
    (face,) = find_faces(portrait)
    inside = selective.cover_faces([face], portrait.shape[:2]) > 0.5
    assert selective.grabcut(portrait)[inside].mean() < 0.1
    mask = selective.find_subject(portrait)
    assert mask[inside].mean() > 0.95
    assert mask[inside].min() > 0.3, "its edge is soft"
    assert 0.2 < mask.mean() < 0.7
    assert mask.min() >= 0
    assert mask.max() <= 1


def test_without_people_it_is_what_stands_out(monkeypatch, gray_scene):
    photo = gray_scene(90, 120)
    look(monkeypatch)
    assert np.array_equal(selective.find_subject(photo), selective.grabcut(photo))


def test_people_take_the_place_of_what_stands_out(monkeypatch, gray_scene):
    person = np.zeros((90, 120), np.float32)
    person[30:, 80:] = 1
    look(monkeypatch, layers=[Layer("person", person, float(person.mean()))])
    assert np.array_equal(selective.find_subject(gray_scene(90, 120)), person)


def test_a_small_body_counts_where_there_is_a_face(monkeypatch, gray_scene):
    photo = gray_scene(90, 120)
    small = np.zeros((90, 120), np.float32)
    small[:15, :20] = 1
    layers = [Layer("person", small, float(small.mean()))]
    look(monkeypatch, layers=layers)
    assert np.array_equal(selective.find_subject(photo), selective.grabcut(photo))
    look(monkeypatch, [FACE], layers)
    assert selective.find_subject(photo)[:15, :20].min() == 1


@pytest.mark.parametrize("found", [True, False])
def test_faces_are_in_it_though_their_bodies_may_not_be(monkeypatch, gray_scene, found):
    photo = gray_scene(90, 120)
    person = np.zeros((90, 120), np.float32)
    person[60:] = 1
    layers = [Layer("person", person, float(person.mean()))] if found else []
    look(monkeypatch, [FACE], layers)
    mask = selective.find_subject(photo)
    assert mask[25:45, 45:55].min() > 0.9
    others = person if found else selective.grabcut(photo)
    assert (mask >= others).all()
    assert np.array_equal(mask[:, :30], others[:, :30])


def test_a_face_is_an_ellipse_with_a_soft_edge():
    mask = selective.cover_faces([FACE], (90, 120))
    area = np.pi * 10 * 15 * subject.REACH**2
    assert mask.sum() == pytest.approx(area, rel=0.1)
    rows, cols = np.nonzero(mask > 0.5)
    assert (rows.mean(), cols.mean()) == pytest.approx((35, 50), abs=0.6)
    assert np.ptp(rows) / np.ptp(cols) == pytest.approx(1.5, abs=0.1)
    assert ((mask > 0.1) & (mask < 0.9)).any()
    assert not selective.cover_faces([], (9, 9)).any()
