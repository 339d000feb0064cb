"""Films from file to file: what is kept, what is told, and how a stopped run goes on."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from child_process import running
from filelock import FileLock
from films import (
    draw_scene,
    get_times,
    pan,
    read_frames,
    read_packets,
    read_plane,
    write_film,
)
from scenes import ROOT

from colorize_core.errors import Cancelled, FilmError, OptionError, SaveError
from colorize_core.film import (
    FilmOptions,
    Keyframe,
    colorize_film,
    preview_scene,
    run,
    show_frame,
)
from colorize_core.film.source import Film
from colorize_core.models.runner import Runner, Task
from colorize_core.steering.hints import Hint

LOSSLESS = FilmOptions(codec="ffv1", spacing=8)
SIZE = (72, 128)


def _pan(count: int = 12) -> list[Any]:
    return pan(1, count, *SIZE)


def _is_coloured(frame: av.VideoFrame) -> bool:
    middle = 1 << (frame.format.components[0].bits - 1)
    return all(np.abs(read_plane(frame, n).astype(int) - middle).mean() > 1 for n in (1, 2))


@pytest.mark.parametrize(
    ("codec", "pixels", "tags", "written"),
    [
        ("ffv1", "gray", None, "yuv420p"),
        ("ffv1", "yuv420p", (1, 6, 6, 6), "yuv420p"),
        ("ffv1", "yuv422p", (2, 1, 1, 1), "yuv422p"),
        ("ffv1", "yuv444p", (1, 1, 1, 1), "yuv444p"),
        ("ffv1", "yuv420p10le", (1, 9, 14, 9), "yuv420p10le"),
        ("ffv1", "gray10le", None, "yuv420p10le"),
        ("ffv1", "gray16le", None, "yuv420p16le"),
        ("libx264", "gray", (1, 1, 1, 1), "yuv420p"),
        ("mpeg4", "yuv420p", None, "yuv420p"),
        ("libvpx-vp9", "yuv420p", (1, 1, 1, 1), "yuv420p"),
        ("mjpeg", "yuvj420p", None, "yuv420p"),
    ],
)
def test_luma_goes_through_untouched_beside_new_chroma(
    codec: str, pixels: str, tags: Any, written: str, tmp_path: Path, fake_runner: Runner
) -> None:
    frames = _pan(5)
    if "10le" in pixels:
        frames = [each.astype(np.uint16) * 4 + 1 for each in frames]
    if "16le" in pixels:
        frames = [each.astype(np.uint16) * 256 + 77 for each in frames]
    source = write_film(tmp_path / "in.mkv", frames, codec=codec, pixels=pixels, tags=tags)
    target = tmp_path / "out.mkv"
    colorize_film(source, target, LOSSLESS, runner=fake_runner)
    before, after = read_frames(source), read_frames(target)
    assert len(after) == len(before) == 5
    for one, other in zip(before, after, strict=True):
        assert np.array_equal(read_plane(one), read_plane(other))
        assert _is_coloured(other)
    assert after[0].format.name == written
    if tags:
        frame = after[0]
        assert tags == (
            frame.color_range,
            frame.color_primaries,
            frame.color_trc,
            frame.colorspace,
        )


def test_colours_are_what_the_model_says(tmp_path: Path, fake_runner: Runner) -> None:
    flat = [np.full(SIZE, 180, np.uint8)] * 3
    source = write_film(tmp_path / "in.mkv", flat, pixels="yuv420p", tags=(1, 1, 1, 1))
    colorize_film(source, tmp_path / "out.mkv", LOSSLESS, runner=fake_runner)
    from colorize_core.imaging.color import rgb_to_lab

    shown = read_frames(tmp_path / "out.mkv")[1].to_ndarray(format="rgb24")
    tone = (180 - 16) / 219 - 0.5
    ab = rgb_to_lab(shown.reshape(-1, 3).mean(0) / 255)[1:]
    assert ab == pytest.approx([tone * 30, tone * 60], abs=1.5)


def test_all_else_of_the_file_is_kept(tmp_path: Path, fake_runner: Runner) -> None:
    source = write_film(
        tmp_path / "in.mkv",
        _pan(30),
        codec="libx264",
        pixels="yuv420p",
        shape=Fraction(4, 3),
        audio="aac",
        subtitles="subrip",
    )
    with av.open(str(source)) as film:
        assert film.streams.video[0].sample_aspect_ratio == Fraction(4, 3)
    result = colorize_film(source, tmp_path / "out.mkv", runner=fake_runner)
    assert result.notes == ()
    with av.open(str(tmp_path / "out.mkv")) as film:
        told = {key.lower(): text for key, text in film.metadata.items()}
        assert "Colours added by Autochrome Studio" in told["comment"]
        assert "They are guesses." in told["comment"]
    assert get_times(tmp_path / "out.mkv") == get_times(source)
    for kind in ("audio", "subtitles"):
        packets = read_packets(source, kind)
        assert packets
        assert read_packets(tmp_path / "out.mkv", kind) == packets
    with av.open(str(tmp_path / "out.mkv")) as film:
        assert film.streams.video[0].sample_aspect_ratio == Fraction(4, 3)
        assert film.streams.subtitles[0].language == "ger"


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".ts", ".avi", ".webm"])
def test_every_container_takes_the_picture(
    suffix: str, tmp_path: Path, fake_runner: Runner
) -> None:
    source = write_film(tmp_path / "in.mp4", _pan(30), codec="libx264", pixels="yuv420p")
    target = tmp_path / f"out{suffix}"
    colorize_film(source, target, FilmOptions(spacing=8), runner=fake_runner)
    times, wanted = get_times(target), get_times(source)
    first = times[0] - wanted[0]  # transport streams begin later, with all that is in them
    assert np.array(times) - first == pytest.approx(wanted, abs=1e-3)
    # FFmpeg reads H.264 in AVI, which has no times, a frame late.
    assert suffix == ".ts" or first == pytest.approx(0.04 if suffix == ".avi" else 0)
    assert all(map(_is_coloured, read_frames(target)))


def test_sound_stays_with_the_picture_in_another_container(
    tmp_path: Path, fake_runner: Runner
) -> None:
    source = write_film(
        tmp_path / "in.mkv", _pan(40), codec="libx264", pixels="yuv420p", audio="aac"
    )
    colorize_film(source, tmp_path / "out.mp4", runner=fake_runner)
    before, after = read_packets(source, "audio"), read_packets(tmp_path / "out.mp4", "audio")
    assert [each[2] for each in before] == [each[2] for each in after]
    assert [each[0] for each in after] == pytest.approx([each[0] for each in before], abs=2e-3)
    assert get_times(tmp_path / "out.mp4") == pytest.approx(get_times(source), abs=1e-4)


def test_what_does_not_fit_is_told_before_the_work(tmp_path: Path, fake_runner: Runner) -> None:
    source = write_film(tmp_path / "in.mkv", _pan(), audio="flac", subtitles="subrip")
    told: list[str] = []
    result = colorize_film(source, tmp_path / "out.webm", runner=fake_runner, tell=told.append)
    assert tuple(told) == result.notes
    assert len(told) == 2
    assert "audio, flac" in told[0]
    assert ".mkv" in told[0]
    assert "subtitle, srt, ger" in told[1]


VARIED = [0, 3, 4, 9, 10, 11, 30, 31, 40, 55, 56, 80, 81, 82, 83, 90, 91, 99, 120, 121]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
@pytest.mark.parametrize("part", [3, 240])
def test_every_frame_keeps_its_own_time(
    suffix: str,
    part: int,
    tmp_path: Path,
    fake_runner: Runner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "PART_FRAMES", part)
    source = write_film(
        tmp_path / f"in{suffix}",
        _pan(len(VARIED)),
        codec="libx264",
        pixels="yuv420p",
        times=VARIED,
        time_base=Fraction(1, 50),
        options={"bf": "3"},
    )
    target = tmp_path / f"out{suffix}"
    colorize_film(source, target, FilmOptions(spacing=4), runner=fake_runner)
    assert get_times(target) == get_times(source) == [each / 50 for each in VARIED]
    with av.open(str(target)) as film:
        decoded = [packet.dts for packet in film.demux(video=0) if packet.dts is not None]
    assert decoded == sorted(set(decoded))
    assert len(read_packets(target, "video")) == len(VARIED)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_turned_film_is_seen_upright_and_stays_turned(
    rotation: int, tmp_path: Path, fake_runner: Runner, fake_model: Any
) -> None:
    source = write_film(
        tmp_path / "in.mp4", _pan(3), codec="libx264", pixels="yuv420p", rotation=rotation
    )
    colorize_film(source, tmp_path / "out.mp4", runner=fake_runner)
    before, after = read_frames(source)[0], read_frames(tmp_path / "out.mp4")[0]
    assert after.rotation == before.rotation != 0
    seen = fake_model.seen[0]
    assert seen.shape[:2] == (SIZE if rotation == 180 else SIZE[::-1])
    upright = np.rot90(read_plane(before), rotation // 90)
    assert np.corrcoef(seen[..., 0].ravel(), upright.ravel())[0, 1] > 0.99
    luma, blue = read_plane(after)[::2, ::2], read_plane(after, 1)
    assert np.corrcoef(luma.ravel(), blue.ravel())[0, 1] < -0.5  # light is warm, in its place


def test_wide_pixels_are_shown_as_they_look(
    tmp_path: Path, fake_runner: Runner, fake_model: Any
) -> None:
    source = write_film(
        tmp_path / "in.mp4", _pan(3), codec="mpeg4", pixels="yuv420p", shape=Fraction(3, 2)
    )
    for name in ("out.mkv", "out.mp4"):
        assert not colorize_film(source, tmp_path / name, runner=fake_runner).notes
        with av.open(str(tmp_path / name)) as film:
            assert film.streams.video[0].sample_aspect_ratio == Fraction(3, 2)
    assert fake_model.seen[0].shape[:2] == (72, 192)
    (note,) = colorize_film(source, tmp_path / "out.webm", runner=fake_runner).notes
    assert "3/2 times as wide" in note


# --- stopping and going on -----------------------------------------------------------------------


@pytest.fixture
def three_scenes(tmp_path: Path) -> Path:
    frames = [f for number, count in ((1, 14), (2, 30), (3, 9)) for f in pan(number, count, *SIZE)]
    return write_film(tmp_path / "in.mkv", frames, codec="libx264", pixels="yuv420p", audio="aac")


def _stop_after(frames: int) -> Task:
    """A task that is stopped once it has heard of so many frames."""
    task = Task(lambda *_: None)
    heard = [0]
    step = task.step

    def count(share: float, words: str) -> None:
        heard[0] += words == "Colouring"
        if heard[0] > frames:
            task.stop()
        step(share, words)

    task.step = count  # type: ignore[method-assign]
    return task


@pytest.mark.parametrize("frames", [0, 5, 20, 35, 50])
def test_a_stopped_run_goes_on_to_the_same_film(
    frames: int,
    three_scenes: Path,
    tmp_path: Path,
    fake_runner: Runner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "PART_FRAMES", 8)
    options = FilmOptions(spacing=6)
    whole, target = tmp_path / "whole.mkv", tmp_path / "out.mkv"
    unbroken = colorize_film(three_scenes, whole, options, runner=fake_runner)
    assert (unbroken.frames, unbroken.scenes, unbroken.resumed) == (53, 3, 0)
    with pytest.raises(Cancelled):
        colorize_film(three_scenes, target, options, runner=fake_runner, task=_stop_after(frames))
    assert not target.exists()
    assert not list((tmp_path / "out.mkv.parts").glob(".*.part"))
    resumed = colorize_film(three_scenes, target, options, runner=fake_runner)
    assert (resumed.frames, resumed.scenes) == (53, 3)
    assert resumed.resumed <= frames < resumed.resumed + 20
    assert bool(resumed.resumed) == (frames > 15)
    assert resumed.looks == unbroken.looks
    assert read_packets(target, "video") == read_packets(whole, "video")
    assert not (tmp_path / "out.mkv.parts").exists()


def test_parts_of_other_options_are_not_used(
    three_scenes: Path, tmp_path: Path, fake_runner: Runner
) -> None:
    target = tmp_path / "out.mkv"
    with pytest.raises(Cancelled):
        colorize_film(three_scenes, target, runner=fake_runner, task=_stop_after(30))
    assert list((tmp_path / "out.mkv.parts").glob("0*.part"))
    result = colorize_film(three_scenes, target, FilmOptions(vividness=0.5), runner=fake_runner)
    assert result.resumed == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_run_leaves_no_film_and_goes_on(three_scenes: Path, tmp_path: Path) -> None:
    target, parts = tmp_path / "out.mkv", tmp_path / "out.mkv.parts"
    command = [sys.executable, "-m", "colorize_core", "film", str(three_scenes), "-o", str(target)]
    command += ["--model", "cnn-mse", "--spacing", "6"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with running(command, cwd=tmp_path, env=environment) as process:
        until = time.monotonic() + 60
        while not list(parts.glob("0*.part")) and time.monotonic() < until:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert not target.exists()
    result = colorize_film(three_scenes, target, FilmOptions(model="cnn-mse", spacing=6))
    assert (result.frames, result.scenes) == (53, 3)
    assert result.resumed
    assert len(read_frames(target)) == 53
    assert read_packets(target, "audio") == read_packets(three_scenes, "audio")


def test_two_runs_do_not_make_one_film(
    three_scenes: Path, tmp_path: Path, fake_runner: Runner
) -> None:
    parts = tmp_path / "out.mkv.parts"
    parts.mkdir()
    with FileLock(parts / "lock"), pytest.raises(SaveError, match="another run"):
        # In a thread, as a lock may be taken twice within one.
        _in_thread(lambda: colorize_film(three_scenes, tmp_path / "out.mkv", runner=fake_runner))


def _in_thread(work: Callable[[], Any]) -> None:
    caught: list[BaseException] = []

    def run_it() -> None:
        try:
            work()
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=run_it)
    thread.start()
    thread.join()
    if caught:
        raise caught[0]


def test_an_older_film_stays_until_the_new_one_is_whole(
    three_scenes: Path, tmp_path: Path, fake_runner: Runner
) -> None:
    target = tmp_path / "out.mkv"
    target.write_bytes(b"older")
    with pytest.raises(Cancelled):
        colorize_film(three_scenes, target, runner=fake_runner, task=_stop_after(40))
    assert target.read_bytes() == b"older"


def test_progress_grows_to_the_end(
    three_scenes: Path, tmp_path: Path, fake_runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("colorize_core.models.runner.LIVELY", 0)
    heard: list[tuple[float, str]] = []
    task = Task(lambda share, words: heard.append((share, words)))
    colorize_film(three_scenes, tmp_path / "out.mkv", runner=fake_runner, task=task)
    shares = [share for share, _ in heard]
    assert shares == sorted(shares)
    assert 0.98 < shares[-1] <= 1
    assert [words for _, words in heard].count("Colouring") == 53


# --- hints ----------------------------------------------------------------------------------------

RED = (60.0, 40.0)


def _hint(at: float, x: float, y: float) -> FilmOptions:
    """A red one for the pixel (x, y) of the film as it is shown."""
    return replace(LOSSLESS, keyframes=(Keyframe(at, (Hint(x, y, RED),)),))


def _is_red(frame: av.VideoFrame, x: float, y: float) -> bool:
    """Whether it is so at a place of the stored frame, in [0, 1]."""
    reds = read_plane(frame, 2)
    height, width = reds.shape
    return bool(reds[int(y * height), int(x * width)] > 160)


def test_a_hint_goes_with_its_thing_both_ways(tmp_path: Path, fake_runner: Runner) -> None:
    source = write_film(tmp_path / "in.mkv", _pan(20))
    target = tmp_path / "out.mkv"
    result = colorize_film(source, target, _hint(0.4, 0.5, 0.5), runner=fake_runner)
    frames = read_frames(target)
    for number in (0, 4, 10, 14, 19):  # of 128 pixels the camera moves by two a frame
        moved = 0.5 - 2 * (number - 10) / 128
        assert _is_red(frames[number], moved, 0.5), number
        assert not _is_red(frames[number], moved + 0.25, 0.5), number
    assert result.looks == 5  # frames 0, 8, 16 and 19, and the keyframe in between
    assert result.notes == ()


def test_a_hint_ends_at_the_cuts(three_scenes: Path, tmp_path: Path, fake_runner: Runner) -> None:
    plain, target = tmp_path / "plain.mkv", tmp_path / "out.mkv"
    colorize_film(three_scenes, plain, LOSSLESS, runner=fake_runner)
    colorize_film(three_scenes, target, _hint(1.0, 0.5, 0.5), runner=fake_runner)
    pairs = zip(read_frames(plain), read_frames(target), strict=True)
    same = [np.array_equal(read_plane(a, 2), read_plane(b, 2)) for a, b in pairs]
    assert same == [True] * 14 + [False] * 30 + [True] * 9


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_hint_is_where_the_turned_film_shows_it(
    rotation: int, tmp_path: Path, fake_runner: Runner
) -> None:
    source = write_film(
        tmp_path / "in.mp4",
        [np.full(SIZE, 140, np.uint8)] * 3,
        codec="libx264",
        pixels="yuv420p",
        rotation=rotation,
    )
    colorize_film(source, tmp_path / "out.mkv", _hint(0.0, 0.3, 0.2), runner=fake_runner)
    stored = read_plane(read_frames(tmp_path / "out.mkv")[0], 2)
    upright = np.rot90(stored, rotation // 90)
    height, width = upright.shape
    y, x = np.argwhere(upright > 160).mean(0)
    assert (x / width, y / height) == pytest.approx((0.3, 0.2), abs=0.04)


@pytest.mark.parametrize("frames", [5, 20, 35])
def test_a_stopped_run_with_hints_goes_on_to_the_same_film(
    frames: int,
    three_scenes: Path,
    tmp_path: Path,
    fake_runner: Runner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "PART_FRAMES", 8)
    options = replace(_hint(1.2, 0.5, 0.5), codec=None, spacing=6)
    whole, target = tmp_path / "whole.mkv", tmp_path / "out.mkv"
    colorize_film(three_scenes, whole, options, runner=fake_runner)
    with pytest.raises(Cancelled):
        colorize_film(three_scenes, target, options, runner=fake_runner, task=_stop_after(frames))
    resumed = colorize_film(three_scenes, target, options, runner=fake_runner)
    assert bool(resumed.resumed) == (frames > 15)
    assert read_packets(target, "video") == read_packets(whole, "video")


def test_parts_with_other_hints_are_not_used(
    three_scenes: Path, tmp_path: Path, fake_runner: Runner
) -> None:
    target = tmp_path / "out.mkv"
    options = _hint(1.0, 0.5, 0.5)
    with pytest.raises(Cancelled):
        colorize_film(three_scenes, target, options, runner=fake_runner, task=_stop_after(30))
    result = colorize_film(three_scenes, target, _hint(1.0, 0.5, 0.6), runner=fake_runner)
    assert result.resumed == 0


@pytest.mark.parametrize(("at", "number"), [(0.0, 0), (0.15, 4), (0.25, 6), (0.48, 11), (0.5, 11)])
def test_the_frame_for_hints_is_the_nearest_one(at: float, number: int, tmp_path: Path) -> None:
    frames = _pan(12)
    source = write_film(tmp_path / "in.mkv", frames)
    shown = show_frame(source, at)
    assert np.array_equal(shown, np.repeat(frames[number][..., None], 3, 2))
    with pytest.raises(OptionError, match="nothing at 3 seconds"):
        show_frame(source, 3)


def test_the_frame_for_hints_is_upright_and_as_wide_as_it_looks(tmp_path: Path) -> None:
    source = write_film(
        tmp_path / "in.mp4",
        _pan(3),
        codec="mpeg4",
        pixels="yuv420p",
        rotation=90,
        shape=Fraction(3, 2),
    )
    seen = show_frame(source, 0.0)[..., 0]
    with Film(source) as film:
        assert film.look.shown == seen.shape[::-1] == (72, 192)
    stored = read_plane(read_frames(source)[0])
    upright = np.rot90(stored, read_frames(source)[0].rotation // 90)
    assert np.corrcoef(seen[::3].ravel(), upright[1::2].ravel())[0, 1] > 0.9


def test_a_preview_has_the_hints_of_its_scene(
    three_scenes: Path, tmp_path: Path, fake_runner: Runner
) -> None:
    target = tmp_path / "look.mkv"
    options = _hint(1.4, 0.5, 0.5)  # frame 35 of scene two, which begins with frame 14
    preview_scene(three_scenes, target, options, at=0.8, runner=fake_runner)
    frames = read_frames(target)
    assert _is_red(frames[0], 0.5 + 2 * 15 / 128, 0.5)
    assert _is_red(frames[15], 0.5, 0.5)
    preview_scene(three_scenes, target, options, at=0.0, runner=fake_runner)
    assert not any(_is_red(frame, 0.5, 0.5) for frame in read_frames(target))


def test_hints_that_cannot_be_followed_are_told(tmp_path: Path, fake_runner: Runner) -> None:
    source = write_film(tmp_path / "in.mkv", _pan(20))
    told: list[str] = []
    result = colorize_film(
        source, tmp_path / "out.mkv", _hint(0.4, 0.05, 0.5), runner=fake_runner, tell=told.append
    )
    (note,) = result.notes
    assert told == [note]
    assert note.startswith("The hint at 0.4 s cannot be followed after 0.4")
    with pytest.raises(OptionError, match="nothing at 99 seconds, where there are hints"):
        colorize_film(source, tmp_path / "no.mkv", _hint(99, 0.5, 0.5), runner=fake_runner)
    assert not list(tmp_path.glob("no.mkv*"))


# --- one scene, and what cannot be ----------------------------------------------------------------


def test_a_preview_is_one_scene(three_scenes: Path, tmp_path: Path, fake_runner: Runner) -> None:
    target = tmp_path / "look.mp4"
    result = preview_scene(three_scenes, target, at=0.8, runner=fake_runner)
    assert result.frames == 24  # from frame 20 to the cut at 44
    times = get_times(target)
    assert times[0] == 0
    assert len(times) == 24
    with av.open(str(target)) as film:
        assert [stream.type for stream in film.streams] == ["video"]
    short = preview_scene(three_scenes, target, at=0.8, most=0.2, runner=fake_runner)
    assert short.frames == 6
    with pytest.raises(OptionError, match="nothing at 99 seconds"):
        preview_scene(three_scenes, target, at=99, runner=fake_runner)
    with pytest.raises(Cancelled):
        preview_scene(three_scenes, target, runner=fake_runner, task=_stop_after(2))
    assert [each.name for each in tmp_path.iterdir() if each.is_dir()] == []
    assert len(get_times(target)) == 6


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [("no.mp4", None, "cannot be read"), ("text.mp4", b"no film" * 99, "cannot be read")],
)
def test_what_is_no_film_is_told(
    name: str, content: bytes | None, said: str, tmp_path: Path, fake_runner: Runner
) -> None:
    if content:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(FilmError, match=said):
        colorize_film(tmp_path / name, tmp_path / "out.mp4", runner=fake_runner)
    assert not (tmp_path / "out.mp4.parts").exists()


def test_sound_alone_is_no_film(tmp_path: Path, fake_runner: Runner) -> None:
    with av.open(str(tmp_path / "sound.wav"), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.int16), "s16", "stereo")
        frame.sample_rate = 8000
        out.mux(stream.encode(frame))
    with pytest.raises(FilmError, match="holds no film"):
        colorize_film(tmp_path / "sound.wav", tmp_path / "out.mp4", runner=fake_runner)


@pytest.mark.parametrize(
    ("target", "options", "said"),
    [
        ("out.jpg", {}, "no container"),
        ("out", {}, "no container"),
        ("out.mp4", {"codec": "nothing"}, "no encoder 'nothing'"),
        ("out.mp4", {"codec": "aac"}, "encodes audio"),
        ("out.webm", {"codec": "libx264"}, "webm"),
        ("in.mkv", {}, "the film itself"),
    ],
)
def test_what_cannot_be_written_is_told_before_the_work(
    target: str, options: dict[str, Any], said: str, tmp_path: Path, fake_runner: Runner
) -> None:
    source = write_film(tmp_path / "in.mkv", _pan(2))
    with pytest.raises(OptionError, match=said):
        colorize_film(source, tmp_path / target, FilmOptions(**options), runner=fake_runner)
    assert [each.name for each in tmp_path.iterdir()] == ["in.mkv"]


def test_a_film_that_is_cut_off_is_coloured_as_far_as_it_goes(
    tmp_path: Path, fake_runner: Runner
) -> None:
    frames = [draw_scene(1, *SIZE)] * 40
    whole = write_film(tmp_path / "in.mkv", frames, codec="mjpeg", pixels="yuvj420p")
    data = whole.read_bytes()
    broken = tmp_path / "broken.mkv"
    broken.write_bytes(data[: len(data) // 2])
    result = colorize_film(broken, tmp_path / "out.mkv", LOSSLESS, runner=fake_runner)
    assert 10 < result.frames < 30
    assert len(read_frames(tmp_path / "out.mkv")) == result.frames


def test_a_damaged_place_is_counted(tmp_path: Path, fake_runner: Runner) -> None:
    whole = write_film(tmp_path / "in.mkv", _pan(30), codec="libvpx-vp9", pixels="yuv420p")
    data = whole.read_bytes()
    packet = read_packets(whole, "video")[20][2]
    assert data.count(packet) == 1
    whole.write_bytes(data.replace(packet, bytes(len(packet))))
    result = colorize_film(whole, tmp_path / "out.mkv", LOSSLESS, runner=fake_runner)
    assert result.frames >= 20
    assert result.notes == ("1 damaged part of it could not be decoded.",)


@pytest.mark.parametrize(
    "options",
    [{"spacing": 0}, {"quality": 99}, {"vividness": 3}, {"variant": 1}, {"hints": ("x",)}],
)
def test_options_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        FilmOptions(**options)


def test_attachments_chapters_and_titles_are_kept(tmp_path: Path, fake_runner: Runner) -> None:
    plain = write_film(tmp_path / "plain.mkv", _pan(10), pixels="yuv420p", audio="aac")
    source, target = tmp_path / "in.mkv", tmp_path / "out.mkv"
    chapter: Any = {"id": 1, "start": 0, "end": 200, "time_base": Fraction(1, 1000)}
    with av.open(str(plain)) as film, av.open(str(source), "w") as out:
        copies: Any = {s.index: out.add_stream_from_template(s, opaque=True) for s in film.streams}
        out.add_attachment("font.ttf", "font/ttf", b"letters" * 9)
        out.metadata.update({"title": "At the sea", "comment": "From the attic."})
        copies[1].metadata["title"] = "Piano"
        out.set_chapters([chapter | {"metadata": {"title": "Waves"}}])
        for packet in film.demux():
            if packet.size:
                packet.stream = copies[packet.stream_index]
                out.mux_one(packet)
    assert colorize_film(source, target, LOSSLESS, runner=fake_runner).notes == ()
    with av.open(str(target)) as film:
        told = {key.lower(): text for key, text in film.metadata.items()}
        assert told["title"] == "At the sea"
        assert told["comment"].startswith("From the attic.\nColours added by")
        assert [each["metadata"]["title"] for each in film.chapters()] == ["Waves"]
        assert [s.type for s in film.streams] == ["video", "audio", "attachment"]
        assert film.streams[1].metadata["title"] == "Piano"
        assert film.streams.attachments[0].data == b"letters" * 9
