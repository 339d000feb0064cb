"""What /selective makes of `keep`, without a server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from colorize_core import selective
from colorize_core.cards import ModelCard
from colorize_core.errors import OptionError, WeightsError
from colorize_core.selective import Layer, segmenters
from ui.selective.endpoint import AUTO, Endpoint
from ui.selective.session import SelectiveSession
from ui.server.limits import Public
from ui.server.temp_files import Folder
from ui.shared.service import Service

CARDS: list[ModelCard] = []


@pytest.fixture
def read(tmp_path: Path, gray_scene: Any) -> Callable[..., Any]:
    """The mask for `keep`, of a photo of 90 x 60 pixels."""
    photo = tmp_path / "old.png"
    Image.fromarray(gray_scene(60, 90)).save(photo)

    def read(keep: str, public: Public | None = None) -> Any:
        service = Service(Folder(tmp_path), public=public)
        session = SelectiveSession.open(service.photo(photo), service)
        with service.task("ada") as task:
            return Endpoint(service, CARDS)._read_mask(session, keep, None, task)

    return read


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The networks that are asked. Each finds a dog on the left and a cat on the right."""
    names: list[str] = []

    def find_classes(photo: Any, *, network: str, progress: Any) -> tuple[Layer, ...]:
        names.append(network)
        left = np.zeros(photo.shape[:2], np.float32)
        left[:, : photo.shape[1] // 2] = 1
        return Layer("dog", left, 0.5), Layer("cat", 1 - left, 0.5)

    monkeypatch.setattr(selective, "find_classes", find_classes)
    return names


@pytest.mark.parametrize(
    ("keep", "share"), [("dog", 0.5), ("person,dog", 0.5), ("cat , dog", 1.0), ("people,cat", 0.5)]
)
def test_classes_are_kept_by_name(
    read: Any, asked: list[str], monkeypatch: pytest.MonkeyPatch, keep: str, share: float
) -> None:
    monkeypatch.setattr(selective, "count_missing_bytes", lambda network: 0)
    assert read(keep).mean() == pytest.approx(share)
    assert asked == ["mobile"]


@pytest.mark.parametrize("keep", ["person", "people"])
def test_persons_alone_are_found_without_a_download(read: Any, asked: list[str], keep: str) -> None:
    with pytest.raises(OptionError, match=r"Of person there is nothing.*people found dog \(50%\)"):
        read(keep)
    assert asked == ["people"]


def test_weights_are_fetched_once_and_not_for_strangers(
    read: Any, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = []
    monkeypatch.setattr(selective, "count_missing_bytes", lambda network: 7)
    monkeypatch.setattr(segmenters, "fetch", lambda network, report, stop: fetched.append(network))
    read("dog")
    assert fetched == asked == ["mobile"]
    with pytest.raises(WeightsError, match="a public app downloads nothing"):
        read("dog", Public())
    assert fetched == asked == ["mobile"]


def test_by_itself_it_keeps_what_the_photo_is_about(
    read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = np.zeros((60, 90), np.float32)
    half[:30] = 1

    def find_subject(photo: Any, progress: Any) -> Any:
        assert photo.shape == (60, 90, 3)
        progress(1.0)
        return half

    monkeypatch.setattr(selective, "find_subject", find_subject)
    assert np.array_equal(read(AUTO), half)
