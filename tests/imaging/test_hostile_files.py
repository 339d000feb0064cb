"""Files that are made to hurt, through the processes that decode them in the public app: each is
refused in our words or read, and none crashes a process, takes its time or leaves its memory."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from colorize_core.errors import PictureError
from colorize_core.imaging.decoder_pool import DecoderPool
from colorize_core.imaging.image import NO_MEMORY
from tests import hostile_files
from tests.hostile_files import Files
from ui.server.limits import MB, Public


def find_faults(made: Files, folder: Path, memory: int | None = None) -> tuple[int, list[str]]:
    """How many files there are, and which of them end a process, or need more memory than that."""
    budget = Public().budget
    pool = DecoderPool(replace(budget, memory=memory) if memory else budget)
    count, faults = 0, []
    for name, data in made:
        count += 1
        (folder / "file").write_bytes(data)
        try:
            pool.decode(folder / "file", name)
        except PictureError as error:
            if not pool.list_pids() or (memory and NO_MEMORY in str(error)):
                faults.append(str(error))
    return count, faults


def test_hundreds_of_files(tmp_path: Path) -> None:
    count, faults = find_faults(hostile_files.make_files(), tmp_path)
    assert not faults
    assert count >= 500


@pytest.mark.slow
def test_large_files(tmp_path: Path) -> None:
    count, faults = find_faults(hostile_files.make_large_files(), tmp_path)
    assert not faults
    assert count > 20


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere memory is not counted")
def test_what_announces_little_takes_little(tmp_path: Path) -> None:
    made = chain(hostile_files.crowd(), hostile_files.repeat(20_000))
    assert find_faults(made, tmp_path, memory=64 * MB)[1] == []


def test_they_are_always_the_same() -> None:
    one, other = (dict(hostile_files.spoil("PNG", bytes(range(256)))) for _ in range(2))
    assert one == other
