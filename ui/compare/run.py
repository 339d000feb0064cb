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
from ui.compare.session import Board
from ui.shared.service import Job, Studio, in_words

LIVELY = 0.5  # seconds between two words on a model that draws


class Progress(NamedTuple):
    """How far a run is. `new`: there is something new on the board."""

    words: str
    share: float
    new: bool


def compare(studio: Studio, board: Board, job: Job) -> Iterator[Progress]:
    """Make what is planned on the board and not there yet, and score it. What fails is said on the
    board and the rest goes on. Raises Cancelled, PictureError."""
    board.begin()
    yield Progress("Scoring the references", 0.0, False)
    for entry in board.entries:
        if entry in board.made:
            _score(studio, board, entry, job)
    yield Progress("", 0.0, True)
    total = len(board.planned)
    for model, group in groupby(board.planned, lambda entry: entry.model):
        pending = [entry for entry in group if entry not in board.made]
        try:
            with in_words():
                for words, share, new in _one_model(studio, board, model, pending, job):
                    done = sum(entry in board.made for entry in board.planned)
                    place = min(done + 1, total)
                    yield Progress(
                        f"{place} of {total}: {words}", min(1.0, (done + share) / total), new
                    )
        except Cancelled:
            raise
        except ColorizeError as error:
            board.faults |= {e: str(error) for e in pending if e not in board.made}
    yield from _fetched(studio, board, job)


def _one_model(
    studio: Studio, board: Board, model: str, pending: Sequence[Entry], job: Job
) -> Iterator[Progress]:
    if not pending:
        return
    title = pending[0].title
    yield Progress(title, 0.0, False)
    job.step(0.0, title)
    colorizer = studio.colorizer(model)
    seeds = [seed for seed in dict.fromkeys(entry.seed for entry in pending) if seed is not None]
    predictions: dict[int | None, Any] = {}
    if seeds:
        spent = yield from _draw(studio, board, colorizer, seeds, predictions, job)
    else:
        with studio.turn(job):
            begun = time.perf_counter()
            predictions[None] = colorizer.predict(board.gray)
            spent = time.perf_counter() - begun
    for entry in pending:
        job.step(0.0, title)
        begun = time.perf_counter()
        picture = colorizer.render(
            board.gray,
            predictions[entry.seed],
            vividness=entry.vividness,
            progress=lambda share: job.step(share, title),
        )
        seconds = spent / len(predictions) + time.perf_counter() - begun
        board.add(entry, picture, seconds)
        _score(studio, board, entry, job)
        yield Progress(title, 0.0, True)


def _draw(
    studio: Studio,
    board: Board,
    colorizer: Any,
    seeds: list[int],
    predictions: dict[int | None, Any],
    job: Job,
) -> Generator[Progress, None, float]:
    """Fills `predictions`; its value is how many seconds the network took."""
    title = colorizer.card.title
    steps = colorizer.steps(board.gray, seeds=seeds)
    spent, told = 0.0, time.monotonic()
    while True:
        with studio.turn(job):
            begun = time.perf_counter()
            step = next(steps, None)
            spent += time.perf_counter() - begun
        if step is None:
            return spent
        predictions |= dict(zip(seeds, step.predictions, strict=True))
        job.step(step.share, title)
        if time.monotonic() - told > LIVELY:
            told = time.monotonic()
            yield Progress(title, step.share * len(seeds), False)


def _score(studio: Studio, board: Board, entry: Entry, job: Job) -> None:
    """All metrics but those that may first have to be downloaded."""
    for metric in board.metrics:
        job.step(0.0, "Scoring")
        if metric.network and not metric.download:
            with studio.turn(job):
                board.score(metric, entry)
        elif not metric.network:
            board.score(metric, entry)


def by_hand(metric: str) -> str:
    """What fetches the trunk of a metric."""
    return f"python -c \"from colorize_core import metrics; metrics.prepare('{metric}')\""


def _fetched(studio: Studio, board: Board, job: Job) -> Iterator[Progress]:
    """The metrics that are downloaded on their first use."""
    if board.truth is None:
        return
    for metric in board.metrics:
        if not metric.download:
            continue
        yield Progress("", 1.0, False)  # so that the page shows how far a download is
        job.step(0.0, "Loading a trunk")
        try:
            with in_words():
                if not trunks.is_cached(metric.download):
                    studio.check_download(f"The trunk of {metric.title}", by_hand(metric.name))
                    metrics.fetch(metric.name, job.loaded, job.stopped)
                metrics.prepare(metric.name)
        except Cancelled:
            raise
        except ColorizeError as error:
            board.missing[metric.name] = str(error)
        for entry in board.entries:
            if entry in board.made:
                with studio.turn(job):
                    board.score(metric, entry)
        yield Progress(metric.title, 1.0, True)
