"""A model that costs nothing, for tests of all that is around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from colorize_core.models.runner import Runner, Task
from colorize_core.steering.hints import Hint

HINTED = 0.1


class _Prediction:
    def __init__(self, ab: Any) -> None:
        self.ab = ab
        self.fine_l = np.zeros(ab.shape[:2], np.float32)

    def fine_ab(self, vividness: float) -> Any:
        return self.ab * vividness


class FakeModel:
    """Warm where it is light, cool where it is dark; another colour each time by `jitter`. A hint
    colours a disc of HINTED of the width."""

    def __init__(self, jitter: float = 0.0) -> None:
        self.jitter = jitter
        self.random = np.random.default_rng(0)
        self.seen: list[Any] = []

    def predict(self, pixels: Any, hints: Sequence[Hint] = (), **_: Any) -> _Prediction:
        self.seen.append(pixels)
        tone = pixels[..., 0].astype(np.float32) / 255 - 0.5
        ab = np.stack([tone * 30, tone * 60], -1)
        height, width = tone.shape
        y, x = np.indices(tone.shape) + 0.5
        for hint in hints:
            near = np.hypot(x - hint.x * width, y - hint.y * height) < HINTED * width
            ab[near] = hint.ab
        return _Prediction(ab + self.random.normal(0, self.jitter, 2).astype(np.float32))


@pytest.fixture
def fake_model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def fake_runner(fake_model: FakeModel) -> Runner:
    return Runner(lambda _: fake_model)


@pytest.fixture
def make_runner() -> Callable[[float], Runner]:
    """jitter -> a runner of such a model."""

    def make(jitter: float) -> Runner:
        model = FakeModel(jitter)
        return Runner(lambda _: model)

    return make


@pytest.fixture
def make_stopped() -> Callable[[], Task]:
    """A task that was stopped before it began."""

    def make() -> Task:
        task = Task()
        task.stop()
        return task

    return make
