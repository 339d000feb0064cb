"""What an archive run makes of the cores is counted right where the answer is known."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks import archive


def test_photos_at_the_edges_count_in_part() -> None:
    heard = [(2.0, 2.0), (3.0, 2.0), (4.0, 2.0), (9.0, 4.0)]
    photos, seconds = archive.count_within(heard, begun=2.0, ended=6.0)
    assert photos == pytest.approx(0 + 0.5 + 1 + 0.25)
    assert seconds == pytest.approx(0 + 1 + 2 + 1)


def test_two_processes_that_never_wait_are_wholly_busy() -> None:
    heard = [(float(end), 2.0) for end in range(2, 40)]  # one of both ends each second
    photos, seconds = archive.count_within(heard, begun=5.0, ended=30.0)
    assert photos / 25 == pytest.approx(1.0)
    assert seconds / 25 / 2 == pytest.approx(1.0)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="it reads /proc")
def test_this_process_has_memory_and_has_computed() -> None:

    assert 5 < archive.read_memory(os.getpid()) < 100_000
    assert archive.read_processor(os.getpid()) > 0
