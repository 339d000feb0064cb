"""Promised: an app that nobody uses leaves the machine alone."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from public_app import Served, is_at_rest, needs_proc, serving, use_of_cores

pytestmark = needs_proc


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("idle"), "--no-auth") as served:
        yield served


def test_an_idle_app_takes_a_small_part_of_a_core(served: Served) -> None:
    """Gradio alone takes 8 % of one: it looks a thousand times a second whether somebody waits."""
    end = time.monotonic() + 60
    while not is_at_rest(served):
        assert time.monotonic() < end, "it is still starting"
    before, begun = use_of_cores(served), time.monotonic()
    time.sleep(8)
    assert (use_of_cores(served) - before) / (time.monotonic() - begun) < 0.03
