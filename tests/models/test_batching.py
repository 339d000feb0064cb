"""Photos of several threads in one network, with a network that notes what it is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import torch
from torch import Tensor

from colorize_core.models.base import Decoder
from colorize_core.models.batching import Batching


class Noting:
    """A predict_ab whose ab is L, twice."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, network: Any, lightness: Tensor, hints: Tensor, *known: Any) -> Decoder:
        self.shapes.append((*lightness.shape, len(known)))
        if bool((lightness == 13).any()):
            raise MemoryError("too much")
        return lambda vividness: lightness.repeat(1, 2, 1, 1) * vividness


def ask(batching: Batching, values: list[int], side: Callable[[int], int] = lambda _: 2) -> Any:
    """What each photo gets, all being in work before the first asks."""
    barrier = Barrier(len(values))

    def work(value: int) -> Any:
        with batching.photo():
            barrier.wait(30)
            plane = torch.full((1, 1, side(value), 3), float(value))
            try:
                return batching(None, plane, plane.repeat(1, 3, 1, 1))(2.0)
            except MemoryError as error:
                return error

    with ThreadPoolExecutor(len(values)) as pool:
        return list(pool.map(work, values))


def test_full_batches_and_a_filled_one() -> None:
    noting = Noting()
    found = ask(Batching(noting, 4), list(range(6)))
    assert noting.shapes == [(4, 1, 2, 3, 0)] * 2
    for value, ab in enumerate(found):
        assert torch.equal(ab, torch.full((1, 2, 2, 3), 2.0 * value))


def test_only_photos_of_one_shape_are_put_together() -> None:
    noting = Noting()
    found = ask(Batching(noting, 3), list(range(6)), side=lambda value: 2 + value % 2)
    assert Counter(noting.shapes) == {(3, 1, 2, 3, 0): 1, (3, 1, 3, 3, 0): 1}
    assert [int(ab[0, 0, 0, 0]) for ab in found] == [0, 2, 4, 6, 8, 10]


def test_a_photo_that_ends_before_is_not_waited_for() -> None:
    batching = Batching(Noting(), 2)
    with batching.photo():
        pass
    assert int(ask(batching, [5])[0][0, 0, 0, 0]) == 10


def test_what_goes_wrong_is_told_to_each_photo_of_the_batch() -> None:
    batching = Batching(Noting(), 2)
    assert [str(each) for each in ask(batching, [13, 13])] == ["too much"] * 2
    assert torch.equal(ask(batching, [1])[0], torch.full((1, 2, 2, 3), 2.0))


@pytest.mark.parametrize(("known", "size"), [((None,), 4), (((torch.zeros(1),),), 1)])
def test_what_an_encoder_told_before_is_taken_alone(known: tuple[Any, ...], size: int) -> None:
    noting = Noting()
    plane = torch.ones(1, 1, 2, 3)
    Batching(noting, 4)(None, plane, plane.repeat(1, 3, 1, 1), *known)
    assert [shape[0] for shape in noting.shapes] == [size]
