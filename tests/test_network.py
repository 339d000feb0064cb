"""Real downloads: left out unless asked for with -m hub."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import constants

from colorize_core import cards, load
from colorize_core.downloads import checkpoints
from colorize_core.downloads.catalogue import DOWNLOADS, Download
from colorize_core.imaging import image

pytestmark = pytest.mark.hub

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "portrait-gray.jpg"
ROUNDED = 0.02  # sizes of some files are as the Hub's pages say them


@pytest.fixture(autouse=True)
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


@pytest.mark.parametrize("what", DOWNLOADS.values(), ids=lambda what: what.name)
def test_every_download_is_where_it_is_said_to_be(what: Download) -> None:
    for file in what.files:
        offer = checkpoints.locate(file).ask()
        if file.bytes:
            assert offer.size == pytest.approx(file.bytes, rel=ROUNDED), file.path
        if file.sha256:
            assert offer.digest.startswith(file.sha256), file.path


@pytest.mark.parametrize("name", [card.name for card in cards(downloads=True) if card.download])
def test_a_published_model_is_downloaded_and_colours(name: str) -> None:
    photo = image.read(EXAMPLE).pixels
    colour = load(name, "cpu").colorize(photo).astype(np.int16)
    assert colour.shape == photo.shape
    assert (colour.max(axis=2) - colour.min(axis=2)).mean() > 2
