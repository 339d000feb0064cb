"""How a run tells of itself and is stopped."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from colorize_core.errors import Cancelled
from colorize_core.models import runner
from colorize_core.models.runner import Task

Told = list[tuple[float, str]]


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def job(told: Told, monkeypatch: pytest.MonkeyPatch) -> Task:
    """A run whose clock goes on by a hundredth of a second at every look."""
    ticks = iter(range(10**6))
    clock = SimpleNamespace(monotonic=lambda: next(ticks) / 100)
    monkeypatch.setattr(runner, "time", clock)
    return Task(lambda share, what: told.append((share, what)))


def test_many_small_steps_are_told_now_and_then(job: Task, told: Told) -> None:
    for i in range(100):
        job.step(i / 100, "Colouring")
    assert 9 <= len(told) <= 11
    job.step(0.0, "Saving")
    assert told[-1] == (0.0, "Saving"), "what is new is told at once"


@pytest.mark.parametrize("known", [True, False])
def test_a_download_is_told_now_and_then(job: Task, told: Told, known: bool) -> None:
    for i in range(1, 101):
        job.report_bytes(i * 10**6, 10**8 if known else i * 10**6)
    assert 9 <= len(told) <= 11
    assert told[0] == ((0.01, "1 MB of 100 MB") if known else (1.0, "1 MB of 1 MB"))


def test_a_stop_is_noticed_where_nothing_is_told(job: Task) -> None:
    job.step(0.1, "Colouring")
    job.stop()
    for step in (lambda: job.step(0.2, "Colouring"), lambda: job.report_bytes(1, 2)):
        with pytest.raises(Cancelled):
            step()
