"""Photos of several threads through one network at once, as a GPU is fast with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from colorize_core.errors import OptionError
from colorize_core.models.base import Decoder
from colorize_core.models.distribution import Distribution


@dataclass(eq=False)
class _Request:
    lightness: Tensor  # (1, 1, H, W) in [0, 100]
    hints: Tensor  # (1, 3, H, W)
    decode: Decoder | None = None  # the answer
    error: BaseException | None = None

    def fits(self, other: _Request) -> bool:
        return self.lightness.shape == other.lightness.shape


class Batching:
    """The predict_ab of a colorizer (see AbColorizer) for several threads, each with a photo of its
    own: what they ask is put together into batches of one shape.

    `size`: how many a batch holds. One that holds fewer is filled up: what a photo gets then does
    not depend on which ones it came with, or on its place among them.
    """

    def __init__(self, predict_ab: Callable[..., Decoder], size: int) -> None:
        self.predict_ab, self.size = predict_ab, size
        self._changed = threading.Condition()
        self._network = threading.Lock()
        self._waiting: list[_Request] = []
        self._photos = 0  # that threads are at

    @contextmanager
    def photo(self) -> Iterator[None]:
        """Around all work on a photo: batches are run as they are once no other photo that is
        worked on can still come to them."""
        with self._changed:
            self._photos += 1
        try:
            yield
        finally:
            with self._changed:
                self._photos -= 1
                self._changed.notify_all()

    def __call__(self, network: Any, lightness: Tensor, hints: Tensor, *known: Any) -> Decoder:
        if any(each is not None for each in known):  # what depends on hints alone is not shared
            return self.predict_ab(network, lightness, hints, *known)
        request = _Request(lightness, hints)
        with self._changed:
            self._waiting.append(request)
            self._changed.notify_all()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_done(request) or self._choose())
                if self._is_done(request):
                    break
                batch = self._choose()
                self._waiting = [each for each in self._waiting if each not in batch]
            self._run(network, batch)
        if request.error is not None:
            raise request.error
        assert request.decode is not None
        return request.decode

    @staticmethod
    def _is_done(request: _Request) -> bool:
        return request.decode is not None or request.error is not None

    def _choose(self) -> list[_Request]:
        """The requests that are to be run now, none where more should come first."""
        for first in self._waiting:
            alike = [each for each in self._waiting if each.fits(first)][: self.size]
            if len(alike) == self.size:
                return alike
        if self._waiting and len(self._waiting) >= self._photos:
            first = self._waiting[0]
            return [each for each in self._waiting if each.fits(first)]
        return []

    def _run(self, network: Any, batch: list[_Request]) -> None:
        filled = batch + [batch[-1]] * (self.size - len(batch))
        try:
            with self._network:
                decode = self.predict_ab(
                    network,
                    torch.cat([each.lightness for each in filled]),
                    torch.cat([each.hints for each in filled]),
                )
            decoders = [_pick(decode, index, self.size) for index in range(len(batch))]
        except BaseException as error:
            with self._changed:
                for each in batch:
                    each.error = error
                self._changed.notify_all()
        else:
            with self._changed:
                for each, own in zip(batch, decoders, strict=True):
                    each.decode = own
                self._changed.notify_all()


def batch_network(colorizer: Any, size: int) -> Batching:
    """Have an AbColorizer put the photos of several threads together, `size` at once. OptionError
    for models of another kind, which draw their colours or are two."""
    if not hasattr(colorizer, "predict_ab"):
        raise OptionError(
            f"The model {colorizer.card.name!r} takes one photo at a time: leave --batch-size out, "
            "or choose another model."
        )
    batching = Batching(colorizer.predict_ab, size)
    colorizer.predict_ab = batching
    return batching


def _pick(decode: Decoder, index: int, count: int) -> Decoder:
    """The decoder of one photo out of that of a batch of `count`."""
    if isinstance(decode, Distribution):
        return decode.pick(index, count)
    once = lru_cache(1)(decode)  # all photos of a batch are asked for one vividness
    return lambda vividness: once(vividness)[index : index + 1]
