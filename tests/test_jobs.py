"""How a run tells of itself and is stopped."""

from __future__ import annotations

import pytest

from colorize_core.errors import Cancelled
from tabs import studio
from tabs.studio import Job

Told = list[tuple[float, str]]


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def job(told: Told, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A run whose clock goes on by a hundredth of a second at every look."""
    ticks = iter(range(10**6))
    monkeypatch.setattr(studio.time, "monotonic", lambda: next(ticks) / 100)
    return Job(lambda share, what: told.append((share, what)))


def test_many_small_steps_are_told_now_and_then(job: Job, told: Told) -> None:
    for i in range(100):
        job.step(i / 100, "Colouring")
    assert 9 <= len(told) <= 11
    job.step(0.0, "Saving")
    assert told[-1] == (0.0, "Saving"), "what is new is told at once"


def test_a_download_is_told_now_and_then_and_when_it_is_whole(job: Job, told: Told) -> None:
    for i in range(1, 101):
        job.loaded(i * 10**6, 10**8)
    assert 9 <= len(told) <= 12
    assert told[-1] == (1.0, "100 MB of 100 MB")


def test_a_stop_is_noticed_where_nothing_is_told(job: Job) -> None:
    job.step(0.1, "Colouring")
    job.stop()
    for step in (lambda: job.step(0.2, "Colouring"), lambda: job.loaded(1, 2)):
        with pytest.raises(Cancelled):
            step()
