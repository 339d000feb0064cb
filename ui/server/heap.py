"""The C library's heap, of which networks take much and give it back."""

from __future__ import annotations

import ctypes
import sys

M_ARENA_MAX = -8  # malloc.h


def use_one_heap() -> None:
    """Have all threads take their memory from one heap. glibc gives each thread one, and a heap
    keeps what a network needed in it once: of eight threads 140 MB and more. Before threads start.

    Source: mallopt(3)."""
    if sys.platform != "linux":
        return
    found = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
    if found is not None:
        found(M_ARENA_MAX, 1)
