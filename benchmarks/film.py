"""python -m benchmarks.film PHOTOS.zip : how steady and how right the colours of films are, and
what they cost.

Clips of two seconds are made from photographs in colour, with known motion, grain and a lamp that
flickers, and turned gray: a static shot, a pan, a zoom, and an object that moves over another
photograph. Frame by frame, with a moving average over those colours, and as `colorize_film` has it:

warping      mean distance in ab between a frame and the next one, where the known motion leads
flicker      mean distance between the mean ab of a frame and of the next one, in static shots
error        mean distance in ab from the photograph's own colours
hint         the same in a disc around a point of the object, or of the picture, whose colour was
             given in one frame: in the frames from there on, along the true motion
films        --films FILE...: warping, flicker and error in films in colour that were turned gray,
             by scene. Warping is along the motion that is measured in them, where that is sure;
             the film's own colours have some, too, and flicker
cuts         hard cuts between photographs that are found, and moving shots and fades taken for one
speed        processor seconds a frame at 1280 x 720, against decoding and encoding alone
"""

from __future__ import annotations

import io
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

import colorize_core
from benchmarks.options import make_parser
from benchmarks.results_file import read, write
from colorize_core.film import FilmOptions, Keyframe, colorize_film, flow, scenes, tracking
from colorize_core.film.encoding import choose_encoding
from colorize_core.film.propagation import FilmFrame, Seen, colour_scene
from colorize_core.film.run import Network
from colorize_core.film.signal import Signal
from colorize_core.film.source import Film, Look
from colorize_core.film.tracking import Plan, find_tracks
from colorize_core.imaging.color import lightness, rgb_to_lab
from colorize_core.metrics.interval import estimate_interval
from colorize_core.models.runner import Runner, Task
from colorize_core.steering.hints import Hint

HEIGHT, WIDTH, FRAMES = 240, 320, 48
GRAIN, LAMP = 6.0, 0.05  # standard deviation in 8-bit samples; share of brightness
KINDS = ("static", "pan", "zoom", "object")
AVERAGED = 9  # frames of the moving average
SPACINGS = (12, 24, 48)
HINTED, DISC = (
    8,
    6,
)  # the frame with the hint; pixels around its point within which colours are read
HINT_SPACING = 12  # so that several anchors are behind the hint
SIGNAL = Signal(full=True)

Plane = NDArray[np.float32]
Clip = list["Shot"]


@dataclass(frozen=True)
class Shot:
    """A frame of a clip: what the film shows of it, and what is known of it."""

    gray: NDArray[np.uint8]  # (H, W)
    ab: Plane  # (H, W, 2) of the photograph
    places: Plane  # (H, W, 2), where each pixel is on the clip's canvas, in its pixels
    layer: NDArray[np.bool_]  # (H, W), whether it is the object


def read_photos(path: Path, count: int, seed: int = 7) -> list[NDArray[np.uint8]]:
    """Photographs from a ZIP, drawn at random: (h, w, 3) sRGB."""
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if not name.endswith("/"))
        chosen = np.random.default_rng(seed).choice(len(names), count, replace=False)
        every = (Image.open(io.BytesIO(archive.read(names[index]))) for index in chosen)
        return [np.asarray(each.convert("RGB")) for each in every]


def make_clip(photo: NDArray[np.uint8], other: NDArray[np.uint8], kind: str, seed: int) -> Clip:
    """A clip of the photo; in an "object" clip a part of the other one moves over it."""
    random = np.random.default_rng(seed)
    side = int(HEIGHT * 1.75)
    canvas = cv2.resize(photo, (side, side), interpolation=cv2.INTER_CUBIC)
    thing = cv2.resize(other, (side // 3, side // 3), interpolation=cv2.INTER_CUBIC)
    angle = random.uniform(0, 2 * np.pi)
    shots = []
    for number in range(FRAMES):
        part = number / (FRAMES - 1)
        places = _place(kind, part, angle, side)
        rgb = flow.sample(canvas, places)
        layer = np.zeros((HEIGHT, WIDTH), bool)
        if kind == "object":
            corner = np.array([20 + part * (WIDTH - len(thing) - 40), HEIGHT / 3], np.float32)
            own = flow.make_grid(HEIGHT, WIDTH) - corner
            layer = ((own >= 0) & (own <= len(thing) - 1)).all(-1)
            rgb = np.where(layer[..., None], flow.sample(thing, own), rgb)
        lab = rgb_to_lab(rgb.astype(np.float32) / 255)
        gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) * (1 + LAMP * random.uniform(-1, 1))
        grainy = gray + random.normal(0, GRAIN, gray.shape)
        shots.append(Shot(np.clip(grainy, 0, 255).astype(np.uint8), lab[..., 1:], places, layer))
    return shots


def _place(kind: str, part: float, angle: float, side: int) -> Plane:
    grid = flow.make_grid(HEIGHT, WIDTH)
    middle = np.array([WIDTH, HEIGHT], np.float32) / 2
    scale = 1.25 - 0.45 * part if kind == "zoom" else 1.0
    way = (part - 0.5) * 80 if kind == "pan" else 0.0
    moved = side / 2 + way * np.array([np.cos(angle), np.sin(angle)], np.float32)
    return ((grid - middle) * scale + moved).astype(np.float32)


def measure_warping(abs_: list[Plane], clip: Clip, steps: list[Plane]) -> float:
    """Mean distance in ab between each frame and where its pixels were in the frame before."""
    found = []
    for number in range(1, len(clip)):
        before = steps[number]
        inside = ((before >= 0) & (before <= [WIDTH - 1, HEIGHT - 1])).all(-1)
        layer = clip[number].layer
        came = flow.sample(clip[number - 1].layer.astype(np.float32), before)
        same = inside & (np.abs(came - layer) < 0.01)
        distance = np.hypot(
            *np.moveaxis(abs_[number] - flow.sample(abs_[number - 1], before), -1, 0)
        )
        found.append(float(distance[same].mean()))
    return float(np.mean(found))


def trace_back(clip: Clip, kind: str) -> list[Plane]:
    """For each frame where its pixels were in the frame before, in pixels of that."""
    grid = flow.make_grid(HEIGHT, WIDTH)
    steps = [grid]
    for before, now in pairwise(clip):
        if kind == "object":
            speed = (WIDTH - int(HEIGHT * 1.75) // 3 - 40) / (FRAMES - 1)
            moved = grid - np.array([speed, 0], np.float32)
            steps.append(np.where(now.layer[..., None], moved, grid))
        else:
            origin, scale = before.places[0, 0], before.places[0, 1, 0] - before.places[0, 0, 0]
            steps.append(((now.places - origin) / scale).astype(np.float32))
    return steps


def measure_flicker(abs_: list[Plane]) -> float:
    means = np.array([ab.mean((0, 1)) for ab in abs_])
    return float(np.hypot(*np.diff(means, axis=0).T).mean())


def measure_error(abs_: list[Plane], clip: Clip) -> float:
    distances = (np.hypot(*np.moveaxis(ab - s.ab, -1, 0)) for ab, s in zip(abs_, clip, strict=True))
    return float(np.mean([each.mean() for each in distances]))


def colour_clip(clip: Clip, network: Network) -> dict[str, list[Plane]]:
    """ab of each frame by each way."""
    frames = [FilmFrame.make(shot.gray, SIGNAL, n, 1) for n, shot in enumerate(clip)]
    seen: dict[int, Seen] = {}

    def look(frame: FilmFrame) -> Seen:
        if frame.pts not in seen:
            seen[frame.pts] = network.look_at(frame)
        return seen[frame.pts]

    alone = [look(frame).ab for frame in frames]
    reach = AVERAGED // 2
    ways = {
        "frame by frame": alone,
        f"moving average of {AVERAGED}": [
            np.mean(alone[max(0, n - reach) : n + reach + 1], 0) for n in range(len(alone))
        ],
    }
    for spacing in SPACINGS:
        made = colour_scene(frames, look, spacing)
        ways[f"film, spacing {spacing}"] = [each.ab for each in made]
    return ways


def make_network(runner: Runner, width: int = WIDTH, height: int = HEIGHT) -> Network:
    look = Look(
        *(width, height, Fraction(1, 24), Fraction(24), "gray", "420", SIGNAL),
        *((2, 1, 1, 1), Fraction(1)),
    )
    return Network(look, FilmOptions(), runner, Task())


def compare(photos: list[NDArray[np.uint8]], runner: Runner, each: int) -> list[dict[str, Any]]:
    network = make_network(runner)
    values: dict[tuple[str, str], list[float]] = {}
    for index in range(len(KINDS) * each):
        kind = KINDS[index % len(KINDS)]
        clip = make_clip(photos[2 * index], photos[2 * index + 1], kind, index)
        steps = trace_back(clip, kind)
        gray: list[Plane] = [np.zeros_like(shot.ab) for shot in clip]
        for way, abs_ in {"gray": gray, **colour_clip(clip, network)}.items():
            values.setdefault((f"error, {kind}", way), []).append(measure_error(abs_, clip))
            if way == "gray":
                continue
            warping = measure_warping(abs_, clip, steps)
            values.setdefault((f"warping, {kind}", way), []).append(warping)
            if kind == "static":
                values.setdefault(("flicker, static", way), []).append(measure_flicker(abs_))
    return [
        _make_row(what, way, found, "Lab units, mean over clips")
        for (what, way), found in sorted(values.items(), key=lambda item: item[0][0])
    ]


# --- hints ----------------------------------------------------------------------------------------


def find_path(clip: Clip, kind: str, point: tuple[int, int]) -> dict[int, NDArray[np.float32]]:
    """x and y of a point (x, y) of the frame HINTED in each frame from there on, while all of the
    disc around it can be seen."""
    found = {}
    start = np.array(point, np.float32)
    speed = (WIDTH - int(HEIGHT * 1.75) // 3 - 40) / (FRAMES - 1)
    for number in range(HINTED, len(clip)):
        if kind == "object":
            place = start + np.array([speed * (number - HINTED), 0], np.float32)
        else:
            there = clip[number].places
            scale = there[0, 1, 0] - there[0, 0, 0]
            place = (clip[HINTED].places[point[1], point[0]] - there[0, 0]) / scale
        if (place < DISC).any() or (place > [WIDTH - 1 - DISC, HEIGHT - 1 - DISC]).any():
            break
        found[number] = place
    return found


def choose_point(clip: Clip, kind: str, random: np.random.Generator) -> tuple[int, int]:
    """x and y in the middle half of the object, or of the picture."""
    if kind == "object":
        rows, cols = np.nonzero(clip[HINTED].layer)
        low, high = np.array([cols.min(), rows.min()]), np.array([cols.max(), rows.max()])
    else:
        low, high = np.zeros(2), np.array([WIDTH, HEIGHT])
    x, y = random.uniform(low + (high - low) / 4, high - (high - low) / 4)
    return int(x), int(y)


def read_disc(ab: Plane, place: NDArray[Any]) -> Plane:
    """ab (N, 2) in the disc around a place."""
    grid = flow.make_grid(2 * DISC + 1, 2 * DISC + 1) - DISC
    inside = np.hypot(*np.moveaxis(grid, -1, 0)) <= DISC
    seen: Plane = flow.sample(ab, (grid + place).astype(np.float32))[inside]
    return seen


def compare_hints(photos: list[NDArray[np.uint8]], network: Network, each: int) -> list[Any]:
    """Without a hint, with one on its own frame alone, and with one that is carried along."""
    values: dict[tuple[str, str], list[float]] = {}
    for index in range(len(KINDS) * each):
        kind = KINDS[index % len(KINDS)]
        clip = make_clip(photos[2 * index], photos[2 * index + 1], kind, index)
        frames = [FilmFrame.make(shot.gray, SIGNAL, n, 1) for n, shot in enumerate(clip)]
        point = choose_point(clip, kind, np.random.default_rng(index))
        path = find_path(clip, kind, point)
        true = read_disc(clip[HINTED].ab, np.array(point)).mean(0)
        place = (point[0] + 0.5) / WIDTH, (point[1] + 0.5) / HEIGHT
        hint = Hint(*place, (float(true[0]), float(true[1])))
        carried = find_tracks(lambda _: iter(frames), [Keyframe(HINTED, (hint,))], float, 1.0)  # noqa: B023
        alone = [replace(track, places={HINTED: track.places[HINTED]}) for track in carried]
        plans = {
            "no hint": Plan(),
            "hint at its frame alone": Plan(tuple(alone)),
            "hint carried along": Plan(tuple(carried)),
        }
        for way, plan in plans.items():
            made = colour_scene(
                frames,
                lambda frame, plan=plan: network.look_at(frame, plan.find(frame.pts)),
                HINT_SPACING,
                is_key=lambda frame, plan=plan: plan.is_key(frame.pts),
            )
            abs_ = [coloured.ab for coloured in made]
            errors = [
                float(np.hypot(*(read_disc(abs_[n], at) - read_disc(clip[n].ab, at)).T).mean())
                for n, at in path.items()
            ]
            values.setdefault((f"hint, {kind}", way), []).append(float(np.mean(errors)))
        ends = _find_end(carried[0], path)
        if ends is not None:
            values.setdefault((f"hint off, {kind}", "hint carried along"), []).append(ends)
        lost = float(
            any(np.isnan(carried[0].places.get(n, np.full((1, 2), np.nan))).any() for n in path)
        )
        values.setdefault((f"hint lost, {kind}", "hint carried along"), []).append(lost)
    units = {"hint off": "pixels of 320 in the last frame", "hint lost": "share of clips"}
    return [
        _make_row(what, way, found, units.get(what.split(",")[0], "Lab units, mean over clips"))
        for (what, way), found in sorted(values.items(), key=lambda item: item[0][0])
    ]


def _find_end(track: tracking.Track, path: dict[int, NDArray[np.float32]]) -> float | None:
    """How far the place is from the true one in the last frame in which both are known."""
    last = max(path)
    if last not in track.places or np.isnan(track.places[last]).any():
        return None
    place = track.places[last][0] * [WIDTH, HEIGHT] - 0.5
    return float(np.hypot(*(place - path[last])))


def _make_row(what: str, way: str, found: list[float], unit: str) -> dict[str, Any]:
    mean, low, high = estimate_interval(np.array(found))
    told = (f"{value:.3f}" for value in (mean, low, high))
    names = ("value", "low", "high")
    return {"what": what, "way": way, **dict(zip(names, told, strict=True)), "n": len(found)} | {
        "unit": unit
    }


# --- films in colour ------------------------------------------------------------------------------


def read_scenes(path: Path) -> Iterator[Clip]:
    """The scenes of a film in colour, at most WIDTH pixels wide."""
    pictures = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            rgb = frame.to_ndarray(format="rgb24")
            width = min(WIDTH, rgb.shape[1])
            size = width, round(rgb.shape[0] * width / rgb.shape[1])
            pictures.append(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))
    grays = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in pictures]
    begins = sorted({0, *_find_cuts([_see(gray) for gray in grays])})
    for start, stop in zip(begins, [*begins[1:], len(pictures)], strict=True):
        grid = flow.make_grid(*grays[start].shape)
        layer = np.zeros(grays[start].shape, bool)
        yield [
            Shot(gray, rgb_to_lab(rgb.astype(np.float32) / 255)[..., 1:], grid, layer)
            for gray, rgb in zip(grays[start:stop], pictures[start:stop], strict=True)
        ]


def compare_films(paths: Sequence[Path], runner: Runner) -> list[dict[str, Any]]:
    values: dict[tuple[str, str], list[float]] = {}
    for path in paths:
        for clip in read_scenes(path):
            if len(clip) < AVERAGED:
                continue
            height, width = clip[0].gray.shape
            motions = [flow.measure_motion(*each) for each in pairwise(_list_lightness(clip))]
            own = [shot.ab for shot in clip]
            gray = [np.zeros_like(ab) for ab in own]
            ways = colour_clip(clip, make_network(runner, width, height))
            for way, abs_ in {"gray": gray, "its own colours": own, **ways}.items():
                found = {"error": measure_error(abs_, clip), "flicker": measure_flicker(abs_)}
                found["warping"] = _measure_sure_warping(abs_, motions)
                for what, value in found.items():
                    if way != ("its own colours" if what == "error" else "gray"):
                        values.setdefault((f"{what}, films", way), []).append(value)
    unit = f"Lab units, mean over scenes of {', '.join(path.name for path in paths)}"
    return [
        _make_row(what, way, found, unit)
        for (what, way), found in sorted(values.items(), key=lambda item: item[0][0])
    ]


def _list_lightness(clip: Clip) -> list[Plane]:
    return [SIGNAL.find_lightness(SIGNAL.read_luma(shot.gray)) for shot in clip]


def _measure_sure_warping(abs_: list[Plane], motions: list[flow.Motion]) -> float:
    """Mean distance in ab between each frame and where its pixels were in the frame before, where
    that is sure."""
    found = []
    for (before, now), motion in zip(pairwise(abs_), motions, strict=True):
        places = flow.make_grid(*now.shape[:2]) + motion.backward
        distance = np.hypot(*np.moveaxis(now - flow.sample(before, places), -1, 0))
        if (sure := motion.back_sure > 0.5).any():
            found.append(float(distance[sure].mean()))
    return float(np.mean(found))


# --- cuts -----------------------------------------------------------------------------------------


def measure_cuts(photos: list[NDArray[np.uint8]]) -> list[dict[str, Any]]:
    """Cuts that are found between clips of each photo and the next, and false ones inside clips and
    in fades from one to the other."""
    hits, false_moving, false_fades = [], [], []
    for index, (photo, other) in enumerate(pairwise(photos)):
        kind = KINDS[index % 3]
        first, second = (
            [_see(shot.gray) for shot in make_clip(each, each, kind, index)[:: FRAMES // 12]]
            for each in (photo, other)
        )
        found = _find_cuts([*first, *second])
        hits.append(float(len(first) in found))
        false_moving.append(float(bool(found - {len(first)})))
        parts = np.linspace(0, 1, 24)
        fade = [(1 - p) * first[0] + p * second[0] for p in parts]
        false_fades.append(float(bool(_find_cuts(fade))))
    unit = "share of clips"
    return [
        _make_row("cuts found", "film", hits, unit),
        _make_row("false cuts in motion four times as fast", "film", false_moving, unit),
        _make_row("false cuts in dissolves of one second", "film", false_fades, unit),
    ]


def _see(gray: NDArray[np.uint8]) -> Plane:
    light = lightness(np.repeat(gray[..., None], 3, 2) / 255).astype(np.float32)
    return scenes.shrink(light)


def _find_cuts(pictures: list[Plane]) -> set[int]:
    begins = scenes.find_cuts(pictures, lambda each: each)
    return {index for index, (_, begin) in enumerate(begins) if begin and index}


# --- speed ----------------------------------------------------------------------------------------


def measure_speed(photos: list[NDArray[np.uint8]], runner: Runner) -> list[dict[str, Any]]:
    """A film of two scenes at 1280 x 720. Processor time, as the machine may have more to do."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.mp4"), Path(folder, "out.mp4")
        count = _write_film(source, photos[:2])
        plain = _time(lambda: _transcode(source, Path(folder, "plain.mp4"))) / count
        ways = {"decoding and encoding alone": plain}
        for spacing in (1, *SPACINGS):
            options = FilmOptions(spacing=spacing)
            name = f"film, spacing {spacing}" if spacing > 1 else "frame by frame"
            ways[name] = (
                _time(lambda options=options: colorize_film(source, target, options, runner=runner))
                / count
            )
    unit = "processor seconds a frame at 1280 x 720"
    rows = [_make_row("speed", way, [seconds], unit) for way, seconds in ways.items()]
    ratios = [
        _make_row("speed ratio", way, [seconds / plain], "times decoding and encoding alone")
        for way, seconds in ways.items()
    ]
    return [row | {"low": "", "high": "", "n": count} for row in (*rows, *ratios)]


def _write_film(path: Path, photos: list[NDArray[np.uint8]]) -> int:
    """Pans over the photos; how many frames there are."""
    count = 0
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=24, options={"crf": "17"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        random = np.random.default_rng(0)
        for photo in photos:
            gray = cv2.resize(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), (1440, 1440))
            for number in range(FRAMES):
                view = gray[300:1020, 2 * number : 2 * number + 1280]
                noisy = np.clip(view + random.normal(0, 3, view.shape), 0, 255).astype(np.uint8)
                frame = av.VideoFrame.from_ndarray(noisy, "gray").reformat(format="yuv420p")
                frame.pts, frame.time_base = count, Fraction(1, 24)
                out.mux(stream.encode(frame))
                count += 1
        out.mux(stream.encode(None))
    return count


def _transcode(source: Path, target: Path) -> None:
    with Film(source) as film, av.open(str(target), "w") as out:
        encoding = choose_encoding(film.look, "mp4", None, None)
        stream: Any = out.add_stream(encoding.codec, rate=film.look.rate)
        encoding.set_up(stream, film.look)
        for frame in film.container.decode(film.stream):
            frame.pict_type = 0  # the encoder chooses its own
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def _time(work: Callable[[], Any]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def main() -> None:
    parser = make_parser(__doc__)
    parser.add_argument("photos", type=Path, metavar="PHOTOS.zip")
    parser.add_argument("--clips", type=int, default=3, help="of each kind")
    parser.add_argument("--cuts", type=int, default=200, help="photographs to cut between")
    parser.add_argument(
        "--hints", action="store_true", help="only hints; the other rows stay as they are"
    )
    parser.add_argument(
        "--films", type=Path, nargs="+", help="only these; the other rows stay as they are"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    model: Any = colorize_core.load("autochrome", "cpu")
    runner = Runner(lambda _: model)
    if arguments.films:
        others = [row for row in read("film") if not row["what"].endswith(", films")]
        write("film", compare_films(arguments.films, runner), others)
        return
    photos = read_photos(arguments.photos, max(2 * len(KINDS) * arguments.clips, arguments.cuts))
    hints = compare_hints(photos, make_network(runner), arguments.clips)
    if arguments.hints:
        write("film", hints, [row for row in read("film") if not row["what"].startswith("hint")])
        return
    rows = compare(photos, runner, arguments.clips) + hints
    films = [row for row in read("film") if row["what"].endswith(", films")]
    rows += measure_cuts(photos[: arguments.cuts])
    rows += measure_speed(photos, runner)
    write("film", rows, films)


if __name__ == "__main__":
    main()
