"""Everything of Gradio that is used here and not public: when Gradio changes, this is the file to
look at. Tested with gradio 6.31; tests/ui/server/test_gradio_private.py fails when a part is gone.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from functools import cache, partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import uvicorn
from starlette.requests import Request
from uvicorn.config import Config as UvicornConfig

OFTEN = (0.001, 0.05)  # seconds between two looks for runs, and for progress
CLOSED_SECONDS = 3600  # for which what a page had stays when it is closed, as in Gradio
RARELY = (0.015, 0.1)  # of a run that comes then, nobody notices the first

# Of the page's scripts, what each begins with, and what is put in its place.
_QUICKER = (
    (
        re.compile(
            rb"(find_attached_events\((\w+),(\w+)\)\{)let (\w+)=.{1,200}?\.filter\(Boolean\);"
        ),
        rb"""\1
if (this.tabled_listeners !== \3) {
  this.tabled_listeners = \3;
  this.events_by_component = {};
  for (const {targets} of \3)
    for (const [component, event] of new Map([...targets].reverse()))
      if (event) (this.events_by_component[component] ??= []).push(event);
}
let \4 = [...(this.events_by_component[\2.id] ?? [])];""",
    ),
    (
        re.compile(rb"async set_event_args\(\w+,(\w+)\)\{"),
        rb"\g<0>if (!Object.keys(\1).length) return () => {};",
    ),
    (
        re.compile(
            rb"(function (\w+)\(\)\{(\w+)\|\|\(.{1,120}?\}function \w+\(\)\{.{1,80}?\})"
            rb"(\w+)(\(\(\)=>\{\w+\.status===`pending`\?\2\(\))"
        ),
        rb"\1\4(() => () => { \3 = false; }),\4\5",
    ),
)


class _ComponentMetaFinder(MetaPathFinder):
    """Finds the module of Gradio that documents components, and takes that out of it."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "gradio.component_meta":
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_without(module: ModuleType) -> None:
                load(module)
                vars(module)["create_or_modify_pyi"] = lambda *component: None
                vars(module)["EventListener"].set_doc = lambda listener, component: None

            spec.loader.exec_module = load_without  # type: ignore[method-assign]
        return spec


@cache
def leave_out_documentation() -> None:
    """Have Gradio, when it is imported, neither write type stubs of its components into its own
    folder nor docstrings of their events, which editors show: stubs alone are 40 % of the import.

    Private: in `gradio.component_meta` the function `create_or_modify_pyi()` and the class
    `EventListener` with its `set_doc()`, which are called for each class of components."""
    if "gradio" not in sys.modules:
        sys.meta_path.insert(0, _ComponentMetaFinder())


@contextmanager
def make_app_at_launch() -> Iterator[None]:
    """Inside, Gradio makes no web application of a page: it would make three, and the one that
    launch() makes is served.

    Private: `gradio.routes.App.create_app()`, which `Blocks` calls and whose result is `app`."""
    from gradio.routes import App

    create = vars(App)["create_app"]
    App.create_app = staticmethod(lambda *given, **options: None)
    try:
        yield
    finally:
        App.create_app = create


def list_waiting(blocks: Any) -> Iterator[Any]:
    """Scopes of the requests whose runs wait in the queue of a gr.Blocks.

    Private: `Blocks._queue`, its `event_queue_per_concurrency_id`, and of each event `fn.queue`
    and `request`. Calls from programs of what the page does without the queue pass through it,
    too, and are left out."""
    for queue in blocks._queue.event_queue_per_concurrency_id.values():
        for event in queue.queue:
            if event.fn.queue:
                yield event.request.scope


def set_polling(blocks: Any, often: bool) -> None:
    """How often the queue of a gr.Blocks looks for runs, and for their progress.

    Private: `Blocks._queue` and its `sleep_when_free` and `progress_update_sleep_when_free`."""
    queue = blocks._queue
    queue.sleep_when_free, queue.progress_update_sleep_when_free = OFTEN if often else RARELY


def close_queue(blocks: Any, most: int) -> None:
    """Let at most so many runs wait, and no one pass by the queue, its lanes and its limits by
    posting to a function itself. As Blocks.queue(), which makes all of the app's routes anew for
    it: that is about a sixth of the time to make the page.

    Private: `Blocks.api_open`, `Blocks._queue` and its `max_size`."""
    blocks.api_open = False
    blocks._queue.max_size = most


class _NoConfig(dict[int, Any]):
    """Remembers nothing, and says that it has all."""

    def __contains__(self, key: object) -> bool:
        return True

    def __getitem__(self, key: int) -> Any:
        return {}

    def __setitem__(self, key: int, value: Any) -> None:
        pass


@cache
def keep_sessions_light() -> None:
    """From now on, what Gradio keeps of a session has no description of every component, from which
    it would make links to a page as it is now (gr.DeepLinkButton): with them each session takes
    840 kB and 60 ms, without 24 kB and 0.02 ms, and every call of a program is a session.

    Private: `StateHolder` makes sessions of the name `SessionState` in its module, whose attributes
    are these."""
    from gradio import state_holder

    class LightSession(state_holder.SessionState):  # type: ignore[misc]
        def __init__(self, blocks: Any) -> None:
            self.blocks_config = copy(blocks.default_config)
            self.config_values = _NoConfig()
            self.state_data: dict[int, Any] = {}
            self._state_ttl: dict[int, Any] = {}
            self.is_closed = False
            self.STATE_TTL_WHEN_CLOSED = CLOSED_SECONDS

    state_holder.SessionState = LightSession


@cache
def remember_signatures() -> None:
    """Find out once what components and layouts take, not for every one of a page each time that
    the page is described: that is 40 % of it, and starting describes it four times.

    Private: `gradio.blocks.Block`, whose get_config() asks inspect.signature() for its class."""
    from gradio.blocks import Block

    kinds = [Block]
    for kind in kinds:
        kinds += kind.__subclasses__()
        # inspect.signature() takes what lies there already.
        vars(kind.__init__).setdefault("__signature__", inspect.signature(kind.__init__))


def fill_missing(blocks: Any) -> None:
    """Have calls that give an endpoint's first values alone go on with the defaults of the others,
    as calls by name do: an endpoint that takes more than before still answers who does not know.

    Private: `Blocks.validate_inputs()`, which is given the list that is read next."""
    check = blocks.validate_inputs

    def fill(function: Any, inputs: list[Any]) -> None:
        if inputs and function.api_name and function.api_visibility == "public":
            inputs += [each.value for each in function.inputs[len(inputs) :]]
        check(function, inputs)

    blocks.validate_inputs = fill


def set_server(protocol: str, backlog: int) -> None:
    """Have the server that Gradio starts speak HTTP by that class, named as "module:Class", and
    take at most so many new connections before it looks at them.

    Private: `gradio.http_server.start_server()` makes a `uvicorn.Config` and says neither."""
    uvicorn.Config = partial(UvicornConfig, http=protocol, backlog=backlog)  # type: ignore[misc, assignment]


def find_session(app: Any, event: str) -> str:
    """The session of a run, by the name of the event that it is; a run that is over, and one of no
    session, is its own.

    Private: `Blocks._queue` and its `event_ids_to_events`."""
    found = app.get_blocks()._queue.event_ids_to_events.get(event)
    return str(found.session_hash) if found else event


def log_in(app: Any, name: str, token: str) -> str:
    """Have Gradio's FastAPI app know a person by the token; the cookie, as its login sets it.

    Private: `App.tokens` and `App.cookie_id`."""
    app.tokens[token] = name
    return f"access-token-unsecure-{app.cookie_id}={token}"


def read_user(app: Any, scope: Any) -> str | None:
    """Who is logged in by the cookies of a request; None where nobody is.

    Private: as in log_in(); the order is that of Gradio."""
    cookies = Request(scope).cookies
    name = app.cookie_id
    token = cookies.get(f"access-token-{name}") or cookies.get(f"access-token-unsecure-{name}")
    user: str | None = app.tokens.get(token)
    return user


def find_assets() -> Path:
    """The folder of the page's scripts and styles. Private: `gradio.routes.BUILD_PATH_LIB`."""
    from gradio import routes

    return Path(routes.BUILD_PATH_LIB)


def quicken(script: bytes) -> bytes:
    """One of the page's scripts, which does the same in less time. Gradio's own goes through all
    listeners for each component, twice, and for each listener through all components, to set what
    few have: a third of the time until our page can be used. And the clock of what shows that the
    page loads goes on for ever when that is gone: a tenth of a core for as long as a page is open.

    Private: the methods `find_attached_events(component, listeners)`, which begins by making a list
    of them and ends it with `filter(Boolean)`, and `set_event_args(component, args)`, which with no
    arguments does nothing in the end; in `statustracker-*.js` the functions that start and stop a
    clock, before the effect that starts it while its `status` is `pending`."""
    for pattern, quicker in _QUICKER:
        script = pattern.sub(quicker, script, count=1)
    return script


def read_config(app: Any) -> Any:
    """What the page is made of: another object where that has changed. Private: `Blocks.config`."""
    return app.get_blocks().config


def lacks_tool_client(app: Any) -> bool:
    """Whether the app serves tools for MCP clients, and these have no client of the app yet.

    Private: `Blocks.mcp_server_obj` and its `_client_instance`."""
    tools = app.get_blocks().mcp_server_obj
    return tools is not None and tools._client_instance is None


def set_tool_client(app: Any, client: Any) -> None:
    """The gradio_client.Client as which the tools for MCP clients call the app. Private: as in
    lacks_tool_client()."""
    app.get_blocks().mcp_server_obj._client_instance = client
