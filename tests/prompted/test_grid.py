"""Conditions compared in one run, on tiny untrained parts from a small Hub on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_diffusion
from hub_server import fetch, serving
from scenes import scene

from colorize_core.errors import Cancelled, OptionError, TooLittleMemoryError, WeightsError
from colorize_core.prompted import grid, memory, pipeline, pipeline_cache, plan, sources
from colorize_core.prompted.conditions import make_condition
from colorize_core.prompted.generation import Preview, Variant, draw
from colorize_core.prompted.grid import draw_grid
from colorize_core.prompted.pipeline_cache import PipelineCache
from colorize_core.prompted.plan import list_combinations, make_label
from colorize_core.prompted.settings import CONDITIONS, PromptSettings
from colorize_core.prompted.sources import BASE, CONTROLNETS, FAST, FLUX, HED, Folders

PHOTO = scene(90, 120)
WISH = PromptSettings(side=64, steps=3, low=20, high=60, seed=5, variants=3)
ALL = list_combinations(WISH, CONDITIONS, (False, True))
COLOURS = np.roll(PHOTO, 40, axis=2).copy()
COLOURS[..., 0] = 200


@pytest.fixture(scope="module", autouse=True)
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """All sources in the Hub's cache."""
    models = tmp_path_factory.mktemp("models")
    tiny_diffusion.write_all(models)
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch, serving(models, cache, patch):
        fetch(sources.list_missing(plan.list_needed(ALL)))
        yield


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Folders]:
    """What the shelf loads."""
    seen: list[Folders] = []

    def load(asked: Folders, *options: Any) -> Any:
        seen.append(asked)
        return pipeline.load(asked, *options)

    monkeypatch.setattr(pipeline_cache, "load", load)
    return seen


@pytest.fixture(scope="module")
def shared() -> Iterator[PipelineCache]:
    lending = PipelineCache()
    yield lending
    lending.clear()


def run(shared: PipelineCache, cells: Any, **options: Any) -> list[Any]:
    return list(draw_grid(shared, PHOTO, cells, start=COLOURS, device="cpu", **options))


# --- what is compared ---


def test_every_condition_meets_every_start_with_one_seed() -> None:
    assert [(cell.condition, cell.start) for cell in ALL] == [
        (kind, start) for kind in CONDITIONS for start in (False, True)
    ]
    assert {replace(c, condition="canny", start=False) for c in ALL} == {replace(WISH, variants=1)}
    assert list_combinations(WISH, ["canny", "canny"], [True, True]) == ALL[1:2]


def test_a_model_without_conditions_is_compared_by_its_starts() -> None:
    wish = replace(WISH, model="flux2-klein")
    cells = list_combinations(wish, CONDITIONS, (False, True))
    assert [cell.start for cell in cells] == [False, True]
    assert [make_label(cell) for cell in cells] == [
        "FLUX.2 [klein] 4B",
        "FLUX.2 [klein] 4B, from the built-in model's colours",
    ]
    assert plan.list_needed(cells) == (FLUX,)


@pytest.mark.parametrize(("conditions", "starts"), [((), (True,)), (("canny",), ())])
def test_nothing_to_compare_is_refused(conditions: Any, starts: Any) -> None:
    with pytest.raises(OptionError, match="Choose a condition"):
        list_combinations(WISH, conditions, starts)


def test_cells_are_called_by_words() -> None:
    assert [make_label(cell) for cell in ALL] == [
        "Canny edges",
        "Canny edges, from the built-in model's colours",
        "Brightness",
        "Brightness, from the built-in model's colours",
        "Soft edges",
        "Soft edges, from the built-in model's colours",
    ]
    assert set(plan.list_needed(ALL)) == {BASE, *CONTROLNETS.values(), HED, FAST}


# --- drawing ---


def test_a_cell_is_what_would_be_drawn_alone(loads: list[Folders]) -> None:
    """Nothing but the ControlNet is exchanged between them."""
    shared = PipelineCache()
    news = run(shared, ALL)
    assert len(loads) == 1
    assert [number for number, _ in news] == [n for n in range(1, 7) for _ in range(4)]
    assert [type(each) for _, each in news] == [*[Preview] * 3, Variant] * 6
    assert all(each.seed == 5 for _, each in news)
    pictures = [each.drawn for _, each in news if isinstance(each, Variant)]
    assert len({picture.tobytes() for picture in pictures}) == 6
    for number in (2, 5):
        cell = ALL[number]
        hed = sources.find_hed() if cell.condition == "softedge" else None
        start = COLOURS if cell.start else None
        with shared.borrow(sources.find_folders(cell), "cpu") as painter:
            *_, alone = draw(painter, PHOTO, cell, make_condition(PHOTO, cell, hed), start=start)
        assert np.array_equal(alone.drawn, pictures[number])
    shared.clear()


def test_a_cell_that_fails_leaves_the_others(
    shared: PipelineCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = WeightsError("The soft edge detector is missing.")

    def fail() -> Path:
        raise error

    monkeypatch.setattr(sources, "find_hed", fail)
    news = run(shared, list_combinations(WISH, ("softedge", "canny"), (False,)))
    assert news[0] == (1, error)
    assert error.__traceback__ is None
    assert [type(each) for _, each in news[1:]] == [*[Preview] * 3, Variant]


def test_memory_that_runs_out_in_one_cell_leaves_the_others(
    shared: PipelineCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def real(painter: Any, *arguments: Any, **options: Any) -> Iterator[Any]:
        calls.append(1)
        if len(calls) == 1:
            raise memory.describe_shortage()
        yield from draw(painter, *arguments, **options)

    monkeypatch.setattr(grid, "draw", real)
    news = run(shared, ALL[:2])
    assert isinstance(news[0][1], TooLittleMemoryError)
    assert isinstance(news[-1][1], Variant)


def test_other_errors_are_not_hidden(
    shared: PipelineCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setattr(grid, "draw", fail)
    with pytest.raises(ZeroDivisionError):
        run(shared, ALL[:1])


def test_cells_that_begin_from_colours_need_them(shared: PipelineCache) -> None:
    with pytest.raises(ValueError, match="need them"):
        list(draw_grid(shared, PHOTO, ALL, device="cpu"))


# --- stopping ---


def test_stopping_takes_effect_within_one_step(shared: PipelineCache) -> None:
    stop, seen = threading.Event(), []
    cells = list_combinations(replace(WISH, steps=30), CONDITIONS, (False,))
    threads = threading.active_count()
    with shared.borrow(sources.find_folders(cells[0]), "cpu") as painter:
        unet = painter.text.unet
    hook = unet.register_forward_pre_hook(lambda *_: seen.append(1))
    news = draw_grid(shared, PHOTO, cells, device="cpu", stop=stop)
    next(news)
    stop.set()
    at = len(seen)
    with pytest.raises(Cancelled):
        list(news)
    hook.remove()
    assert len(seen) <= at + 1
    # the shelf's timer counts as one
    assert threading.active_count() <= threads + 1
    assert isinstance(run(shared, ALL[:1])[-1][1], Variant)


def test_closing_the_iterator_gives_the_painter_back(shared: PipelineCache) -> None:
    news = draw_grid(shared, PHOTO, ALL[:1], device="cpu")
    next(news)
    news.close()
    assert isinstance(run(shared, ALL[:1])[-1][1], Variant)


def test_a_stop_between_cells_loads_nothing(shared: PipelineCache, loads: list[Folders]) -> None:
    stop = threading.Event()
    news = draw_grid(PipelineCache(), PHOTO, ALL[:1], device="cpu", stop=stop)
    stop.set()
    with pytest.raises(Cancelled):
        next(news)
    assert loads == []
