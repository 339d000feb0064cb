"""Uploads are decoded by a pool of processes: which limits they have, and that they are stopped."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import app
from colorize_core.errors import Cancelled, PictureTooLargeError
from colorize_core.imaging import image
from colorize_core.options import Options
from ui.blind.tab import Handlers as BlindHandlers
from ui.selective import mask_files
from ui.selective.session import SelectiveSession
from ui.server.limits import HOME, MB, Public
from ui.server.temp_files import Folder
from ui.shared.service import Service


class Pool:
    """Decodes "photo.png", and is slow with the others until somebody stops it."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.busy = threading.Event()

    def decode(self, path: Path, name: str, stopped: threading.Event | None) -> image.Photo:
        self.names.append(name)
        if name == "photo.png":
            return image.read(path)
        self.busy.set()
        assert stopped is not None
        assert stopped.wait(60)
        raise Cancelled("Stopped.")


@pytest.fixture
def pool() -> Pool:
    return Pool()


@pytest.fixture
def service(tmp_path: Path, pool: Pool) -> Service:
    return Service(Folder(tmp_path), pool=pool)  # type: ignore[arg-type]


def save(service: Service, name: str, side: int = 64) -> Path:
    path = service.folder.new(name)
    Image.fromarray(np.full((side, side), 128, np.uint8)).save(path)
    return path


def test_a_run_that_reads_a_photo_is_stopped(service: Service, pool: Pool) -> None:
    path = save(service, "slow.png")

    def colorize() -> None:
        with service.task("ada") as task:
            service.colorize(service.photo(path), Options(), task)

    def compare() -> Any:
        with service.task("ada") as task:
            return BlindHandlers(service, [path], [])._take([path], None, task)

    for run in (colorize, compare):
        with ThreadPoolExecutor() as threads:
            running = threads.submit(run)
            assert pool.busy.wait(60)
            service.stop("ada")
            with pytest.raises(Cancelled):
                running.result()
        pool.busy.clear()


def test_a_mask_is_decoded_by_the_pool(service: Service, pool: Pool) -> None:
    session = SelectiveSession.open(service.photo(save(service, "photo.png")), service)
    mask = mask_files.read_mask(save(service, "photo.png", 32), session, service)
    assert mask.shape == session.shape
    assert mask[0, 0] == pytest.approx(128 / 255)
    assert pool.names == ["photo.png"] * 2


def test_without_a_pool_pixels_are_counted_too(tmp_path: Path) -> None:
    service = Service(Folder(tmp_path), public=Public(pixels=64 * 64))
    assert service.photo(save(service, "photo.png")).size == (64, 64)
    with pytest.raises(PictureTooLargeError, match=r"^large\.png has 65 × 65"):
        _ = service.photo(save(service, "large.png", 65)).size


def test_the_app_has_a_pool_whose_limits_are_those_of_its_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    public = Public(pixels=7 * MB)
    for profile, budget in ((public, public.budget), (None, HOME)):
        made = app.new_service(profile)
        assert made.pool is not None
        assert made.pool.budget == budget
    assert public.budget.pixels == 7 * MB
    assert public.budget.memory < Public().budget.memory < HOME.memory
