from __future__ import annotations

from pathlib import Path

import pytest

from ui.server.limits import AT_ONCE, MB, NONE, ONE, TWO, count_lanes, count_pixels, measure_memory
from ui.shared import endpoints, widgets


@pytest.mark.parametrize("name", ["memory.max", "memory/memory.limit_in_bytes"])
def test_the_memory_of_a_container_counts(name: str, tmp_path: Path) -> None:
    none = tmp_path / "none"
    machine = measure_memory(tmp_path, none)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    for text, expected in (("536870912\n", 1 << 29), ("max\n", machine), (f"{1 << 62}", machine)):
        (tmp_path / name).write_text(text)
        assert measure_memory(tmp_path, none) == expected


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("0::/system.slice/app.service", "system.slice/app.service/memory.max"),
        ("7:memory:/lxc/app", "memory/lxc/app/memory.limit_in_bytes"),
    ],
)
def test_the_memory_of_a_service_counts(line: str, name: str, tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text(f"3:cpu:/other\n{line}\n")
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text("536870912\n")
    assert measure_memory(tmp_path, own) == 1 << 29


def test_photos_are_smaller_where_memory_is_short() -> None:
    known = (NONE / 2, 2_000 * MB, ONE, TWO, float("inf"))
    assert [count_pixels(memory) // MB for memory in known] == [5, 25, 50, 50, 50]


def test_there_is_one_lane_where_memory_is_short() -> None:
    assert [count_lanes(memory) for memory in (TWO - 1, TWO, float("inf"))] == [1, 2, 2]
    assert endpoints.QUEUED["concurrency_limit"] == AT_ONCE
    assert widgets.runs(None)["concurrency_limit"] == AT_ONCE  # type: ignore[arg-type]
