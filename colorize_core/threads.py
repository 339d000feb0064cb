"""How torch's threads wait for one another, and how they share the cores.

Importing this imports no torch: how to wait it has to be told before.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

SPINS = 20_000  # some 50 microseconds


def wait_briefly() -> None:
    """Let threads spin for a moment between two operations and then sleep.

    GNU OpenMP spins for milliseconds, which takes the cores from the threads that read, draw and
    write; sleeping at once makes each small operation wait for its helpers to wake up.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))


@contextmanager
def share_cores(workers: int) -> Iterator[None]:
    """Threads that start in here run torch on their part of the cores.

    Two photos on one core each are done sooner than one after the other on both: reading, writing
    and much of rendering use one core anyway.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(max(1, before // workers))
    try:
        yield
    finally:
        torch.set_num_threads(before)
