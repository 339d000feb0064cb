"""Work by hand, which is not thrown away: another photo is asked for first, and a page that is
loaded anew offers to go on. The app keeps the work for an hour, the browser its secret key."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr

from ui.server.sessions import client_id
from ui.shared import widgets
from ui.shared.handlers import AWAY, THERE, Updates, View, quick_handler
from ui.shared.opening import Opening
from ui.shared.photo_tab import PhotoHandlers, PhotoSession

GONE = "That work is no longer here: it is kept for an hour. Add the photo again."
OFFER = ("offer", "offered", "confirm")  # what offer() answers with
STORAGE_SECRET = "its-key-is-a-secret-itself"


class KeptSession(PhotoSession):
    """The base of a session that is kept."""

    key: str  # that nobody can guess; also tells apart what was meant for another photo
    earlier: str = ""  # the key of the work before it


class KeptHandlers(PhotoHandlers):
    """The base of handlers of a tab whose work is kept. `kept` is the key that the browser has."""

    kind: type[KeptSession]  # of the tab's sessions

    @abstractmethod
    def take_up(self, work: Any, client: str) -> Updates:
        """The tab of that client with that work, as it was left."""

    def keep(self, session: KeptSession) -> Updates:
        """Keep what is there, where it was done by hand: after every change."""
        if not session.by_hand:
            return {}
        self.service.keep_work(session.key, session)
        return {"kept": session.key}

    def ask(self, session: KeptSession | None, kept: str, request: gr.Request) -> Updates:
        """Whether what was done by hand may be put away for another photo."""
        if session is not None and session.by_hand:
            return {"confirm": THERE}
        return self.put_away(session, kept, request)

    def put_away(self, session: KeptSession | None, kept: str, request: gr.Request) -> Updates:
        """Back to the drop zone; work by hand can be gone on with."""
        return {**self.reset(session, request), **self.offer(None, kept)}

    def offer(self, session: KeptSession | None, kept: str) -> Updates:
        """The work that the browser knows of, where another photo or none is there."""
        work = self._find(session, kept)
        name = escape(work.photo.path.name) if work else ""
        return {
            "offer": gr.update(visible=work is not None),
            "offered": f"<p>Your work on {name} is kept for an hour.</p>" if work else "",
            "confirm": AWAY,
        }

    @quick_handler("message")
    def go_on(self, session: KeptSession | None, kept: str, request: gr.Request) -> Updates:
        """Take that work up again."""
        work = self._find(session, kept)
        if work is None:
            return {**self.offer(session, ""), "message": widgets.alert(GONE)}
        client = client_id(request)
        shown = self.take_up(work, client)
        if session is not None:
            session.away = True
            work.earlier = session.key if session.by_hand else work.earlier
        work.away = False
        self.service.follow(client, work.photo)
        place = {"place": THERE, "samples": AWAY, "zone": gr.update(value=None, visible="hidden")}
        said = {"message": "", self.remark: ""}
        back = {"session": work, "kept": work.key, **self.offer(work, work.key)}
        return {**place, **said, **shown, **back}

    def forget(self, session: KeptSession | None, kept: str) -> Updates:
        """Forget what is offered, not what is there."""
        work = self._find(session, kept)
        if work is not None:
            self.service.forget_work(work.key)
        there = session is not None and session.by_hand
        return {"kept": kept if there else "", "offer": AWAY}

    def _find(self, session: KeptSession | None, kept: str) -> KeptSession | None:
        """The last work that is kept and is not there."""
        seen = set()
        while kept not in seen:
            seen.add(kept)
            work = self.service.find_work(kept)
            if not isinstance(work, self.kind):
                return None
            if work is not session and work.by_hand and work.photo.path.exists():
                return work
            kept = work.earlier
        return None


def build_offer(view: View, storage_key: str) -> None:
    """Work that is kept, and the buttons that take it up again or forget it."""
    kept = gr.BrowserState("", storage_key=storage_key, secret=STORAGE_SECRET)
    with gr.Row(visible=False, elem_classes="actions") as offer:
        offered = gr.HTML(elem_classes="done")
        go_on = gr.Button("Go on with it", size="sm", variant="primary")
        forget = gr.Button("Forget it", size="sm")
    view.add(kept=kept, offer=offer, offered=offered, go_on=go_on, forget=forget)


def build_confirm(view: View) -> None:
    """The question whether work may be put away."""
    with gr.Row(visible=False, elem_classes="actions") as confirm:
        gr.HTML("Put away what you have done here?", elem_classes="done")
        put_away = gr.Button("Put it away", size="sm", variant="stop")
        stay = gr.Button("Keep working", size="sm")
    view.add(confirm=confirm, put_away=put_away, stay=stay)


def wire_offer(view: View, on: KeptHandlers, another: gr.Button, names: Sequence[str]) -> Opening:
    """The button for another photo, and those of build_offer() and build_confirm(); what is
    offered as the page opens. `names`: what else a photo changes in the tab."""
    known = [view["session"], view["kept"]]
    common = ["message", on.remark, "zone", "samples", "place", "session", "kept", *OFFER]
    every = list(dict.fromkeys([*common, *names]))
    another.click(*view.wire(on.ask, known, every), **widgets.QUICK)
    view["put_away"].click(*view.wire(on.put_away, known, every), **widgets.QUICK)
    view["stay"].click(lambda: AWAY, None, view["confirm"], **widgets.QUICK)
    offering = view.wire(on.offer, known, OFFER)
    gr.on([each.change for each in known], *offering, **widgets.QUICK)
    view["go_on"].click(*view.wire(on.go_on, known, every), **widgets.QUICK)
    view["forget"].click(*view.wire(on.forget, known, ["kept", "offer"]), **widgets.QUICK)
    return Opening(*offering)
