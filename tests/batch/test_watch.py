"""Files that arrive in a folder in every way that files arrive. The clock is the tests' own."""

from __future__ import annotations

import io
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import batch_models
import numpy as np
import pytest
from PIL import Image

from colorize_core.batch import runner
from colorize_core.batch.manifest import Manifest
from colorize_core.batch.watch import REST, Arrivals, watch

SETTINGS = runner.BatchOptions()
LOOK = 1.0  # seconds between two looks
Step = Callable[[], object]


def make(shade: int, format: str = "PNG") -> bytes:
    made = io.BytesIO()
    Image.fromarray(np.full((40, 60), shade, np.uint8)).save(made, format)
    return made.getvalue()


def is_coloured(path: Path, shade: int) -> bool:
    return bool(Image.open(path).getpixel((5, 5)) == (shade, shade // 2, shade // 2))


class Place:
    """A folder `in` that is watched, results in `out`."""

    def __init__(self, folder: Path) -> None:
        self.source, self.out = folder / "in", folder / "out"
        self.source.mkdir()
        self.told: list[str] = []

    def drop(self, name: str, content: bytes) -> Path:
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def watch(self, *steps: Step | None, looks: int = 4) -> list[tuple[str, str]]:
        """What became of which photo, when these steps are done after one look each, and `looks`
        follow."""
        coming = [*steps, *[None] * looks]
        now = 0.0

        def wait(seconds: float) -> None:
            nonlocal now
            now += LOOK
            if not coming:
                raise KeyboardInterrupt
            if step := coming.pop(0):
                step()

        results = []
        watched = watch(
            Arrivals(self.source, self.out, settled=2.0),
            SETTINGS,
            Manifest(self.out),
            runner.Threads(batch_models.Tinted(), SETTINGS, 1),
            tell=self.told.append,
            wait=wait,
            clock=lambda: now,
        )
        with suppress(KeyboardInterrupt):
            for result in watched:
                results.append((result.job.source.name, result.status))
        return results

    def names(self) -> set[str]:
        return {p.relative_to(self.out).as_posix() for p in self.out.rglob("*") if p.is_file()}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_what_is_there_and_what_comes_is_coloured_with_its_subfolders(place: Place) -> None:
    place.drop("a.png", make(100))
    place.drop(".hidden.png", make(100))
    place.drop("words.txt", b"text")
    results = place.watch(lambda: place.drop("box/1901/b.png", make(200)))
    assert results == [("a.png", "done"), ("b.png", "done")]
    assert place.names() == {"manifest.csv", "a.png", "box/1901/b.png"}
    assert is_coloured(place.out / "box/1901/b.png", 200)
    assert place.watch() == [("a.png", "skipped"), ("b.png", "skipped")]


def test_a_file_that_is_written_in_pieces_waits_for_the_last(place: Place) -> None:
    content = make(100, "TIFF")
    path = place.drop("a.tif", b"")

    def grow(count: int) -> Step:
        return lambda: path.write_bytes(content[: len(content) * count // 8])

    assert place.watch(None, None, None, *map(grow, range(1, 9))) == [("a.tif", "done")]
    assert is_coloured(place.out / "a.tif", 100)


def test_a_scanner_that_pauses_longer_fails_first_and_is_coloured_in_the_end(place: Place) -> None:
    content = make(100, "JPEG")
    path = place.drop("a.jpg", content[:200])
    pause = [None] * 4
    results = place.watch(*pause, lambda: path.write_bytes(content))
    assert results == [("a.jpg", "failed"), ("a.jpg", "done")]
    assert [row.status for row in Manifest(place.out).rows.values()] == ["done"]


def test_a_file_that_is_renamed_into_place_is_coloured_once(place: Place) -> None:
    part = place.drop("scan.tmp", make(100))
    assert place.watch(None, lambda: part.rename(place.source / "a.png")) == [("a.png", "done")]
    assert place.names() == {"manifest.csv", "a.png"}


def test_a_new_version_replaces_the_result(place: Place) -> None:
    path = place.drop("a.png", make(100))
    before = path.stat()

    def replace() -> None:
        place.drop("b.new", make(101)).replace(path)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert path.stat().st_size == len(make(101)), "by size and time they look the same"
    results = place.watch(None, None, None, replace)
    assert results == [("a.png", "done"), ("a.png", "done")]
    assert is_coloured(place.out / "a.png", 101)
    assert len(Manifest(place.out).rows) == 1


def test_a_broken_file_is_told_once_and_tried_when_it_changes(place: Place) -> None:
    path = place.drop("a.png", b"no picture")
    assert place.watch(looks=9) == [("a.png", "failed")]
    assert "a.png" in Manifest(place.out).rows["a.png"].error
    results = place.watch(None, None, None, lambda: path.write_bytes(make(100)))
    assert results == [("a.png", "failed"), ("a.png", "done")]


def test_files_that_vanish_end_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    early, late = place.drop("a.png", make(100)), place.drop("b.png", make(100))
    place.drop("c.png", make(100))
    look = Arrivals.look

    def look_and_lose(self: Arrivals, now: float) -> list[Path]:
        ready = look(self, now)
        if ready:
            late.unlink(missing_ok=True)
        return ready

    monkeypatch.setattr(Arrivals, "look", look_and_lose)
    assert sorted(place.watch(early.unlink)) == [("b.png", "failed"), ("c.png", "done")]
    assert place.names() == {"manifest.csv", "c.png"}


def test_a_share_that_goes_away_is_waited_for(place: Place) -> None:
    place.drop("a.png", make(100))
    away = place.source.with_name("away")

    def come_back() -> None:
        shutil.move(away, place.source)
        place.drop("b.png", make(200))

    lost = lambda: shutil.move(place.source, away)  # noqa: E731
    results = place.watch(None, None, None, lost, None, come_back)
    assert results == [("a.png", "done"), ("b.png", "done")]
    assert place.told == [f"{place.source} is not there: it is waited for."]


def test_photos_of_one_name_get_results_of_two_and_keep_them(place: Place) -> None:
    place.drop("a.bmp", make(100, "BMP"))
    arrive = [lambda: place.drop("a.gif", make(200, "GIF")), None, None, None]
    results = place.watch(None, None, None, *arrive, lambda: place.drop("a.png", make(50)))
    assert results == [("a.bmp", "done"), ("a.gif", "done"), ("a.png", "done")]
    assert place.names() == {"manifest.csv", "a.png", "a-gif.png", "a-png.png"}
    assert is_coloured(place.out / "a.png", 100)
    assert is_coloured(place.out / "a-gif.png", 200)
    assert is_coloured(place.out / "a-png.png", 50)
    assert {status for _, status in place.watch()} == {"skipped"}


def test_what_is_not_complete_is_known(place: Place) -> None:
    path = place.drop("a.png", b"")
    arrivals = Arrivals(place.source, place.out, settled=2.0)
    assert [arrivals.look(now) for now in (0.0, 5.0, 9.0)] == [[], [], []]
    assert arrivals.list_incomplete() == [path]
    path.write_bytes(make(9))
    assert [arrivals.look(now) for now in (10.0, 11.0, 12.5, 20.0)] == [[], [], [path], []]
    assert arrivals.list_incomplete() == []


def test_results_inside_the_folder_are_not_coloured_again(place: Place) -> None:
    place.out = place.source / "colour"
    place.drop("a.png", make(100))
    assert place.watch(looks=9) == [("a.png", "done")]


def test_slow_folders_are_looked_at_less(place: Place) -> None:
    waited = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        raise KeyboardInterrupt

    class Slow(Arrivals):
        def look(self, now: float) -> list[Path]:
            super().look(now)
            time.sleep(0.1)
            return []

    arrivals = Slow(place.source, place.out)
    engine = runner.Threads(batch_models.Tinted(), SETTINGS, 1)
    with pytest.raises(KeyboardInterrupt):
        list(watch(arrivals, SETTINGS, Manifest(place.out), engine, tell=print, wait=wait))
    assert waited[0] >= 0.1 * REST
