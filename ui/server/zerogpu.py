"""The GPU that a Space on ZeroGPU lends for one call; anywhere else all of this changes nothing.

There the page's own process never has a GPU: what needs one runs in a process that is made for the
call and gets copies of its arguments. So only drawing from words goes there, which takes minutes
without; the built-in models take a fraction of a second on the CPU, less than the lending.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeVar

SECONDS = 120  # that a call is announced to take at most

Function = TypeVar("Function", bound=Callable[..., Any])


def gpu(function: Function) -> Function:
    """`function` itself, unless the package `spaces` is there and knows better."""
    try:
        import spaces  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return function
    return spaces.GPU(function, duration=SECONDS)


@lru_cache(maxsize=1)
def _get_cache() -> Any:
    """Of the process that has the GPU, which may serve several calls."""
    from colorize_core.prompted.pipeline_cache import PipelineCache

    return PipelineCache()


@gpu
def draw(photo: Any, cells: Sequence[Any], start: Any) -> Iterator[tuple[int, Any]]:
    """draw_grid() on the lent GPU. Arguments and what it yields can be pickled; who stops it closes
    it."""
    from colorize_core.prompted.grid import draw_grid

    yield from draw_grid(_get_cache(), photo, cells, start=start, device="cuda")
