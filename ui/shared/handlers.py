"""The one shape of what a page's events call: a task that can be stopped and tells how far it is,
errors in words on the page, and new values by the names of the components that take them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any, NamedTuple

import gradio as gr

from colorize_core.errors import Cancelled, ColorizeError
from ui.server.sessions import client_id
from ui.shared import widgets
from ui.shared.service import Service, in_words

Updates = dict[str, Any]  # name of a component -> its new value; those left out stay as they are
AWAY = gr.update(visible=False)
THERE = gr.update(visible=True)
SAY_STOPPED = '() => "<p>Stopped.</p>"'


class Handlers:
    """The base of a tab's handlers. They keep nothing: whose work it is comes with every call."""

    busy = widgets.BUSY
    remark = "message"  # the component that says what becomes of runs on what is there

    def __init__(self, service: Service):
        self.service = service

    def stop(self, turn: float, request: gr.Request) -> None:
        """Stop what was asked for before `turn`."""
        self.service.stop(client_id(request), turn)

    def fail(self) -> Updates:
        """The run did not even begin: the queue is full, or the app is being closed."""
        return {self.remark: widgets.alert(self.busy)}

    def _run(
        self, method: Any, shape: Shape, call: Call, values: Sequence[Any]
    ) -> Iterator[Updates]:
        turn, *given = values
        try:
            with self.service.task(client_id(call.request), call.progress, turn) as task:
                made = method(self, task, *call.event, *given)
                if inspect.isgenerator(made):
                    yield from made
                else:
                    yield made
        except Cancelled:
            yield shape.stopped(self, *given) if shape.stopped else {}
        except ColorizeError as error:
            also = shape.failed(self, *given) if shape.failed else {}
            yield {shape.on: widgets.alert(error), **also}


class Shape(NamedTuple):
    """See task_handler()."""

    on: str
    failed: Callable[..., Updates] | None
    stopped: Callable[..., Updates] | None


class Call:
    """What Gradio knows of an event."""

    def __init__(self, request: gr.Request, progress: Any, *event: Any):
        self.request, self.progress, self.event = request, progress, event


def task_handler(
    on: str = "message",
    failed: Callable[..., Updates] | None = None,
    stopped: Callable[..., Updates] | None = None,
) -> Callable[[Any], Any]:
    """A handler `(self, task, [event,] *values) -> Updates`, or an iterator of them, becomes one
    that Gradio can call with the time of asking before the values.

    An error is said on the component `on`; `failed(self, *values)` is what else is put right. Of
    a run that was stopped nothing is said, as the page has done so; `stopped` is what is put right.
    """
    shape = Shape(on, failed, stopped)

    def decorate(method: Any) -> Any:
        several = inspect.isgeneratorfunction(method)
        takes_event = "event" in inspect.signature(method).parameters

        # Gradio goes by the parameters, and by whether a function is a generator: each has its own.
        def steps(
            self: Any,
            request: gr.Request,
            progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio passes it
            *values: Any,
        ) -> Iterator[Updates]:
            yield from self._run(method, shape, Call(request, progress), values)

        def event_steps(
            self: Any,
            event: gr.EventData,
            request: gr.Request,
            progress: gr.Progress = gr.Progress(),  # noqa: B008
            *values: Any,
        ) -> Iterator[Updates]:
            yield from self._run(method, shape, Call(request, progress, event), values)

        def once(
            self: Any,
            request: gr.Request,
            progress: gr.Progress = gr.Progress(),  # noqa: B008
            *values: Any,
        ) -> Updates:
            return next(self._run(method, shape, Call(request, progress), values))

        def event_once(
            self: Any,
            event: gr.EventData,
            request: gr.Request,
            progress: gr.Progress = gr.Progress(),  # noqa: B008
            *values: Any,
        ) -> Updates:
            return next(self._run(method, shape, Call(request, progress, event), values))

        kinds: dict[tuple[bool, bool], Any] = {
            (True, False): steps,
            (True, True): event_steps,
            (False, False): once,
            (False, True): event_once,
        }
        made = kinds[several, takes_event]
        made.__name__, made.__doc__ = method.__name__, method.__doc__
        return made

    return decorate


def quick_handler(on: str) -> Callable[[Any], Any]:
    """A handler that waits in no queue: its errors are said on the component `on`."""

    def decorate(method: Any) -> Any:
        @wraps(method)
        def answer(*values: Any) -> Updates:
            try:
                with in_words():
                    updates: Updates = method(*values)
                    return updates
            except ColorizeError as error:
                return {on: widgets.alert(error)}

        return answer

    return decorate


class View:
    """The components of a tab by their names, which its handlers answer with."""

    def __init__(self, **components: Any):
        self._components = components

    def __getitem__(self, name: str) -> Any:
        return self._components[name]

    def __contains__(self, name: str) -> bool:
        return name in self._components

    def add(self, **components: Any) -> None:
        """Raises KeyError for a name that another component has."""
        if twice := self._components.keys() & components:
            raise KeyError(f"two components named {', '.join(sorted(twice))}")
        self._components |= components

    def wire(
        self, handler: Callable[..., Any], inputs: Any, names: Sequence[str]
    ) -> tuple[Any, Any, list[Any]]:
        """Function, inputs and outputs of an event that may change the named components."""
        if inspect.isgeneratorfunction(handler):

            @wraps(handler)
            def listed(*values: Any) -> Any:
                for updates in handler(*values):
                    yield in_order(updates, names)
        else:

            @wraps(handler)
            def listed(*values: Any) -> Any:
                return in_order(handler(*values), names)

        return listed, inputs, [self._components[name] for name in names]


def in_order(updates: Updates, names: Sequence[str]) -> Any:
    """As Gradio takes them: one value for one component, else a list. Raises KeyError for a name
    that the event does not change."""
    if strange := updates.keys() - set(names):
        raise KeyError(f"{', '.join(sorted(strange))} not among {', '.join(names)}")
    values = [updates.get(name, gr.skip()) for name in names]
    return values[0] if len(values) == 1 else values


def take_choice(handler: Callable[..., Any], choices: Sequence[tuple[Any, Any]]) -> Any:
    """A task handler for one event of several components: its last value is the one beside the
    component of the event. When a page opens, every event costs time with every component on it
    (find_attached_events() in the script of Gradio's page), so several make one where they can."""
    chosen = {component._id: value for component, value in choices}

    @wraps(handler, assigned=("__name__", "__doc__"))
    def choose(
        event: gr.EventData,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
        *values: Any,
    ) -> Any:
        return handler(request, progress, *values, chosen[event.target._id])

    del choose.__wrapped__  # Gradio goes by the parameters of this one
    return choose


def wire_run(
    view: View, on: Handlers, runs: Sequence[Any], cancel: Sequence[gr.Button], place: str = ""
) -> None:
    """What these events say where they do not even begin, and the buttons that stop them; on the
    component `place`, which is on.remark if not given."""
    own = View(**{on.remark: view[place or on.remark]})
    for event in runs:
        event.failure(*own.wire(on.fail, None, [on.remark]), **widgets.QUICK)
    clicks = [each.click for each in cancel]
    # Said by the page, so that what the run itself may say as it ends comes later.
    gr.on(clicks, None, None, own[on.remark], js=SAY_STOPPED, **widgets.QUICK)
    gr.on(clicks, on.stop, view["turn"], None, js="window.stopRuns", **widgets.QUICK)
