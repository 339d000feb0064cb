"""How the tab "Compare" has every model colour one photo, with one network at work at a time."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from colorize_core import metrics
from colorize_core.errors import Cancelled, ColorizeError
from colorize_core.evaluate.comparison import Entry
from colorize_core.metrics import trunks
from ui.compare.session import CompareSession
from ui.shared.service import Service, Task, in_words

LIVELY = 0.5  # seconds between two words on a model that draws


class Progress(NamedTuple):
    """How far a run is. `new`: there is something new on the board."""

    words: str
    share: float
    new: bool


def compare(service: Service, session: CompareSession, task: Task) -> Iterator[Progress]:
    """Make what is planned on the board and not there yet, and score it. What fails is said on the
    board and the rest goes on. Raises Cancelled, PictureError."""
    session.begin()
    yield Progress("Scoring the references", 0.0, False)
    for entry in session.entries:
        if entry in session.made:
            _score(service, session, entry, task)
    yield Progress("", 0.0, True)
    total = len(session.planned)
    for model, group in groupby(session.planned, lambda entry: entry.model):
        pending = [entry for entry in group if entry not in session.made]
        try:
            with in_words():
                for words, share, new in _one_model(service, session, model, pending, task):
                    done = sum(entry in session.made for entry in session.planned)
                    place = min(done + 1, total)
                    yield Progress(
                        f"{place} of {total}: {words}", min(1.0, (done + share) / total), new
                    )
        except Cancelled:
            raise
        except ColorizeError as error:
            session.faults |= {e: str(error) for e in pending if e not in session.made}
    yield from _fetched(service, session, task)


def _one_model(
    service: Service, session: CompareSession, model: str, pending: Sequence[Entry], task: Task
) -> Iterator[Progress]:
    if not pending:
        return
    title = pending[0].title
    yield Progress(title, 0.0, False)
    task.step(0.0, title)
    colorizer = service.colorizer(model)
    seeds = [seed for seed in dict.fromkeys(entry.seed for entry in pending) if seed is not None]
    predictions: dict[int | None, Any] = {}
    if seeds:
        spent = yield from _draw(service, session, colorizer, seeds, predictions, task)
    else:
        with service.turn(task):
            begun = time.perf_counter()
            predictions[None] = colorizer.predict(session.gray)
            spent = time.perf_counter() - begun
    for entry in pending:
        task.step(0.0, title)
        begun = time.perf_counter()
        picture = colorizer.render(
            session.gray,
            predictions[entry.seed],
            vividness=entry.vividness,
            progress=lambda share: task.step(share, title),
        )
        seconds = spent / len(predictions) + time.perf_counter() - begun
        session.add(entry, picture, seconds)
        _score(service, session, entry, task)
        yield Progress(title, 0.0, True)


def _draw(
    service: Service,
    session: CompareSession,
    colorizer: Any,
    seeds: list[int],
    predictions: dict[int | None, Any],
    task: Task,
) -> Generator[Progress, None, float]:
    """Fills `predictions`; its value is how many seconds the network took."""
    title = colorizer.card.title
    steps = colorizer.steps(session.gray, seeds=seeds)
    spent, told = 0.0, time.monotonic()
    while True:
        with service.turn(task):
            begun = time.perf_counter()
            step = next(steps, None)
            spent += time.perf_counter() - begun
        if step is None:
            return spent
        predictions |= dict(zip(seeds, step.predictions, strict=True))
        task.step(step.share, title)
        if time.monotonic() - told > LIVELY:
            told = time.monotonic()
            yield Progress(title, step.share * len(seeds), False)


def _score(service: Service, session: CompareSession, entry: Entry, task: Task) -> None:
    """All metrics but those that may first have to be downloaded."""
    for metric in session.metrics:
        task.step(0.0, "Scoring")
        if metric.network and not metric.download:
            with service.turn(task):
                session.score(metric, entry)
        elif not metric.network:
            session.score(metric, entry)


def by_hand(metric: str) -> str:
    """What fetches the trunk of a metric."""
    return f"python -c \"from colorize_core import metrics; metrics.prepare('{metric}')\""


def _fetched(service: Service, session: CompareSession, task: Task) -> Iterator[Progress]:
    """The metrics that are downloaded on their first use."""
    if session.truth is None:
        return
    for metric in session.metrics:
        if not metric.download:
            continue
        yield Progress("", 1.0, False)  # so that the page shows how far a download is
        task.step(0.0, "Loading a trunk")
        try:
            with in_words():
                if not trunks.is_cached(metric.download):
                    service.check_download(f"The trunk of {metric.title}", by_hand(metric.name))
                    metrics.fetch(metric.name, task.loaded, task.stopped)
                metrics.prepare(metric.name)
        except Cancelled:
            raise
        except ColorizeError as error:
            session.missing[metric.name] = str(error)
        for entry in session.entries:
            if entry in session.made:
                with service.turn(task):
                    session.score(metric, entry)
        yield Progress(metric.title, 1.0, True)
