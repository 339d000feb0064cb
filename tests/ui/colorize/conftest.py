"""The tab "Colorize" alone, for its browser tests: its page opens in half the time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from app_server import serving


@pytest.fixture(scope="session")
def app_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("colorize"), "colorize") as address:
        yield address
