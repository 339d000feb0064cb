"""Autochrome Studio: the app. `python app.py --help` lists its options."""

from __future__ import annotations

import argparse
import atexit
import gc
import importlib
import importlib.util
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from colorize_core.bundled import DOCS, EXAMPLES
from colorize_core.cli import terminal
from colorize_core.threads import wait_briefly

if TYPE_CHECKING:
    import gradio as gr

    from ui.server.limits import Public
    from ui.shared.opening import Opening
    from ui.shared.service import Service

TITLE = "Autochrome Studio"
TAGLINE = "Black-and-white photographs in colour, at full size"
AT_HOME = ", on your own machine"  # not where strangers come by
PAGE = Path(__file__).resolve().parent / "ui" / "shared"
NO_PROMPT = (
    "The tab Prompt is left out: its models are not on this machine, and a public app downloads "
    "nothing. To have it, fetch them, then start again: "
    "autochrome weights fetch stable-diffusion controlnet-canny lcm-lora"
)
WAITING = 32  # people in the queue; whoever comes after them is told that it is full
STOP_SECONDS = 10.0  # for runs to end when the app is stopped
NOT_OPEN = (
    "strangers could reach the app: give --auth USER:PASSWORD, or say --no-auth if everybody may "
    "use it"
)
HEADER = """
<header>
  <svg viewBox="0 0 36 28" width="36" height="28" aria-hidden="true">
    <circle cx="11" cy="18" r="9" fill="#4f8f5b"/><circle cx="25" cy="18" r="9" fill="#7a5aa6"/>
    <circle cx="18" cy="9.5" r="9" fill="#d9682f"/>
  </svg>
  <div><h1>{}</h1><p>{}.</p></div>
</header>"""
FOOTER = """
<footer>
  <p>Photos and results never leave the machine that runs this app, and are deleted after an
  hour.</p>
  <button type="button">Use it from a program</button>
</footer>"""


def build(service: Service | None = None) -> gr.Blocks:
    """The page, with every tab; `service` is what the tabs share, made here if not given."""
    from ui.server.temp_files import KEEP_SECONDS, SWEEP_SECONDS

    service = service or new_service()
    os.environ["GRADIO_TEMP_DIR"] = str(service.folder.path)  # read when Gradio is imported, and on
    from ui.server import gradio_private

    gradio_private.leave_out_documentation()
    importlib.import_module(
        "ui.server.zerogpu"
    )  # the package spaces, where it is, comes before Gradio
    import gradio as gr

    from ui.server.sessions import asked_tab, on_leave
    from ui.shared import opening, widgets

    gradio_private.remember_signatures()
    with (
        gradio_private.make_app_at_launch(),
        gr.Blocks(
            title=TITLE, analytics_enabled=False, delete_cache=(SWEEP_SECONDS, KEEP_SECONDS)
        ) as blocks,
    ):
        gr.HTML(make_header(service.public), elem_id="header")
        openings: list[Opening] = []
        with gr.Tabs() as tabs:
            for name in service.tabs:
                tab = importlib.import_module(f"ui.{name}.tab")
                with gr.Tab(tab.TITLE, id=name) as page:
                    openings += tab.build(service, page) or []
        gr.HTML(FOOTER, elem_id="footer")
        opening.wire(blocks, tabs, [*openings, opening.Opening(asked_tab, [], [tabs])])
        blocks.load(service.warm_up, **widgets.QUICK)
        blocks.unload(on_leave(service))
    gradio_private.fill_missing(blocks)
    blocks.service = service
    most = service.public.waiting if service.public else WAITING
    gradio_private.close_queue(blocks, most)
    gradio_private.set_polling(blocks, often=False)
    gradio_private.keep_sessions_light()
    return blocks


def make_header(public: Public | None) -> str:
    return HEADER.format(TITLE, TAGLINE if public else TAGLINE + AT_HOME)


def launch_options(
    blocks: gr.Blocks | None = None, accounts: Mapping[str, str] | None = None, proxies: int = 0
) -> dict[str, Any]:
    """What launch() is given whatever the command line says: the look, the limits, no tracking;
    and what stands before everything: more where that page is open to strangers or asks for an
    account (passwords by name). `proxies`: how many of one's own are before the app."""
    from colorize_core.imaging.image import MAX_BYTES
    from ui.shared.theme import AutochromeTheme

    public = blocks.service.public if blocks else None
    options = {
        # Examples are shown while they are worked on, wherever they lie; so are docs' pictures.
        "allowed_paths": [str(EXAMPLES), str(DOCS)],
        "theme": AutochromeTheme(),
        "css_paths": PAGE / "style.css",
        "head": f"<script>{(PAGE / 'page.js').read_text(encoding='utf-8')}</script>",
        "favicon_path": PAGE / "favicon.svg",
        "footer_links": ["api"],  # page.js opens its page from our own footer
        "max_file_size": public.upload_bytes if public else MAX_BYTES,
        "run_history": False,
        "enable_monitoring": False,
        "app_kwargs": {"middleware": list(middleware(blocks, accounts, proxies))},
    }
    if public:
        options["ssr_mode"] = False  # another server would stand between guard and clients
        options["state_session_capacity"] = public.sessions
    return options


def middleware(
    blocks: gr.Blocks | None, accounts: Mapping[str, str] | None, proxies: int = 0
) -> Iterator[Any]:
    """What requests pass before they come to Gradio, the first one first."""
    from starlette.middleware import Middleware

    from ui.server.basic_auth import Basic
    from ui.server.departures import Departures
    from ui.server.guard import Guard
    from ui.server.limits import Public
    from ui.server.origins import Origins
    from ui.server.pace import Pace
    from ui.server.page_copies import PageCopies
    from ui.server.sessions import list_waiting
    from ui.server.static_files import StaticFiles

    public = blocks.service.public if blocks else None
    yield Middleware(Origins, public.proxies if public else proxies, on_space())
    if blocks and public:
        waiting = list_waiting(blocks, public.proxies)
        folder = blocks.service.folder.path
        yield Middleware(Guard, public, folder, [EXAMPLES, DOCS], waiting)
    if accounts:
        yield Middleware(Basic, accounts, public or Public())
    if blocks:
        yield Middleware(PageCopies, make_early_zone(blocks))
        yield Middleware(StaticFiles)
        yield Middleware(Departures, blocks.service.stop)
        yield Middleware(Pace)


def make_early_zone(blocks: gr.Blocks) -> str:
    """The drop zone that takes a photo while the page is still being made, in HTML."""
    from ui import PHOTO_TABS
    from ui.shared.widgets import INVITATION

    invitation, ways = INVITATION.removeprefix("# ").splitlines()
    page = (PAGE / "early_zone.html").read_text(encoding="utf-8")
    parts = {
        "header": make_header(blocks.service.public),
        "invitation": invitation,
        "ways": ways,
        "tabs": json.dumps([name for name in blocks.service.tabs if name in PHOTO_TABS]),
    }
    for name, part in parts.items():
        page = page.replace(f"{{{name}}}", part)
    return page


def limit_connections(public: Public, shared: bool) -> None:
    """Before the server starts. Behind a proxy or a tunnel one address speaks for everybody."""
    from ui.server import connections, gradio_private

    own = None if public.proxies or shared else public.connections
    connections.Connection.pool = connections.make_pool(own)
    protocol = f"{connections.__name__}:{connections.Connection.__name__}"
    gradio_private.set_server(protocol, connections.BACKLOG)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="app.py",
        description=f"{TITLE}. {TAGLINE}{AT_HOME}. Opens a page at the address that it prints.",
        epilog="Photos stay on this machine and are deleted after an hour. Stop with Ctrl+C.",
    )
    parser.add_argument(
        "--host", help="address to listen on; 0.0.0.0 opens the app to the network (127.0.0.1)"
    )
    parser.add_argument(
        "--port", type=_port, help="port to listen on (the first free one from 7860)"
    )
    parser.add_argument(
        "--share",
        action="store_true",
        help="also open a public address for a week, through Gradio's servers: uploads then pass "
        "through them",
    )
    parser.add_argument(
        "--auth",
        type=_credentials,
        action="append",
        metavar="USER:PASSWORD",
        help="ask for this name and password; give it again for more people",
    )
    parser.add_argument(
        "--root-path",
        metavar="PATH",
        help="path behind a reverse proxy, such as /studio, when the app is not at its root",
    )
    parser.add_argument(
        "--mcp",
        action="store_true",
        help="also serve the app's endpoints as tools for MCP clients, at /gradio_api/mcp/",
    )
    _add_public(parser.add_argument_group("open to strangers"))
    terminal.refuse_empty(parser, arguments)
    options = parser.parse_args(arguments)
    if importlib.util.find_spec("gradio") is None:
        parser.error("the package gradio is missing: pip install 'autochrome-studio[app]'")
    space = on_space()
    options.public = options.public or options.share or space
    if options.auth and options.no_auth:
        parser.error("--auth and --no-auth contradict each other")
    if options.public and not (options.auth or options.no_auth or space):
        parser.error(NOT_OPEN)
    if options.proxies is None:
        options.proxies = 1 if options.root_path or space else 0
    # Gradio goes on without the server where it cannot serve one.
    if options.mcp and importlib.util.find_spec("mcp") is None:
        parser.error("--mcp needs a package that is not here: pip install 'gradio[mcp]'")
    return options


def _add_public(group: argparse._ArgumentGroup) -> None:
    from ui.server.limits import MB, Public

    group.add_argument(
        "--public",
        action="store_true",
        help="limits for each client, no downloads of models, only known routes: see "
        "docs/deploying.md; --share implies it, and so does a Space of Hugging Face",
    )
    group.add_argument(
        "--no-auth", action="store_true", help="let everybody in who has the address"
    )
    group.add_argument(
        "--proxies",
        type=_count,
        metavar="N",
        help="reverse proxies of your own before the app, whose X-Forwarded-For is believed (0; 1 "
        "with --root-path)",
    )
    for option, what, most in (
        ("--max-upload", "MB of a file", Public.upload_bytes // MB),
        ("--max-megapixels", "megapixels of a photo", Public.pixels // MB),
        ("--max-waiting", "runs in the queue", Public.waiting),
    ):
        group.add_argument(
            option, type=_count, default=most, metavar="N", help=f"{what} in public (%(default)s)"
        )


def on_space() -> bool:
    """Whether this is a Space of Hugging Face, which asks for a login where its owner wants one."""
    return "SPACE_ID" in os.environ


def public_profile(options: argparse.Namespace) -> Public | None:
    """What strangers may have, by the command line."""
    from ui.server.limits import MB, Public

    if not options.public:
        return None
    return Public(
        upload_bytes=options.max_upload * MB,
        pixels=options.max_megapixels * MB,
        waiting=options.max_waiting,
        proxies=options.proxies,
    )


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > 6:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 to 999999")
    return int(text)


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1 to 65535")
    return int(text)


def _credentials(text: str) -> tuple[str, str]:
    user, _, password = text.partition(":")
    if not user or not password:
        raise argparse.ArgumentTypeError("give a name and a password as USER:PASSWORD")
    return user, password


def new_service(public: Public | None = None) -> Service:
    """What the tabs share, in a folder of its own."""
    from colorize_core.imaging.decoder_pool import DecoderPool
    from ui.server.limits import AT_ONCE, HOME
    from ui.server.temp_files import Folder
    from ui.shared.service import Service

    folder = Folder(os.environ.get("GRADIO_TEMP_DIR"))
    budget = public.budget if public else HOME
    return Service(folder, public=public, pool=DecoderPool(budget, AT_ONCE))


def main(arguments: list[str] | None = None) -> None:
    """Serve the app until it is interrupted."""
    from ui.server.heap import use_one_heap

    terminal.print_anything()
    options = parse(arguments)
    # Nearly all that is made while the app starts stays. To look through it again and again for
    # what does not takes a fifth of the start, and 0.2 s each time later.
    gc.disable()
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    public = public_profile(options)
    if public:
        # Nobody but the guard interprets X-Forwarded-For: uvicorn would believe any from loopback,
        # which is where a tunnel and a proxy on the same machine send from.
        os.environ["FORWARDED_ALLOW_IPS"] = ""
        os.environ["HF_HUB_OFFLINE"] = "1"  # whatever asks for a model, none is downloaded
        limit_connections(public, shared=options.share)
    wait_briefly()
    use_one_heap()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to tidy up as with Ctrl+C
    stopped = threading.Event()
    atexit.register(end_at_once, stopped)  # the first one is called last
    blocks = build(new_service(public))
    if public and "prompt" not in blocks.service.tabs:
        print(NO_PROMPT, file=sys.stderr, flush=True)
    folder = blocks.service.folder
    atexit.register(folder.close)
    folder.start_sweeping(blocks.service.forget)
    try:
        blocks.launch(
            server_name=options.host,
            server_port=options.port,
            share=options.share,
            auth=options.auth,
            root_path=options.root_path,
            mcp_server=options.mcp,
            prevent_thread_lock=True,
            **launch_options(blocks, dict(options.auth or ()), options.proxies),
        )
        gc.freeze()
        gc.enable()
        await_signal(stopped)
    except OSError as error:  # the port is taken, or the address is not of this machine
        raise SystemExit(f"The app cannot listen there: {error}") from error
    except KeyboardInterrupt:  # while it starts to listen
        stopped.set()
    print("Stopping what runs, and the app.", flush=True)
    blocks.service.stop_all(STOP_SECONDS)
    blocks.close(verbose=False)


def await_signal(stopped: threading.Event) -> None:
    """Return on Ctrl+C or SIGTERM, of which the next ones are not heeded: stopping has an end."""
    # A handler runs between any two steps of this thread: an Event could then wait for a lock that
    # this very thread holds. The put() of a SimpleQueue waits for nothing.
    signals: queue.SimpleQueue[None] = queue.SimpleQueue()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: signals.put(None))
    while not stopped.is_set():
        with suppress(queue.Empty):  # on Windows a wait without an end hears no Ctrl+C
            signals.get(timeout=1.0)
            stopped.set()


def end_at_once(stopped: threading.Event) -> None:
    """Once all is tidied up after a signal, end without Python's own end: it stops the threads that
    are in a library's code by force, on which C++ aborts."""
    if stopped.is_set():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
