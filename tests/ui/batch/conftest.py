"""A queue, and a model that is quick: its colours are not what is tested here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from colorize_core.models.registry import cards
from ui.batch.queue import Queue, Queues
from ui.batch.worker import Worker
from ui.server.temp_files import Folder
from ui.shared.service import Service

Upload = Callable[..., Path]


class Quick:
    """Puts in red; the lighter a photo, the surer it is."""

    device = "cpu"
    card = next(card for card in cards() if card.name == "autochrome")

    def predict(self, pixels: Any, *, progress: Any, **_: Any) -> SimpleNamespace:
        progress(0.5)
        spread = np.full((2, 2), 30 - pixels.mean() / 10)
        return SimpleNamespace(tint=None, coloured=False, spread=spread, cells=(2.0, 2.0))

    def render(self, pixels: Any, prediction: Any, *, progress: Any, **_: Any) -> Any:
        progress(1.0)
        made = pixels.copy()
        made[..., 1:] //= 2
        return made


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(Folder(tmp_path / "app"), load=lambda name: Quick())


@pytest.fixture
def queues() -> Queues:
    return Queues()


@pytest.fixture
def worker(service: Service, queues: Queues) -> Worker:
    return Worker(service, queues)


@pytest.fixture
def queue(service: Service, queues: Queues) -> Queue:
    made = Queue(service.folder)
    queues.add(made)
    return made


@pytest.fixture
def upload(service: Service) -> Upload:
    """Has a photo as the page uploads it."""

    def make(name: str, shade: int = 90, size: tuple[int, int] = (48, 32)) -> Path:
        path = service.folder.new(name)
        ramp = np.linspace(0, 80, size[0] * size[1]).reshape(size[::-1]) + shade
        Image.fromarray(ramp.astype(np.uint8)).save(path)
        return path

    return make
