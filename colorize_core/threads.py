"""How torch's threads wait for one another. Imports no torch: it has to be told before."""

import os

SPINS = 20_000  # some 50 microseconds


def wait_briefly() -> None:
    """Let threads spin for a moment between two operations and then sleep.

    GNU OpenMP spins for milliseconds, which takes the cores from the threads that read, draw and
    write; sleeping at once makes each small operation wait for its helpers to wake up.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", str(SPINS))
