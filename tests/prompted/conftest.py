"""What all tests of drawing from a prompt share."""

from __future__ import annotations

import pytest

from colorize_core.prompted import memory

PLENTY = 64_000_000_000  # bytes


@pytest.fixture(autouse=True)
def plenty_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine has room for what the models need that the tiny ones stand for, whatever else
    runs on it."""
    monkeypatch.setattr(memory, "measure_free", lambda device: PLENTY)
