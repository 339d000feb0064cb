"""Faces are found at every size, in 8 and 16 bit, and nowhere else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.data import astronaut, chelsea, coffee

from colorize_core.metrics.protocol import to_gray
from colorize_core.people import faces
from colorize_core.people.faces import Face, find_faces

Picture = NDArray[np.uint8]
BOX = (180, 62, 271, 178)  # of the face, by eye: left, top, right, bottom


@pytest.fixture(scope="module")
def gray() -> Picture:
    return to_gray(astronaut())


def box(face: Face) -> NDArray[np.float64]:
    return np.array([face.left, face.top, face.right, face.bottom])


def scaled(picture: Picture, factor: float) -> Picture:
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=method)


@pytest.mark.parametrize("factor", [0.18, 0.5, 1.0, 3.0])  # faces from 20 pixels on
def test_a_face_is_found_where_it_is(gray: Picture, factor: float) -> None:
    (found,) = find_faces(scaled(gray, factor))
    assert np.abs(box(found) / factor - BOX).max() < 12
    assert found.score > 0.6
    left_eye, right_eye, nose, *mouth = found.landmarks
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_eye[1] < nose[1] < min(y for _, y in mouth)


@pytest.mark.parametrize("side", [64, 300, 1000, 3000])
def test_a_face_that_fills_the_photo_is_one_face(gray: Picture, side: int) -> None:
    left, top, right, bottom = BOX
    near = gray[top - 12 : bottom + 12, left - 20 : right + 20]
    (found,) = find_faces(scaled(near, side / len(near)))
    assert 0.7 * side < found.height <= side


def test_sixteen_bits_say_the_same_as_eight(gray: Picture) -> None:
    eight, sixteen = find_faces(gray), find_faces(gray.astype(np.uint16) * 257)
    assert np.allclose(box(eight[0]), box(sixteen[0]), atol=4)


def test_every_face_of_a_large_group_is_found(gray: Picture) -> None:
    """Of 29 pixels in 3 megapixels, far too small when the photo is shown whole."""
    left, top, right, bottom = BOX
    person = scaled(gray[top - 60 : bottom + 190, left - 100 : right + 100], 0.25)
    large = np.full((1500, 2200, 3), 90, np.uint8)
    places = [(200 + 240 * row, 100 + 300 * col) for row in range(3) for col in range(7)]
    for y, x in places:
        large[y : y + person.shape[0], x : x + person.shape[1]] = person
    found = find_faces(large)
    assert len(found) == len(places)
    assert all(20 < face.height < 40 for face in found)


@pytest.mark.parametrize("photo", [chelsea, coffee])
def test_a_cat_and_a_cup_have_no_face_of_a_person(photo: object) -> None:
    assert find_faces(to_gray(photo())) == []  # type: ignore[operator]


def test_a_face_over_the_seam_of_two_tiles_counts_once() -> None:
    assert faces._make_tiles(1000, 800) == [(0, 0, 800, 1000)]
    tiles = faces._make_tiles(1500, 2048)
    assert {(tile.right - tile.left, tile.bottom - tile.top) for tile in tiles} == {(1024, 1024)}
    assert tiles[0].right - tiles[1].left >= faces.OVERLAP
    first = Face(10, 10, 50, 60, 0.9, ())
    again = Face(12, 11, 52, 60, 0.8, ())
    other = Face(70, 10, 110, 60, 0.7, ())
    assert faces._drop_duplicates([again, other, first]) == [first, other]
