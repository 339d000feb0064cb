from __future__ import annotations

from pathlib import Path

import pytest

from ui.server.limits import AT_ONCE, TWO, count_lanes, measure_memory
from ui.shared import endpoints, widgets


@pytest.mark.parametrize("name", ["memory.max", "memory/memory.limit_in_bytes"])
def test_the_memory_of_a_container_counts(name: str, tmp_path: Path) -> None:
    machine = measure_memory(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    for text, expected in (("536870912\n", 1 << 29), ("max\n", machine), (f"{1 << 62}", machine)):
        (tmp_path / name).write_text(text)
        assert measure_memory(tmp_path) == expected


def test_there_is_one_lane_where_memory_is_short() -> None:
    assert [count_lanes(memory) for memory in (TWO - 1, TWO, float("inf"))] == [1, 2, 2]
    assert endpoints.QUEUED["concurrency_limit"] == AT_ONCE
    assert widgets.runs(None)["concurrency_limit"] == AT_ONCE  # type: ignore[arg-type]
