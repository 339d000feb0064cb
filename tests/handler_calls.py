"""Handlers called as Gradio calls them, without a page."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

WHO: Any = SimpleNamespace(session_hash="someone")
UPLOAD: Any = SimpleNamespace(target=gr.Image(render=False))  # events that open a photo
FOLLOWING: Any = SimpleNamespace(target=gr.Textbox(render=False))
Updates = dict[str, Any]


def calls(
    handler: Callable[..., Any],
    *values: Any,
    who: Any = WHO,
    event: Any = None,
    progress: Any = None,
    turn: float = 0,
) -> Iterator[Updates]:
    """What a handler brings, one after the other; `event` where it takes one."""
    before = () if event is None else (event,)
    made = handler(*before, who, progress, turn, *values)
    return made if inspect.isgenerator(made) else iter([made])


def call(handler: Callable[..., Any], *values: Any, **options: Any) -> Updates:
    """What there is on the page when a handler is done."""
    seen: Updates = {}
    for updates in calls(handler, *values, **options):
        seen |= updates
    return seen


@contextmanager
def computed_once(owner: Any, name: str, key: Callable[..., Hashable]) -> Iterator[None]:
    """Have owner.name be called once for all arguments of which `key` is the same; what it gave is
    given again from then on."""
    compute, given = getattr(owner, name), dict[Hashable, Any]()

    def remember(*arguments: Any) -> Any:
        found = key(*arguments)
        if found not in given:
            given[found] = compute(*arguments)
        return given[found]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, remember)
        yield
