"""How the tab "Compare" has every model colour one photo, with one network at work at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, NamedTuple

from colorize_core import metrics
from colorize_core.downloads import checkpoints
from colorize_core.downloads.catalogue import DOWNLOADS
from colorize_core.errors import Cancelled, ColorizeError
from colorize_core.evaluate.comparison import Entry
from colorize_core.models.runner import Task
from colorize_core.options import Options
from ui.compare.session import CompareSession
from ui.shared.service import Service, in_words

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
    title, options = pending[0].title, Options(model)
    yield Progress(title, 0.0, False)
    task.step(0.0, title)
    service.runner.model(model)  # that loading takes long is nothing against a model
    seeds = [seed for seed in dict.fromkeys(entry.seed for entry in pending) if seed is not None]
    predictions: dict[int | None, Any] = {}
    before = task.seconds
    if seeds:
        yield from _draw(service, session, options, title, seeds, predictions, task)
    else:
        predictions[None] = service.runner.predict(session.gray, options, task)
    spent = (task.seconds - before) / len(predictions)
    for entry in pending:
        task.step(0.0, title)
        begun = time.perf_counter()
        picture = service.runner.render(
            session.gray,
            predictions[entry.seed],
            replace(options, vividness=entry.vividness),
            task,
            0.0,
            title,
        )
        session.add(entry, picture, spent + time.perf_counter() - begun)
        _score(service, session, entry, task)
        yield Progress(title, 0.0, True)


def _draw(
    service: Service,
    session: CompareSession,
    options: Options,
    title: str,
    seeds: list[int],
    predictions: dict[int | None, Any],
    task: Task,
) -> Iterator[Progress]:
    """Fills `predictions`."""
    told = time.monotonic()
    for step in service.runner.steps(session.gray, options, seeds, task):
        predictions |= dict(zip(seeds, step.predictions, strict=True))
        if time.monotonic() - told > LIVELY:
            told = time.monotonic()
            yield Progress(title, step.share * len(seeds), False)


def _score(service: Service, session: CompareSession, entry: Entry, task: Task) -> None:
    """All metrics but those that may first have to be downloaded."""
    for metric in session.metrics:
        task.step(0.0, "Scoring")
        if metric.network and not metric.download:
            with service.runner.turn(task):
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
                if checkpoints.list_missing(DOWNLOADS[metric.download].files):
                    service.check_download(f"The trunk of {metric.title}", by_hand(metric.name))
                    metrics.fetch(metric.name, task.report_bytes, task.stopped)
                metrics.prepare(metric.name)
        except Cancelled:
            raise
        except ColorizeError as error:
            session.missing[metric.name] = str(error)
        for entry in session.entries:
            if entry in session.made:
                with service.runner.turn(task):
                    session.score(metric, entry)
        yield Progress(metric.title, 1.0, True)
